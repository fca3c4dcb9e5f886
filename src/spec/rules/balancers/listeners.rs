//! Ports that somebody has already where a proxy listens.

use super::{Entry, Holes, Path, Problem, Spec, doubtful, entries, hosts_left_out, wrong};
use crate::spec::scalars::Port;
use crate::spec::types::{EtcdRun, Host, Listen, MetricsListen, Role, Spec as Cluster};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// What listens on a port of a host that no proxy can have.
struct Fixed {
    port: u32,
    who: &'static str,
    /// Whether it listens on loopback alone.
    at_home: bool,
    is_there: fn(&Cluster, &Host) -> bool,
}

const fn everywhere(port: u32, who: &'static str, is_there: fn(&Cluster, &Host) -> bool) -> Fixed {
    Fixed { port, who, at_home: false, is_there }
}

const fn at_home(port: u32, who: &'static str, is_there: fn(&Cluster, &Host) -> bool) -> Fixed {
    Fixed { port, who, at_home: true, is_there }
}

/// The kubelet's `healthzPort`, kube-proxy's `metricsBindAddress` and `healthzBindAddress` are defaults of
/// their configurations; the others are kubeadm's, too.
const FIXED: [Fixed; 8] = [
    everywhere(2379, "etcd", has_member),
    everywhere(2380, "etcd", has_member),
    at_home(10_248, "the kubelet's health check", Spec::has_kubelet),
    at_home(10_249, "kube-proxy, for metrics,", has_kube_proxy),
    everywhere(10_250, "the kubelet", Spec::has_kubelet),
    everywhere(10_256, "kube-proxy's health check", has_kube_proxy),
    everywhere(10_257, "the controller manager", |_, host| host.has(Role::ControlPlane)),
    everywhere(10_259, "the scheduler", |_, host| host.has(Role::ControlPlane)),
];

/// Where members of etcd say how they are, unless the spec names another port.
const METRICS: u32 = 2381;

fn has_kube_proxy(spec: &Cluster, host: &Host) -> bool {
    host.is_node() && !spec.kubernetes.kube_proxy.disabled
}

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
            let who = api_server(spec, entry, host, port).or_else(|| fixed(spec, entry, host, port));
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
pub(super) fn bound(spec: &Spec) -> Option<IpAddr> {
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

fn fixed(spec: &Spec, entry: &Entry<'_>, host: &Host, port: u32) -> Option<Taken> {
    let metrics = &spec.etcd.tuning.metrics;
    let of_etcd = Fixed {
        port: metrics.port.map_or(METRICS, Port::get),
        who: "etcd, for metrics,",
        at_home: metrics.listen.unwrap_or_default() == MetricsListen::Loopback,
        is_there: has_member,
    };
    let meets = |fixed: &&Fixed| !(fixed.at_home && entry.of.listens() == Listen::Host);
    let mut all = FIXED.iter().chain([&of_etcd]).filter(meets);
    let taken = all.find(|fixed| fixed.port == port && (fixed.is_there)(spec, host));
    taken.map(|fixed| Taken { who: fixed.who.to_owned(), hint: ANOTHER })
}

/// The ports of services of type `NodePort`, where the spec says nothing.
const NODE_PORTS: RangeInclusive<u32> = 30_000..=32_767;

/// A port that a service may have on every node.
pub(in crate::spec::rules) fn node_ports(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let flags = &spec.kubernetes.api_server.extra_args;
    if hosts_left_out(holes) || flags.keys().any(|name| name.as_str() == "service-node-port-range") {
        return;
    }
    for entry in entries(spec, holes).iter().filter(|entry| entry.of.kind.is_proxy()) {
        // without a port of its own it has the endpoint's
        let own = entry.path.key("port");
        let endpoint = Path::root().key("kubernetes").key("endpoint");
        let at = if entry.of.port.is_some() { own.clone() } else { endpoint.clone() };
        let port = entry.of.port_of(spec);
        let on_nodes = entry.hosts(spec).any(|(_, host)| host.is_node());
        if holes.touch(&own) || holes.touch(&endpoint) || !on_nodes || !NODE_PORTS.contains(&port) {
            continue;
        }
        let what = format!("a service of type NodePort may get {port} on the hosts of {}", entry.path);
        problems.push(doubtful(at, what).hint("write a port outside of 30000 to 32767"));
    }
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
