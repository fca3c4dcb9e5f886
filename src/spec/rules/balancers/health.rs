//! Health checks ask `/readyz` without a certificate.

use super::{Holes, Path, Problem, Spec, entries};
use crate::spec::types::BalancerKind;
use serde_json::Value;

/// API servers that answer nobody without a name.
pub(in crate::spec::rules) fn anonymous(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let checks = |kind| matches!(kind, BalancerKind::Keepalived | BalancerKind::Haproxy);
    let all = entries(spec, holes);
    let Some(entry) = all.iter().find(|entry| checks(entry.of.kind)) else { return };
    let Some(at) = refusal(spec).filter(|at| !holes.touch(at)) else { return };
    let message = format!(
        "{at}: the health check of {} asks /readyz without a certificate, and would find every API server ill",
        entry.path
    );
    let hint = "allow that path: `authentication: {apiVersion: apiserver.config.k8s.io/v1, kind: \
                AuthenticationConfiguration, anonymous: {enabled: true, conditions: [{path: /livez}, {path: \
                /readyz}]}}`";
    problems.push(Problem::warning(at, message).hint(hint));
}

/// Where the spec forbids it, if it does.
fn refusal(spec: &Spec) -> Option<Path> {
    let of = &spec.kubernetes.api_server;
    let path = Path::root().key("kubernetes").key("apiServer");
    let flag = of.extra_args.iter().find(|(name, _)| name.as_str() == "anonymous-auth");
    let off = |value: &str| matches!(value.to_ascii_lowercase().as_str(), "false" | "f" | "0");
    if let Some((name, values)) = flag
        && values.iter().last().is_some_and(off)
    {
        return Some(path.key("extraArgs").key(name.as_str()));
    }
    let anonymous = of.authentication.as_ref()?.map().get("anonymous")?;
    let conditions = anonymous.get("conditions").and_then(Value::as_array);
    let named = |condition: &Value| condition.get("path").and_then(Value::as_str) == Some("/readyz");
    let allowed = anonymous.get("enabled").and_then(Value::as_bool) == Some(true)
        && conditions.is_none_or(|all| all.is_empty() || all.iter().any(named));
    (!allowed).then(|| path.key("authentication").key("anonymous"))
}
