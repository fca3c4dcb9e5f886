//! What can be said of a verified bundle without a host: its times and, for those who can open
//! them, its secrets.

use crate::bundle::manifest::{File, Policy};
use crate::bundle::open::Verified;
use crate::check::{certificates, fields};
use crate::finding::{Finding, Id};
use crate::unseal::{Identities, UnsealError};
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use zeroize::Zeroizing;

const REBUILD: &str = "rebuild the bundle with sealift";

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
    findings.extend(verify_fields(verified));
    if let Some(identities) = identities {
        let Sealed { findings: sealed, unmatched, .. } = verify_sealed(verified, identities);
        findings.extend(sealed);
        findings.extend(unmatched);
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
            findings.extend(certificates::inspect(contents, &place(verified, &file.path), at, within));
        }
    }
    findings
}

/// The fields of every initial file that is not sealed against its own contents, and that this
/// sealift knows those of all.
pub fn verify_fields(verified: &Verified) -> Vec<Finding> {
    let initial = verified.manifest().files.iter().filter(|file| file.policy == Policy::Initial);
    let check = |file: &File| {
        if file.sealed {
            return fields::unknown_in_bundle(verified, file).into_iter().collect();
        }
        fields::in_bundle(verified, file, verified.contents(&file.path).unwrap_or_default(), REBUILD)
    };
    initial.flat_map(check).collect()
}

/// What opening a bundle's sealed files showed.
#[derive(Debug, Default)]
pub struct Sealed {
    /// How many files opened.
    pub opened: usize,
    /// Files that are sealed to none of the identities.
    pub unmatched: Vec<Finding>,
    /// Everything else.
    pub findings: Vec<Finding>,
}

/// Opens every sealed file, one after the other.
pub fn verify_sealed(verified: &Verified, identities: &Identities) -> Sealed {
    let mut sealed = Sealed::default();
    let files: Vec<_> = verified.manifest().files.iter().filter(|file| file.sealed).collect();
    if files.is_empty() {
        return sealed;
    }
    let verify_key = verify_key(verified, identities, &mut sealed.findings);
    for file in files {
        match identities.open(verified.contents(&file.path).unwrap_or_default()) {
            Ok(plaintext) => {
                sealed.opened += 1;
                sealed.findings.extend(digest(verified, file, &plaintext, verify_key.as_ref()));
                sealed.findings.extend(key_and_certificate(verified, file, &plaintext));
                if fields::unknown_in_bundle(verified, file).is_none() {
                    sealed.findings.extend(fields::in_bundle(verified, file, &plaintext, REBUILD));
                }
            }
            Err(UnsealError::NoMatch) => {
                let mend = "give the identity of this bundle's host with -i";
                let path = place(verified, &file.path);
                sealed.unmatched.push(Finding::new(Id::NotSealedToIdentity, path, mend));
            }
            Err(error) => {
                sealed.findings.push(seal_broken(verified, &file.path, &error));
            }
        }
    }
    sealed
}

/// A sealed file that does not open, though it is sealed to one of the identities.
pub(super) fn seal_broken(verified: &Verified, path: &str, error: &UnsealError) -> Finding {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    let found = format!("{error}{}", cause.unwrap_or_default());
    Finding::new(Id::SealBroken, place(verified, path), REBUILD).found(found)
}

/// The host's key for digests; when it cannot be opened, the file's own finding says so.
fn verify_key(
    verified: &Verified,
    identities: &Identities,
    findings: &mut Vec<Finding>,
) -> Option<VerifyKey> {
    let path = place(verified, VERIFY_KEY_PATH);
    let is_key = |file: &File| file.sealed && file.policy == Policy::Managed;
    if !verified.file(VERIFY_KEY_PATH).is_some_and(is_key) {
        let found = "sealed files but no sealed verify key";
        findings.push(Finding::new(Id::ManifestInconsistent, path, REBUILD).found(found));
        return None;
    }
    let file = identities.open(verified.contents(VERIFY_KEY_PATH)?).ok()?;
    let key = VerifyKey::parse(&file);
    if key.is_none() {
        let expected = "64 lower-case hex digits and a newline";
        findings.push(Finding::new(Id::KeyMalformed, path, REBUILD).expected(expected));
    }
    key
}

fn digest(
    verified: &Verified,
    file: &File,
    plaintext: &Zeroizing<Vec<u8>>,
    key: Option<&VerifyKey>,
) -> Option<Finding> {
    let expected = file.hmac.as_deref().unwrap_or_default();
    if key?.matches(&file.path, plaintext, expected) {
        return None;
    }
    let finding = Finding::new(Id::DigestMismatch, place(verified, &file.path), REBUILD);
    Some(finding.expected(format!("keyed digest {expected}")))
}

fn key_and_certificate(verified: &Verified, file: &File, plaintext: &Zeroizing<Vec<u8>>) -> Option<Finding> {
    let certificate = file.certificate.as_deref()?;
    let id = match certificates::key_matches(verified.contents(certificate).unwrap_or_default(), plaintext) {
        Ok(true) => return None,
        Ok(false) => Id::KeyCertMismatch,
        Err(id) => id,
    };
    let finding = Finding::new(id, place(verified, &file.path), REBUILD);
    Some(finding.expected(format!("the key of {certificate}")))
}

fn place(verified: &Verified, path: &str) -> String {
    format!("{}:{path}", verified.name())
}
