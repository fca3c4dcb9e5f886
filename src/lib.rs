//! sealift: one YAML spec of a cluster becomes signed, sealed, reproducible bundles, one per host.
//!
//! Data flows one way: [`spec`] → [`plan`] → [`mod@derive`] → [`render`] → [`bundle`], and [`build`]
//! is where they meet. [`check`] and [`host`] stand apart: they know bundles and hosts, and nothing
//! of how a bundle came about.

pub mod build;
pub mod bundle;
pub mod check;
pub mod cli;
pub mod derive;
pub mod finding;
pub mod host;
pub mod imports;
pub mod plan;
pub mod private_key;
pub mod render;
pub mod rootfs;
pub mod spec;
pub mod unseal;
pub mod verify_key;
