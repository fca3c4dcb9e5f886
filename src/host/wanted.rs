//! Every file as it shall be: opened, checked, with its place in the order.

use crate::bundle::manifest::{File, Manifest, Policy};
use crate::bundle::open::Verified;
use crate::bundle::paths::parse_mode;
use crate::bundle::{canonical, sums};
use crate::check::certificates::{CERTIFICATE, PRIVATE_KEY, key_matches};
use crate::check::fields;
use crate::check::record::{self, Installed};
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Root};
use crate::unseal::{Identities, UnsealError};
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const ANOTHER_BUNDLE: &str = "fetch this host's bundle again, or build it again";

/// When a file takes its place; within one phase the manifest's order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Certificates, keys and all else that others read when they start.
    First,
    /// In owned directories without secrets, where something may react as soon as a file appears:
    /// by then the keys that it names are in place.
    Watched,
    /// Sealift's lists, after what they list.
    Lists,
    /// The record.
    Record,
    /// `installed.json`: the install is complete.
    Complete,
}

/// A file's bytes, which wipe themselves when they are secret.
pub(super) enum Contents<'a> {
    Public(&'a [u8]),
    Secret(Zeroizing<Vec<u8>>),
}

impl Contents<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Public(bytes) => bytes,
            Self::Secret(bytes) => bytes,
        }
    }
}

/// A file as it shall be.
pub(super) struct Wanted<'a> {
    pub(super) path: &'a str,
    pub(super) contents: Contents<'a>,
    pub(super) attributes: Attributes,
    pub(super) phase: Phase,
    /// The contents are the host's own, which a component wrote; they stay.
    pub(super) kept: bool,
}

/// Opens and checks everything in a bundle; without findings, the files are all that the host shall
/// hold, sealift's own included.
pub(super) fn files<'a>(
    root: &Root,
    bundle: &'a Verified,
    identities: &Identities,
    trust_text: Option<&'a [u8]>,
) -> (Vec<Wanted<'a>>, Vec<Finding>) {
    let manifest = bundle.manifest();
    let (plain, mut findings) = open(bundle, identities);
    if findings.is_empty() {
        findings.extend(authenticity(bundle, &plain));
        findings.extend(pairs(bundle, &plain));
        let fields = |(file, contents): &(&File, Contents<'_>)| {
            fields::in_bundle(bundle, file, contents.bytes(), ANOTHER_BUNDLE)
        };
        findings.extend(plain.iter().flat_map(fields));
    }
    if !findings.is_empty() {
        return (Vec::new(), findings);
    }
    let list = host_sums(manifest, &plain);
    let mut wanted = Vec::new();
    for (file, contents) in plain {
        let Some(mode) = parse_mode(&file.mode).filter(|_| file.uid != u32::MAX && file.gid != u32::MAX)
        else {
            let finding =
                Finding::new(Id::ManifestInconsistent, file.path.as_str(), "build the bundle again");
            findings.push(finding.expected("a mode of four octal digits and a numeric owner"));
            continue;
        };
        wanted.push(Wanted {
            path: &file.path,
            contents,
            attributes: Attributes::on(root, mode, file.uid, file.gid),
            phase: if is_watched(manifest, &file.path) { Phase::Watched } else { Phase::First },
            kept: false,
        });
    }
    let own = |path, contents, mode, phase| {
        let attributes = Attributes::on(root, mode, 0, 0);
        Wanted { path, contents, attributes, phase, kept: false }
    };
    wanted.push(own(record::HOST_SUMS, list, record::FILE_MODE, Phase::Lists));
    if let Some(text) = trust_text {
        wanted.push(own(record::TRUST, Contents::Public(text), record::TRUST_MODE, Phase::Lists));
    }
    let remembered = [
        (record::MANIFEST, bundle.manifest_bytes()),
        (record::SUMS, bundle.sums()),
        (record::SIGNATURE, bundle.signature()),
    ];
    for (path, bytes) in remembered {
        wanted.push(own(path, Contents::Public(bytes), record::FILE_MODE, Phase::Record));
    }
    match canonical::to_bytes(&Installed::of(bundle)) {
        Ok(bytes) => {
            let bytes = Contents::Secret(Zeroizing::new(bytes));
            wanted.push(own(record::INSTALLED, bytes, record::FILE_MODE, Phase::Complete));
        }
        Err(error) => findings.push(
            Finding::new(Id::ManifestInconsistent, record::INSTALLED, "build the bundle again")
                .found(error.to_string()),
        ),
    }
    // Stable: keeps the manifest's order within a phase.
    wanted.sort_by_key(|file| file.phase);
    (wanted, findings)
}

fn is_watched(manifest: &Manifest, path: &str) -> bool {
    let inside =
        |path: &str, directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    let holds_secrets =
        |directory: &str| manifest.files.iter().any(|file| file.sealed && inside(&file.path, directory));
    let mut owned = manifest.directories.iter().filter(|directory| directory.owned);
    owned.any(|directory| inside(path, &directory.path) && !holds_secrets(&directory.path))
}

type Plain<'a> = Vec<(&'a File, Contents<'a>)>;

/// A path in this bundle, as findings name it.
fn place(bundle: &Verified, path: &str) -> String {
    format!("{}:{path}", bundle.name())
}

