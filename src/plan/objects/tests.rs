//! Objects of whole specs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::super::{Facts, FilePlan, Plan, plan};
use super::Manifest;
use crate::spec;
use serde_json::{Value, json};

/// A control plane and a worker, with these lines in `kubernetes` and at the worker.
fn load(version: &str, provisioner: &str, kubernetes: &str, worker: &str) -> spec::Loaded {
    // the API server's family is that of the first range of services
    let api = if kubernetes.contains("serviceSubnets: [\"fd") { "fd00::6" } else { "10.0.0.6" };
    let text = format!(
        "apiVersion: sealift/v1
cluster:
  name: prod
  id: \"7e570000000000000000000000000001\"
  epoch: 2026-11-20T00:00:00Z
  operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]
kubernetes:
  version: {version}
  provisioner: {provisioner}
  endpoint: \"[fd00::100]:6443\"
{kubernetes}loadBalancers: [{{kind: external}}]
etcd: {{run: static-pod}}
hosts:
  cp1:
    addresses: [10.0.0.6, \"fd00::6\"]
    apiAddress: {api}
    roles: [control-plane, etcd]
    recipients: [age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05]
  w1:
    addresses: [10.0.0.7]
    roles: [worker]
    recipients: [age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs4]
{worker}"
    );
    let loaded = spec::load(&text);
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    loaded
}

fn planned(provisioner: &str, kubernetes: &str, worker: &str, facts: &Facts) -> Plan {
    let (plan, problems) = plan(&load("1.36.2", provisioner, kubernetes, worker).spec, facts);
    assert_eq!(problems.iter().filter(|problem| problem.is_error()).count(), 0, "{problems:?}");
    plan
}

fn applied(plan: &Plan) -> Vec<&str> {
    let directory = format!("{}/", super::DIRECTORY);
    plan.operator.files.iter().filter_map(|file: &FilePlan| file.path.strip_prefix(&directory)).collect()
}

const LABEL: &str = "    labels: {node-role.kubernetes.io/worker: \"\", tier: a}\n";

#[test]
fn kubeadm_makes_all_but_labels_and_manifests() {
    let none = Facts::default();
    let manifest = |name: &str| Manifest { name: name.to_owned(), text: "x".to_owned() };
    let facts = Facts { manifests: vec![manifest("b.yaml"), manifest("a.yaml")], ..Facts::default() };
    for (provisioner, kubernetes, worker, facts, expected) in [
        ("kubeadm", "", "", &none, &[][..]),
        ("kubeadm", "", LABEL, &none, &["90-nodes.yaml", "README.md"]),
        ("kubeadm", "", "", &facts, &["50-b.yaml", "51-a.yaml", "README.md"]),
        (
            "static-pods",
            "",
            "",
            &none,
            &[
                "10-cluster-admins.yaml",
                "20-rbac.yaml",
                "30-kube-proxy.yaml",
                "40-coredns.yaml",
                "90-nodes.yaml",
                "README.md",
            ],
        ),
        (
            "static-pods",
            "  kubeProxy: {disabled: true}\n  coreDns: {disabled: true}\n",
            "",
            &facts,
            &[
                "10-cluster-admins.yaml",
                "20-rbac.yaml",
                "50-b.yaml",
                "51-a.yaml",
                "90-nodes.yaml",
                "README.md",
            ],
        ),
    ] {
        let plan = planned(provisioner, kubernetes, worker, facts);
        assert_eq!(applied(&plan), expected, "{provisioner} {kubernetes} {worker}");
        assert!(plan.hosts.values().all(|host| host.objects.is_none()));
        let elsewhere = plan.hosts.values().flat_map(|host| host.files.iter());
        assert!(elsewhere.into_iter().all(|file| !file.path.starts_with(super::DIRECTORY)));
    }
}

