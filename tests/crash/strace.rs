//! What a run asks of the system, and runs that go wrong at one of these calls.

use crate::support::{Ran, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Every call by which a file system changes, or its changes become lasting.
const CALLS: &str = "openat,open,creat,write,pwrite64,writev,copy_file_range,sendfile,ftruncate,truncate,fallocate,\
rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknodat,\
chmod,fchmod,fchmodat,fchmodat2,chown,lchown,fchown,fchownat,setxattr,lsetxattr,fsetxattr,removexattr,fremovexattr,\
utimensat,fsync,fdatasync,sync,syncfs,sync_file_range";

/// One call of a run: the how manieth of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) number: usize,
    /// As strace prints it.
    pub(crate) text: String,
}

/// Every file-changing call of a command, in order, its exit code 0.
pub(crate) fn calls(command: &[String], scratch: &Path) -> Vec<Call> {
    let log = scratch.join("strace.log");
    let traced = run(Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&log)
        .args(["-e", &format!("trace=?{}", CALLS.replace(',', ",?"))])
        .args(command));
    assert_eq!(traced.code, 0, "{traced:?}");
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    let text = fs::read_to_string(log).unwrap();
    let mut processes = text.lines().filter_map(|line| line.split_once(' ')).map(|(process, _)| process);
    let first = processes.next().unwrap();
    for line in text.lines() {
        let (process, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        let Some((name, arguments)) = rest.split_once('(') else { continue };
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let number = seen.entry(format!("{process} {name}")).or_default();
        *number += 1;
        let reads = name == "openat" && !arguments.contains("O_CREAT");
        let says = name == "write" && (arguments.starts_with("1,") || arguments.starts_with("2,"));
        if !reads && !says {
            // strace counts for each thread by itself
            assert_eq!(process, first, "another thread writes: {line}");
            calls.push(Call { name: name.to_owned(), number: *number, text: rest.to_owned() });
        }
    }
    calls
}

/// Runs a command in which a call goes wrong: `signal=KILL`, `error=ENOSPC`; with `+`, every later one
/// of its name too.
pub(crate) fn wrong(command: &[String], call: &Call, how: &str, later: &str) -> Ran {
    let inject = format!("inject={}:{how}:when={}{later}", call.name, call.number);
    // whoever runs the tests in the background, or under nohup, ignores some signals
    run(Command::new("env")
        .args(["--default-signal=HUP,INT,TERM", "strace"])
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={}", call.name), "-e", &inject])
        .args(command))
}
