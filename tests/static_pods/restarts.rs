//! A pod starts anew when a file changes that it reads at its start only, and not for another.

use crate::PODS;
use crate::support::archive::members;
use crate::support::example::{Built, replaced};
use crate::support::opened::Files;
use crate::support::run;
use crate::support::stacked::{files, spec};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const KUBERNETES: &str = "  apiServer:
    audit: {policy: {rules: [{level: Metadata}]}}
    admission: {apiVersion: apiserver.config.k8s.io/v1, kind: AdmissionConfiguration, plugins: []}
    authentication: {apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration, jwt: []}
";
const REST: &str = "encryptionAtRest: {provider: aescbc, generation: 2}\npki: {validity: {leaf: 300d}}\n";

fn base() -> String {
    spec("1.36.2", "static-pods", KUBERNETES, REST)
}

/// A control plane's bundle: its files, and its manifest's.
struct Bundle {
    files: Files,
    manifest: Value,
}

fn bundle(text: &str) -> Bundle {
    let built = Built::of(text);
    let members = members(&built.bundle("cp1"));
    let manifest = members.iter().find(|member| member.name == "manifest.json").unwrap();
    Bundle { files: files(&built, "cp1"), manifest: serde_json::from_str(manifest.text()).unwrap() }
}

impl Bundle {
    fn digests(&self) -> BTreeMap<&'static str, &str> {
        let of = |pod: &str| {
            let text = self.files[&format!("/etc/kubernetes/manifests/{pod}.yaml")].text();
            text.lines().find_map(|line| line.strip_prefix(crate::ANNOTATION)).unwrap()
        };
        PODS.iter().map(|pod| (*pod, of(pod))).collect()
    }

    /// Path, published digest and static pods of every file.
    fn listed(&self) -> BTreeMap<&str, (&str, BTreeSet<&str>)> {
        let files = self.manifest["files"].as_array().unwrap();
        files
            .iter()
            .map(|file| {
                let digest = file["hmac"].as_str().or_else(|| file["sha256"].as_str()).unwrap();
                let restart = file["restart"].as_array().into_iter().flatten();
                let pods = restart.filter_map(|target| target.as_str().unwrap().strip_prefix("static-pod/"));
                (file["path"].as_str().unwrap(), (digest, pods.collect()))
            })
            .collect()
    }
}

/// Anybody can compute the annotation from the manifest: it says nothing of a secret.
#[test]
fn the_digest_is_over_what_the_manifest_publishes() {
    let bundle = bundle(&base());
    let listed = bundle.listed();
    for (pod, digest) in bundle.digests() {
        let read = listed.iter().filter(|(_, (_, pods))| pods.contains(pod));
        let lines: Vec<_> = read.map(|(path, (digest, _))| format!("{digest}  {path}\n")).collect();
        assert!(!lines.is_empty(), "{pod}");
        assert_eq!(format!("sha256:{}", hex::encode(Sha256::digest(lines.concat()))), digest, "{pod}");
    }
}

/// What changes, and which pods start anew.
const CASES: [(&str, &str, &[&str]); 10] = [
    ("pki: {", "pki: {certificates: {apiserver: {validity: 90d}}, ", &[]),
    (
        "pki: {",
        "pki: {certificates: {apiserver-etcd-client: {validity: 90d}, etcd-server: {validity: 90d}}, ",
        &[],
    ),
    ("pki: {", "pki: {certificates: {scheduler: {validity: 90d}}, ", &["kube-scheduler"]),
    ("pki: {", "pki: {serviceAccount: {generation: 2}, ", &["kube-apiserver", "kube-controller-manager"]),
    ("pki: {", "pki: {cas: {etcd: {generation: 2}}, ", &["etcd", "kube-apiserver"]),
    (
        "pki: {",
        "pki: {cas: {kubernetes: {generation: 2}}, ",
        &["kube-apiserver", "kube-controller-manager", "kube-scheduler"],
    ),
    ("generation: 2}", "generation: 3}", &["kube-apiserver"]),
    ("level: Metadata", "level: None", &["kube-apiserver"]),
    ("plugins: []", "plugins: [{name: EventRateLimit, path: x.yaml}]", &["kube-apiserver"]),
    ("jwt: []", "jwt: [], anonymous: {enabled: false}", &[]),
];

#[test]
fn pods_start_anew_for_what_they_read_at_start_and_for_nothing_else() {
    let old = bundle(&base());
    for (from, to, expected) in CASES {
        let new = bundle(&replaced(&base(), from, to));
        let (was, is) = (old.digests(), new.digests());
        let changed: Vec<_> = PODS.into_iter().filter(|pod| was[pod] != is[pod]).collect();
        assert_eq!(changed, expected, "{to}");
        // the manifest says the same of the files that changed
        let (was, is) = (old.listed(), new.listed());
        assert_ne!(was, is, "{to}");
        let files = is.iter().filter(|(path, (digest, _))| was[*path].0 != *digest);
        let told: BTreeSet<_> = files.flat_map(|(_, (_, pods))| pods.iter().copied()).collect();
        assert_eq!(told, expected.iter().copied().collect(), "{to}");
    }
}

