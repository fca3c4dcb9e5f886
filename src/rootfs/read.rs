//! Reading: one open per file, types and times from the descriptor, bounded memory.

use super::{Dir, Kind, Metadata, WalkError};
use rustix::fs::{Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::{Errno, read, retry_on_intr};
use std::os::fd::OwnedFd;
use zeroize::{Zeroize, Zeroizing};

/// The most bytes of one file that are ever held in memory: 16 MiB.
pub const MAX_PARSED: u64 = 16 << 20;

const CHUNK: usize = 64 << 10;

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, bytes that are not printable ASCII or UTF-8 letters escaped (`\n`, `\xff`), so
    /// that it can be printed and never equals a plain name that it is not.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// A regular file, open for reading.
#[derive(Debug)]
pub struct OpenFile {
    fd: OwnedFd,
    metadata: Metadata,
    at: String,
}

impl OpenFile {
    pub(super) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// What the system said about the open descriptor before the first byte was read.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Passes the whole contents to `sink`, piece by piece, in constant memory.
    ///
    /// [`WalkError::Changed`] when the length is not the one that [`OpenFile::metadata`] told, or
    /// when size or times differ afterwards: what was read then is no state the file ever had.
    pub fn stream(self, mut sink: impl FnMut(&[u8])) -> Result<(), WalkError> {
        let mut buffer = Zeroizing::new(vec![0; CHUNK]);
        let mut length = 0_u64;
        loop {
            let count = retry_on_intr(|| read(&self.fd, buffer.as_mut_slice()))
                .map_err(|errno| WalkError::io("read", &self.at, errno))?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            length += piece.len() as u64;
            if length > self.metadata.size {
                return Err(WalkError::Changed { at: self.at });
            }
            sink(piece);
        }
        let after = fstat(&self.fd).map_err(|errno| WalkError::io("look at", &self.at, errno))?;
        let after = Metadata::of(&after);
        if length == self.metadata.size && after.size == length && after.times == self.metadata.times {
            Ok(())
        } else {
            Err(WalkError::Changed { at: self.at })
        }
    }

    /// The whole contents, wiped when dropped; [`WalkError::TooLarge`] above [`MAX_PARSED`].
    pub fn contents(self) -> Result<Zeroizing<Vec<u8>>, WalkError> {
        let capacity = usize::try_from(self.metadata.size).unwrap_or(usize::MAX);
        if self.metadata.size > MAX_PARSED {
            return Err(WalkError::TooLarge { at: self.at });
        }
        // Reserved at once: a vector that grows leaves copies of secrets behind.
        let mut contents = Zeroizing::new(Vec::with_capacity(capacity));
        let outcome = self.stream(|piece| contents.extend_from_slice(piece));
        if outcome.is_err() {
            contents.zeroize();
        }
        outcome.map(|()| contents)
    }
}

impl Dir {
    /// Opens a regular file in this directory.
    ///
    /// Looks first, so that no device or pipe is ever opened, and again at the descriptor.
    pub fn file(&self, name: &str) -> Result<OpenFile, WalkError> {
        let at = self.at(name);
        let not_a_file = |kind| WalkError::NotAFile { at: at.clone(), kind };
        let before = self.metadata(name)?;
        if before.kind != Kind::File {
            return Err(not_a_file(before.kind));
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match openat(&*self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Err(WalkError::NotFound { at }),
            Err(Errno::LOOP) => return Err(not_a_file(Kind::Symlink)),
            Err(errno) => return Err(WalkError::io("read", &at, errno)),
        };
        let stat = fstat(&fd).map_err(|errno| WalkError::io("look at", &at, errno))?;
        let metadata = Metadata::of(&stat);
        if metadata.kind != Kind::File {
            return Err(not_a_file(metadata.kind));
        }
        Ok(OpenFile { fd, metadata, at })
    }

    /// What the symbolic link of that name holds; nothing is followed. [`WalkError::Symlink`] when it
    /// is not text, so that no path stands for it.
    pub fn link_target(&self, name: &str) -> Result<String, WalkError> {
        let kind = self.metadata(name)?.kind;
        let at = self.at(name);
        match readlinkat(&*self.fd, name, Vec::new()) {
            Ok(target) => target.into_string().map_err(|_| WalkError::Symlink { at }),
            // It is no link.
            Err(Errno::INVAL) => Err(WalkError::NotAFile { at, kind }),
            Err(errno) => Err(WalkError::io("look at", &at, errno)),
        }
    }

    /// Every entry, hidden ones included, in byte order of the names; not `.` and `..`.
    pub fn list(&self) -> Result<Vec<Entry>, WalkError> {
        let failed = |errno| WalkError::io("list", &self.path, errno);
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&*self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let kind = match Kind::of(entry.file_type()) {
                // Some file systems leave the type to stat.
                Kind::Device => std::str::from_utf8(name)
                    .map_or(Ok(Kind::Device), |name| self.metadata(name).map(|metadata| metadata.kind)),
                kind => Ok(kind),
            };
            match kind {
                Ok(kind) => entries.push(Entry { name: printable(name), kind }),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

/// A file name as text that is safe to print: a name that cannot be mistaken for another.
fn printable(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) if !text.contains(|c: char| c.is_control() || c == '\\') => text.to_owned(),
        _ => name.escape_ascii().to_string(),
    }
}
