//! Extended attributes: the security label, access lists, and whatever a person set.

use super::WalkError;
use super::read::OpenFile;
use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

/// The most bytes of all names, and of one value (xattr(7), `XATTR_LIST_MAX` and `XATTR_SIZE_MAX`).
const LARGEST: usize = 64 << 10;

/// Digests and signatures of contents, which are those of no other contents.
const OF_CONTENTS: &[&CStr] = &[c"security.evm", c"security.ima"];

/// Every extended attribute of a file, by name; none where its file system has no such thing.
pub(super) fn of(file: &OpenFile) -> Result<Vec<(CString, Vec<u8>)>, WalkError> {
    let failed = |errno| WalkError::io("read the extended attributes of", file.at(), errno);
    let mut names = Vec::with_capacity(LARGEST);
    match flistxattr(file.fd(), spare_capacity(&mut names)) {
        Ok(_) => {}
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
        Err(errno) => return Err(failed(errno)),
    }
    let names =
        names.split_inclusive(|byte| *byte == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok());
    let mut all = Vec::new();
    for name in names.filter(|name| !OF_CONTENTS.contains(name)) {
        let mut value = Vec::with_capacity(LARGEST);
        match fgetxattr(file.fd(), name, spare_capacity(&mut value)) {
            Ok(_) => all.push((name.to_owned(), value)),
            // gone since, or not for us to see
            Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    Ok(all)
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
