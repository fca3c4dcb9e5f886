//! Ranges of addresses: one of each family, apart from each other and from the hosts.

use super::{Holes, Path, Problem, Spec};
use crate::spec::scalars::Subnet;
use std::net::IpAddr;

/// A range with its path.
type Range = (Path, Subnet);

fn ranges(spec: &Spec, holes: &Holes) -> (Vec<Range>, Vec<Range>) {
    let of = |key: &str, list: &[Subnet]| {
        let path = Path::root().key("kubernetes").key(key);
        let ranges = list.iter().enumerate().map(|(index, subnet)| (holes.item(&path, index), *subnet));
        ranges.collect::<Vec<_>>()
    };
    (of("serviceSubnets", &spec.kubernetes.service_subnets), of("podSubnets", &spec.kubernetes.pod_subnets))
}

fn family(subnet: Subnet) -> &'static str {
    if subnet.address().is_ipv4() { "IPv4" } else { "IPv6" }
}

/// Kubernetes takes one range, or one of each family.
pub(super) fn one_of_each_family(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let (services, pods) = ranges(spec, holes);
    for list in [services, pods] {
        for (index, (at, subnet)) in list.iter().enumerate() {
            let earlier = list.iter().take(index).find(|(_, other)| family(*other) == family(*subnet));
            if let Some((first, _)) = earlier {
                let message = format!("{at}: a second {} range beside {first}", family(*subnet));
                let hint = "write one range, or one of each family for dual stack";
                problems.push(Problem::error(at.clone(), message).hint(hint));
            }
        }
    }
}

/// No address belongs to two things.
pub(super) fn apart(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let (services, pods) = ranges(spec, holes);
    let default = || vec![(Path::root().key("kubernetes").key("serviceSubnets"), Subnet::SERVICES)];
    let services = if services.is_empty() && !pods.is_empty() { default() } else { services };
    for (at, pod) in &pods {
        for (other, service) in services.iter().filter(|(_, service)| pod.overlaps(*service)) {
            let message = format!("{at}: {pod} overlaps {service} of {other}");
            problems.push(Problem::error(at.clone(), message).hint("choose ranges that share no address"));
        }
    }
    for (path, _, host) in super::hosts(spec) {
        let list = path.key("addresses");
        for (index, address) in host.addresses.iter().enumerate() {
            let inside = services.iter().chain(&pods).find(|(_, range)| range.contains(*address));
            if let Some((range, subnet)) = inside {
                let at = holes.item(&list, index);
                let message = format!("{at}: {address} lies in {subnet} of {range}");
                problems.push(Problem::error(at, message).hint("choose ranges in which no host lies"));
            }
        }
    }
}

/// Bits of addresses in a service range: kubeadm's `ValidateServiceSubnetSize` and
/// `MinimumAddressesInServiceSubnet` (ten).
const BITS: std::ops::RangeInclusive<u8> = 4..=20;

/// The API server counts services in a bitmap, and kubeadm wants the tenth address for DNS.
pub(super) fn size(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for (at, subnet) in ranges(spec, holes).0 {
        let most: u8 = if subnet.address().is_ipv4() { 32 } else { 128 };
        let bits = most - subnet.prefix();
        if !BITS.contains(&bits) {
            let size = if bits > *BITS.end() { "large" } else { "small" };
            let (least, longest) = (most - BITS.end(), most - BITS.start());
            let message = format!("{at}: {subnet} is too {size} for services");
            let hint = format!("write a prefix length from {least} to {longest}");
            problems.push(Problem::error(at, message).hint(hint));
        }
    }
}

/// The API server refuses services of another family than its own address first
/// (`cmd/kube-apiserver/app/options/validation.go`).
pub(super) fn first_family(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let list = Path::root().key("kubernetes").key("serviceSubnets");
    let Some(first) = spec.kubernetes.service_subnets().first().copied() else { return };
    if holes.touch(&list) {
        return;
    }
    let control_planes = super::hosts(spec)
        .filter(|(_, _, host)| host.roles.contains(&crate::spec::types::Role::ControlPlane));
    for (path, name, host) in control_planes {
        let Some(address) = host.advertise_address() else { continue };
        if holes.touch(&path.key("apiAddress")) || holes.touch(&path.key("addresses")) {
            continue;
        }
        if address.is_ipv4() != first.address().is_ipv4() {
            let at = if host.api_address.is_some() { path.key("apiAddress") } else { path.key("addresses") };
            let message = format!(
                "{name} serves the API at {address}, and its first service range is {} ({first})",
                family(first)
            );
            problems.push(Problem::error(at, message).hint(hint(address)));
        }
    }
}

fn hint(address: IpAddr) -> String {
    let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
    format!(
        "let `kubernetes.serviceSubnets` begin with an {family} range, or give the host an `apiAddress` of the other family"
    )
}
