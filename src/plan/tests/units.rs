//! Kubernetes over etcd that is a unit: members anywhere, and external to kubeadm wherever they lie.

use super::super::HostPlan;
use super::kubernetes;
use serde_json::{Value, json};

/// The cluster with etcd as a unit, and these edits.
fn with(run: &str, edits: &[(&str, &str)]) -> (Vec<HostPlan>, Vec<String>) {
    let run = format!("{{run: {run}, version: 3.6.8}}");
    let all: Vec<_> =
        std::iter::once(("{run: static-pod}", run.as_str())).chain(edits.iter().copied()).collect();
    let (plan, problems) = kubernetes::with(&all);
    (plan.hosts.into_values().collect(), problems)
}

/// Members on two of three control planes and on the worker.
const MIXED: &[(&str, &str)] = &[
    (
        "addresses: [192.0.2.8]\n    roles: [control-plane, etcd]",
        "addresses: [192.0.2.8]\n    roles: [control-plane]",
    ),
    ("roles: [worker]", "roles: [worker, etcd]"),
];

fn kubeadms(host: &HostPlan) -> Value {
    let plan = host.kubeadm.as_ref().unwrap();
    let found =
        plan.documents.iter().chain(&plan.cluster).find(|one| one.map()["kind"] == "ClusterConfiguration");
    found.unwrap().map()["etcd"].clone()
}

fn external(endpoints: &[&str]) -> Value {
    json!({ "external": {
        "endpoints": endpoints,
        "caFile": "/etc/kubernetes/pki/etcd/ca.crt",
        "certFile": "/etc/kubernetes/pki/apiserver-etcd-client.crt",
        "keyFile": "/etc/kubernetes/pki/apiserver-etcd-client.key",
    }})
}

#[test]
fn kubeadm_is_told_all_members_and_no_image() {
    for run in ["systemd", "container"] {
        // one pinned, one elsewhere, one with data elsewhere: as pods kubeadm would have them alike
        let own = [
            ("  cp2:\n", "  cp2:\n    etcd: {dataDir: /srv/etcd}\n"),
            ("  cp3:\n", "  cp3:\n    etcdAddress: 192.0.2.18\n"),
        ];
        let (hosts, problems) = with(run, &own);
        assert_eq!(problems, Vec::<String>::new(), "{run}");
        let all = ["https://192.0.2.1:2379", "https://192.0.2.7:2379", "https://192.0.2.18:2379"];
        for host in &hosts[..3] {
            assert_eq!(kubeadms(host), external(&all), "{run}");
        }
        let names = [
            ("version: 3.6.8}", "version: 3.6.8, urls: name}"),
            ("  cp1:\n", "  cp1:\n    etcdName: etcd1.example\n"),
        ];
        let (hosts, problems) = with(run, &names);
        assert_eq!(problems, Vec::<String>::new(), "{run}");
        assert_eq!(
            kubeadms(&hosts[0]),
            external(&["https://etcd1.example:2379", "https://cp2:2379", "https://cp3:2379"])
        );
    }
}

#[test]
fn members_lie_anywhere() {
    for run in ["systemd", "container"] {
        let (hosts, problems) = with(run, MIXED);
        assert_eq!(problems, Vec::<String>::new(), "{run}");
        let all = ["https://192.0.2.1:2379", "https://192.0.2.7:2379", "https://192.0.2.9:2379"];
        assert_eq!(kubeadms(&hosts[2]), external(&all));
        let members: Vec<_> = hosts.iter().map(|host| host.etcd.is_some()).collect();
        assert_eq!(members, [true, true, false, true]);
        // a worker's key of the API servers is nobody's
        let keys = |host: &HostPlan| {
            host.files.iter().filter(|file| file.path.contains("apiserver-etcd-client")).count()
        };
        assert_eq!(hosts.iter().map(keys).collect::<Vec<_>>(), [2, 2, 2, 0]);
        let (hosts, problems) =
            with(run, &[&[("provisioner: kubeadm", "provisioner: static-pods")], MIXED].concat());
        assert_eq!(problems, Vec::<String>::new(), "{run}");
        let servers = |host: &HostPlan| -> Vec<String> {
            let flags = host.pods.iter().flat_map(|pod| &pod.flags);
            flags.filter(|flag| flag.starts_with("--etcd-servers=")).cloned().collect()
        };
        // its own member, and where there is none all
        assert_eq!(servers(&hosts[0]), ["--etcd-servers=https://127.0.0.1:2379"]);
        assert_eq!(servers(&hosts[2]), [format!("--etcd-servers={}", all.join(","))]);
        assert!(hosts[3].pods.is_empty());
    }
}

#[test]
fn nothing_is_patched_that_kubeadm_does_not_write() {
    let patch = "patches: {/etc/kubernetes/manifests/etcd.yaml: {metadata: {labels: {a: b}}}}\npki: {}";
    let (hosts, problems) = with("systemd", &[("pki: {}", patch)]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("/etc/kubernetes/manifests/etcd.yaml"), "{problems:?}");
    let patched = hosts.iter().flat_map(|host| host.kubeadm.iter().flat_map(|plan| plan.patches.keys()));
    assert!(!patched.into_iter().any(|path| path.contains("/etcd+")));
}
