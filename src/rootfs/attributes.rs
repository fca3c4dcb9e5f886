//! Extended attributes: the security label, access lists, and whatever a person set.

use super::read::OpenFile;
use super::{Dir, WalkError};
use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::fd::OwnedFd;

/// The most bytes of all names, and of one value (xattr(7), `XATTR_LIST_MAX` and `XATTR_SIZE_MAX`).
const LARGEST: usize = 64 << 10;
/// Enough for what nearly every file has: a label.
const USUAL: usize = 512;

/// Digests and signatures of contents, which are those of no other contents.
const OF_CONTENTS: &[&CStr] = &[c"security.evm", c"security.ima"];

const ACCESS: &CStr = c"system.posix_acl_access";
const DEFAULT: &CStr = c"system.posix_acl_default";
const CAPABILITY: &CStr = c"security.capability";

/// What stands beside mode and owner, and grants or hides something.
///
/// Not labels and signatures of the kernel's security modules (`security.*` but capabilities: SELinux's, IMA's,
/// EVM's, Smack's, AppArmor's), nor what file systems say of themselves (`btrfs.*`, `system.nfs4_acl`,
/// overlayfs' own, XFS' second name of its access lists).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// An access list that says more than mode bits do.
    AccessList(AccessList),
    /// The access list that new entries of a directory begin with.
    DefaultList,
    /// Capabilities that a program gets (capabilities(7), "File capabilities").
    Capabilities,
    /// Any other of `user.*` and `trusted.*`: its name, safe to print.
    Other(String),
}

/// An access list in POSIX's sense (acl(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessList(Vec<Grant>);

/// One entry: its tag, its rights (`rwx` as in a mode), and whom a named one is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grant {
    tag: u16,
    rights: u16,
    id: u32,
}

// linux/posix_acl.h
const OWNER: u16 = 0x01;
const USER: u16 = 0x02;
const OWN_GROUP: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// The most entries of a list that are told.
const MOST_TOLD: usize = 16;

impl AccessList {
    /// Reads the kernel's form (linux/posix_acl_xattr.h): version 2, then entries of 8 bytes, little-endian.
    fn parse(value: &[u8]) -> Option<Self> {
        let (version, rest) = value.split_first_chunk::<4>()?;
        let (entries, rest) = rest.as_chunks::<8>();
        let grant = |&[tag, tag_high, rights, rights_high, id @ ..]: &[u8; 8]| Grant {
            tag: u16::from_le_bytes([tag, tag_high]),
            rights: u16::from_le_bytes([rights, rights_high]) & 7,
            id: u32::from_le_bytes(id),
        };
        (u32::from_le_bytes(*version) == 2 && rest.is_empty())
            .then(|| Self(entries.iter().map(grant).collect()))
    }

    /// Whether mode bits say all of it.
    fn is_of_mode(&self) -> bool {
        self.0.iter().all(|grant| matches!(grant.tag, OWNER | OWN_GROUP | OTHER))
    }

    /// What named users and groups may, all of them together, as the `rwx` bits of a mode.
    pub fn named(&self) -> u32 {
        let mask = self.0.iter().find(|grant| grant.tag == MASK).map_or(7, |grant| grant.rights);
        let named = self.0.iter().filter(|grant| matches!(grant.tag, USER | GROUP));
        named.fold(0, |all, grant| all | u32::from(grant.rights & mask))
    }
}

/// As `getfacl -n` writes it, in one line.
impl fmt::Display for AccessList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, grant) in self.0.iter().take(MOST_TOLD).enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let whom = match grant.tag {
                OWNER | USER => "user",
                OWN_GROUP | GROUP => "group",
                MASK => "mask",
                OTHER => "other",
                _ => "?",
            };
            write!(f, "{comma}{whom}:")?;
            if matches!(grant.tag, USER | GROUP) {
                write!(f, "{}", grant.id)?;
            }
            let right = |bit, letter| if grant.rights & bit == 0 { '-' } else { letter };
            write!(f, ":{}{}{}", right(4, 'r'), right(2, 'w'), right(1, 'x'))?;
        }
        match self.0.len().saturating_sub(MOST_TOLD) {
            0 => Ok(()),
            more => write!(f, ",… ({more} more)"),
        }
    }
}

