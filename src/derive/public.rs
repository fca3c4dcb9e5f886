//! The public half of the material: all that templates may ever see of it.

use std::collections::BTreeMap;

/// Public files of one host that come from keys: certificates, public keys, hashes of them.
#[derive(Clone, Debug, Default)]
pub struct Public {
    files: BTreeMap<String, String>,
}

impl Public {
    /// Adds the file at a host path.
    pub(super) fn insert(&mut self, path: String, text: String) {
        self.files.insert(path, text);
    }

    /// The file at a host path.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }
}
