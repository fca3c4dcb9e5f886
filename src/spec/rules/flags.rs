//! Flags of components that the spec has a better word for, or that would lead a component away from
//! what sealift places and checks.

use super::{Holes, Path, Problem, Spec};
use crate::spec::layers::{Layer, layers};
use crate::spec::types::Flags;

/// What speaks against a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    /// A field says it, and what else follows from it.
    Field(&'static str),
    /// It leads to files, ports or names that certificates, probes and `verify` know nothing of.
    Ours,
}
use Instead::{Field, Ours};

const GATES: (&str, Instead) = ("feature-gates", Field("kubernetes.featureGates"));

const API_SERVER: &[(&str, Instead)] = &[
    ("admission-control-config-file", Field("kubernetes.apiServer.admission")),
    ("advertise-address", Field("hosts.NAME.apiAddress")),
    ("audit-policy-file", Field("kubernetes.apiServer.audit.policy")),
    ("authentication-config", Field("kubernetes.apiServer.authentication")),
    ("client-ca-file", Ours),
    ("encryption-provider-config", Field("encryptionAtRest")),
    ("etcd-cafile", Ours),
    ("etcd-certfile", Ours),
    ("etcd-keyfile", Ours),
    ("etcd-servers", Ours),
    GATES,
    ("kubelet-certificate-authority", Ours),
    ("kubelet-client-certificate", Ours),
    ("kubelet-client-key", Ours),
    ("oidc-ca-file", Field("kubernetes.apiServer.oidc.ca")),
    ("oidc-client-id", Field("kubernetes.apiServer.oidc.clientId")),
    ("oidc-groups-claim", Field("kubernetes.apiServer.oidc.groupsClaim")),
    ("oidc-groups-prefix", Field("kubernetes.apiServer.oidc.groupsPrefix")),
    ("oidc-issuer-url", Field("kubernetes.apiServer.oidc.issuerUrl")),
    ("oidc-username-claim", Field("kubernetes.apiServer.oidc.usernameClaim")),
    ("oidc-username-prefix", Field("kubernetes.apiServer.oidc.usernamePrefix")),
    ("proxy-client-cert-file", Ours),
    ("proxy-client-key-file", Ours),
    ("requestheader-client-ca-file", Ours),
    ("secure-port", Field("kubernetes.apiPort")),
    ("service-account-key-file", Ours),
    ("service-account-signing-key-file", Ours),
    ("service-cluster-ip-range", Field("kubernetes.serviceSubnets")),
    ("tls-cert-file", Ours),
    ("tls-private-key-file", Ours),
];

const CONTROLLER_MANAGER: &[(&str, Instead)] = &[
    ("authentication-kubeconfig", Ours),
    ("authorization-kubeconfig", Ours),
    ("client-ca-file", Ours),
    ("cluster-cidr", Field("kubernetes.podSubnets")),
    ("cluster-signing-cert-file", Ours),
    ("cluster-signing-key-file", Ours),
    GATES,
    ("kubeconfig", Ours),
    ("node-cidr-mask-size", Field("kubernetes.nodeCidrMask")),
    ("node-cidr-mask-size-ipv4", Field("kubernetes.nodeCidrMask.ipv4")),
    ("node-cidr-mask-size-ipv6", Field("kubernetes.nodeCidrMask.ipv6")),
    ("node-monitor-grace-period", Field("kubernetes.controllerManager.nodeMonitorGracePeriod")),
    ("node-monitor-period", Field("kubernetes.controllerManager.nodeMonitorPeriod")),
    ("requestheader-client-ca-file", Ours),
    ("root-ca-file", Ours),
    ("secure-port", Ours),
    ("service-account-private-key-file", Ours),
    ("service-cluster-ip-range", Field("kubernetes.serviceSubnets")),
];

const SCHEDULER: &[(&str, Instead)] = &[
    ("authentication-kubeconfig", Ours),
    ("authorization-kubeconfig", Ours),
    GATES,
    ("kubeconfig", Ours),
    ("secure-port", Ours),
];

