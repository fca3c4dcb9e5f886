//! Where clients find the API servers.

use super::scalars::{Endpoint, EndpointHost};
use super::types::{BalancerKind, BalancerPlace, Host, Listen, LoadBalancer, Role, Spec};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clients find the API servers: what leads there, and under which names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// Where the endpoint leads, in the order of the spec: the endpoint itself where it is an address, else
    /// virtual addresses; those of somebody else's balancer; loopback where every node has a proxy there; the
    /// hosts that have a proxy; the only control plane. Empty where nobody in the spec knows.
    pub addresses: Vec<IpAddr>,
    /// The names that lead there, the endpoint's among them.
    pub names: BTreeSet<String>,
    /// The TCP port of the endpoint, and the API servers' own where there is no endpoint.
    pub port: u32,
    /// The addresses that certificates of API servers need beside their own: the endpoint's, every virtual
    /// one, those of somebody else's balancer, and both loopback addresses where the endpoint is one.
    pub certified: Vec<IpAddr>,
}

impl Spec {
    /// Where clients find the API servers.
    pub fn front(&self) -> Front {
        let endpoint = self.kubernetes.endpoint.as_ref();
        let external = || self.load_balancers.iter().filter(|entry| entry.kind == BalancerKind::External);
        let vips: Vec<IpAddr> = self.vips().collect();
        let elsewhere: Vec<IpAddr> = external().flat_map(|entry| entry.addresses.iter().copied()).collect();
        let mut names: BTreeSet<String> =
            external().flat_map(|entry| &entry.names).map(ToString::to_string).collect();
        let mut certified = Vec::new();
        let addresses = match endpoint.map(Endpoint::host) {
            Some(EndpointHost::Address(address)) => {
                certified.push(*address);
                if address.is_loopback() {
                    certified.extend(self.loopback());
                }
                vec![*address]
            }
            Some(EndpointHost::Name(name)) => {
                names.insert(name.clone());
                self.leads_to()
            }
            None => self.leads_to(),
        };
        certified.extend(vips.into_iter().chain(elsewhere));
        Front {
            addresses: distinct(addresses),
            names,
            port: self.front_port(),
            certified: distinct(certified),
        }
    }

    fn front_port(&self) -> u32 {
        let of = &self.kubernetes;
        of.endpoint.as_ref().map_or(of.api_port.get(), |endpoint| u32::from(endpoint.port()))
    }

    /// The virtual addresses of all balancers.
    pub fn vips(&self) -> impl Iterator<Item = IpAddr> {
        self.load_balancers
            .iter()
            .filter(|entry| entry.kind.has_vips())
            .flat_map(|entry| &entry.vips)
            .copied()
    }

    /// The loopback addresses that proxies listen on: IPv6's where services have it.
    pub fn loopback(&self) -> Vec<IpAddr> {
        let ipv6 = self.kubernetes.service_subnets().iter().any(|subnet| subnet.is_ipv6());
        let v6 = ipv6.then_some(IpAddr::V6(Ipv6Addr::LOCALHOST));
        [IpAddr::V4(Ipv4Addr::LOCALHOST)].into_iter().chain(v6).collect()
    }

    /// Whether every node reaches a proxy of its own on loopback.
    pub fn has_proxy_at_home(&self) -> bool {
        self.load_balancers.iter().filter(|entry| entry.kind.is_proxy()).any(|entry| {
            let every = || self.hosts.values().filter(|host| host.is_node()).all(|host| entry.is_on(host));
            match entry.listens() {
                Listen::Loopback => every(),
                Listen::All => entry.on == Some(BalancerPlace::Node),
                Listen::Host => false,
            }
        })
    }

    /// The ports at the virtual addresses of an entry: of the proxies on its hosts, and of API servers where
    /// there is none.
    pub fn ports_behind(&self, entry: &LoadBalancer) -> Vec<u32> {
        let hosts = || self.hosts.values().filter(|host| entry.is_on(host));
        let all = |other: &&LoadBalancer| other.kind.is_proxy() && other.listens() == Listen::All;
        let here = |other: &&LoadBalancer| hosts().any(|host| other.is_on(host));
        let proxies = self.load_balancers.iter().filter(all).filter(here);
        let proxies: Vec<u32> = proxies.map(|other| other.port_of(self)).collect();
        let api = hosts().any(|host| host.has(Role::ControlPlane));
        if proxies.is_empty() && api { vec![self.kubernetes.api_port.get()] } else { proxies }
    }

