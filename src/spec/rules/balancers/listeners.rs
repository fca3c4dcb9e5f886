//! Ports that somebody has already where a proxy listens.

use super::{Entry, Holes, Problem, Spec, entries, hosts_left_out, wrong};
use crate::spec::types::{EtcdRun, Host, Listen, Role, Spec as Cluster};
use std::net::IpAddr;

/// What listens on fixed ports of a host: its port, who, and whether it is there.
type Fixed = (u32, &'static str, fn(&Cluster, &Host) -> bool);

const FIXED: [Fixed; 5] = [
    (2379, "etcd", has_member),
    (2380, "etcd", has_member),
    (10_250, "the kubelet", |_, host| host.is_node()),
    (10_257, "the controller manager", |_, host| host.has(Role::ControlPlane)),
    (10_259, "the scheduler", |_, host| host.has(Role::ControlPlane)),
];

fn has_member(spec: &Spec, host: &Host) -> bool {
    host.has(Role::Etcd) && spec.etcd.run != EtcdRun::StatefulSet
}

/// A port has one listener at an address: on all of them, nobody else has one.
pub(in crate::spec::rules) fn ports(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if hosts_left_out(holes) {
        return;
    }
    let entries = entries(spec, holes);
    let proxies: Vec<_> = entries.iter().filter(|entry| entry.of.kind.is_proxy()).collect();
    for (index, entry) in proxies.iter().enumerate() {
        let at = entry.path.key("port");
        if holes.touch(&at) || holes.touch(&entry.path.key("listen")) {
            continue;
        }
        let port = entry.of.port_of(spec);
        let taken = entry.hosts(spec).find_map(|(name, host)| {
            let who = api_server(spec, entry, host, port).or_else(|| fixed(spec, host, port));
            who.or_else(|| other(spec, proxies.iter().take(index).copied(), entry, host, port))
                .map(|who| (name, who))
        });
        if let Some((name, Taken { who, hint })) = taken {
            problems.push(wrong(at, format!("{who} has port {port} on {name}")).hint(hint));
        }
    }
}

/// Who has a port, and what to do.
struct Taken {
    who: String,
    hint: &'static str,
}

const ANOTHER: &str = "write another port";

fn api_server(spec: &Spec, entry: &Entry<'_>, host: &Host, port: u32) -> Option<Taken> {
    if !host.has(Role::ControlPlane) || port != spec.kubernetes.api_port.get() {
        return None;
    }
    let who = match bound(spec) {
        None => "the API server, which listens on all addresses,".to_owned(),
        Some(address) if meets(entry.of.listens(), address, host) => {
            format!("the API server, which listens on {address},")
        }
        Some(_) => return None,
    };
    let hint = "write another port, such as 8443, here and in `kubernetes.endpoint`";
    Some(Taken { who, hint })
}

/// The one address that API servers listen on; none where they listen on all.
fn bound(spec: &Spec) -> Option<IpAddr> {
    let mut flags = spec.kubernetes.api_server.extra_args.iter();
    let (_, values) = flags.find(|(name, _)| name.as_str() == "bind-address")?;
    let address: IpAddr = values.iter().last()?.parse().ok()?;
    (!address.is_unspecified()).then_some(address)
}

/// Whether a proxy listens on an address of a host. A listener on all addresses meets every other.
fn meets(listens: Listen, address: IpAddr, host: &Host) -> bool {
    match listens {
        Listen::All => true,
        Listen::Loopback => address.is_loopback(),
        Listen::Host => host.addresses.contains(&address),
    }
}

fn fixed(spec: &Spec, host: &Host, port: u32) -> Option<Taken> {
    let taken = FIXED.iter().find(|(number, _, is_there)| *number == port && is_there(spec, host));
    taken.map(|(_, who, _)| Taken { who: (*who).to_owned(), hint: ANOTHER })
}

fn other<'e>(
    spec: &Spec,
    mut earlier: impl Iterator<Item = &'e Entry<'e>>,
    entry: &Entry<'_>,
    host: &Host,
    port: u32,
) -> Option<Taken> {
    let apart = |other: Listen| {
        matches!(
            (other, entry.of.listens()),
            (Listen::Loopback, Listen::Host) | (Listen::Host, Listen::Loopback)
        )
    };
    let meets = |other: &&Entry<'_>| {
        // two of one kind on a host are told of elsewhere
        let two = other.of.kind != entry.of.kind && other.of.is_on(host);
        two && other.of.port_of(spec) == port && !apart(other.of.listens())
    };
    let other = earlier.find(meets)?;
    Some(Taken { who: format!("{} of {}", other.kind(), other.path), hint: ANOTHER })
}
