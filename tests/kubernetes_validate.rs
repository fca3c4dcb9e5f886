//! Every Kubernetes object that sealift renders, against the schemas of every release, strictly:
//! an unknown field is a fault.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::example::{Built, replaced};
use support::stacked::{HOSTS, files, spec};
use support::stateful_set;
use support::{Ran, need, run, temporary};

/// A version of each release whose images are known.
const VERSIONS: [&str; 8] = ["1.29.10", "1.30.6", "1.31.1", "1.32.1", "1.33.1", "1.34.1", "1.35.1", "1.36.2"];

/// All that makes an object or changes one.
const KUBERNETES: &str = "  join: token
  bootstrapTokens: {join: {}}
  serviceSubnets: [10.96.0.0/12, \"fd00:10:96::/112\"]
  kubeProxy: {mode: ipvs, scheduler: lc, syncPeriod: 30s}
  proxy: {http: \"http://10.0.0.99:3128\", noProxy: [10.0.0.0/24]}
";
const REST: &str = "pki: {caKeysOnHosts: [kubernetes]}\n";

fn built(version: &str, provisioner: &str) -> Built {
    let text = spec(version, provisioner, KUBERNETES, REST);
    let labels = "roles: [worker], labels: {node-role.kubernetes.io/worker: \"\"}";
    Built::of(&replaced(&text, "roles: [worker]", labels))
}

/// Whether a document is an object of a cluster, and no configuration file in the same form.
fn is_object(document: &serde_json::Value) -> bool {
    let text = |key: &str| document.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    let group = text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
    let core = group.is_empty() || !group.contains('.') || group == "rbac.authorization.k8s.io";
    !text("apiVersion").is_empty() && core && text("kind") != "Config"
}

/// Writes the files of a cluster that hold objects; says how many objects of which kinds.
fn write(built: &Built, into: &Path) -> (Vec<PathBuf>, Vec<String>) {
    let (mut paths, mut kinds) = (Vec::new(), Vec::new());
    for host in HOSTS.into_iter().chain(["operator"]) {
        for (path, file) in files(built, host)
            .iter()
            .filter(|(path, _)| Path::new(path).extension().is_some_and(|extension| extension == "yaml"))
        {
            let documents = sealift::spec::yaml::documents(file.text());
            let documents: Vec<_> =
                documents.map(|text| sealift::spec::yaml::foreign(text).unwrap()).collect();
            if !documents.iter().all(is_object) {
                let where_objects_lie = ["/etc/kubernetes/cluster/", "/etc/kubernetes/manifests/"];
                assert!(!where_objects_lie.iter().any(|directory| path.starts_with(directory)), "{path}");
                continue;
            }
            kinds.extend(documents.iter().map(|document| document["kind"].as_str().unwrap().to_owned()));
            let name = into.join(format!("{host}{}", path.replace('/', "_")));
            fs::write(&name, &file.contents).unwrap();
            paths.push(name);
        }
    }
    (paths, kinds)
}

fn validate(tool: &Path, version: &str, paths: &[PathBuf]) -> Ran {
    let minor = version.rsplit_once('.').unwrap().0;
    run(Command::new(tool).args(["-k", minor, "--strict"]).args(paths))
}

#[test]
fn every_object_in_every_release() {
    let Some(tool) = need("kubernetes-validate") else { return };
    for version in VERSIONS {
        for (provisioner, at_least) in [
            (
                "static-pods",
                &["ClusterRoleBinding", "ConfigMap", "DaemonSet", "Deployment", "Node", "Secret", "Service"]
                    [..],
            ),
            ("kubeadm", &["Node", "Secret"]),
        ] {
            let directory = temporary();
            let (paths, kinds) = write(&built(version, provisioner), directory.path());
            let ran = validate(&tool, version, &paths).expect_code(0);
            let told = ran.stdout + &ran.stderr;
            let passed = told.lines().filter(|line| line.contains(" passed for resource ")).count();
            assert_eq!(passed, kinds.len(), "{version} {provisioner}: {told}");
            let kinds: BTreeSet<&str> = kinds.iter().map(String::as_str).collect();
            let missing: Vec<_> = at_least.iter().filter(|kind| !kinds.contains(**kind)).collect();
            assert_eq!(missing, Vec::<&&str>::new(), "{version} {provisioner}");
        }
    }
}

/// The judge is awake.
#[test]
fn an_unknown_field_is_found() {
    let Some(tool) = need("kubernetes-validate") else { return };
    let directory = temporary();
    let path = directory.path().join("node.yaml");
    fs::write(&path, "apiVersion: v1\nkind: Node\nmetadata: {name: w1, lables: {a: b}}\n").unwrap();
    for version in VERSIONS {
        let ran = validate(&tool, version, std::slice::from_ref(&path)).expect_code(1);
        assert!((ran.stdout + &ran.stderr).contains("'lables' was unexpected"), "{version}");
    }
}

/// etcd's `StatefulSet`, least and with everything; cert-manager's objects have no schema here, see
/// `tests/etcd_statefulset.rs`.
#[test]
fn a_stateful_set_in_every_release() {
    let Some(tool) = need("kubernetes-validate") else { return };
    let everything = "createNamespace: true, clientService: true, ipv6: true, walStorage: {size: 4Gi, className: a}, \
                      resources: {limits: {cpu: \"4\"}}, nodeSelector: {a: b}, tolerations: [{key: a, effect: \
                      NoSchedule}, {key: a, value: b, effect: NoExecute}]";
    for version in VERSIONS {
        for of in ["", everything, "certificates: cert-manager"] {
            let directory = temporary();
            let built = Built::of(&stateful_set::spec(version, of, "", ""));
            let (mut paths, mut kinds) = (Vec::new(), Vec::new());
            for (path, file) in stateful_set::files(&built) {
                let Some(name) = path.strip_prefix("/etc/kubernetes/etcd/") else { continue };
                if name == "README.md" || name == "10-certificates.yaml" {
                    continue;
                }
                let objects = sealift::spec::yaml::documents(file.text());
                let objects = objects.map(|text| sealift::spec::yaml::foreign(text).unwrap());
                kinds.extend(objects.map(|object| object["kind"].as_str().unwrap().to_owned()));
                paths.push(directory.path().join(name));
                fs::write(paths.last().unwrap(), &file.contents).unwrap();
            }
            let ran = validate(&tool, version, &paths).expect_code(0);
            let told = ran.stdout + &ran.stderr;
            let passed = told.lines().filter(|line| line.contains(" passed for resource ")).count();
            assert_eq!(passed, kinds.len(), "{version}: {told}");
            let kinds: BTreeSet<&str> = kinds.iter().map(String::as_str).collect();
            assert!(kinds.is_superset(&BTreeSet::from([
                "ConfigMap",
                "PodDisruptionBudget",
                "Service",
                "StatefulSet"
            ])));
            assert_eq!(kinds.contains("Secret"), !of.contains("cert-manager"));
            assert_eq!(kinds.contains("Namespace"), of.contains("createNamespace"));
        }
    }
}
