//! Nodes: their taints and addresses, and the mirrors that their container runtimes ask.

use super::{Holes, Path, Problem, Spec};
use crate::spec::scalars::{ProxyUrl, Subnet};
use crate::spec::types::{Role, Taint};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The lists of taints with their paths.
fn taints(spec: &Spec) -> impl Iterator<Item = (Path, bool, &Vec<Taint>)> {
    let roles = Path::root().key("roles");
    let of_roles = spec.roles.iter().filter_map(move |(role, of)| {
        let path = roles.key(role.name()).key("taints");
        of.taints.as_ref().map(|taints| (path, *role == Role::ControlPlane, taints))
    });
    let of_hosts = super::hosts(spec).filter_map(|(path, _, host)| {
        let control_plane = host.has(Role::ControlPlane);
        host.taints.as_ref().map(|taints| (path.key("taints"), control_plane, taints))
    });
    of_roles.chain(of_hosts)
}

/// The kubelet refuses two taints of one key and effect (`validateTaints`).
pub(super) fn taints_once(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for (list, _, all) in taints(spec) {
        for (index, taint) in all.iter().enumerate() {
            let same = |other: &Taint| other.key == taint.key && other.effect == taint.effect;
            let at = holes.item(&list, index);
            if all.iter().take(index).any(same) && !holes.touch(&at) {
                let message = format!("{at}: a second taint {} with {}", taint.key, taint.effect.name());
                problems.push(Problem::error(at, message).hint("remove one of the two"));
            }
        }
    }
}

/// Taints that are written are not those that `untaintControlPlanes` takes away.
pub(super) fn untainted(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let at = Path::root().key("kubernetes").key("untaintControlPlanes");
    if !spec.kubernetes.untaint_control_planes || holes.touch(&at) {
        return;
    }
    for (path, _, _) in taints(spec).filter(|(_, control_plane, taints)| *control_plane && !taints.is_empty())
    {
        let message = format!("{path}: control planes register with these, although {at} is set");
        problems.push(
            Problem::warning(path, message).hint(format!("remove one of the two; `taints` wins over `{at}`")),
        );
    }
}

/// A node has one address of each family, and nobody else has it.
pub(super) fn node_ips(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let mut owners: BTreeMap<IpAddr, (&str, Path)> = BTreeMap::new();
    for (path, name, host) in super::hosts(spec) {
        let list = path.key("nodeIPs");
        for (index, address) in host.node_ips.iter().enumerate() {
            let at = holes.item(&list, index);
            if let Some((_, first)) = owners.get(address).filter(|(owner, _)| *owner != name) {
                let message = format!("{at}: {address} is an address of another node, {first}");
                problems.push(Problem::error(at, message).hint("give each node its own addresses"));
                continue;
            }
            let earlier = host.node_ips.iter().take(index).any(|other| other.is_ipv4() == address.is_ipv4());
            if earlier {
                let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
                let message = format!("{at}: {address} is a second {family} address, and a node has one");
                problems.push(Problem::error(at.clone(), message).hint("write one address of each family"));
            }
            owners.insert(*address, (name, at));
        }
    }
}

/// API servers speak to kubelets by their addresses: none of these may lie behind the proxy. Control planes
/// and etcd members are left alone already (`plan::proxy`).
pub(super) fn beyond_proxy(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let Some(proxy) = &spec.kubernetes.proxy else { return };
    let at = Path::root().key("kubernetes").key("proxy");
    if proxy.https.is_none() || holes.touch(&at.key("noProxy")) {
        return;
    }
    let direct = |address: &IpAddr| {
        proxy.no_proxy.iter().any(|text| {
            let text: &str = text.as_ref();
            let network = || text.parse::<Subnet>().is_ok_and(|subnet| subnet.contains(*address));
            text == "*" || text.parse() == Ok(*address) || network()
        })
    };
    // the address of the services' first family is the one that API servers take
    let services = spec.kubernetes.service_subnets();
    let taken =
        |address: &&IpAddr| services.first().is_none_or(|subnet| subnet.is_ipv6() == address.is_ipv6());
    let workers = super::hosts(spec).filter(|(_, _, host)| host.has(Role::Worker));
    let beyond: Vec<_> = workers
        .filter_map(|(_, name, host)| {
            let addresses = if host.node_ips.is_empty() { &host.addresses } else { &host.node_ips };
            addresses.iter().find(taken).filter(|address| !direct(address)).map(|address| (name, address))
        })
        .collect();
    if let Some((name, address)) = beyond.first() {
        let more = beyond.len().saturating_sub(1);
        let others = if more == 0 { String::new() } else { format!(", and those of {more} more workers") };
        let message =
            format!("API servers reach the kubelet of {name}, {address}, through the proxy{others}");
        problems.push(
            Problem::warning(at, message)
                .hint("write the networks of your nodes into `noProxy`: [10.0.0.0/24]"),
        );
    }
}

