//! Writing: new files are made whole in a staging directory beside their place, with their final
//! mode and owner, and take their place by rename. Only `host` uses this.

use super::{Dir, Kind, Metadata, Root, WalkError, attributes as extended_attributes};
use rustix::fs::{
    AtFlags, FlockOperation, Gid, IFlags, Mode, OFlags, RenameFlags, Uid, fchmod, fchown, flock, fstat,
    fsync, ioctl_getflags, linkat, mkdirat, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::{Errno, retry_on_intr, write};
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;

/// What the names of staging directories begin with; 32 lower-case hex digits follow.
/// The leading dot keeps the kubelet and others that read whole directories away.
pub const TEMPORARY_PREFIX: &str = ".sealift-";

const RANDOM_BYTES: usize = 16;

/// Why the system answers EPERM to root: the file or its directory may not be changed.
#[derive(Debug, thiserror::Error)]
#[error("{at} has the {} attribute", if *.append_only { "append-only" } else { "immutable" })]
pub struct Immutable {
    /// The file or directory.
    pub at: String,
    /// `chattr +a`, not `chattr +i`.
    pub append_only: bool,
}

/// Mode, owner and group that a file or directory shall have, whatever the umask says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Permission bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

impl Attributes {
    /// Those that a manifest states, with owner and group as they are on this root.
    pub fn on(root: &Root, mode: u32, uid: u32, gid: u32) -> Self {
        let (uid, gid) = root.owner(uid, gid);
        Self { mode, uid, gid }
    }

    /// Those that something has.
    pub fn of(metadata: &Metadata) -> Self {
        Self { mode: metadata.mode, uid: metadata.uid, gid: metadata.gid }
    }
}

/// A name for a staging directory that nothing bears.
pub fn temporary_name() -> io::Result<String> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!("{TEMPORARY_PREFIX}{}", hex::encode(random)))
}

