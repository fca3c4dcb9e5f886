//! The sealed files of a bundle: opened, and compared with what the bundle says of them.

use crate::bundle::manifest::{File, Policy};
use crate::bundle::open::{REBUILD, Verified};
use crate::check::certificates::{CERTIFICATE, PRIVATE_KEY, key_matches};
use crate::check::fields;
use crate::finding::{Finding, Id};
use crate::unseal::{Identities, UnsealError};
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use zeroize::Zeroizing;

/// What opening a bundle's sealed files showed.
#[derive(Default)]
pub struct Sealed<'a> {
    /// The files that opened, in the manifest's order.
    pub plaintexts: Vec<(&'a File, Zeroizing<Vec<u8>>)>,
    /// Those that are sealed to none of the identities.
    pub unmatched: Vec<Finding>,
    /// Those that are damaged.
    pub broken: Vec<Finding>,
}

/// Opens every sealed file.
pub fn open<'a>(bundle: &'a Verified, identities: &Identities) -> Sealed<'a> {
    open_some(bundle, identities, |_| true)
}

/// Opens the sealed files that are wanted.
pub(super) fn open_some<'a>(
    bundle: &'a Verified,
    identities: &Identities,
    wanted: impl Fn(&File) -> bool,
) -> Sealed<'a> {
    let mut sealed = Sealed::default();
    for file in bundle.manifest().files.iter().filter(|file| file.sealed && wanted(file)) {
        let at = bundle.place(&file.path);
        match identities.open(bundle.contents(&file.path).unwrap_or_default()) {
            Ok(plaintext) => sealed.plaintexts.push((file, plaintext)),
            Err(UnsealError::NoMatch) => {
                let mend = "give the identity of this bundle's host with -i";
                sealed.unmatched.push(Finding::new(Id::NotSealedToIdentity, at, mend));
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                let found = format!("{error}{}", cause.unwrap_or_default());
                sealed.broken.push(Finding::new(Id::SealBroken, at, REBUILD).found(found));
            }
        }
    }
    sealed
}

impl Sealed<'_> {
    /// What is wrong with what opened: every secret against the manifest's keyed digest, every private
    /// key against its certificate, every initial file against its own fields.
    pub fn check(&self, bundle: &Verified) -> Vec<Finding> {
        let mut findings = Vec::new();
        let verify_key = self.verify_key(bundle, &mut findings);
        for (file, plaintext) in &self.plaintexts {
            findings.extend(verify_key.as_ref().and_then(|key| digest(bundle, file, plaintext, key)));
            if fields::unknown_in_bundle(bundle, file).is_none() {
                findings.extend(fields::in_bundle(bundle, file, plaintext));
            }
        }
        findings.extend(bundle.manifest().files.iter().filter_map(|file| {
            let key = if file.sealed { self.plaintext(&file.path) } else { bundle.contents(&file.path) };
            key_and_certificate(bundle, file, key?)
        }));
        findings
    }

    fn plaintext(&self, path: &str) -> Option<&[u8]> {
        self.plaintexts.iter().find(|(file, _)| file.path == path).map(|(_, plaintext)| plaintext.as_slice())
    }

    /// The host's key for digests; when it did not open, its own finding says so.
    fn verify_key(&self, bundle: &Verified, findings: &mut Vec<Finding>) -> Option<VerifyKey> {
        if !bundle.manifest().files.iter().any(|file| file.sealed) {
            return None;
        }
        let path = bundle.place(VERIFY_KEY_PATH);
        let is_key = |file: &File| file.sealed && file.policy == Policy::Managed;
        if !bundle.file(VERIFY_KEY_PATH).is_some_and(is_key) {
            let finding = Finding::new(Id::ManifestInconsistent, path, REBUILD);
            findings.push(finding.expected("a sealed verify key, for the digests of sealed files"));
            return None;
        }
        let key = VerifyKey::parse(self.plaintext(VERIFY_KEY_PATH)?);
        if key.is_none() {
            let expected = "64 lower-case hex digits and a newline";
            findings.push(Finding::new(Id::KeyMalformed, path, REBUILD).expected(expected));
        }
        key
    }
}

fn digest(bundle: &Verified, file: &File, plaintext: &[u8], key: &VerifyKey) -> Option<Finding> {
    let expected = file.hmac.as_deref().unwrap_or_default();
    (!key.matches(&file.path, plaintext, expected)).then(|| {
        Finding::new(Id::DigestMismatch, bundle.place(&file.path), REBUILD)
            .expected(format!("hmac-sha256:{expected}"))
            .found(format!("hmac-sha256:{}", key.digest(&file.path, plaintext)))
    })
}

fn key_and_certificate(bundle: &Verified, file: &File, plaintext: &[u8]) -> Option<Finding> {
    let certificate = file.certificate.as_deref()?;
    let finding = |id, path| Finding::new(id, bundle.place(path), REBUILD);
    match key_matches(bundle.contents(certificate).unwrap_or_default(), plaintext) {
        Ok(true) => None,
        Ok(false) => Some(
            finding(Id::KeyCertMismatch, &file.path)
                .expected(format!("the private key of {certificate}"))
                .found("the key of another certificate"),
        ),
        Err(Id::CertificateMalformed) => {
            Some(finding(Id::CertificateMalformed, certificate).expected(CERTIFICATE))
        }
        Err(id) => Some(finding(id, &file.path).expected(PRIVATE_KEY)),
    }
}
