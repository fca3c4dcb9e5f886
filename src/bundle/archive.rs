//! The archive: plain ustar (POSIX.1-1988) of regular files, written and read in one form only.
//!
//! Owner and group 0 without names, one modification time for all, no blocks after the two that
//! end it. The reader takes the fields that may vary, writes the archive again from them, and
//! compares every byte, so there is no second way to say the same thing.

use crate::bundle::{
    MANIFEST, SIGNATURE, SUMS, gzip,
    paths::{MAX_PATH, is_entry_name},
};
use crate::finding::{Finding, Id};
use std::{
    collections::BTreeSet,
    io::{self, Write},
    ops::Range,
};
use tar::{EntryType, Header};
use thiserror::Error;

/// The most decompressed bytes of a bundle: 256 MiB.
pub const MAX_BYTES: usize = 256 << 20;
/// The most entries of a bundle.
pub const MAX_ENTRIES: usize = 10_000;

const BLOCK: usize = 512;
/// The largest value of an 11-digit octal field.
const MAX_TIME: u64 = (1 << 33) - 1;

const DAMAGED: &str = "copy the bundle again from where it was built";
const FOREIGN: &str = "this is not an archive that sealift wrote: do not use it";

/// One regular file to write.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The entry's name, a plain relative path.
    pub name: &'a str,
    /// Permission bits.
    pub mode: u32,
    /// The file's bytes.
    pub contents: &'a [u8],
}

/// Why an archive cannot be written.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// A name that is not plain, or has no place in a ustar header.
    #[error("{0:?} cannot be an archive entry")]
    Name(String),
    /// Entries that are not in the format's order, or two of one name.
    #[error("archive entry {0:?} is out of order")]
    Order(String),
    /// Too many bytes or entries.
    #[error("more than {MAX_ENTRIES} entries or {MAX_BYTES} bytes")]
    TooLarge,
    /// A time that a ustar header cannot hold.
    #[error("time {0} does not fit in an archive")]
    Time(u64),
    /// The output cannot be written.
    #[error("cannot write the archive")]
    Io(#[from] io::Error),
}

/// Where an entry stands: the three of its own first, host files after them in byte order.
pub fn rank(name: &str) -> (u8, &str) {
    match name {
        SUMS => (0, name),
        SIGNATURE => (1, name),
        MANIFEST => (2, name),
        _ => (3, name),
    }
}

