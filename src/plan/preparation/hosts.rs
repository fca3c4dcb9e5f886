//! Names of the cluster in a block of `/etc/hosts`: control planes, etcd members, hosts with balancers, the
//! endpoint, the host itself, and what the spec adds. Never every worker: no file grows with the fleet, and
//! one more worker changes no other host's.

use super::Site;
use crate::plan::etcd::Members;
use crate::spec::scalars::{EndpointHost, HostName};
use crate::spec::types::{EtcdUrls, Host, Role, Spec};
use serde::Serialize;
use std::net::IpAddr;

/// Names of the cluster in a block of `/etc/hosts`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostsPlan {
    /// Each address once, with at least one name.
    pub lines: Vec<HostsLine>,
}

/// A line of `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostsLine {
    /// The address.
    pub address: IpAddr,
    /// Its names, each once; the first is what the address resolves to.
    pub names: Vec<String>,
}

/// What the files of all hosts have in common.
#[derive(Clone, Debug, Default)]
pub(in crate::plan) struct Names {
    /// Control planes, members and hosts with balancers, in byte order of their names.
    lines: Vec<HostsLine>,
    /// The endpoint's name, and where it leads.
    endpoint: Option<(String, Vec<IpAddr>)>,
}

impl Names {
    /// Those of a spec.
    pub(in crate::plan) fn of(spec: &Spec, members: &Members) -> Self {
        let mut lines = Vec::new();
        for (name, host) in spec.hosts.iter().filter(|(_, host)| is_named(host)) {
            of_host(&mut lines, name, host);
            let Some(member) = members.find(name.as_str()) else { continue };
            let own = host.etcd_name.as_ref().filter(|_| spec.etcd.urls == EtcdUrls::Address);
            for alias in member.dns_name.iter().cloned().chain(own.map(ToString::to_string)) {
                add(&mut lines, member.address, alias);
            }
        }
        let front = spec.front();
        let endpoint = spec.kubernetes.endpoint.as_ref().and_then(|endpoint| match endpoint.host() {
            EndpointHost::Name(name) => Some((name.clone(), front.addresses)),
            EndpointHost::Address(_) => None,
        });
        Self { lines, endpoint }
    }
}

/// Whether every host names it.
fn is_named(host: &Host) -> bool {
    [Role::ControlPlane, Role::Etcd, Role::LoadBalancer].into_iter().any(|role| host.has(role))
}

/// A host's name: one address of each family, its API server's before those of the node.
fn of_host(lines: &mut Vec<HostsLine>, name: &HostName, host: &Host) {
    let api = host.api_address.filter(|_| host.has(Role::ControlPlane));
    let main = host.addresses.first().filter(|_| host.has(Role::ControlPlane));
    let all = api.iter().chain(main).chain(&host.node_ips).chain(&host.addresses);
    for ipv6 in [false, true] {
        if let Some(address) = all.clone().find(|address| address.is_ipv6() == ipv6) {
            add(lines, *address, name.to_string());
        }
    }
}

fn add(lines: &mut Vec<HostsLine>, address: IpAddr, name: String) {
    match lines.iter_mut().find(|line| line.address == address) {
        Some(line) if line.names.contains(&name) => {}
        Some(line) => line.names.push(name),
        None => lines.push(HostsLine { address, names: vec![name] }),
    }
}

