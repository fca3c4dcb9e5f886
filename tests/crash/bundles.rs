//! Two small bundles of one host. The newer one creates, changes and removes files, makes directories,
//! sets modes, and brings another pair of key and certificate.

use age::secrecy::ExposeSecret as _;
use ed25519_dalek::SigningKey;
use sealift::bundle::manifest::{
    ClusterRef, Directory, FORMAT, Fields, File, HostRef, Manifest, Policy, Revision,
};
use sealift::bundle::pack::pack;
use sealift::bundle::trust::trust_line;
use sealift::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use zeroize::Zeroizing;

const CLUSTER: &str = "0123456789abcdef0123456789abcdef";
/// 2026-11-20T00:00:00Z.
const EPOCH: u64 = 1_795_132_800;
/// When certificates and bundles are valid.
pub(crate) const AT: &str = "2026-12-01T00:00:00Z";

/// The pairs of the two bundles, certificate and key, by name.
pub(crate) const PAIRS: [(&str, &str); 2] =
    [("/etc/pki/server.crt", "/etc/pki/server.key"), ("/etc/pki/peer.crt", "/etc/pki/peer.key")];
/// Where a manifest is started as soon as it appears.
pub(crate) const PODS: &str = "/etc/kubernetes/manifests";
/// What a component rewrites.
pub(crate) const KUBELET: &str = "/var/lib/kubelet/config.yaml";

const ONE: (&str, &str) = (
    include_str!("../../src/check/testdata/test-only-a.crt"),
    include_str!("../../src/check/testdata/test-only-a.key"),
);
const OTHER: (&str, &str) = (
    include_str!("../../src/check/testdata/test-only-b.crt"),
    include_str!("../../src/check/testdata/test-only-b.key"),
);

/// A configuration of the kubelet.
pub(crate) fn configuration() -> String {
    let kind = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration";
    format!("{kind}\nstaticPodPath: {PODS}\n")
}

struct Draft {
    manifest: Manifest,
    plain: BTreeMap<String, Vec<u8>>,
}

impl Draft {
    fn new(revision: u32, valid_until: &str) -> Self {
        Self {
            manifest: Manifest {
                keep_previous: false,
                trust: Vec::new(),
                format: FORMAT,
                cluster: ClusterRef { id: CLUSTER.into(), name: "prod".into() },
                host: HostRef {
                    name: "infra0".into(),
                    addresses: vec!["10.0.0.6".into()],
                    machine_id: None,
                    generation: 1,
                    recipients: Vec::new(),
                },
                revision: Revision { cluster: revision, host: 0 },
                sealift: "0.1.0".into(),
                inputs: "0".repeat(64),
                epoch: String::new(),
                valid_until: valid_until.into(),
                directories: Vec::new(),
                files: Vec::new(),
            },
            plain: BTreeMap::new(),
        }
    }

    fn directory(&mut self, path: &str, mode: &str, owned: bool) {
        let (path, mode) = (path.to_owned(), mode.to_owned());
        self.manifest.directories.push(Directory { path, mode, uid: 0, gid: 0, owned, allow: Vec::new() });
    }

    fn file(&mut self, path: &str, mode: &str, contents: &str) -> &mut File {
        self.plain.insert(path.to_owned(), contents.as_bytes().to_vec());
        self.manifest.files.push(File {
            path: path.into(),
            mode: mode.into(),
            uid: 0,
            gid: 0,
            policy: Policy::Managed,
            fields: None,
            size: 0,
            sha256: String::new(),
            sealed: false,
            hmac: None,
            certificate: None,
            origin: None,
            inputs: None,
            restart: Vec::new(),
            run: Vec::new(),
        });
        self.manifest.files.last_mut().unwrap()
    }

    fn pair(&mut self, (certificate, key): (&str, &str), (crt, pem): (&str, &str)) {
        self.file(certificate, "0644", crt);
        let file = self.file(key, "0600", pem);
        file.sealed = true;
        file.certificate = Some(certificate.to_owned());
    }

    fn pod(&mut self, name: &str, pairs: &[(&str, &str)], more: &str) {
        let lines: Vec<String> = pairs.iter().map(|(crt, key)| format!("  {crt}: {key}\n")).collect();
        let keys = lines.concat();
        let text = format!("apiVersion: v1\nkind: Pod\npairs:\n{keys}more: {more}\n");
        self.file(&format!("{PODS}/{name}.yaml"), "0600", &text);
    }

    fn initial(&mut self, mode: &str) {
        let file = self.file(KUBELET, mode, &configuration());
        file.policy = Policy::Initial;
        let values = [("staticPodPath".to_owned(), PODS.to_owned())];
        file.fields = Some(Fields { format: "kubelet-configuration".into(), values: values.into() });
    }

    fn block(&mut self, lines: &str) {
        let text = format!("# BEGIN sealift\n{lines}# END sealift\n");
        self.file("/etc/hosts", "0644", &text).policy = Policy::Block;
    }

    /// Packed and written as `NAME.tar.gz`.
    fn write(mut self, identity: &age::x25519::Identity, to: &Path) {
        let key = VerifyKey::new(Zeroizing::new([9; 32]));
        self.file(VERIFY_KEY_PATH, "0600", &key.to_file()).sealed = true;
        let mut contents = BTreeMap::new();
        for file in &mut self.manifest.files {
            let plain = &self.plain[&file.path];
            let packed = if file.sealed {
                file.hmac = Some(key.digest(&file.path, plain));
                age::encrypt(&identity.to_public(), plain).unwrap()
            } else {
                plain.clone()
            };
            contents.insert(file.path.clone(), packed);
        }
        let packed = pack(self.manifest, &contents, EPOCH, &SigningKey::from_bytes(&[7; 32])).unwrap();
        fs::write(to, packed.bytes).unwrap();
    }
}

/// Writes `a.tar.gz`, `b.tar.gz`, `trust` and `identity` into a directory.
pub(crate) fn write(directory: &Path) {
    let identity = age::x25519::Identity::generate();
    fs::write(directory.join("identity"), identity.to_string().expose_secret()).unwrap();
    let signer = SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    fs::write(directory.join("trust"), trust_line(CLUSTER, &signer)).unwrap();

    let mut older = Draft::new(1, "2126-11-19T23:55:00Z");
    older.directory("/etc/pki", "0755", false);
    older.directory(PODS, "0755", true);
    older.pair(PAIRS[0], ONE);
    older.pod("etcd", &PAIRS[..1], "one");
    older.pod("gone", &PAIRS[..1], "gone");
    older.initial("0644");
    older.block("10.0.0.6 cp1\n");
    older.file("/etc/app/app.conf", "0644", "one\n");
    older.file("/etc/app/mode.conf", "0644", "mode\n");
    older.file("/etc/app/gone.conf", "0644", "gone\n");
    older.write(&identity, &directory.join("a.tar.gz"));

    let mut newer = Draft::new(2, "2126-11-19T23:55:00Z");
    newer.directory("/etc/pki", "0711", false);
    newer.directory(PODS, "0700", true);
    newer.directory("/etc/new/empty", "0750", false);
    newer.pair(PAIRS[0], OTHER);
    newer.pair(PAIRS[1], ONE);
    newer.pod("etcd", &PAIRS, "two");
    newer.initial("0600");
    newer.block("10.0.0.6 cp1\n10.0.0.7 cp2\n");
    newer.file("/etc/app/app.conf", "0644", "two\n");
    newer.file("/etc/app/mode.conf", "0600", "mode\n").uid = 1234;
    newer.file("/etc/new/deep/file", "0640", "new\n");
    newer.write(&identity, &directory.join("b.tar.gz"));
}
