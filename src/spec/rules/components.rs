//! Settings of components that exclude each other, or that a component refuses.

use super::{Holes, Path, Problem, Spec};
use crate::spec::types::{FreeForm, KubeProxyMode, Provisioner};

fn kubernetes() -> Path {
    Path::root().key("kubernetes")
}

/// Whether there is a control plane to speak of: without one, `kubernetes::pointless` says all.
fn none(spec: &Spec, holes: &Holes) -> bool {
    spec.kubernetes.provisioner == Provisioner::None || holes.touch(&kubernetes().key("provisioner"))
}

/// Tokens are checked as `oidc` says or as `authentication` says: the API server refuses both.
pub(super) fn authentication(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let own = &spec.kubernetes.api_server;
    let path = kubernetes().key("apiServer");
    if none(spec, holes) {
        return;
    }
    if own.oidc.is_some() && own.authentication.is_some() {
        let at = path.key("authentication");
        let message = format!("{at}: the API server takes it or `oidc`, not both");
        problems.push(
            Problem::error(at, message).hint("write the provider of `oidc` as a `jwt` of `authentication`"),
        );
    }
    if let Some(oidc) = own.oidc.as_ref().filter(|oidc| oidc.issuer_url.scheme() == "http") {
        let at = path.key("oidc").key("issuerUrl");
        if !holes.touch(&at) {
            let message = format!("{at}: {} is not https, which the API server demands", oidc.issuer_url);
            problems
                .push(Problem::error(at, message).hint("write https://, and the provider's CA as `oidc.ca`"));
        }
    }
    for (field, kind, written) in [
        ("authentication", "AuthenticationConfiguration", &own.authentication),
        ("admission", "AdmissionConfiguration", &own.admission),
    ] {
        let at = path.key(field);
        if let Some(written) = written.as_ref().filter(|_| !holes.touch(&at)) {
            problems.extend(kind_of(at, kind, written));
        }
    }
}

/// A whole object says what it is.
fn kind_of(at: Path, kind: &str, written: &FreeForm) -> Option<Problem> {
    let text = |key: &str| written.map().get(key).and_then(|value| value.as_str());
    if text("kind") == Some(kind) && text("apiVersion").is_some() {
        return None;
    }
    let message = format!("{at}: it does not say that it is `kind: {kind}`, with an `apiVersion`");
    let hint =
        "write both, as the file for the API server has them: its releases differ in the versions they read";
    Some(Problem::error(at, message).hint(hint))
}

/// The API server does not start with a policy that has no rule (`audit/policy/reader.go`).
pub(super) fn audit(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let Some(audit) = spec.kubernetes.api_server.audit.as_ref().filter(|_| !none(spec, holes)) else {
        return;
    };
    let at = kubernetes().key("apiServer").key("audit").key("policy");
    let rules = audit.policy.map().get("rules").and_then(|rules| rules.as_array());
    if rules.is_none_or(Vec::is_empty) && !holes.touch(&at) {
        let message = format!("{at}: it has no rule, and the API server would not start");
        problems
            .push(Problem::error(at, message).hint("write `rules: [{level: Metadata}]` to log who did what"));
    }
}