/// The block of a host.
pub(super) fn plan(site: &Site<'_>) -> Option<HostsPlan> {
    let part = site.settings.prep.hosts.as_ref().filter(|part| part.enabled != Some(false))?;
    let shared = &site.shared.names;
    let mut lines = shared.lines.clone();
    if let Some((name, addresses)) = &shared.endpoint {
        // a proxy that listens on loopback serves nodes, each its own
        let reached = |address: &&IpAddr| site.host.is_node() || !address.is_loopback();
        addresses.iter().filter(reached).for_each(|address| add(&mut lines, *address, name.clone()));
    }
    if !is_named(site.host) {
        of_host(&mut lines, site.name, site.host);
    }
    for (address, names) in &part.entries {
        names.iter().for_each(|name| add(&mut lines, address.get(), name.to_string()));
    }
    Some(HostsPlan { lines })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use crate::plan::{Facts, plan};
    use crate::spec;
    use std::collections::BTreeMap;

    const CLUSTER: &str = include_str!("../tests/cluster.yaml");

    /// The lines of each host, in an edited spec with `hostPrep.hosts`.
    fn lines(edits: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        let mut text = CLUSTER.replace("pki: {}", "pki: {}\nhostPrep: {hosts: {}}");
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let loaded = spec::load(&text);
        assert!(!loaded.has_errors(), "{:?}", loaded.problems);
        let (plan, _) = plan(&loaded.spec, &Facts::default());
        let of_host = |lines: &super::HostsPlan| {
            lines.lines.iter().map(|line| format!("{} {}", line.address, line.names.join(" "))).collect()
        };
        let hosts = plan.hosts.iter().filter_map(|(name, host)| {
            let lines = host.preparation.as_ref()?.hosts.as_ref()?;
            Some((name.to_string(), of_host(lines)))
        });
        hosts.collect()
    }

    const CONTROL_PLANES: [&str; 3] = ["192.0.2.6 cp1", "192.0.2.7 cp2", "192.0.2.8 cp3"];

    #[test]
    fn control_planes_and_the_host_itself_and_no_other_worker() {
        let all = lines(&[]);
        assert_eq!(all["cp1"], CONTROL_PLANES);
        let own = ["192.0.2.9 w1", "fd00::9 w1"];
        assert_eq!(all["w1"], [CONTROL_PLANES.as_slice(), &own].concat());
        let more = "  w2:
    addresses: [192.0.2.19]
    roles: [worker]
    recipients: [age1303a6ml9r3y08xzsf8npet9u9gxn76jkamlr9qlv4mpgrkgvcuxqx8a7vm]
  cp1:";
        let with_more = lines(&[("  cp1:", more)]);
        assert_eq!(all, with_more.into_iter().filter(|(name, _)| name != "w2").collect());
        assert_eq!(lines(&[("hosts: {}}", "hosts: {enabled: false}}")]), BTreeMap::new());
    }

    #[test]
    fn the_endpoint_where_it_leads() {
        let external =
            ("[{kind: external}]", "[{kind: external, names: [lb.example], addresses: [203.0.113.1]}]");
        let all = lines(&[external]);
        assert_eq!(all["cp1"], [CONTROL_PLANES.as_slice(), &["203.0.113.1 api.prod.example"]].concat());
        // on loopback, on nodes alone
        let proxy = ("[{kind: external}]", "[{kind: nginx, on: node, port: 8443}]");
        let subnets = ("[10.96.0.0/12]", "[10.96.0.0/12, \"fd00:96::/112\"]");
        let port = ("api.prod.example:6443", "api.prod.example:8443");
        let member = "hosts:
  e1:
    addresses: [192.0.2.20]
    roles: [load-balancer]
    recipients: [age1303a6ml9r3y08xzsf8npet9u9gxn76jkamlr9qlv4mpgrkgvcuxqx8a7vm]
  cp1:";
        let balanced = (
            "[{kind: external}]",
            "[{kind: nginx, on: node, port: 8443}, {kind: haproxy, on: load-balancer, port: 9443}]",
        );
        let loopback = ["127.0.0.1 api.prod.example", "::1 api.prod.example"];
        let both = ("addresses: [192.0.2.1, 192.0.2.6]", "addresses: [192.0.2.1, 192.0.2.6, \"fd00::6\"]");
        let seven = ("addresses: [192.0.2.7]", "addresses: [192.0.2.7, \"fd00::7\"]");
        let eight = ("addresses: [192.0.2.8]", "addresses: [192.0.2.8, \"fd00::8\"]");
        let of_both =
            ["192.0.2.6 cp1", "fd00::6 cp1", "192.0.2.7 cp2", "fd00::7 cp2", "192.0.2.8 cp3", "fd00::8 cp3"];
        let all = lines(&[proxy, subnets, port, both, seven, eight]);
        assert_eq!(all["cp2"], [of_both.as_slice(), &loopback].concat());
        let all = lines(&[balanced, port, ("hosts:\n  cp1:", member)]);
        let named = [CONTROL_PLANES.as_slice(), &["192.0.2.20 e1"]].concat();
        assert_eq!(all["e1"], named);
        assert_eq!(all["cp1"], [named.as_slice(), &["127.0.0.1 api.prod.example"]].concat());
    }

    #[test]
    fn members_by_the_names_of_their_urls() {
        let name = (
            "    apiAddress: 192.0.2.6\n",
            "    etcdName: etcd1.example\n    etcdAddress: 192.0.2.1\n    apiAddress: 192.0.2.6\n",
        );
        let urls = ("etcd: {run: static-pod}", "etcd: {run: systemd, version: 3.6.5, urls: name}");
        let all = lines(&[name, urls]);
        let expected = ["192.0.2.6 cp1", "192.0.2.1 etcd1.example", "192.0.2.7 cp2", "192.0.2.8 cp3"];
        assert_eq!(all["cp3"], expected);
    }

    #[test]
    fn entries_of_all_layers() {
        let all =
            "hosts: {entries: {192.0.2.50: [mirror.example, m], 192.0.2.7: [second], \"fd00::1\": [gone]}}}";
        let own = "    addresses: [192.0.2.8]\n    hostPrep: {hosts: {entries: {\"fd00::1\": [], 192.0.2.51: [mine]}}}\n";
        let all = lines(&[("hosts: {}}", all), ("    addresses: [192.0.2.8]\n", own)]);
        let shared =
            ["192.0.2.6 cp1", "192.0.2.7 cp2 second", "192.0.2.8 cp3", "192.0.2.50 mirror.example m"];
        assert_eq!(all["cp1"], [shared.as_slice(), &["fd00::1 gone"]].concat());
        assert_eq!(all["cp3"], [shared.as_slice(), &["192.0.2.51 mine"]].concat());
    }
}
