//! What the end-to-end tests share: the program, outside tools, runs of both, and trees of files.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]

pub(crate) mod archive;
pub(crate) mod by_the_book;
pub(crate) mod etcd;
pub(crate) mod etcd_command;
pub(crate) mod etcd_health;
pub(crate) mod etcd_programs;
pub(crate) mod example;
pub(crate) mod golden;
pub(crate) mod network;
pub(crate) mod opened;
pub(crate) mod openssl;
pub(crate) mod random_spec;
pub(crate) mod stacked;
pub(crate) mod stateful_set;
pub(crate) mod transcript;

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program as `cargo test` built it.
pub(crate) const SEALIFT: &str = env!("CARGO_BIN_EXE_sealift");

/// A path below the repository.
pub(crate) fn repository(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// Whether this is CI, where nothing may be skipped.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// Says that a test or a part of it is skipped, and why; in CI that is a failure.
///
/// The line goes to standard error and, for `tests/run` to show at its end, into the file that
/// `SEALIFT_SKIPS` names.
pub(crate) fn skip(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("{test}: {reason}\n");
    assert!(!in_ci(), "nothing may be skipped in CI: {line}");
    eprint!("skipped {line}");
    if let Some(list) = std::env::var_os("SEALIFT_SKIPS") {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// The full path of a tool on `PATH` (or in the sbin directories); none, with [`skip`], when it is missing.
pub(crate) fn need(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path).chain(sbin).map(|directory| directory.join(tool)).find(|file| {
        fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    });
    if found.is_none() {
        skip(&format!("{tool} is not installed"));
    }
    found
}

/// As [`need`], for a tool that must also succeed with these arguments here: strace wants ptrace,
/// unshare wants namespaces.
pub(crate) fn need_working(tool: &str, probe: &[&str]) -> Option<PathBuf> {
    let found = need(tool)?;
    let tried = run(Command::new(&found).args(probe));
    if tried.code != 0 {
        skip(&format!("{tool} does not work here: {}", tried.stderr.trim()));
        return None;
    }
    Some(found)
}

/// Whether the tests run as root; some of them only then can change users and host names.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// How a program ended and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The exit code; 128 + n for signal n.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// The same, after checking the exit code; shows both outputs when it is another.
    #[track_caller]
    #[must_use]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

/// Runs a command to its end, without standard input.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output();
    ran(&output.unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// Runs a command to its end with `input` on its standard input.
#[track_caller]
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> Ran {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A program that fails early may close its input first; its exit code tells.
    let _ = child.stdin.take().unwrap().write_all(input);
    ran(&child.wait_with_output().unwrap())
}

fn ran(output: &Output) -> Ran {
    use std::os::unix::process::ExitStatusExt;
    let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
    Ran {
        code: code.unwrap(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `sealift` with these arguments.
#[track_caller]
pub(crate) fn sealift<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    run(Command::new(SEALIFT).args(arguments))
}

/// A new, empty directory that is removed when dropped; others may enter it.
pub(crate) fn temporary() -> tempfile::TempDir {
    let directory = tempfile::Builder::new().prefix("sealift-test-").tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// What a tree holds at one path: type and permission bits, and for a file the SHA-256 of its
/// contents, for a link its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `st_mode`: type and permission bits.
    pub(crate) mode: u32,
    /// Lower-case hex digest of a file, target of a link, empty for a directory.
    pub(crate) content: String,
}

impl Entry {
    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }
}

/// Every path below `root`, links not followed.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, Entry> {
    let mut out = BTreeMap::new();
    let mut waiting = vec![root.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let found = fs::symlink_metadata(&path).unwrap();
            let content = if found.is_dir() {
                waiting.push(path.clone());
                String::new()
            } else if found.is_symlink() {
                fs::read_link(&path).unwrap().to_string_lossy().into_owned()
            } else {
                hex::encode(Sha256::digest(fs::read(&path).unwrap()))
            };
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            out.insert(name, Entry { mode: found.mode(), content });
        }
    }
    out
}

/// Path and contents of every file below `root`, without modes.
pub(crate) fn contents(root: &Path) -> BTreeMap<String, String> {
    tree(root).into_iter().map(|(path, entry)| (path, entry.content)).collect()
}

/// Copies a tree of directories and regular files; modes are kept, times are new.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// The text between ```` ```sh ```` and ```` ``` ````.
#[track_caller]
pub(crate) fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line) {
            (None, "```sh") => open = Some(String::new()),
            (None, _) => assert!(!line.starts_with("```"), "{line}"),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), _) => block.extend([line, "\n"]),
        }
    }
    assert_eq!(open, None, "a block without end");
    blocks
}
