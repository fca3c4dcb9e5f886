//! `KubeletConfiguration`s (kubelet.config.k8s.io/v1beta1), as data.

use crate::plan::host::Shared;
use crate::plan::releases::Release;
use crate::plan::settings::{Settings, merged, without_nulls};
use crate::plan::{node, os, preparation};
use crate::spec::types::{FreeForm, Host, RuntimeKind, Spec};
use serde_json::{Map, Value, json};

/// Where the kubelet finds what runs containers.
pub(super) fn runtime_endpoint(spec: &Spec, settings: &Settings) -> String {
    let default = match spec.container_runtime.kind {
        RuntimeKind::Containerd => "unix:///var/run/containerd/containerd.sock",
        RuntimeKind::Crio => "unix:///var/run/crio/crio.sock",
    };
    settings.container_runtime_endpoint.as_ref().map_or_else(|| default.to_owned(), ToString::to_string)
}

/// What the spec says of the kubelet's configuration on hosts of etcd alone, over the template's.
pub(super) fn over_the_templates(shared: &Shared<'_>, settings: &Settings) -> FreeForm {
    let mut map = everywhere(shared.spec, shared.release);
    map.extend(preparation::swap_of_kubelet(&settings.prep));
    merged(&map.into(), &settings.kubelet_config)
}

/// The whole configuration of a node without kubeadm: what kubeadm writes (`componentconfigs/kubelet.go`),
/// and the spec's words over it.
pub(super) fn of_node(shared: &Shared<'_>, host: &Host, settings: &Settings, bootstraps: bool) -> FreeForm {
    let spec = shared.spec;
    let dns: Vec<String> = spec.kubernetes.dns_address().iter().map(ToString::to_string).collect();
    let base = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": settings.cgroup_driver.unwrap_or_default().name(),
        "clusterDNS": dns,
        "clusterDomain": spec.kubernetes.cluster_domain.to_string(),
        "containerRuntimeEndpoint": runtime_endpoint(spec, settings),
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": 10248,
        // a kubelet that rotates its certificate ignores a new kubelet.conf until the old one expires
        "rotateCertificates": bootstraps,
        "staticPodPath": "/etc/kubernetes/manifests",
    });
    let mut map = if let Value::Object(map) = base { map } else { Map::new() };
    map.extend(of_nodes(spec, shared.release));
    map.extend(preparation::swap_of_kubelet(&settings.prep));
    if let Some(plugins) = os::paths(settings.os).volume_plugins {
        map.insert("volumePluginDir".to_owned(), plugins.into());
    }
    let taints: Vec<Value> = node::taints(spec, host, settings).iter().map(node::taint).collect();
    if !taints.is_empty() {
        map.insert("registerWithTaints".to_owned(), taints.into());
    }
    let own = settings.kubelet_config.map();
    if !bootstraps && own.get("serverTLSBootstrap") != Some(&Value::Bool(true)) {
        // named, so that a missing file is an error and not a certificate that nobody can check
        map.insert("tlsCertFile".to_owned(), "/var/lib/kubelet/pki/kubelet.crt".into());
        map.insert("tlsPrivateKeyFile".to_owned(), "/var/lib/kubelet/pki/kubelet.key".into());
    }
    without_nulls(&merged(&map.into(), &settings.kubelet_config))
}

/// What every kubelet is told, etcd's service manager too.
fn everywhere(spec: &Spec, release: Option<&Release>) -> Map<String, Value> {
    let refuses = release.is_some_and(|release| release.refuses_cgroup_v1);
    let refuses = (spec.kubernetes.cgroup_v1 && refuses).then(|| ("failCgroupV1".to_owned(), false.into()));
    refuses.into_iter().collect()
}

/// What every node's kubelet is told.
pub(in crate::plan) fn of_nodes(spec: &Spec, release: Option<&Release>) -> Map<String, Value> {
    let gates = &spec.kubernetes.feature_gates;
    let gates: Map<String, Value> = gates.iter().map(|(gate, on)| (gate.to_string(), (*on).into())).collect();
    let gates = (!gates.is_empty()).then(|| ("featureGates".to_owned(), gates.into()));
    everywhere(spec, release).into_iter().chain(gates).collect()
}
