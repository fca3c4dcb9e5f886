//! Machines that refuse: a clear error, exit 7, and a host that is what it was.

use crate::check::record::DIRECTORY;
use crate::host::testkit::{CONF, Draft, Host, POD, alone, is_root, options, picture, skip};
use crate::host::{InstallError, Options, install};
use crate::rootfs::Root;
use std::error::Error as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

fn machine(error: &InstallError) -> (String, ErrorKind, String) {
    assert_eq!(error.exit_code(), 7);
    assert!(error.source().is_some() && error.hint().is_some());
    match error {
        InstallError::Machine { source, hint, .. } => (error.to_string(), source.kind(), (*hint).to_owned()),
        other => panic!("{other:?}"),
    }
}

/// The newer of two revisions: it changes, adds and removes.
fn newer(draft: &Draft) -> Draft {
    let mut newer = draft.clone();
    newer.manifest.revision.cluster = 3;
    newer.set(CONF, b"conf 2\n");
    newer.set(POD, b"pod 2\n");
    newer.add("/etc/new/deep/file", b"new\n", false);
    newer.add("/etc/new/secret", b"new\n", true);
    newer.block("/etc/hosts", "10.0.0.6 cp1\n");
    newer
}

#[test]
fn a_directory_that_may_not_be_written() {
    alone("host::tests::failures::a_directory_that_may_not_be_written", Some(65534), 0o022, || {
        let draft = Draft::new();
        let (host, _) = Host::with(&draft);
        // Staged last, after everything else was staged and directories were made.
        host.chmod("/etc/pods", 0o555);
        let mut newer = newer(&draft);
        let pods = newer.manifest.directories.iter_mut().find(|it| it.path == "/etc/pods").unwrap();
        pods.mode = "0555".into();
        let bundle = newer.bundle();
        let before = host.picture();
        let error = host.install(&newer, &bundle, &options()).unwrap_err();
        let (text, kind, hint) = machine(&error);
        assert_eq!((text.as_str(), kind), ("cannot write in /etc/pods", ErrorKind::PermissionDenied));
        assert!(hint.starts_with("run as root"), "{hint}");
        assert_eq!(host.picture(), before);
        host.chmod("/etc/pods", 0o755);
    });
}

#[test]
fn files_that_may_not_be_read() {
    alone("host::tests::failures::files_that_may_not_be_read", Some(65534), 0o022, || {
        let draft = Draft::new();
        let (host, bundle) = Host::with(&draft);
        for path in [CONF, DIRECTORY] {
            host.chmod(path, 0);
            let (text, kind, _) = machine(&host.install(&draft, &bundle, &options()).unwrap_err());
            assert!(text.ends_with(path), "{text}");
            assert_eq!(kind, ErrorKind::PermissionDenied);
            host.chmod(path, 0o700);
        }
    });
}

/// A tmpfs, unmounted at the end.
struct Small(tempfile::TempDir);

impl Small {
    /// `None`, with the reason printed, where that is not possible; in CI, root must be able to.
    fn mount(options: &str) -> Option<Self> {
        if !is_root() {
            skip("only root can mount a small file system");
            return None;
        }
        let small = Self(tempfile::TempDir::new().unwrap());
        let path = small.0.path();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).output();
        let mounted = mount.as_ref().is_ok_and(|output| output.status.success());
        assert!(mounted || std::env::var_os("CI").is_none(), "root cannot mount: {mount:?}");
        if !mounted {
            skip(&format!("cannot mount a small file system: {mount:?}"));
        }
        mounted.then_some(small)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount").args(["-o", options]).arg(self.path()).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn no_space_at_every_point() {
    let Some(small) = Small::mount("size=160k,mode=755") else { return };
    let draft = Draft::new();
    let mut newer = newer(&draft);
    newer.set(CONF, &[b'x'; 9000]);
    let (first, second) = (draft.bundle(), newer.bundle());
    let root = Root::open(small.path()).unwrap();
    let filler = small.path().join("filler");
    // Less and less room, until an install no longer fits; at each size the same on an empty host.
    let mut refused = 0;
    for blocks in (0..=40).rev() {
        for entry in fs::read_dir(small.path()).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { fs::remove_dir_all(entry).unwrap() } else { fs::remove_file(entry).unwrap() }
        }
        if blocks % 2 == 0 {
            install(&root, &first, &draft.identities(), &options()).unwrap();
        }
        // ENOSPC here only means that the filler is as large as it can be.
        let _ = fs::write(&filler, vec![0; blocks * 4096]);
        let before = picture(small.path());
        match install(&root, &second, &newer.identities(), &options()) {
            Ok(report) => assert!(report.changed()),
            Err(error) => {
                refused += 1;
                let (_, kind, hint) = machine(&error);
                assert_eq!(kind, ErrorKind::StorageFull);
                assert_eq!(hint, "free some space on that file system and run again");
                assert_eq!(picture(small.path()), before, "{blocks} blocks taken");
            }
        }
    }
    assert!((5..40).contains(&refused), "{refused} of 41 sizes were refused");
}

