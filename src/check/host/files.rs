//! Every file of the manifest: there, of the right type, mode, owner and contents; certificates
//! valid; private keys those of their certificates.

use super::look::{Contents, Seen, look};
use super::{Options, rights};
use crate::bundle::block;
use crate::bundle::manifest::{File, Manifest, Policy};
use crate::bundle::paths::parse_mode;
use crate::bundle::sums::sha256_hex;
use crate::check::certificates::{PRIVATE_KEY, carries_certificates, inspect, key_matches};
use crate::check::obstacles::{self, REINSTALL};
use crate::check::{contents, fields, record};
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Root, WalkError};
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// The way out when an initial file differs.
const DIFFERS: &str = "find out who changed it; move it out of the way, then run `sealift install` again with this host's bundle";
/// The way out when mode or owner of another program's file differ: install leaves it alone.
const FOREIGN: &str = "set it with chmod or chown, and see which program writes it so";
/// The way out when fields of another program's file differ.
const FOREIGN_DIFFERS: &str = "find out who changed it; then let its program write it again: of kubeadm's, \
     `kubeadm upgrade node phase kubelet-config` or `control-plane`, with --patches /etc/kubernetes/patches";

/// No larger key or certificate is held for comparison with others: 1 MiB, several times what distributions
/// have as all authorities of the world.
const MAX_KEPT: usize = 1 << 20;

/// SHA-256, in lower-case hex, of the plaintext of each file that holds what it should.
pub(super) type Digests = BTreeMap<String, String>;

/// The contents of files, by path.
pub(super) type Kept<'a> = BTreeMap<&'a str, Zeroizing<Vec<u8>>>;

/// The most bytes of other files than keys and certificates that are held, so that who parses them later
/// need not open them again.
const MOST_KEPT: usize = 16 << 20;

/// Checks all files; what else reads them, reads what was read here.
pub(super) fn check<'a>(
    root: &'a Root,
    manifest: &'a Manifest,
    options: &'a Options<'a>,
    findings: &mut Vec<Finding>,
) -> (Digests, Kept<'a>) {
    let (key, mut key_file) = verify_key(root, manifest, findings);
    let certificates = manifest.files.iter().filter_map(|file| file.certificate.as_deref()).collect();
    let mut check = Check {
        root,
        key,
        options,
        certificates,
        kept: Kept::new(),
        room: MOST_KEPT,
        rewritten: Vec::new(),
        digests: Digests::new(),
    };
    for file in &manifest.files {
        let seen = match key_file.take_if(|_| file.path == VERIFY_KEY_PATH) {
            Some(seen) => seen,
            None => look_again(root, file, check.key.is_none()),
        };
        check.file(file, seen, findings);
    }
    for (file, bytes) in std::mem::take(&mut check.rewritten) {
        findings.extend(check.fields(file, &bytes));
        check.keep(file, bytes, findings);
    }
    check.pairs(manifest, findings);
    check.uses(manifest, findings);
    (check.digests, check.kept)
}

/// A file that another one replaced while it was read: the one that is there now, once. That is how programs
/// write; one that is written in its place is told.
fn look_again(root: &Root, file: &File, no_key: bool) -> Result<Seen, WalkError> {
    let seen = look(root, file, no_key)?;
    let replaced = matches!(seen.contents, Err(WalkError::Changed { .. }))
        && root.metadata(&file.path).is_ok_and(|now| now.identity != seen.metadata.identity);
    if replaced { look(root, file, no_key) } else { Ok(seen) }
}

/// The host's verify key, if it is what the manifest says, and its file as it was found.
fn verify_key(
    root: &Root,
    manifest: &Manifest,
    findings: &mut Vec<Finding>,
) -> (Option<VerifyKey>, Option<Result<Seen, WalkError>>) {
    let is_key = |file: &&File| file.path == VERIFY_KEY_PATH && file.policy == Policy::Managed;
    let Some(file) = manifest.files.iter().find(is_key) else {
        if manifest.files.iter().any(|file| file.sealed) {
            let finding = Finding::new(Id::ManifestInconsistent, VERIFY_KEY_PATH, "build the bundle again");
            findings.push(finding.expected("a file of the manifest, for the digests of sealed files"));
        }
        return (None, None);
    };
    let seen = look_again(root, file, false);
    let key = match &seen {
        Ok(Seen { contents: Ok(Contents::Whole(bytes)), .. }) => VerifyKey::parse(bytes)
            .filter(|key| file.hmac.as_deref().is_some_and(|hmac| key.matches(&file.path, bytes, hmac))),
        _ => None,
    };
    (key, Some(seen))
}

