//! Files that the last install placed and this one does not.

use super::InstallError;
use crate::bundle::manifest::{File, Manifest};
use crate::bundle::sums::sha256_hex;
use crate::check::record;
use crate::finding::{Finding, Id};
use crate::rootfs::{Kind, Root, WalkError};
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use std::collections::BTreeSet;

/// A file to remove.
pub(super) struct Removal {
    /// As the earlier manifest listed it.
    pub(super) file: File,
}

/// What to remove, and, unless `force`, a finding for each file that is not what was placed.
pub(super) fn find(
    root: &Root,
    manifest: &Manifest,
    force: bool,
) -> Result<(Vec<Removal>, Vec<Finding>), InstallError> {
    let Some(before) = stored(root)? else { return Ok((Vec::new(), Vec::new())) };
    let kept: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    let key = match record::contents(root, VERIFY_KEY_PATH) {
        Ok(bytes) => bytes.and_then(|bytes| VerifyKey::parse(&bytes)),
        Err(error @ WalkError::Io { .. }) => return Err(error.into()),
        Err(_) => None,
    };
    let (mut removals, mut findings) = (Vec::new(), Vec::new());
    for file in before
        .files
        .into_iter()
        .filter(|file| !kept.contains(file.path.as_str()) && !record::is_own(&file.path))
    {
        let found = match root.metadata(&file.path) {
            Err(error @ WalkError::Io { .. }) => return Err(error.into()),
            // Not there; beyond a link or a file lies nothing that an install placed.
            Err(_) => continue,
            Ok(metadata) if metadata.kind == Kind::Directory => {
                findings.push(changed(&file, Kind::Directory.name(), "move it out of the way and run again"));
                continue;
            }
            Ok(metadata) if metadata.kind != Kind::File => Some(metadata.kind.name()),
            Ok(_) => (!is_as_placed(root, &file, key.as_ref())?).then_some("other contents"),
        };
        let mend = "move it out of the way and run again, or remove it with --force";
        findings.extend(found.filter(|_| !force).map(|found| changed(&file, found, mend)));
        removals.push(Removal { file });
    }
    Ok((removals, findings))
}

/// The earlier manifest. One that cannot be read as such lists nothing that could be removed.
fn stored(root: &Root) -> Result<Option<Manifest>, InstallError> {
    match record::stored_manifest(root) {
        Ok(manifest) => Ok(manifest),
        Err(error @ WalkError::Io { .. }) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

fn is_as_placed(root: &Root, file: &File, key: Option<&VerifyKey>) -> Result<bool, InstallError> {
    let bytes = match record::contents(root, &file.path) {
        Ok(Some(bytes)) => bytes,
        Err(error @ WalkError::Io { .. }) => return Err(error.into()),
        Ok(None) | Err(_) => return Ok(false),
    };
    Ok(if file.sealed {
        let hmac = file.hmac.as_deref();
        key.zip(hmac).is_some_and(|(key, hmac)| key.matches(&file.path, &bytes, hmac))
    } else {
        sha256_hex(&bytes) == file.sha256
    })
}

fn changed(file: &File, found: &str, mend: &str) -> Finding {
    Finding::new(Id::RemovedFileChanged, file.path.as_str(), mend)
        .expected("what an earlier revision placed")
        .found(found)
}
