//! kube-proxy: its `KubeProxyConfiguration`, for kubeadm's configuration and for the operators' own
//! objects.

use crate::plan::certs::first_control_plane;
use crate::plan::settings::merged;
use crate::spec::types::{FreeForm, Host, KubeProxyMode, Spec};
use serde_json::{Map, Value, json};

/// The `KubeProxyConfiguration`: kubeadm's defaults (`app/componentconfigs/kubeproxy.go`), what the
/// spec's fields say, and above it the spec's own `config`. What is zero or null in kubeadm's
/// document is left out: kube-proxy has the same defaults.
pub(in crate::plan) fn configuration(spec: &Spec) -> FreeForm {
    let of = &spec.kubernetes.kube_proxy;
    let mut map = Map::new();
    map.insert("apiVersion".to_owned(), "kubeproxy.config.k8s.io/v1alpha1".into());
    map.insert("kind".to_owned(), "KubeProxyConfiguration".into());
    map.insert("bindAddress".to_owned(), bind_address(spec).into());
    map.insert("clientConnection".to_owned(), json!({"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"}));
    let pods: Vec<_> = spec.kubernetes.pod_subnets.iter().map(ToString::to_string).collect();
    if !pods.is_empty() {
        map.insert("clusterCIDR".to_owned(), pods.join(",").into());
    }
    if !spec.kubernetes.feature_gates.is_empty() {
        let gates = spec.kubernetes.feature_gates.iter();
        let gates: Map<_, _> = gates.map(|(gate, on)| (gate.to_string(), Value::from(*on))).collect();
        map.insert("featureGates".to_owned(), gates.into());
    }
    if let Some(mode) = of.mode {
        map.insert("mode".to_owned(), mode.name().into());
    }
    let section = section(spec);
    if !section.is_empty() {
        map.insert(mode(spec).name().to_owned(), section.into());
    }
    merged(&map.into(), &of.config)
}

/// What a mode has settings of its own for.
fn section(spec: &Spec) -> Map<String, Value> {
    let of = &spec.kubernetes.kube_proxy;
    let mut section = Map::new();
    for (name, span) in [("syncPeriod", of.sync_period), ("minSyncPeriod", of.min_sync_period)] {
        if let Some(span) = span {
            section.insert(name.to_owned(), format!("{}s", span.seconds()).into());
        }
    }
    if let Some(scheduler) = of.scheduler.as_ref().filter(|_| mode(spec) == KubeProxyMode::Ipvs) {
        section.insert("scheduler".to_owned(), scheduler.to_string().into());
    }
    section
}

/// The mode, written or kube-proxy's own choice on Linux.
fn mode(spec: &Spec) -> KubeProxyMode {
    spec.kubernetes.kube_proxy.mode.unwrap_or(KubeProxyMode::Iptables)
}

/// All addresses of the family that the first control plane's API server advertises.
fn bind_address(spec: &Spec) -> &'static str {
    let host = first_control_plane(spec).and_then(|name| spec.hosts.get(name));
    let address = host.and_then(Host::advertise_address);
    if address.is_some_and(|address| address.is_ipv6()) { "::" } else { "0.0.0.0" }
}
