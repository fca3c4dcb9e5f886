//! The files that sealift itself writes on a host: its record, the list for `sha256sum`, trust.

use super::files::Digests;
use super::rights;
use crate::bundle::manifest::{Manifest, Policy};
use crate::bundle::paths::is_hex;
use crate::check::obstacles::{self, REINSTALL};
use crate::check::record::{self, DIRECTORY, DIRECTORY_MODE, FILE_MODE, HOST_SUMS, TRUST};
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Root, WalkError};

/// Checks mode and owner of all of them, and the list's contents.
pub(super) fn check(root: &Root, manifest: &Manifest, digests: &Digests) -> Vec<Finding> {
    let mut findings = Vec::new();
    match root.directory(DIRECTORY).and_then(|open| Ok((open.own_metadata()?, open))) {
        Ok((metadata, open)) => {
            let wanted = Attributes::on(root, DIRECTORY_MODE, 0, 0);
            findings.extend(obstacles::attributes(DIRECTORY, wanted, &metadata));
            findings.extend(rights::of_directory(DIRECTORY, &open));
        }
        Err(error) => findings.push(obstacles::finding(&error)),
    }
    if manifest.keep_previous && root.metadata(record::BUNDLE).is_err_and(|error| error.is_not_found()) {
        findings.push(Finding::new(Id::FileMissing, record::BUNDLE, REINSTALL));
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
    findings.extend(trust(root));
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

/// A trust file need not be there, but only its owner may write it.
fn trust(root: &Root) -> Vec<Finding> {
    let open = match root.file(TRUST) {
        Ok(open) => open,
        Err(WalkError::NotFound { .. }) => return Vec::new(),
        Err(error) => return vec![obstacles::finding(&error)],
    };
    let metadata = open.metadata();
    let wanted = Attributes::on(root, metadata.mode & !0o022, 0, 0);
    let mut findings = obstacles::attributes(TRUST, wanted, metadata);
    findings.extend(rights::of_own(TRUST, &open));
    findings
}
