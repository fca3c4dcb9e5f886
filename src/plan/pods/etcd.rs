//! The etcd member of a control plane, as kubeadm makes it (`getEtcdCommand`), with all members in
//! `--initial-cluster`: they start together, and none joins.

use super::volumes::directory;
use super::{PodPlan, Probes, loopback};
use crate::plan::EtcdPlan;
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub(super) fn pod(etcd: &EtcdPlan) -> PodPlan {
    let local = loopback(etcd.address);
    let metrics = SocketAddr::new(local, EtcdPlan::METRICS_PORT);
    let own = [
        ("advertise-client-urls", etcd.client_url.clone()),
        ("initial-advertise-peer-urls", etcd.peer_url.clone()),
        ("initial-cluster", etcd.listed.initial_cluster.to_string()),
        ("initial-cluster-state", etcd.state.name().to_owned()),
        ("listen-client-urls", format!("{},{}", etcd.loopback_listener(), etcd.client_listener())),
        ("listen-metrics-urls", format!("http://{metrics}")),
        ("listen-peer-urls", etcd.peer_listener()),
        ("name", etcd.name.clone()),
    ];
    let mut flags: BTreeMap<&str, String> = etcd.defaults().into_iter().collect();
    flags.extend(own);
    let (liveness, readiness, startup) = etcd.probes.paths();
    PodPlan {
        name: "etcd",
        annotations: [("kubeadm.kubernetes.io/etcd.advertise-client-urls", etcd.client_url.clone())].into(),
        image: etcd.image.as_ref().map(|image| image.whole.clone()).unwrap_or_default(),
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
