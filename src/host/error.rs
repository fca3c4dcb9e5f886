//! Why an install did not happen.

use crate::check::obstacles;
use crate::finding::{Class, Finding, exit_code, sorted};
use crate::rootfs::{Immutable, TEMPORARY_PREFIX, WalkError};
use std::io;

/// Why an install did not happen. Unless it says otherwise, the host is what it was before.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A check failed; nothing was written.
    #[error("this bundle cannot be installed here, {} finding(s) stand against it", .0.len())]
    Refused(Vec<Finding>),
    /// The system refused; what had been written was taken back.
    #[error("cannot {doing} {path}")]
    Machine {
        /// What was attempted: a verb.
        doing: &'static str,
        /// The host path.
        path: String,
        /// What to do about it.
        hint: &'static str,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// Another install works on this root.
    #[error("another `sealift install` is at work in this root")]
    Busy,
    /// The system refused, and then refused to clean up.
    #[error("the install was interrupted and left these behind: {}", paths.join(", "))]
    HalfDone {
        /// Host paths that could not be put back or removed.
        paths: Vec<String>,
        /// What interrupted it.
        #[source]
        source: Box<InstallError>,
    },
}

impl InstallError {
    /// Findings in their order: by path, then by id.
    pub(super) fn refused(findings: Vec<Finding>) -> Self {
        Self::Refused(sorted(findings))
    }

    /// The process exit code: that of the findings, or 7.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(findings) => exit_code(findings),
            Self::Machine { .. } | Self::Busy | Self::HalfDone { .. } => Class::Machine.exit(),
        }
    }

    /// What to do about it; findings carry their own.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused(_) => None,
            Self::Machine { hint, .. } => Some(hint),
            Self::Busy => Some("wait until it has ended and run again"),
            Self::HalfDone { .. } => {
                Some("mend the cause, then run `sealift install` again with this bundle")
            }
        }
    }
}

/// A path for people: what is staged is on its way into the directory above, and the root itself has an
/// empty path.
fn place(at: &str) -> String {
    let staged = at.split_once(&format!("/{TEMPORARY_PREFIX}")).map_or(at, |(above, _)| above);
    if staged.is_empty() { "/".to_owned() } else { staged.to_owned() }
}

impl From<WalkError> for InstallError {
    fn from(error: WalkError) -> Self {
        match error {
            WalkError::Io { doing, at, source } => {
                Self::Machine { doing, path: place(&at), hint: hint(&source), source }
            }
            error => Self::Refused(vec![obstacles::finding(&error)]),
        }
    }
}

fn hint(source: &io::Error) -> &'static str {
    let immutable = source.get_ref().and_then(|inner| inner.downcast_ref::<Immutable>());
    if let Some(Immutable { append_only, .. }) = immutable {
        return if *append_only {
            "take the attribute away with `chattr -a` and run again"
        } else {
            "take the attribute away with `chattr -i` and run again"
        };
    }
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            "run as root, or name a directory of your own with --root; if root is refused too, \
             look for a security module or a read-only export"
        }
        io::ErrorKind::StorageFull => "free some space on that file system and run again",
        io::ErrorKind::QuotaExceeded => "raise the quota, or free some of it, and run again",
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => {
            "something is mounted at that path: unmount it, or leave that file out of the spec, and run again"
        }
        io::ErrorKind::ReadOnlyFilesystem => "mount that file system writable and run again",
        _ => "mend the cause and run again",
    }
}
