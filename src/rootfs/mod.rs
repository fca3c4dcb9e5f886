//! A host's file tree, walked without ever following a link.
//!
//! Every access starts at the root's descriptor. The kernel resolves the directories of a path beneath it
//! without any link (openat2(2)); where it cannot, or to say what stands in the way, one component after
//! the other is opened with `O_NOFOLLOW`. So no link, and no race with somebody who plants one, leads out
//! of the tree. The root itself may be reached through links: whoever names it decides what it is.
#![allow(clippy::disallowed_methods, reason = "this is where a host's files are read and written")]

mod attributes;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use attributes::{AccessList, Extra};
pub use read::{Entry, MAX_PARSED, OpenFile};
pub use write::{Attributes, Immutable, TEMPORARY_PREFIX, is_temporary, temporary_name};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, statat};
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

/// Why a path below a root cannot be used. `at` is the host path of the component that stands in
/// the way, which may be a parent of the path that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// Not an absolute path of plain components.
    #[error("{at:?} is not an absolute path without empty, `.` or `..` components")]
    Invalid {
        /// The path as given.
        at: String,
    },
    /// A component is a symbolic link.
    #[error("{at} is a symbolic link")]
    Symlink {
        /// The link.
        at: String,
    },
    /// A component does not exist.
    #[error("{at} does not exist")]
    NotFound {
        /// The first component that does not.
        at: String,
    },
    /// A component on the way is no directory.
    #[error("{at} is a {kind}, not a directory")]
    NotADirectory {
        /// The component.
        at: String,
        /// What it is.
        kind: Kind,
    },
    /// What should be read is no regular file.
    #[error("{at} is a {kind}, not a regular file")]
    NotAFile {
        /// The path.
        at: String,
        /// What it is.
        kind: Kind,
    },
    /// More bytes than are read into memory ([`MAX_PARSED`]).
    #[error("{at} is too large")]
    TooLarge {
        /// The path.
        at: String,
    },
    /// The file's size or times changed between the first and the last byte, or something else took its place.
    #[error("{at} changed while it was being read")]
    Changed {
        /// The path.
        at: String,
    },
    /// The system refused.
    #[error("cannot {doing} {at}")]
    Io {
        /// What was attempted: a verb.
        doing: &'static str,
        /// The path.
        at: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

impl WalkError {
    fn io(doing: &'static str, at: &str, errno: Errno) -> Self {
        Self::Io { doing, at: at.to_owned(), source: errno.into() }
    }

    /// The component that stands in the way.
    pub fn at(&self) -> &str {
        match self {
            Self::Invalid { at }
            | Self::Symlink { at }
            | Self::NotFound { at }
            | Self::NotADirectory { at, .. }
            | Self::NotAFile { at, .. }
            | Self::TooLarge { at }
            | Self::Changed { at }
            | Self::Io { at, .. } => at,
        }
    }

    /// Whether the path simply is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character or block device, or what this system calls by no name.
    Device,
}

impl Kind {
    fn of(file_type: FileType) -> Self {
        match file_type {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Symlink,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            _ => Self::Device,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "regular file",
            Self::Directory => "directory",
            Self::Symlink => "symbolic link",
            Self::Fifo => "named pipe",
            Self::Socket => "socket",
            Self::Device => "device",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What the system says about a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, setuid, setgid and sticky included.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Hard links.
    pub links: u64,
    /// Device and inode.
    pub identity: (u64, u64),
    /// Modification and change time, seconds and nanoseconds each.
    pub times: [(i64, u64); 2],
}

impl Metadata {
    // The fields' widths differ between architectures; all fit.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast, clippy::cast_sign_loss)]
    fn of(stat: &Stat) -> Self {
        Self {
            kind: Kind::of(FileType::from_raw_mode(stat.st_mode)),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: stat.st_size as u64,
            links: stat.st_nlink as u64,
            identity: (stat.st_dev as u64, stat.st_ino as u64),
            times: [
                (stat.st_mtime.into(), stat.st_mtime_nsec as u64),
                (stat.st_ctime.into(), stat.st_ctime_nsec as u64),
            ],
        }
    }
}

/// The root of a host's file tree: `/`, or a directory that stands for it.
#[derive(Debug)]
pub struct Root {
    directory: Dir,
    owner: (u32, u32),
    system: bool,
}

impl Root {
    /// Opens a directory as a root; the only place where links are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(CWD, path, flags, Mode::empty())?;
        let own = Metadata::of(&fstat(&fd)?);
        let system = Metadata::of(&statat(CWD, "/", AtFlags::empty())?);
        Ok(Self {
            directory: Dir { fd: Rc::new(fd), path: String::new() },
            owner: (own.uid, own.gid),
            system: own.identity == system.identity,
        })
    }

    /// Whether this is the running system's own `/`.
    pub fn is_system(&self) -> bool {
        self.system
    }

    /// Whether files of this root have the owners that a manifest names: on `/`, and in a directory of uid 0.
    pub fn has_owners(&self) -> bool {
        self.system || self.owner.0 == 0
    }

    /// The owner and group on this root for those that a manifest names.
    ///
    /// Someone who is not root may stage a host's tree in a directory of their own; there, everything
    /// belongs to the owner and group of that directory. On `/`, and in a directory of uid 0, all is as named.
    pub fn owner(&self, uid: u32, gid: u32) -> (u32, u32) {
        if self.has_owners() {
            return (uid, gid);
        }
        self.owner
    }

    /// Opens the directory at an absolute host path; `/` is the root itself.
    pub fn directory(&self, path: &str) -> Result<Dir, WalkError> {
        let mut directory = self.directory.clone();
        if path == "/" {
            return Ok(directory);
        }
        let components = components(path)?;
        if let Some(open) = directory.beneath(path) {
            return Ok(open);
        }
        for component in components {
            directory = directory.enter(component)?;
        }
        Ok(directory)
    }

    /// What stands at a path; a link there is reported, not followed.
    pub fn metadata(&self, path: &str) -> Result<Metadata, WalkError> {
        let (parent, name) = split(path)?;
        self.directory(parent)?.metadata(name)
    }

    /// Opens a regular file for reading.
    pub fn file(&self, path: &str) -> Result<OpenFile, WalkError> {
        let (parent, name) = split(path)?;
        self.directory(parent)?.file(name)
    }
}

/// An open directory below a root. Names given to it are single components.
#[derive(Clone, Debug)]
pub struct Dir {
    fd: Rc<OwnedFd>,
    path: String,
}

impl Dir {
    /// The absolute host path of an entry.
    pub fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// The absolute host path of this directory; empty for the root.
    pub fn own_path(&self) -> &str {
        &self.path
    }

    /// What the system says about this directory itself.
    pub fn own_metadata(&self) -> Result<Metadata, WalkError> {
        let stat = fstat(&*self.fd).map_err(|errno| WalkError::io("look at", &self.path, errno))?;
        Ok(Metadata::of(&stat))
    }

    /// What stands at a name; a link is reported, not followed.
    pub fn metadata(&self, name: &str) -> Result<Metadata, WalkError> {
        self.check(name)?;
        match statat(&*self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Metadata::of(&stat)),
            Err(Errno::NOENT) => Err(WalkError::NotFound { at: self.at(name) }),
            Err(errno) => Err(WalkError::io("look at", &self.at(name), errno)),
        }
    }

    /// Opens the directory at an absolute path below this one, which is the root, in one step; none when
    /// that fails for any reason.
    fn beneath(&self, path: &str) -> Option<Self> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let relative = path.strip_prefix('/')?;
        let open = |flags| openat2(&*self.fd, relative, flags, Mode::empty(), resolve);
        let fd = quietly(DIRECTORY, open).ok()?;
        Some(Self { fd: Rc::new(fd), path: path.to_owned() })
    }

    /// Opens a directory in this one.
    pub fn enter(&self, name: &str) -> Result<Self, WalkError> {
        self.check(name)?;
        let at = self.at(name);
        match quietly(DIRECTORY, |flags| openat(&*self.fd, name, flags, Mode::empty())) {
            Ok(fd) => Ok(Self { fd: Rc::new(fd), path: at }),
            Err(Errno::NOENT) => Err(WalkError::NotFound { at }),
            // Linux answers ENOTDIR for links too when O_DIRECTORY is set.
            Err(Errno::NOTDIR | Errno::LOOP) => Err(match self.metadata(name)?.kind {
                Kind::Symlink => WalkError::Symlink { at },
                // swapped in between
                Kind::Directory => WalkError::Changed { at },
                kind => WalkError::NotADirectory { at, kind },
            }),
            Err(errno) => Err(WalkError::io("open", &at, errno)),
        }
    }

    fn check(&self, name: &str) -> Result<(), WalkError> {
        if is_component(name) { Ok(()) } else { Err(WalkError::Invalid { at: self.at(name) }) }
    }
}

/// How directories are opened.
const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens something so that reading it leaves no trace, its access time; only its owner and root may.
fn quietly(flags: OFlags, open: impl Fn(OFlags) -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    match open(flags | OFlags::NOATIME) {
        Err(Errno::PERM) => open(flags),
        opened => opened,
    }
}

/// Splits an absolute host path into its directory (`/` at least) and its last component.
pub fn split(path: &str) -> Result<(&str, &str), WalkError> {
    match path.rsplit_once('/') {
        Some((parent, name)) if is_component(name) => {
            Ok((if parent.is_empty() { "/" } else { parent }, name))
        }
        _ => Err(WalkError::Invalid { at: path.to_owned() }),
    }
}

fn components(path: &str) -> Result<Vec<&str>, WalkError> {
    let names: Option<Vec<&str>> = path
        .strip_prefix('/')
        .map(|rest| rest.split('/').collect::<Vec<&str>>())
        .filter(|names| names.iter().all(|name| is_component(name)));
    names.ok_or_else(|| WalkError::Invalid { at: path.to_owned() })
}

fn is_component(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}
