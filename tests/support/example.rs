//! The example cluster, built; and clusters that differ from it in one thing.

use super::{Ran, copy_tree, repository, run, sealift, temporary};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Where the example lies.
pub(crate) const EXAMPLE: &str = "bundles/etcd-static-pods";
/// Its hosts.
pub(crate) const HOSTS: [&str; 3] = ["infra0", "infra1", "infra2"];
/// Their addresses.
pub(crate) const ADDRESSES: [&str; 3] = ["10.0.0.6", "10.0.0.7", "10.0.0.8"];
/// One identity of each.
pub(crate) const IDENTITIES: [&str; 3] =
    ["infra0.age.key", "infra1.ssh_host_ed25519_key", "infra2.ssh_host_ed25519_key"];
/// A moment at which everything in the example is valid, and the same in seconds since 1970.
pub(crate) const VALID_AT: (&str, u64) = ("2026-12-01T00:00:00Z", 1_796_083_200);

/// The example's spec.
pub(crate) fn spec() -> String {
    fs::read_to_string(repository(EXAMPLE).join("sealift.yaml")).unwrap()
}

/// The text with every `from` replaced; there must be one.
#[track_caller]
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from:?} in\n{text}");
    text.replace(from, to)
}

/// The example's spec with last midnight as its epoch, so that what it makes is valid now.
pub(crate) fn spec_of_today() -> String {
    replaced(&spec(), "2026-11-20T00:00:00Z", &today())
}

/// Last midnight, UTC.
pub(crate) fn today() -> String {
    let date = run(Command::new("date").args(["-u", "+%Y-%m-%dT00:00:00Z"])).expect_code(0);
    date.stdout.trim().to_owned()
}

/// A file of the example's published keys.
pub(crate) fn test_only(file: &str) -> PathBuf {
    repository(EXAMPLE).join("test-only").join(file)
}

/// A spec in a directory of its own, with the example's keys, and its build.
pub(crate) struct Built {
    directory: tempfile::TempDir,
}

impl Built {
    /// Stages a spec and builds it.
    #[track_caller]
    pub(crate) fn of(spec: &str) -> Self {
        let built = Self::staged(spec);
        let _ = built.build(&[]).expect_code(0);
        built
    }

    /// Stages a spec without building it.
    #[track_caller]
    pub(crate) fn staged(spec: &str) -> Self {
        let directory = temporary();
        copy_tree(&repository(EXAMPLE).join("test-only"), &directory.path().join("test-only"));
        fs::write(directory.path().join("sealift.yaml"), spec).unwrap();
        Self { directory }
    }

    /// The example as it is, built once for a test program.
    pub(crate) fn example() -> &'static Self {
        static BUILT: LazyLock<Built> = LazyLock::new(|| Built::of(&spec()));
        &BUILT
    }

    /// Builds with the example's keyring and operator, and these arguments more.
    pub(crate) fn build(&self, arguments: &[&str]) -> Ran {
        let mut words: Vec<PathBuf> = vec!["build".into(), self.path("sealift.yaml")];
        words.extend(["--seed".into(), self.path("test-only/seed.age")]);
        words.extend(["-i".into(), self.path("test-only/operator.key"), "-o".into(), self.out()]);
        words.extend(arguments.iter().map(PathBuf::from));
        sealift(words)
    }

    /// A path in its directory.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// The output directory.
    pub(crate) fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// A host's bundle.
    pub(crate) fn bundle(&self, host: &str) -> PathBuf {
        self.out().join(format!("{host}.tar.gz"))
    }

    /// An empty root directory of a machine of that name.
    pub(crate) fn root(&self, host: &str) -> PathBuf {
        let root = self.path("roots").join(host);
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("etc/hostname"), format!("{host}\n")).unwrap();
        root
    }

    /// `sealift install` of a host's bundle with its first identity into a root.
    pub(crate) fn install(&self, host: &str, root: &Path, arguments: &[&str]) -> Ran {
        let number = HOSTS.iter().position(|name| *name == host).unwrap();
        let mut words: Vec<PathBuf> = vec!["install".into(), self.bundle(host), "-i".into()];
        words.extend([test_only(IDENTITIES[number]), "--root".into(), root.to_path_buf()]);
        words.extend(arguments.iter().map(PathBuf::from));
        sealift(words)
    }
}
