//! `sealift certs`, over the example's bundles and over hosts that kubeadm or a person made.
//!
//! Outputs are compared whole, with tests/golden/certs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::archive::{member, members, write};
use support::example::{Built, HOSTS, replaced, spec, spec_of_today};
use support::transcript::{golden_transcript, transcript};
use support::{SEALIFT, is_root, need, repository, run, temporary, tree};

const AT: [&str; 2] = ["--at", "2026-12-01T00:00:00Z"];
const TRUST: [&str; 2] = ["--trust", "out/trust"];

fn words<'a>(first: &[&'a str], more: &[&[&'a str]]) -> Vec<&'a str> {
    [&["certs"], first, &AT, &more.concat()].concat()
}

/// Runs in a directory and compares; nothing may change there.
#[track_caller]
fn compare(name: &str, directory: &Path, words: &[&str], code: i32) {
    let before = tree(directory);
    let text = transcript(directory, words);
    assert!(text.contains(&format!("\n(exit code {code})\n")), "not exit code {code}:\n{text}");
    assert!(!text.contains('\u{1b}'), "colour in a file");
    golden_transcript(&format!("certs/{name}"), &text, &[]);
    let json = run(Command::new(SEALIFT).args(words).args(["--format", "json"]).current_dir(directory));
    let value: Value =
        serde_json::from_str(&json.stdout).unwrap_or_else(|error| panic!("{error}: {json:#?}"));
    assert_eq!((json.code, &value["command"], &value["exit"]), (code, &"certs".into(), &code.into()));
    assert_eq!(tree(directory), before, "something was written");
}

/// Every certificate of a JSON answer, nested ones too.
fn flat<'a>(nodes: &'a Value, out: &mut Vec<&'a Value>) {
    for node in nodes.as_array().into_iter().flatten() {
        out.push(node);
        flat(&node["issued"], out);
    }
}

#[track_caller]
fn json(directory: &Path, words: &[&str], code: i32) -> Value {
    let ran = run(Command::new(SEALIFT).args(words).args(["--format", "json"]).current_dir(directory));
    serde_json::from_str(&ran.expect_code(code).stdout).unwrap()
}

#[test]
fn bundles_and_directories() {
    let built = Built::example();
    let here = built.path("");
    compare("output-directory", &here, &words(&["out"], &[&TRUST]), 0);
    compare("expiring", &here, &words(&["out/infra0.tar.gz"], &[&TRUST, &["--within", "400d"]]), 6);
    let _ = json(&here, &words(&["out"], &[&TRUST, &["--within", "300d"]]), 0);
    let late = ["certs", "out/infra0.tar.gz", "--trust", "out/trust", "--at"];
    compare("expired", &here, &[&late[..], &["2027-11-20T00:00:01Z"]].concat(), 6);
    let _ = json(&here, &[&late[..], &["2027-11-20T00:00:00Z"]].concat(), 0);
    let early = [&late[..], &["2026-11-19T23:54:59Z"]].concat();
    let value = json(&here, &early, 6);
    let ids: Vec<_> =
        value["findings"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["certificate-not-yet-valid"; 4]);
}

#[test]
fn as_json() {
    let built = Built::example();
    let words = [&words(&["out/infra0.tar.gz"], &[&TRUST])[..], &["--format", "json"]].concat();
    golden_transcript("certs/json", &transcript(&built.path(""), &words), &[]);
}

/// A spec says what the bundles then hold, but for what needs the keyring.
#[test]
fn a_spec_tells_what_its_bundles_will_hold() {
    let built = Built::example();
    compare("spec", &built.path(""), &words(&["sealift.yaml"], &[]), 0);
    let mut planned = json(&built.path(""), &words(&["sealift.yaml"], &[]), 0);
    let mut held = json(&built.path(""), &words(&["out"], &[&TRUST]), 0);
    for value in [&mut planned, &mut held] {
        value["hosts"].as_array_mut().unwrap().iter_mut().for_each(forget);
    }
    assert_eq!(planned["hosts"], held["hosts"]);

    let wrong = Built::staged(&replaced(&spec(), "  revision: 1\n", "  revision: 0\n"));
    let ran = run(Command::new(SEALIFT).args(["certs", "sealift.yaml"]).current_dir(wrong.path("")));
    assert!(ran.expect_code(2).stderr.contains("1 error"));
}

/// Drops what only a build can know, and where it was found.
fn forget(value: &mut Value) {
    let fields = value.as_object_mut().unwrap();
    fields.retain(|name, _| !["serial", "sha256", "source"].contains(&name.as_str()));
    for list in ["certificates", "issued"] {
        fields.get_mut(list).into_iter().flat_map(|list| list.as_array_mut().unwrap()).for_each(forget);
    }
}

/// What is printed is believed, so nothing is that is not signed by a key to trust.
#[test]
fn nothing_is_shown_of_what_is_not_trusted() {
    let built = Built::of(&spec());
    let here = built.path("");
    for path in ["out", "out/infra0.tar.gz"] {
        let ran = run(Command::new(SEALIFT).args(["certs", path]).current_dir(&here)).expect_code(3);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.starts_with("error: nothing says whose signature to trust\n"), "{}", ran.stderr);
    }
    let bundle = built.bundle("infra0");
    let mut changed = members(&bundle);
    let certificate = member(&built.bundle("infra1"), "files/etc/kubernetes/pki/etcd/peer.crt");
    let own = changed.iter_mut().find(|member| member.name == certificate.name).unwrap();
    own.contents = certificate.contents;
    write(&built.path("changed.tar.gz"), &changed);
    compare("changed-bundle", &here, &words(&["changed.tar.gz", "out/infra2.tar.gz"], &[&TRUST]), 1);
    fs::copy(built.path("changed.tar.gz"), &bundle).unwrap();
    compare("changed-directory", &here, &words(&["out"], &[&TRUST]), 1);
    let other = Built::of(&replaced(&spec(), "pki:\n", "signing: {generation: 2}\npki:\n"));
    fs::copy(other.path("out/trust"), built.path("other.trust")).unwrap();
    compare("another-key", &here, &words(&["out"], &[&["--trust", "other.trust"]]), 3);
    compare("no-bundle", &here, &words(&["nowhere.tar.gz"], &[&TRUST]), 7);
}

