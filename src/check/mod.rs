//! Checks that only read: what a host holds against its manifest, and certificates against time.

pub mod certificates;
pub mod host;
pub mod obstacles;
pub mod record;