/// Before 1.30 the API server read its `AuthenticationConfiguration` once.
#[test]
fn authentication_is_read_again_from_1_30_on() {
    let targets = |version: &str| {
        let plan = crate::planned(&spec(version, "static-pods", KUBERNETES, ""), "cp1");
        let file = plan.files.iter().find(|file| file.path.ends_with("authentication.yaml")).unwrap();
        file.restart.clone()
    };
    assert_eq!(targets("1.29.10"), ["static-pod/kube-apiserver"]);
    assert_eq!(targets("1.30.6"), [""; 0]);
}

/// `check --previous` has no keyring, and says all the same which manifests change.
#[test]
fn check_says_which_manifests_change() {
    let built = Built::of(&base());
    let manifests = |from: &str, to: &str| -> Vec<String> {
        std::fs::write(built.path("sealift.yaml"), replaced(&base(), from, to)).unwrap();
        let mut command = Command::new(crate::support::SEALIFT);
        command.arg("check").arg(built.path("sealift.yaml")).arg("--previous").arg(built.out());
        let ran = run(&mut command);
        let cp1 = ran.stdout.split("w1:").next().unwrap().to_owned();
        let lines = cp1.lines().filter_map(|line| line.trim().strip_prefix("~ /etc/kubernetes/manifests/"));
        assert!(cp1.contains("cp1: changed"), "{ran:?}");
        lines.map(|line| line.trim_end_matches(".yaml").to_owned()).collect()
    };
    for (from, to, expected) in
        CASES.iter().filter(|case| !case.1.contains("cas:") && !case.1.contains("generation"))
    {
        assert_eq!(manifests(from, to), *expected, "{to}");
    }
    let flags = "endpoint: api.prod.example:6443\n  controllerManager: {extraArgs: {v: 4}}\n";
    assert_eq!(manifests("endpoint: api.prod.example:6443\n", flags), ["kube-controller-manager"]);
}

/// The runbook of a rotation does not tell to restart what the kubelet restarts.
#[test]
fn runbooks_know_that_pods_restart_at_once() {
    let templates = sealift::render::templates::Templates::embedded();
    let renderer = sealift::render::Renderer::new(&templates).unwrap();
    let runbook = |provisioner: &str| {
        let rest = "pki: {serviceAccount: {generation: 2, rotation: stage}}\n";
        let plan = crate::planned(&spec("1.36.2", provisioner, "", rest), "cp1");
        let files = renderer.templates(&plan).unwrap();
        String::from_utf8(files["/etc/sealift/RUNBOOK.md"].clone()).unwrap()
    };
    let said = |text: &str| {
        [
            "the kubelet makes these pods anew at once",
            "Install restarts nothing",
            "a changed file changes nothing",
        ]
        .map(|words| text.contains(words))
    };
    assert_eq!(said(&runbook("static-pods")), [true, false, false]);
    assert_eq!(said(&runbook("kubeadm")), [false, true, true]);
}

/// The API server's files under either provisioner: what is in them, for root alone.
#[test]
fn configuration_files_of_the_api_server() {
    let ca = std::fs::read_to_string(crate::support::repository("tests/data/certificates/ca.crt")).unwrap();
    let pem = &ca[ca.find("-----BEGIN").unwrap()..];
    let block = pem.lines().fold(String::new(), |text, line| text + "        " + line + "\n");
    let oidc =
        format!("    oidc:\n      issuerUrl: https://id.example\n      clientId: k\n      ca: |\n{block}");
    let kubernetes = KUBERNETES
        .replace("    authentication: {apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration, jwt: []}\n", &oidc);
    for provisioner in ["kubeadm", "static-pods"] {
        let built = Built::of(&spec("1.36.2", provisioner, &kubernetes, ""));
        let opened = files(&built, "cp1");
        let own: Vec<_> =
            opened.iter().filter(|(path, _)| path.starts_with("/etc/kubernetes/apiserver/")).collect();
        let names: Vec<_> = own.iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["admission.yaml", "audit-policy.yaml", "oidc-ca.crt"]);
        assert_eq!(
            own[0].1.text(),
            "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins: []\n"
        );
        assert_eq!(own[1].1.text(), "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n");
        assert_eq!(own[2].1.text(), pem);
        assert!(own.iter().all(|(_, file)| file.mode == 0o600 && !file.sealed));
        let worker = files(&built, "w1");
        assert!(!worker.keys().any(|path| path.starts_with("/etc/kubernetes/apiserver")));
        if provisioner == "static-pods" {
            let manifest = opened["/etc/kubernetes/manifests/kube-apiserver.yaml"].text();
            for flag in ["--audit-policy-file=", "--admission-control-config-file=", "--oidc-ca-file="] {
                assert!(manifest.contains(&format!("{flag}/etc/kubernetes/apiserver/")), "{flag}");
            }
            assert!(manifest.contains("- mountPath: /etc/kubernetes/apiserver\n"));
        }
    }
}
