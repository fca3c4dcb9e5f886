//! Verify leaves no trace: it changes no file, not even an access time, and knows no network.

use super::{INFRA0, TRUST, VERIFY, installed, said};
use crate::support::example::spec_of_today;
use crate::support::{SEALIFT, is_root, need_working, run, skip};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every system call that a verify may make. What opens, writes and controls is looked at further.
const CALLS: &[&str] = &[
    // the process itself
    "arch_prctl",
    "brk",
    "clone3",
    "execve",
    "exit",
    "exit_group",
    "futex",
    "getrandom",
    "gettid",
    "madvise",
    "membarrier",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "poll",
    "prctl",
    "prlimit64",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "getpid",
    "geteuid",
    "getuid",
    // what it reads
    "access",
    "clock_gettime",
    "close",
    "fadvise64",
    "fcntl",
    "fgetxattr",
    "flistxattr",
    "fstat",
    "getcwd",
    "getdents64",
    "ioctl",
    "lseek",
    "newfstatat",
    "openat",
    "openat2",
    "pread64",
    "read",
    "readlink",
    "readlinkat",
    "statx",
    "uname",
    "write",
];

/// The calls of a command, in full, with what each was made of; the command runs without a network.
fn traced(directory: &Path, log: &Path, words: &[&str]) -> Option<Vec<String>> {
    let strace = need_working("strace", &["-o", "/dev/null", "true"])?;
    let unshare = need_working("unshare", &["--net", "--map-root-user", "true"])?;
    let mut command = Command::new(unshare);
    command.args(["--net", "--map-root-user"]).arg(strace).args(["-f", "-y", "-s", "256", "-o"]).arg(log);
    let _ = run(command.arg(SEALIFT).args(words).current_dir(directory)).expect_code(0);
    Some(calls(log))
}

fn calls(log: &Path) -> Vec<String> {
    let log = fs::read_to_string(log).unwrap();
    // after the number of the process; not what signals and ends tell
    let calls = log.lines().filter_map(|line| line.split_once(' ')).map(|(_, call)| call.trim_start());
    calls.filter(|call| !call.starts_with(['+', '-', '<'])).map(str::to_owned).collect()
}

/// Fails on a call that is not of [`CALLS`], and on one that could change a file.
#[track_caller]
fn only_reads(calls: &[String], more: &[&str]) {
    let name = |call: &str| call.split('(').next().unwrap().to_owned();
    let others: BTreeSet<String> =
        calls.iter().map(|call| name(call)).filter(|call| !CALLS.contains(&call.as_str())).collect();
    assert_eq!(
        others,
        more.iter().map(|name| (*name).to_owned()).collect(),
        "calls that are not of this list"
    );
    for call in calls {
        let opens = call.starts_with("open");
        let may_write = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"];
        assert!(!opens || !may_write.iter().any(|flag| call.contains(flag)), "{call}");
        let output = ["write(1<", "write(2<"];
        assert!(!call.starts_with("write") || output.iter().any(|start| call.starts_with(start)), "{call}");
    }
}

/// All that verify reads, under strace and without a network.
#[test]
fn verify_only_reads_and_opens_no_socket() {
    let built = installed(&spec_of_today());
    let log = built.path("strace.log");
    let with_trust = |words: &[&'static str]| [words, &TRUST[..]].concat();
    for words in [with_trust(&["verify", INFRA0]), with_trust(&["verify", "out"]), VERIFY.to_vec()] {
        let Some(calls) = traced(&built.path(""), &log, &words) else { return };
        assert!(calls.iter().any(|call| call.contains("infra0")), "{words:?}");
        only_reads(&calls, &[]);
        // each file of the host once
        if words == VERIFY {
            let opened = |path: &str| {
                let open = |call: &&String| call.starts_with("open") && call.contains(&format!("\"{path}\""));
                calls.iter().filter(open).count()
            };
            for name in ["server.key", "peer.crt", "etcdctl.env", "etcd.yaml"] {
                assert_eq!(opened(name), 1, "{name}");
            }
        }
    }
}

/// Of `/` itself, one socket more: the kernel's own, that tells the addresses of interfaces.
#[test]
fn verify_of_the_running_machine_asks_the_kernel_for_its_addresses() {
    if !is_root() {
        return skip("another /etc takes root");
    }
    let probe = ["--net", "--mount", "mount", "--bind", "/etc", "/etc"];
    let Some(unshare) = need_working("unshare", &probe) else { return };
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    let log = built.path("strace.log");
    let mounts = ["etc", "var"].map(|name| format!("mount --bind {}/{name} /{name}", root.display()));
    let verify = format!("exec {} -f -y -o {} {SEALIFT} verify --root /", strace.display(), log.display());
    let script = format!("set -e\n{}\n{verify}", mounts.join("\n"));
    let ran = run(Command::new(unshare).args(["--net", "--mount", "sh", "-c", &script]));
    let _ = ran.expect_code(0);
    let calls = calls(&log);
    only_reads(&calls, &["bind", "getsockname", "recvmsg", "sendto", "socket"]);
    let sockets: Vec<_> = calls.iter().filter(|call| call.starts_with("socket(")).collect();
    assert!(!sockets.is_empty());
    for socket in sockets {
        assert!(socket.starts_with("socket(AF_NETLINK, ") && socket.contains("NETLINK_ROUTE"), "{socket}");
    }
}

/// Everything below a directory, itself included.
fn paths(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![root.to_owned()];
    let mut next = 0;
    while let Some(path) = all.get(next).cloned() {
        next += 1;
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            all.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    all
}

/// Access, modification and change times.
fn times(paths: &[PathBuf]) -> Vec<(&PathBuf, [i64; 6])> {
    let of = |path: &PathBuf| {
        let it = fs::symlink_metadata(path).unwrap();
        [it.atime(), it.atime_nsec(), it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec()]
    };
    paths.iter().map(|path| (path, of(path))).collect()
}

#[test]
fn verify_leaves_all_times_as_they_were() {
    /// 2001-01-01T00:00:00Z
    const OLD: i64 = 978_307_200;
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    let stray = root.join("etc/kubernetes/manifests/evil.yaml");
    fs::write(&stray, "a: b\n").unwrap();
    let paths = paths(&root);
    // a reader brings access times up to date that are older than the last change
    let old = ["-a", "-d", "2001-01-01T00:00:00Z"];
    let _ = run(Command::new("touch").args(old).args(&paths)).expect_code(0);
    let before = times(&paths);
    assert!(before.len() > 20 && before.iter().all(|(_, times)| times[0] == OLD), "{before:?}");
    let _ = said(&built, &VERIFY, 1);
    assert_eq!(times(&paths), before);
    // one that is not as careful is noticed
    let _ = fs::read(&stray).unwrap();
    if fs::metadata(&stray).unwrap().atime() == OLD {
        skip("no access times in this file system");
    }
}
