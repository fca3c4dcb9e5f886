//! Entries of `/etc/hosts` that say otherwise what the cluster's own names are.

use super::{Holes, Problem, Spec};
use crate::spec::layers::layers;
use crate::spec::scalars::{Endpoint, EndpointHost, HostName};
use crate::spec::types::Host;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// A name of the cluster at an address of its family that is not its own: whoever resolves it would get both.
pub(super) fn entries(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let parts = layers(spec).filter_map(|layer| Some((layer.path, layer.prep.hosts.as_ref()?)));
    let mut own = None;
    for (path, part) in parts {
        for (address, names) in &part.entries {
            let list = path.key("hostPrep").key("hosts").key("entries").key(address.to_string());
            if let Some(flaw) = nowhere(address.get()).filter(|_| !holes.touch(&list)) {
                let message = format!("{list}: {address} is {flaw}");
                problems.push(Problem::error(list, message).hint("write the address of a machine"));
                continue;
            }
            for (index, name) in names.iter().enumerate() {
                let at = holes.item(&list, index);
                let name: &str = name.as_ref();
                if name == "localhost" || name.ends_with(".localhost") {
                    let message = format!("{at}: {name} is this machine's own (RFC 6761)");
                    problems.push(Problem::error(at, message).hint("remove it; the system has it already"));
                    continue;
                }
                let own = own.get_or_insert_with(|| cluster(spec));
                let Some(addresses) = own.get(name) else { continue };
                let mut like = addresses.iter().filter(|own| own.is_ipv6() == address.get().is_ipv6());
                let Some(first) = like.next().filter(|_| !addresses.contains(&address.get())) else {
                    continue;
                };
                let message = format!("{at}: {name} is {first} in this cluster, not {address}");
                problems.push(
                    Problem::error(at, message)
                        .hint("remove it, or take another name: programs would find both addresses"),
                );
            }
        }
    }
}

/// Why no name is at an address; `hosts(5)` has them on loopback, and links' own addresses.
fn nowhere(address: IpAddr) -> Option<&'static str> {
    match address {
        _ if address.is_unspecified() => Some("the unspecified address"),
        _ if address.is_multicast() => Some("a multicast address"),
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some("the broadcast address"),
        _ => None,
    }
}

/// All names of the cluster, and every address that each may have.
fn cluster(spec: &Spec) -> BTreeMap<&str, Vec<IpAddr>> {
    let mut names: BTreeMap<&str, Vec<IpAddr>> = BTreeMap::new();
    let mut add = |name, addresses: &mut dyn Iterator<Item = IpAddr>| {
        names.entry(name).or_default().extend(addresses);
    };
    let own = |host: &Host| {
        let single = [host.api_address, host.etcd_address].into_iter().flatten();
        host.addresses.iter().chain(&host.node_ips).copied().chain(single).collect::<Vec<_>>()
    };
    for (name, host) in &spec.hosts {
        for name in [Some(name), host.etcd_name.as_ref()].into_iter().flatten() {
            add(HostName::as_str(name), &mut own(host).into_iter());
        }
    }
    if let Some(EndpointHost::Name(name)) = spec.kubernetes.endpoint.as_ref().map(Endpoint::host) {
        add(name, &mut spec.front().addresses.into_iter());
    }
    names
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use crate::spec;

    const CLUSTER: &str = include_str!("../../plan/tests/cluster.yaml");

    /// Path and message of each problem that entries in all layers make.
    fn problems(edits: &[(&str, &str)]) -> Vec<String> {
        let mut text = CLUSTER.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let loaded = spec::load(&text);
        let text = |problem: &spec::Problem| format!("{} {}", problem.severity.name(), problem.message);
        loaded.problems.iter().map(text).collect()
    }

    #[test]
    fn names_of_the_cluster_at_other_addresses() {
        let all = "pki: {}\nhostPrep: {hosts: {entries: {192.0.2.9: [cp2, w1, other], \"fd00::2\": [cp2], 192.0.2.1: [cp1], 127.0.0.1: [localhost, a.localhost]}}}\nroles: {worker: {hostPrep: {hosts: {entries: {192.0.2.8: [w1]}}}}}";
        let own = "    addresses: [192.0.2.8]\n    hostPrep: {hosts: {entries: {192.0.2.50: [api.prod.example]}}}\n";
        let edits = [("pki: {}", all), ("    addresses: [192.0.2.8]\n", own)];
        let mine = "this machine's own (RFC 6761)";
        let found = [
            format!("error hostPrep.hosts.entries.\"127.0.0.1\"[0]: localhost is {mine}"),
            format!("error hostPrep.hosts.entries.\"127.0.0.1\"[1]: a.localhost is {mine}"),
            "error hostPrep.hosts.entries.\"192.0.2.9\"[0]: cp2 is 192.0.2.7 in this cluster, not 192.0.2.9".into(),
            "error roles.worker.hostPrep.hosts.entries.\"192.0.2.8\"[0]: w1 is 192.0.2.9 in this cluster, not 192.0.2.8".into(),
        ];
        let sorted = |mut all: Vec<String>| {
            all.sort();
            all
        };
        // where nobody says what the endpoint is, an entry may
        assert_eq!(sorted(problems(&edits)), found);
        let known = ("{kind: external}", "{kind: external, addresses: [203.0.113.1]}");
        let api = "error hosts.cp3.hostPrep.hosts.entries.\"192.0.2.50\"[0]: api.prod.example is 203.0.113.1 in this cluster, not 192.0.2.50";
        let with_api = sorted(found.iter().cloned().chain([api.to_owned()]).collect());
        assert_eq!(sorted(problems(&[edits[0], edits[1], known])), with_api);
    }

    #[test]
    fn addresses_of_no_machine() {
        let all = "pki: {}\nhostPrep: {hosts: {entries: {0.0.0.0: [a], 224.0.0.1: [b], 255.255.255.255: [c], \"ff02::1\": [d], 127.0.1.1: [e]}}}";
        let mut found = problems(&[("pki: {}", all)]);
        found.sort();
        let said = |address: &str, what: &str| {
            format!("error hostPrep.hosts.entries.\"{address}\": {address} is {what}")
        };
        assert_eq!(
            found,
            [
                said("0.0.0.0", "the unspecified address"),
                said("224.0.0.1", "a multicast address"),
                said("255.255.255.255", "the broadcast address"),
                said("ff02::1", "a multicast address"),
            ]
        );
    }

    #[test]
    fn one_spelling_of_each_address() {
        let all = "pki: {}\nhostPrep: {hosts: {entries: {\"fd00:0::2\": [other]}}}";
        let found = problems(&[("pki: {}", all)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("fd00:0::2"), "{found:?}");
    }
}