#[test]
fn identities_open_bundles() {
    let built = Built::example();
    let identity = |file: &'static str| ["-i", file];
    for (bundle, key, code) in [
        ("out/infra0.tar.gz", "test-only/infra0.age.key", 0),
        ("out", "test-only/infra0.age.key", 0),
        ("out/infra0.tar.gz", "test-only/infra1.ssh_host_ed25519_key", 4),
    ] {
        let value = json(&built.path(""), &words(&[bundle], &[&TRUST, &identity(key)]), code);
        let ids: Vec<_> = value["findings"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
        assert_eq!(ids, vec![Value::from("not-sealed-to-identity"); usize::from(code == 4)]);
    }
}

/// A certificate of tests/data/certificates.
fn data(name: &str) -> String {
    fs::read_to_string(repository("tests/data/certificates").join(format!("{name}.crt"))).unwrap()
}

/// A host's file system.
struct Host {
    directory: tempfile::TempDir,
}

impl Host {
    fn new(name: &str) -> Self {
        let host = Self { directory: temporary() };
        host.file("etc/hostname", &format!("{name}\n"));
        host
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join("root").join(below)
    }

    fn file(&self, below: &str, text: &str) {
        fs::create_dir_all(self.path(below).parent().unwrap()).unwrap();
        fs::write(self.path(below), text).unwrap();
    }

    fn link(&self, below: &str, target: &str) {
        symlink(target, self.path(below)).unwrap();
    }

    fn certificate(&self, below: &str, names: &[&str]) {
        self.file(below, &names.iter().map(|name| data(name)).collect::<String>());
    }

    #[track_caller]
    fn compare(&self, name: &str, more: &[&str], code: i32) {
        compare(name, self.directory.path(), &words(&["--root", "root"], &[more]), code);
    }

    /// What is found, without the certificates.
    #[track_caller]
    fn findings(&self, code: i32) -> Vec<(String, String)> {
        let value = json(self.directory.path(), &words(&["--root", "root"], &[]), code);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        value["findings"].as_array().unwrap().iter().map(|it| (text(&it["id"]), text(&it["path"]))).collect()
    }
}

fn kubeconfig(user: &str, credentials: &str) -> String {
    let ca = STANDARD.encode(data("ca"));
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {user}@kubernetes\npreferences: {{}}\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: https://10.0.0.6:6443\n  name: kubernetes\ncontexts:\n- context:\n    cluster: kubernetes\n    user: {user}\n  name: {user}@kubernetes\nusers:\n- name: {user}\n  user:\n{credentials}"
    )
}

