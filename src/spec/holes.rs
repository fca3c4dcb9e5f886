//! Where a spec was wrong, so that no rule complains about what is missing for that reason alone.

use super::path::Path;
use std::collections::BTreeSet;

/// The paths of values that were reported and left out.
#[derive(Debug, Default)]
pub(crate) struct Holes(BTreeSet<String>);

impl Holes {
    /// Notes a value that was left out.
    pub(crate) fn insert(&mut self, path: Path) {
        self.0.insert(path.into());
    }

    /// Whether the value at a path itself was left out.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.0.contains(path.as_str())
    }

    /// Whether something is missing at a path, below it, or all around it.
    pub(crate) fn touch(&self, path: &Path) -> bool {
        let path = path.as_str();
        self.0.iter().any(|hole| below(hole, path) || below(path, hole))
    }
}

/// Whether `path` is `ancestor` or below it.
fn below(path: &str, ancestor: &str) -> bool {
    ancestor.is_empty()
        || path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
