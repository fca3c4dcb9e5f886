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

/// What stays checked of a file that kubeadm writes; none of other files.
pub(in crate::plan) fn fields(plan: &KubeadmPlan, path: &str) -> Option<Fields> {
    let (format, values) = match path {
        "/var/lib/kubelet/config.yaml" => ("kubelet-configuration", kubelet(plan)),
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
