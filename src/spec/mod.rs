//! What a person writes: `sealift.yaml` with positions, and all its problems at once.

pub mod scalars;
pub mod types;

pub use types::Spec;
