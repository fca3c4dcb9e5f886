//! What the manifests of static pods may say.

use crate::plan::components::VolumePlan;
use crate::plan::{EtcdPlan, HostPlan, PodPlan, Probes};
use serde::Serialize;
use serde_json::Value;

/// The annotation that has the kubelet make a pod anew when a file changes that the pod reads at its
/// start only: the digest of these files.
pub(super) const RESTART_DIGEST: &str = "sealift.dev/restart-digest";

/// The context of a component's manifest, and of the part that all of them include.
#[derive(Serialize)]
pub(super) struct Pod {
    name: &'static str,
    annotations: Vec<Named>,
    flags: Vec<String>,
    envs: Vec<Named>,
    image: String,
    probes: PodProbes,
    cpu: &'static str,
    volumes: Vec<VolumePlan>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct PodProbes {
    host: Option<String>,
    /// A name or a number.
    port: Value,
    /// Where the port has a name.
    container_port: Option<u32>,
    scheme: &'static str,
    liveness: &'static str,
    readiness: Option<&'static str>,
    startup: &'static str,
}

/// The static pod of an etcd member, on a control plane or alone.
#[derive(Serialize)]
pub(super) struct EtcdPod {
    client_url: String,
    restart_digest: Option<String>,
    flags: Vec<String>,
    image: String,
    data_dir: String,
    /// A directory of its own for the write-ahead log.
    wal_dir: Option<String>,
    probe_host: String,
    liveness: &'static str,
    readiness: Option<&'static str>,
    startup: &'static str,
    /// A name or a number.
    probe_port: Value,
    metrics_port: u16,
    named_probe_port: bool,
}

/// The context of one of a host's pods; none when the host has no such pod.
pub(super) fn context(host: &HostPlan, name: &str, digest: Option<&str>) -> Option<Pod> {
    let pod = host.pods.iter().find(|pod| pod.name == name)?;
    let own = digest.map(|digest| Named { name: RESTART_DIGEST.to_owned(), value: digest.to_owned() });
    let named = |name: &str, value: &String| Named { name: name.to_owned(), value: value.clone() };
    Some(Pod {
        name: pod.name,
        annotations: pod.annotations.iter().map(|(name, value)| named(name, value)).chain(own).collect(),
        flags: pod.flags.clone(),
        envs: pod.envs.iter().map(|(name, value)| named(name, value)).collect(),
        image: pod.image.clone(),
        probes: probes(&pod.probes),
        cpu: pod.cpu,
        volumes: pod.volumes.clone(),
    })
}

fn probes(probes: &Probes) -> PodProbes {
    PodProbes {
        host: probes.host.clone(),
        port: port(probes),
        container_port: probes.named_port.then_some(probes.port),
        scheme: probes.scheme,
        liveness: probes.liveness,
        readiness: probes.readiness,
        startup: probes.startup,
    }
}

fn port(probes: &Probes) -> Value {
    if probes.named_port { "probe-port".into() } else { probes.port.into() }
}

/// The context of a member's pod: a control plane's where the host has one, else one that stands alone.
pub(super) fn etcd(host: &HostPlan, etcd: &EtcdPlan, digest: Option<&str>) -> EtcdPod {
    let stacked = host.pods.iter().find(|pod| pod.name == "etcd");
    let probed = etcd.probe_address();
    let (liveness, readiness, startup) = etcd.probes.paths();
    let port = if etcd.named_probe_port { "probe-port".into() } else { probed.port().into() };
    EtcdPod {
        client_url: etcd.client_url.clone(),
        restart_digest: digest.map(str::to_owned),
        flags: stacked.map_or_else(|| alone(etcd), |pod: &PodPlan| pod.flags.clone()),
        image: etcd.image.as_ref().map(|image| image.whole.clone()).unwrap_or_default(),
        data_dir: etcd.data_dir.clone(),
        wal_dir: etcd.wal_apart().map(str::to_owned),
        probe_host: probed.ip().to_string(),
        liveness,
        readiness,
        startup,
        probe_port: port,
        metrics_port: probed.port(),
        named_probe_port: etcd.named_probe_port,
    }
}

/// etcd's command line as kubeadm writes it for a member of an external cluster: its defaults by name,
/// then the arguments given.
fn alone(etcd: &EtcdPlan) -> Vec<String> {
    let all = etcd.settings().into_iter().chain(etcd.membership(&[etcd.client_listener()]));
    all.map(|setting| setting.argument()).collect()
}