fn embedded(user: &str, certificate: &str) -> String {
    let (pem, key) = (STANDARD.encode(data(certificate)), STANDARD.encode("not read"));
    kubeconfig(user, &format!("    client-certificate-data: {pem}\n    client-key-data: {key}\n"))
}

const DATED: &str = "kubelet-client-2026-11-20-00-00-00.pem";

/// A control plane as `kubeadm init` leaves it, and the kubelet after it.
fn kubeadm() -> Host {
    let host = Host::new("cp1");
    for name in ["ca", "apiserver", "front-proxy-ca", "front-proxy-client"] {
        host.certificate(&format!("etc/kubernetes/pki/{name}.crt"), &[name]);
        host.file(&format!("etc/kubernetes/pki/{name}.key"), "not read");
    }
    host.certificate("etc/kubernetes/pki/etcd/ca.crt", &["root"]);
    host.certificate("etc/kubernetes/pki/etcd/server.crt", &["last", "middle"]);
    host.file("etc/kubernetes/pki/sa.pub", "not read");
    host.file("etc/kubernetes/admin.conf", &embedded("kubernetes-admin", "admin"));
    let current = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    let files = format!("    client-certificate: {current}\n    client-key: {current}\n");
    host.file("etc/kubernetes/kubelet.conf", &kubeconfig("system:node:cp1", &files));
    host.file("etc/kubernetes/cloud.conf", "[global]\nnot = a kubeconfig\n");
    host.file("etc/kubernetes/manifests/etcd.yaml", "kind: Pod\n");
    let key = "-----BEGIN EC PRIVATE KEY-----\nnot even base64\n-----END EC PRIVATE KEY-----\n";
    host.file(&format!("var/lib/kubelet/pki/{DATED}"), &(data("kubelet-client") + key));
    host.link("var/lib/kubelet/pki/kubelet-client-current.pem", &format!("/var/lib/kubelet/pki/{DATED}"));
    host.certificate("var/lib/kubelet/pki/kubelet.crt", &["no-names"]);
    host
}

#[test]
fn a_host_that_kubeadm_made() {
    let host = kubeadm();
    host.compare("kubeadm", &[], 0);
    host.compare("kubeadm-within", &["--within", "30d"], 6);
}

#[test]
fn odd_certificates() {
    let host = Host::new("odd");
    for name in ["ca", "root", "middle", "last", "no-names", "expired", "early", "orphan", "bastard"] {
        host.certificate(&format!("etc/etcd/tls/{name}.pem"), &[name]);
    }
    host.file("etc/etcd/tls/key.pem", "-----BEGIN PRIVATE KEY-----\nnot read\n-----END PRIVATE KEY-----\n");
    host.compare("odd", &[], 6);
}

