//! Writing the journal: each state of it is whole, and on the disk, before what it tells is done.

use super::InstallError;
use crate::bundle::canonical;
use crate::check::journal::{JOURNAL, Journal, LARGEST, NEXT};
use crate::check::record::{DIRECTORY, FILE_MODE};
use crate::rootfs::{Attributes, Dir, Root, WalkError, split};
use std::io;

/// What is known of a state of the journal that was to be written.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// The state before counts.
    Refused(InstallError),
    /// It is visible, and maybe not on the disk.
    Unsure(InstallError),
}

impl NotWritten {
    pub(super) fn error(self) -> InstallError {
        match self {
            Self::Refused(error) | Self::Unsure(error) => error,
        }
    }
}

/// Replaces the journal.
pub(super) fn write(root: &Root, journal: &Journal) -> Result<(), NotWritten> {
    let directory = prepare(root, journal).map_err(NotWritten::Refused)?;
    directory.sync().map_err(|error| NotWritten::Unsure(error.into()))
}

fn prepare(root: &Root, journal: &Journal) -> Result<Dir, InstallError> {
    let other = |source| WalkError::Io { doing: "write", at: JOURNAL.to_owned(), source };
    let bytes = canonical::to_bytes(journal).map_err(|error| other(io::Error::other(error)))?;
    if bytes.len() as u64 > LARGEST {
        return Err(other(io::Error::other("too many files for one install")).into());
    }
    let directory = root.directory(DIRECTORY)?;
    let (name, next) = (split(JOURNAL)?.1, split(NEXT)?.1);
    unlink(&directory, next)?;
    directory.write_new(next, &bytes, Attributes::on(root, FILE_MODE, 0, 0), None)?;
    directory.rename(next, &directory, name)?;
    Ok(directory)
}

/// Removes the journal: no install is at work any more.
pub(super) fn remove(root: &Root) -> Result<(), WalkError> {
    let directory = match root.directory(DIRECTORY) {
        Ok(directory) => directory,
        Err(WalkError::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    for path in [NEXT, JOURNAL] {
        unlink(&directory, split(path)?.1)?;
    }
    directory.sync()
}

fn unlink(directory: &Dir, name: &str) -> Result<(), WalkError> {
    match directory.metadata(name) {
        Ok(_) => directory.unlink(name),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}
