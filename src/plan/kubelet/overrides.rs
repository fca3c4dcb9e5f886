//! What a spec passes through to a kubelet and what then breaks: each at its path.

use crate::spec::types::FreeForm;
use crate::spec::{Path, Problem};
use serde_json::Value;

/// Where everybody places static pods: kubeadm, bundles, and the kubelet's own default there.
const MANIFESTS: &str = "/etc/kubernetes/manifests";
const CLIENT_CA: &str = "/etc/kubernetes/pki/ca.crt";

/// A field whose value matters to what bundles hold.
struct Rule {
    field: &'static [&'static str],
    /// Whether a value does no harm.
    fits: fn(&Value) -> bool,
    error: bool,
    message: &'static str,
    hint: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        field: &["staticPodPath"],
        fits: |value| value.as_str().is_some_and(|path| path.trim_end_matches('/') == MANIFESTS),
        error: true,
        message: "the manifests of static pods lie in /etc/kubernetes/manifests, where this kubelet would not look",
        hint: "remove it",
    },
    Rule {
        field: &["authentication", "anonymous", "enabled"],
        fits: |value| *value == Value::Bool(false),
        error: false,
        message: "anybody who reaches the kubelet may ask it",
        hint: "remove it: it is false otherwise",
    },
    Rule {
        field: &["authentication", "x509", "clientCAFile"],
        fits: |value| *value == CLIENT_CA,
        error: false,
        message: "API servers come with a certificate of /etc/kubernetes/pki/ca.crt, which this file must hold, too",
        hint: "remove it, or keep that file up to date while the Kubernetes CA is replaced",
    },
    Rule {
        field: &["authorization", "mode"],
        fits: |value| *value == "Webhook",
        error: false,
        message: "whoever the kubelet knows may do everything on its node, without a question to the API server",
        hint: "remove it: it is Webhook otherwise",
    },
];

/// What of a kubelet's settings breaks or opens a node; of one that runs etcd alone and knows no API
/// server, errors only.
pub(in crate::plan) fn problems(path: &Path, config: &FreeForm, of_nodes: bool) -> Vec<Problem> {
    let rules = RULES.iter().filter(|rule| of_nodes || rule.error);
    rules.filter_map(|rule| problem(rule, path, config)).collect()
}

fn problem(rule: &Rule, path: &Path, config: &FreeForm) -> Option<Problem> {
    let (first, rest) = rule.field.split_first()?;
    let value = rest.iter().try_fold(config.map().get(*first)?, |value, key| value.get(key))?;
    if value.is_null() || (rule.fits)(value) {
        return None;
    }
    let at = rule.field.iter().fold(path.clone(), |path, key| path.key(key));
    let message = format!("{}: {}", rule.field.join("."), rule.message);
    let problem = if rule.error { Problem::error(at, message) } else { Problem::warning(at, message) };
    Some(problem.hint(rule.hint))
}
