//! Reading: one open per file, types and times from the descriptor, bounded memory.

use super::{Dir, Kind, Metadata, WalkError, quietly};
use crate::finding::is_plain;
use rustix::buffer::spare_capacity;
use rustix::fs::{
    Advice, AtFlags, Mode, OFlags, StatxAttributes, StatxFlags, fadvise, fstat, openat, readlinkat, statx,
};
use rustix::io::{Errno, read, retry_on_intr};
use std::os::fd::OwnedFd;
use zeroize::Zeroizing;

/// The most bytes of one file that are ever held in memory: 16 MiB.
pub const MAX_PARSED: u64 = 16 << 20;

/// How much of a large file is read at once.
const CHUNK: usize = 256 << 10;

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

    /// Whether something is mounted on this very file, so that it is not what its directory holds. False where
    /// the kernel cannot tell (before Linux 5.8).
    pub fn is_mounted(&self) -> bool {
        let root = StatxAttributes::MOUNT_ROOT;
        statx(&self.fd, c"", AtFlags::EMPTY_PATH, StatxFlags::empty())
            .is_ok_and(|stat| stat.stx_attributes_mask.contains(root) && stat.stx_attributes.contains(root))
    }

    /// Reads on into the free room of a buffer; how many bytes, 0 at the end.
    fn fill(&self, buffer: &mut Vec<u8>) -> Result<usize, WalkError> {
        let read = retry_on_intr(|| read(&self.fd, spare_capacity(buffer)));
        read.map_err(|errno| WalkError::io("read", &self.at, errno))
    }

    /// Whether the file still is what [`OpenFile::metadata`] told, after so many bytes were read to the end.
    fn unchanged(&self, length: u64) -> Result<(), WalkError> {
        let after = fstat(&self.fd).map_err(|errno| WalkError::io("look at", &self.at, errno))?;
        let after = Metadata::of(&after);
        if length == self.metadata.size && after.size == length && after.times == self.metadata.times {
            Ok(())
        } else {
            Err(WalkError::Changed { at: self.at.clone() })
        }
    }

    /// Passes the whole contents to `sink`, piece by piece, in constant memory.
    ///
    /// [`WalkError::Changed`] when the length is not the one that [`OpenFile::metadata`] told, or
    /// when size or times differ afterwards: what was read then is no state the file ever had.
    pub fn stream(self, mut sink: impl FnMut(&[u8])) -> Result<(), WalkError> {
        let room = usize::try_from(self.metadata.size).unwrap_or(CHUNK).min(CHUNK - 1) + 1;
        let mut buffer = Zeroizing::new(Vec::with_capacity(room));
        if room == CHUNK {
            // A hint: without it, all is the same but slower.
            let _ = fadvise(&self.fd, 0, None, Advice::Sequential);
        }
        let mut length = 0_u64;
        while self.fill(&mut buffer)? > 0 {
            length += buffer.len() as u64;
            if length > self.metadata.size {
                return Err(WalkError::Changed { at: self.at });
            }
            sink(&buffer);
            buffer.clear();
        }
        self.unchanged(length)
    }

    /// The whole contents, wiped when dropped; [`WalkError::TooLarge`] above [`MAX_PARSED`].
    pub fn contents(self) -> Result<Zeroizing<Vec<u8>>, WalkError> {
        if self.metadata.size > MAX_PARSED {
            return Err(WalkError::TooLarge { at: self.at });
        }
        let capacity = usize::try_from(self.metadata.size).unwrap_or(usize::MAX).saturating_add(1);
        // Reserved at once, with room to see that it grew: a vector that grows leaves copies of secrets behind.
        let mut contents = Zeroizing::new(Vec::with_capacity(capacity));
        while contents.len() as u64 <= self.metadata.size && self.fill(&mut contents)? > 0 {}
        self.unchanged(contents.len() as u64)?;
        Ok(contents)
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
        let fd = match quietly(flags, |flags| openat(&*self.fd, name, flags, Mode::empty())) {
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
        self.list_some(usize::MAX)
    }

    /// As [`Dir::list`], but at most so many entries, whichever the system tells first.
    pub fn list_some(&self, most: usize) -> Result<Vec<Entry>, WalkError> {
        let failed = |errno| WalkError::io("list", &self.path, errno);
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&*self.fd).map_err(failed)? {
            if entries.len() == most {
                break;
            }
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
pub(super) fn printable(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) if text.chars().all(|c| is_plain(c) && c != '\\') => text.to_owned(),
        _ => name.escape_ascii().to_string(),
    }
}
