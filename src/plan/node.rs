//! What a host is to the cluster as a node: addresses, labels, taints.

use super::labels::kubelet_may_set;
use super::settings::Settings;
use crate::spec::scalars::{HostName, LabelKey};
use crate::spec::types::{Host, Role, Spec, Taint, TaintEffect};
use crate::spec::{Path, Problem};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The taint that kubeadm gives to control planes (`phases/markcontrolplane`).
pub(super) const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// The label with which kubeadm keeps control planes out of load balancers of services (the same).
pub(super) const EXCLUDE: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// The flags that say as what a kubelet's node registers, by name without dashes.
pub(super) fn kubelet_flags(spec: &Spec, host: &Host, settings: &Settings) -> BTreeMap<String, Vec<String>> {
    let addresses: Vec<_> = addresses(spec, host).iter().map(ToString::to_string).collect();
    let labels = settings.labels.iter().filter(|(key, _)| kubelet_may_set(key));
    let labels: Vec<_> = labels.map(|(key, value)| format!("{key}={value}")).collect();
    let flags = [("node-ip", addresses), ("node-labels", labels)].into_iter();
    flags
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| (name.to_owned(), vec![values.join(",")]))
        .collect()
}

/// A taint as Kubernetes writes it.
pub(super) fn taint(taint: &Taint) -> Value {
    let mut value = json!({ "key": taint.key.to_string(), "effect": taint.effect.name() });
    let text = taint.value.to_string();
    if let Some(map) = value.as_object_mut().filter(|_| !text.is_empty()) {
        map.insert("value".to_owned(), text.into());
    }
    value
}

/// The taints with which a node registers: those of the spec, else kubeadm's of a control plane.
pub(super) fn taints(spec: &Spec, host: &Host, settings: &Settings) -> Vec<Taint> {
    if let Some(taints) = &settings.taints {
        return taints.clone();
    }
    let tainted = host.has(Role::ControlPlane) && !spec.kubernetes.untaint_control_planes;
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

/// What is wrong with the addresses of a node, besides what the rules of specs find.
pub(super) fn problems(spec: &Spec, name: &HostName, host: &Host) -> Vec<Problem> {
    let path = Path::root().key("hosts").key(name.as_str());
    let (list, mut problems) = (path.key("nodeIPs"), Vec::new());
    let families: Vec<bool> =
        spec.kubernetes.service_subnets().iter().map(|subnet| subnet.is_ipv6()).collect();
    for (index, address) in host.node_ips.iter().enumerate() {
        let at = || list.index(index);
        if !families.contains(&address.is_ipv6()) {
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
        let hint =
            "add one to `addresses`, or make `kubernetes.serviceSubnets` ranges of the family that it has";
        problems.push(Problem::warning(path.key("addresses"), message).hint(hint));
    } else {
        problems.extend(one_family(name, &addresses(spec, host), &families, &path));
    }
    problems
}

/// A node without an address of one of the families that services have: its pods get none either.
fn one_family(name: &HostName, has: &[IpAddr], families: &[bool], host: &Path) -> Option<Problem> {
    let missing = families.iter().find(|v6| !has.iter().any(|address| address.is_ipv6() == **v6))?;
    let family = family(*missing);
    let message = format!("{name} has no address of {family}, which services have too");
    Some(
        Problem::warning(host.key("addresses"), message).hint(format!(
            "its pods that share its network are not reached by {family}: add one to `addresses`"
        )),
    )
}

const fn family(v6: bool) -> &'static str {
    if v6 { "IPv6" } else { "IPv4" }
}
