//! The only way from bytes to a bundle that may be used.
//!
//! In this order: decode, judge the signature, compare every digest, read the manifest. Nothing that
//! a later step would say is looked at before the earlier one holds. All findings of one step are
//! reported together.

use crate::bundle::{
    BUNDLE_NAMESPACE, MANIFEST, SIGNATURE, SUMS,
    archive::{self, Archive},
    block, canonical, consistency,
    manifest::{FORMAT, File, Manifest, Policy},
    pack::OWN_MODE,
    paths::{entry_name, is_file_entry, parse_mode},
    sshsig,
    sums::{self, sha256_hex},
    trust::{Signers, Trust, public_key},
};
use crate::finding::{Finding, Id};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How to mend a bundle that contradicts itself.
pub const REBUILD: &str = "rebuild the bundle with sealift";
const COPY: &str = "copy the bundle again from where it was built";
const DISTRUST: &str = "compare the key with the cluster's, by another way than this bundle came; then add its line to the trust file, or give a file that has it with --trust";

/// A bundle whose archive, signature, digests and manifest all hold. Only [`open`] makes one, and
/// its bytes are those that were checked.
#[derive(Debug)]
pub struct Verified {
    name: String,
    archive: Archive,
    manifest: Manifest,
    manifest_sha256: String,
    valid_until: i64,
    key: [u8; 32],
}

