//! A real etcd cluster on control planes without kubeadm, from installed bundles: each member from its
//! static pod, each asked as the API server beside it would ask: see `support/etcd.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run programs and wait for them"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use support::Ran;
use support::etcd::{Cluster, below, enter};
use support::example::{HOSTS, replaced, spec_of_today};

/// The example's hosts as control planes.
fn spec() -> String {
    let spec = replaced(&spec_of_today(), "roles: [etcd]", "roles: [control-plane, etcd]");
    let kubernetes =
        "provisioner: static-pods\n  endpoint: api.prod.example:6443\nloadBalancers: [{kind: external}]";
    replaced(&spec, "provisioner: none", kubernetes)
}

#[test]
fn three_control_planes_have_a_working_etcd() {
    let Some(programs) = enter("three_control_planes_have_a_working_etcd") else { return };
    let mut cluster = Cluster::new(&spec(), programs);
    cluster.install();
    cluster.start();
    for number in 0..HOSTS.len() {
        let (key, value) = (format!("key{number}"), format!("value{number}"));
        assert_eq!(as_its_api_server(&cluster, number, &["put", &key, &value]).expect_code(0).stdout, "OK\n");
        for other in 0..HOSTS.len() {
            let read = as_its_api_server(&cluster, other, &["get", &key]).expect_code(0);
            assert_eq!(read.stdout, format!("{key}\n{value}\n"));
        }
    }
    // it goes on without one, each API server by its own member
    cluster.machines[0].stop();
    assert_eq!(as_its_api_server(&cluster, 1, &["put", "key", "later"]).expect_code(0).stdout, "OK\n");
    assert_eq!(as_its_api_server(&cluster, 2, &["get", "key"]).expect_code(0).stdout, "key\nlater\n");
}

/// etcdctl with the flags of the API server's static pod.
fn as_its_api_server(cluster: &Cluster, number: usize, words: &[&str]) -> Ran {
    let machine = &cluster.machines[number];
    let manifest = machine.root.join("etc/kubernetes/manifests/kube-apiserver.yaml");
    let pod = sealift::spec::yaml::document(&fs::read_to_string(manifest).unwrap()).unwrap();
    let flags = pod["spec"]["containers"][0]["command"].as_array().unwrap();
    let flags = flags.iter().filter_map(|flag| flag.as_str().unwrap().strip_prefix("--")?.split_once('='));
    let flags: BTreeMap<_, _> = flags.collect();
    assert_eq!(flags["etcd-servers"], "https://127.0.0.1:2379");
    let told = [
        ("ETCDCTL_ENDPOINTS", "etcd-servers"),
        ("ETCDCTL_CACERT", "etcd-cafile"),
        ("ETCDCTL_CERT", "etcd-certfile"),
        ("ETCDCTL_KEY", "etcd-keyfile"),
    ];
    let told = told.map(|(variable, flag)| (variable, below(&machine.root, flags[flag])));
    let told: Vec<_> = told.iter().map(|(variable, value)| (*variable, value.as_str())).collect();
    machine.etcdctl(&cluster.etcdctl, &told, words)
}
