//! The journal of an install: what it is about to do, so that whoever comes after a power cut can take
//! it back.
//!
//! `journal.json` lies beside the record while an install is at work, and is gone when it has ended. In
//! it are paths, names and attributes, and never contents. Nothing of a journal is believed that an
//! install would not have written: a path that climbs, a step outside of the directories that it staged
//! beside.

use super::record::DIRECTORY;
use crate::bundle::canonical;
use crate::bundle::manifest::Revision;
use crate::rootfs::{Attributes, Kind, Metadata, Root, WalkError, is_temporary, split};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The journal.
pub const JOURNAL: &str = "/var/lib/sealift/journal.json";
/// The next state of the journal, until it takes its place.
pub const NEXT: &str = "/var/lib/sealift/journal.next";
/// The version of the journal's form.
pub const FORMAT: u32 = 1;
/// The most bytes of a journal: 4 MiB, some 30 000 files.
pub const LARGEST: u64 = 4 << 20;

/// How far an install is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Making directories, and files in staging directories: nothing that others read has changed.
    Staging,
    /// Going through the steps.
    Placing,
    /// All steps are done and on the disk; what was replaced goes.
    Committed,
}

impl Phase {
    /// What the install was doing, for people.
    pub const fn doing(self) -> &'static str {
        match self {
            Self::Staging => "preparing files beside their places",
            Self::Placing => "putting files into their places",
            Self::Committed => "cleaning up behind itself, all files in their places",
        }
    }
}

/// `journal.json`, as canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// [`FORMAT`].
    pub format: u32,
    /// The host whose bundle is installed.
    pub host: String,
    /// The revision that is installed.
    pub revision: Revision,
    /// How far it is.
    pub phase: Phase,
    /// Directories that it makes, those above first.
    pub made: Vec<String>,
    /// Its staging directories, one beside the files of each directory that changes.
    pub staging: Vec<String>,
    /// What it does, in this order; empty while staging.
    pub steps: Vec<Step>,
}

/// One step. The new file of step N is `N.new` in the staging directory beside its place, what it
/// replaces or removes is `N.old`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum Step {
    /// Sets mode and owner of a directory.
    Set {
        /// The directory.
        path: String,
        /// What they were.
        before: Owned,
    },
    /// Puts a file where none was.
    Create {
        /// The file.
        path: String,
        /// How to know it again.
        new: Mark,
    },
    /// Puts a file in the place of another.
    Replace {
        /// The file.
        path: String,
        /// How to know it again.
        new: Mark,
    },
    /// Takes a file out of its place.
    Remove {
        /// The file.
        path: String,
    },
}

impl Step {
    /// The path that it changes.
    pub fn path(&self) -> &str {
        match self {
            Self::Set { path, .. }
            | Self::Create { path, .. }
            | Self::Replace { path, .. }
            | Self::Remove { path } => path,
        }
    }
}

/// Mode and owner of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    /// Permission bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

impl From<Attributes> for Owned {
    fn from(Attributes { mode, uid, gid }: Attributes) -> Self {
        Self { mode, uid, gid }
    }
}

impl From<Owned> for Attributes {
    fn from(Owned { mode, uid, gid }: Owned) -> Self {
        Self { mode, uid, gid }
    }
}

/// What tells the file that an install staged from one that somebody wrote since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Bytes.
    pub size: u64,
    /// Modification time, seconds since 1970.
    pub seconds: i64,
    /// And nanoseconds.
    pub nanoseconds: u64,
}

impl Mark {
    /// That of a file.
    pub fn of(metadata: &Metadata) -> Self {
        let [(seconds, nanoseconds), _] = metadata.times;
        Self { size: metadata.size, seconds, nanoseconds }
    }

    /// Whether this is that file. Some file systems forget parts of a second when they are mounted anew.
    pub fn is(&self, found: &Metadata) -> bool {
        let now = Self::of(found);
        let same = |nanoseconds| nanoseconds == self.nanoseconds || nanoseconds == 0;
        found.kind == Kind::File
            && (now.size, now.seconds) == (self.size, self.seconds)
            && same(now.nanoseconds)
    }
}

impl Journal {
    /// The name, in its staging directory, of the new file of a step.
    pub fn new_name(step: usize) -> String {
        format!("{step}.new")
    }

    /// The name, in its staging directory, of what a step replaces or removes.
    pub fn old_name(step: usize) -> String {
        format!("{step}.old")
    }

    /// The names of the staging directories, by the directories that they are in.
    pub fn beside(&self) -> BTreeMap<&str, &str> {
        self.staging.iter().filter_map(|path| split(path).ok()).collect()
    }

