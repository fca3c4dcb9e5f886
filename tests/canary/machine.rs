//! A machine that fails: no space, nothing to write to, errors of calls, no memory, no threads.

use crate::disk::Disk;
use crate::stage;
use crate::stage::words;
use crate::support::{need, need_working, run};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};

const BUILD: &str = "build sealift.yaml -i OPERATOR -o failed --rebuild";

/// Errors of the system at the n-th call, wherever that is: before a secret is read, or while it is used.
#[test]
fn errors_of_calls_show_and_write_no_secret() {
    let Some(stage) = stage() else { return };
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    let Some(disk) = Disk::new(32) else { return };
    let place = disk.path("");
    stage.copy_to(&place);
    let log = stage.secret("machine.log");
    let mut failed = 0;
    let (rare, often) = (&[1, 2, 3][..], &[8, 11, 14, 18, 25, 30][..]);
    for line in [
        BUILD,
        "verify out --trust trust -i OPERATOR",
        "certs out --trust trust -i OPERATOR",
        "init --add-seed --dir . -i OPERATOR",
    ] {
        for (calls, how, times) in [
            ("openat,openat2", "error=EIO", often),
            ("read,pread64", "error=EIO", often),
            ("write,pwrite64,writev", "error=ENOSPC", rare),
            ("fsync,fdatasync", "error=EIO", rare),
            ("mkdir,mkdirat", "error=ENOSPC", &[1, 2]),
            ("rename,renameat,renameat2", "error=EIO", &[1, 2]),
            ("mmap,brk", "error=ENOMEM", often),
            ("getrandom", "error=ENOSYS", &[1, 2]),
            ("clone3,clone", "error=EAGAIN", &[1, 2]),
            ("write,pwrite64,writev", "signal=SIGSEGV", rare),
        ] {
            for time in times {
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
                let line = words(line);
                let ran = stage.said_nothing(&line, run(&mut stage.command(&place, &before, &line)));
                assert!(!ran.stderr.contains("panicked"), "{inject}: {ran:?}");
                failed += usize::from(ran.code != 0);
            }
        }
    }
    assert!(failed > 50, "{failed} runs failed");
    assert_eq!(stage.needles.within_file(&disk.out()), BTreeMap::new());
}

/// A full disk, one that cannot be written to, and outputs that nobody takes.
#[test]
fn no_place_to_write() {
    let Some(stage) = stage() else { return };
    let Some(disk) = Disk::new(4) else { return };
    let place = disk.path("");
    stage.copy_to(&place);
    let ran = |line: &str, code: i32| {
        let ran = stage.ran(&place, &words(line)).expect_code(code);
        assert!(!ran.stderr.contains("panicked"), "{line}: {ran:?}");
    };
    // 20 KiB and less are left
    for left in [20, 8, 0] {
        let free = run(Command::new("df").args(["--output=avail", "-k"]).arg(&place)).expect_code(0).stdout;
        let free: usize = free.lines().last().unwrap().trim().parse().unwrap();
        let filler = vec![b'x'; free.saturating_sub(left) << 10];
        fs::write(place.join(format!("filler{left}")), filler).unwrap();
        ran(BUILD, 7);
        ran("init --add-seed --dir . -i OPERATOR", if left == 0 { 7 } else { 0 });
        ran("install out/cp1.tar.gz -i CP1 --root root --trust trust", 7);
        assert_eq!(stage.needles.below(&place), BTreeMap::new());
    }
    fs::remove_file(place.join("filler20")).unwrap();
    let remount = |how: &str| {
        let _ = run(Command::new("mount").args(["-o", how]).arg(&place)).expect_code(0);
    };
    remount("remount,ro");
    for line in [
        BUILD,
        "install out/cp1.tar.gz -i CP1 --root root --trust trust",
        "init --add-seed --dir . -i OPERATOR",
    ] {
        ran(line, 7);
    }
    remount("remount,rw");
    for line in [
        BUILD,
        "verify out --trust trust -i OPERATOR",
        "certs out --trust trust -i OPERATOR",
        "check sealift.yaml",
    ] {
        let line = words(&format!("--format json {line}"));
        let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let mut command = stage.command(&place, &[], &line);
        let output = command.stdin(Stdio::null()).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        stage.needles.nowhere_in("stderr without stdout", said.as_bytes());
        assert!(output.status.code() == Some(7) && !said.contains("panicked"), "{line:?}: {said}");
        let status = command.stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(7), "{line:?}");
    }
    assert_eq!(stage.needles.below(&place), BTreeMap::new());
}

/// Little memory: the process ends where it gets none, without a trace.
#[test]
fn no_memory() {
    let Some(stage) = stage() else { return };
    if need("prlimit").is_none() {
        return;
    }
    let Some(disk) = Disk::new(32) else { return };
    let place = disk.path("");
    stage.copy_to(&place);
    let mut ends = std::collections::BTreeSet::new();
    for size in (10..64).step_by(3) {
        let limit = format!("--as={}", size << 20);
        let line = words(BUILD);
        let before: [&OsStr; 3] = ["prlimit".as_ref(), limit.as_ref(), "--".as_ref()];
        let ran = stage.said_nothing(&line, run(&mut stage.command(&place, &before, &line)));
        let _ = ends.insert(ran.code);
    }
    assert!(ends.contains(&0) && ends.len() > 1, "{ends:?}");
    let cores = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(cores.filter(|name| name.starts_with("core")).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(stage.needles.within_file(&disk.out()), BTreeMap::new());
}