struct Check<'a> {
    root: &'a Root,
    key: Option<VerifyKey>,
    options: &'a Options<'a>,
    certificates: BTreeSet<&'a str>,
    /// Keys and certificates, and what else there is room for.
    kept: Kept<'a>,
    room: usize,
    /// Files that have fields: these are judged when all that they name was read.
    rewritten: Vec<(&'a File, Zeroizing<Vec<u8>>)>,
    digests: Digests,
}

impl<'a> Check<'a> {
    fn file(&mut self, file: &'a File, seen: Result<Seen, WalkError>, findings: &mut Vec<Finding>) {
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                let may_be_absent = matches!(file.policy, Policy::Bootstrap | Policy::Foreign);
                match error {
                    WalkError::NotFound { .. } if may_be_absent => {}
                    WalkError::NotFound { .. } => {
                        findings.push(Finding::new(Id::FileMissing, file.path.as_str(), REINSTALL));
                    }
                    error => findings.push(obstacles::finding(&error)),
                }
                return;
            }
        };
        if file.policy == Policy::Block {
            findings.extend(block(file, seen.contents));
            return;
        }
        let Some(mode) = parse_mode(&file.mode) else {
            let finding =
                Finding::new(Id::ManifestInconsistent, file.path.as_str(), "build the bundle again");
            findings.push(
                finding.expected("a mode of four octal digits").found(file.mode.escape_debug().to_string()),
            );
            return;
        };
        // another program writes it under its administrator's umask: fewer bits are no finding
        let own = seen.metadata.mode & 0o7777;
        let narrower = file.policy == Policy::Foreign && own & !mode == 0;
        let attributes = Attributes::on(self.root, if narrower { own } else { mode }, file.uid, file.gid);
        let of_attributes = obstacles::attributes(&file.path, attributes, &seen.metadata);
        findings.extend(of_attributes.into_iter().map(|finding| match file.policy {
            Policy::Foreign => Finding { mend: FOREIGN.to_owned(), ..finding },
            _ => finding,
        }));
        findings.extend(rights::of_file(file, mode, &seen));
        match seen.contents {
            Ok(Contents::Whole(bytes)) if file.fields.is_some() => {
                self.rewritten.push((file, bytes));
            }
            Ok(Contents::Whole(bytes)) => {
                let digest = sha256_hex(&bytes);
                self.digest(file, &digest, Some(&bytes), findings);
                self.keep(file, bytes, findings);
            }
            Ok(Contents::Digest(digest)) => self.digest(file, &digest, None, findings),
            Ok(Contents::OtherSize) => {
                let finding = Finding::new(Id::DigestMismatch, file.path.as_str(), REINSTALL);
                let found = format!("{} bytes", seen.metadata.size);
                findings.push(finding.expected(format!("{} bytes", file.size)).found(found));
            }
            Ok(Contents::Skipped) => {}
            Err(WalkError::TooLarge { .. }) if file.fields.is_some() => {
                findings.extend(differs(file, fields::too_large()));
            }
            Err(error) => findings.push(obstacles::finding(&error)),
        }
    }

    /// The fields of a file that do not hold.
    fn fields(&self, file: &File, bytes: &[u8]) -> Vec<Finding> {
        let Some(wanted) = &file.fields else { return Vec::new() };
        if let Some(unknown) = fields::unknown(wanted) {
            let mend = "verify with the sealift version that built this bundle";
            let finding = Finding::new(Id::ManifestMalformed, record::MANIFEST, mend);
            return vec![finding.expected("fields that this sealift checks").found(unknown)];
        }
        let named = |path: &str, link| match self.kept.get(path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => fields::on_host(self.root, path, link),
        };
        differs(file, fields::differences(wanted, bytes, &named))
    }

    /// Compares contents with the manifest: secrets by keyed digest, all else by SHA-256.
    fn digest(&mut self, file: &File, sha256: &str, bytes: Option<&[u8]>, findings: &mut Vec<Finding>) {
        let (expected, found) = if file.sealed {
            let expected = file.hmac.clone().unwrap_or_default();
            match self.key.as_ref().zip(bytes) {
                Some((key, bytes)) if key.matches(&file.path, bytes, &expected) => (None, None),
                Some((key, bytes)) => (Some(expected), Some(key.digest(&file.path, bytes))),
                None => (Some(expected), None),
            }
        } else if file.sha256 == sha256 {
            (None, None)
        } else {
            (Some(file.sha256.clone()), Some(sha256.to_owned()))
        };
        let Some(expected) = expected else {
            self.digests.insert(file.path.clone(), sha256.to_owned());
            return;
        };
        let kind = if file.sealed { "hmac-sha256" } else { "sha256" };
        let found = found.map_or_else(|| "another key".to_owned(), |found| format!("{kind}:{found}"));
        let finding = Finding::new(Id::DigestMismatch, file.path.as_str(), REINSTALL);
        findings.push(finding.expected(format!("{kind}:{expected}")).found(found));
    }

    fn keep(&mut self, file: &'a File, bytes: Zeroizing<Vec<u8>>, findings: &mut Vec<Finding>) {
        let paired = self.certificates.contains(file.path.as_str());
        let certificates = paired || (!file.sealed && carries_certificates(&bytes));
        if certificates {
            findings.extend(inspect(&bytes, &file.path, self.options.at, self.options.within));
        }
        if certificates || file.certificate.is_some() {
            if bytes.len() <= MAX_KEPT {
                self.kept.insert(&file.path, bytes);
            }
        } else if let Some(room) = self.room.checked_sub(bytes.len()) {
            self.room = room;
            self.kept.insert(&file.path, bytes);
        }
    }

    /// Certificates against what their files are for; of changed ones that is told already.
    fn uses(&self, manifest: &Manifest, findings: &mut Vec<Finding>) {
        let same = |path: &&str| self.digests.contains_key(*path);
        let kept = |path: &str| Some(path).filter(same).and_then(|path| self.kept.get(path));
        let contents = |path: &str| kept(path).map(|bytes| bytes.as_slice());
        findings.extend(contents::of_host(manifest, &contents, "build again, and install that"));
    }

    fn pairs(&self, manifest: &Manifest, findings: &mut Vec<Finding>) {
        for file in &manifest.files {
            let Some(certificate) = file.certificate.as_deref() else { continue };
            let (Some(cert), Some(key)) = (self.kept.get(certificate), self.kept.get(file.path.as_str()))
            else {
                continue;
            };
            findings.extend(pair(&file.path, certificate, cert, key));
        }
    }
}