/// openssl says of every certificate what sealift says.
#[test]
fn openssl_agrees() {
    let Some(openssl) = need("openssl") else { return };
    let host = Host::new("all");
    let directory = repository("tests/data/certificates");
    let names: BTreeSet<String> = fs::read_dir(&directory)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".crt").map(str::to_owned))
        .collect();
    for name in &names {
        host.certificate(&format!("etc/etcd/{name}.crt"), &[name]);
    }
    let value = json(host.directory.path(), &words(&["--root", "root"], &[]), 6);
    let mut nodes = Vec::new();
    flat(&value["hosts"][0]["certificates"], &mut nodes);
    assert_eq!(nodes.len(), names.len());
    for node in nodes {
        let file = node["files"][0]["path"].as_str().unwrap().trim_start_matches('/');
        let asked =
            ["x509", "-noout", "-serial", "-fingerprint", "-sha256", "-dates", "-dateopt", "iso_8601", "-in"];
        let said = run(Command::new(&openssl).args(asked).arg(host.path(file))).expect_code(0).stdout;
        let hex = |name: &str| node[name].as_str().unwrap().trim_start_matches('0').to_uppercase();
        let time = |name: &str| node[name].as_str().unwrap().replace('T', " ");
        let said = said.replace(':', "").replace("serial=0", "serial=");
        for expected in [
            format!("serial={}\n", hex("serial")),
            format!("Fingerprint={}\n", node["sha256"].as_str().unwrap().to_uppercase()),
            format!("notBefore={}\n", time("notBefore").replace(':', "")),
            format!("notAfter={}\n", time("notAfter").replace(':', "")),
        ] {
            assert!(said.to_uppercase().contains(&expected.to_uppercase()), "{file}: {expected}\n{said}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let host = kubeadm();
    host.file("etc/kubernetes/pki/empty.crt", "");
    host.file("etc/kubernetes/pki/damaged.crt", &(data("ca").replacen("MII", "MIJ", 1) + &data("admin")));
    host.link("etc/kubernetes/pki/linked.crt", "ca.crt");
    host.link("etc/etcd", "kubernetes/pki");
    host.file("etc/kubernetes/scheduler.conf", "users: [\n");
    host.file("etc/kubernetes/mine.conf", "kind: Config\nclusters: 7\n");
    host.file(
        "etc/kubernetes/names.conf",
        "kind: Config\nusers: [{name: a, user: {client-certificate: ../gone.crt}}]\n",
    );
    fs::remove_file(host.path("var/lib/kubelet/pki/kubelet-client-current.pem")).unwrap();
    host.link("var/lib/kubelet/pki/kubelet-client-current.pem", "/etc/kubernetes/pki/ca.crt");
    host.compare("unreadable", &[], 1);
}

/// The kubelet's link leads to a plain name beside it or nowhere.
#[test]
fn the_link_of_the_kubelet() {
    let current = "var/lib/kubelet/pki/kubelet-client-current.pem";
    let at = "/var/lib/kubelet/pki/kubelet-client-current.pem".to_owned();
    let found = |target: &str, code| {
        let host = kubeadm();
        fs::create_dir(host.path("var/lib/kubelet/pki/below")).unwrap();
        host.certificate("var/lib/kubelet/pki/below/a.pem", &["ca"]);
        host.link("var/lib/kubelet/pki/again.pem", DATED);
        fs::remove_file(host.path(current)).unwrap();
        host.link(current, target);
        host.findings(code)
    };
    assert_eq!(found(DATED, 0), []);
    for target in
        ["../../../../etc/kubernetes/pki/ca.crt", "below/a.pem", "..", "/var/lib/kubelet/pki/../pki/a"]
    {
        assert_eq!(found(target, 1), [("symlink-in-path".to_owned(), at.clone())], "{target}");
    }
    assert_eq!(found("gone.pem", 1), [("file-missing".to_owned(), at.clone())]);
    for (target, name) in [("again.pem", "again.pem"), ("below", "below")] {
        let there = format!("/var/lib/kubelet/pki/{name}");
        assert_eq!(found(target, 1), [("type-mismatch".to_owned(), there)], "{target}");
    }
}

#[test]
fn a_host_without_any() {
    Host::new("empty").compare("empty", &[], 1);
    let ran = run(Command::new(SEALIFT).args(["certs", "--root", "/nowhere"])).expect_code(7);
    assert!(ran.stderr.starts_with("error: cannot open the root /nowhere: "), "{}", ran.stderr);
    let _ = run(Command::new(SEALIFT).arg("certs")).expect_code(2);
    let _ = run(Command::new(SEALIFT).args(["certs", "out", "--root", "/"])).expect_code(2);
}

/// Root may read everything, so this is asked by somebody else.
#[test]
fn a_file_that_the_system_refuses() {
    let host = kubeadm();
    let copy = host.path("sealift");
    fs::copy(SEALIFT, &copy).unwrap();
    fs::set_permissions(host.path("etc/kubernetes/pki/ca.crt"), fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = Command::new(&copy);
    if is_root() {
        let Some(setpriv) = need("setpriv") else { return };
        command = Command::new(setpriv);
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
    }
    let words = words(&["--root", "root"], &[&["--format", "json"]]);
    let ran = run(command.args(words).current_dir(host.directory.path())).expect_code(7);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = value["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{value:#}");
    assert_eq!(
        (&findings[0]["id"], &findings[0]["path"]),
        (&"unreadable".into(), &"/etc/kubernetes/pki/ca.crt".into())
    );
}

/// A host with sealift's bundle: the same certificates as in the bundle, elsewhere ones too.
#[test]
fn a_host_that_sealift_installed() {
    let built = Built::of(&spec_of_today());
    let root = built.root(HOSTS[0]);

    let trust = built.path("out/trust");
    let _ = built.install(HOSTS[0], &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
    let here = built.path("");
    let host = json(&here, &["certs", "--root", "roots/infra0"], 0);
    let bundle = json(&here, &["certs", "out/infra0.tar.gz", "--trust", "out/trust"], 0);
    assert_eq!(host["hosts"][0]["host"], "infra0");
    assert_eq!(host["hosts"][0]["certificates"], bundle["hosts"][0]["certificates"]);
}
