//! The etcd member of a control plane, as kubeadm makes it (`getEtcdCommand`), with all members in
//! `--initial-cluster`: they start together, and none joins.

use super::volumes::directory;
use super::{PodPlan, Probes, local_client_url, loopback};
use crate::plan::EtcdPlan;
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub(super) fn pod(etcd: &EtcdPlan) -> PodPlan {
    let local = loopback(etcd.address);
    let metrics = SocketAddr::new(local, EtcdPlan::METRICS_PORT);
    let own = [
        ("advertise-client-urls", etcd.client_url()),
        ("initial-advertise-peer-urls", etcd.peer_url()),
        ("initial-cluster", etcd.members.initial_cluster.clone()),
        ("initial-cluster-state", "new".to_owned()),
        ("listen-client-urls", format!("{},{}", local_client_url(etcd), etcd.client_url())),
        ("listen-metrics-urls", format!("http://{metrics}")),
        ("listen-peer-urls", etcd.peer_url()),
        ("name", etcd.name.clone()),
    ];
    let mut flags: BTreeMap<&str, String> = etcd.defaults().into_iter().collect();
    flags.extend(own);
    let (liveness, readiness, startup) = etcd.probes.paths();
    PodPlan {
        name: "etcd",
        annotations: [("kubeadm.kubernetes.io/etcd.advertise-client-urls", etcd.client_url())].into(),
        image: etcd.image(),
        flags: flags.iter().map(|(name, value)| format!("--{name}={value}")).collect(),
        envs: BTreeMap::new(),
        cpu: "100m",
        memory: Some("100Mi"),
        probes: Probes {
            host: Some(local.to_string()),
            port: EtcdPlan::METRICS_PORT.into(),
            named_port: etcd.named_probe_port,
            scheme: "HTTP",
            liveness,
            readiness,
            startup,
        },
        volumes: vec![
            directory("etcd-certs", "/etc/kubernetes/pki/etcd", false),
            directory("etcd-data", &etcd.data_dir, false),
        ],
    }
}
