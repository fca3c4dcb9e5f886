//! What the operators apply: beside what kubeadm made of the same input, whole, and with manifests of
//! the spec's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use support::example::{Built, replaced};
use support::golden::{golden, golden_tree};
use support::opened::Files;
use support::stacked::{files, spec};
use support::{repository, sealift};

const DIRECTORY: &str = "/etc/kubernetes/cluster/";

/// The objects of a file, by kind and name.
fn objects(text: &str) -> BTreeMap<String, Value> {
    let parsed = sealift::spec::yaml::documents(text).map(|text| sealift::spec::yaml::foreign(text).unwrap());
    let named = parsed.map(|object| {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        (format!("{} {}", text("/kind"), text("/metadata/name")), object)
    });
    named.collect()
}

fn kubeadms(file: &str) -> BTreeMap<String, Value> {
    let path = repository("tests/data/kubeadm-1.36.2/addons").join(file);
    let text = fs::read_to_string(path).unwrap();
    objects(&text.replace("\n---\n---\n", "\n---\n"))
}

/// The files below [`DIRECTORY`], by name.
fn applied(files: &Files) -> BTreeMap<String, String> {
    let below = files.iter().filter_map(|(path, file)| Some((path.strip_prefix(DIRECTORY)?, file)));
    below.map(|(name, file)| (name.to_owned(), file.text().to_owned())).collect()
}

