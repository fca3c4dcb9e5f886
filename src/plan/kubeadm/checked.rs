//! What is known of the files that kubeadm writes: fields that are the same on every host, unless the spec
//! says otherwise. `verify` finds whoever changed them by hand.
//!
//! Sources: `app/componentconfigs/kubelet.go` (defaults), and what kubeadm 1.36.2 wrote
//! (`tests/data/kubeadm-1.36.2`).

use super::{KubeadmPlan, PATCHES};
use crate::plan::Fields;
use crate::plan::settings::merged;
use crate::spec::types::FreeForm;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where static pods come from, and who may ask the kubelet.
const KUBELET: &[&str] = &[
    "authentication.anonymous.enabled",
    "authentication.webhook.enabled",
    "authentication.x509.clientCAFile",
    "authorization.mode",
    "readOnlyPort",
    "staticPodPath",
    "staticPodURL",
];

/// Flags that take back what the kubelet's configuration says of the same. kubeadm 1.29 to 1.36 writes none of
/// them (`app/phases/kubelet/flags.go`); the spec may.
const FLAGS: &[&str] = &[
    "anonymous-auth",
    "authentication-token-webhook",
    "authorization-mode",
    "bootstrap-kubeconfig",
    "client-ca-file",
    "config",
    "config-dir",
    "kubeconfig",
    "manifest-url",
    "pod-manifest-path",
    "read-only-port",
];

/// What stays checked of a file that kubeadm writes; none of other files.
pub(in crate::plan) fn fields(plan: &KubeadmPlan, path: &str) -> Option<Fields> {
    let (format, values) = match path {
        "/var/lib/kubelet/config.yaml" => ("kubelet-configuration", kubelet(plan)),
        "/var/lib/kubelet/kubeadm-flags.env" => ("kubelet-flags", flags(plan)),
        _ => return None,
    };
    (!values.is_empty()).then_some(Fields { format, values })
}

/// kubeadm's own values, and over them the host's patch, which has all that the spec says.
fn kubelet(plan: &KubeadmPlan) -> BTreeMap<String, String> {
    let written = json!({
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "staticPodPath": "/etc/kubernetes/manifests",
    });
    let none = FreeForm::default();
    let patch = plan.patches.get(&format!("{PATCHES}/kubeletconfiguration+merge.json")).unwrap_or(&none);
    let written = merged(&super::form(written), patch);
    let value = |name: &&str| Some(((*name).to_owned(), scalar(written.map(), name)?));
    KUBELET.iter().filter_map(value).collect()
}

/// Flags that nobody but the spec may write. One that the spec has empty or in control characters is not
/// looked at.
fn flags(plan: &KubeadmPlan) -> BTreeMap<String, String> {
    let registration = plan.documents.first().and_then(|document| document.map().get("nodeRegistration"));
    let extra = registration.and_then(|registration| registration.get("kubeletExtraArgs"));
    let value = |name: &&str| {
        let told = extra.map(|extra| told(extra, name)).unwrap_or_default();
        let fits = told.is_empty() || !told.concat().is_empty();
        let joined = told.join(",");
        (fits && !joined.chars().any(char::is_control)).then(|| ((*name).to_owned(), joined))
    };
    FLAGS.iter().filter_map(value).collect()
}

/// The values of a flag in either form of kubeadm's API.
fn told<'a>(flags: &'a Value, name: &str) -> Vec<&'a str> {
    match flags {
        Value::Object(map) => map.get(name).and_then(Value::as_str).into_iter().collect(),
        Value::Array(list) => {
            let named = list.iter().filter(|flag| flag.get("name").and_then(Value::as_str) == Some(name));
            named.filter_map(|flag| flag.get("value").and_then(Value::as_str)).collect()
        }
        _ => Vec::new(),
    }
}

/// A scalar by its path, empty where it is absent or null; none of what no field can say.
fn scalar(map: &serde_json::Map<String, Value>, path: &str) -> Option<String> {
    let mut names = path.split('.');
    let mut value = names.next().and_then(|name| map.get(name)).unwrap_or(&Value::Null);
    for name in names {
        value = match value {
            Value::Object(inner) => inner.get(name).unwrap_or(&Value::Null),
            Value::Null => &Value::Null,
            _ => return None,
        };
    }
    let text = match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.chars().any(char::is_control)).then_some(text)
}