const KUBELET: &[(&str, Instead)] = &[
    ("bootstrap-kubeconfig", Ours),
    ("cgroup-driver", Field("kubelet.cgroupDriver")),
    ("client-ca-file", Ours),
    ("config", Ours),
    ("container-runtime-endpoint", Field("kubelet.containerRuntimeEndpoint")),
    GATES,
    ("hostname-override", Field("hosts.NAME")),
    ("kubeconfig", Ours),
    ("node-ip", Field("hosts.NAME.nodeIPs")),
    ("node-labels", Field("hosts.NAME.labels")),
    ("pod-manifest-path", Ours),
    ("register-with-taints", Field("hosts.NAME.taints")),
    ("tls-cert-file", Ours),
    ("tls-private-key-file", Ours),
];

/// The last minor release whose kubelet knows `--pod-infra-container-image`.
const LAST_WITH_INFRA_IMAGE: u32 = 34;

/// Flags of the control plane.
pub(super) fn of_components(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let of = &spec.kubernetes;
    for (component, flags, table) in [
        ("apiServer", &of.api_server.extra_args, API_SERVER),
        ("controllerManager", &of.controller_manager.extra_args, CONTROLLER_MANAGER),
        ("scheduler", &of.scheduler.extra_args, SCHEDULER),
    ] {
        let path = Path::root().key("kubernetes").key(component).key("extraArgs");
        problems.extend(check(flags, &path, table, holes));
    }
}

/// Flags of kubelets: of all, of a role, of a host.
pub(super) fn of_kubelets(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for Layer { path, kubelet, .. } in layers(spec) {
        let path = path.key("kubelet").key("extraArgs");
        problems.extend(check(&kubelet.extra_args, &path, KUBELET, holes));
        let infra = kubelet.extra_args.keys().find(|name| name.as_str() == "pod-infra-container-image");
        if let Some(name) = infra {
            problems.extend(infra_image(spec, holes, path.key(name.as_str())));
        }
    }
}

fn infra_image(spec: &Spec, holes: &Holes, at: Path) -> Option<Problem> {
    let version = &spec.kubernetes.version;
    if holes.touch(&Path::root().key("kubernetes").key("version")) {
        return None;
    }
    if version.minor() > LAST_WITH_INFRA_IMAGE {
        let message = format!("{at}: the kubelet of {version} does not know this flag and would not start");
        return Some(Problem::error(at, message).hint(
            "remove it: from 1.35 on the container runtime alone says which image holds a pod's namespaces",
        ));
    }
    Some(instead(at, "kubernetes.images.pause"))
}

fn check(flags: &Flags, path: &Path, table: &[(&str, Instead)], holes: &Holes) -> Vec<Problem> {
    let found = flags.keys().filter_map(|name| {
        let (_, what) = table.iter().find(|(flag, _)| *flag == name.as_str())?;
        let at = path.key(name.as_str());
        if holes.touch(&at) {
            return None;
        }
        Some(match what {
            Field(field) => instead(at, field),
            Ours => {
                let message = format!("{at}: what sealift places and checks would not fit this flag");
                Problem::warning(at, message).hint("remove it; `verify`, `certs` and probes do not follow it")
            }
        })
    });
    found.collect()
}

