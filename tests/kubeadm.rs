//! A control plane's files beside what kubeadm wrote for the same input (tests/data/kubeadm-1.36.2),
//! and kubeadm itself over installed roots.
//!
//! kubeadm comes with no distribution, so the last test runs where `KUBEADM=/path/to/kubeadm` names
//! one (1.36, as root, with unshare and ip), and says so where it does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]

mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::example::{Built, replaced, today};
use support::opened::{File, Files, Kubeconfig, certificates};
use support::stacked::{files, installed, spec};
use support::{Ran, is_root, need, repository, run, tree};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Files that kubeadm wrote and a bundle does not have, and why.
const NOT_OURS: [(&str, &str); 7] = [
    ("manifests/etcd.yaml", "kubeadm refuses to start where it is, and writes it"),
    ("manifests/kube-apiserver.yaml", "the same"),
    ("manifests/kube-controller-manager.yaml", "the same"),
    ("manifests/kube-scheduler.yaml", "the same"),
    ("pki/ca.key", "stays with the operators, unless `pki.caKeysOnHosts` has `kubernetes`"),
    ("pki/etcd/ca.key", "stays with the operators, unless `pki.caKeysOnHosts` has `etcd`"),
    ("pki/front-proxy-ca.key", "stays with the operators, unless `pki.caKeysOnHosts` has `front-proxy`"),
];
/// Files that a bundle has for kubeadm to read.
const OURS: [(&str, &str); 2] = [
    ("kubeadm/init.yaml", "what kubeadm is told"),
    ("patches/kubeletconfiguration+merge.json", "whether the kubelet renews its certificate"),
];
/// Files that a bundle has and kubeadm does not know, when the CA's key is asked for, and why.
const OURS_WITH_KEYS: [(&str, &str); 1] =
    [("pki/ca-signing.crt", "one certificate for --cluster-signing-cert-file while ca.crt holds two")];

fn recorded(file: &str) -> String {
    fs::read_to_string(repository("tests/data/kubeadm-1.36.2").join(file)).unwrap()
}

/// `tests/data/kubeadm-1.36.2/etc-kubernetes.txt` as text by path.
fn kubeadms() -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut path = String::new();
    for line in recorded("etc-kubernetes.txt").lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ') {
            line.split_once(' ').unwrap().1.clone_into(&mut path);
        }
        let _ = writeln!(files.entry(path.clone()).or_default(), "{line}");
    }
    files
}

/// The same of a bundle.
fn ours(files: &Files) -> BTreeMap<String, String> {
    let below = files.iter().filter_map(|(path, file)| Some((path.strip_prefix("/etc/kubernetes/")?, file)));
    below.map(|(path, file)| (path.to_owned(), described(path, file))).collect()
}

