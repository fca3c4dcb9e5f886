//! Nodes that kubeadm makes: the example with external etcd, joins with a token, and what kubeadm writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use sealift::spec::yaml;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use support::archive::members;
use support::example::Built;
use support::golden::{golden, golden_tree};
use support::stacked::{HOSTS, files, installed, spec};
use support::{repository, sealift, temporary};

const INIT: &str = "/etc/kubernetes/kubeadm/init.yaml";
const JOIN: &str = "/etc/kubernetes/kubeadm/join.yaml";
/// What a bundle of the example tells kubeadm.
const TOLD: [&str; 2] = ["files/etc/kubernetes/kubeadm/", "files/etc/kubernetes/patches/"];
const EXAMPLE: &str = "bundles/external-etcd-kubeadm";

/// kubeadm's documents of a file, each of them strict YAML.
fn documents(text: &str) -> Vec<Value> {
    yaml::documents(text).map(|document| yaml::document(document).unwrap()).collect()
}

#[test]
fn the_example_with_external_etcd() {
    let directory = temporary();
    let out = directory.path().join("out");
    let text = |below: &str| repository(EXAMPLE).join(below).to_str().unwrap().to_owned();
    let (spec, seed) = (text("sealift.yaml"), text("test-only/seed.age"));
    let operator = text("test-only/operator.key");
    let built = sealift(["build", &spec, "--seed", &seed, "-i", &operator, "-o", out.to_str().unwrap()]);
    assert_eq!(built.expect_code(0).stderr, "");
    let mut told = BTreeMap::new();
    for host in ["cp1", "cp2", "cp3", "etcd1", "w1", "w2"] {
        for member in members(&out.join(format!("{host}.tar.gz"))) {
            if TOLD.iter().any(|below| member.name.starts_with(below)) {
                let name = member.name.strip_prefix("files/etc/kubernetes/").unwrap();
                told.insert(format!("{host}/{name}"), member.text().to_owned());
            }
        }
    }
    golden_tree("external-etcd-kubeadm", &told);
}

/// The same cluster for kubeadm's older API.
#[test]
fn of_older_releases() {
    let built =
        Built::of(&spec("1.30.5", "kubeadm", "  proxy: {https: \"http://proxy.example:3128\"}\n", ""));
    let cp1 = files(&built, "cp1");
    let strategic = "/etc/kubernetes/patches/kube-scheduler+strategic.json";
    let golden_of =
        |name: &str, text: &str| golden(&repository("tests/golden/kubeadm-1.30").join(name), text);
    golden_of("init.yaml", cp1[INIT].text());
    golden_of("kube-scheduler+strategic.json", cp1[strategic].text());
    golden_of("join.yaml", files(&built, "w1")[JOIN].text());
}

const TOKEN: &str = "  join: token\n  bootstrapTokens: {b: {}, a: {expires: 48h}}\n";