    /// Whether a name in a staging directory is one that a step gives.
    pub fn is_of_a_step(name: &str) -> bool {
        let number = name.strip_suffix(".new").or_else(|| name.strip_suffix(".old"));
        number.is_some_and(|number| {
            !number.is_empty() && number.len() < 8 && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    }
}

/// What stands where a journal does.
#[derive(Debug)]
pub enum Found {
    /// No install is at work, and none was interrupted.
    Nothing,
    /// An install was interrupted before it had a journal: it changed nothing.
    Begun,
    /// An install that is at work, or was interrupted.
    Interrupted(Journal),
    /// Something that no install writes; why.
    Damaged(&'static str),
}

/// Reads a root's journal.
pub fn read(root: &Root) -> Result<Found, WalkError> {
    let open = match root.file(JOURNAL) {
        Ok(open) => open,
        Err(error) if error.is_not_found() => {
            return match root.metadata(NEXT) {
                Ok(metadata) if metadata.kind == Kind::File => Ok(Found::Begun),
                Ok(_) => Ok(Found::Damaged("something else than a file where its next state would be")),
                Err(error) if error.is_not_found() => Ok(Found::Nothing),
                Err(error) => Err(error),
            };
        }
        Err(WalkError::NotAFile { .. }) => return Ok(Found::Damaged("no regular file")),
        // Told with all else that stands in the way of the record.
        Err(WalkError::Symlink { .. } | WalkError::NotADirectory { .. }) => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let metadata = *open.metadata();
    if metadata.mode & 0o077 != 0 || ![0, root.owner(0, 0).0].contains(&metadata.uid) {
        return Ok(Found::Damaged("a file that others may read or write"));
    }
    if metadata.size > LARGEST {
        return Ok(Found::Damaged("more than 4 MiB"));
    }
    let bytes = match open.contents() {
        Ok(bytes) => bytes,
        Err(WalkError::Changed { .. }) => return Ok(Found::Damaged("a file that changes")),
        Err(error) => return Err(error),
    };
    Ok(parse(&bytes).map_or_else(Found::Damaged, Found::Interrupted))
}

/// Reads a journal's bytes; why no install wrote them, if none did.
pub fn parse(bytes: &[u8]) -> Result<Journal, &'static str> {
    if bytes.len() as u64 > LARGEST {
        return Err("more than 4 MiB");
    }
    let journal: Journal =
        canonical::from_bytes(bytes).map_err(|_| "no canonical JSON of a journal's form")?;
    if journal.format != FORMAT {
        return Err("a journal of another format");
    }
    consistent(&journal)?;
    Ok(journal)
}

fn consistent(journal: &Journal) -> Result<(), &'static str> {
    let plain =
        |path: &str| path.len() <= 4096 && path.split('/').skip(1).all(is_plain) && path.starts_with('/');
    let mut staged = BTreeSet::new();
    for path in &journal.staging {
        let (above, name) = split(path).map_err(|_| "a path that is none")?;
        if !plain(path) || !is_temporary(name) {
            return Err("a staging directory of another name");
        }
        if !staged.insert(above) {
            return Err("two staging directories in one place");
        }
    }
    let mut made = BTreeSet::new();
    for path in &journal.made {
        if !plain(path) || is_staged(path) {
            return Err("a directory that install does not make");
        }
        if !made.insert(path.as_str()) || is_record(path) {
            return Err("a directory that is made twice");
        }
    }
    if journal.phase == Phase::Staging && !journal.steps.is_empty() {
        return Err("steps before all is staged");
    }
    let is_beside = |path: &str| split(path).is_ok_and(|(above, _)| staged.contains(above));
    let mut changed = BTreeSet::new();
    for step in &journal.steps {
        let path = step.path();
        if (path != "/" && !plain(path)) || is_staged(path) || matches!(path, JOURNAL | NEXT) {
            return Err("a step at a path that install does not change");
        }
        let right = match step {
            Step::Set { before, .. } => {
                before.mode <= 0o7777 && before.uid != u32::MAX && before.gid != u32::MAX
            }
            Step::Create { new, .. } | Step::Replace { new, .. } => {
                new.nanoseconds < 1_000_000_000 && is_beside(path)
            }
            Step::Remove { .. } => is_beside(path),
        };
        if !right {
            return Err("a step that install does not take");
        }
        if !changed.insert((matches!(step, Step::Set { .. }), path)) {
            return Err("two steps at one path");
        }
    }
    Ok(())
}

/// A component as install writes them, which also is safe to print.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(|c: char| c == '\\' || c.is_control())
}

fn is_staged(path: &str) -> bool {
    path.split('/').any(is_temporary)
}

/// The record's directory is made before there is a journal.
fn is_record(path: &str) -> bool {
    DIRECTORY == path || DIRECTORY.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
