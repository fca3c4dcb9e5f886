//! The directories above what the manifest lists: who can write one of them replaces what lies below.

use crate::bundle::manifest::Manifest;
use crate::check::record::{DIRECTORY, HOST_SUMS};
use crate::finding::{Finding, Id};
use crate::rootfs::{Metadata, Root};
use std::collections::BTreeSet;

/// Checks every directory above a listed file that the manifest does not list itself; as sshd's
/// `StrictModes` does above `authorized_keys`. On a root whose files have no owners, there is nothing to say.
///
/// What cannot be looked at was found on the way to the file.
pub(super) fn check(root: &Root, manifest: &Manifest) -> Vec<Finding> {
    if !root.has_owners() {
        return Vec::new();
    }
    let listed: BTreeSet<&str> =
        manifest.directories.iter().map(|directory| directory.path.as_str()).chain([DIRECTORY]).collect();
    let own = [HOST_SUMS, DIRECTORY];
    let mut above = BTreeSet::new();
    for mut path in manifest.files.iter().map(|file| file.path.as_str()).chain(own) {
        while let Some((parent, _)) = path.rsplit_once('/') {
            if !above.insert(if parent.is_empty() { "/" } else { parent }) {
                break;
            }
            path = parent;
        }
    }
    let unlisted = above.difference(&listed);
    unlisted
        .filter_map(|path| {
            let metadata = root.directory(path).ok()?.own_metadata().ok()?;
            finding(path, &metadata)
        })
        .collect()
}

fn finding(path: &str, found: &Metadata) -> Option<Finding> {
    // in a sticky directory, nobody moves or removes what is another's
    let others_write = found.mode & 0o022 != 0 && found.mode & 0o1000 == 0;
    (others_write || found.uid != 0).then(|| {
        let mend = format!("chown root {path} && chmod go-w {path}, and see who could write there until now");
        Finding::new(Id::ParentWritable, path, mend)
            .expected("a directory of root's that nobody else can write")
            .found(format!("owner {}, mode {:04o}", found.uid, found.mode))
    })
}
