//! What can be said of a verified bundle without a host: its times and, for those who can open
//! them, its secrets.

use crate::bundle::open::Verified;
use crate::check::{certificates, contents, fields, sealed};
use crate::finding::Finding;
use crate::unseal::Identities;

/// Checks a bundle whose signature and digests hold.
///
/// `at` is the time in seconds since 1970; `within`, in seconds, also finds what ends that soon.
/// With `identities` every sealed file is opened and compared with its keyed digest, and keys with
/// their certificates.
pub fn verify_bundle(
    verified: &Verified,
    at: i64,
    within: Option<u64>,
    identities: Option<&Identities>,
) -> Vec<Finding> {
    let mut findings = verify_times(verified, at, within);
    findings.extend(fields::of_bundle(verified));
    findings.extend(contents::of_bundle(verified));
    if let Some(identities) = identities {
        let sealed = sealed::open(verified, identities);
        findings.extend(sealed.check(verified));
        findings.extend(contents::of_sealed(verified, &sealed));
        findings.extend(sealed.broken);
        findings.extend(sealed.unmatched);
    }
    findings
}

/// The validity of the bundle and of each certificate file in it; parameters as in
/// [`verify_bundle`].
pub fn verify_times(verified: &Verified, at: i64, within: Option<u64>) -> Vec<Finding> {
    let bundle = certificates::bundle_validity(verified.valid_until(), verified.name(), at, within);
    let mut findings: Vec<_> = bundle.into_iter().collect();
    for file in verified.manifest().files.iter().filter(|file| !file.sealed) {
        let contents = verified.contents(&file.path).unwrap_or_default();
        if certificates::carries_certificates(contents) {
            findings.extend(certificates::inspect(contents, &verified.place(&file.path), at, within));
        }
    }
    findings
}
