//! A cluster whose every secret is known, and the program run among its files.

use crate::needles::Needles;
use crate::support::example::{replaced, today};
use crate::support::opened::{machine, machine_file, open};
use crate::support::openssl::{Certificate, Office};
use crate::support::{Ran, SEALIFT, copy_tree, run, run_with_input, stacked, temporary};
use age::secrecy::ExposeSecret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sealift::derive::keyring::Keyring;
use std::ffi::OsStr;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The seed: 32 bytes that anybody would recognize.
pub(crate) const SEED: &[u8; 32] = b"canary: the seed of this cluster";
/// The number that is the private key of the imported authority.
const IMPORTED: &[u8; 32] = b"canary: an imported private key.";
/// The cluster's id.
pub(crate) const CLUSTER: &str = "7e570000000000000000000000000001";
/// The operator's identity and the control plane's, as numbers of test machines.
const OPERATOR: u8 = 9;
const CP1: u8 = 0;

/// What the cluster has beside hosts: every kind of secret.
const KUBERNETES: &str = "  join: token\n  bootstrapTokens: {join: {}}\n";
const REST: &str = "keepPrevious: true\nencryptionAtRest: {provider: secretbox}\npasswords: {vrrp: {roles: [control-plane]}}\npki: \
                    {caKeysOnHosts: [kubernetes, etcd, front-proxy], cas: {etcd: {import: {certificate: \
                    etcd-ca.crt, key: etcd-ca.key.age}}}}\n";

/// The cluster's files, of which those in `vault` are secret and stay off any disk that is looked at.
pub(crate) struct Stage {
    pub(crate) vault: tempfile::TempDir,
    /// `sealift.yaml`, `seed.age`, `trust`, the authority, and builds: `out`, and `next` of revision 2.
    pub(crate) public: tempfile::TempDir,
    pub(crate) needles: Needles,
}

impl Stage {
    /// Builds it, and learns its secrets.
    pub(crate) fn new() -> Self {
        let (vault, public) = (temporary(), temporary());
        let mut stage = Self { vault, public, needles: Needles::default() };
        stage.identities();
        let keyring = Keyring::write(CLUSTER, SEED);
        stage.needles.seed(SEED, &keyring);
        fs::write(stage.secret("keyring"), keyring.as_bytes()).unwrap();
        stage.sealed("seed.age", keyring.as_bytes());
        stage.authority();
        fs::write(stage.at("sealift.yaml"), stage.spec()).unwrap();
        let next = replaced(&stage.spec(), "revision: 1", "revision: 2");
        let next = replaced(&next, "cp1: {", "cp1: {generation: 2, ");
        for (out, spec) in [("out", stage.spec()), ("next", next)] {
            fs::write(stage.at(&format!("{out}.yaml")), spec).unwrap();
            let words = ["build", &format!("{out}.yaml"), "-i", "OPERATOR", "-o", out].map(str::to_owned);
            let _ = stage.ran(stage.public.path(), &words).expect_code(0);
        }
        fs::copy(stage.at("out/trust"), stage.at("trust")).unwrap();
        let (operator, cp1) = (machine(OPERATOR), machine(CP1));
        let w1 = BufReader::new(fs::File::open(stage.secret("w1.key")).unwrap());
        let w1 = age::ssh::Identity::from_buffer(w1, None).unwrap();
        let identities: [(&str, &dyn age::Identity); 3] =
            [("operator", &operator), ("cp1", &cp1), ("w1", &w1)];
        for (host, identity) in identities {
            for out in ["out", "next"] {
                let files = open(&stage.at(&format!("{out}/{host}.tar.gz")), identity);
                stage.needles.sealed(&format!("{out}/{host}"), &files);
            }
        }
        stage
    }

    fn identities(&mut self) {
        for (name, number) in [("operator.key", OPERATOR), ("cp1.key", CP1)] {
            fs::write(self.secret(name), machine_file(number)).unwrap();
            let identity = machine(number).to_string();
            self.needles.secret(name, identity.expose_secret().as_bytes());
            self.needles
                .secret(&format!("{name}, the key"), &bech32::decode(identity.expose_secret()).unwrap().1);
        }
        let words = ["-q", "-t", "ed25519", "-N", "", "-C", "w1", "-f"];
        let _ = run(Command::new("ssh-keygen").args(words).arg(self.secret("w1.key"))).expect_code(0);
        self.needles.pem("w1.key", &fs::read(self.secret("w1.key")).unwrap());
    }