/// Opens every sealed file. That no identity fits is told once, however many files it is true of.
fn open<'a>(bundle: &'a Verified, identities: &Identities) -> (Plain<'a>, Vec<Finding>) {
    let (mut plain, mut findings) = (Vec::new(), Vec::new());
    let (mut sealed, mut closed) = (0, 0);
    for file in bundle.manifest().files.iter().filter(|file| file.policy != Policy::Foreign) {
        let Some(bytes) = bundle.contents(&file.path) else {
            findings.push(Finding::new(Id::EntryMissing, place(bundle, &file.path), ANOTHER_BUNDLE));
            continue;
        };
        if !file.sealed {
            plain.push((file, Contents::Public(bytes)));
            continue;
        }
        sealed += 1;
        match identities.open(bytes) {
            Ok(bytes) => plain.push((file, Contents::Secret(bytes))),
            Err(UnsealError::NoMatch) => closed += 1,
            Err(error) => findings.push(
                Finding::new(Id::SealBroken, place(bundle, &file.path), ANOTHER_BUNDLE)
                    .found(error.to_string()),
            ),
        }
    }
    if closed > 0 {
        let mend = "give this host's age or SSH host key with -i, or build with its recipient in the spec";
        findings.push(
            Finding::new(Id::NotSealedToIdentity, bundle.name(), mend)
                .expected("an identity that opens every sealed file")
                .found(format!("none for {closed} of {sealed} sealed files")),
        );
    }
    (plain, findings)
}

fn find<'p>(plain: &'p Plain<'_>, path: &str) -> Option<&'p [u8]> {
    plain.iter().find(|(file, _)| file.path == path).map(|(_, contents)| contents.bytes())
}

/// Every secret against the manifest's keyed digest.
fn authenticity(bundle: &Verified, plain: &Plain<'_>) -> Vec<Finding> {
    if !bundle.manifest().files.iter().any(|file| file.sealed) {
        return Vec::new();
    }
    let path = place(bundle, VERIFY_KEY_PATH);
    let managed = bundle.file(VERIFY_KEY_PATH).filter(|file| file.policy == Policy::Managed);
    let Some(file) = managed.and_then(|_| find(plain, VERIFY_KEY_PATH)) else {
        let finding = Finding::new(Id::ManifestInconsistent, path, ANOTHER_BUNDLE);
        return vec![finding.expected("a verify key, for the digests of sealed files")];
    };
    let Some(key) = VerifyKey::parse(file) else {
        let finding = Finding::new(Id::KeyMalformed, path, ANOTHER_BUNDLE);
        return vec![finding.expected("64 lower-case hex digits and a newline")];
    };
    let sealed = plain.iter().filter(|(file, _)| file.sealed);
    let wrong = sealed.filter(|(file, contents)| {
        !file.hmac.as_deref().is_some_and(|hmac| key.matches(&file.path, contents.bytes(), hmac))
    });
    wrong
        .map(|(file, contents)| {
            Finding::new(Id::DigestMismatch, place(bundle, &file.path), ANOTHER_BUNDLE)
                .expected(format!("hmac-sha256:{}", file.hmac.as_deref().unwrap_or("none")))
                .found(format!("hmac-sha256:{}", key.digest(&file.path, contents.bytes())))
        })
        .collect()
}

/// Every private key against its certificate.
fn pairs(bundle: &Verified, plain: &Plain<'_>) -> Vec<Finding> {
    let contents: BTreeMap<&str, &[u8]> =
        plain.iter().map(|(file, contents)| (file.path.as_str(), contents.bytes())).collect();
    let keys = bundle.manifest().files.iter().filter_map(|file| Some((file, file.certificate.as_deref()?)));
    keys.filter_map(|(file, certificate)| {
        let entry = place(bundle, &file.path);
        let Some(cert) = contents.get(certificate) else {
            let finding = Finding::new(Id::ManifestInconsistent, entry, ANOTHER_BUNDLE);
            return Some(finding.expected(format!("its certificate {certificate} in the bundle")));
        };
        match key_matches(cert, contents.get(file.path.as_str())?) {
            Ok(true) => None,
            Ok(false) => Some(
                Finding::new(Id::KeyCertMismatch, entry, ANOTHER_BUNDLE)
                    .expected(format!("the private key of {certificate}"))
                    .found("the key of another certificate"),
            ),
            Err(Id::CertificateMalformed) => {
                let entry = place(bundle, certificate);
                let finding = Finding::new(Id::CertificateMalformed, entry, ANOTHER_BUNDLE);
                Some(finding.expected(CERTIFICATE))
            }
            Err(id) => Some(Finding::new(id, entry, ANOTHER_BUNDLE).expected(PRIVATE_KEY)),
        }
    })
    .collect()
}

/// The list for `sha256sum -c --strict`. It holds digests of secrets, so it is one.
fn host_sums<'a>(manifest: &Manifest, plain: &Plain<'_>) -> Contents<'a> {
    let managed = manifest.files.iter().filter(|file| file.policy == Policy::Managed);
    let lines = managed.filter_map(|file| {
        let digest = sums::sha256_hex(find(plain, &file.path)?);
        Some(record::host_sums_line(file, &digest) + "\n")
    });
    Contents::Secret(Zeroizing::new(lines.collect::<String>().into_bytes()))
}
