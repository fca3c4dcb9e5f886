//! Read-only checks of bundles and hosts. Each says what it found as [`crate::finding::Finding`]s.

pub mod aftermath;
pub mod bundle;
pub mod certificates;
pub mod contents;
pub mod diff;
pub mod fields;
pub mod host;
pub mod inventory;
pub mod journal;
pub mod kubeconfig;
pub mod obstacles;
pub mod output;
pub mod receipt;
pub mod record;
pub mod sealed;
pub mod steps;
pub mod units;
mod yaml;

#[cfg(test)]
mod tests;
