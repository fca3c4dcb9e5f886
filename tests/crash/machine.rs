//! A host in a directory, its states, and what sealift says of it.

use crate::bundles::{self, AT, PAIRS, PODS};
use crate::support::{Ran, SEALIFT, run};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Everything about one path but times and inode.
pub(crate) type Tree = BTreeMap<String, String>;

/// Bundles, and the states that a host may be in.
pub(crate) struct Laboratory {
    directory: TempDir,
    /// A machine without sealift.
    pub(crate) bare: Tree,
    /// With the older bundle.
    pub(crate) older: Tree,
    /// With the newer bundle after the older.
    pub(crate) newer: Tree,
    /// With the newer bundle as the first.
    pub(crate) first: Tree,
    /// With the older bundle after the newer.
    pub(crate) back: Tree,
}

impl Laboratory {
    pub(crate) fn new() -> Self {
        // In memory: fsync then costs nothing.
        let shared = Path::new("/dev/shm");
        let make = |within: &Path| tempfile::Builder::new().prefix("sealift-crash-").tempdir_in(within);
        let directory = make(shared).or_else(|_| make(&std::env::temp_dir())).unwrap();
        bundles::write(directory.path());
        let mut it =
            Self { directory, bare: Tree::new(), older: Tree::new(), newer: Tree::new(), first: Tree::new() };
        let write = |path: &str, text: &str| {
            let path = it.state("bare").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("etc/hostname", "infra0\n");
        write("etc/hosts", "127.0.0.1 localhost\n");
        let bare = it.state("bare");
        fs::hard_link(bare.join("etc/hosts"), bare.join("etc/hosts.other")).unwrap();
        let _ = it.installed("bare", "older", "a");
        // As kubeadm does, and an administrator.
        let rewritten = format!("# by kubeadm\n{}", bundles::configuration());
        fs::write(it.state("older").join("var/lib/kubelet/config.yaml"), rewritten).unwrap();
        fs::hard_link(it.state("older").join("etc/app/app.conf"), it.state("older").join("etc/app/second"))
            .unwrap();
        it.bare = tree(&it.state("bare"));
        it.older = tree(&it.state("older"));
        it.newer = it.installed("older", "newer", "b");
        it.back = it.installed("newer", "back", "a");
        it.first = it.installed("bare", "first", "b");
        it
    }

    /// Where a state is kept.
    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.directory.path().join("states").join(name)
    }

    fn installed(&self, from: &str, to: &str, bundle: &str) -> Tree {
        copy(&self.state(from), &self.state(to));
        let _ = self.install(&self.state(to), bundle).expect_code(0);
        let _ = self.verify(&self.state(to)).expect_code(0);
        tree(&self.state(to))
    }

    /// A directory for one worker.
    pub(crate) fn bench(&self, name: &str) -> PathBuf {
        let bench = self.directory.path().join("benches").join(name);
        fs::create_dir_all(&bench).unwrap();
        bench
    }

    /// The words of an install.
    pub(crate) fn command(&self, root: &Path, bundle: &str) -> Vec<String> {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let mut words = vec![SEALIFT.to_owned(), "install".into()];
        words.push(path(&self.directory.path().join(format!("{bundle}.tar.gz"))));
        words.extend(["-i".into(), path(&self.directory.path().join("identity"))]);
        words.extend(["--trust".into(), path(&self.directory.path().join("trust"))]);
        words.extend(["--root".into(), path(root), "--format".into(), "json".into()]);
        if bundle == "a" {
            words.push("--allow-rollback".into());
        }
        words
    }

    pub(crate) fn install(&self, root: &Path, bundle: &str) -> Ran {
        let words = self.command(root, bundle);
        run(Command::new(&words[0]).args(&words[1..]))
    }

    pub(crate) fn verify(&self, root: &Path) -> Ran {
        let trust = self.directory.path().join("trust");
        run(Command::new(SEALIFT)
            .args(["verify", "--at", AT, "--format", "json", "--root"])
            .arg(root)
            .arg("--trust")
            .arg(trust))
    }
}

/// Ids of what `verify` found.
pub(crate) fn ids(verified: &Ran) -> Vec<String> {
    let json: serde_json::Value =
        serde_json::from_str(&verified.stdout).unwrap_or_else(|error| panic!("{error}: {verified:?}"));
    let findings = json["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

/// Copies a state with everything but inodes.
pub(crate) fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let _ = run(Command::new("cp").arg("-a").args([from, to])).expect_code(0);
}

/// Types, modes, owners, links, extended attributes' names and contents below a directory.
pub(crate) fn tree(root: &Path) -> Tree {
    let mut out = Tree::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        let mut line = format!("{:o} {}:{}", found.mode(), found.uid(), found.gid());
        if found.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let digest = hex::encode(Sha256::digest(fs::read(&path).unwrap()));
            line += &format!(" links {} {digest}", found.nlink());
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        out.insert(format!("/{name}"), line);
    }
    out
}

/// What is of no state of the host, but of an install at work.
pub(crate) fn is_of_install(path: &str) -> bool {
    path.contains("/.sealift-") || path.starts_with("/var/lib/sealift/journal.")
}

/// Manifests that name keys or certificates which are not there.
pub(crate) fn dangling(root: &Path) -> Vec<String> {
    let mut dangling = Vec::new();
    for entry in fs::read_dir(root.join(&PODS[1..])).into_iter().flatten() {
        let path = entry.unwrap().path();
        // as the kubelet does
        if path.file_name().unwrap().to_str().unwrap().starts_with('.') {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (certificate, key) in
            text.lines().filter_map(|line| line.trim().strip_prefix('/')?.split_once(": /"))
        {
            for named in [certificate, key] {
                if !root.join(named).is_file() {
                    dangling.push(format!("{} names {named}", path.display()));
                }
            }
        }
    }
    dangling
}

/// Pairs of which key and certificate are of different states, by their contents.
pub(crate) fn mixed(now: &Tree, states: [&Tree; 2]) -> Vec<&'static str> {
    let contents = |tree: &Tree, path: &str| {
        tree.get(path).and_then(|line| line.rsplit_once(' ').map(|(_, digest)| digest.to_owned()))
    };
    let same = |path: &str, state: &Tree| contents(now, path) == contents(state, path);
    let is_mixed = |(certificate, key): &&(&'static str, &'static str)| {
        let whole = |state: &&Tree| same(certificate, state) && same(key, state);
        !states.iter().any(whole)
    };
    PAIRS.iter().filter(is_mixed).map(|(certificate, _)| *certificate).collect()
}