    /// Where a name leads: to what serves the endpoint's port.
    fn leads_to(&self) -> Vec<IpAddr> {
        let port = self.front_port();
        let of_kind =
            |wanted: fn(&LoadBalancer) -> bool| self.load_balancers.iter().filter(move |it| wanted(it));
        let vips =
            of_kind(|entry| entry.kind.has_vips()).filter(|entry| self.ports_behind(entry).contains(&port));
        let vips: Vec<IpAddr> = vips.flat_map(|entry| entry.vips.iter().copied()).collect();
        if !vips.is_empty() {
            return vips;
        }
        let external = of_kind(|entry| entry.kind == BalancerKind::External);
        let external = external.filter(|entry| entry.port.is_none_or(|own| own.get() == port));
        let external: Vec<IpAddr> = external.flat_map(|entry| entry.addresses.iter().copied()).collect();
        if !external.is_empty() {
            return external;
        }
        if self.has_proxy_at_home() {
            return self.loopback();
        }
        let serves = |entry: &&LoadBalancer| entry.listens_outside() && entry.port_of(self) == port;
        let proxies = || self.load_balancers.iter().filter(serves);
        // no list of any host may grow with the fleet
        let named = |host: &&Host| host.has(Role::LoadBalancer) || host.has(Role::ControlPlane);
        let behind =
            self.hosts.values().filter(named).filter(|host| proxies().any(|entry| entry.is_on(host)));
        let addresses: Vec<IpAddr> = behind.flat_map(|host| host.addresses.iter().copied()).collect();
        if !addresses.is_empty() || !self.load_balancers.is_empty() {
            return addresses;
        }
        let mut control_planes = self.hosts.values().filter(|host| host.has(Role::ControlPlane));
        match (control_planes.next(), control_planes.next()) {
            (Some(only), None) => only.advertise_address().into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

impl LoadBalancer {
    /// Where a proxy listens: loopback on every node, all addresses elsewhere, unless the spec says otherwise.
    pub fn listens(&self) -> Listen {
        let on_nodes = self.on == Some(BalancerPlace::Node);
        self.listen.unwrap_or(if on_nodes { Listen::Loopback } else { Listen::All })
    }

    /// The port that a proxy listens on: the endpoint's, unless the spec says otherwise.
    pub fn port_of(&self, spec: &Spec) -> u32 {
        self.port.as_ref().map_or_else(|| spec.front_port(), |port| port.get())
    }

    /// Whether it is a proxy that other machines reach.
    pub fn listens_outside(&self) -> bool {
        self.kind.is_proxy() && self.listens() != Listen::Loopback
    }
}

fn distinct(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut seen = BTreeSet::new();
    addresses.into_iter().filter(|address| seen.insert(*address)).collect()
}

#[cfg(test)]
mod tests {
    use super::Front;
    use crate::spec;

    /// Three stacked control planes and a worker.
    const STACKED: &str = include_str!("../plan/tests/cluster.yaml");

    /// What `front` says: addresses, names, port, what certificates need.
    fn of(edits: &[(&str, &str)]) -> String {
        let mut text = STACKED.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        // what a rule says of it is another test's matter
        let Front { addresses, names, port, certified } = spec::load(&text).spec.front();
        format!("{addresses:?} {names:?} {port} {certified:?}")
    }

    const LIST: &str = "loadBalancers: [{kind: external}]\n";

    fn with(balancers: &str) -> String {
        of(&[(LIST, &format!("loadBalancers:\n{balancers}\n"))])
    }

    fn at_8443(balancers: &str) -> String {
        of(&[(LIST, &format!("loadBalancers:\n{balancers}\n")), ("prod.example:6443", "prod.example:8443")])
    }

    #[test]
    fn virtual_addresses_come_first() {
        let vips = "  - {kind: haproxy, on: control-plane, port: 8443}
  - {kind: external, names: [api.example], addresses: [203.0.113.1]}
  - {kind: keepalived, on: control-plane, vips: [192.0.2.100, \"fd00::100\"], interface: eth0, virtualRouterId: 51}";
        assert_eq!(
            at_8443(vips),
            "[192.0.2.100, fd00::100] {\"api.example\", \"api.prod.example\"} 8443 \
             [192.0.2.100, fd00::100, 203.0.113.1]"
        );
        // where they do not serve the endpoint's port, a name does not lead there
        assert_eq!(
            with(vips),
            "[203.0.113.1] {\"api.example\", \"api.prod.example\"} 6443 [192.0.2.100, fd00::100, 203.0.113.1]"
        );
        let beside = "  - {kind: keepalived, on: control-plane, vips: [192.0.2.100], interface: eth0, virtualRouterId: 51}
  - {kind: external, addresses: [203.0.113.1], port: 443}
  - {kind: nginx, on: node, port: 8443}";
        assert_eq!(at_8443(beside), "[127.0.0.1] {\"api.prod.example\"} 8443 [192.0.2.100, 203.0.113.1]");
        assert_eq!(with(beside), "[192.0.2.100] {\"api.prod.example\"} 6443 [192.0.2.100, 203.0.113.1]");
    }

    #[test]
    fn then_somebody_elses() {
        assert_eq!(
            with("  - {kind: external, names: [lb.example], addresses: [203.0.113.1, 203.0.113.2]}"),
            "[203.0.113.1, 203.0.113.2] {\"api.prod.example\", \"lb.example\"} 6443 [203.0.113.1, 203.0.113.2]"
        );
        assert_eq!(with("  - {kind: external}"), "[] {\"api.prod.example\"} 6443 []");
    }

    #[test]
    fn a_proxy_on_every_node() {
        let proxy = "  - {kind: nginx, on: node, port: 8443}";
        assert_eq!(at_8443(proxy), "[127.0.0.1] {\"api.prod.example\"} 8443 []");
        let both = ("[10.96.0.0/12]", "[10.96.0.0/12, \"fd00:96::/112\"]");
        let list = format!("loadBalancers:\n{proxy}\n");
        let port = ("prod.example:6443", "prod.example:8443");
        assert_eq!(of(&[both, port, (LIST, &list)]), "[127.0.0.1, ::1] {\"api.prod.example\"} 8443 []");
        let address = ("endpoint: api.prod.example:6443", "endpoint: 127.0.0.1:8443");
        assert_eq!(of(&[both, address, (LIST, &list)]), "[127.0.0.1] {} 8443 [127.0.0.1, ::1]");
        // no worker is named
        let outside = "  - {kind: nginx, on: node, listen: host, port: 8443}";
        assert_eq!(
            at_8443(outside),
            "[192.0.2.1, 192.0.2.6, 192.0.2.7, 192.0.2.8] {\"api.prod.example\"} 8443 []"
        );
    }

    #[test]
    fn hosts_of_their_own() {
        let hosts = "hosts:
  lb1:
    addresses: [192.0.2.20]
    roles: [load-balancer]
    recipients: [age1303a6ml9r3y08xzsf8npet9u9gxn76jkamlr9qlv4mpgrkgvcuxqx8a7vm]
  cp1:";
        assert_eq!(
            of(&[(LIST, "loadBalancers: [{kind: haproxy, on: load-balancer}]\n"), ("hosts:\n  cp1:", hosts)]),
            "[192.0.2.20] {\"api.prod.example\"} 6443 []"
        );
    }

    /// Without a balancer, the only control plane, and of several none.
    #[test]
    fn no_balancer() {
        let none = (LIST, "");
        assert_eq!(of(&[none]), "[] {\"api.prod.example\"} 6443 []");
        let first = "    apiAddress: 192.0.2.6
    roles: [control-plane, etcd]";
        let only = "    apiAddress: 192.0.2.6
    roles: [control-plane]";
        let edits = [none, (first, only), ("roles: [control-plane, etcd]", "roles: [worker]")];
        assert_eq!(of(&edits), "[192.0.2.6] {\"api.prod.example\"} 6443 []");
        let address = [none, ("api.prod.example:6443", "192.0.2.50:443")];
        assert_eq!(of(&address), "[192.0.2.50] {} 443 [192.0.2.50]");
    }
}
