//! What gives somebody more than mode and owner say, set with the tools that administrators use.

use super::{INFRA0, VERIFY, compare, install, installed, said};
use crate::support::example::spec_of_today;
use crate::support::{SEALIFT, is_root, need, need_working, run, skip};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs one tool on one path of the root.
#[track_caller]
fn tool(root: &Path, words: &[&str], path: &str) {
    let ran = run(Command::new(words[0]).args(&words[1..]).arg(root.join(path)));
    let _ = ran.expect_code(0);
}

/// Each is found, install mends it, and verify is content again.
#[test]
fn more_than_mode_and_owner_say() {
    let probe = crate::support::temporary();
    let probe = probe.path().to_str().unwrap().to_owned();
    let tools = [
        need_working("setfacl", &["-m", "u:4711:r", &probe]),
        need_working("setfattr", &["-n", "user.x", "-v", "1", &probe]),
        need("setcap"),
    ];
    if tools.contains(&None) {
        return;
    }
    if !is_root() {
        return skip("capabilities take root");
    }
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    let key = "etc/kubernetes/pki/etcd/server.key";
    let manifests = "etc/kubernetes/manifests";
    let outside = root.join("root/server.key");
    fs::create_dir_all(outside.parent().unwrap()).unwrap();
    let mut story = String::new();
    let mut tell = |name: &str, words: &[&str], path: &str| {
        tool(&root, words, path);
        let _ = write!(story, "# {name}\n{}", said(&built, &VERIFY, 1));
        // what it did is told as a change of rights, and nothing is restarted for it
        story += &said(&built, &install(INFRA0, &[]), 0);
        let _ = said(&built, &VERIFY, 0);
    };
    tell("a key that somebody else may read", &["setfacl", "-m", "u:4711:r"], key);
    tell("a list behind a mask", &["setfacl", "-m", "u:4711:rw,m::r"], "etc/etcd/etcdctl.env");
    tell("new manifests that somebody else may write", &["setfacl", "-d", "-m", "u:4711:rw"], manifests);
    tell("an attribute", &["setfattr", "-n", "user.comment", "-v", "mine"], "etc/kubernetes/pki/etcd/ca.crt");
    tell("capabilities", &["setcap", "cap_net_raw+ep"], "etc/etcd/sealift-etcd-health");
    tell("another name", &["cp", "-l", "-T", root.join(key).to_str().unwrap()], "root/server.key");
    assert_eq!(fs::read(outside).unwrap(), fs::read(root.join(key)).unwrap());
    compare("rights", &story);
}

/// A directory above, which no install touches.
#[test]
fn a_directory_above_that_others_can_write() {
    if !is_root() {
        return skip("a root of root's takes root");
    }
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    tool(&root, &["chmod", "0777"], "var/lib");
    let told = said(&built, &VERIFY, 1);
    let expected = "parent-writable /var/lib: expected a directory of root's that nobody else can write, found owner 0, mode 0777\n";
    assert!(told.contains(expected), "{told}");
    let _ = said(&built, &install(INFRA0, &[]), 0);
    assert_eq!(said(&built, &VERIFY, 1), told);
    tool(&root, &["chmod", "1777"], "var/lib");
    let _ = said(&built, &VERIFY, 0);
}

/// A file mounted over one of the manifest, in a mount namespace of its own; a directory may be a mount.
#[test]
fn a_file_mounted_over_another() {
    if !is_root() {
        return skip("mounts take root");
    }
    let Some(unshare) = need_working("unshare", &["--mount", "mount", "--bind", "/etc", "/etc"]) else {
        return;
    };
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    let path = "etc/kubernetes/pki/etcd/ca.crt";
    fs::copy(root.join(path), built.path("same.crt")).unwrap();
    let with = |mount: &str| {
        let script = format!("set -e\ncd {}\n{mount}\nexec {SEALIFT} verify --root .", root.display());
        run(Command::new(&unshare).args(["--mount", "sh", "-c", &script]))
    };
    let _ = with(
        "mount --bind etc/kubernetes etc/kubernetes; mount --bind etc/kubernetes/pki etc/kubernetes/pki",
    )
    .expect_code(0);
    let expected = format!(
        "mounted-over /{path}: expected the file that its directory holds, found a mount of its own\n  mend: umount /{path}, then run `sealift install` again with this host's bundle\n"
    );
    let found = with(&format!("mount --bind {} {path}", built.path("same.crt").display())).expect_code(1);
    assert_eq!(found.stdout, expected);
    // and by the same file system, of the very same inode
    assert_eq!(with(&format!("mount --bind {path} {path}")).expect_code(1).stdout, expected);
}

/// What editors and people leave in a directory of which the kubelet runs everything.
#[test]
fn strays_beside_static_pods() {
    use std::os::unix::ffi::OsStrExt;
    let built = installed(&spec_of_today());
    let manifests = built.path("roots/infra0/etc/kubernetes/manifests");
    fs::create_dir_all(manifests.join("old/.git")).unwrap();
    for name in
        ["etcd.yaml~", ".etcd.yaml.swp", "#etcd.yaml#", "etcd.yaml.bak", "old/etcd.yaml", "old/.git/HEAD"]
    {
        fs::write(manifests.join(name), "a: b\n").unwrap();
    }
    fs::write(manifests.join(std::ffi::OsStr::from_bytes(b"\xff.yaml")), "a: b\n").unwrap();
    std::os::unix::fs::symlink("/etc/shadow", manifests.join("link.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", manifests.join("dangling.yaml")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(manifests.join("socket")).unwrap());
    compare("strays", &said(&built, &VERIFY, 1));
}
