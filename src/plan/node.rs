//! What a host is to the cluster as a node: addresses, labels, taints.

use super::settings::Settings;
use crate::spec::scalars::{HostName, LabelKey};
use crate::spec::types::{Host, Role, Spec, Taint, TaintEffect};
use crate::spec::{Path, Problem};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The labels and the taint that kubeadm gives to control planes (`constants.go`,
/// `phases/markcontrolplane`).
pub const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// Keeps a control plane out of the pools of cloud load balancers.
pub const EXCLUDE: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// What a kubelet may say of itself outside of its two namespaces (k8s.io/kubelet,
/// `well_known_labels.go`).
const KUBELET_LABELS: [&str; 11] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

/// Whether a kubelet may set a label on its own node: `--node-labels` refuses others of
/// Kubernetes' namespaces (kubelet's `app/options`), and so does the admission `NodeRestriction`.
fn by_kubelet(key: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else { return true };
    let below =
        |domain: &str| prefix.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if !below("kubernetes.io") && !below("k8s.io") {
        return true;
    }
    KUBELET_LABELS.contains(&key) || below("kubelet.kubernetes.io") || below("node.kubernetes.io")
}

/// The labels that the kubelet sets itself when its node registers.
pub(super) fn kubelet_labels(settings: &Settings) -> BTreeMap<String, String> {
    settings.labels.iter().filter(|(key, _)| by_kubelet(key)).map(own).collect()
}

/// The labels that only operators can set.
#[allow(dead_code, reason = "the objects of the operators' bundle are made of it")]
pub(super) fn operator_labels(settings: &Settings) -> BTreeMap<String, String> {
    settings.labels.iter().filter(|(key, _)| !by_kubelet(key)).map(own).collect()
}

fn own((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// The taints with which a node registers: those of the spec, else kubeadm's of a control plane.
pub(super) fn taints(spec: &Spec, host: &Host, settings: &Settings) -> Vec<Taint> {
    if let Some(taints) = &settings.taints {
        return taints.clone();
    }
    let tainted = host.roles.contains(&Role::ControlPlane) && !spec.kubernetes.untaint_control_planes;
    let key = CONTROL_PLANE.parse::<LabelKey>().ok().filter(|_| tainted);
    let taint = |key| Taint { key, effect: TaintEffect::NoSchedule, ..Taint::default() };
    key.map(taint).into_iter().collect()
}

/// The addresses of a node, that of the services' first family first: those of the spec, else the
/// first of each family that the services have.
pub(super) fn addresses(spec: &Spec, host: &Host) -> Vec<IpAddr> {
    let families = spec.kubernetes.service_subnets();
    let known = if host.node_ips.is_empty() { &host.addresses } else { &host.node_ips };
    let of_family = |v6: bool| known.iter().copied().find(|address| address.is_ipv6() == v6);
    families.iter().filter_map(|subnet| of_family(subnet.is_ipv6())).collect()
}

/// What is wrong with the addresses of a node.
pub(super) fn problems(spec: &Spec, name: &HostName, host: &Host) -> Vec<Problem> {
    let path = Path::root().key("hosts").key(name.as_str());
    let (list, mut problems) = (path.key("nodeIPs"), Vec::new());
    let families: Vec<bool> =
        spec.kubernetes.service_subnets().iter().map(|subnet| subnet.is_ipv6()).collect();
    for (index, address) in host.node_ips.iter().enumerate() {
        let at = || list.index(index);
        if host.node_ips.iter().take(index).any(|other| other.is_ipv6() == address.is_ipv6()) {
            let message = format!("{name} has two node addresses of {}", family(address.is_ipv6()));
            problems.push(Problem::error(at(), message).hint("keep one of each family"));
        } else if !families.contains(&address.is_ipv6()) {
            let family = family(address.is_ipv6());
            let message = format!("{address} is an address of {family}, and no service has one");
            let hint = format!("remove it, or add a range of {family} to `kubernetes.serviceSubnets`");
            problems.push(Problem::error(at(), message).hint(hint));
        } else if !host.addresses.contains(address) {
            let message = format!("{address} is none of the addresses of {name}");
            let hint = "the kubelet does not start with an address that its host does not have; \
                        if it has it, add it to `addresses`, which its certificate is good for";
            problems.push(Problem::warning(at(), message).hint(hint));
        }
    }
    if host.node_ips.is_empty() && addresses(spec, host).is_empty() {
        let family = family(families.first().copied().unwrap_or_default());
        let message = format!("{name} has no address of {family}, which services have");
        let hint = format!(
            "add one to `addresses`, or make `kubernetes.serviceSubnets` ranges of {}'s family",
            name
        );
        problems.push(Problem::warning(path.key("addresses"), message).hint(hint));
    }
    problems
}

const fn family(v6: bool) -> &'static str {
    if v6 { "IPv6" } else { "IPv4" }
}
