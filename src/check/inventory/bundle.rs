//! Certificates of a verified bundle: public files, and kubeconfigs that an identity opens.

use super::{Collector, Inventory, Place};
use crate::bundle::open::Verified;
use crate::check::certificates::carries_certificates;
use crate::check::{kubeconfig, sealed};
use crate::finding::Finding;
use crate::unseal::Identities;

/// The certificates of a bundle, judged at `at`, seconds since 1970, as
/// [`validity`](super::validity) does.
///
/// With `identities`, sealed files other than the keys of certificates are opened, and those that
/// are kubeconfigs are read. The second value is how many opened; what did not because it is sealed
/// to others is the third, for the caller to judge: a directory has bundles of many hosts.
pub fn of_bundle(
    verified: &Verified,
    identities: Option<&Identities>,
    at: i64,
    within: Option<u64>,
) -> (Inventory, usize, Option<Finding>) {
    let prefix = format!("{}:", verified.name());
    let mut collector = Collector::new(&prefix);
    for file in verified.manifest().files.iter().filter(|file| !file.sealed) {
        let contents = verified.contents(&file.path).unwrap_or_default();
        if carries_certificates(contents) {
            collector.pem(contents, &Place::file(&file.path));
        } else if kubeconfig::looks_like(contents) {
            // files that only the bundle has cannot be followed
            collector.whatever(contents, &file.path);
        }
    }
    let open = |identities| sealed::open_some(verified, identities, |file| file.certificate.is_none());
    let sealed = identities.map(open).unwrap_or_default();
    for (file, plaintext) in &sealed.plaintexts {
        collector.whatever(plaintext, &file.path);
    }
    collector.findings.extend(sealed.broken);
    let unmatched = sealed.unmatched.into_iter().next();
    (collector.finish(at, within), sealed.plaintexts.len(), unmatched)
}

impl Collector<'_> {
    /// Takes what is a kubeconfig, of a file that may be anything. What the files that it names hold
    /// is another matter.
    fn whatever(&mut self, text: &[u8], path: &str) -> Vec<String> {
        match kubeconfig::read(text) {
            Ok(Some(kubeconfig)) if kubeconfig::looks_like(text) => self.kubeconfig(kubeconfig, path),
            _ => Vec::new(),
        }
    }
}
