//! An installed root as kubeadm's whole machine, and what a phase of kubeadm did to it.

use crate::support::{Entry, Ran, run, tree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was found, or in words what should not have been: the first line says it, the rest is what
/// kubeadm said.
pub(crate) type Checked<T = ()> = Result<T, String>;

/// What preflight may complain of here is the machine, never a file of ours.
const ABOUT_FILES: [&str; 2] = ["FileAvailable-", "DirAvailable-"];
/// Directories that are mounted over or another's; all else belongs to the machine.
const NOT_LOOKED_AT: [&str; 4] = ["proc", "sys", "dev", "tmp"];

/// Loopback and one interface with the host's address: kubeadm asks for a default route. Nobody is
/// there, and no name resolves.
pub(crate) const NAMESPACES: [&str; 3] = ["--net", "--mount", "--uts"];
const SETUP: &str = "set -e; ip link set lo up; ip link add eth0 type bridge; \
                     ip address add \"$2/24\" dev eth0; ip link set eth0 up; \
                     ip route add default via 10.0.0.1 onlink dev eth0; \
                     for fs in proc sys dev; do mount --rbind \"/$fs\" \"$1/$fs\"; done; \
                     shift 2; exec \"$@\"";

/// An installed root, with a network of its own.
pub(crate) struct Machine {
    kubeadm: PathBuf,
    root: PathBuf,
    address: &'static str,
}

/// What one phase said and changed.
struct Did {
    words: String,
    ran: Ran,
    /// `+ path`, `- path` or `~ path` (contents, type or mode); directories end in `/`.
    changes: BTreeSet<String>,
}

impl Machine {
    pub(crate) fn new(kubeadm: &Path, root: PathBuf, address: &'static str) -> Self {
        for directory in ["proc", "sys", "dev", "tmp", "usr/bin"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        Self { kubeadm: kubeadm.to_owned(), root, address }
    }

    /// Its root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A file for kubeadm to read, outside of what a bundle owns.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.root.join(name), text).unwrap();
    }

    /// kubeadm with these words, which end with --rootfs: it changes its root directory itself.
    fn run(&self, words: &str) -> Did {
        let before = self.tree();
        let mut command = Command::new("unshare");
        command.args(NAMESPACES).args(["sh", "-c", SETUP, "sh"]).arg(&self.root).arg(self.address);
        command.arg(&self.kubeadm).args(words.split(' ')).arg("--rootfs").arg(&self.root);
        let ran = run(command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"));
        let after = self.tree();
        let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changes = paths.into_iter().filter_map(|path| change(path, before.get(path), after.get(path)));
        Did { words: words.to_owned(), ran, changes: changes.collect() }
    }

    fn tree(&self) -> BTreeMap<String, Entry> {
        let ours = |path: &str| {
            let first = path.split('/').next().unwrap_or_default();
            !NOT_LOOKED_AT.contains(&first)
        };
        tree(&self.root).into_iter().filter(|(path, _)| ours(path)).collect()
    }

    /// What kubeadm says when it succeeds and changes nothing.
    pub(crate) fn unchanged(&self, words: &str) -> Checked<String> {
        let did = self.run(words);
        did.ends(true)?;
        did.changes(&[])?;
        Ok(did.said())
    }

    /// kubeadm fails, and says why; until then it changed nothing.
    pub(crate) fn stops(&self, words: &str, why: &str) -> Checked<String> {
        let did = self.run(words);
        did.ends(false)?;
        did.changes(&[])?;
        did.says(why)?;
        Ok(did.said())
    }

    /// Of preflight: the checks that concern files complain of exactly these, and no file changes.
    /// `why`, when there is one, is where the phase stops afterwards; else it may fail or not, for the
    /// machine has neither a container runtime nor images.
    pub(crate) fn preflight(&self, words: &str, complaints: &[&str], why: Option<&str>) -> Checked {
        let did = self.run(words);
        did.changes(&[])?;
        did.says("[preflight] Running pre-flight checks")?;
        let said = did.said();
        let checks =
            said.split('[').filter_map(|part| part.strip_prefix("WARNING ").or(part.strip_prefix("ERROR ")));
        let checks = checks.filter_map(|rest| rest.split_once(']').map(|(id, _)| id));
        let found: BTreeSet<_> =
            checks.filter(|id| ABOUT_FILES.iter().any(|about| id.starts_with(about))).collect();
        if found != complaints.iter().copied().collect() {
            return Err(did.is_wrong(&format!("complains of {found:?}, not of {complaints:?}")));
        }
        match why {
            Some(why) => did.ends(false).and_then(|()| did.says(why)),
            None => Ok(()),
        }
    }

    /// kubeadm succeeds, and changes these and nothing else.
    pub(crate) fn changes(&self, words: &str, expected: &[&str]) -> Checked {
        let did = self.run(words);
        did.ends(true)?;
        did.changes(expected)
    }
}

fn change(path: &str, before: Option<&Entry>, after: Option<&Entry>) -> Option<String> {
    let sign = match (before, after) {
        (None, _) => '+',
        (_, None) => '-',
        (before, after) if before != after => '~',
        _ => return None,
    };
    let slash = if after.or(before).is_some_and(Entry::is_directory) { "/" } else { "" };
    Some(format!("{sign} {path}{slash}"))
}

impl Did {
    fn said(&self) -> String {
        self.ran.stdout.clone() + &self.ran.stderr
    }

    fn is_wrong(&self, how: &str) -> String {
        format!("{}: {how}\n{}", self.words, self.said())
    }

    fn ends(&self, well: bool) -> Checked {
        if (self.ran.code == 0) == well {
            return Ok(());
        }
        Err(self.is_wrong(&format!("exit code {}", self.ran.code)))
    }

    fn changes(&self, expected: &[&str]) -> Checked {
        if self.changes.iter().eq(expected.iter().copied().collect::<BTreeSet<_>>()) {
            return Ok(());
        }
        Err(self.is_wrong(&format!("changes {:?}, not {expected:?}", self.changes)))
    }

    fn says(&self, what: &str) -> Checked {
        if self.said().contains(what) {
            return Ok(());
        }
        Err(self.is_wrong(&format!("does not say {what:?}")))
    }
}