#[test]
fn a_file_system_that_is_read_only() {
    let Some(small) = Small::mount("size=1m,mode=755") else { return };
    let draft = Draft::new();
    let root = Root::open(small.path()).unwrap();
    install(&root, &draft.bundle(), &draft.identities(), &options()).unwrap();
    small.remount("remount,ro");
    let newer = newer(&draft);
    let before = picture(small.path());
    let error = install(&root, &newer.bundle(), &newer.identities(), &options()).unwrap_err();
    let (_, kind, hint) = machine(&error);
    assert_eq!(
        (kind, hint.as_str()),
        (ErrorKind::ReadOnlyFilesystem, "mount that file system writable and run again")
    );
    assert_eq!(picture(small.path()), before);
}

#[test]
fn an_immutable_file() {
    if !is_root() {
        skip("only root can make a file immutable");
        return;
    }
    let draft = Draft::new();
    let (host, _) = Host::with(&draft);
    let chattr = |flag: &str| {
        Command::new("chattr").arg(flag).arg(host.path(POD)).status().is_ok_and(|it| it.success())
    };
    if !chattr("+i") {
        skip("chattr does not work on this file system");
        return;
    }
    let newer = newer(&draft);
    let bundle = newer.bundle();
    let before = host.picture();
    let error = host.install(&newer, &bundle, &options()).unwrap_err();
    let after = host.picture();
    assert!(chattr("-i"));
    let (text, kind, hint) = machine(&error);
    assert_eq!((text, kind), (format!("cannot replace {POD}"), ErrorKind::PermissionDenied));
    assert_eq!(hint, "take the attribute away with `chattr -i` and run again");
    assert_eq!(error.source().unwrap().to_string(), format!("{POD} has the immutable attribute"));
    assert_eq!(after, before);
    host.install(&newer, &bundle, &options()).unwrap();
}

#[test]
fn an_immutable_file_that_should_go() {
    let mut draft = Draft::new();
    draft.add("/etc/app/old", b"old\n", false);
    draft.add("/etc/app/older", b"older\n", false);
    let (host, _) = Host::with(&draft);
    host.chmod("/etc/pki", 0o777);
    let chattr = |flag: &str| {
        let status = Command::new("chattr").arg(flag).arg(host.path("/etc/app/older")).status();
        status.is_ok_and(|it| it.success())
    };
    if !chattr("+i") {
        skip("chattr does not work here");
        return;
    }
    let mut newer = newer(&draft);
    newer.drop("/etc/app/old");
    newer.drop("/etc/app/older");
    let bundle = newer.bundle();
    let before = host.picture();
    // Every other file has taken its place by then, and gives it back.
    let error = host.install(&newer, &bundle, &options()).unwrap_err();
    let after = host.picture();
    assert!(chattr("-i"));
    assert_eq!(machine(&error).0, "cannot remove /etc/app/older");
    assert_eq!(machine(&error).2, "take the attribute away with `chattr -i` and run again");
    assert_eq!(after, before);
    host.install(&newer, &bundle, &options()).unwrap();
    assert!(!host.path("/etc/app/older").exists());
}

#[test]
fn two_at_once() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    host.write(CONF, b"drift");
    let held = host.root().directory(DIRECTORY).unwrap();
    // a program that another test is starting has every descriptor for a moment
    let soon = (0..2000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        held.lock().unwrap()
    });
    assert!(soon);
    let before = host.picture();
    let error = host.install(&draft, &bundle, &options()).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.exit_code()),
        ("another `sealift install` is at work in this root", 7)
    );
    assert_eq!(host.picture(), before);
    drop(held);
    host.install(&draft, &bundle, &options()).unwrap();
}

#[test]
fn many_first_installs_at_once_leave_one_whole() {
    let (draft, host) = (Draft::new(), Host::new());
    let bundle = draft.bundle();
    let done = std::thread::scope(|scope| {
        let tasks: Vec<_> =
            (0..8).map(|_| scope.spawn(|| host.install(&draft, &bundle, &options()).is_ok())).collect();
        tasks.into_iter().map(|task| task.join().unwrap()).filter(|done| *done).count()
    });
    assert!(done >= 1);
    assert!(!host.install(&draft, &bundle, &Options { dry_run: true, ..options() }).unwrap().changed());
    assert!(!host.picture().keys().any(|path| path.to_string_lossy().contains(".sealift-")));
}