fn instead(at: Path, field: &str) -> Problem {
    let message = format!("{at}: the spec has a field for this flag");
    let hint = match field {
        "hosts.NAME" => {
            "remove it: a node is called as its host in the spec, and so is its certificate".to_owned()
        }
        field => format!("write `{field}` instead: more than this flag follows from it"),
    };
    Problem::error(at, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{cluster, cluster_rendered};
    use super::{API_SERVER, CONTROLLER_MANAGER, KUBELET, SCHEDULER};

    #[test]
    fn tables_are_sorted() {
        for table in [API_SERVER, CONTROLLER_MANAGER, SCHEDULER, KUBELET] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn flags_of_ones_own() {
        let flags = "  apiServer: {extraArgs: {profiling: false, audit-log-path: \"-\", oidc-required-claim: [a=b, c=d]}}
  controllerManager: {extraArgs: {terminated-pod-gc-threshold: 100, bind-address: 0.0.0.0}}
  scheduler: {extraArgs: {config: /etc/kubernetes/scheduler.yaml}}
  endpoint:";
        let kubelet = "etcd: {run: static-pod}\nkubelet: {extraArgs: {v: 4}}";
        assert_eq!(cluster(&[("  endpoint:", flags), ("etcd: {run: static-pod}", kubelet)]), "");
    }

    #[test]
    fn each_layer_and_component() {
        let flags = "  apiServer: {extraArgs: {secure-port: 443, tls-cert-file: /a.crt}}
  controllerManager: {extraArgs: {cluster-cidr: 10.0.0.0/8}}
  scheduler: {extraArgs: {feature-gates: A=true}}
  endpoint:";
        let layers = "etcd: {run: static-pod}
kubelet: {extraArgs: {node-ip: 10.0.0.1}}
roles: {worker: {kubelet: {extraArgs: {hostname-override: a}}}}";
        let edits = [
            ("  endpoint:", flags),
            ("etcd: {run: static-pod}", layers),
            (
                "    addresses: [192.0.2.8]",
                "    kubelet: {extraArgs: {config: /a.yaml}}\n    addresses: [192.0.2.8]",
            ),
        ];
        assert_eq!(
            cluster(&edits),
            "error kubernetes.apiServer.extraArgs.secure-port | kubernetes.apiServer.extraArgs.secure-port: the spec has a field for this flag
warning kubernetes.apiServer.extraArgs.tls-cert-file | kubernetes.apiServer.extraArgs.tls-cert-file: what sealift places and checks would not fit this flag
error kubernetes.controllerManager.extraArgs.cluster-cidr | kubernetes.controllerManager.extraArgs.cluster-cidr: the spec has a field for this flag
error kubernetes.scheduler.extraArgs.feature-gates | kubernetes.scheduler.extraArgs.feature-gates: the spec has a field for this flag
error kubelet.extraArgs.node-ip | kubelet.extraArgs.node-ip: the spec has a field for this flag
error roles.worker.kubelet.extraArgs.hostname-override | roles.worker.kubelet.extraArgs.hostname-override: the spec has a field for this flag
warning hosts.cp3.kubelet.extraArgs.config | hosts.cp3.kubelet.extraArgs.config: what sealift places and checks would not fit this flag
"
        );
        let hints: Vec<_> = cluster_rendered(&edits)
            .lines()
            .filter_map(|line| line.strip_prefix("hint: ").map(str::to_owned))
            .collect();
        assert_eq!(
            hints,
            [
                "write `kubernetes.apiPort` instead: more than this flag follows from it",
                "remove it; `verify`, `certs` and probes do not follow it",
                "write `kubernetes.podSubnets` instead: more than this flag follows from it",
                "write `kubernetes.featureGates` instead: more than this flag follows from it",
                "write `hosts.NAME.nodeIPs` instead: more than this flag follows from it",
                "remove it: a node is called as its host in the spec, and so is its certificate",
                "remove it; `verify`, `certs` and probes do not follow it",
            ]
        );
    }

    #[test]
    fn the_infra_image_is_gone_in_35() {
        let flag = "etcd: {run: static-pod}\nkubelet: {extraArgs: {pod-infra-container-image: a}}";
        let of = |version: &str| cluster(&[("1.36.2", version), ("etcd: {run: static-pod}", flag)]);
        assert_eq!(
            of("1.35.0"),
            "error kubelet.extraArgs.pod-infra-container-image | kubelet.extraArgs.pod-infra-container-image: the kubelet of 1.35.0 does not know this flag and would not start\n"
        );
        assert_eq!(
            of("1.34.2"),
            "error kubelet.extraArgs.pod-infra-container-image | kubelet.extraArgs.pod-infra-container-image: the spec has a field for this flag\n"
        );
    }
}
