//! What gives somebody more than mode and owner say, and that install takes it away.

use super::{PLAIN, found, verify};
use crate::bundle::open::Verified;
use crate::check::obstacles::REINSTALL;
use crate::check::record::{DIRECTORY, HOST_SUMS, INSTALLED, TRUST};
use crate::finding::{Finding, Id};
use crate::host::testkit::{CONF, CRT, Draft, Host, POD, SECRET, is_root, names, options, skip};
use crate::host::{Action, Report};
use rustix::fs::{XattrFlags, setxattr};
use rustix::io::Errno;
use std::fs;

const ACCESS: &str = "system.posix_acl_access";
const DEFAULT: &str = "system.posix_acl_default";
const ANY: u32 = u32::MAX;

/// `user::rw-`, a named user, `group::---`, a mask and `other::OTHER`, as the kernel takes them.
fn list(named: u16, mask: u16, other: u16) -> Vec<u8> {
    let entries = [(1, 6, ANY), (2, named, 4711), (4, 0, ANY), (16, mask, ANY), (32, other, ANY)];
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        bytes.extend(u16::to_le_bytes(tag));
        bytes.extend(rights.to_le_bytes());
        bytes.extend(u32::to_le_bytes(id));
    }
    bytes
}

/// False where the file system has no such attributes, or this user may not set them.
#[must_use]
fn set(host: &Host, path: &str, name: &str, value: &[u8]) -> bool {
    match setxattr(host.path(path), name, value, XattrFlags::empty()) {
        Ok(()) => true,
        Err(Errno::OPNOTSUPP | Errno::PERM) => {
            skip(&format!("{name} cannot be set here"));
            false
        }
        Err(errno) => panic!("{name}: {errno}"),
    }
}

/// Installs again: what changes, and that all is well afterwards.
fn mended(host: &Host, draft: &Draft, bundle: &Verified) -> Vec<(String, Action)> {
    let Report { changes, run, restart, .. } = host.install(draft, bundle, &options()).unwrap();
    assert_eq!((run, restart), (Vec::new(), Vec::new()), "only contents restart what reads them");
    assert_eq!(found(host), Vec::<String>::new());
    let changed = changes.into_iter().filter(|change| change.action != Action::Unchanged);
    changed.map(|change| (change.path, change.action)).collect()
}

#[test]
fn access_lists() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    // root:root 0600 as it was, by its mode alone; the mask forbids what the entry grants
    if !set(&host, SECRET, ACCESS, &list(4, 0, 0)) {
        return;
    }
    assert!(set(&host, CONF, ACCESS, &list(6, 4, 4)));
    assert!(set(&host, "/etc/pods", DEFAULT, &list(6, 4, 4)));
    assert!(set(&host, HOST_SUMS, ACCESS, &list(4, 0, 0)));
    assert!(set(&host, DIRECTORY, ACCESS, &list(4, 0, 0)));
    host.chmod(DIRECTORY, 0o700);
    assert_eq!((host.mode(SECRET), host.mode(CONF), host.mode("/etc/pods")), (0o600, 0o644, 0o755));
    let acl = |path: &str, found: &str| {
        Finding::new(Id::AclPresent, path, REINSTALL).expected("no access list").found(found)
    };
    let closed = "user::rw-,user:4711:r--,group::---,mask::---,other::---";
    assert_eq!(
        verify(&host, &PLAIN).findings,
        [
            acl(CONF, "user::rw-,user:4711:rw-,group::---,mask::r--,other::r--"),
            acl(SECRET, closed),
            Finding::new(Id::AclPresent, "/etc/pods", REINSTALL)
                .expected("no default access list")
                .found("one for new entries"),
            acl(HOST_SUMS, closed),
            acl(DIRECTORY, "user::rwx,user:4711:r--,group::---,mask::---,other::---"),
        ]
    );
    let changed = mended(&host, &draft, &bundle);
    let expected =
        ["/etc/pods", DIRECTORY, SECRET, CONF, HOST_SUMS].map(|path| (path.to_owned(), Action::Mode));
    assert_eq!(changed, expected);
}

/// Mode bits as a list are none.
#[test]
fn an_access_list_that_says_what_the_mode_says() {
    let (host, _) = Host::with(&Draft::new());
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights) in [(1_u16, 6_u16), (4, 4), (32, 4)] {
        bytes.extend([tag.to_le_bytes(), rights.to_le_bytes()].concat());
        bytes.extend(ANY.to_le_bytes());
    }
    if set(&host, CONF, ACCESS, &bytes) {
        assert_eq!(found(&host), Vec::<String>::new());
    }
}

