//! What nothing lists, in directories that are owned.

use super::{PLAIN, found, verify};
use crate::finding::{Finding, Id};
use crate::host::testkit::{Draft, Host, POD, names};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

#[test]
fn strays_in_owned_directories() {
    let (host, _) = Host::with(&Draft::new());
    for path in [
        "/etc/pods/.hidden",
        "/etc/pods/etcd.yaml~",
        "/etc/pods/allowed.yaml",
        "/etc/pki/free",
        "/etc/pods/deep/any",
    ] {
        host.write(path, b"");
    }
    host.write("/etc/pods/.sealift-0123456789abcdef0123456789abcdef", b"");
    fs::create_dir(host.path("/etc/pods/sub")).unwrap();
    symlink("etcd.yaml", host.path("/etc/pods/link")).unwrap();
    symlink("nowhere", host.path("/etc/pods/dangling")).unwrap();
    host.write("/etc/pods/sub/.deep/pod.yaml", b"");
    host.write("/etc/pods/sub/#etcd.yaml#", b"");
    symlink("/", host.path("/etc/pods/sub/root")).unwrap();
    std::os::unix::net::UnixListener::bind(host.path("/etc/pods/socket")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, host.path("/etc/pods/pipe"), 0o600.into()).unwrap();
    host.write("/etc/pods/a\nb", b"");
    fs::write(host.path("/etc/pods").join(std::ffi::OsStr::from_bytes(b"\xff.yaml")), b"").unwrap();
    fs::create_dir(host.path("/etc/pods").join(std::ffi::OsStr::from_bytes(b"\xfe"))).unwrap();
    let allow = "remove it, or allow it in the spec, build and install again";
    let mut expected: Vec<Finding> = [
        (".hidden", allow, "regular file"),
        ("\\xfe", allow, "directory"),
        ("\\xff.yaml", allow, "regular file"),
        ("a\\nb", allow, "regular file"),
        ("dangling", allow, "symbolic link"),
        ("etcd.yaml~", allow, "regular file"),
        ("link", allow, "symbolic link"),
        ("pipe", allow, "named pipe"),
        ("socket", allow, "socket"),
        ("sub", allow, "directory"),
        ("sub/#etcd.yaml#", allow, "regular file"),
        ("sub/.deep", allow, "directory"),
        ("sub/.deep/pod.yaml", allow, "regular file"),
        ("sub/root", allow, "symbolic link"),
    ]
    .map(|(name, mend, kind)| Finding::new(Id::StrayFile, format!("/etc/pods/{name}"), mend).found(kind))
    .to_vec();
    let stale = "/etc/pods/.sealift-0123456789abcdef0123456789abcdef";
    let left = "run `sealift install` again with this host's bundle, which removes it, but nothing that others put into it";
    let found = "a regular file of an install without a journal";
    expected.insert(1, Finding::new(Id::Interrupted, stale, left).found(found));
    assert_eq!(verify(&host, &PLAIN).findings, expected);
}

/// A directory that the manifest does not list, and that exists for a listed file, belongs to the owned one.
#[test]
fn strays_beside_files_deep_in_an_owned_directory() {
    let mut draft = Draft::new();
    draft.add("/etc/pods/patches/etcd/one.yaml", b"1\n", false);
    let (host, _) = Host::with(&draft);
    assert_eq!(found(&host), Vec::<String>::new());
    host.write("/etc/pods/patches/two.yaml", b"");
    host.write("/etc/pods/patches/etcd/.one.yaml.swp", b"");
    // allowed with all that lies in it, and a free directory beside
    host.write("/etc/pods/deep/er/any", b"");
    host.write("/etc/pki/etcd/any", b"");
    assert_eq!(
        found(&host),
        ["stray-file /etc/pods/patches/etcd/.one.yaml.swp", "stray-file /etc/pods/patches/two.yaml"]
    );
}

#[test]
fn more_strays_than_anybody_reads() {
    let (host, _) = Host::with(&Draft::new());
    for number in 0..1500 {
        host.write(&format!("/etc/pods/sub/{number}"), b"");
    }
    let findings = verify(&host, &PLAIN).findings;
    assert_eq!(findings.len(), 1001);
    assert_eq!(findings.first().unwrap().found.as_deref(), Some("more than 1000 entries that nothing lists"));
    assert_eq!(names(&findings).first().unwrap(), "stray-file /etc/pods");
    // and the file that is listed is found among them all
    for number in 0..5000 {
        host.write(&format!("/etc/pods/{number}"), b"");
    }
    host.write(POD, b"changed");
    let names = names(&verify(&host, &PLAIN).findings);
    assert!(names.contains(&format!("digest-mismatch {POD}")) && names.len() == 1002, "{}", names.len());
}