impl Verified {
    /// The name that the bundle was opened under, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How findings name a host path of this bundle.
    pub fn place(&self, path: &str) -> String {
        format!("{}:{path}", self.name)
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// `manifest.json` as the bundle holds it.
    pub fn manifest_bytes(&self) -> &[u8] {
        self.entry(MANIFEST)
    }

    /// SHA-256 of `manifest.json`, in lower-case hex.
    pub fn manifest_sha256(&self) -> &str {
        &self.manifest_sha256
    }

    /// `validUntil` of the manifest, in seconds since 1970.
    pub fn valid_until(&self) -> i64 {
        self.valid_until
    }

    /// `SHA256SUMS` as the bundle holds it.
    pub fn sums(&self) -> &[u8] {
        self.entry(SUMS)
    }

    /// `SHA256SUMS.sig` as the bundle holds it.
    pub fn signature(&self) -> &[u8] {
        self.entry(SIGNATURE)
    }

    /// The Ed25519 key that signed.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The manifest's line of a host path.
    pub fn file(&self, path: &str) -> Option<&File> {
        let files = &self.manifest.files;
        files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().and_then(|at| files.get(at))
    }

    /// What the bundle holds for a host path: the file, or its ciphertext when it is sealed. It holds
    /// every file of the manifest but the foreign ones.
    pub fn contents(&self, path: &str) -> Option<&[u8]> {
        let name = entry_name(path, self.file(path)?.sealed);
        self.archive.entry(&name).map(|entry| entry.contents)
    }

    fn entry(&self, name: &str) -> &[u8] {
        self.archive.entry(name).map(|entry| entry.contents).unwrap_or_default()
    }
}

/// Opens a bundle file. `name` stands for it in findings; `at`, in seconds since 1970, is when the
/// signing key must be valid in `trust`.
///
/// Says nothing about whether the bundle or its certificates have expired, or whose host this is.
pub fn open(bytes: &[u8], name: &str, trust: &Trust, at: i64) -> Result<Verified, Vec<Finding>> {
    open_signed(bytes, name, Signers::Trusted(trust, at))
}

/// As [`open`], by whoever is named. What [`Signers::Anyone`] opens is whole and may be compared; no
/// more than that.
pub fn open_signed(bytes: &[u8], name: &str, signers: Signers<'_>) -> Result<Verified, Vec<Finding>> {
    let (archive, mut findings) = archive::read(bytes, name)?;
    findings.extend(own_modes(&archive, name));
    let key = match signer(&archive, name, signers) {
        Ok(key) => key,
        Err(more) => {
            findings.extend(more);
            return Err(findings);
        }
    };
    none(findings)?;
    let digests = digests(&archive, name)?;
    let manifest = read_manifest(&archive, name)?;
    let cluster = manifest.cluster.id.as_str();
    let standing = signers.standing(Some(cluster), BUNDLE_NAMESPACE, &key);
    let (place, wanted) = (format!("{name}:{SIGNATURE}"), format!("a key of cluster {cluster}"));
    none(standing.finding(&place, &wanted, &key, DISTRUST).into_iter().collect())?;
    let mut more = inconsistencies(&manifest, &archive, &digests, name);
    more.extend(locked_out(&manifest, &key, name));
    none(more)?;
    let manifest_sha256 = digests.get(MANIFEST).cloned().unwrap_or_default();
    let valid_until = consistency::unix_time(&manifest.valid_until).unwrap_or_default();
    Ok(Verified { name: name.into(), archive, manifest, manifest_sha256, valid_until, key })
}

fn none(findings: Vec<Finding>) -> Result<(), Vec<Finding>> {
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn own_modes(archive: &Archive, name: &str) -> Vec<Finding> {
    let wrong = |own: &str| archive.entry(own).filter(|entry| entry.mode != OWN_MODE);
    [SUMS, SIGNATURE, MANIFEST]
        .into_iter()
        .filter_map(wrong)
        .map(|entry| mode_finding(name, entry.name, OWN_MODE, entry.mode))
        .collect()
}

fn mode_finding(name: &str, entry: &str, expected: u32, found: u32) -> Finding {
    Finding::new(Id::EntryMode, format!("{name}:{entry}"), REBUILD)
        .expected(format!("{expected:04o}"))
        .found(format!("{found:04o}"))
}

/// The key that signed `SHA256SUMS`, if it is trusted for any cluster.
fn signer(archive: &Archive, name: &str, signers: Signers<'_>) -> Result<[u8; 32], Vec<Finding>> {
    let path = format!("{name}:{SIGNATURE}");
    let (sums, signature) = (archive.entry(SUMS), archive.entry(SIGNATURE));
    let (Some(sums), Some(signature)) = (sums, signature) else {
        let no_sums = sums.is_none().then(|| Finding::new(Id::EntryMissing, format!("{name}:{SUMS}"), COPY));
        let no_signature = signature.is_none().then(|| Finding::new(Id::SignatureMissing, path, COPY));
        return Err(no_sums.into_iter().chain(no_signature).collect());
    };
    let key = sshsig::verify(signature.contents, BUNDLE_NAMESPACE, sums.contents)
        .map_err(|error| vec![error.finding(&path)])?;
    let standing = signers.standing(None, BUNDLE_NAMESPACE, &key);
    match standing.finding(&path, "a trusted key", &key, DISTRUST) {
        None => Ok(key),
        Some(finding) => Err(vec![finding]),
    }
}

/// A host that trusted other keys than the one that signed could not verify what it has just installed.
fn locked_out(manifest: &Manifest, key: &[u8; 32], name: &str) -> Option<Finding> {
    let signer = public_key(key);
    let out = !manifest.trust.is_empty() && !manifest.trust.contains(&signer);
    out.then(|| {
        Finding::new(Id::ManifestInconsistent, format!("{name}:{MANIFEST}"), REBUILD)
            .expected(format!("{signer} in trust: it signed this bundle"))
            .found("other keys")
    })
}

/// Every entry's digest by name, after comparing the signed list with the archive.
fn digests(archive: &Archive, name: &str) -> Result<BTreeMap<String, String>, Vec<Finding>> {
    let malformed =
        |found: String| vec![Finding::new(Id::SumsMalformed, format!("{name}:{SUMS}"), REBUILD).found(found)];
    let text = archive.entry(SUMS).map(|entry| entry.contents).unwrap_or_default();
    let list = sums::parse(text).map_err(|error| malformed(error.to_string()))?;
    if !list.is_sorted_by(|a, b| archive::rank(&a.name) < archive::rank(&b.name)) {
        return Err(malformed("lines that are not in the archive's order".into()));
    }
    let mut listed: BTreeMap<_, _> = list.into_iter().map(|sum| (sum.name, sum.sha256)).collect();
    if listed.contains_key(SUMS) || listed.contains_key(SIGNATURE) {
        return Err(malformed("a line for itself or for its signature".into()));
    }
    let mut digests = BTreeMap::new();
    let mut findings = Vec::new();
    for entry in archive.entries().filter(|entry| entry.name != SUMS && entry.name != SIGNATURE) {
        let path = format!("{name}:{}", entry.name);
        let found = sha256_hex(entry.contents);
        match listed.remove(entry.name) {
            None => findings.push(Finding::new(Id::EntryExtra, path, COPY)),
            Some(expected) if expected != found => {
                findings.push(Finding::new(Id::DigestMismatch, path, COPY).expected(expected).found(&found));
            }
            Some(_) => {}
        }
        digests.insert(entry.name.to_owned(), found);
    }
    let missing = |entry: &str| Finding::new(Id::EntryMissing, format!("{name}:{entry}"), COPY);
    findings.extend(listed.keys().map(|entry| missing(entry)));
    if !listed.contains_key(MANIFEST) && !digests.contains_key(MANIFEST) {
        findings.push(missing(MANIFEST));
    }
    none(findings).map(|()| digests)
}

/// Only what every format version shares, to tell a newer bundle from a broken one.
#[derive(Deserialize)]
struct Format {
    format: u64,
}

fn read_manifest(archive: &Archive, name: &str) -> Result<Manifest, Vec<Finding>> {
    let bytes = archive.entry(MANIFEST).map(|entry| entry.contents).unwrap_or_default();
    let malformed = |mend: &str| Finding::new(Id::ManifestMalformed, format!("{name}:{MANIFEST}"), mend);
    match serde_json::from_slice::<Format>(bytes) {
        Ok(Format { format }) if format != u64::from(FORMAT) => {
            let finding = malformed("use a sealift that reads this format");
            return Err(vec![finding.expected(format!("format {FORMAT}")).found(format!("format {format}"))]);
        }
        _ => {}
    }
    canonical::from_bytes(bytes).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        vec![malformed(REBUILD).found(format!("{error}{cause}"))]
    })
}