/// Null, zero and empty values, which kubeadm writes out and which are kube-proxy's own defaults.
fn is_default(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => matches!(text.as_str(), "" | "0" | "0s"),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn without_defaults(value: &mut Value) {
    if let Value::Object(map) = value {
        map.values_mut().for_each(without_defaults);
        map.retain(|_, value| !is_default(value));
    }
}

/// The files in a `ConfigMap` as what they mean.
fn opened(config_map: &mut Value) {
    let data = config_map["data"].as_object_mut().unwrap();
    for value in data.values_mut() {
        *value = sealift::spec::yaml::foreign(value.as_str().unwrap()).unwrap();
        without_defaults(value);
    }
}

fn static_pods(kubernetes: &str, rest: &str) -> BTreeMap<String, String> {
    applied(&files(&Built::of(&spec("1.36.2", "static-pods", kubernetes, rest)), "operator"))
}

#[test]
fn kube_proxy_is_kubeadms() {
    let mut expected = kubeadms("kube-proxy.yaml");
    for (name, why) in [
        ("Role kube-proxy", "`kubeadm join` alone reads the ConfigMap so"),
        ("RoleBinding kube-proxy", "the same"),
    ] {
        assert!(expected.remove(name).is_some(), "{name} ({why})");
    }
    let mut found = objects(&static_pods("", "")["30-kube-proxy.yaml"]);
    opened(expected.get_mut("ConfigMap kube-proxy").unwrap());
    opened(found.get_mut("ConfigMap kube-proxy").unwrap());
    assert_eq!(found, expected);
}

#[test]
fn coredns_is_kubeadms() {
    let mut expected = kubeadms("coredns.yaml");
    let service = expected.get_mut("Service kube-dns").unwrap().pointer_mut("/metadata").unwrap();
    let why = "kubeadm updates with it; `kubectl apply` makes its own";
    assert_eq!(service.as_object_mut().unwrap().remove("resourceVersion"), Some(json!("0")), "{why}");
    assert_eq!(objects(&static_pods("", "")["40-coredns.yaml"]), expected);
}

const EVERYTHING: &str = "  join: token
  bootstrapTokens: {join: {}}
  clusterDomain: k8s.prod.example
  serviceSubnets: [10.96.0.0/12, \"fd00:10:96::/112\"]
  featureGates: {NFTablesProxyMode: true}
  kubeProxy: {mode: ipvs, scheduler: lc, syncPeriod: 30s, minSyncPeriod: 2s, config: {ipvs: {strictARP: true}}}
  proxy: {http: \"http://10.0.0.99:3128\", noProxy: [10.0.0.0/24]}
  manifests: [network/cni.yaml]
";
const CNI: &str = "# as it is\n--- # one\napiVersion: v1\nkind: Namespace\nmetadata: {name: cni}\n---\n";

/// A cluster with everything, and one with nothing that can be left out.
#[test]
fn the_operators_files_whole() {
    let text = spec("1.36.2", "static-pods", EVERYTHING, "pki: {caKeysOnHosts: [kubernetes]}\n");
    let text =
        replaced(&text, "podSubnets: [10.244.0.0/16]", "podSubnets: [10.244.0.0/16, \"fd00:10:244::/56\"]");
    let text = replaced(
        &text,
        "roles: [worker]",
        "roles: [worker], labels: {tier: a, node-role.kubernetes.io/worker: \"\", node-restriction.kubernetes.io/tier: a}",
    );
    let replicas =
        "patches: {/etc/kubernetes/cluster/40-coredns.yaml: {kind: Deployment, spec: {replicas: 3}}}\n";
    let built = Built::staged(&replaced(&text, "etcd: {run", &format!("{replicas}etcd: {{run")));
    fs::create_dir(built.path("network")).unwrap();
    fs::write(built.path("network/cni.yaml"), CNI).unwrap();
    let _ = built.build(&[]).expect_code(0);
    let everything = applied(&files(&built, "operator"));
    assert_eq!(everything["50-cni.yaml"], CNI);
    let nothing = static_pods("  kubeProxy: {disabled: true}\n  coreDns: {disabled: true}\n", "");
    let whole = [("everything", everything), ("nothing", nothing)].into_iter().flat_map(|(title, files)| {
        let files = files.into_iter().filter(|(name, _)| name != "bootstrap-tokens.yaml");
        files.map(move |(name, text)| (format!("{title}/{name}"), text))
    });
    golden_tree("operator-objects", &whole.collect());
}

/// A spec with manifests of these names and contents.
fn with_manifests(provisioner: &str, manifests: &[(&str, &[u8])]) -> Built {
    let names: Vec<_> = manifests.iter().map(|(name, _)| format!("    - {name}\n")).collect();
    let built = Built::staged(&spec("1.36.2", provisioner, &format!("  manifests:\n{}", names.concat()), ""));
    for (name, contents) in manifests {
        let path = built.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    built
}

#[test]
fn a_manifest_is_an_input_of_the_operators_bundle_alone() {
    let other = CNI.replace("name: cni", "name: cnj");
    let digests = |contents: &str| {
        let built = with_manifests("kubeadm", &[("cni.yaml", contents.as_bytes())]);
        let _ = built.build(&[]).expect_code(0);
        assert_eq!(applied(&files(&built, "operator"))["50-cni.yaml"], contents);
        ["cp1", "w1", "operator"].map(|host| fs::read(built.bundle(host)).unwrap())
    };
    let (before, after) = (digests(CNI), digests(&other));
    assert_eq!(before, digests(CNI));
    assert_eq!(before[..2], after[..2]);
    assert_ne!(before[2], after[2]);
}

/// All problems at once, at the spec's lines, and no secret among them.
#[test]
fn what_is_wrong_with_manifests() {
    let large = vec![b'#'; 8 * 1024 * 1024 + 1];
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: aHVudGVyMg==}\n";
    let key = "apiVersion: v1\nkind: ConfigMap\ndata:\n  key: |\n    -----BEGIN PRIVATE KEY-----\n    aHVudGVyMg==\n";
    let object = "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n";
    let built = with_manifests(
        "static-pods",
        &[
            ("gone.yaml", b""),
            ("directory.yaml/x.yaml", object.as_bytes()),
            ("large.yaml", &large),
            ("latin1.yaml", b"# \xe4\n"),
            ("broken.yaml", b"apiVersion: v1\nkind: A\n---\na: [1\n"),
            ("tagged.yaml", b"apiVersion: v1\nkind: !x A\n"),
            ("values.yaml", b"replicas: 3\n"),
            ("two/x.yaml", object.as_bytes()),
            ("secret.yaml", secret.as_bytes()),
            ("key.yaml", key.as_bytes()),
            ("chart.tgz", b"x"),
        ],
    );
    fs::remove_file(built.path("gone.yaml")).unwrap();
    let spec = fs::read_to_string(built.path("sealift.yaml")).unwrap();
    let spec = replaced(
        &spec,
        "    - directory.yaml/x.yaml\n",
        "    - directory.yaml\n    - directory.yaml/x.yaml\n",
    );
    fs::write(built.path("sealift.yaml"), spec).unwrap();
    let ran = sealift([std::path::PathBuf::from("check"), built.path("sealift.yaml")]).expect_code(2);
    assert!(!ran.stderr.contains("aHVudGVyMg"), "{}", ran.stderr);
    let told = ran.stderr.replace(&built.path("").display().to_string(), "");
    golden(&repository("tests/golden/manifest-errors.txt"), &told);
}
