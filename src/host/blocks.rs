//! Blocks in files that are not ours: what the file shall hold, and what is left when the block goes.

use super::InstallError;
use super::before::Before;
use super::wanted::{Base, Contents, Wanted};
use crate::bundle::block::{self, Cut};
use crate::bundle::manifest::{File, Policy};
use crate::check::obstacles;
use crate::finding::Finding;
use crate::rootfs::{Attributes, Kind, MAX_PARSED, Metadata, Root, WalkError};
use zeroize::Zeroizing;

/// A file as it was read.
struct Seen {
    metadata: Metadata,
    bytes: Zeroizing<Vec<u8>>,
}

/// A file without its block.
pub(super) struct Rest {
    pub(super) bytes: Vec<u8>,
    pub(super) attributes: Attributes,
    pub(super) base: Base,
}

/// The file with its block, of the mode and owner that it has; or what speaks against it.
pub(super) fn place(
    root: &Root,
    before: &Before,
    wanted: &mut Wanted<'_>,
) -> Result<Option<Finding>, InstallError> {
    let seen = match look(root, wanted.path)? {
        Look::Absent => {
            wanted.base = Base::Absent;
            return Ok(None);
        }
        // told with all else that stands in the way
        Look::Obstacle | Look::Link => return Ok(None),
        Look::Against(finding) => return Ok(Some(finding)),
        Look::File(seen) => seen,
    };
    wanted.base = Base::File(seen.metadata);
    let ours = before.file(wanted.path).filter(|earlier| earlier.policy != Policy::Block);
    if ours.is_some_and(|earlier| before.placed(earlier, &seen.bytes)) {
        // all of it was placed by an earlier revision, which had the file to itself
        return Ok(None);
    }
    let merged = match block::cut(&seen.bytes) {
        Ok(cut) => cut.with(wanted.contents.bytes()),
        Err(damage) => return Ok(Some(obstacles::damaged_block(wanted.path, damage.to_string()))),
    };
    if merged.len() as u64 > MAX_PARSED {
        return Ok(Some(too_large(wanted.path)));
    }
    wanted.contents = Contents::Own(Zeroizing::new(merged));
    wanted.attributes = Attributes::of(&seen.metadata);
    Ok(None)
}

/// What becomes of a file whose block is no longer listed.
pub(super) enum Removed {
    /// There is no block.
    Nothing,
    /// The file without it.
    Rest(Rest),
    /// The same, but the block is not what was placed.
    Changed(Rest),
    /// The file stays as it is.
    Against(Finding),
}

/// The file without its block.
pub(super) fn remove(root: &Root, before: &Before, file: &File) -> Result<Removed, InstallError> {
    let seen = match look(root, &file.path)? {
        Look::Absent | Look::Obstacle => return Ok(Removed::Nothing),
        Look::Link => {
            let mut finding = obstacles::wrong_type(&file.path, Kind::File, Kind::Symlink);
            finding.mend = format!(
                "take sealift's lines out of what it leads to, move it out of the way, then {}",
                obstacles::REINSTALL
            );
            return Ok(Removed::Against(finding));
        }
        Look::Against(finding) => return Ok(Removed::Against(finding)),
        Look::File(seen) => seen,
    };
    let cut: Cut<'_> = match block::cut(&seen.bytes) {
        Ok(cut) if cut.block.is_empty() => return Ok(Removed::Nothing),
        Ok(cut) => cut,
        Err(damage) => {
            return Ok(Removed::Against(obstacles::damaged_block(&file.path, damage.to_string())));
        }
    };
    let attributes = Attributes::of(&seen.metadata);
    let rest = Rest { bytes: cut.without(), attributes, base: Base::File(seen.metadata) };
    Ok(if before.placed(file, cut.block) { Removed::Rest(rest) } else { Removed::Changed(rest) })
}

enum Look {
    Absent,
    File(Seen),
    /// No regular file, or beyond something that is no directory.
    Obstacle,
    /// A link, which may lead to the file with the block.
    Link,
    Against(Finding),
}

fn look(root: &Root, path: &str) -> Result<Look, InstallError> {
    let open = root.file(path).and_then(|open| {
        let metadata = *open.metadata();
        Ok(Seen { metadata, bytes: open.contents()? })
    });
    match open {
        Ok(seen) => Ok(Look::File(seen)),
        Err(error @ WalkError::Io { .. }) => Err(error.into()),
        Err(error @ WalkError::Changed { .. }) => Ok(Look::Against(obstacles::finding(&error))),
        Err(WalkError::TooLarge { .. }) => Ok(Look::Against(too_large(path))),
        Err(error) if error.is_not_found() => Ok(Look::Absent),
        Err(WalkError::NotAFile { kind: Kind::Symlink, .. }) => Ok(Look::Link),
        Err(_) => Ok(Look::Obstacle),
    }
}

fn too_large(path: &str) -> Finding {
    obstacles::damaged_block(path, "more bytes")
}