/// What kube-proxy refuses, and what means nothing to it.
pub(super) fn kube_proxy(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let own = &spec.kubernetes.kube_proxy;
    let path = kubernetes().key("kubeProxy");
    if none(spec, holes) || holes.touch(&path.key("disabled")) {
        return;
    }
    if own.disabled {
        let written = [
            ("mode", own.mode.is_some()),
            ("scheduler", own.scheduler.is_some()),
            ("syncPeriod", own.sync_period.is_some()),
            ("minSyncPeriod", own.min_sync_period.is_some()),
            ("config", !own.config.is_empty()),
        ];
        for (field, _) in written.into_iter().filter(|(_, written)| *written) {
            let at = path.key(field);
            let message = format!("{at} means nothing: kube-proxy is disabled");
            problems.push(Problem::warning(at, message).hint("remove it, or `disabled`"));
        }
        return;
    }
    let mode = path.key("mode");
    if own.scheduler.is_some() && own.mode != Some(KubeProxyMode::Ipvs) && !holes.touch(&mode) {
        let at = path.key("scheduler");
        let message = format!("{at} means nothing without `mode: ipvs`");
        problems.push(Problem::warning(at, message).hint("remove it, or write the mode"));
    }
    nftables(spec, holes, &mode, problems);
    // KubeProxyConfiguration's default, and `validateKubeProxyIPTablesConfiguration`
    let sync = own.sync_period.map_or(30, crate::spec::scalars::Span::seconds);
    let at = path.key("minSyncPeriod");
    if let Some(least) = own.min_sync_period.filter(|least| least.seconds() > sync)
        && !holes.touch(&path.key("syncPeriod"))
    {
        let message = format!(
            "{at}: {}s is longer than `syncPeriod` ({sync}s), which kube-proxy refuses",
            least.seconds()
        );
        problems.push(Problem::error(at, message).hint("write a longer `syncPeriod` too"));
    }
}

/// From 1.31 on the gate `NFTablesProxyMode` is on by default.
fn nftables(spec: &Spec, holes: &Holes, at: &Path, problems: &mut Vec<Problem>) {
    let of = &spec.kubernetes;
    let gates = kubernetes().key("featureGates");
    let on = of.feature_gates.iter().any(|(gate, on)| gate.as_str() == "NFTablesProxyMode" && *on);
    let unknown = holes.touch(&kubernetes().key("version")) || holes.touch(&gates);
    if of.kube_proxy.mode == Some(KubeProxyMode::Nftables) && of.version.minor() < 31 && !on && !unknown {
        let message = format!("{at}: kube-proxy of {} knows nftables behind a feature gate only", of.version);
        problems.push(
            Problem::error(at.clone(), message)
                .hint("write `featureGates: {NFTablesProxyMode: true}` under `kubernetes`"),
        );
    }
}

/// Gates that a release no longer knows stop its components.
pub(super) fn feature_gates(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let of = &spec.kubernetes;
    let gate = "ControlPlaneKubeletLocalMode";
    let written = of.feature_gates.keys().any(|name| name.as_str() == gate);
    if written && of.version.minor() >= 36 && !holes.touch(&kubernetes().key("version")) {
        let at = kubernetes().key("featureGates").key(gate);
        let message = format!("{at}: Kubernetes {} does not know this gate any more", of.version);
        problems.push(
            Problem::error(at, message)
                .hint("remove it: a control plane's kubelet always speaks to its own API server"),
        );
    }
}

