//! What a dry run shows of contents: public texts, and never a secret.

use super::InstallError;
use super::before::Before;
use super::compare::FileChange;
use super::removals::Removal;
use super::report::{Action, Report};
use super::wanted::Contents;
use crate::check::diff::text::unified;
use crate::check::record;
use crate::rootfs::{Root, WalkError};
use serde::Serialize;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What the contents of a file would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preview {
    /// A unified diff, in the form that `patch -p1` takes.
    Text(String),
    /// Why there is none.
    Withheld(Withheld),
}

/// Why contents are not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Withheld {
    /// The bundle seals it, or an earlier one did.
    Secret,
    /// Not everybody may read the file that is there, so it may hold what nobody shall see.
    Private,
    /// No text that a terminal can show, PEM, or too long.
    NoText,
}

/// Anybody may read it.
const READABLE: u32 = 0o004;

/// Adds to each change of contents what it would change. Sealift's own record is left out.
pub(super) fn add(
    root: &Root,
    before: &Before,
    files: &[FileChange<'_>],
    removals: &[Removal],
    report: &mut Report,
) -> Result<(), InstallError> {
    let placed = files.iter().map(|file| {
        let shown = match &file.wanted.contents {
            Contents::Public(bytes) => Some(*bytes),
            Contents::Own(bytes) => Some(bytes.as_slice()),
            Contents::Secret(_) => None,
        };
        (file.wanted.path, shown)
    });
    let cut =
        removals.iter().filter_map(|removal| Some((removal.file.path.as_str(), removal.rest.as_ref()?)));
    let new: BTreeMap<&str, Option<&[u8]>> =
        placed.chain(cut.map(|(path, rest)| (path, Some(rest.bytes.as_slice())))).collect();
    for change in &mut report.changes {
        let path = change.path.as_str();
        if record::is_own(path) && path != record::TRUST {
            continue;
        }
        change.preview = match (change.action, new.get(path)) {
            (Action::Created | Action::Updated, Some(None)) => Some(Preview::Withheld(Withheld::Secret)),
            (Action::Created, Some(Some(new))) => Some(compare(path, None, Some(new))),
            (Action::Updated, Some(Some(new))) => Some(against(root, before, path, Some(new))?),
            (Action::Removed, _) => Some(against(root, before, path, None)?),
            // directories, and what does not change
            _ => None,
        };
    }
    Ok(())
}

/// What is on the host against what shall be.
fn against(root: &Root, before: &Before, path: &str, new: Option<&[u8]>) -> Result<Preview, InstallError> {
    if before.file(path).is_some_and(|file| file.sealed) {
        return Ok(Preview::Withheld(Withheld::Secret));
    }
    Ok(match found(root, path)? {
        Found::Text(old) => compare(path, Some(&old), new),
        Found::Private => Preview::Withheld(Withheld::Private),
        Found::Other => Preview::Withheld(Withheld::NoText),
    })
}

enum Found {
    Text(Zeroizing<Vec<u8>>),
    Private,
    Other,
}

fn found(root: &Root, path: &str) -> Result<Found, InstallError> {
    let open = match root.file(path) {
        Ok(open) if open.metadata().mode & READABLE == 0 => return Ok(Found::Private),
        other => other.and_then(crate::rootfs::OpenFile::contents),
    };
    match open {
        Ok(bytes) => Ok(Found::Text(bytes)),
        Err(error @ WalkError::Io { .. }) => Err(error.into()),
        Err(_) => Ok(Found::Other),
    }
}

fn compare(path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Preview {
    unified(path, old, new).map_or(Preview::Withheld(Withheld::NoText), Preview::Text)
}