/// The archive's time is signed too: with another one it is another archive.
fn epoch(manifest: &Manifest, archive: &Archive, name: &str) -> Option<Finding> {
    let found = consistency::text_time(archive.epoch()).unwrap_or_default();
    (found != manifest.epoch).then(|| {
        let finding = Finding::new(Id::ArchiveNotCanonical, name, COPY);
        finding.expected(format!("entries of {}", manifest.epoch)).found(format!("entries of {found}"))
    })
}

/// The manifest against the format's rules and against the archive, whose digests are known.
fn inconsistencies(
    manifest: &Manifest,
    archive: &Archive,
    digests: &BTreeMap<String, String>,
    name: &str,
) -> Vec<Finding> {
    let finding = |path: &str, problem: &str| {
        Finding::new(Id::ManifestInconsistent, format!("{name}:{path}"), REBUILD).found(problem)
    };
    let mut findings: Vec<_> =
        consistency::check(manifest).iter().map(|it| finding(&it.path, &it.problem)).collect();
    findings.extend(epoch(manifest, archive, name));
    let mut listed = BTreeSet::new();
    for file in manifest.files.iter().filter(|file| file.policy != Policy::Foreign) {
        let entry_name = entry_name(&file.path, file.sealed);
        let Some(entry) = archive.entry(&entry_name) else {
            findings.push(finding(&entry_name, "listed by the manifest but not in the archive"));
            continue;
        };
        if file.size != entry.contents.len() as u64 || digests.get(&entry_name) != Some(&file.sha256) {
            findings.push(finding(&entry_name, "size or digest differ from the manifest's"));
        }
        if file.policy == Policy::Block && !block::is_block(entry.contents) {
            findings.push(finding(&entry_name, "no block between its marks"));
        }
        if let Some(mode) = parse_mode(&file.mode).filter(|mode| *mode != entry.mode) {
            findings.push(mode_finding(name, &entry_name, mode, entry.mode));
        }
        listed.insert(entry_name);
    }
    let own = [SUMS, SIGNATURE, MANIFEST];
    let strays = archive.entries().filter(|entry| !own.contains(&entry.name) && !listed.contains(entry.name));
    findings.extend(strays.map(|entry| {
        let place = if is_file_entry(entry.name) { "not listed by the manifest" } else { "outside files/" };
        finding(entry.name, place)
    }));
    findings
}
