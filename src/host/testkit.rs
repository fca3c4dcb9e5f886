//! For tests: bundles made to measure, hosts to install them on, and pictures of a tree.
#![allow(clippy::disallowed_methods, reason = "tests prepare the hosts that they look at")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{InstallError, Options, Report, install};
use crate::bundle::forgery::file;
use crate::bundle::manifest::{
    ClusterRef, Directory, FORMAT, Fields, File, HostRef, Manifest, Policy, Revision,
};
use crate::bundle::open::{Verified, open};
use crate::bundle::pack::pack;
use crate::bundle::trust::{Trust, trust_line};
use crate::finding::Finding;
use crate::rootfs::Root;
use crate::unseal::Identities;
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(crate) const CLUSTER: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const CERT: &str = include_str!("../check/testdata/test-only-a.crt");
pub(crate) const KEY: &str = include_str!("../check/testdata/test-only-a.key");
pub(crate) const OTHER_CERT: &str = include_str!("../check/testdata/test-only-b.crt");
pub(crate) const OTHER_KEY: &str = include_str!("../check/testdata/test-only-b.key");
/// 2026-11-20T00:00:00Z, when the bundles were built; certificate and bundle last for a year.
pub(crate) const EPOCH: u64 = 1_795_132_800;
/// A day later.
pub(crate) const NOW: i64 = 1_795_219_200;

pub(crate) const CONF: &str = "/etc/app/app.conf";
pub(crate) const POD: &str = "/etc/pods/etcd.yaml";
pub(crate) const CRT: &str = "/etc/pki/server.crt";
pub(crate) const SECRET: &str = "/etc/pki/server.key";

const SIGNER: [u8; 32] = [7; 32];

/// A bundle before it is sealed, packed, signed and opened again.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) manifest: Manifest,
    pub(crate) plain: BTreeMap<String, Vec<u8>>,
    /// Bytes to pack in the place of sealed ones.
    pub(crate) sealed: BTreeMap<String, Vec<u8>>,
    /// Paths whose keyed digest shall be wrong.
    pub(crate) wrong_hmac: Vec<String>,
    pub(crate) signer: [u8; 32],
    identity: age::x25519::Identity,
}

impl Draft {
    /// Two secrets, a certificate, a configuration file, and a pod in an owned directory.
    pub(crate) fn new() -> Self {
        let directory = |path: &str, mode: &str, owned: bool, allow: &[&str]| Directory {
            path: path.into(),
            mode: mode.into(),
            uid: 0,
            gid: 0,
            owned,
            allow: allow.iter().map(|path| (*path).to_owned()).collect(),
        };
        let mut draft = Self {
            manifest: Manifest {
                keep_previous: false,
                format: FORMAT,
                cluster: ClusterRef { id: CLUSTER.into(), name: "prod".into() },
                host: HostRef {
                    name: "infra0".into(),
                    addresses: vec!["10.0.0.6".into()],
                    machine_id: None,
                    generation: 1,
                    recipients: Vec::new(),
                },
                revision: Revision { cluster: 2, host: 1 },
                sealift: "0.1.0".into(),
                inputs: "0".repeat(64),
                epoch: String::new(),
                valid_until: "2027-11-19T23:55:00Z".into(),
                trust: Vec::new(),
                directories: vec![
                    directory("/etc/pki", "0711", false, &[]),
                    directory("/etc/pods", "0755", true, &["/etc/pods/allowed.yaml", "/etc/pods/deep"]),
                ],
                files: Vec::new(),
            },
            plain: BTreeMap::new(),
            sealed: BTreeMap::new(),
            wrong_hmac: Vec::new(),
            signer: SIGNER,
            identity: age::x25519::Identity::generate(),
        };
        draft.add(CONF, b"conf 1\n", false);
        draft.add(POD, b"pod 1\n", false);
        draft.add(CRT, CERT.as_bytes(), false);
        draft.add(SECRET, KEY.as_bytes(), true);
        draft.add(VERIFY_KEY_PATH, verify_key().to_file().as_bytes(), true);
        draft.file(CONF).run = vec!["app --reload".into()];
        draft.file(CONF).restart = vec!["unit/app".into()];
        draft.file(SECRET).certificate = Some(CRT.into());
        for path in [POD, CRT, SECRET] {
            draft.file(path).restart = vec!["static-pod/etcd".into()];
        }
        draft
    }

