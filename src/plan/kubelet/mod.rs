//! The kubelet of one host.

mod configuration;
mod flags;
pub(super) mod overrides;
#[cfg(test)]
mod tests;

use super::certs::{Place, kubelet_server};
use super::host::Shared;
use super::settings::{Gated, Settings, merged};
use super::{os, proxy};
use crate::spec::scalars::{HostName, ToleratedExit};
use crate::spec::types::{EtcdRun, FreeForm, GateRun, Host, Join, Provisioner, Role};
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) use configuration::of_nodes;

/// The kubelet of one host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletPlan {
    /// What must hold before it starts.
    pub gate: GatePlan,
    /// `systemd` or `cgroupfs`.
    pub cgroup_driver: &'static str,
    /// The container runtime's socket.
    pub container_runtime_endpoint: String,
    /// The kubelet's program.
    pub program: String,
    /// The file of its unit's variables, and the variables; none without variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentPlan>,
    /// The variables by which it and the container runtime find a proxy.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub proxy: BTreeMap<String, String>,
    /// Whether no package of the distribution brings its unit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_unit: bool,
    /// Flags besides those that name its files, `--NAME=VALUE`; on nodes of kubeadm that is kubeadm's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// On nodes: the release that it is of, `v1.36.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// On nodes without kubeadm: its whole configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodePlan>,
}

/// The variables of a kubelet's unit.
#[derive(Clone, Debug, Serialize)]
pub struct EnvironmentPlan {
    /// The file that they lie in.
    pub file: &'static str,
    /// Values by name.
    pub variables: BTreeMap<String, String>,
}

/// The kubelet of a node that nobody but sealift makes.
#[derive(Clone, Debug, Serialize)]
pub struct NodePlan {
    /// Its `KubeletConfiguration`.
    pub configuration: FreeForm,
    /// How it has the cluster sign its certificate; none where it has one from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<BootstrapPlan>,
}

/// How a kubelet has the cluster sign its certificate (TLS bootstrap).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BootstrapPlan {
    /// The name of the token.
    pub token: String,
    /// The API server, a URL.
    pub server: String,
}

/// What must hold before the kubelet starts.
#[derive(Clone, Debug, Serialize)]
pub struct GatePlan {
    /// What checks the host.
    #[serde(serialize_with = "gate_name")]
    pub run: GateRun,
    /// Exit codes of `sealift verify` that do not stop the kubelet, ascending.
    pub tolerate: Vec<u8>,
    /// The sealift program.
    pub program: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn gate_name<S: serde::Serializer>(run: &GateRun, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(run.name())
}

/// Exit code 6: a clock may be wrong at boot.
const TOLERATED: u8 = 6;

/// The kubelet of a host; none where etcd runs without one.
pub(super) fn plan(
    shared: &Shared<'_>,
    name: &HostName,
    host: &Host,
    here: &[Place],
    settings: &Settings,
) -> Option<KubeletPlan> {
    let spec = shared.spec;
    let paths = os::paths(settings.os);
    let alone = !host.is_node();
    if alone && !(spec.etcd.run == EtcdRun::StaticPod && host.has(Role::Etcd)) {
        return None;
    }
    let node = (!alone && spec.kubernetes.provisioner == Provisioner::StaticPods).then(|| {
        let bootstrap = bootstrap(shared, host, here);
        let configuration = configuration::of_node(shared, host, settings, bootstrap.is_some());
        NodePlan { configuration, bootstrap }
    });
    let variables = settings.kubelet_environment.clone();
    let arguments = match &node {
        Some(_) => flags::arguments(&flags::of_node(shared, name, host, settings)),
        None if alone => flags::arguments(&settings.kubelet_args),
        None => Vec::new(),
    };
    Some(KubeletPlan {
        gate: gate(&settings.gate, paths),
        cgroup_driver: settings.cgroup_driver.unwrap_or_default().name(),
        container_runtime_endpoint: configuration::runtime_endpoint(spec, settings),
        program: text(settings.kubelet_program.as_ref(), paths.kubelet),
        environment: (!variables.is_empty())
            .then_some(EnvironmentPlan { file: paths.kubelet_environment, variables }),
        proxy: proxy::variables(spec),
        without_unit: paths.without_unit,
        arguments,
        release: (!alone).then(|| format!("v{}", spec.kubernetes.version)),
        node,
    })
}

/// The bootstrap of a node that joins with a token: with the first by name, since one is enough.
fn bootstrap(shared: &Shared<'_>, host: &Host, here: &[Place]) -> Option<BootstrapPlan> {
    let Shared { spec, release, .. } = *shared;
    let joins = spec.kubernetes.join == Join::Token && !here.contains(&Place::FirstControlPlane);
    let token = spec.kubernetes.bootstrap_tokens.keys().next().filter(|_| joins)?;
    let api_address = host.advertise_address();
    let server = kubelet_server(spec, release, api_address, here)?;
    Some(BootstrapPlan { token: token.to_string(), server })
}

/// Where the configuration of a kubelet lies that kubeadm does not write.
const CONFIGURATION: &str = "/etc/kubernetes/kubelet/config.yaml";

/// The merge patches of a host: on hosts of etcd alone, what the spec says of the kubelet's
/// configuration is one of the template's, below the spec's own.
pub(super) fn patches(shared: &Shared<'_>, host: &Host, settings: &Settings) -> BTreeMap<String, FreeForm> {
    let mut patches = settings.patches.clone();
    let ours = if host.is_node() {
        FreeForm::default()
    } else {
        configuration::over_the_templates(shared, settings)
    };
    if !ours.is_empty() {
        let patch = patches.entry(CONFIGURATION.to_owned()).or_default();
        *patch = merged(&ours, patch);
    }
    patches
}

/// A gate of the spec, with its defaults.
pub(super) fn gate(gate: &Gated, paths: &os::Paths) -> GatePlan {
    let tolerate = gate.tolerate.as_ref().map_or_else(
        || vec![TOLERATED],
        |codes| codes.iter().map(|code: &ToleratedExit| code.get()).collect(),
    );
    let mut tolerate: Vec<u8> = tolerate;
    tolerate.sort_unstable();
    tolerate.dedup();
    GatePlan {
        run: gate.run.unwrap_or(GateRun::Sealift),
        tolerate,
        program: text(gate.program.as_ref(), paths.sealift),
    }
}

fn text<T: ToString>(value: Option<&T>, default: &str) -> String {
    value.map_or_else(|| default.to_owned(), ToString::to_string)
}
