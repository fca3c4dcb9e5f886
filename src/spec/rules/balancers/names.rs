//! Names that cannot be the endpoint's: somewhere they mean something else.

use super::{Holes, Path, Problem, Spec, entries, hosts_left_out, list, wrong};
use crate::spec::scalars::{Endpoint, EndpointHost};
use crate::spec::types::{BalancerKind, Host, Provisioner, Role};
use std::net::IpAddr;

/// The endpoint's name means one thing everywhere, and nothing else.
pub(in crate::spec::rules) fn endpoint_name(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let at = Path::root().key("kubernetes").key("endpoint");
    let Some(EndpointHost::Name(name)) = spec.kubernetes.endpoint.as_ref().map(Endpoint::host) else {
        return;
    };
    if holes.touch(&at) || spec.kubernetes.provisioner == Provisioner::None {
        return;
    }
    if name == "localhost" || name.ends_with(".localhost") {
        let what = format!("{name} is each machine's own (RFC 6761)");
        problems.push(wrong(at, what).hint("write a name that leads to the API servers, or an address"));
        return;
    }
    if holes.touch(&list()) {
        return;
    }
    let kube_vip = entries(spec, holes).into_iter().find(|entry| entry.of.kind == BalancerKind::KubeVip);
    if let Some(entry) = kube_vip.filter(|_| name == "kubernetes") {
        let what = format!("{name} is 127.0.0.1 in the pod of {}, kube-vip", entry.path);
        problems.push(wrong(at, what).hint("write another name"));
        return;
    }
    if hosts_left_out(holes) {
        return;
    }
    let Some((owner, _)) = spec.hosts.iter().find(|(own, host)| {
        let mut names = [Some(*own), host.etcd_name.as_ref()].into_iter().flatten();
        names.any(|own| own.as_str() == name) && !leads_there(spec, host)
    }) else {
        return;
    };
    let what = format!("{name} is a name of the host {owner}, and the endpoint leads elsewhere");
    problems.push(wrong(at, what).hint("write a name that no host has"));
}

/// Whether the endpoint leads to this host, and to no other.
fn leads_there(spec: &Spec, host: &Host) -> bool {
    let is_only = spec.hosts.values().filter(|other| other.has(Role::ControlPlane)).count() == 1;
    if spec.load_balancers.is_empty() && is_only && host.has(Role::ControlPlane) {
        return true;
    }
    let own = |address: &IpAddr| host.addresses.contains(address) || host.api_address == Some(*address);
    let leads = spec.front().addresses;
    !leads.is_empty() && leads.iter().all(own)
}
