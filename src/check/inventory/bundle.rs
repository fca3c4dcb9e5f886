//! Certificates of a verified bundle: public files, and kubeconfigs that an identity opens.

use super::{Collector, Inventory, Place};
use crate::bundle::open::Verified;
use crate::check::bundle::seal_broken;
use crate::check::certificates::carries_certificates;
use crate::check::kubeconfig;
use crate::finding::{Finding, Id};
use crate::unseal::{Identities, UnsealError};

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
    let (mut opened, mut unmatched) = (0, None);
    for file in &verified.manifest().files {
        let contents = verified.contents(&file.path).unwrap_or_default();
        if !file.sealed {
            if carries_certificates(contents) {
                collector.pem(contents, &Place::file(&file.path));
            } else if kubeconfig::looks_like(contents) {
                // files that only the bundle has cannot be followed
                collector.whatever(contents, &file.path);
            }
            continue;
        }
        let Some(identities) = identities.filter(|_| file.certificate.is_none()) else { continue };
        match identities.open(contents) {
            Ok(plaintext) => {
                opened += 1;
                collector.whatever(&plaintext, &file.path);
            }
            Err(UnsealError::NoMatch) => {
                let mend = "give the identity of this bundle's host with -i";
                let at = format!("{prefix}{}", file.path);
                unmatched.get_or_insert_with(|| Finding::new(Id::NotSealedToIdentity, at, mend));
            }
            Err(error) => collector.findings.push(seal_broken(verified, &file.path, &error)),
        }
    }
    (collector.finish(at, within), opened, unmatched)
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
