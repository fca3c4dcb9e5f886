//! `install`: secrets lie in the files of the manifest, and nowhere else.

use crate::disk::Disk;
use crate::stage;
use crate::stage::{Stage, root, words};
use crate::support::{need_working, tree};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const INSTALL: &str = "install out/cp1.tar.gz -i CP1 --root root --trust trust";

/// Files with secrets in them; all of them may be read by their owner only.
fn holders(stage: &Stage, root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (path, entry) in tree(root) {
        let path = root.join(path);
        if entry.mode & 0o170_000 == 0o100_000 && !stage.needles.within(&fs::read(&path).unwrap()).is_empty()
        {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o77, 0, "{}", path.display());
            found.push(path.strip_prefix(root).unwrap().to_path_buf());
        }
    }
    found.sort();
    found
}

/// The files that the bundles hold sealed.
fn sealed(stage: &Stage, host: &str) -> Vec<PathBuf> {
    let members = crate::support::archive::members(&stage.at(&format!("out/{host}.tar.gz")));
    let names = members.iter().filter_map(|member| member.name.strip_prefix("files/")?.strip_suffix(".age"));
    let mut paths: Vec<_> = names.map(PathBuf::from).collect();
    paths.sort();
    paths
}

#[test]
fn an_install_writes_each_secret_once() {
    let Some(stage) = stage() else { return };
    let Some(disk) = Disk::new(32) else { return };
    let place = disk.path("");
    stage.copy_to(&place);
    root(&place, "other", "w1");
    for format in ["text", "json", "sarif"] {
        for line in [
            INSTALL,
            "install out/w1.tar.gz -i W1 --root other --trust trust",
            "verify --root root",
            "certs --root root",
        ] {
            let _ = stage.ran(&place, &words(&format!("--format {format} {line}"))).expect_code(0);
        }
    }
    for (root, host, many) in [("root", "cp1", 21), ("other", "w1", 2)] {
        let holders = holders(stage, &place.join(root));
        assert_eq!(holders, sealed(stage, host));
        assert_eq!(holders.len(), many, "{holders:?}");
    }
    let live = stage.needles.below(&place);
    assert!(live.len() > 30, "{live:#?}");
    assert_eq!(stage.needles.within_file(&disk.out()), live, "no copy in a block that is free again");
}

/// Another generation of the keys, and the way back to the kept bundle; killed in between, too.
#[test]
fn an_upgrade_and_the_way_back_show_no_secret() {
    let Some(stage) = stage() else { return };
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    let directory = crate::support::temporary();
    let place = directory.path();
    stage.copy_to(place);
    let ran = |format: &str, line: &str, code: i32| {
        let _ = stage.ran(place, &words(&format!("--format {format} {line}"))).expect_code(code);
        holders(stage, &place.join("root"))
    };
    let upgrade = "install next/cp1.tar.gz -i CP1 --root root --trust trust";
    let sealed = sealed(stage, "cp1");
    let inject = "inject=rename,renameat,renameat2:signal=SIGKILL:when=30";
    let log = stage.secret("upgrade.log");
    let before: [&OsStr; 7] = [
        strace.as_ref(),
        "-f".as_ref(),
        "-o".as_ref(),
        log.as_ref(),
        "-e".as_ref(),
        inject.as_ref(),
        "--".as_ref(),
    ];
    for format in ["text", "json", "sarif"] {
        assert_eq!(ran(format, INSTALL, 0), sealed);
        let first = stage.needles.below(&place.join("root"));
        assert_eq!(ran(format, &format!("{upgrade} --dry-run"), 0), sealed);
        let line = words(upgrade);
        let killed =
            stage.said_nothing(&line, crate::support::run(&mut stage.command(place, &before, &line)));
        assert_eq!(killed.code, 128 + 9, "{killed:?}");
        // old and new keys lie side by side now, all 0600
        assert!(ran(format, "verify --root root", 1).len() > sealed.len());
        assert_eq!(ran(format, upgrade, 0), sealed);
        let second = stage.needles.below(&place.join("root"));
        assert_ne!(first, second);
        assert_eq!(ran(format, "rollback -i CP1 --root root", 0), sealed);
        assert_eq!(stage.needles.below(&place.join("root")), first);
        fs::remove_dir_all(place.join("root")).unwrap();
        root(place, "root", "cp1");
    }
}