/// A proxy that is none.
pub(super) fn proxy(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let Some(proxy) = &spec.kubernetes.proxy else { return };
    let at = kubernetes().key("proxy");
    if proxy.http.is_none() && proxy.https.is_none() && !holes.touch(&at) {
        let message = format!("{at} names neither `http` nor `https`, so nothing goes through a proxy");
        problems.push(
            Problem::warning(at, message).hint("write `https: http://proxy.example:3128`, or remove it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::cluster;

    fn with(settings: &str) -> String {
        cluster(&[("  endpoint:", &format!("{settings}\n  endpoint:"))])
    }

    const OIDC: &str = "oidc: {issuerUrl: https://id.example, clientId: k8s}";

    #[test]
    fn settings_that_are_right() {
        for settings in [
            format!("  apiServer: {{{OIDC}}}").as_str(),
            "  apiServer: {authentication: {apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration, jwt: []}}",
            "  apiServer: {audit: {policy: {rules: [{level: Metadata}]}}}",
            "  kubeProxy: {mode: ipvs, scheduler: rr, syncPeriod: 10s, minSyncPeriod: 5s}",
            "  kubeProxy: {mode: nftables}",
            "  kubeProxy: {disabled: true}",
            "  proxy: {https: http://proxy.example:3128, noProxy: [192.0.2.0/24]}",
            "  featureGates: {NodeSwap: true}",
        ] {
            assert_eq!(with(settings), "", "{settings}");
        }
    }

    #[test]
    fn oidc_or_authentication() {
        let both = format!(
            "  apiServer: {{{OIDC}, authentication: {{apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration}}}}"
        );
        assert_eq!(
            with(&both),
            "error kubernetes.apiServer.authentication | kubernetes.apiServer.authentication: the API server takes it or `oidc`, not both\n"
        );
        assert_eq!(
            with("  apiServer: {oidc: {issuerUrl: http://id.example, clientId: a}}"),
            "error kubernetes.apiServer.oidc.issuerUrl | kubernetes.apiServer.oidc.issuerUrl: http://id.example is not https, which the API server demands\n"
        );
    }

    #[test]
    fn objects_say_what_they_are() {
        assert_eq!(
            with("  apiServer: {authentication: {jwt: []}, admission: {kind: AdmissionConfiguration}}"),
            "error kubernetes.apiServer.authentication | kubernetes.apiServer.authentication: it does not say that it is `kind: AuthenticationConfiguration`, with an `apiVersion`
error kubernetes.apiServer.admission | kubernetes.apiServer.admission: it does not say that it is `kind: AdmissionConfiguration`, with an `apiVersion`
"
        );
        assert_eq!(
            with("  apiServer: {audit: {policy: {omitStages: [RequestReceived]}}}"),
            "error kubernetes.apiServer.audit.policy | kubernetes.apiServer.audit.policy: it has no rule, and the API server would not start\n"
        );
    }

    #[test]
    fn kube_proxys_words() {
        assert_eq!(
            with("  kubeProxy: {scheduler: rr}"),
            "warning kubernetes.kubeProxy.scheduler | kubernetes.kubeProxy.scheduler means nothing without `mode: ipvs`\n"
        );
        assert_eq!(
            with("  kubeProxy: {minSyncPeriod: 1m}"),
            "error kubernetes.kubeProxy.minSyncPeriod | kubernetes.kubeProxy.minSyncPeriod: 60s is longer than `syncPeriod` (30s), which kube-proxy refuses\n"
        );
        assert_eq!(
            with("  kubeProxy: {disabled: true, mode: iptables, config: {a: 1}}"),
            "warning kubernetes.kubeProxy.mode | kubernetes.kubeProxy.mode means nothing: kube-proxy is disabled
warning kubernetes.kubeProxy.config | kubernetes.kubeProxy.config means nothing: kube-proxy is disabled
"
        );
    }

    #[test]
    fn nftables_before_31() {
        let of = |gates: &str| {
            cluster(&[
                ("1.36.2", "1.30.1"),
                (
                    "  endpoint:",
                    &format!("  kubeProxy: {{mode: nftables}}\n  featureGates: {gates}\n  endpoint:"),
                ),
            ])
        };
        assert_eq!(
            of("{}"),
            "error kubernetes.kubeProxy.mode | kubernetes.kubeProxy.mode: kube-proxy of 1.30.1 knows nftables behind a feature gate only\n"
        );
        assert_eq!(of("{NFTablesProxyMode: true}"), "");
    }

    #[test]
    fn a_gate_that_is_gone() {
        assert_eq!(
            with("  featureGates: {ControlPlaneKubeletLocalMode: true}"),
            "error kubernetes.featureGates.ControlPlaneKubeletLocalMode | kubernetes.featureGates.ControlPlaneKubeletLocalMode: Kubernetes 1.36.2 does not know this gate any more\n"
        );
    }

    #[test]
    fn a_proxy_that_is_none() {
        assert_eq!(
            with("  proxy: {noProxy: [a.example]}"),
            "warning kubernetes.proxy | kubernetes.proxy names neither `http` nor `https`, so nothing goes through a proxy\n"
        );
    }
}
