//! What stands in the way of a path, said as findings.

use super::journal::JOURNAL;
use crate::bundle::block::{BEGIN, END};
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Kind, Metadata, WalkError};

/// The way out of most differences.
pub const REINSTALL: &str = "run `sealift install` again with this host's bundle";

/// A failed access as a finding. It is about the component that stands in the way, so that one
/// link over many files is one finding.
pub fn finding(error: &WalkError) -> Finding {
    let at = error.at();
    match error {
        WalkError::Invalid { .. } => {
            Finding::new(Id::ManifestInconsistent, at.escape_debug().to_string(), "build the bundle again")
                .expected("an absolute path of plain components")
        }
        WalkError::Symlink { .. } => {
            Finding::new(Id::SymlinkInPath, at, "put a real directory in the place of the link")
                .expected(Kind::Directory.name())
                .found(Kind::Symlink.name())
        }
        WalkError::NotFound { .. } => Finding::new(Id::FileMissing, at, REINSTALL),
        WalkError::NotADirectory { kind, .. } => wrong_type(at, Kind::Directory, *kind),
        WalkError::NotAFile { kind, .. } => wrong_type(at, Kind::File, *kind),
        WalkError::TooLarge { .. } => {
            Finding::new(Id::DigestMismatch, at, REINSTALL).expected("at most 16 MiB").found("more")
        }
        WalkError::Changed { .. } => {
            Finding::new(Id::ChangedWhileReading, at, "stop what writes to it and run again")
        }
        WalkError::Io { doing, source, .. } => {
            let mend = match source.kind() {
                std::io::ErrorKind::PermissionDenied => "run as root",
                _ => "mend the file system and run again",
            };
            Finding::new(Id::Unreadable, at, mend).found(format!("cannot {doing} it: {source}"))
        }
    }
}

/// Something that install did not write stands where its journal would.
pub fn damaged_journal(found: impl Into<String>) -> Finding {
    let mend = "find out who wrote it, remove it, then run `sealift install` again with this host's bundle";
    Finding::new(Id::Interrupted, JOURNAL, mend).expected("a journal that install wrote").found(found)
}

/// A file of whose marks no block can be told, or that is too large to look for them.
pub fn damaged_block(path: &str, found: impl Into<String>) -> Finding {
    let mend = format!("leave one `{BEGIN}` and one `{END}` after it, or none of both, then {REINSTALL}");
    let expected = format!("one block from `{BEGIN}` to `{END}` in at most 16 MiB");
    Finding::new(Id::BlockDamaged, path, mend).expected(expected).found(found)
}

/// Something of another type stands at a path.
pub fn wrong_type(path: &str, expected: Kind, found: Kind) -> Finding {
    let mend = format!("move it out of the way, then {REINSTALL}");
    Finding::new(Id::TypeMismatch, path, mend).expected(expected.name()).found(found.name())
}

/// Mode and owner against what they should be.
pub fn attributes(path: &str, expected: Attributes, found: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    if expected.mode != found.mode {
        findings.push(
            Finding::new(Id::ModeMismatch, path, REINSTALL)
                .expected(format!("{:04o}", expected.mode))
                .found(format!("{:04o}", found.mode)),
        );
    }
    if (expected.uid, expected.gid) != (found.uid, found.gid) {
        findings.push(
            Finding::new(Id::OwnerMismatch, path, REINSTALL)
                .expected(format!("{}:{}", expected.uid, expected.gid))
                .found(format!("{}:{}", found.uid, found.gid)),
        );
    }
    findings
}