fn is(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn described(path: &str, file: &File) -> String {
    let mut text = format!("{:04o} {path}\n", file.mode);
    if is(path, "crt") {
        let all = certificates(&file.contents);
        assert_eq!(all.len(), 1, "{path}");
        facts(&mut text, &all[0], true);
    } else if is(path, "conf") {
        let kubeconfig = Kubeconfig::parse(file);
        let _ = write!(
            text,
            "  server: {}\n  context: {}\n",
            kubeconfig.server(),
            kubeconfig.at("/current-context")
        );
        facts(&mut text, &certificates(&kubeconfig.certificate())[0], false);
    }
    text
}

/// What openssl shows of a certificate, in its words; of those in kubeconfigs less was recorded.
fn facts(text: &mut String, der: &[u8], all: bool) {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let _ = writeln!(text, "  subject: {}", certificate.subject());
    if all {
        let _ = writeln!(text, "  issuer: {}", certificate.issuer());
    }
    let critical = |is: bool| if is { " (critical)" } else { "" };
    let usage = certificate.key_usage().unwrap().unwrap();
    let bits = usage.value.to_string().replace("Key Cert Sign", "Certificate Sign");
    let _ = writeln!(text, "  key usage{}: {bits}", critical(usage.critical));
    if let Some(usage) = certificate.extended_key_usage().unwrap() {
        let known = [
            (usage.value.server_auth, "TLS Web Server Authentication"),
            (usage.value.client_auth, "TLS Web Client Authentication"),
        ];
        let names: Vec<_> = known.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        assert!(usage.value.other.is_empty() && !usage.value.any);
        let _ = writeln!(text, "  extended key usage{}: {}", critical(usage.critical), names.join(", "));
    }
    let basic = certificate.basic_constraints().unwrap().unwrap();
    let ca = if basic.value.ca { "TRUE" } else { "FALSE" };
    assert_eq!(basic.value.path_len_constraint, None);
    if all {
        let _ = writeln!(text, "  basic constraints{}: CA:{ca}", critical(basic.critical));
    }
    if let Some(names) = certificate.subject_alternative_name().unwrap() {
        let names: Vec<_> = names.value.general_names.iter().map(name).collect();
        let _ = writeln!(text, "  names: {}", names.join(", "));
    }
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            format!("IP:{}", v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

/// The same files, and of each the same.
#[track_caller]
fn assert_same(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>, what: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
    for (path, text) in found {
        assert_eq!(text, &expected[path], "{what}");
    }
}

fn cluster(version: &str, rest: &str) -> Built {
    Built::of(&spec(version, "kubeadm", "", rest))
}

#[test]
fn a_control_plane_is_what_kubeadm_would_have_made() {
    let mut expected = kubeadms();
    for (path, why) in NOT_OURS {
        assert!(expected.remove(path).is_some(), "{path} ({why}) was recorded");
    }
    let mut found = ours(&files(&cluster("1.36.2", ""), "cp1"));
    for (path, why) in OURS {
        assert!(found.remove(path).is_some(), "{path}: {why}");
    }
    assert_same(&found, &expected, "cp1");
}

#[test]
fn with_the_keys_of_all_authorities_too() {
    let mut expected = kubeadms();
    expected.retain(|path, _| !path.starts_with("manifests/"));
    let built = cluster("1.36.2", "pki: {caKeysOnHosts: [kubernetes, etcd, front-proxy]}\n");
    let mut found = ours(&files(&built, "cp1"));
    for (path, why) in OURS.into_iter().chain(OURS_WITH_KEYS) {
        assert!(found.remove(path).is_some(), "{path}: {why}");
    }
    assert_same(&found, &expected, "cp1 with keys");
}

/// Every kubeconfig has the form of kubeadm's admin.conf, down to the order of its keys.
#[test]
fn kubeconfigs_have_kubeadms_form() {
    let built = cluster("1.36.2", "");
    let form = recorded("admin.conf.redacted");
    let opened = files(&built, "cp1");
    let ca = &opened["/etc/kubernetes/pki/ca.crt"].contents;
    let kubeconfigs =
        opened.iter().filter(|(path, _)| is(path, "conf") && path.starts_with("/etc/kubernetes/"));
    let mut seen = BTreeSet::new();
    for (path, file) in kubeconfigs {
        let kubeconfig = Kubeconfig::parse(file);
        assert_eq!(kubeconfig.authorities(), *ca, "{path}");
        let user = kubeconfig.at("/users/0/name");
        let expected = form.replace("kubernetes-admin", user);
        let expected = expected.replace("https://api.prod.example:6443", kubeconfig.server());
        let data = [kubeconfig.authorities(), kubeconfig.certificate(), kubeconfig.key()];
        let redacted = data
            .iter()
            .fold(file.text().to_owned(), |text, data| replaced(&text, &BASE64_STANDARD.encode(data), "..."));
        assert_eq!(redacted, expected, "{path}");
        seen.insert(path.rsplit('/').next().unwrap().to_owned());
    }
    let all = ["admin.conf", "controller-manager.conf", "kubelet.conf", "scheduler.conf", "super-admin.conf"];
    assert_eq!(seen, all.map(str::to_owned).into());
}

/// Feature gate `ControlPlaneKubeletLocalMode`, on from 1.33: nothing else differs but the
/// organization of one client, which went with 1.36.1 (k/k#138958).
#[test]
fn what_releases_change() {
    let newest = ours(&files(&cluster("1.36.2", ""), "cp1"));
    let group = "  subject: O=kubeadm:cluster-admins, CN=kube-apiserver-kubelet-client";
    for (version, server, subject) in [
        ("1.29.10", "https://api.prod.example:6443", group),
        ("1.32.3", "https://api.prod.example:6443", group),
        ("1.33.2", "https://10.0.0.6:6443", group),
        ("1.36.0", "https://10.0.0.6:6443", group),
        ("1.36.1", "https://10.0.0.6:6443", "  subject: CN=kube-apiserver-kubelet-client"),
    ] {
        let built = cluster(version, "");
        let mut expected = newest.clone();
        let kubelet = expected.get_mut("kubelet.conf").unwrap();
        *kubelet = replaced(kubelet, "https://10.0.0.6:6443", server);
        let client = expected.get_mut("pki/apiserver-kubelet-client.crt").unwrap();
        *client = replaced(client, "  subject: CN=kube-apiserver-kubelet-client", subject);
        assert_same(&ours(&files(&built, "cp1")), &expected, version);
        let worker = files(&built, "w1");
        let worker = Kubeconfig::parse(&worker["/etc/kubernetes/kubelet.conf"]);
        assert_eq!(worker.server(), "https://api.prod.example:6443", "{version}");
    }
}

/// What kubeadm's preflight may complain of here: the machine, never a file of ours.
const ABOUT_FILES: [&str; 2] = ["FileAvailable-", "DirAvailable-"];

/// kubeadm's own phases take what is there: they say so, and no byte and no mode changes.
#[test]
fn kubeadm_takes_what_is_installed() {
    let Some(kubeadm) = std::env::var_os("KUBEADM").map(PathBuf::from) else {
        eprintln!("kubeadm itself is not run: KUBEADM does not name it (see CONTRIBUTING.md)");
        return;
    };
    assert!(is_root(), "KUBEADM is set: this test enters namespaces as root");
    let tools = ["unshare", "ip", "mount"].map(need);
    assert!(tools.iter().all(Option::is_some), "KUBEADM is set: unshare, ip and mount are needed");
    let spec = replaced(&spec("1.36.2", "kubeadm", "", ""), "2026-11-20T00:00:00Z", &today());
    let built = Built::of(&spec);

    let cp1 = Machine::new(&kubeadm, installed(&built, "cp1"), "10.0.0.6");
    let _ = cp1.unchanged("config validate --config /etc/kubernetes/kubeadm/init.yaml");
    cp1.write("input.yaml", &recorded("input.yaml"));
    let certificates = cp1.unchanged("init phase certs all --config /input.yaml");
    for authority in ["ca", "front-proxy-ca", "etcd/ca"] {
        assert!(certificates.contains(&format!("[certs] Using existing {authority} ")), "{certificates}");
    }
    assert!(!certificates.contains("Generating"), "{certificates}");
    let kubeconfigs = cp1.unchanged("init phase kubeconfig all --config /input.yaml");
    for file in
        ["admin.conf", "controller-manager.conf", "kubelet.conf", "scheduler.conf", "super-admin.conf"]
    {
        let named = kubeconfigs.lines().any(|line| line.starts_with("[kubeconfig]") && line.contains(file));
        assert!(named, "{file}: {kubeconfigs}");
    }
    assert!(!kubeconfigs.contains("Writing"), "{kubeconfigs}");
    let never = replaced(&recorded("input.yaml"), "  name: cp1\n", "  name: cp1\n  imagePullPolicy: Never\n");
    cp1.write("preflight.yaml", &never);
    cp1.preflight("init phase preflight --config /preflight.yaml --ignore-preflight-errors=all", &[]);

    // a node joins with the certificate that it has already; two files that kubeadm would write are there
    let w1 = Machine::new(&kubeadm, installed(&built, "w1"), "10.0.0.7");
    let _ = w1.unchanged("config validate --config /etc/kubernetes/kubeadm/join.yaml");
    w1.write("join.yaml", JOIN);
    let there = ["FileAvailable--etc-kubernetes-kubelet.conf", "FileAvailable--etc-kubernetes-pki-ca.crt"];
    w1.preflight("join phase preflight --config /join.yaml --ignore-preflight-errors=all", &there);
}

/// A worker's, without token: discovery by the kubelet's own kubeconfig.
const JOIN: &str = "apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  file: {kubeConfigPath: /etc/kubernetes/kubelet.conf}
nodeRegistration: {name: w1, imagePullPolicy: Never}
timeouts: {discovery: 5s, tlsBootstrap: 5s, kubernetesAPICall: 5s}
";

/// An installed root as kubeadm's whole machine, with a network of its own.
struct Machine {
    kubeadm: PathBuf,
    root: PathBuf,
    address: &'static str,
}

impl Machine {
    fn new(kubeadm: &Path, root: PathBuf, address: &'static str) -> Self {
        for directory in ["proc", "sys", "dev", "tmp", "usr/bin"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        Self { kubeadm: kubeadm.to_owned(), root, address }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.root.join(name), text).unwrap();
    }

    /// kubeadm with these words, which end with --rootfs: it changes its root directory itself.
    fn kubeadm(&self, words: &str) -> Ran {
        let script = "set -e; ip link set lo up; ip link add eth0 type bridge; ip address add \"$2/24\" dev eth0; \
                      ip link set eth0 up; ip route add default via 10.0.0.1 onlink dev eth0; \
                      for fs in proc sys dev; do mount --rbind \"/$fs\" \"$1/$fs\"; done; shift 2; exec \"$@\"";
        let mut command = Command::new("unshare");
        command
            .args(["--net", "--mount", "--uts", "sh", "-c", script, "sh"])
            .arg(&self.root)
            .arg(self.address);
        command.arg(&self.kubeadm).args(words.split(' ')).arg("--rootfs").arg(&self.root);
        run(command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"))
    }

    /// Everything below the directories that a bundle has files in.
    fn tree(&self) -> BTreeMap<String, support::Entry> {
        let all =
            ["etc/kubernetes", "etc/sealift", "var/lib/kubelet"].map(|below| (below, self.root.join(below)));
        let there = all.iter().filter(|(_, path)| path.is_dir());
        there
            .flat_map(|(below, path)| {
                tree(path).into_iter().map(move |(name, entry)| (format!("{below}/{name}"), entry))
            })
            .collect()
    }

    /// What kubeadm says when it succeeds and changes nothing.
    fn unchanged(&self, words: &str) -> String {
        let before = self.tree();
        let ran = self.kubeadm(words).expect_code(0);
        assert_eq!(self.tree(), before, "{words}");
        ran.stdout + &ran.stderr
    }

    /// The checks that concern files are exactly these; no file changes. The phase itself may fail
    /// afterwards, for there is no API server.
    fn preflight(&self, words: &str, expected: &[&str]) {
        let before = self.tree();
        let ran = self.kubeadm(words);
        assert_eq!(self.tree(), before, "{words}");
        let said = ran.stdout + &ran.stderr;
        assert!(said.contains("[preflight] Running pre-flight checks"), "{said}");
        let checks =
            said.split('[').filter_map(|part| part.strip_prefix("WARNING ").or(part.strip_prefix("ERROR ")));
        let checks = checks.filter_map(|rest| rest.split_once(']').map(|(id, _)| id));
        let found: BTreeSet<_> =
            checks.filter(|id| ABOUT_FILES.iter().any(|about| id.starts_with(about))).collect();
        assert_eq!(found, expected.iter().copied().collect(), "{said}");
    }
}
