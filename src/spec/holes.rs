//! Where a spec was wrong, so that no rule complains about what is missing for that reason alone.

use super::path::Path;
use std::collections::{BTreeMap, BTreeSet};

/// The paths of values that were reported and left out.
#[derive(Debug, Default)]
pub(crate) struct Holes {
    paths: BTreeSet<String>,
    /// Of lists that lost items: where each item that is left stands in the text.
    kept: BTreeMap<String, Vec<usize>>,
}

impl Holes {
    /// Notes a value that was left out.
    pub(crate) fn insert(&mut self, path: Path) {
        self.paths.insert(path.into());
    }

    /// Notes which items of a list were not left out.
    pub(crate) fn shift(&mut self, list: &Path, kept: Vec<usize>) {
        self.kept.insert(list.as_str().to_owned(), kept);
    }

    /// The path in the text of an item of a list in the spec.
    pub(crate) fn item(&self, list: &Path, index: usize) -> Path {
        let kept = self.kept.get(list.as_str()).and_then(|kept| kept.get(index));
        list.index(kept.copied().unwrap_or(index))
    }

    /// Whether the value at a path itself was left out.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.paths.contains(path.as_str())
    }

    /// Whether something is missing at a path, below it, or all around it.
    pub(crate) fn touch(&self, path: &Path) -> bool {
        let path = path.as_str();
        self.paths.iter().any(|hole| below(hole, path) || below(path, hole))
    }
}

/// Whether `path` is `ancestor` or below it.
fn below(path: &str, ancestor: &str) -> bool {
    ancestor.is_empty()
        || path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