/// What is wrong with a root directory.
fn obstacles(place: &Path) {
    for name in ["file", "link", "directory"] {
        root(place, name, "cp1");
    }
    fs::write(place.join("file/etc/kubernetes"), "").unwrap();
    std::os::unix::fs::symlink("../../root", place.join("link/etc/kubernetes")).unwrap();
    fs::create_dir_all(place.join("directory/etc/kubernetes/pki/sa.key/x")).unwrap();
    let bundle = fs::read(place.join("out/cp1.tar.gz")).unwrap();
    fs::write(place.join("cut.tar.gz"), &bundle[..bundle.len() / 2]).unwrap();
    let mut flipped = bundle;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(place.join("flipped.tar.gz"), flipped).unwrap();
}

/// Everything is opened and checked before anything is written.
#[test]
fn a_refused_install_writes_no_secret() {
    let Some(stage) = stage() else { return };
    let Some(disk) = Disk::new(32) else { return };
    let place = disk.path("");
    stage.copy_to(&place);
    obstacles(&place);
    for (line, code) in [
        ("install out/cp1.tar.gz -i W1 --root root --trust trust", 4),
        ("install out/w1.tar.gz -i W1 --root root --trust trust", 4),
        ("install out/w1.tar.gz -i CP1 --root root --trust trust", 4),
        ("install out/operator.tar.gz -i OPERATOR --root root --trust trust", 4),
        ("install out/cp1.tar.gz -i CP1 --root root", 3),
        ("install cut.tar.gz -i CP1 --root root --trust trust", 1),
        ("install flipped.tar.gz -i CP1 --root root --trust trust", 1),
        ("install absent.tar.gz -i CP1 --root root --trust trust", 7),
        ("install out/cp1.tar.gz -i CP1 --root absent --trust trust", 7),
        ("install out/cp1.tar.gz -i CP1 --root file --trust trust", 1),
        ("install out/cp1.tar.gz -i CP1 --root link --trust trust", 1),
        ("install out/cp1.tar.gz -i CP1 --root directory --trust trust", 1),
    ] {
        for format in ["text", "json", "sarif"] {
            let ran = stage.ran(&place, &words(&format!("--format {format} {line}")));
            assert_eq!(ran.code, code, "{line}: {ran:?}");
        }
    }
    assert_eq!(stage.needles.within_file(&disk.out()), BTreeMap::new());
}

/// Where writing fails, what was staged is removed; and killed, it is for root's eyes only.
#[test]
fn an_install_that_fails_leaves_no_file_with_a_secret() {
    let Some(stage) = stage() else { return };
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    let directory = crate::support::temporary();
    let place = directory.path();
    stage.copy_to(place);
    let log = stage.secret("install.log");
    let mut hits = 0;
    for (calls, how) in [
        ("write,pwrite64,writev", "error=ENOSPC"),
        ("fsync,fdatasync", "error=EIO"),
        ("openat,openat2", "error=EIO"),
        ("rename,renameat,renameat2", "error=EIO"),
        ("fchmod,fchmodat", "error=EPERM"),
        ("read,pread64", "error=EIO"),
        ("mmap,brk", "error=ENOMEM"),
        ("fsync,fdatasync", "signal=SIGKILL"),
        ("rename,renameat,renameat2", "signal=SIGKILL"),
        ("write,pwrite64,writev", "signal=SIGABRT"),
    ] {
        for time in [1, 3, 9, 27, 50, 81] {
            let inject = format!("inject={calls}:{how}:when={time}");
            let before: [&OsStr; 7] = [
                strace.as_ref(),
                "-f".as_ref(),
                "-o".as_ref(),
                log.as_ref(),
                "-e".as_ref(),
                inject.as_ref(),
                "--".as_ref(),
            ];
            let line = words(INSTALL);
            let ran =
                stage.said_nothing(&line, crate::support::run(&mut stage.command(place, &before, &line)));
            let hit = fs::read_to_string(&log).unwrap().contains("(INJECTED");
            assert!(!ran.stderr.contains("panicked"), "{inject}: {ran:?}");
            let found = holders(stage, &place.join("root"));
            // the last that it writes is what it says when all is done
            if ran.code == 7 && !ran.stderr.starts_with("error: cannot write the output") {
                assert!(found.is_empty(), "{inject}: {found:?} {ran:?}");
                hits += usize::from(hit);
            }
            fs::remove_dir_all(place.join("root")).unwrap();
            root(place, "root", "cp1");
        }
    }
    assert!(hits > 15, "{hits} runs failed");
    assert_eq!(stage.needles.below(place), BTreeMap::new());
}
