//! Stub, replaced by the bundle reader.
#![allow(missing_docs)]
use crate::bundle::manifest::Manifest;
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Verified {
    pub(crate) manifest: Manifest,
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: String,
    pub(crate) sums: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) contents: BTreeMap<String, Vec<u8>>,
}

impl Verified {
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    pub fn manifest_bytes(&self) -> &[u8] {
        &self.bytes
    }
    pub fn manifest_sha256(&self) -> &str {
        &self.digest
    }
    pub fn sums(&self) -> &[u8] {
        &self.sums
    }
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
    pub fn contents(&self, host_path: &str) -> Option<&[u8]> {
        self.contents.get(host_path).map(Vec::as_slice)
    }
}
