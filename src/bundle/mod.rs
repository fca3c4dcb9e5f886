//! The bundle: one host's signed archive. Knows files, digests and signatures, and nothing of Kubernetes.
//!
//! [`pack::pack`] writes one, [`open::open`] is the only way to get a [`open::Verified`] one back.

pub mod archive;
pub mod block;
pub mod canonical;
pub mod consistency;
pub mod gzip;
pub mod index;
pub mod items;
pub mod manifest;
pub mod open;
pub mod pack;
pub mod paths;
pub mod sshsig;
pub mod sums;
pub mod trust;

#[cfg(test)]
pub(crate) mod forgery;

/// The archive entry, and file of an output directory, that lists digests.
pub const SUMS: &str = "SHA256SUMS";
/// The signature over [`SUMS`].
pub const SIGNATURE: &str = "SHA256SUMS.sig";
/// The archive entry of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// The SSHSIG namespace of a bundle's signature.
pub const BUNDLE_NAMESPACE: &str = "sealift-bundle";
/// The SSHSIG namespace of an output directory's signature.
pub const INDEX_NAMESPACE: &str = "sealift-index";
