#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests prepare the files that they look at")]

use super::{AccessList, Extra};
use crate::rootfs::Root;
use rustix::fs::{XattrFlags, setxattr};
use rustix::io::Errno;
use std::fs;
use tempfile::TempDir;

/// The kernel's form of entries of tag, rights and id.
fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

const ANY: u32 = u32::MAX;
/// user::rw-, user:1000:rw-, group::r--, mask::r--, other::---
const NAMED: [(u16, u16, u32); 5] = [(1, 6, ANY), (2, 6, 1000), (4, 4, ANY), (16, 4, ANY), (32, 0, ANY)];

#[test]
fn access_lists_as_getfacl_has_them() {
    let parsed = AccessList::parse(&list(&NAMED)).unwrap();
    assert_eq!(parsed.to_string(), "user::rw-,user:1000:rw-,group::r--,mask::r--,other::---");
    // the mask takes away what the entry grants
    assert_eq!((parsed.named(), parsed.is_of_mode()), (4, false));
    let group = AccessList::parse(&list(&[(1, 7, ANY), (8, 3, 7), (16, 7, ANY)])).unwrap();
    assert_eq!((group.to_string().as_str(), group.named()), ("user::rwx,group:7:-wx,mask::rwx", 3));
    let mode = AccessList::parse(&list(&[(1, 6, ANY), (4, 4, ANY), (32, 4, ANY)])).unwrap();
    assert_eq!((mode.named(), mode.is_of_mode()), (0, true));
    // a mask alone hides what the group may
    assert!(!AccessList::parse(&list(&[(1, 6, ANY), (4, 7, ANY), (16, 4, ANY)])).unwrap().is_of_mode());
    let long = AccessList::parse(&list(&[(2, 4, 9); 20])).unwrap().to_string();
    assert!(long.ends_with("user:9:r--,… (4 more)"), "{long}");
}

#[test]
fn values_that_are_no_access_list() {
    let mut version = list(&NAMED);
    *version.first_mut().unwrap() = 3;
    let mut long = list(&NAMED);
    long.push(0);
    for bytes in [Vec::new(), b"\x02\0\0".to_vec(), version, long] {
        assert_eq!(AccessList::parse(&bytes), None, "{bytes:?}");
    }
}

#[test]
fn what_says_something_and_what_is_a_label() {
    use super::kind;
    for name in [
        c"security.selinux",
        c"security.ima",
        c"security.evm",
        c"security.SMACK64",
        c"security.SMACK64EXEC",
        c"security.apparmor",
        c"security.sehash",
        c"system.nfs4_acl",
        c"btrfs.compression",
        c"trusted.SGI_ACL_FILE",
        c"trusted.overlay.origin",
        c"user.overlay.opaque",
    ] {
        assert_eq!(kind(name), None, "{name:?}");
    }
    for (name, extra) in [
        (c"security.capability", Extra::Capabilities),
        (c"system.posix_acl_default", Extra::DefaultList),
        (c"user.comment", Extra::Other("user.comment".into())),
        (c"user.a\nb", Extra::Other("user.a\\nb".into())),
        (c"trusted.x", Extra::Other("trusted.x".into())),
        (c"trusted.SGI", Extra::Other("trusted.SGI".into())),
    ] {
        assert_eq!(kind(name), Some(extra), "{name:?}");
    }
}

/// What the system gives back, and that it can be taken away; where the file system has such attributes.
#[test]
fn extras_of_files_and_directories() {
    let outer = TempDir::new().unwrap();
    let path = outer.path().join("file");
    fs::write(&path, "x").unwrap();
    let root = Root::open(outer.path()).unwrap();
    let extras = || root.file("/file").unwrap().extras().unwrap();
    assert_eq!(extras(), []);
    let set = |name: &str, value: &[u8]| setxattr(&path, name, value, XattrFlags::empty());
    if set("user.b", b"1") == Err(Errno::OPNOTSUPP) {
        return crate::host::testkit::skip("no extended attributes in this file system");
    }
    set("user.a", &[0; 2000]).unwrap();
    let names = (0..100).map(|number| format!("user.{number:0>50}")).collect::<Vec<_>>();
    assert_eq!(extras(), ["user.a", "user.b"].map(|name| Extra::Other(name.into())));
    for name in names.iter().take(12) {
        set(name, b"").unwrap();
    }
    assert_eq!(extras().len(), 14);
    set("system.posix_acl_access", &list(&NAMED)).unwrap();
    assert_eq!(extras().first(), Some(&Extra::AccessList(AccessList::parse(&list(&NAMED)).unwrap())));
    super::strip(root.file("/file").unwrap().fd()).unwrap();
    assert_eq!(extras(), []);

    setxattr(outer.path(), "system.posix_acl_default", &list(&NAMED), XattrFlags::empty()).unwrap();
    let top = root.directory("/").unwrap();
    assert_eq!(top.own_extras().unwrap(), [Extra::DefaultList]);
    // what is staged there gets nothing of it
    let own = top.own_metadata().unwrap();
    let attributes = crate::rootfs::Attributes { mode: 0o644, uid: own.uid, gid: own.gid };
    let written = top.write_new("new", b"new", attributes, None).unwrap();
    assert_eq!(top.file("new").unwrap().extras().unwrap(), []);
    assert_eq!(written.mode, 0o644);
    top.set(crate::rootfs::Attributes { mode: 0o755, ..attributes }).unwrap();
    assert_eq!(top.own_extras().unwrap(), []);
}
