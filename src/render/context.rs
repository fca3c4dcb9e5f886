//! One typed context per template: all that it may say.

use super::registries::{self, Registries, RegistryHosts};
use super::runbook::{self, Runbook};
use crate::plan::releases::{EtcdProbes, KubeadmApi};
use crate::plan::{EtcdPlan, HostPlan, KubeletPlan};
use serde::Serialize;

/// The context of a template, for one of several where there are some; none when the host has no such
/// thing or nothing renders the path.
pub(super) fn of(path: &str, each: Option<&str>, host: &HostPlan) -> Option<Context> {
    let etcd = host.etcd.as_ref();
    let kubelet = host.kubelet.as_ref();
    match path {
        "/etc/containerd/certs.d/REGISTRY/hosts.toml" => {
            registries::hosts(each?, host).map(Context::RegistryHosts)
        }
        "/etc/containers/registries.conf.d/10-sealift.conf" => {
            Some(Context::Registries(registries::all(host)))
        }
        "/etc/etcd/etcdctl.env" => etcd.map(etcdctl),
        "/etc/kubernetes/kubeadm/config.yaml" => etcd.map(|etcd| Context::Kubeadm(kubeadm(etcd))),
        "/etc/kubernetes/kubelet/config.yaml" => kubelet.map(kubelet_configuration),
        "/etc/kubernetes/manifests/etcd.yaml" => etcd.map(|etcd| Context::EtcdPod(pod(etcd))),
        "/etc/sealift/RUNBOOK.md" => runbook::context(host).map(Context::Runbook),
        "/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf" => {
            kubelet.map(|kubelet| Context::ServiceManager { program: kubelet.program.clone() })
        }
        "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf" => kubelet.map(gate),
        _ => None,
    }
}

/// What templates see.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Context {
    Etcdctl { endpoints: String },
    Kubeadm(Kubeadm),
    Kubelet { cgroup_driver: &'static str, container_runtime_endpoint: String },
    EtcdPod(EtcdPod),
    Registries(Registries),
    RegistryHosts(RegistryHosts),
    Runbook(Runbook),
    ServiceManager { program: String },
    Gate { run: &'static str, program: String, tolerate: Vec<u8> },
}

/// The static pod of an etcd member.
#[derive(Serialize)]
pub(super) struct EtcdPod {
    client_url: String,
    flags: Vec<String>,
    image: String,
    data_dir: String,
    liveness: &'static str,
    readiness: Option<&'static str>,
    startup: &'static str,
    /// A name or a number.
    probe_port: serde_json::Value,
    named_probe_port: bool,
}

/// kubeadm's configuration of an etcd member's host.
#[derive(Serialize)]
pub(super) struct Kubeadm {
    api_version: &'static str,
    name: String,
    address: String,
    kubernetes_version: String,
    encryption_algorithm: Option<&'static str>,
    image_repository: String,
    data_dir: String,
    etcd_image: Option<EtcdImage>,
    extra_args: Vec<Argument>,
    extra_args_are_list: bool,
}

#[derive(Serialize)]
struct EtcdImage {
    repository: String,
    tag: String,
}

#[derive(Serialize)]
struct Argument {
    name: &'static str,
    value: String,
}

fn etcdctl(etcd: &EtcdPlan) -> Context {
    Context::Etcdctl { endpoints: etcd.members.client_urls.clone() }
}

fn kubelet_configuration(kubelet: &KubeletPlan) -> Context {
    Context::Kubelet {
        cgroup_driver: kubelet.cgroup_driver,
        container_runtime_endpoint: kubelet.container_runtime_endpoint.clone(),
    }
}

fn gate(kubelet: &KubeletPlan) -> Context {
    Context::Gate {
        run: kubelet.gate.run.name(),
        program: kubelet.gate.program.clone(),
        tolerate: kubelet.gate.tolerate.clone(),
    }
}

fn kubeadm(etcd: &EtcdPlan) -> Kubeadm {
    let v1beta4 = etcd.kubeadm_api == KubeadmApi::V1beta4;
    Kubeadm {
        api_version: if v1beta4 { "kubeadm.k8s.io/v1beta4" } else { "kubeadm.k8s.io/v1beta3" },
        name: etcd.name.clone(),
        address: etcd.address.to_string(),
        kubernetes_version: format!("v{}", etcd.kubernetes),
        encryption_algorithm: etcd.encryption_algorithm,
        image_repository: etcd.cluster_image_repository.clone(),
        data_dir: etcd.data_dir.clone(),
        etcd_image: etcd
            .image_pinned
            .then(|| EtcdImage { repository: etcd.image_repository.clone(), tag: etcd.image_tag.clone() }),
        extra_args: member_arguments(etcd)
            .into_iter()
            .map(|(name, value)| Argument { name, value })
            .collect(),
        extra_args_are_list: v1beta4,
    }
}

/// What differs from kubeadm's defaults for a member of an external cluster, in the order of
/// kubeadm's documentation.
fn member_arguments(etcd: &EtcdPlan) -> [(&'static str, String); 7] {
    [
        ("initial-cluster", etcd.members.initial_cluster.clone()),
        ("initial-cluster-state", "new".to_owned()),
        ("name", etcd.name.clone()),
        ("listen-peer-urls", etcd.peer_url()),
        ("listen-client-urls", etcd.client_url()),
        ("advertise-client-urls", etcd.client_url()),
        ("initial-advertise-peer-urls", etcd.peer_url()),
    ]
}

/// etcd's command line as kubeadm writes it: its defaults by name, then the arguments given.
fn flags(etcd: &EtcdPlan) -> Vec<String> {
    let mut defaults: Vec<(&str, &str)> = vec![
        ("cert-file", "/etc/kubernetes/pki/etcd/server.crt"),
        ("client-cert-auth", "true"),
        ("data-dir", &etcd.data_dir),
        ("key-file", "/etc/kubernetes/pki/etcd/server.key"),
        ("listen-metrics-urls", "http://127.0.0.1:2381"),
        ("peer-cert-file", "/etc/kubernetes/pki/etcd/peer.crt"),
        ("peer-client-cert-auth", "true"),
        ("peer-key-file", "/etc/kubernetes/pki/etcd/peer.key"),
        ("peer-trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt"),
        ("snapshot-count", "10000"),
        ("trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt"),
    ];
    defaults.extend_from_slice(if etcd.feature_gates {
        &[("feature-gates", "InitialCorruptCheck=true"), ("watch-progress-notify-interval", "5s")]
    } else {
        &[
            ("experimental-initial-corrupt-check", "true"),
            ("experimental-watch-progress-notify-interval", "5s"),
        ]
    });
    defaults.sort_unstable();
    let defaults = defaults.into_iter().map(|(name, value)| format!("--{name}={value}"));
    defaults.chain(member_arguments(etcd).map(|(name, value)| format!("--{name}={value}"))).collect()
}

fn pod(etcd: &EtcdPlan) -> EtcdPod {
    let (liveness, readiness, startup) = match etcd.probes {
        EtcdProbes::Health => {
            ("/health?exclude=NOSPACE&serializable=true", None, "/health?serializable=false")
        }
        EtcdProbes::Livez => ("/livez", Some("/readyz"), "/readyz"),
    };
    EtcdPod {
        client_url: etcd.client_url(),
        flags: flags(etcd),
        image: etcd.image(),
        data_dir: etcd.data_dir.clone(),
        liveness,
        readiness,
        startup,
        probe_port: if etcd.named_probe_port { "probe-port".into() } else { 2381.into() },
        named_probe_port: etcd.named_probe_port,
    }
}
