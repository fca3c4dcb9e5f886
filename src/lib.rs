//! sealift: one YAML spec of a cluster becomes signed, sealed, reproducible bundles, one per host.

pub mod bundle;
pub mod check;
pub mod finding;
pub mod host;
pub mod rootfs;
pub mod unseal;
