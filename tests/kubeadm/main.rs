//! A control plane's files beside what kubeadm wrote for the same input (tests/data/kubeadm-1.36.2),
//! and kubeadm itself over installed roots (`phases`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]

mod machine;
mod phases;
mod proof;
#[path = "../support/mod.rs"]
mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use support::example::{Built, replaced};
use support::opened::{File, Files, Kubeconfig, certificates};
use support::repository;
use support::stacked::{files, spec};
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
