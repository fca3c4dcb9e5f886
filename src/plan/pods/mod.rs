//! The static pods of a control plane without kubeadm: what `kubeadm init phase control-plane` and
//! `phase etcd local` would write for the same input.
//!
//! Sources: kubeadm's `app/phases/controlplane/manifests.go` and `volumes.go`,
//! `app/phases/etcd/local.go`, `app/util/staticpod/utils.go`. What differs on purpose is listed in
//! docs/static-pods.md.

mod etcd;
mod flags;
mod volumes;

use super::EtcdPlan;
use super::components::{Component, Extras, VolumePlan, extras};
use super::host::Shared;
use super::releases::Release;
use super::settings::Settings;
use crate::spec::types::{EtcdRun, Host, Join, Provisioner, Role, Spec};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// One static pod with one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodPlan {
    /// Its name, its program's and its manifest's.
    pub name: &'static str,
    /// kubeadm's annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<&'static str, String>,
    /// The image, as a container runtime takes it.
    pub image: String,
    /// Flags as `--name=value`, in byte order of their names.
    pub flags: Vec<String>,
    /// Environment variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub envs: BTreeMap<String, String>,
    /// What it asks of a node's processors, as Kubernetes writes it: `250m`.
    pub cpu: &'static str,
    /// What it asks of a node's memory, as Kubernetes writes it: `100Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<&'static str>,
    /// How the kubelet asks for its health.
    pub probes: Probes,
    /// Volumes with their mounts, in byte order of their names.
    pub volumes: Vec<VolumePlan>,
}

/// How the kubelet asks for a pod's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probes {
    /// Which address it asks; the pod's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Which port.
    pub port: u32,
    /// Whether probes name the port (k/k#132776) instead of its number.
    pub named_port: bool,
    /// `HTTP` or `HTTPS`.
    pub scheme: &'static str,
    /// Where it asks whether the pod must be restarted.
    pub liveness: &'static str,
    /// Where it asks whether the pod serves, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<&'static str>,
    /// Where it asks whether the pod has begun.
    pub startup: &'static str,
}

/// kubeadm's `KubeControllerManagerPort`.
const CONTROLLER_MANAGER_PORT: u32 = 10_257;
/// kubeadm's `KubeSchedulerPort`.
const SCHEDULER_PORT: u32 = 10_259;

/// One host that runs static pods.
struct Node<'a> {
    spec: &'a Spec,
    release: &'static Release,
    settings: &'a Settings,
    etcd: Option<&'a EtcdPlan>,
    /// Where its API server is reached.
    address: IpAddr,
    /// The client URLs of all etcd members, joined by commas.
    client_urls: &'a str,
}

/// The pods of one host, in byte order of their names; none under kubeadm.
pub(super) fn plan(
    shared: &Shared<'_>,
    host: &Host,
    settings: &Settings,
    etcd: Option<&EtcdPlan>,
) -> Vec<PodPlan> {
    let spec = shared.spec;
    let static_pods = spec.kubernetes.provisioner == Provisioner::StaticPods;
    if !static_pods || !host.has(Role::ControlPlane) {
        return Vec::new();
    }
    let address = host.advertise_address();
    let (Some(release), Some(images), Some(address)) = (shared.release, &shared.images, address) else {
        return Vec::new();
    };
    let client_urls = &shared.members.client_urls;
    let node = Node { spec, release, settings, etcd, address, client_urls };
    let components = Component::ALL.map(|component| {
        let image = match component {
            Component::KubeApiserver => &images.kube_apiserver,
            Component::KubeControllerManager => &images.kube_controller_manager,
            Component::KubeScheduler => &images.kube_scheduler,
        };
        node.component(component, image.clone())
    });
    let pod = etcd.filter(|member| member.run == EtcdRun::StaticPod).map(etcd::pod);
    pod.into_iter().chain(components).collect()
}

/// Whether API servers check kubelets' serving certificates: every node has one from its bundle.
pub(super) fn checks_kubelets(spec: &Spec) -> bool {
    spec.kubernetes.provisioner == Provisioner::StaticPods && spec.kubernetes.join == Join::Certificates
}

impl Node<'_> {
    fn component(&self, component: Component, image: String) -> PodPlan {
        let extras = extras(self.spec, component);
        let annotations = match component {
            Component::KubeApiserver => {
                [("kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint", self.endpoint())].into()
            }
            Component::KubeControllerManager | Component::KubeScheduler => BTreeMap::new(),
        };
        PodPlan {
            name: component.name(),
            annotations,
            image,
            flags: self.flags(component, &extras),
            cpu: match component {
                Component::KubeApiserver => "250m",
                Component::KubeControllerManager => "200m",
                Component::KubeScheduler => "100m",
            },
            memory: None,
            probes: self.probes(component, &extras),
            volumes: self.volumes(component, &extras),
            envs: extras.envs,
        }
    }

    /// Where its API server is reached, IPv6 in brackets (`APIEndpoint.String`).
    fn endpoint(&self) -> String {
        let port = self.spec.kubernetes.api_port.get();
        match self.address {
            IpAddr::V4(address) => format!("{address}:{port}"),
            IpAddr::V6(address) => format!("[{address}]:{port}"),
        }
    }

    fn probes(&self, component: Component, extras: &Extras) -> Probes {
        let (host, port) = match component {
            Component::KubeApiserver => (Some(self.address.to_string()), self.spec.kubernetes.api_port.get()),
            Component::KubeControllerManager => (bound(extras), CONTROLLER_MANAGER_PORT),
            Component::KubeScheduler => (bound(extras), SCHEDULER_PORT),
        };
        let (liveness, readiness, startup) = match component {
            Component::KubeApiserver => ("/livez", Some("/readyz"), "/livez"),
            Component::KubeScheduler if self.release.scheduler_livez => ("/livez", Some("/readyz"), "/livez"),
            Component::KubeControllerManager | Component::KubeScheduler => ("/healthz", None, "/healthz"),
        };
        let named_port = self.release.named_probe_port;
        Probes { host, port, named_port, scheme: "HTTPS", liveness, readiness, startup }
    }
}

/// Where a component listens that kubeadm has listen on loopback. One that listens everywhere is asked
/// at the pod's own address (`getProbeAddress`).
fn bound(extras: &Extras) -> Option<String> {
    let address = extras.args.get("bind-address").and_then(|values| values.last());
    match address.map(String::as_str) {
        None => Some("127.0.0.1".to_owned()),
        Some("0.0.0.0" | "::") => None,
        Some(address) => Some(address.to_owned()),
    }
}