/// Registries have mirrors, each once: containerd reads no file that names one twice.
pub(super) fn mirrors(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let path = Path::root().key("containerRuntime").key("registryMirrors");
    for (registry, mirrors) in &spec.container_runtime.registry_mirrors {
        let list = path.key(registry.as_str());
        if mirrors.is_empty() && !holes.touch(&list) {
            let message = format!("{list}: there is no mirror of {registry}");
            problems.push(Problem::warning(list.clone(), message).hint("write one, or remove the registry"));
        }
        let parts = |url: &ProxyUrl| {
            (url.scheme().to_owned(), url.authority().to_owned(), url.repository().to_owned())
        };
        for (index, mirror) in mirrors.iter().enumerate() {
            if mirrors.iter().take(index).any(|other| parts(other) == parts(mirror)) {
                let at = holes.item(&list, index);
                let message = format!("{at}: {mirror} is a mirror of {registry} already");
                problems.push(Problem::error(at, message).hint("remove one of the two"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{cluster, cluster_rendered};

    fn end(text: &str) -> String {
        cluster(&[("pki: {}", &format!("pki: {{}}\n{text}"))])
    }

    #[test]
    fn a_taint_twice() {
        let taints = "{key: a, effect: NoExecute}, {key: a, effect: NoSchedule}, {key: a, value: b, effect: NoSchedule}";
        assert_eq!(
            end(&format!("roles: {{worker: {{taints: [{taints}]}}}}")),
            "error roles.worker.taints[2] | roles.worker.taints[2]: a second taint a with NoSchedule\n"
        );
    }

    #[test]
    fn taints_and_no_taint() {
        let edits = [
            ("  endpoint:", "  untaintControlPlanes: true\n  endpoint:"),
            ("pki: {}", "pki: {}\nroles: {worker: {taints: [{key: a, effect: NoExecute}]}}"),
        ];
        assert_eq!(cluster(&edits), "");
        let edits = [
            edits[0],
            (
                "    addresses: [192.0.2.7]",
                "    taints: [{key: a, effect: NoExecute}]\n    addresses: [192.0.2.7]",
            ),
        ];
        assert_eq!(
            cluster(&edits),
            "warning hosts.cp2.taints | hosts.cp2.taints: control planes register with these, although kubernetes.untaintControlPlanes is set\n"
        );
    }

    #[test]
    fn a_taint_as_kubectl_has_it() {
        let edits = [(
            "    addresses: [192.0.2.7]",
            "    taints: [\"gpu=on:NoSchedule\"]\n    addresses: [192.0.2.7]",
        )];
        let said = cluster_rendered(&edits);
        let hints: Vec<_> = said.lines().filter(|line| line.starts_with("hint")).collect();
        assert_eq!(hints, ["hint: write it as {key: …, effect: …}"]);
    }

    #[test]
    fn addresses_of_nodes() {
        let edits = [
            (
                "    addresses: [192.0.2.7]",
                "    nodeIPs: [192.0.2.7, \"fd00::7\", 192.0.2.17]\n    addresses: [192.0.2.7]",
            ),
            ("    addresses: [192.0.2.8]", "    nodeIPs: [\"fd00::7\"]\n    addresses: [192.0.2.8]"),
        ];
        assert_eq!(
            cluster(&edits),
            "error hosts.cp2.nodeIPs[2] | hosts.cp2.nodeIPs[2]: 192.0.2.17 is a second IPv4 address, and a node has one
error hosts.cp3.nodeIPs[0] | hosts.cp3.nodeIPs[0]: fd00::7 is an address of another node, hosts.cp2.nodeIPs[1]
"
        );
    }

    #[test]
    fn workers_behind_the_proxy() {
        let with = |none: &str| {
            let proxy =
                format!("  proxy: {{https: http://proxy.example:3128, noProxy: [{none}]}}\n  endpoint:");
            cluster(&[("  endpoint:", &proxy)])
        };
        let said =
            "warning kubernetes.proxy | API servers reach the kubelet of w1, 192.0.2.9, through the proxy\n";
        assert_eq!(with(".example, 198.51.100.0/24"), said);
        for none in ["192.0.2.0/24", "192.0.2.9", "\"*\""] {
            assert_eq!(with(none), "", "{none}");
        }
    }

    #[test]
    fn mirrors_once() {
        let of = |mirrors: &str| end(&format!("containerRuntime: {{registryMirrors: {{{mirrors}}}}}"));
        assert_eq!(of("docker.io: [https://a.example, http://a.example, https://a.example/hub]"), "");
        assert_eq!(
            of("docker.io: [https://a.example, https://a.example/v2/], quay.io: []"),
            "error containerRuntime.registryMirrors.\"docker.io\"[1] | containerRuntime.registryMirrors.\"docker.io\"[1]: https://a.example/v2/ is a mirror of docker.io already
warning containerRuntime.registryMirrors.\"quay.io\" | containerRuntime.registryMirrors.\"quay.io\": there is no mirror of quay.io
"
        );
    }
}
