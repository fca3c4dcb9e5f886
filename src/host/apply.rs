//! Writing what was compared, behind a journal: staged beside its place, placed, committed, cleaned up.

use super::compare::{DirectoryChange, FileChange};
use super::journal::{self, NotWritten};
use super::placing::Staged;
use super::recovery::{self, remove_staging, unfinished};
use super::removals::Removal;
use super::steps::Plan;
use super::{InstallError, lock};
use crate::bundle::manifest::Manifest;
use crate::check::journal::{Journal, Phase};
use crate::check::record::{self, DIRECTORY, DIRECTORY_MODE, Memory};
use crate::rootfs::{Attributes, Dir, Kind, Root, WalkError, split};
use std::collections::BTreeSet;
use std::io::ErrorKind;

/// Applies all changes, or none.
pub(super) fn apply(
    root: &Root,
    held: Option<Dir>,
    manifest: &Manifest,
    directories: &[DirectoryChange<'_>],
    files: &[FileChange<'_>],
    removals: &[Removal],
) -> Result<(), InstallError> {
    let mut own = OwnDirectory::default();
    // Named, so that the lock is held to the end, the way back included.
    let _lock = match held {
        Some(lock) => lock,
        None => match own.make(root) {
            // Without the lock nothing is taken back: whoever has it works in this directory.
            Ok(made) => first_lock(root, made)?,
            Err(WalkError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                return Err(InstallError::Busy);
            }
            Err(error) => {
                own.remove();
                return Err(error.into());
            }
        },
    };
    let outcome = clear_leftovers(root, directories, files).and_then(|()| {
        let plan = Plan::new(root, directories, files, removals)?;
        if plan.is_empty() { Ok(()) } else { write(root, &plan, manifest) }
    });
    match &outcome {
        Ok(()) | Err(InstallError::HalfDone { .. }) => {}
        Err(_) => own.remove(),
    }
    outcome
}

fn write(root: &Root, plan: &Plan<'_>, manifest: &Manifest) -> Result<(), InstallError> {
    let mut journal = plan.journal(manifest)?;
    match advance(root, plan, &mut journal) {
        Ok(()) => recovery::end(root, &journal).map_err(unfinished),
        // All is done: who finds the journal finishes this, whichever state of it is on the disk.
        Err(NotWritten::Unsure(error)) => Err(unfinished(error)),
        Err(NotWritten::Refused(error)) => Err(match recovery::end(root, &journal) {
            Ok(()) => error,
            Err(InstallError::HalfDone { paths, .. }) => {
                InstallError::HalfDone { paths, source: Box::new(error) }
            }
            Err(_) => unfinished(error),
        }),
    }
}

/// Everything up to the moment from which on nothing is taken back.
fn advance(root: &Root, plan: &Plan<'_>, journal: &mut Journal) -> Result<(), NotWritten> {
    let refused = |error: NotWritten| NotWritten::Refused(error.error());
    journal::write(root, journal).map_err(refused)?;
    let staged = Staged::prepare(root, plan, journal).map_err(NotWritten::Refused)?;
    journal.phase = Phase::Placing;
    journal::write(root, journal).map_err(refused)?;
    staged.place(root, plan).map_err(NotWritten::Refused)?;
    let committed = Journal { phase: Phase::Committed, ..journal.clone() };
    journal::write(root, &committed)?;
    *journal = committed;
    Ok(())
}

/// The record's directory and those above it, as far as a first install made them: there is no journal
/// before them.
#[derive(Default)]
struct OwnDirectory {
    made: Vec<(Dir, String)>,
}

impl OwnDirectory {
    fn make(&mut self, root: &Root) -> Result<Dir, WalkError> {
        let mut missing = vec![(DIRECTORY, DIRECTORY_MODE)];
        let mut path = split(DIRECTORY)?.0;
        while let Err(WalkError::NotFound { .. }) = root.directory(path) {
            missing.push((path, 0o755));
            path = split(path)?.0;
        }
        for (path, mode) in missing.into_iter().rev() {
            let (above, name) = split(path)?;
            let parent = root.directory(above)?;
            drop(parent.make(name, Attributes::on(root, mode, 0, 0))?);
            self.made.push((parent.clone(), name.to_owned()));
            parent.sync()?;
        }
        root.directory(DIRECTORY)
    }

    /// Removes them, as an install that failed leaves nothing; what others put there stays.
    fn remove(&self) {
        for (parent, name) in self.made.iter().rev() {
            if parent.remove_directory(name).is_err() {
                break;
            }
        }
    }
}

/// The lock of a first install.
fn first_lock(root: &Root, made: Dir) -> Result<Dir, InstallError> {
    let lock = lock::take(root, made)?;
    match record::recall(root)? {
        Memory::Nothing => Ok(lock),
        // Somebody was faster, and what was checked is not true any more.
        Memory::Damaged | Memory::Installed(_) => Err(InstallError::Busy),
    }
}

/// Removes what an install left whose journal somebody removed; the lock says that none runs.
fn clear_leftovers(
    root: &Root,
    directories: &[DirectoryChange<'_>],
    files: &[FileChange<'_>],
) -> Result<(), InstallError> {
    let mut paths: BTreeSet<&str> = directories.iter().map(|directory| directory.path).collect();
    for file in files {
        paths.insert(split(file.wanted.path)?.0);
    }
    let mut foreign = Vec::new();
    for path in paths {
        let directory = match root.directory(path) {
            Ok(directory) => directory,
            Err(WalkError::NotFound { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in directory.leftovers()? {
            if entry.kind == Kind::Directory {
                foreign.extend(remove_staging(&directory, &entry.name)?);
            } else {
                directory.unlink(&entry.name)?;
            }
        }
    }
    if foreign.is_empty() { Ok(()) } else { Err(InstallError::refused(foreign)) }
}
