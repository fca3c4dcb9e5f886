//! Writing: new files appear under a temporary name, whole, with their final mode and owner, and
//! take their place by rename. Only `host` uses this.

use super::{Dir, Kind, Metadata, Root, WalkError, attributes as extended_attributes};
use rustix::fs::{
    AtFlags, FlockOperation, Gid, Mode, OFlags, Uid, fchmod, fchown, flock, fstat, fsync, linkat, mkdirat,
    openat, renameat, unlinkat,
};
use rustix::io::{Errno, retry_on_intr, write};
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;

/// What the names of files that are not in place yet begin with; 32 lower-case hex digits follow.
/// The leading dot keeps the kubelet and others that read whole directories away.
pub const TEMPORARY_PREFIX: &str = ".sealift-";

const RANDOM_BYTES: usize = 16;

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

/// Whether a name is one that [`Dir::stage`] gives, so whatever bears it is left from an install
/// that was interrupted.
pub fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY_PREFIX).is_some_and(|digits| {
        digits.len() == 2 * RANDOM_BYTES
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

impl Dir {
    /// A name in this directory that nothing bears.
    fn temporary_name(&self) -> Result<String, WalkError> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(|error| WalkError::Io {
            doing: "choose a temporary name in",
            at: self.path.clone(),
            source: io::Error::other(error),
        })?;
        Ok(format!("{TEMPORARY_PREFIX}{}", hex::encode(random)))
    }

    /// Writes a file under a temporary name, which it returns, and forces it to the disk.
    ///
    /// It is created with 0600 and gets its mode after its owner, so nobody can ever read what
    /// they should not. Leaves nothing behind on failure.
    pub fn stage(&self, contents: &[u8], attributes: Attributes) -> Result<String, WalkError> {
        self.write_beside(contents, attributes, &[])
    }

    /// As [`Dir::stage`], with the extended attributes of the file of that name, whose contents are to change.
    pub fn stage_anew(
        &self,
        name: &str,
        contents: &[u8],
        attributes: Attributes,
    ) -> Result<String, WalkError> {
        let extended = extended_attributes::of(&self.file(name)?)?;
        self.write_beside(contents, attributes, &extended)
    }

    fn write_beside(
        &self,
        contents: &[u8],
        attributes: Attributes,
        extended: &[(CString, Vec<u8>)],
    ) -> Result<String, WalkError> {
        let name = self.temporary_name()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&*self.fd, &name, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| WalkError::io("write in", &self.path, errno))?;
        match fill(&fd, contents, attributes, extended) {
            Ok(()) => Ok(name),
            Err(errno) => {
                // The first error is the one to report.
                let _ = self.unlink(&name);
                Err(WalkError::io("write in", &self.path, errno))
            }
        }
    }

    /// Gives an entry another name in this directory, replacing what bears that name.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), WalkError> {
        self.check(from)?;
        self.check(to)?;
        renameat(&*self.fd, from, &*self.fd, to)
            .map_err(|errno| WalkError::io("replace", &self.at(to), errno))
    }

    /// Gives a regular file a second name, which it returns, so that it can be brought back.
    pub fn keep(&self, name: &str) -> Result<String, WalkError> {
        self.check(name)?;
        let kept = self.temporary_name()?;
        linkat(&*self.fd, name, &*self.fd, &kept, AtFlags::empty())
            .map_err(|errno| WalkError::io("replace", &self.at(name), errno))?;
        Ok(kept)
    }

    /// Takes a file out of its place, to a temporary name, which it returns.
    pub fn set_aside(&self, name: &str) -> Result<String, WalkError> {
        self.check(name)?;
        let kept = self.temporary_name()?;
        renameat(&*self.fd, name, &*self.fd, &kept)
            .map_err(|errno| WalkError::io("remove", &self.at(name), errno))?;
        Ok(kept)
    }

    /// Removes a file.
    pub fn unlink(&self, name: &str) -> Result<(), WalkError> {
        self.check(name)?;
        unlinkat(&*self.fd, name, AtFlags::empty())
            .map_err(|errno| WalkError::io("remove", &self.at(name), errno))
    }

    /// Makes a directory in this one; nobody but its owner may enter before its mode is set.
    pub fn make(&self, name: &str, attributes: Attributes) -> Result<Self, WalkError> {
        self.check(name)?;
        let failed = |errno| WalkError::io("make", &self.at(name), errno);
        mkdirat(&*self.fd, name, Mode::from_raw_mode(0o700)).map_err(failed)?;
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
        let set = extended_attributes::strip(&self.fd).and_then(|()| dress(&self.fd, attributes));
        set.map_err(|errno| WalkError::io("set mode or owner of", &self.path, errno))
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

    /// The names in this directory that [`is_temporary`] knows and that are regular files.
    pub fn leftovers(&self) -> Result<Vec<String>, WalkError> {
        let entries = self.list()?.into_iter();
        Ok(entries
            .filter(|entry| entry.kind == Kind::File && is_temporary(&entry.name))
            .map(|entry| entry.name)
            .collect())
    }
}

fn fill(
    fd: &OwnedFd,
    contents: &[u8],
    attributes: Attributes,
    extended: &[(CString, Vec<u8>)],
) -> Result<(), Errno> {
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
    fsync(fd)
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
