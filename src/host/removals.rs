//! Files that the last install placed and this one does not.

use super::InstallError;
use super::before::Before;
use super::blocks::{self, Removed, Rest};
use crate::bundle::manifest::{File, Manifest, Policy};
use crate::check::{fields, record};
use crate::finding::{Finding, Id};
use crate::rootfs::{Kind, Root, WalkError};
use std::collections::BTreeSet;

/// A file to remove.
pub(super) struct Removal {
    /// As the earlier manifest listed it.
    pub(super) file: File,
    /// Of a block: the file without it, which stays.
    pub(super) rest: Option<Rest>,
}

/// What to remove, and, unless `force`, a finding for each file that is not what was placed.
pub(super) fn find(
    root: &Root,
    manifest: &Manifest,
    before: &Before,
    force: bool,
) -> Result<(Vec<Removal>, Vec<Finding>), InstallError> {
    let kept: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    let (mut removals, mut findings) = (Vec::new(), Vec::new());
    let gone = |file: &&File| !kept.contains(file.path.as_str()) && !record::is_own(&file.path);
    for file in before.files().filter(gone) {
        if file.policy == Policy::Block {
            let (removal, more) = block(root, before, file, force)?;
            removals.extend(removal);
            findings.extend(more);
            continue;
        }
        let found = match root.metadata(&file.path) {
            Err(error @ WalkError::Io { .. }) => return Err(error.into()),
            // Not there; beyond a link or a file lies nothing that an install placed.
            Err(_) => continue,
            Ok(metadata) if metadata.kind == Kind::Directory => {
                findings.push(changed(file, Kind::Directory.name(), "move it out of the way and run again"));
                continue;
            }
            Ok(metadata) if metadata.kind != Kind::File => Some(metadata.kind.name()),
            Ok(_) => (!is_ours(root, before, file)?).then_some("other contents"),
        };
        let mend = "move it out of the way and run again, or remove it with --force";
        findings.extend(found.filter(|_| !force).map(|found| changed(file, found, mend)));
        removals.push(Removal { file: file.clone(), rest: None });
    }
    Ok((removals, findings))
}

/// A block goes, its file stays.
fn block(
    root: &Root,
    before: &Before,
    file: &File,
    force: bool,
) -> Result<(Option<Removal>, Option<Finding>), InstallError> {
    let removal = |rest| Some(Removal { file: file.clone(), rest: Some(rest) });
    Ok(match blocks::remove(root, before, file)? {
        Removed::Nothing => (None, None),
        Removed::Rest(rest) => (removal(rest), None),
        Removed::Changed(rest) if force => (removal(rest), None),
        Removed::Changed(_) => {
            let mend = "take its lines out of the file and run again, or remove it with --force";
            (None, Some(changed(file, "another block", mend)))
        }
        Removed::Against(finding) => (None, Some(finding)),
    })
}

/// Whether a file is what was placed, or what a component may have made of it.
fn is_ours(root: &Root, before: &Before, file: &File) -> Result<bool, InstallError> {
    let bytes = match record::contents(root, &file.path) {
        Ok(Some(bytes)) => bytes,
        Err(error @ WalkError::Io { .. }) => return Err(error.into()),
        Ok(None) | Err(_) => return Ok(false),
    };
    let named = |path: &str, link| fields::on_host(root, path, link);
    let holds = |it| fields::differences(it, &bytes, &named).is_empty();
    Ok(before.placed(file, &bytes) || file.fields.as_ref().is_some_and(holds))
}

fn changed(file: &File, found: &str, mend: &str) -> Finding {
    Finding::new(Id::RemovedFileChanged, file.path.as_str(), mend)
        .expected("what an earlier revision placed")
        .found(found)
}