#[test]
fn tokens_are_in_sealed_files_alone() {
    let keys = "pki: {caKeysOnHosts: [kubernetes]}\n";
    let built = Built::of(&spec("1.36.2", "kubeadm", TOKEN, keys));
    let (cp1, w1) = (files(&built, "cp1"), files(&built, "w1"));
    let init = documents(cp1[INIT].text());
    let kinds: Vec<_> = init.iter().map(|document| document["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["InitConfiguration", "ClusterConfiguration", "KubeletConfiguration", "KubeProxyConfiguration"]
    );
    let tokens = init[0]["bootstrapTokens"].as_array().unwrap();
    let facts: Vec<_> = tokens.iter().map(|token| (&token["description"], &token["expires"])).collect();
    assert_eq!(
        facts,
        [(&json!("a"), &json!("2026-11-22T00:00:00Z")), (&json!("b"), &json!("2026-11-21T00:00:00Z"))]
    );
    let join = documents(w1[JOIN].text()).remove(0);
    let operator = files(&built, "operator");
    let hashes: Vec<_> = operator["/etc/kubernetes/discovery-hash"].text().lines().collect();
    let token = &tokens[0]["token"];
    assert_eq!(
        join["discovery"],
        json!({
            "bootstrapToken":
                {"apiServerEndpoint": "api.prod.example:6443", "caCertHashes": hashes, "token": token},
            "tlsBootstrapToken": token,
        })
    );
    assert_eq!(join["nodeRegistration"].get("ignorePreflightErrors"), None);
    let known = operator["/etc/kubernetes/cluster/bootstrap-tokens.yaml"].text();
    assert!(known.contains(&format!("kubeadm join --token {}\n", token.as_str().unwrap())), "{known}");
    for host in HOSTS.into_iter().chain(["operator"]) {
        for (path, file) in files(&built, host) {
            let shown: Vec<_> = tokens.iter().map(|token| token["token"].as_str().unwrap()).collect();
            let secrets = shown.iter().map(|token| &token[7..]);
            let found =
                secrets.filter(|secret| String::from_utf8_lossy(&file.contents).contains(*secret)).count();
            assert!(found == 0 || (file.sealed && file.mode == 0o600), "{host} {path}");
        }
    }
    // a node shows one token, and no other token is an input of its bundle
    assert!(!w1[JOIN].text().contains(&tokens[1]["token"].as_str().unwrap()[7..]));
}

#[track_caller]
fn verified(root: &Path, code: i32) {
    let words = ["verify", "--root", root.to_str().unwrap(), "--at", "2026-12-01T00:00:00Z"];
    let _ = sealift(words).expect_code(code);
}

/// What somebody changes by hand in the kubelet's configuration.
const OPENED: [(&str, &str); 6] = [
    ("staticPodPath: /etc/kubernetes/manifests", "staticPodPath: /tmp"),
    ("staticPodPath:", "staticPodURL: http://192.0.2.66/\nstaticPodPath:"),
    ("    enabled: false", "    enabled: true"),
    ("    clientCAFile: /etc/kubernetes/pki/ca.crt", "    clientCAFile: /tmp/ca.crt"),
    ("  mode: Webhook", "  mode: AlwaysAllow"),
    ("staticPodPath:", "readOnlyPort: 10255\nstaticPodPath:"),
];

/// The gate passes before, while and after kubeadm writes; a patch that nobody planned does not.
#[test]
fn what_kubeadm_writes_is_no_drift() {
    let built = Built::of(&spec("1.36.2", "kubeadm", "", ""));
    let written = ["config.yaml", "instance-config.yaml", "kubeadm-flags.env"];
    for host in HOSTS {
        let root = installed(&built, host);
        verified(&root, 0);
        let place = |path: &str, text: &[u8], mode: u32| {
            let path = root.join(path);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for name in written {
            let recorded = repository("tests/data/kubeadm-1.36.2/kubelet").join(name);
            place(&format!("var/lib/kubelet/{name}"), &fs::read(recorded).unwrap(), 0o644);
            verified(&root, 0);
        }
        if host == "cp1" {
            for name in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
                place(&format!("etc/kubernetes/manifests/{name}.yaml"), b"kind: Pod\n", 0o600);
            }
        }
        let config = fs::read_to_string(root.join("var/lib/kubelet/config.yaml")).unwrap();
        for (from, to) in OPENED {
            assert!(config.contains(from), "{from}");
            place("var/lib/kubelet/config.yaml", config.replacen(from, to, 1).as_bytes(), 0o644);
            verified(&root, 1);
        }
        place("var/lib/kubelet/config.yaml", config.as_bytes(), 0o644);
        let flags = fs::read_to_string(root.join("var/lib/kubelet/kubeadm-flags.env")).unwrap();
        for more in ["KUBELET_EXTRA_ARGS=--anonymous_auth\n", "KUBELET_CONFIG_ARGS=\n"] {
            place("var/lib/kubelet/kubeadm-flags.env", format!("{flags}\n{more}").as_bytes(), 0o644);
            verified(&root, 1);
        }
        place("var/lib/kubelet/kubeadm-flags.env", flags.as_bytes(), 0o644);
        verified(&root, 0);
        let backup = root.join("etc/kubernetes/tmp/kubeadm-kubelet-config1");
        fs::create_dir_all(&backup).unwrap();
        fs::write(backup.join("config.yaml"), "kind: KubeletConfiguration\n").unwrap();
        verified(&root, 0);
        place("etc/kubernetes/patches/kube-apiserver+merge.json", b"{}", 0o644);
        verified(&root, 1);
    }
}