    pub(crate) fn add(&mut self, path: &str, contents: &[u8], sealed: bool) {
        let bare = File { hmac: None, restart: Vec::new(), ..file(path, sealed) };
        self.manifest.files.push(bare);
        self.set(path, contents);
    }

    /// A file that another program writes.
    pub(crate) fn foreign(&mut self, path: &str) {
        self.add(path, b"", false);
        self.plain.remove(path);
        self.file(path).policy = Policy::Foreign;
    }

    /// These lines as the block of a file.
    pub(crate) fn block(&mut self, path: &str, lines: &str) {
        self.drop(path);
        self.add(path, block(lines).as_bytes(), false);
        self.file(path).policy = Policy::Block;
    }

    /// A file that is needed once.
    pub(crate) fn bootstrap(&mut self, path: &str, contents: &[u8]) {
        self.add(path, contents, true);
        self.file(path).policy = Policy::Bootstrap;
    }

    /// A sealed file that a component rewrites.
    pub(crate) fn initial(&mut self, path: &str, contents: &str, fields: Fields) {
        self.drop(path);
        self.add(path, contents.as_bytes(), true);
        self.file(path).policy = Policy::Initial;
        self.file(path).fields = Some(fields);
    }

    pub(crate) fn set(&mut self, path: &str, contents: &[u8]) {
        self.plain.insert(path.into(), contents.to_vec());
    }

    pub(crate) fn drop(&mut self, path: &str) {
        self.manifest.files.retain(|file| file.path != path);
        self.plain.remove(path);
    }

    pub(crate) fn file(&mut self, path: &str) -> &mut File {
        self.manifest.files.iter_mut().find(|file| file.path == path).unwrap()
    }

    pub(crate) fn bundle(&self) -> Verified {
        let mut manifest = self.manifest.clone();
        let mut contents = BTreeMap::new();
        for file in manifest.files.iter_mut().filter(|file| file.policy != Policy::Foreign) {
            let plain = self.plain.get(&file.path).unwrap();
            let mut packed = plain.clone();
            if file.sealed {
                let wrong = self.wrong_hmac.contains(&file.path);
                file.hmac = Some(verify_key().digest(&file.path, if wrong { b"wrong" } else { plain }));
                packed = age::encrypt(&self.identity.to_public(), plain).unwrap();
            }
            contents.insert(file.path.clone(), self.sealed.get(&file.path).unwrap_or(&packed).clone());
        }
        let packed = pack(manifest, &contents, EPOCH, &SigningKey::from_bytes(&self.signer)).unwrap();
        open(&packed.bytes, "infra0.tar.gz", &trust(self.signer), NOW).unwrap()
    }

    pub(crate) fn identities(&self) -> Identities {
        identities(&self.identity)
    }
}

/// A block of these lines.
pub(crate) fn block(lines: &str) -> String {
    format!("# BEGIN sealift\n{lines}# END sealift\n")
}

/// The identities that hold one age key.
fn identities(identity: &age::x25519::Identity) -> Identities {
    use age::secrecy::ExposeSecret;
    Identities::parse("test", identity.to_string().expose_secret().as_bytes()).unwrap()
}

/// A fixed verify key.
pub(crate) fn verify_key() -> VerifyKey {
    VerifyKey::new(Zeroizing::new([9; 32]))
}

/// Trust in the key that signs drafts.
pub(crate) fn trusted() -> Trust {
    trust(SIGNER)
}

/// Trust in one signer.
pub(crate) fn trust(signer: [u8; 32]) -> Trust {
    let key = SigningKey::from_bytes(&signer).verifying_key().to_bytes();
    Trust::parse(&trust_line(CLUSTER, &key)).unwrap()
}

/// What a plain `sealift install` asks for.
pub(crate) fn options() -> Options<'static> {
    Options {
        dry_run: false,
        allow_rollback: false,
        force: false,
        allow_expired: false,
        now: NOW,
        hostname: None,
        trust_text: None,
        archive: b"",
        rollback: false,
    }
}

