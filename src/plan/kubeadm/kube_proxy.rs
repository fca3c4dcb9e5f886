//! kube-proxy's configuration, as far as kubeadm does not fill it in itself.

use super::{form, set};
use crate::plan::settings::merged;
use crate::spec::types::{FreeForm, KubeProxyMode, Spec};
use serde_json::{Map, Value, json};

pub(super) fn configuration(spec: &Spec) -> FreeForm {
    let of = &spec.kubernetes.kube_proxy;
    let mut document =
        json!({ "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration" });
    let gates = &spec.kubernetes.feature_gates;
    if !gates.is_empty() {
        let gates = gates.iter().map(|(gate, on)| (gate.to_string(), Value::from(*on)));
        set(&mut document, "featureGates", gates.collect::<Map<_, _>>());
    }
    if let Some(mode) = of.mode {
        set(&mut document, "mode", mode.name());
    }
    let mode = of.mode.unwrap_or(KubeProxyMode::Iptables);
    let mut section = json!({});
    for (name, span) in [("syncPeriod", of.sync_period), ("minSyncPeriod", of.min_sync_period)] {
        if let Some(span) = span {
            set(&mut section, name, format!("{}s", span.seconds()));
        }
    }
    if let Some(scheduler) = of.scheduler.as_ref().filter(|_| mode == KubeProxyMode::Ipvs) {
        set(&mut section, "scheduler", scheduler.to_string());
    }
    if section.as_object().is_some_and(|map| !map.is_empty()) {
        set(&mut document, mode.name(), section);
    }
    merged(&form(document), &of.config)
}
