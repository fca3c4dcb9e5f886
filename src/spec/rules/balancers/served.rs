//! Whether something leads from the endpoint to the API servers.

use super::{Entry, Holes, Path, Problem, Spec, entries, hosts_left_out, list, listed, wrong};
use crate::spec::scalars::EndpointHost;
use crate::spec::types::{BalancerKind, BalancerPlace, Host, Listen, Provisioner, Role};
use std::net::IpAddr;

const EXTERNAL: &str = "write `loadBalancers: [{kind: external}]` when something else leads there, or an entry of \
                        another kind: docs/load-balancers.md";

/// A way to API servers.
struct Way {
    /// Who serves it.
    by: String,
    /// The addresses that it begins at; none where nobody knows.
    addresses: Option<Vec<IpAddr>>,
    /// The ports that it begins at; none where nobody knows.
    ports: Vec<u32>,
}

/// The endpoint is served: by a balancer at its address and port, by the only control plane, or by somebody
/// else. A name cannot be looked up here, and leads to whatever there is.
pub(in crate::spec::rules) fn endpoint(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let kubernetes = Path::root().key("kubernetes");
    let at = kubernetes.key("endpoint");
    let Some(endpoint) = &spec.kubernetes.endpoint else { return };
    let unknown = ["endpoint", "provisioner", "apiPort"].iter().any(|key| holes.touch(&kubernetes.key(key)));
    if unknown || spec.kubernetes.provisioner == Provisioner::None {
        return;
    }
    let entries = entries(spec, holes);
    if holes.touch(&list()) || hosts_left_out(holes) || entries.iter().any(is_incomplete) {
        return;
    }
    let host = endpoint.host();
    let ways: Vec<_> =
        own(spec, host).into_iter().chain(entries.iter().filter_map(|it| way(spec, it))).collect();
    let leads = |way: &&Way| match (host, &way.addresses) {
        (EndpointHost::Address(address), Some(addresses)) => addresses.contains(address),
        _ => true,
    };
    let leading: Vec<_> = ways.iter().filter(leads).collect();
    if leading.is_empty() {
        problems.extend(nobody(spec, at, host, &ways));
        return;
    }
    let port = u32::from(endpoint.port());
    if leading.iter().any(|way| way.ports.is_empty() || way.ports.contains(&port)) {
        return;
    }
    let Some(way) = leading.first() else { return };
    let ports: Vec<_> = way.ports.iter().map(ToString::to_string).collect();
    let what = format!("nobody serves port {port}: {} serves {}", way.by, listed(&ports));
    let served = ports.first().map_or_else(String::new, ToString::to_string);
    let hint = format!("write `endpoint: {}`", of(host, &served));
    problems.push(wrong(at, what).hint(hint));
}

/// What the rules of required fields say enough of.
fn is_incomplete(entry: &Entry<'_>) -> bool {
    let placed = entry.of.kind.is_proxy() || entry.of.kind == BalancerKind::Keepalived;
    (placed && entry.of.on.is_none()) || (entry.of.kind.has_vips() && entry.of.vips.is_empty())
}

/// An endpoint as a spec has it.
fn of(host: &EndpointHost, port: &str) -> String {
    match host {
        EndpointHost::Name(name) => format!("{name}:{port}"),
        EndpointHost::Address(IpAddr::V6(address)) => format!("\"[{address}]:{port}\""),
        EndpointHost::Address(address) => format!("{address}:{port}"),
    }
}

fn nobody(spec: &Spec, at: Path, host: &EndpointHost, ways: &[Way]) -> Option<Problem> {
    let host = match host {
        EndpointHost::Name(name) => name.clone(),
        EndpointHost::Address(address) => address.to_string(),
    };
    let mut control_planes = spec.hosts.iter().filter(|(_, host)| host.has(Role::ControlPlane));
    let (first, second) = (control_planes.next()?, control_planes.next());
    if !spec.load_balancers.is_empty() {
        let mut served: Vec<String> = Vec::new();
        for address in ways.iter().flat_map(|way| way.addresses.iter().flatten()).map(ToString::to_string) {
            if !served.contains(&address) {
                served.push(address);
            }
        }
        let (what, hint) = if served.is_empty() {
            let hint = "a proxy on loopback serves its own host alone: write `on: node`, or `listen: all`";
            (format!("no balancer serves {host}"), hint.to_owned())
        } else {
            let hint = "write an address that a balancer has; or one more entry, `kind: external`, when something \
                        else leads there";
            (format!("no balancer serves {host}, but {}", listed(&served)), hint.to_owned())
        };
        return Some(wrong(at, what).hint(hint));
    }
    let what = if second.is_some() {
        let number = control_planes.count() + 2;
        format!("nobody serves {host}: there is no load balancer for the {number} control planes")
    } else {
        format!("nobody serves {host}: it is no name or address of {}, the only control plane", first.0)
    };
    Some(wrong(at, what).hint(EXTERNAL))
}

/// The only control plane, under its own name or addresses.
fn own(spec: &Spec, host: &EndpointHost) -> Option<Way> {
    let mut control_planes = spec.hosts.iter().filter(|(_, host)| host.has(Role::ControlPlane));
    let (name, only) = control_planes.next().filter(|_| control_planes.next().is_none())?;
    if matches!(host, EndpointHost::Name(endpoint) if endpoint != name.as_str()) {
        return None;
    }
    let addresses = addresses(only).collect();
    Some(Way {
        by: name.to_string(),
        addresses: Some(addresses),
        ports: vec![spec.kubernetes.api_port.get()],
    })
}

fn addresses(host: &Host) -> impl Iterator<Item = IpAddr> + '_ {
    host.addresses.iter().chain(&host.api_address).copied()
}

/// Where an entry leads to API servers; none where it leads nobody but its own host there.
fn way(spec: &Spec, entry: &Entry<'_>) -> Option<Way> {
    let by = entry.path.to_string();
    let way = |addresses, ports| Some(Way { by, addresses, ports });
    match entry.of.kind {
        BalancerKind::External => {
            let addresses = Some(entry.of.addresses.clone()).filter(|all| !all.is_empty());
            way(addresses, entry.of.port.iter().map(|port| port.get()).collect())
        }
        BalancerKind::Keepalived | BalancerKind::KubeVip => {
            way(Some(entry.of.vips.clone()), spec.ports_behind(entry.of))
        }
        BalancerKind::Nginx | BalancerKind::Haproxy => {
            let ports = vec![entry.of.port_of(spec)];
            let outside = || entry.hosts(spec).flat_map(|(_, host)| addresses(host)).collect();
            match (entry.of.listens(), entry.is_on_every_node(spec)) {
                (Listen::Loopback, false) => None,
                (Listen::Loopback, true) => way(Some(spec.loopback()), ports),
                (Listen::All, true) => way(Some([spec.loopback(), outside()].concat()), ports),
                (Listen::All, false) | (Listen::Host, _) => way(Some(outside()), ports),
            }
        }
    }
}

impl Entry<'_> {
    fn is_on_every_node(&self, spec: &Spec) -> bool {
        let place = self.of.on == Some(BalancerPlace::Node);
        place || spec.hosts.values().filter(|host| host.is_node()).all(|host| self.of.is_on(host))
    }
}
