//! The etcd member of a control plane, as kubeadm makes it (`getEtcdCommand`), with all members in
//! `--initial-cluster`: they start together, and none joins.

use super::volumes::directory;
use super::{PodPlan, Probes};
use crate::plan::EtcdPlan;
use crate::plan::etcd::Setting;
use std::collections::BTreeMap;

pub(super) fn pod(etcd: &EtcdPlan) -> PodPlan {
    let probed = etcd.probe_address();
    let mut settings = etcd.settings();
    settings.extend(etcd.membership(&[etcd.loopback_listener(), etcd.client_listener()]));
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    let (liveness, readiness, startup) = etcd.probes.paths();
    PodPlan {
        name: "etcd",
        annotations: [("kubeadm.kubernetes.io/etcd.advertise-client-urls", etcd.client_url.clone())].into(),
        image: etcd.image.as_ref().map(|image| image.whole.clone()).unwrap_or_default(),
        flags: settings.iter().map(Setting::argument).collect(),
        envs: BTreeMap::new(),
        cpu: "100m",
        memory: Some("100Mi"),
        probes: Probes {
            host: Some(probed.ip().to_string()),
            port: probed.port().into(),
            named_port: etcd.named_probe_port,
            scheme: "HTTP",
            liveness,
            readiness,
            startup,
        },
        volumes: [("etcd-certs", "/etc/kubernetes/pki/etcd"), ("etcd-data", &*etcd.data_dir)]
            .into_iter()
            .chain(etcd.wal_apart().map(|path| ("etcd-wal", path)))
            .map(|(name, path)| directory(name, path, false))
            .collect(),
    }
}