/// The bundle file of these entries, which must be in the order of [`rank`].
/// `epoch` is the modification time of all, in seconds since 1970.
pub fn write(entries: &[Entry<'_>], epoch: u64) -> Result<Vec<u8>, ArchiveError> {
    if let Some([_, late]) = entries.array_windows().find(|[a, b]| rank(a.name) >= rank(b.name)) {
        return Err(ArchiveError::Order(late.name.into()));
    }
    let bytes: usize = entries.iter().map(|entry| BLOCK + entry.contents.len().next_multiple_of(BLOCK)).sum();
    if entries.len() > MAX_ENTRIES || bytes + 2 * BLOCK > MAX_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    // flate2 clears its whole buffer at every write: give it one
    let mut tar = Vec::with_capacity(bytes + 2 * BLOCK);
    write_tar(entries, epoch, &mut tar)?;
    let mut out = gzip::encoder(Vec::new());
    out.write_all(&tar)?;
    Ok(out.finish()?)
}

fn write_tar(entries: &[Entry<'_>], epoch: u64, out: &mut impl Write) -> Result<(), ArchiveError> {
    const ZEROS: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
    for entry in entries {
        out.write_all(header(*entry, epoch)?.as_bytes())?;
        out.write_all(entry.contents)?;
        let padding = entry.contents.len().next_multiple_of(BLOCK) - entry.contents.len();
        out.write_all(ZEROS.get(..padding).unwrap_or_default())?;
    }
    Ok(out.write_all(&ZEROS)?)
}

fn header(entry: Entry<'_>, epoch: u64) -> Result<Header, ArchiveError> {
    let refused = || ArchiveError::Name(entry.name.into());
    if !is_entry_name(entry.name) {
        return Err(refused());
    }
    if epoch > MAX_TIME {
        return Err(ArchiveError::Time(epoch));
    }
    let mut header = Header::new_ustar();
    header.set_path(entry.name).map_err(|_| refused())?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(entry.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(entry.contents.len() as u64);
    header.set_mtime(epoch);
    header.set_device_major(0)?;
    header.set_device_minor(0)?;
    header.set_cksum();
    Ok(header)
}

/// An archive that was read: its bytes, once, and where each entry lies in them.
#[derive(Debug)]
pub struct Archive {
    tar: Vec<u8>,
    epoch: u64,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    mode: u32,
    range: Range<usize>,
}

impl Archive {
    /// The entries in the archive's order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.members.iter().map(|member| self.view(member))
    }

    fn view<'a>(&'a self, member: &'a Member) -> Entry<'a> {
        let contents = self.tar.get(member.range.clone()).unwrap_or_default();
        Entry { name: &member.name, mode: member.mode, contents }
    }

    /// The modification time of all entries, in seconds since 1970.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The entry of this name.
    pub fn entry(&self, name: &str) -> Option<Entry<'_>> {
        let sorted = self.members.binary_search_by(|member| rank(&member.name).cmp(&rank(name)));
        // An archive out of order is refused, but its signature is judged all the same.
        let at = sorted.ok().or_else(|| self.members.iter().position(|member| member.name == name))?;
        self.members.get(at).map(|member| self.view(member))
    }
}

/// Reads a bundle file named `file`.
///
/// Fails when the bytes cannot be decoded at all. What can be read but is not in the one allowed
/// form (names, order, duplicates, header fields, padding) comes back beside the archive, so that a
/// signature can still be judged; such an archive must be refused all the same.
pub fn read(bytes: &[u8], file: &str) -> Result<(Archive, Vec<Finding>), Vec<Finding>> {
    let tar = gzip::decode(bytes, MAX_BYTES).map_err(|error| vec![error.finding(file)])?;
    read_tar(tar, file)
}

fn read_tar(tar: Vec<u8>, file: &str) -> Result<(Archive, Vec<Finding>), Vec<Finding>> {
    let mut reader = Reader { tar: &tar, at: 0, file, epoch: None, findings: Vec::new() };
    let members = match reader.members() {
        Ok(members) => members,
        Err(fatal) => {
            reader.findings.push(fatal);
            return Err(reader.findings);
        }
    };
    let (epoch, mut findings) = (reader.epoch.unwrap_or_default(), reader.findings);
    let archive = Archive { tar, epoch, members };
    findings.extend(order(&archive, file));
    // With a name that is refused there is nothing to write again.
    if !findings.iter().any(|finding| finding.id == Id::EntryPath) {
        findings.extend(rebuild(&archive, file));
    }
    Ok((archive, findings))
}

fn order(archive: &Archive, file: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    let mut highest = None;
    // Refused names were left empty and have no order.
    for entry in archive.entries().filter(|entry| !entry.name.is_empty()) {
        let path = format!("{file}:{}", entry.name);
        if !seen.insert(entry.name) {
            findings.push(Finding::new(Id::EntryDuplicate, path, FOREIGN));
        } else if highest > Some(rank(entry.name)) {
            findings.push(Finding::new(Id::EntryOrder, path, FOREIGN));
        } else {
            highest = Some(rank(entry.name));
        }
    }
    findings
}

/// Writes the archive again from what was read and finds the first byte that differs.
fn rebuild(archive: &Archive, file: &str) -> Option<Finding> {
    let entries: Vec<_> = archive.entries().collect();
    let mut comparison = Comparison { rest: &archive.tar, same: 0 };
    let written = write_tar(&entries, archive.epoch, &mut comparison);
    if written.is_ok() && comparison.rest.is_empty() {
        return None;
    }
    let found = format!("differs from byte {} of the tar on", comparison.same);
    Some(Finding::new(Id::ArchiveNotCanonical, file, FOREIGN).found(found))
}

/// A writer that takes only the bytes it expects.
struct Comparison<'a> {
    rest: &'a [u8],
    same: usize,
}