/// Whether a name is one that [`temporary_name`] gives, so whatever bears it is of an install that
/// is at work or was interrupted.
pub fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY_PREFIX).is_some_and(|digits| {
        digits.len() == 2 * RANDOM_BYTES
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

impl Dir {
    /// Writes a new file and forces it to the disk; with the extended attributes of `like`, an entry of
    /// another directory, when its contents are to change. Returns what the system says about it.
    ///
    /// It is created with 0600 and gets its mode after its owner, so nobody can ever read what
    /// they should not. Leaves nothing behind on failure.
    pub fn write_new(
        &self,
        name: &str,
        contents: &[u8],
        attributes: Attributes,
        like: Option<(&Self, &str)>,
    ) -> Result<Metadata, WalkError> {
        self.check(name)?;
        let extended = match like {
            Some((directory, name)) => extended_attributes::of(&directory.file(name)?)?,
            None => Vec::new(),
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&*self.fd, name, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| WalkError::io("write in", &self.path, errno))?;
        fill(&fd, contents, attributes, &extended).map_err(|errno| {
            // The first error is the one to report.
            let _ = self.unlink(name);
            WalkError::io("write in", &self.path, errno)
        })
    }

    /// Gives an entry another name, in this directory or another of its file system, replacing what
    /// bears that name.
    pub fn rename(&self, from: &str, into: &Self, to: &str) -> Result<(), WalkError> {
        self.check(from)?;
        self.check(to)?;
        renameat(&*self.fd, from, &*into.fd, to)
            .map_err(|errno| into.refused("replace", to, errno, &[(self, from), (into, to)]))
    }

    /// As [`Dir::rename`], where nothing must be; [`WalkError::Changed`] when something is.
    pub fn place_anew(&self, from: &str, into: &Self, to: &str) -> Result<(), WalkError> {
        self.check(from)?;
        self.check(to)?;
        match renameat_with(&*self.fd, from, &*into.fd, to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(WalkError::Changed { at: into.at(to) }),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.rename(from, into, to),
            Err(errno) => Err(into.refused("write", to, errno, &[(into, to)])),
        }
    }

    /// Takes a file out of its place, into another directory of its file system.
    pub fn set_aside(&self, name: &str, into: &Self, to: &str) -> Result<(), WalkError> {
        self.check(name)?;
        self.check(to)?;
        renameat(&*self.fd, name, &*into.fd, to)
            .map_err(|errno| self.refused("remove", name, errno, &[(self, name)]))
    }

    /// Swaps two files in one step; false where the file system has no such thing.
    pub fn exchange(&self, name: &str, with: &Self, other: &str) -> Result<bool, WalkError> {
        self.check(name)?;
        self.check(other)?;
        match renameat_with(&*self.fd, name, &*with.fd, other, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
            Err(errno) => Err(with.refused("replace", other, errno, &[(with, other)])),
        }
    }

    /// Gives a regular file a second name in another directory, so that it can be brought back; false
    /// where the file system has no second names.
    pub fn keep(&self, name: &str, into: &Self, as_name: &str) -> Result<bool, WalkError> {
        self.check(name)?;
        self.check(as_name)?;
        match linkat(&*self.fd, name, &*into.fd, as_name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK) => Ok(false),
            Err(errno @ Errno::PERM) => match self.immutable(&[(self, name)]) {
                Some(immutable) => Err(self.because("replace", name, immutable)),
                // vfat and others say so; so does protected_hardlinks of another user's file
                None if self.metadata(name)?.kind == Kind::File => Ok(false),
                None => Err(WalkError::io("replace", &self.at(name), errno)),
            },
            Err(errno) => Err(WalkError::io("replace", &self.at(name), errno)),
        }
    }

    fn refused(
        &self,
        doing: &'static str,
        name: &str,
        errno: Errno,
        suspects: &[(&Self, &str)],
    ) -> WalkError {
        match self.immutable(suspects).filter(|_| errno == Errno::PERM) {
            Some(immutable) => self.because(doing, name, immutable),
            None => WalkError::io(doing, &self.at(name), errno),
        }
    }

    /// Why nothing new can be made in this directory.
    fn no_entry(&self, errno: Errno) -> WalkError {
        let own = if self.path.is_empty() { "/" } else { &self.path };
        match immutable(&self.fd, own.to_owned()).filter(|_| errno == Errno::PERM) {
            Some(immutable) => io_error("write in", own, immutable),
            None => WalkError::io("write in", own, errno),
        }
    }

    fn because(&self, doing: &'static str, name: &str, immutable: Immutable) -> WalkError {
        io_error(doing, &self.at(name), immutable)
    }

    /// The first of these files, or of their directories, that may not be changed by anybody.
    fn immutable(&self, suspects: &[(&Self, &str)]) -> Option<Immutable> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        suspects.iter().find_map(|(directory, name)| {
            let file = directory.file(name).ok().and_then(|_| {
                let fd = openat(&*directory.fd, *name, flags, Mode::empty()).ok()?;
                immutable(&fd, directory.at(name))
            });
            let own = if directory.path.is_empty() { "/" } else { &directory.path };
            file.or_else(|| immutable(&directory.fd, own.to_owned()))
        })
    }

    /// Removes a file.
    pub fn unlink(&self, name: &str) -> Result<(), WalkError> {
        self.check(name)?;
        unlinkat(&*self.fd, name, AtFlags::empty())
            .map_err(|errno| self.refused("remove", name, errno, &[(self, name)]))
    }

    /// Makes a directory in this one that nobody but its owner may enter.
    pub fn make_private(&self, name: &str) -> Result<Self, WalkError> {
        self.check(name)?;
        mkdirat(&*self.fd, name, Mode::from_raw_mode(0o700)).map_err(|errno| self.no_entry(errno))?;
        let made = self.enter(name)?;
        let metadata = made.own_metadata()?;
        // A umask takes bits, a directory above that has setgid brings one.
        if metadata.mode != 0o700 {
            fchmod(&*made.fd, Mode::from_raw_mode(0o700))
                .map_err(|errno| WalkError::io("set mode or owner of", &made.path, errno))?;
        }
        Ok(made)
    }

    /// Makes a directory in this one; nobody but its owner may write in it before its mode is set.
    pub fn make(&self, name: &str, attributes: Attributes) -> Result<Self, WalkError> {
        self.check(name)?;
        let failed = |errno| match errno {
            Errno::PERM => self.no_entry(errno),
            errno => WalkError::io("make", &self.at(name), errno),
        };
        // Others may look into it, as it is empty, and nobody writes before it has its owner.
        let narrow = Mode::from_raw_mode(attributes.mode & 0o755 | 0o700);
        mkdirat(&*self.fd, name, narrow).map_err(failed)?;
        let made = self.enter(name).and_then(|made| made.set(attributes).map(|()| made));
        if made.is_err() {
            let _ = self.remove_directory(name);
        }
        made
    }

    /// Removes an empty directory.
    pub fn remove_directory(&self, name: &str) -> Result<(), WalkError> {
        self.check(name)?;
        unlinkat(&*self.fd, name, AtFlags::REMOVEDIR)
            .map_err(|errno| WalkError::io("remove", &self.at(name), errno))
    }

    /// Sets this directory's own owner and mode, and takes away what else grants something.
    pub fn set(&self, attributes: Attributes) -> Result<(), WalkError> {
        let own = if self.path.is_empty() { "/" } else { &self.path };
        let set = extended_attributes::strip(&self.fd).and_then(|()| dress(&self.fd, attributes));
        set.map_err(|errno| match immutable(&self.fd, own.to_owned()).filter(|_| errno == Errno::PERM) {
            Some(immutable) => io_error("set mode or owner of", own, immutable),
            None => WalkError::io("set mode or owner of", own, errno),
        })
    }

    /// Forces this directory's entries to the disk.
    pub fn sync(&self) -> Result<(), WalkError> {
        fsync(&*self.fd).map_err(|errno| WalkError::io("write", &self.path, errno))
    }

    /// Takes the directory's lock for as long as this handle, or a clone of it, lives; false when
    /// another process has it.
    pub fn lock(&self) -> Result<bool, WalkError> {
        match flock(&*self.fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(errno) => Err(WalkError::io("lock", &self.path, errno)),
        }
    }

    /// Names and kinds of what [`is_temporary`] knows in this directory: staging directories, and files
    /// that earlier releases staged.
    pub fn leftovers(&self) -> Result<Vec<super::Entry>, WalkError> {
        let mut entries = self.list()?;
        entries
            .retain(|entry| matches!(entry.kind, Kind::File | Kind::Directory) && is_temporary(&entry.name));
        Ok(entries)
    }
}

