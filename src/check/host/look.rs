//! A file of a host, opened once: what the system says of it, what stands beside its mode, what it holds.

use crate::bundle::manifest::{File, Policy};
use crate::rootfs::{Extra, Kind, MAX_PARSED, Metadata, OpenFile, Root, WalkError, split};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A file as it was found, read once.
pub(super) struct Seen {
    pub(super) metadata: Metadata,
    pub(super) beside: Result<Beside, WalkError>,
    pub(super) contents: Result<Contents, WalkError>,
}

/// What mode and owner do not tell. Nothing, of a file that may not be opened.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) extras: Vec<Extra>,
    /// Something is mounted on this very file.
    pub(super) mounted: bool,
}

impl Beside {
    pub(super) fn of(open: &OpenFile) -> Result<Self, WalkError> {
        Ok(Self { extras: open.extras()?, mounted: open.is_mounted() })
    }
}

pub(super) enum Contents {
    Whole(Zeroizing<Vec<u8>>),
    /// Too large to keep: its SHA-256.
    Digest(String),
    /// Not read: too large to be what the manifest lists.
    OtherSize,
    /// Not read: another program's, or a secret without the key to check it.
    Skipped,
}

/// Looks at a file of the manifest. Without the key, sealed files cannot be checked and are not read.
pub(super) fn look(root: &Root, file: &File, no_key: bool) -> Result<Seen, WalkError> {
    let (parent, name) = split(&file.path)?;
    let directory = root.directory(parent)?;
    // Fields are read without the key.
    let skipped = file.fields.is_none() && (file.policy == Policy::Foreign || (file.sealed && no_key));
    match directory.file(name) {
        Ok(open) => Ok(Seen {
            metadata: *open.metadata(),
            beside: Beside::of(&open),
            contents: if skipped { Ok(Contents::Skipped) } else { contents(open, file) },
        }),
        // Mode and owner can be seen all the same, and may be the reason.
        Err(error @ WalkError::Io { .. }) => {
            let metadata = directory.metadata(name)?;
            if metadata.kind != Kind::File {
                return Err(WalkError::NotAFile { at: file.path.clone(), kind: metadata.kind });
            }
            let contents = if skipped { Ok(Contents::Skipped) } else { Err(error) };
            Ok(Seen { metadata, beside: Ok(Beside::default()), contents })
        }
        Err(error) => Err(error),
    }
}

fn contents(open: OpenFile, file: &File) -> Result<Contents, WalkError> {
    let size = open.metadata().size;
    let whole = file.sealed || file.fields.is_some() || file.policy == Policy::Block;
    if whole || size <= MAX_PARSED {
        open.contents().map(Contents::Whole)
    } else if size != file.size {
        Ok(Contents::OtherSize)
    } else {
        let mut hash = Sha256::new();
        open.stream(|piece| hash.update(piece))?;
        Ok(Contents::Digest(hex::encode(hash.finalize())))
    }
}
