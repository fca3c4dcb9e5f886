//! Addresses: usable from other machines, and nobody else's.

use super::{Holes, Path, Problem, Spec};
use crate::spec::types::Host;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// A host's addresses with their paths, `apiAddress` and `etcdAddress` last.
fn of<'h>(path: &'h Path, host: &'h Host, holes: &'h Holes) -> impl Iterator<Item = (Path, IpAddr)> + 'h {
    let list = path.key("addresses");
    let all =
        host.addresses.iter().enumerate().map(move |(index, address)| (holes.item(&list, index), *address));
    all.chain(host.api_address.map(|address| (path.key("apiAddress"), address)))
        .chain(host.etcd_address.map(|address| (path.key("etcdAddress"), address)))
}

/// Other machines must be able to reach each address, and it must mean one thing everywhere.
pub(super) fn usable(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for (path, _, host) in super::hosts(spec) {
        for (at, address) in of(&path, host, holes) {
            if let Some(flaw) = flaw(address) {
                let message = format!("{at}: {address} is {flaw}");
                problems
                    .push(Problem::error(at, message).hint("write an address that the other hosts reach"));
            }
        }
    }
}

/// Why other machines cannot reach an address.
pub(super) fn flaw(address: IpAddr) -> Option<&'static str> {
    let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    match address {
        _ if mapped => Some("an IPv4 address in an IPv6 address; write it as IPv4"),
        _ if address.is_unspecified() => Some("the unspecified address"),
        _ if address.is_loopback() => Some("a loopback address"),
        _ if address.is_multicast() => Some("a multicast address"),
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some("the broadcast address"),
        IpAddr::V4(v4) if v4.is_link_local() => Some("a link-local address"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("a link-local address"),
        _ => None,
    }
}

/// No address twice in a host's list, none on two hosts; `apiAddress` and `etcdAddress` may repeat
/// the host's own.
pub(super) fn distinct(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let mut owners: BTreeMap<IpAddr, (&str, Path)> = BTreeMap::new();
    for (path, name, host) in super::hosts(spec) {
        let own = [path.key("apiAddress"), path.key("etcdAddress")];
        for (at, address) in of(&path, host, holes) {
            let Some((owner, first)) = owners.get(&address) else {
                owners.insert(address, (name, at));
                continue;
            };
            if *owner != name {
                let message = format!("{at}: {address} is an address of another host, {first}");
                problems.push(Problem::error(at, message).hint("give each host its own addresses"));
            } else if !own.contains(&at) {
                let message = format!("{at}: {address} is listed twice");
                problems.push(Problem::error(at, message).hint("remove one of the two"));
            }
        }
    }
}