/// Fields that do not hold: install repairs what it placed, and leaves another program's file alone.
fn differs(file: &File, differences: Vec<fields::Difference>) -> Vec<Finding> {
    let (id, mend) = match file.policy {
        Policy::Foreign => (Id::ForeignDiffers, FOREIGN_DIFFERS),
        _ => (Id::InitialDiffers, DIFFERS),
    };
    fields::findings(id, &file.path, differences, mend)
}

/// A block against the manifest. Mode, owner and all around it are the file's own.
fn block(file: &File, contents: Result<Contents, WalkError>) -> Option<Finding> {
    let path = file.path.as_str();
    let bytes = match contents {
        Ok(Contents::Whole(bytes)) => bytes,
        // never so of a block, which is read whole
        Ok(Contents::Digest(_) | Contents::OtherSize | Contents::Skipped) => return None,
        Err(WalkError::TooLarge { .. }) => return Some(obstacles::damaged_block(path, "more bytes")),
        Err(error) => return Some(obstacles::finding(&error)),
    };
    let lines = match block::cut(&bytes) {
        Ok(cut) => cut.block,
        Err(damage) => return Some(obstacles::damaged_block(path, damage.to_string())),
    };
    if lines.is_empty() {
        return Some(Finding::new(Id::BlockMissing, path, REINSTALL));
    }
    let found = sha256_hex(lines);
    (found != file.sha256).then(|| {
        Finding::new(Id::BlockDiffers, path, REINSTALL)
            .expected(format!("sha256:{}", file.sha256))
            .found(format!("sha256:{found}"))
    })
}

/// A private key against its certificate; damage of the certificate itself is reported elsewhere.
fn pair(path: &str, certificate: &str, cert_pem: &[u8], key_pem: &[u8]) -> Option<Finding> {
    match key_matches(cert_pem, key_pem) {
        Ok(true) | Err(Id::CertificateMalformed) => None,
        Ok(false) => Some(
            Finding::new(Id::KeyCertMismatch, path, REINSTALL)
                .expected(format!("the private key of {certificate}"))
                .found("the key of another certificate"),
        ),
        Err(id) => Some(Finding::new(id, path, REINSTALL).expected(PRIVATE_KEY)),
    }
}
