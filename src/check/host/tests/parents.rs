//! Directories above listed files that the manifest does not list.

use super::{PLAIN, found, verify};
use crate::finding::{Finding, Id};
use crate::host::testkit::{Draft, Host, alone, is_root, skip};
use std::os::unix::fs::chown;

fn writable(path: &str, found: &str) -> Finding {
    let mend = format!("chown root {path} && chmod go-w {path}, and see who could write there until now");
    Finding::new(Id::ParentWritable, path, mend)
        .expected("a directory of root's that nobody else can write")
        .found(found)
}

#[test]
fn directories_that_others_can_write() {
    if !is_root() {
        return skip("a root of root's takes root");
    }
    let (host, _) = Host::with(&Draft::new());
    let change = |path: &str, mode: u32, owner: u32| {
        host.chmod(path, mode);
        chown(host.path(path), Some(owner), None).unwrap();
    };
    for (path, mode, owner, told) in [
        ("/etc", 0o777, 0, "owner 0, mode 0777"),
        ("/etc/app", 0o775, 0, "owner 0, mode 0775"),
        ("/var", 0o702, 0, "owner 0, mode 0702"),
        ("/var/lib", 0o755, 1, "owner 1, mode 0755"),
        ("/", 0o777, 0, "owner 0, mode 0777"),
    ] {
        change(path, mode, owner);
        assert_eq!(verify(&host, &PLAIN).findings, [writable(path, told)]);
        change(path, 0o755, 0);
    }
    // nobody moves what is another's in a sticky directory; the owner of one does
    change("/etc", 0o1777, 0);
    assert_eq!(found(&host), Vec::<String>::new());
    change("/etc", 0o1777, 1);
    assert_eq!(verify(&host, &PLAIN).findings, [writable("/etc", "owner 1, mode 1777")]);
    change("/etc", 0o755, 0);
    // a listed directory is what the manifest says, and told as that
    host.chmod("/etc/pods", 0o777);
    assert_eq!(found(&host), ["mode-mismatch /etc/pods"]);
}

/// Where all belongs to one user, nobody else is meant.
#[test]
fn a_users_own_staging_directory() {
    alone("check::host::tests::parents::a_users_own_staging_directory", Some(65534), 0o002, || {
        let (host, _) = Host::with(&Draft::new());
        host.chmod("/etc", 0o777);
        assert_eq!(found(&host), Vec::<String>::new());
    });
}
