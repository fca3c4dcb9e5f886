//! Virtual addresses and those of somebody else's balancers.

use super::{Entry, Holes, Path, Problem, Spec, entries, hosts_left_out, wrong};
use crate::spec::types::Host;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Whether an address is a virtual one.
type IsVirtual = bool;

/// The addresses of an entry with their paths.
fn of(entry: &Entry<'_>, holes: &Holes) -> Vec<(Path, IpAddr, IsVirtual)> {
    let lists = [("vips", &entry.of.vips, true), ("addresses", &entry.of.addresses, false)];
    let all = lists.into_iter().flat_map(|(field, list, virtual_one)| {
        let at = entry.path.key(field);
        list.iter()
            .enumerate()
            .map(move |(index, address)| (holes.item(&at, index), *address, virtual_one))
            .collect::<Vec<_>>()
    });
    all.collect()
}

/// Other machines reach each address, and none stands twice.
pub(in crate::spec::rules) fn distinct(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<IpAddr, Path> = BTreeMap::new();
    for entry in entries(spec, holes) {
        for (at, address, virtual_one) in of(&entry, holes) {
            let flaw = super::super::addresses::flaw(address);
            // somebody else's balancer may be on every node
            if let Some(flaw) = flaw.filter(|_| virtual_one || !address.is_loopback()) {
                let hint = "write an address that the other hosts reach";
                problems.push(wrong(at, format!("{address} is {flaw}")).hint(hint));
            } else if let Some(other) = first.get(&address) {
                let hint = "remove one of the two";
                problems.push(wrong(at, format!("{address} is listed twice, first as {other}")).hint(hint));
            } else {
                first.insert(address, at);
            }
        }
    }
}

/// A virtual address is no host's own, and lies in no range of the cluster.
pub(in crate::spec::rules) fn apart(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let hosts = super::super::hosts(spec).flat_map(|(_, name, host)| own(host).map(move |it| (it, name)));
    let owners: BTreeMap<IpAddr, &str> = hosts.collect();
    let of_cluster = &spec.kubernetes;
    let (services, pods) = (of_cluster.service_subnets(), &of_cluster.pod_subnets);
    let ranges = services.iter().map(|it| (it, "services")).chain(pods.iter().map(|it| (it, "pods")));
    let ranges: Vec<_> = ranges.collect();
    for entry in entries(spec, holes) {
        for (at, address, virtual_one) in of(&entry, holes) {
            if let Some(owner) = owners.get(&address).filter(|_| virtual_one) {
                let hint = "write an address that no host has: it moves from host to host";
                problems.push(wrong(at.clone(), format!("{address} is {owner}'s own")).hint(hint));
            }
            for (range, whose) in ranges.iter().filter(|(range, _)| range.contains(address)) {
                let hint = "write an address of the network that the hosts are in";
                problems.push(wrong(at.clone(), format!("{address} lies in {range} of {whose}")).hint(hint));
            }
        }
    }
}

pub(super) fn own(host: &Host) -> impl Iterator<Item = IpAddr> + '_ {
    host.addresses.iter().chain(&host.api_address).chain(&host.etcd_address).chain(&host.node_ips).copied()
}

/// A virtual address goes to hosts that have its family.
pub(in crate::spec::rules) fn families(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if hosts_left_out(holes) {
        return;
    }
    for entry in entries(spec, holes).iter().filter(|entry| entry.hosts(spec).next().is_some()) {
        let vips = of(entry, holes).into_iter().filter(|(_, _, virtual_one)| *virtual_one);
        for (at, address, _) in vips {
            let same = |own: IpAddr| own.is_ipv4() == address.is_ipv4();
            if !entry.hosts(spec).any(|(_, host)| own(host).any(same)) {
                let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
                let what = format!("none of the hosts that {address} goes to has an {family} address");
                let hint = format!("write their {family} addresses under `hosts`, or remove this one");
                problems.push(wrong(at, what).hint(hint));
            }
        }
    }
}
