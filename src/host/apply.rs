//! Writing what was compared: directories, then all files beside their places, then the renames.

use super::compare::{DirectoryChange, FileChange};
use super::removals::Removal;
use super::report::Action;
use super::transaction::{Place, Staged, Transaction};
use super::wanted::{Base, Phase};
use super::{InstallError, lock};
use crate::check::record::{self, DIRECTORY, DIRECTORY_MODE, Memory};
use crate::rootfs::{Attributes, Dir, Root, WalkError, split};
use std::collections::BTreeSet;
use std::io::ErrorKind;

/// Applies all changes, or none.
pub(super) fn apply(
    root: &Root,
    held: Option<Dir>,
    directories: &[DirectoryChange<'_>],
    files: &[FileChange<'_>],
    removals: &[Removal],
) -> Result<(), InstallError> {
    let mut transaction = Transaction::new(root);
    // Named, so that the lock is held to the end, the way back included.
    let _lock = match held {
        Some(lock) => lock,
        None => match transaction.make(DIRECTORY, Attributes::on(root, DIRECTORY_MODE, 0, 0)) {
            // Without the lock nothing is taken back: whoever has it works in this directory.
            Ok(made) => first_lock(root, made)?,
            Err(WalkError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                return Err(InstallError::Busy);
            }
            Err(error) => return Err(transaction.undo(error.into())),
        },
    };
    match write(root, &mut transaction, directories, files, removals) {
        Ok(()) => transaction.finish(),
        Err(error) => Err(transaction.undo(error)),
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

fn write(
    root: &Root,
    transaction: &mut Transaction<'_>,
    directories: &[DirectoryChange<'_>],
    files: &[FileChange<'_>],
    removals: &[Removal],
) -> Result<(), InstallError> {
    clear_leftovers(root, directories, files)?;
    for directory in directories {
        match directory.action {
            Action::Unchanged => {}
            // Made since it was compared: the lock's, or above one that was made.
            Action::Created if root.directory(directory.path).is_ok() => {
                transaction.set(directory.path, directory.attributes)?;
            }
            Action::Created => drop(transaction.make(directory.path, directory.attributes)?),
            _ => transaction.set(directory.path, directory.attributes)?,
        }
    }
    let mut staged = Vec::new();
    for file in files.iter().filter(|file| file.action != Action::Unchanged) {
        let wanted = &file.wanted;
        wanted.base.check(root, wanted.path)?;
        let now = match (file.action, wanted.base) {
            (Action::Created, _) => Place::Free,
            (_, Base::File(_)) => Place::Same,
            _ => Place::Taken,
        };
        let ready =
            transaction.stage(wanted.path, wanted.contents.bytes(), wanted.attributes, now, wanted.base)?;
        staged.push((wanted.phase, wanted.path, ready));
    }

    let mut rests = Vec::new();
    for removal in removals {
        let path = removal.file.path.as_str();
        let Some(rest) = &removal.rest else { continue };
        rest.base.check(root, path)?;
        let ready = transaction.stage(path, &rest.bytes, rest.attributes, Place::Same, rest.base)?;
        rests.push((Phase::First, path, ready));
    }

    // Nothing was visible up to here.
    let (told, placed): (Vec<_>, Vec<_>) = staged.into_iter().partition(|(phase, ..)| *phase >= Phase::Lists);
    place(transaction, placed)?;
    place(transaction, rests)?;
    for removal in removals.iter().filter(|removal| removal.rest.is_none()) {
        transaction.remove(&removal.file.path)?;
    }
    transaction.sync()?;
    place(transaction, told)
}

/// Puts files in their places; each phase is on the disk before the next begins.
fn place(transaction: &mut Transaction<'_>, staged: Vec<(Phase, &str, Staged)>) -> Result<(), InstallError> {
    let mut now = None;
    for (phase, path, ready) in staged {
        if now.replace(phase).is_some_and(|before| before != phase) {
            transaction.sync()?;
        }
        transaction.place(path, ready)?;
    }
    Ok(transaction.sync()?)
}

/// Removes what an install that was killed left beside its targets; the lock says that none runs.
fn clear_leftovers(
    root: &Root,
    directories: &[DirectoryChange<'_>],
    files: &[FileChange<'_>],
) -> Result<(), InstallError> {
    let mut paths: BTreeSet<&str> = directories.iter().map(|directory| directory.path).collect();
    for file in files {
        paths.insert(split(file.wanted.path)?.0);
    }
    for path in paths {
        let directory = match root.directory(path) {
            Ok(directory) => directory,
            Err(WalkError::NotFound { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        for name in directory.leftovers()? {
            directory.unlink(&name)?;
        }
    }
    Ok(())
}