fn io_error(doing: &'static str, at: &str, immutable: Immutable) -> WalkError {
    let source = io::Error::new(io::ErrorKind::PermissionDenied, immutable);
    WalkError::Io { doing, at: at.to_owned(), source }
}

fn immutable(fd: &OwnedFd, at: String) -> Option<Immutable> {
    let flags = ioctl_getflags(fd).ok()?;
    let append_only = flags.contains(IFlags::APPEND);
    (append_only || flags.contains(IFlags::IMMUTABLE)).then_some(Immutable { at, append_only })
}

fn fill(
    fd: &OwnedFd,
    contents: &[u8],
    attributes: Attributes,
    extended: &[(CString, Vec<u8>)],
) -> Result<Metadata, Errno> {
    let mut rest = contents;
    while !rest.is_empty() {
        let written = retry_on_intr(|| write(fd, rest))?;
        rest = rest.get(written..).filter(|_| written > 0).ok_or(Errno::IO)?;
    }
    // what the directory's default access list gave it; before the mode, which would put it in force
    extended_attributes::strip(fd)?;
    dress(fd, attributes)?;
    // an access list tells the mode's group bits too, the same ones
    extended_attributes::give(fd, extended)?;
    fsync(fd)?;
    Ok(Metadata::of(&fstat(fd)?))
}

fn dress(fd: &OwnedFd, attributes: Attributes) -> Result<(), Errno> {
    let Attributes { mode, uid, gid } = attributes;
    // chown takes the largest number for "leave it".
    if uid == u32::MAX || gid == u32::MAX {
        return Err(Errno::INVAL);
    }
    let now = fstat(fd)?;
    if (now.st_uid, now.st_gid) != (uid, gid) {
        fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    // Unconditionally: a change of owner clears bits, and a umask may have.
    fchmod(fd, Mode::from_raw_mode(mode))
}
