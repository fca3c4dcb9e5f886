//! Read-only checks of bundles and hosts. Each says what it found as [`crate::finding::Finding`]s.

pub mod bundle;
pub mod certificates;
pub mod output;

#[cfg(test)]
mod tests;