/// A host: an empty directory.
pub(crate) struct Host {
    directory: TempDir,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    /// A host with a draft's bundle installed.
    pub(crate) fn with(draft: &Draft) -> (Self, Verified) {
        let host = Self::new();
        let bundle = draft.bundle();
        host.install(draft, &bundle, &options()).unwrap();
        (host, bundle)
    }

    pub(crate) fn root(&self) -> Root {
        Root::open(self.directory.path()).unwrap()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn install(
        &self,
        draft: &Draft,
        bundle: &Verified,
        options: &Options<'_>,
    ) -> Result<Report, InstallError> {
        let attempt = || install(&self.root(), bundle, &draft.identities(), options);
        let mut result = attempt();
        // A program that another test starts holds our lock between its fork and its exec.
        for _ in 0..100 {
            if !matches!(result, Err(InstallError::Busy)) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
            result = attempt();
        }
        result
    }

    /// Installs, and expects findings; with their ids and paths, and the exit code.
    pub(crate) fn refused(
        &self,
        draft: &Draft,
        bundle: &Verified,
        options: &Options<'_>,
    ) -> (Vec<String>, u8) {
        let before = self.picture();
        let error = self.install(draft, bundle, options).unwrap_err();
        assert_eq!(self.picture(), before, "a refused install changed the host");
        let code = error.exit_code();
        match error {
            InstallError::Refused(findings) => (names(&findings), code),
            error => panic!("{error:?}"),
        }
    }

    pub(crate) fn write(&self, path: &str, contents: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path(path)).unwrap()
    }

    pub(crate) fn chmod(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.path(path)).unwrap().mode() & 0o7777
    }

    /// Everything in the tree: type, mode, owner, inode, times and contents.
    pub(crate) fn picture(&self) -> BTreeMap<PathBuf, String> {
        picture(self.directory.path())
    }
}

/// Everything beneath a directory; of directories no times, which staging and undoing change.
pub(crate) fn picture(top: &Path) -> BTreeMap<PathBuf, String> {
    let mut seen = BTreeMap::new();
    let mut rest = vec![top.to_owned()];
    while let Some(path) = rest.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mut line =
            format!("{:o} {}:{} {}", metadata.mode(), metadata.uid(), metadata.gid(), metadata.ino());
        if metadata.is_dir() {
            rest.extend(fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path()));
        } else {
            let _ = write!(line, " {} {}.{}", metadata.nlink(), metadata.mtime(), metadata.mtime_nsec());
        }
        if metadata.is_symlink() {
            let _ = write!(line, " -> {}", fs::read_link(&path).unwrap().display());
        } else if metadata.is_file() {
            line += &fs::read(&path).map_or(String::new(), |bytes| format!(" {}", bytes.escape_ascii()));
        }
        seen.insert(path, line);
    }
    seen
}

/// `id path` of each finding.
pub(crate) fn names(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}", finding.id, finding.path)).collect()
}

/// Says why a test does not run here. In CI everything runs.
#[allow(clippy::print_stdout)]
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "cannot be skipped in CI: {reason}");
    println!("skipped: {reason}");
}

/// Whether these tests run as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

const CHILD: &str = "SEALIFT_TEST_CHILD";

/// Runs `body` in a process of its own, as `uid` when given and possible, under a umask.
///
/// `name` is the full name of the calling test: the process runs that test alone, arrives here
/// again, and then runs `body`.
pub(crate) fn alone(name: &str, uid: Option<u32>, umask: u32, body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        rustix::process::umask(umask.into());
        return body();
    }
    let place = TempDir::new().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = place.path().join("test");
    // By another process: a child forked by another test may hold our descriptor when we execute it.
    let mut copy = Command::new("install");
    assert!(
        copy.args(["-m", "755"])
            .arg(std::env::current_exe().unwrap())
            .arg(&program)
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new(&program);
    command.args(["--exact", name, "--nocapture"]).env(CHILD, "1").env("TMPDIR", place.path());
    if let Some(uid) = uid.filter(|_| is_root()) {
        command.uid(uid).gid(uid);
    }
    let output = command.current_dir("/").output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{name}: {said}");
}