impl Write for Comparison<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let same = bytes.iter().zip(self.rest).take_while(|(a, b)| a == b).count();
        self.same += same;
        self.rest = self.rest.get(same..).unwrap_or_default();
        if same == bytes.len() { Ok(same) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Reader<'a> {
    tar: &'a [u8],
    at: usize,
    file: &'a str,
    epoch: Option<u64>,
    findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    fn members(&mut self) -> Result<Vec<Member>, Finding> {
        let mut members = Vec::new();
        loop {
            let block = self.take(BLOCK, "ends without two blocks of zeros")?;
            if is_zero(block) {
                return match self.take(BLOCK, "ends after one block of zeros")? {
                    block if is_zero(block) => Ok(members),
                    _ => Err(self.invalid("one block of zeros between entries")),
                };
            }
            if members.len() == MAX_ENTRIES {
                let found = format!("more than {MAX_ENTRIES} entries");
                return Err(Finding::new(Id::ArchiveTooLarge, self.file, FOREIGN).found(found));
            }
            members.push(self.member(Header::from_byte_slice(block))?);
        }
    }

    fn member(&mut self, header: &Header) -> Result<Member, Finding> {
        if header.cksum().ok() != Some(checksum(header.as_bytes())) {
            return Err(self.invalid("header checksum is wrong"));
        }
        if header.as_ustar().is_none() {
            return Err(self.invalid("header is not ustar"));
        }
        let name = header.path_bytes();
        let path = format!("{}:{}", self.file, name.escape_ascii());
        if name.len() > MAX_PATH {
            let found = format!("a path of {} bytes", name.len());
            return Err(Finding::new(Id::ArchiveTooLarge, self.file, FOREIGN).found(found));
        }
        check_type(header.entry_type(), &path)?;
        let (Ok(size), Ok(mode), Ok(time)) = (header.size(), header.mode(), header.mtime()) else {
            return Err(self.invalid("header has a field that is not a number"));
        };
        self.epoch.get_or_insert(time);
        let name = std::str::from_utf8(&name).ok().filter(|name| is_entry_name(name));
        if name.is_none() {
            self.findings.push(Finding::new(Id::EntryPath, path, FOREIGN));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let start = self.at;
        self.take(size, "ends within an entry")?;
        let range = start..self.at;
        self.take(size.next_multiple_of(BLOCK) - size, "ends within an entry's padding")?;
        Ok(Member { name: name.unwrap_or_default().into(), mode, range })
    }

    fn take(&mut self, length: usize, otherwise: &str) -> Result<&'a [u8], Finding> {
        let end = self.at.checked_add(length);
        let taken = end.and_then(|end| self.tar.get(self.at..end)).ok_or_else(|| self.invalid(otherwise))?;
        self.at += length;
        Ok(taken)
    }

    fn invalid(&self, found: &str) -> Finding {
        let found = format!("{found}, at byte {}", self.at);
        Finding::new(Id::ArchiveInvalid, self.file, DAMAGED).found(found)
    }
}

fn check_type(kind: EntryType, path: &str) -> Result<(), Finding> {
    let found = match kind {
        EntryType::Regular => return Ok(()),
        EntryType::Link => "hard link",
        EntryType::Symlink => "symbolic link",
        EntryType::Char => "character device",
        EntryType::Block => "block device",
        EntryType::Directory => "directory",
        EntryType::Fifo => "fifo",
        other => {
            let found = format!("header type {:?}, which is not of plain ustar", char::from(other.as_byte()));
            return Err(Finding::new(Id::ArchiveInvalid, path, FOREIGN).found(found));
        }
    };
    Err(Finding::new(Id::EntryType, path, FOREIGN).expected("regular file").found(found))
}

fn is_zero(block: &[u8]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

/// The header's bytes summed up, with its checksum field (bytes 148 to 155) taken as spaces.
fn checksum(header: &[u8; BLOCK]) -> u32 {
    let byte = |(at, byte): (usize, &u8)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte });
    header.iter().enumerate().map(byte).sum()
}
