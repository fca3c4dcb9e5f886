//! What the API server's configuration files may say.

use crate::plan::ApiServerPlan;
use serde::Serialize;
use serde_json::{Map, Value};

/// The contexts of these files.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Files {
    Yaml { configuration: Map<String, Value> },
    Certificates { certificates: Vec<Vec<String>> },
}

/// The context of one file; none when the host has no such file.
pub(super) fn context(path: &str, plan: &ApiServerPlan) -> Option<Files> {
    let yaml = |map: &Map<String, Value>| Files::Yaml { configuration: map.clone() };
    match path.rsplit('/').next()? {
        "admission.yaml" => plan.admission.as_ref().map(|own| yaml(own.map())),
        "audit-policy.yaml" => plan.audit_policy.as_ref().map(|policy| {
            let mut map = policy.map().clone();
            map.insert("apiVersion".to_owned(), "audit.k8s.io/v1".into());
            map.insert("kind".to_owned(), "Policy".into());
            yaml(&map)
        }),
        "authentication.yaml" => plan.authentication.as_ref().map(|own| yaml(own.map())),
        "oidc-ca.crt" => Some(Files::Certificates { certificates: plan.oidc_ca.clone() }),
        _ => None,
    }
}
