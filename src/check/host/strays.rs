//! What lies in owned directories, and in those below that exist for listed files only, and nothing lists.

use crate::bundle::manifest::{Manifest, Policy};
use crate::check::{obstacles, record};
use crate::finding::{Finding, Id};
use crate::rootfs::{Dir, Entry, Kind, is_temporary, split};
use std::collections::BTreeSet;

/// The way out.
const REMOVE: &str = "remove it, or allow it in the spec, build and install again";

/// The most entries of one owned directory that are told one by one.
const MOST_TOLD: usize = 1000;

/// How many directories below one another are looked into.
const DEEPEST: usize = 32;

/// What may exist.
pub(super) struct Known<'a> {
    /// Every path, with all directories above what is placed.
    paths: BTreeSet<&'a str>,
    /// Directories that no more than stand above what is placed: what else lies in them is a stray too.
    between: BTreeSet<&'a str>,
    /// Where an install stages: what it leaves there is told as such.
    stages: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    /// What is allowed stands directly in its directory, and what others place may never come, so they bring
    /// no directories above them.
    pub(super) fn of(manifest: &'a Manifest) -> Self {
        let (foreign, placed): (Vec<_>, Vec<_>) =
            manifest.files.iter().partition(|file| file.policy == Policy::Foreign);
        let above = placed.iter().filter_map(|file| Some(split(&file.path).ok()?.0));
        let files = placed.iter().map(|file| file.path.as_str());
        let listed = || manifest.directories.iter().map(|directory| directory.path.as_str());
        let own = [record::HOST_SUMS, record::TRUST, record::DIRECTORY];
        let (mut paths, mut between) = (BTreeSet::new(), BTreeSet::new());
        for mut path in files.chain(listed()).chain(own) {
            while paths.insert(path) {
                let Some((parent, _)) = path.rsplit_once('/') else { break };
                between.insert(parent);
                path = parent;
            }
        }
        for path in listed().chain([record::DIRECTORY]) {
            between.remove(path);
        }
        let stages = above.chain(listed()).collect();
        paths.extend(foreign.into_iter().map(|file| file.path.as_str()));
        paths.extend(manifest.directories.iter().flat_map(|it| &it.allow).map(String::as_str));
        Self { paths, between, stages }
    }

    /// Everything in an owned directory that nothing lists, hidden files and what lies in directories
    /// included; the record's own directory counts as sealift's.
    pub(super) fn strays(&self, owned: &Dir) -> Vec<Finding> {
        let mut search = Search { known: self, findings: Vec::new() };
        search.directory(owned, 0);
        if search.findings.len() > MOST_TOLD {
            search.findings.truncate(MOST_TOLD);
            let more = Finding::new(Id::StrayFile, owned.own_path(), REMOVE);
            search.findings.push(more.found(format!("more than {MOST_TOLD} entries that nothing lists")));
        }
        search.findings
    }
}

struct Search<'k> {
    known: &'k Known<'k>,
    findings: Vec<Finding>,
}

impl Search<'_> {
    /// An owned directory, one for listed files only, or a stray.
    fn directory(&mut self, open: &Dir, depth: usize) {
        // so many that strays are among them if there are as many as are told
        let most = self.known.paths.len() + MOST_TOLD + 1;
        let entries = match open.list_some(most) {
            Ok(entries) => entries,
            Err(error) => {
                self.findings.push(obstacles::finding(&error));
                return;
            }
        };
        for entry in entries {
            if self.findings.len() > MOST_TOLD {
                return;
            }
            let path = open.at(&entry.name);
            if is_staging(&entry) && self.known.stages.contains(open.own_path()) {
                continue;
            }
            let known = self.known.paths.contains(path.as_str()) || record::is_own(&path);
            let within = !known || self.known.between.contains(path.as_str());
            if !known {
                self.findings.push(stray(path, &entry));
            }
            if entry.kind != Kind::Directory || !within || depth == DEEPEST {
                continue;
            }
            match open.enter(&entry.name) {
                Ok(inner) => self.directory(&inner, depth + 1),
                // gone since, or of a name that is no text: told above
                Err(error) if error.is_not_found() => {}
                Err(error) => self.findings.push(obstacles::finding(&error)),
            }
        }
    }
}

/// What an install leaves when it is interrupted.
fn is_staging(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::File | Kind::Directory) && is_temporary(&entry.name)
}

fn stray(path: String, entry: &Entry) -> Finding {
    Finding::new(Id::StrayFile, path, REMOVE).found(entry.kind.name())
}
