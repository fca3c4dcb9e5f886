//! What kubeadm is told of one node: `InitConfiguration` and `JoinConfiguration`.

use super::{PATCHES, Subject, form, set};
use crate::plan::node;
use crate::spec::types::{FreeForm, Join};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What preflight (`app/preflight/checks.go`) refuses to find at a join, and a bundle places on purpose.
const KUBELET_CONF: &str = "FileAvailable--etc-kubernetes-kubelet.conf";
/// The same, on workers only.
const CA_CRT: &str = "FileAvailable--etc-kubernetes-pki-ca.crt";

pub(super) fn init(subject: &Subject<'_>) -> FreeForm {
    let of = &subject.shared.spec.kubernetes;
    let mut document = json!({
        "apiVersion": subject.api_version(),
        "kind": "InitConfiguration",
        "localAPIEndpoint": local_endpoint(subject),
        "nodeRegistration": registration(subject, true),
        "patches": { "directory": PATCHES },
    });
    if of.join == Join::Certificates {
        // kubeadm makes a token in any case, and draws one where none is written
        // (SetBootstrapTokensDynamicDefaults): this one is dead before anybody could use it
        let token = json!({ "description": "unused: nodes join with certificates", "ttl": "1m0s" });
        set(&mut document, "bootstrapTokens", json!([token]));
    }
    let skipped = [(of.core_dns.disabled, "addon/coredns"), (of.kube_proxy.disabled, "addon/kube-proxy")];
    let skipped: Vec<_> = skipped.iter().filter(|(skip, _)| *skip).map(|(_, phase)| *phase).collect();
    if !skipped.is_empty() && !subject.v1beta4() {
        set(&mut document, "skipPhases", skipped);
    }
    form(document)
}

pub(super) fn join(subject: &Subject<'_>) -> FreeForm {
    let of = &subject.shared.spec.kubernetes;
    let discovery = match (of.join, subject.is_control_plane()) {
        (Join::Token, _) => {
            let endpoint = of.endpoint.as_ref().map(ToString::to_string);
            json!({ "bootstrapToken": { "apiServerEndpoint": endpoint } })
        }
        (Join::Certificates, true) => json!({ "file": { "kubeConfigPath": "/etc/kubernetes/admin.conf" } }),
        (Join::Certificates, false) => {
            json!({ "file": { "kubeConfigPath": "/etc/kubernetes/kubelet.conf" } })
        }
    };
    let mut document = json!({
        "apiVersion": subject.api_version(),
        "kind": "JoinConfiguration",
        "caCertPath": "/etc/kubernetes/pki/ca.crt",
        "discovery": discovery,
        "nodeRegistration": registration(subject, false),
        "patches": { "directory": PATCHES },
    });
    if subject.is_control_plane() {
        set(&mut document, "controlPlane", json!({ "localAPIEndpoint": local_endpoint(subject) }));
    }
    form(document)
}

fn local_endpoint(subject: &Subject<'_>) -> Value {
    let address = subject.host.advertise_address();
    json!({
        "advertiseAddress": address.map(|address| address.to_string()),
        "bindPort": subject.shared.spec.kubernetes.api_port.get(),
    })
}

fn registration(subject: &Subject<'_>, init: bool) -> Value {
    let mut registration = json!({
        "name": subject.name.as_str(),
        "criSocket": subject.kubelet.container_runtime_endpoint,
        "taints": taints(subject),
    });
    let flags = kubelet_flags(subject);
    if !flags.is_empty() {
        set(&mut registration, "kubeletExtraArgs", subject.flags(&flags));
    }
    if !init && subject.shared.spec.kubernetes.join == Join::Certificates {
        let placed: &[_] = if subject.is_control_plane() { &[KUBELET_CONF] } else { &[KUBELET_CONF, CA_CRT] };
        set(&mut registration, "ignorePreflightErrors", placed);
    }
    registration
}

/// Written out always: what is absent kubeadm takes for the control plane's taint, an empty list for none.
fn taints(subject: &Subject<'_>) -> Value {
    node::taints(subject.shared.spec, subject.host, subject.settings).iter().map(node::taint).collect()
}

/// Flags of the kubelet beside kubeadm's; the spec's own win.
fn kubelet_flags(subject: &Subject<'_>) -> BTreeMap<String, Vec<String>> {
    let spec = subject.shared.spec;
    let mut flags = node::kubelet_flags(spec, subject.host, subject.settings);
    if let Some(pause) = spec.kubernetes.images.pause.as_ref().filter(|_| subject.release.pod_infra_flag) {
        flags.insert("pod-infra-container-image".to_owned(), vec![pause.to_string()]);
    }
    flags.extend(subject.settings.kubelet_args.clone());
    flags
}
