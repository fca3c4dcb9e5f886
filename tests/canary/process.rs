//! A process that lives or dies: who can look into it, and what it leaves behind.

use crate::disk::Disk;
use crate::stage;
use crate::stage::{Stage, words};
use crate::support::{is_root, need, need_working, run, skip, temporary};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BUILD: &str = "build sealift.yaml -i OPERATOR -o made --rebuild -j 1";
/// A user that is not root.
const USER: &str = "65534";

/// A build that strace stops with its secrets in memory, as it begins to write.
struct Stopped {
    strace: Child,
    pid: u32,
}

impl Stopped {
    /// As root, or as [`USER`]; with what strace shall do more. No limit on cores is inherited.
    fn of(stage: &Stage, place: &Path, strace: &Path, as_user: bool, more: &[&str]) -> Self {
        let log = stage.secret(&format!("stopped-{as_user}.log"));
        let _ = fs::remove_file(&log);
        // whoever runs the tests in the background ignores SIGQUIT
        let unlimited = ["env", "--default-signal", "sh", "-c", "ulimit -c unlimited; exec \"$@\"", "sh"];
        let inject = "inject=mkdir,mkdirat:signal=SIGSTOP:when=1";
        let user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"];
        let mut before: Vec<&OsStr> = unlimited.iter().map(OsStr::new).collect();
        let traced: [&OsStr; 6] =
            [strace.as_ref(), "-f".as_ref(), "-o".as_ref(), log.as_ref(), "-e".as_ref(), inject.as_ref()];
        before.extend(traced);
        before.extend(more.iter().map(OsStr::new));
        before.push("--".as_ref());
        before.extend(user.iter().take(if as_user { user.len() } else { 0 }).map(OsStr::new));
        let mut command = stage.command(place, &before, &words(BUILD));
        command.env("A_SECRET_OF_THE_ENVIRONMENT", "which others shall not read");
        let mut strace =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        for tried in 0.. {
            assert!(tried < 3000, "it never stopped");
            assert!(strace.try_wait().unwrap().is_none(), "it ended: {}", fs::read_to_string(&log).unwrap());
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.contains("stopped by SIGSTOP") {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let children = format!("/proc/{0}/task/{0}/children", strace.id());
        let pid = fs::read_to_string(children).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        Self { strace, pid }
    }

    /// A signal to it, and its end.
    fn end(mut self, signal: &str) -> Vec<u8> {
        let kill = |signal: &str| run(Command::new("kill").arg(signal).arg(self.pid.to_string()));
        let _ = kill(signal).expect_code(0);
        if signal != "-KILL" {
            let _ = kill("-CONT").expect_code(0);
        }
        let pid = self.pid;
        for tried in 0.. {
            if self.strace.try_wait().unwrap().is_some() {
                break;
            }
            assert!(tried < 3000, "{pid} goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
        let output = self.strace.wait_with_output().unwrap();
        // strace dies of what its child died of
        assert!(output.status.signal().is_some(), "{signal} did not end it: {output:?}");
        [output.stdout, output.stderr].concat()
    }
}

/// Where a core of this machine's processes would lie: in their directory, or none that a test can see.
fn cores(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("core")).collect()
}

/// Killed by signals that dump core, with secrets in memory and no limit on cores.
#[test]
fn no_core_is_dumped() {
    let Some(stage) = stage() else { return };
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    let Some(disk) = Disk::new(64) else { return };
    let place = disk.path("");
    stage.copy_to(&place);
    // another program's core does appear here, unless the machine sends cores elsewhere
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let control = run(Command::new("sh")
        .args(["-c", "ulimit -c unlimited; sh -c 'kill -SEGV $$'; true"])
        .current_dir(&place));
    let _ = control.expect_code(0);
    let elsewhere = pattern.starts_with('|') || pattern.contains('/');
    assert_eq!(cores(&place).len(), usize::from(!elsewhere), "{pattern}");
    for core in cores(&place) {
        fs::remove_file(core).unwrap();
    }
    // either of the two that forbid it is enough
    let (limit, dumpable) = ("inject=prlimit64,setrlimit:error=EPERM", "inject=prctl:error=EINVAL");
    for (signal, more) in [
        ("-ABRT", &[][..]),
        ("-QUIT", &["-e", limit]),
        ("-SYS", &["-e", dumpable]),
        ("-TRAP", &["-e", limit]),
    ] {
        let stopped = Stopped::of(stage, &place, &strace, false, more);
        let limits = fs::read_to_string(format!("/proc/{}/limits", stopped.pid)).unwrap();
        let cores_limit = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let cores_limit: Vec<_> = cores_limit.split_whitespace().skip(4).collect();
        let expected =
            if more.contains(&limit) { ["unlimited", "unlimited", "bytes"] } else { ["0", "0", "bytes"] };
        assert_eq!(cores_limit, expected, "{signal}");
        let said = stopped.end(signal);
        stage.needles.nowhere_in(signal, &said);
        assert!(cores(&place).is_empty(), "{signal}");
    }
    assert_eq!(stage.needles.within_file(&disk.out()), BTreeMap::new());
    // without both there is a core, and it holds what this is about
    let directory = temporary();
    stage.copy_to(directory.path());
    let _ = Stopped::of(stage, directory.path(), &strace, false, &["-e", limit, "-e", dumpable]).end("-ABRT");
    let cores = cores(directory.path());
    assert_eq!(cores.len(), usize::from(!elsewhere), "{pattern}");
    assert!(cores.iter().all(|core| !stage.needles.within_file(core).is_empty()));
}

/// What other processes see, of the same user too.
#[test]
fn other_processes_see_no_secret() {
    let Some(stage) = stage() else { return };
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    if need("setpriv").is_none() {
        return;
    }
    if !is_root() {
        return skip("only root can be two users");
    }
    let directory = temporary();
    let place = directory.path();
    stage.copy_to(place);
    // what belongs to that user: its own identity, and the place to work in
    let vault = stage.vault.path();
    fs::set_permissions(place, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(vault, fs::Permissions::from_mode(0o755)).unwrap();
    let stopped = Stopped::of(stage, place, &strace, true, &[]);
    let proc = format!("/proc/{}", stopped.pid);
    // root sees the secret: it is in the memory of this process, at this moment
    assert!(!memory(stage, &proc).is_empty(), "nothing to find, so nothing is proven");
    stage.needles.nowhere_in("cmdline", &fs::read(format!("{proc}/cmdline")).unwrap());
    stage.needles.nowhere_in("environ", &fs::read(format!("{proc}/environ")).unwrap());
    for file in ["mem", "environ", "maps", "fd", "cwd/.", "auxv", "io"] {
        let path = format!("{proc}/{file}");
        let program = if file == "fd" || file == "cwd/." { "ls" } else { "cat" };
        for user in [USER, "65533"] {
            let reader = ["--reuid", user, "--regid", user, "--clear-groups", program, &path];
            let ran = run(Command::new("setpriv").args(reader));
            assert!(
                ran.code != 0 && ran.stderr.contains("ermission denied"),
                "{user} {file}: {}",
                ran.stderr
            );
            assert_eq!(ran.stdout, "", "{user} {file}");
        }
    }
    let _ = stopped.end("-KILL");
}

/// The secrets in the memory of a process, as root sees it.
fn memory<'a>(stage: &'a Stage, proc: &str) -> BTreeMap<&'a str, usize> {
    use std::os::unix::fs::FileExt;
    let memory = fs::File::open(format!("{proc}/mem")).unwrap();
    let mut found = BTreeMap::new();
    for line in fs::read_to_string(format!("{proc}/maps")).unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            found.extend(stage.needles.within(&bytes));
        }
    }
    found
}