/// What an attribute of that name may be; none when it says nothing.
fn kind(name: &CStr) -> Option<Extra> {
    let bytes = name.to_bytes();
    let harmless = [&b"trusted.overlay."[..], b"user.overlay.", b"trusted.SGI_ACL_"];
    if name == ACCESS {
        Some(Extra::AccessList(AccessList(Vec::new())))
    } else if name == DEFAULT {
        Some(Extra::DefaultList)
    } else if name == CAPABILITY {
        Some(Extra::Capabilities)
    } else if (bytes.starts_with(b"user.") || bytes.starts_with(b"trusted."))
        && !harmless.iter().any(|start| bytes.starts_with(start))
    {
        Some(Extra::Other(super::read::printable(bytes)))
    } else {
        None
    }
}

/// The names of all attributes; none where the file system has no such thing.
fn names(fd: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::with_capacity(USUAL);
    let listed = match flistxattr(fd, spare_capacity(&mut names)) {
        Err(Errno::RANGE) => {
            names = Vec::with_capacity(LARGEST);
            flistxattr(fd, spare_capacity(&mut names))
        }
        listed => listed,
    };
    match listed {
        Ok(_) => {}
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
        Err(errno) => return Err(errno),
    }
    let names = names.split_inclusive(|byte| *byte == 0);
    Ok(names.filter_map(|name| CStr::from_bytes_with_nul(name).ok()).map(CStr::to_owned).collect())
}

/// The value of an attribute; none when it is gone since, or not for us to see.
fn value(fd: &OwnedFd, name: &CStr) -> Result<Option<Vec<u8>>, Errno> {
    let mut value = Vec::with_capacity(LARGEST);
    match fgetxattr(fd, name, spare_capacity(&mut value)) {
        Ok(_) => Ok(Some(value)),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Everything that is an [`Extra`], in the order of names.
fn extras(fd: &OwnedFd) -> Result<Vec<Extra>, Errno> {
    let mut names = names(fd)?;
    names.sort();
    let mut extras = Vec::new();
    for name in names {
        match kind(&name) {
            None => {}
            Some(Extra::AccessList(_)) => {
                let Some(value) = value(fd, &name)? else { continue };
                match AccessList::parse(&value) {
                    Some(list) if list.is_of_mode() => {}
                    Some(list) => extras.push(Extra::AccessList(list)),
                    None => extras.push(Extra::Other(super::read::printable(name.to_bytes()))),
                }
            }
            Some(extra) => extras.push(extra),
        }
    }
    Ok(extras)
}

const READ: &str = "read the extended attributes of";

impl OpenFile {
    /// What stands beside the mode of this file.
    pub fn extras(&self) -> Result<Vec<Extra>, WalkError> {
        extras(self.fd()).map_err(|errno| WalkError::io(READ, self.at(), errno))
    }
}

impl Dir {
    /// What stands beside the mode of this directory itself.
    pub fn own_extras(&self) -> Result<Vec<Extra>, WalkError> {
        extras(&self.fd).map_err(|errno| WalkError::io(READ, &self.path, errno))
    }
}

/// Every extended attribute of a file, by name; none where its file system has no such thing.
pub(super) fn of(file: &OpenFile) -> Result<Vec<(CString, Vec<u8>)>, WalkError> {
    let failed = |errno| WalkError::io(READ, file.at(), errno);
    let mut all = Vec::new();
    for name in names(file.fd()).map_err(failed)? {
        if OF_CONTENTS.contains(&name.as_c_str()) {
            continue;
        }
        if let Some(value) = value(file.fd(), &name).map_err(failed)? {
            all.push((name, value));
        }
    }
    Ok(all)
}

/// Takes away every [`Extra`].
pub(super) fn strip(fd: &OwnedFd) -> Result<(), Errno> {
    for name in names(fd)?.iter().filter(|name| kind(name).is_some()) {
        match fremovexattr(fd, name.as_c_str()) {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Gives a new file those attributes, as far as this user and its file system can.
pub(super) fn give(file: &OwnedFd, attributes: &[(CString, Vec<u8>)]) -> Result<(), Errno> {
    for (name, value) in attributes {
        match fsetxattr(file, name.as_c_str(), value, XattrFlags::empty()) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
