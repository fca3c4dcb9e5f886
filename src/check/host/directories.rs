//! Directories of the manifest: mode and owner, and in owned ones nothing that is not listed.

use crate::bundle::manifest::{Directory, Manifest, Policy};
use crate::bundle::paths::parse_mode;
use crate::check::{obstacles, record};
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Dir, Kind, Root, is_temporary};
use std::collections::BTreeSet;

/// Checks all directories.
pub(super) fn check(root: &Root, manifest: &Manifest) -> Vec<Finding> {
    let known = known(manifest);
    let mut findings = Vec::new();
    for directory in &manifest.directories {
        let open = match root.directory(&directory.path) {
            Ok(open) => open,
            Err(error) => {
                findings.push(obstacles::finding(&error));
                continue;
            }
        };
        findings.extend(attributes(root, directory, &open));
        if directory.owned {
            findings.extend(strays(&open, &known));
        }
    }
    findings
}

/// Every path that may exist, with all directories above what is placed. What is allowed stands
/// directly in its directory, and what others place may never come, so they bring none.
fn known(manifest: &Manifest) -> BTreeSet<&str> {
    let (foreign, placed): (Vec<_>, Vec<_>) =
        manifest.files.iter().partition(|file| file.policy == Policy::Foreign);
    let files = placed.into_iter().map(|file| file.path.as_str());
    let directories = manifest.directories.iter().map(|directory| directory.path.as_str());
    let own = [record::HOST_SUMS, record::TRUST, record::DIRECTORY];
    let mut known = BTreeSet::new();
    for mut path in files.chain(directories).chain(own) {
        while known.insert(path) {
            let Some((parent, _)) = path.rsplit_once('/') else { break };
            path = parent;
        }
    }
    known.extend(foreign.into_iter().map(|file| file.path.as_str()));
    known.extend(manifest.directories.iter().flat_map(|directory| &directory.allow).map(String::as_str));
    known
}

fn attributes(root: &Root, directory: &Directory, open: &Dir) -> Vec<Finding> {
    let path = directory.path.as_str();
    let Some(mode) = parse_mode(&directory.mode) else {
        let finding = Finding::new(Id::ManifestInconsistent, path, "build the bundle again");
        return vec![
            finding.expected("a mode of four octal digits").found(directory.mode.escape_debug().to_string()),
        ];
    };
    match open.own_metadata() {
        Ok(metadata) => {
            obstacles::attributes(path, Attributes::on(root, mode, directory.uid, directory.gid), &metadata)
        }
        Err(error) => vec![obstacles::finding(&error)],
    }
}

/// Entries that nothing lists; the record's own directory counts as sealift's.
fn strays(open: &Dir, known: &BTreeSet<&str>) -> Vec<Finding> {
    let entries = match open.list() {
        Ok(entries) => entries,
        Err(error) => return vec![obstacles::finding(&error)],
    };
    let unknown = entries.into_iter().map(|entry| (open.at(&entry.name), entry));
    unknown
        .filter(|(path, _)| !known.contains(path.as_str()) && !record::is_own(path))
        // told as what an install left
        .filter(|(_, entry)| {
            !matches!(entry.kind, Kind::File | Kind::Directory) || !is_temporary(&entry.name)
        })
        .map(|(path, entry)| {
            let mend = "remove it, or allow it in the spec, build and install again";
            Finding::new(Id::StrayFile, path, mend).found(entry.kind.name())
        })
        .collect()
}
