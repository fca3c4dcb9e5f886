//! The public half of the material: all that templates may ever see of it.

use std::collections::BTreeMap;

/// Certificates of one host, in PEM.
#[derive(Clone, Debug, Default)]
pub struct Public {
    certificates: BTreeMap<String, String>,
}

impl Public {
    /// Adds the certificate at a host path.
    pub(super) fn insert(&mut self, path: String, pem: String) {
        self.certificates.insert(path, pem);
    }

    /// The certificate at a host path.
    pub fn certificate(&self, path: &str) -> Option<&str> {
        self.certificates.get(path).map(String::as_str)
    }
}
