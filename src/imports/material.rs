//! What `derive` makes certificates of brought authorities with.

use super::Issued;
use super::chain::Chain;
use crate::plan::brought::Version;
use crate::private_key::PrivateKey;
use crate::spec::types::CaName;
use std::collections::BTreeMap;

/// Authorities that were made elsewhere, and what external ones signed.
#[derive(Debug, Default)]
pub struct Material {
    pub(super) authorities: BTreeMap<(CaName, Version), Issuer>,
    pub(super) issued: BTreeMap<(String, String), Issued>,
}

impl Material {
    /// An authority.
    pub fn authority(&self, ca: CaName, version: Version) -> Option<&Issuer> {
        self.authorities.get(&(ca, version))
    }

    /// A certificate that an external authority signed, in PEM, by host and by the table's id.
    pub fn issued(&self, host: &str, id: &str) -> Option<&str> {
        self.issued.get(&(host.to_owned(), id.to_owned())).map(Issued::pem)
    }
}

/// One authority that was made elsewhere.
#[derive(Debug)]
pub struct Issuer {
    /// Its certificate in PEM, alone: what is trusted.
    pub pem: String,
    /// What stands behind its leaves in PEM, so that who knows the root alone accepts them: itself and
    /// what is above it, without the root. Empty when it is the root.
    pub chain: String,
    /// DER of its subject: its leaves' issuer, byte by byte.
    pub subject: Vec<u8>,
    /// DER of its `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    /// Its subject key identifier, where it has one.
    pub key_identifier: Option<Vec<u8>>,
    /// Its key; none of an external one, and while it is encrypted.
    pub key: Option<PrivateKey>,
}

impl Issuer {
    pub(super) fn new(chain: &Chain) -> Self {
        Self {
            pem: chain.trusted_pem().to_owned(),
            chain: chain.served_pem(),
            subject: chain.subject.clone(),
            spki: chain.spki.clone(),
            key_identifier: chain.key_identifier.clone(),
            key: None,
        }
    }
}
