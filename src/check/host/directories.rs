//! Directories of the manifest: mode and owner, and in owned ones nothing that is not listed.

use super::rights;
use super::strays::Known;
use crate::bundle::manifest::{Directory, Manifest};
use crate::bundle::paths::parse_mode;
use crate::check::obstacles;
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Dir, Root};

/// Checks all directories.
pub(super) fn check(root: &Root, manifest: &Manifest) -> Vec<Finding> {
    let known = Known::of(manifest);
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
        findings.extend(rights::of_directory(&directory.path, &open));
        if directory.owned {
            findings.extend(known.strays(&open));
        }
    }
    findings
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
