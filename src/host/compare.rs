//! What is on the host against what shall be.

use super::InstallError;
use super::report::Action;
use super::wanted::{Base, Wanted};
use crate::bundle::manifest::Manifest;
use crate::bundle::paths::parse_mode;
use crate::check::record;
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, OpenFile, Root, WalkError};

/// A file as it shall be, and what that takes.
pub(super) struct FileChange<'a> {
    pub(super) wanted: Wanted<'a>,
    pub(super) action: Action,
    /// What the file there has now; nothing where there is none.
    pub(super) found: Option<Attributes>,
}

/// A directory as it shall be, and what that takes.
pub(super) struct DirectoryChange<'a> {
    pub(super) path: &'a str,
    pub(super) attributes: Attributes,
    pub(super) action: Action,
    /// What the directory there has now; nothing where there is none.
    pub(super) found: Option<Attributes>,
}

/// Compares all files; reads only.
pub(super) fn files<'a>(root: &Root, wanted: Vec<Wanted<'a>>) -> Result<Vec<FileChange<'a>>, InstallError> {
    let compared = wanted.into_iter().map(|wanted| {
        let (action, still, found) = match root.file(wanted.path) {
            Ok(open) => {
                let still = wanted.base.still(Some(open.metadata()));
                let found = Attributes::of(open.metadata());
                (file(open, &wanted)?, still, Some(found))
            }
            Err(WalkError::NotFound { .. }) => (Action::Created, wanted.base.still(None), None),
            Err(error) => return Err(error.into()),
        };
        let rewritten = wanted.kept && matches!(action, Action::Created | Action::Updated);
        if rewritten || !still {
            // What wrote it before wrote it again since it was read.
            return Err(WalkError::Changed { at: wanted.path.to_owned() }.into());
        }
        Ok(FileChange { wanted, action, found })
    });
    compared.collect()
}

fn file(open: OpenFile, wanted: &Wanted<'_>) -> Result<Action, InstallError> {
    let metadata = *open.metadata();
    // a file with a block keeps what it has
    let own = !matches!(wanted.base, Base::File(_));
    let more = own && (metadata.links > 1 || !open.extras()?.is_empty());
    if metadata.size != wanted.contents.bytes().len() as u64 {
        return Ok(Action::Updated);
    }
    let mut rest = Some(wanted.contents.bytes());
    match open.stream(|piece| rest = rest.and_then(|rest| rest.strip_prefix(piece))) {
        Ok(()) if rest.is_some_and(<[u8]>::is_empty) => {
            Ok(attributes(wanted.attributes, Attributes::of(&metadata), more))
        }
        Ok(()) | Err(WalkError::Changed { .. }) => Ok(Action::Updated),
        Err(error) => Err(error.into()),
    }
}

/// `more`: beside them, something grants more (see [`Extra`](crate::rootfs::Extra)), or another name does.
fn attributes(wanted: Attributes, found: Attributes, more: bool) -> Action {
    if wanted.mode != found.mode || more {
        Action::Mode
    } else if wanted == found {
        Action::Unchanged
    } else {
        Action::Owner
    }
}

/// Compares all directories of the manifest, and the record's.
pub(super) fn directories<'a>(
    root: &Root,
    manifest: &'a Manifest,
) -> Result<Vec<DirectoryChange<'a>>, InstallError> {
    let mut changes = Vec::new();
    for directory in &manifest.directories {
        let Some(mode) = parse_mode(&directory.mode) else {
            let finding =
                Finding::new(Id::ManifestInconsistent, directory.path.as_str(), "build the bundle again");
            return Err(InstallError::refused(vec![finding.expected("a mode of four octal digits")]));
        };
        let wanted = Attributes::on(root, mode, directory.uid, directory.gid);
        changes.push(self::directory(root, &directory.path, wanted)?);
    }
    let wanted = Attributes::on(root, record::DIRECTORY_MODE, 0, 0);
    changes.push(directory(root, record::DIRECTORY, wanted)?);
    Ok(changes)
}

fn directory<'a>(
    root: &Root,
    path: &'a str,
    wanted: Attributes,
) -> Result<DirectoryChange<'a>, InstallError> {
    let (action, found) = match root.directory(path) {
        Ok(open) => {
            let found = Attributes::of(&open.own_metadata()?);
            (attributes(wanted, found, !open.own_extras()?.is_empty()), Some(found))
        }
        Err(WalkError::NotFound { .. }) => (Action::Created, None),
        Err(error) => return Err(error.into()),
    };
    Ok(DirectoryChange { path, attributes: wanted, action, found })
}
