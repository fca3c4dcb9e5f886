//! What a plan needs to know of certificates that were made elsewhere: facts, no cryptography.

use super::objects::Manifest;
use crate::spec::types::CaName;
use serde::Serialize;
use std::collections::BTreeMap;

/// One certificate that was made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Brought {
    /// SHA-256, lower-case hex, of the DER certificate and of all that stand behind it in its file.
    pub sha256: String,
    /// The same of the certificate alone.
    pub alone_sha256: String,
    /// SHA-256, lower-case hex, over its subject and its `SubjectPublicKeyInfo`, both in DER: whom it
    /// stands for. A renewal with the same key is the same authority.
    pub identity_sha256: String,
    /// Its subject, for people.
    pub subject: String,
    /// Its key's algorithm, for people, such as `RSA 4096`.
    pub algorithm: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970; of a chain, the earliest.
    pub not_after: i64,
    /// Whether an authority's key stays elsewhere too.
    pub external: bool,
}

/// Which of two versions of an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The one that the spec describes.
    Current,
    /// The one that its rotation replaces.
    Previous,
}

/// Everything that was made elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Authorities.
    pub authorities: BTreeMap<(CaName, Version), Brought>,
    /// Leaf certificates by host and by the table's id.
    pub issued: BTreeMap<(String, String), Brought>,
    /// Manifests for the operators, in the spec's order.
    pub manifests: Vec<Manifest>,
}

impl Facts {
    pub(super) fn authority(&self, ca: CaName, version: Version) -> Option<&Brought> {
        self.authorities.get(&(ca, version))
    }

    pub(super) fn issued(&self, host: &str, id: &str) -> Option<&Brought> {
        self.issued.get(&(host.to_owned(), id.to_owned()))
    }
}
