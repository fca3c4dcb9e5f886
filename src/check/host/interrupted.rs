//! Whether an install was interrupted.

use crate::bundle::manifest::Manifest;
use crate::check::journal::{self, Found, JOURNAL, Journal};
use crate::check::{obstacles, record};
use crate::finding::{Finding, Id};
use crate::rootfs::{Root, split};
use std::collections::BTreeSet;

const MEND: &str = "if no `sealift install` is at work, run `sealift install` again with this host's bundle: it first takes back what was begun";
const LEFT: &str = "run `sealift install` again with this host's bundle, which removes it, but nothing that others put into it";

/// How it is told that an install did not end.
pub(super) enum Told {
    /// Nothing else says anything until it has ended.
    Alone(Finding),
    /// Nobody knows what it did: with all else that differs.
    Beside(Finding),
}

/// The journal of an install that did not end.
pub(super) fn check(root: &Root) -> Option<Told> {
    let interrupted =
        |found| Told::Alone(Finding::new(Id::Interrupted, JOURNAL, MEND).expected("no journal").found(found));
    match journal::read(root) {
        Ok(Found::Nothing) => None,
        Ok(Found::Begun) => Some(interrupted("an install that had changed nothing yet".to_owned())),
        Ok(Found::Damaged(why)) => Some(Told::Beside(obstacles::damaged_journal(why))),
        Ok(Found::Interrupted(Journal { revision, phase, .. })) => {
            Some(interrupted(format!("an install of revision {revision}, {}", phase.doing())))
        }
        Err(error) => Some(Told::Beside(obstacles::finding(&error))),
    }
}

/// Staging directories beside what the manifest lists, while there is no journal that tells of them.
pub(super) fn leftovers(root: &Root, manifest: &Manifest) -> Vec<Finding> {
    let files = manifest.files.iter().filter_map(|file| Some(split(&file.path).ok()?.0));
    let directories = manifest.directories.iter().map(|directory| directory.path.as_str());
    let places: BTreeSet<&str> =
        files.chain(directories).chain([record::DIRECTORY, "/etc/sealift"]).collect();
    let mut findings = Vec::new();
    for place in places {
        let found = root.directory(place).and_then(|open| Ok((open.leftovers()?, open)));
        // What is missing or in the way is told by others.
        let Ok((entries, open)) = found else { continue };
        findings.extend(entries.into_iter().map(|entry| {
            Finding::new(Id::Interrupted, open.at(&entry.name), LEFT)
                .found(format!("a {} of an install without a journal", entry.kind))
        }));
    }
    findings
}
