//! One install at a time in a root: a lock on the record's directory, gone with the process.

use super::InstallError;
use crate::check::record::DIRECTORY;
use crate::rootfs::{Dir, Root, WalkError};

/// Locks the record's directory if there is one; a first install makes it later.
pub(super) fn existing(root: &Root) -> Result<Option<Dir>, InstallError> {
    match root.directory(DIRECTORY) {
        Ok(directory) => take(root, directory).map(Some),
        Err(WalkError::Io { doing, at, source }) => Err(WalkError::Io { doing, at, source }.into()),
        // What stands in the way is told with all else that does.
        Err(_) => Ok(None),
    }
}

/// Locks the record's directory; [`InstallError::Busy`] when another install has it.
pub(super) fn take(root: &Root, directory: Dir) -> Result<Dir, InstallError> {
    // An install that failed may have removed the directory between our open and our lock.
    let is_there = |directory: &Dir| -> Result<bool, WalkError> {
        Ok(root.metadata(DIRECTORY)?.identity == directory.own_metadata()?.identity)
    };
    if directory.lock()? && is_there(&directory).unwrap_or(false) {
        Ok(directory)
    } else {
        Err(InstallError::Busy)
    }
}