    /// etcd's authority, whose key is [`IMPORTED`]; on the disk it is encrypted.
    fn authority(&mut self) {
        let mut der = vec![0x30, 0x31, 2, 1, 1, 4, 32];
        der.extend(IMPORTED);
        der.extend([0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
        let body = BASE64_STANDARD.encode(der);
        let (one, two) = body.split_at(64);
        let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{one}\n{two}\n-----END EC PRIVATE KEY-----\n");
        self.needles.pem("etcd-ca.key", pem.as_bytes());
        let office = Office::new(self.vault.path().join("office"));
        fs::write(office.path("etcd-ca.key"), &pem).unwrap();
        fs::write(self.secret("etcd-ca.key"), &pem).unwrap();
        let wanted = Certificate::ca("etcd-ca", "P-256", None);
        let words =
            ["req", "-config", "cnf", "-new", "-key", "etcd-ca.key", "-subj", wanted.subject, "-out", "csr"];
        let _ = office.openssl(&words).expect_code(0);
        office.sign(&wanted, "csr", "etcd-ca.crt");
        fs::copy(office.path("etcd-ca.crt"), self.at("etcd-ca.crt")).unwrap();
        self.sealed("etcd-ca.key.age", pem.as_bytes());
    }

    /// Encrypts a text to the operator, as a file beside the spec.
    pub(crate) fn sealed(&self, name: &str, text: &[u8]) {
        fs::write(self.at(name), age::encrypt(&machine(OPERATOR).to_public(), text).unwrap()).unwrap();
    }

    /// The spec.
    pub(crate) fn spec(&self) -> String {
        let text = stacked::spec("1.36.2", "kubeadm", KUBERNETES, REST);
        let text = replaced(&text, "2026-11-20T00:00:00Z", &today());
        let example = "age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl";
        let text = replaced(&text, example, &operator());
        let w1 = fs::read_to_string(self.secret("w1.key.pub")).unwrap();
        replaced(&text, &machine(1).to_public().to_string(), &format!("\"{}\"", w1.trim()))
    }

    /// A path among the secrets.
    pub(crate) fn secret(&self, name: &str) -> PathBuf {
        self.vault.path().join(name)
    }

    /// A path among what may be seen.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.public.path().join(name)
    }

    /// Puts what may be seen into a directory to work in, with a home and a place for temporary files.
    pub(crate) fn copy_to(&self, directory: &Path) {
        copy_tree(self.public.path(), directory);
        for name in ["home", "tmp"] {
            fs::create_dir(directory.join(name)).unwrap();
        }
        root(directory, "root", "cp1");
    }

    /// A word of a command: names in capitals are identities.
    pub(crate) fn word(&self, word: &str) -> PathBuf {
        match word {
            "OPERATOR" => self.secret("operator.key"),
            "CP1" => self.secret("cp1.key"),
            "W1" => self.secret("w1.key"),
            "KEYRING" => self.secret("keyring"),
            "AUTHORITY" => self.secret("etcd-ca.key"),
            _ => word.into(),
        }
    }

    /// The program in a directory, talkative, after these words of another program.
    pub(crate) fn command(&self, directory: &Path, before: &[&OsStr], words: &[String]) -> Command {
        let all: Vec<&OsStr> = before.iter().copied().chain([OsStr::new(SEALIFT)]).collect();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).args(words.iter().map(|word| self.word(word))).current_dir(directory);
        for (name, value) in [("RUST_BACKTRACE", "full"), ("RUST_LIB_BACKTRACE", "1"), ("RUST_LOG", "trace")]
        {
            command.env(name, value);
        }
        // cargo's: with it the loader opens more files than the program
        command.env_remove("LD_LIBRARY_PATH");
        command.env("HOME", directory.join("home")).env("TMPDIR", directory.join("tmp"));
        command
    }

    /// Runs it; no word of what it says is secret.
    #[track_caller]
    pub(crate) fn ran(&self, directory: &Path, words: &[String]) -> Ran {
        self.said_nothing(words, run(&mut self.command(directory, &[], words)))
    }

    /// The same with something on its standard input.
    #[track_caller]
    pub(crate) fn ran_with(&self, directory: &Path, words: &[String], input: &[u8]) -> Ran {
        self.said_nothing(words, run_with_input(&mut self.command(directory, &[], words), input))
    }

    /// After checking that no secret was said.
    #[track_caller]
    pub(crate) fn said_nothing(&self, words: &[String], ran: Ran) -> Ran {
        self.needles.nowhere_in(&format!("stdout of {words:?}"), ran.stdout.as_bytes());
        self.needles.nowhere_in(&format!("stderr of {words:?}"), ran.stderr.as_bytes());
        ran
    }
}

/// A line as words.
pub(crate) fn words(line: &str) -> Vec<String> {
    line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The operator's recipient.
pub(crate) fn operator() -> String {
    machine(OPERATOR).to_public().to_string()
}

/// An empty root directory of a machine of that name.
pub(crate) fn root(directory: &Path, root: &str, host: &str) {
    fs::create_dir_all(directory.join(root).join("etc")).unwrap();
    fs::write(directory.join(root).join("etc/hostname"), format!("{host}\n")).unwrap();
}