#[test]
fn nodes_have_the_labels_that_no_kubelet_may_set() {
    let labels = |provisioner| {
        let plan = planned(provisioner, "", LABEL, &Facts::default());
        serde_json::to_value(&plan.operator.objects.unwrap().nodes).unwrap()
    };
    let worker = json!({"node-role.kubernetes.io/worker": ""});
    let control_plane = json!({
        "node-role.kubernetes.io/control-plane": "",
        "node.kubernetes.io/exclude-from-external-load-balancers": "",
    });
    assert_eq!(labels("kubeadm"), json!({"w1": worker}));
    assert_eq!(labels("static-pods"), json!({"cp1": control_plane, "w1": worker}));
}

fn configuration(kubernetes: &str) -> Value {
    let plan = planned("static-pods", kubernetes, "", &Facts::default());
    let objects = plan.operator.objects.unwrap().cluster.unwrap().kube_proxy.unwrap();
    assert_eq!(objects.server, "https://[fd00::100]:6443");
    Value::Object(objects.configuration.map().clone())
}

#[test]
fn kube_proxy_is_told_what_the_spec_says() {
    let with = |more: Value| {
        let mut all = json!({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "bindAddress": "0.0.0.0",
            "clientConnection": {"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"},
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    for (kubernetes, expected) in [
        ("", json!({})),
        (
            "  podSubnets: [10.244.0.0/16, \"fd00:1::/64\"]\n",
            json!({"clusterCIDR": "10.244.0.0/16,fd00:1::/64"}),
        ),
        // without a mode, it is iptables that the periods are for
        (
            "  kubeProxy: {syncPeriod: 1m, minSyncPeriod: 2s}\n",
            json!({"iptables": {"syncPeriod": "60s", "minSyncPeriod": "2s"}}),
        ),
        (
            "  kubeProxy: {mode: nftables, syncPeriod: 1m}\n",
            json!({"mode": "nftables", "nftables": {"syncPeriod": "60s"}}),
        ),
        (
            "  kubeProxy: {mode: ipvs, scheduler: lc, config: {ipvs: {scheduler: rr, strictARP: true}, bindAddress: 10.0.0.6}}\n",
            json!({"mode": "ipvs", "ipvs": {"scheduler": "rr", "strictARP": true}, "bindAddress": "10.0.0.6"}),
        ),
        // the family of the first control plane's API server
        ("  serviceSubnets: [\"fd00:10::/112\"]\n", json!({"bindAddress": "::"})),
        ("  featureGates: {A: false, B: true}\n", json!({"featureGates": {"A": false, "B": true}})),
    ] {
        assert_eq!(configuration(kubernetes), with(expected), "{kubernetes}");
    }
}

#[test]
fn patches_for_all_change_the_operators_files_too() {
    let loaded = load("1.36.2", "static-pods", "", "");
    let mut spec = loaded.spec;
    let patch = |value: Value| value.as_object().unwrap().clone().into();
    let mut add = |path: &str, value: Value| spec.patches.insert(path.parse().unwrap(), patch(value));
    let coredns = "/etc/kubernetes/cluster/40-coredns.yaml";
    add(coredns, json!({"kind": "Deployment", "spec": {"replicas": 3}}));
    add("/etc/kubernetes/cluster/README.md", json!({"a": 1}));
    let (plan, problems) = plan(&spec, &Facts::default());
    assert_eq!(plan.operator.patches.keys().collect::<Vec<_>>(), [coredns]);
    assert!(plan.hosts.values().all(|host| !host.files.iter().any(|file| file.path == coredns)));
    let paths: Vec<_> =
        problems.iter().filter(|problem| problem.is_error()).map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["patches.\"/etc/kubernetes/cluster/README.md\""]);
}

/// kubeadm's `GetDNSIP`: of the first range alone.
#[test]
fn dns_has_the_tenth_address() {
    for (kubernetes, address) in [
        ("", "10.96.0.10"),
        ("  serviceSubnets: [192.0.2.0/24]\n", "192.0.2.10"),
        ("  serviceSubnets: [\"fd00:10::/112\", 10.96.0.0/12]\n", "fd00:10::a"),
    ] {
        let plan = planned("static-pods", kubernetes, "", &Facts::default());
        let objects = plan.operator.objects.unwrap().cluster.unwrap();
        assert_eq!(objects.core_dns.unwrap().address, address);
    }
}