#[test]
fn attributes_and_labels() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    if !set(&host, CONF, "user.comment", b"x") {
        return;
    }
    for number in 0..10 {
        assert!(set(&host, POD, &format!("user.{number}"), b""));
    }
    assert!(set(&host, "/etc/pki", "user.note", b"x"));
    let unexpected = |path: &str, found: &str| {
        Finding::new(Id::XattrUnexpected, path, REINSTALL).expected("no attributes but labels").found(found)
    };
    let many = "user.0, user.1, user.2, user.3, user.4, user.5, user.6, user.7 and 2 more";
    assert_eq!(
        verify(&host, &PLAIN).findings,
        [unexpected(CONF, "user.comment"), unexpected("/etc/pki", "user.note"), unexpected(POD, many)]
    );
    let expected = ["/etc/pki", CONF, POD].map(|path| (path.to_owned(), Action::Mode));
    assert_eq!(mended(&host, &draft, &bundle), expected);

    if !is_root() {
        return skip("labels and capabilities take root");
    }
    // a label of a module that is not at work here is an attribute as any other
    assert!(set(&host, CONF, "security.sealift_test", b"unconfined_u:object_r:etc_t:s0"));
    assert_eq!(found(&host), Vec::<String>::new());
    assert!(set(&host, CONF, "trusted.x", b"1"));
    // cap_net_bind_service+ep, of version 2 (linux/capability.h)
    let capability = [[1, 0, 0, 2], [0, 4, 0, 0], [0; 4], [0; 4], [0; 4]].concat();
    assert!(set(&host, POD, "security.capability", &capability));
    assert_eq!(
        verify(&host, &PLAIN).findings,
        [
            unexpected(CONF, "trusted.x"),
            Finding::new(Id::CapabilityPresent, POD, REINSTALL)
                .expected("no capabilities")
                .found("security.capability"),
        ]
    );
    assert_eq!(mended(&host, &draft, &bundle), [CONF, POD].map(|path| (path.to_owned(), Action::Mode)));
}

#[test]
fn files_with_other_names() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    host.write(TRUST, b"");
    for path in [CRT, SECRET, INSTALLED, TRUST] {
        fs::hard_link(host.path(path), host.path(&format!("/{}", path.replace('/', "_")))).unwrap();
    }
    let linked = |path: &str| {
        let then = if path == TRUST {
            "compare it with the builder's, then run `sealift install --trust FILE` with this host's bundle, which places it anew"
        } else {
            REINSTALL
        };
        let mend = format!("see which other name it has (find / -xdev -samefile {path}), then {then}");
        Finding::new(Id::HardLinked, path, mend).expected("one name").found("2 names")
    };
    assert_eq!(verify(&host, &PLAIN).findings, [CRT, SECRET, TRUST, INSTALLED].map(linked));
    fs::remove_file(host.path(TRUST)).unwrap();
    assert_eq!(
        mended(&host, &draft, &bundle),
        [CRT, SECRET, INSTALLED].map(|path| (path.to_owned(), Action::Mode))
    );
    // what stands under the other name was not written to
    assert_eq!(host.read("/_etc_pki_server.key"), host.read(SECRET));
}

/// Files of others: only what opens a file counts, and a file with a block is somebody else's.
#[test]
fn other_programs_files() {
    let mut draft = Draft::new();
    draft.foreign("/etc/app/secret");
    draft.foreign("/etc/app/public");
    draft.file("/etc/app/secret").mode = "0640".into();
    draft.block("/etc/hosts", "10.0.0.6 infra0\n");
    let (host, bundle) = Host::with(&draft);
    for (path, mode) in [("/etc/app/secret", 0o640), ("/etc/app/public", 0o644)] {
        host.write(path, b"x");
        host.chmod(path, mode);
        fs::hard_link(host.path(path), host.path(&format!("{path}.2"))).unwrap();
        if !set(&host, path, "user.x", b"1") {
            return;
        }
    }
    fs::hard_link(host.path("/etc/hosts"), host.path("/etc/hosts.2")).unwrap();
    assert!(set(&host, "/etc/hosts", "user.x", b"1"));
    assert!(set(&host, "/etc/hosts", ACCESS, &list(6, 6, 4)));
    assert!(set(&host, "/etc/app/public", ACCESS, &list(4, 4, 4)));
    assert_eq!(found(&host), Vec::<String>::new());
    assert!(set(&host, "/etc/app/secret", ACCESS, &list(4, 4, 0)));
    assert_eq!(host.mode("/etc/app/secret"), 0o640);
    let mend = "take it away with `setfacl -b`, and see which program sets it";
    assert_eq!(
        verify(&host, &PLAIN).findings,
        [Finding::new(Id::AclPresent, "/etc/app/secret", mend)
            .expected("no access list")
            .found("user::rw-,user:4711:r--,group::---,mask::r--,other::---")]
    );
    // install leaves all of it alone
    let report = host.install(&draft, &bundle, &options()).unwrap();
    assert!(!report.changed());
    assert_eq!(names(&verify(&host, &PLAIN).findings), ["acl-present /etc/app/secret"]);
}
