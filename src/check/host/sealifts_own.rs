//! The files that sealift itself writes on a host: its record, the list for `sha256sum`, trust.

use super::files::Digests;
use super::rights;
use crate::bundle::manifest::{Manifest, Policy};
use crate::bundle::paths::is_hex;
use crate::bundle::trust::{Trust, public_key};
use crate::check::obstacles::{self, REINSTALL};
use crate::check::record::{self, DIRECTORY, DIRECTORY_MODE, FILE_MODE, HOST_SUMS, TRUST};
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Kind, Root, WalkError};

/// Checks mode and owner of all of them, and the list's contents.
pub(super) fn check(root: &Root, manifest: &Manifest, sha256: &str, digests: &Digests) -> Vec<Finding> {
    let mut findings = Vec::new();
    match root.directory(DIRECTORY).and_then(|open| Ok((open.own_metadata()?, open))) {
        Ok((metadata, open)) => {
            let wanted = Attributes::on(root, DIRECTORY_MODE, 0, 0);
            findings.extend(obstacles::attributes(DIRECTORY, wanted, &metadata));
            findings.extend(rights::of_directory(DIRECTORY, &open));
        }
        Err(error) => findings.push(obstacles::finding(&error)),
    }
    if manifest.keep_previous {
        findings.extend(kept(root, sha256));
    }
    let record = [record::MANIFEST, record::SUMS, record::SIGNATURE, record::INSTALLED];
    for path in record.into_iter().chain([record::BUNDLE, record::PREVIOUS]) {
        // What is missing or of another type was found by reading the record.
        if let Ok(open) = root.file(path) {
            let wanted = Attributes::on(root, FILE_MODE, 0, 0);
            findings.extend(obstacles::attributes(path, wanted, open.metadata()));
            findings.extend(rights::of_own(path, &open));
        }
    }
    findings.extend(host_sums(root, manifest, digests));
    findings.extend(trust(root, manifest));
    findings
}

fn host_sums(root: &Root, manifest: &Manifest, digests: &Digests) -> Vec<Finding> {
    let open = match root.file(HOST_SUMS) {
        Ok(open) => open,
        Err(WalkError::NotFound { .. }) => return vec![Finding::new(Id::FileMissing, HOST_SUMS, REINSTALL)],
        Err(error) => return vec![obstacles::finding(&error)],
    };
    let mut findings =
        obstacles::attributes(HOST_SUMS, Attributes::on(root, FILE_MODE, 0, 0), open.metadata());
    findings.extend(rights::of_own(HOST_SUMS, &open));
    match open.contents() {
        Ok(bytes) => findings.extend(differing_line(&bytes, manifest, digests).map(|line| {
            Finding::new(Id::DigestMismatch, HOST_SUMS, REINSTALL)
                .expected("the digests that install wrote")
                .found(format!("another line {line}"))
        })),
        Err(error) => findings.push(obstacles::finding(&error)),
    }
    findings
}

/// The installed bundle, and, by its type alone, the one before.
fn kept(root: &Root, sha256: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    match record::kept(root, record::BUNDLE) {
        Ok(Some(bytes)) if record::manifest_of(&bytes).as_deref() == Some(sha256) => {}
        Ok(Some(_)) => findings.push(
            Finding::new(Id::RecordMismatch, record::BUNDLE, REINSTALL)
                .expected("the installed bundle")
                .found("something else"),
        ),
        Ok(None) => findings.push(Finding::new(Id::FileMissing, record::BUNDLE, REINSTALL)),
        Err(error) => findings.push(obstacles::finding(&error)),
    }
    if let Ok(metadata) = root.metadata(record::PREVIOUS)
        && metadata.kind != Kind::File
    {
        findings.push(obstacles::wrong_type(record::PREVIOUS, Kind::File, metadata.kind));
    }
    findings
}

/// The number of the first line that install would not have written, counted from 1.
///
/// The digest of a secret is known only if the file still is what it was; else any digest will do.
fn differing_line(bytes: &[u8], manifest: &Manifest, digests: &Digests) -> Option<usize> {
    let managed = manifest.files.iter().filter(|file| file.policy == Policy::Managed);
    let mut rest = bytes;
    let mut number = 0;
    for file in managed {
        number += 1;
        let end = rest.iter().position(|byte| *byte == b'\n');
        let Some((line, after)) = end.and_then(|end| rest.split_at_checked(end)) else { return Some(number) };
        let written = std::str::from_utf8(line).ok().and_then(|line| line.get(..64)).unwrap_or_default();
        let known = digests.get(&file.path).or((!file.sealed).then_some(&file.sha256));
        let sha256 = known.map_or(written, String::as_str);
        if !is_hex(sha256, 64) || line != record::host_sums_line(file, sha256).as_bytes() {
            return Some(number);
        }
        rest = after.get(1..).unwrap_or_default();
    }
    (!rest.is_empty()).then_some(number + 1)
}

/// Install leaves the trust file as it is, unless it is given one.
const PLACE_TRUST: &str = "compare it with the builder's, then run `sealift install --trust FILE` with this host's bundle, which places it anew";

/// A trust file need not be there, but only its owner may write it. When the manifest says which keys hosts
/// of this cluster trust, it names these and no others.
fn trust(root: &Root, manifest: &Manifest) -> Vec<Finding> {
    let open = match root.file(TRUST) {
        Ok(open) => open,
        Err(WalkError::NotFound { .. }) if manifest.trust.is_empty() => return Vec::new(),
        Err(WalkError::NotFound { .. }) => return vec![Finding::new(Id::FileMissing, TRUST, REINSTALL)],
        Err(error) => return vec![obstacles::finding(&error)],
    };
    let wanted = Attributes::on(root, open.metadata().mode & !0o022, 0, 0);
    let mut findings = obstacles::attributes(TRUST, wanted, open.metadata());
    findings.extend(rights::of_own(TRUST, &open));
    for finding in &mut findings {
        finding.mend = finding.mend.replace(REINSTALL, PLACE_TRUST);
    }
    if manifest.trust.is_empty() {
        return findings;
    }
    match open.contents() {
        Ok(bytes) => findings.extend(other_keys(&bytes, manifest)),
        Err(error) => findings.push(obstacles::finding(&error)),
    }
    findings
}

fn other_keys(bytes: &[u8], manifest: &Manifest) -> Vec<Finding> {
    let mend =
        "install this host's bundle again, with --trust if it is refused; find out who changed the file";
    let differs = || Finding::new(Id::TrustDiffers, TRUST, mend);
    let trust = match Trust::parse(&String::from_utf8_lossy(bytes)) {
        Ok(trust) => trust,
        Err(error) => return vec![differs().expected("a trust file").found(error.to_string())],
    };
    let cluster = manifest.cluster.id.as_str();
    let named = |key: &[u8; 32]| manifest.trust.contains(&public_key(key));
    let strange = trust.keys(cluster).into_iter().filter(|key| !named(key));
    let strange = strange
        .map(|key| differs().expected("only the keys that the manifest names").found(public_key(&key)));
    let held: Vec<String> = trust.bundle_keys(cluster).iter().map(public_key).collect();
    let missing = manifest.trust.iter().filter(|key| !held.contains(key));
    let missing =
        missing.map(|key| differs().expected(key.as_str()).found("no line of this key for bundles"));
    strange.chain(missing).collect()
}
