//! What the machine refuses: a clear error with what to do, and the host as it was.

use crate::machine::tree;
use crate::strace::wrong;
use crate::support::{is_root, need_working, run};
use crate::{LABORATORY, can_inject, upgrade};
use std::fs;
use std::process::Command;

/// Each error of the system, at the first write of a staged file.
#[test]
fn each_has_its_hint() {
    if !can_inject() {
        return;
    }
    let start = upgrade();
    let bench = LABORATORY.bench("hints");
    let calls = start.calls(&bench);
    let place = calls.iter().position(|call| call.name == "linkat").unwrap();
    let call = calls[..place].iter().rfind(|call| call.name == "write").unwrap();
    let rename = calls.iter().filter(|call| call.name == "renameat").nth(4).unwrap();
    for (call, error, text, hint) in [
        (call, "ENOSPC", "no space left on device", "free some space on that file system and run again"),
        (call, "EDQUOT", "disk quota exceeded", "raise the quota, or free some of it, and run again"),
        (call, "EROFS", "read-only file system", "mount that file system writable and run again"),
        (
            call,
            "EACCES",
            "permission denied",
            "run as root, or name a directory of your own with --root; if root is refused too, look for a security module or a read-only export",
        ),
        (call, "EIO", "input/output error", "mend the cause and run again"),
        (
            rename,
            "EBUSY",
            "device or resource busy",
            "something is mounted at that path: unmount it, or leave that file out of the spec, and run again",
        ),
        (
            rename,
            "EXDEV",
            "invalid cross-device link",
            "something is mounted at that path: unmount it, or leave that file out of the spec, and run again",
        ),
    ] {
        let root = start.host(&bench);
        let ran = wrong(&LABORATORY.command(&root, "b"), call, &format!("error={error}"), "").expect_code(7);
        let (first, rest) = ran.stderr.split_once('\n').unwrap();
        assert!(first.starts_with("error: cannot ") && first.ends_with(&format!(": {text}")), "{first}");
        assert_eq!(rest, format!("hint: {hint}\n"), "{error}");
        assert_eq!(&tree(&root), start.before, "{error}");
    }
}

/// A file of the bundle that something else is mounted on, as containers have `/etc/hosts`.
#[test]
fn a_mount_in_the_way() {
    let Some(unshare) = need_working("unshare", &["-m", "true"]).filter(|_| is_root()) else { return };
    let start = upgrade();
    let bench = LABORATORY.bench("mount");
    let root = start.host(&bench);
    let other = bench.join("other");
    fs::copy(root.join("etc/hosts"), &other).unwrap();
    let words =
        LABORATORY.command(&root, "b").iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let script = format!("mount --bind {} {} && {words}", other.display(), root.join("etc/hosts").display());
    let ran = run(Command::new(unshare).args(["-m", "sh", "-c", &script])).expect_code(7);
    assert!(ran.stderr.starts_with("error: cannot replace /etc/hosts: "), "{ran:?}");
    assert!(ran.stderr.contains("hint: something is mounted at that path"), "{ran:?}");
    assert_eq!(&tree(&root), start.before);
}
