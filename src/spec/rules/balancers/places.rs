//! On which hosts balancers are.

use super::{Entry, Holes, Path, Problem, Spec, doubtful, entries, hosts_left_out, list, listed, wrong};
use crate::spec::types::{BalancerKind, BalancerPlace, Listen, Provisioner, Role};
use std::collections::BTreeMap;

/// Where a kind can be.
pub(in crate::spec::rules) fn place(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in entries(spec, holes) {
        let Some(place) = entry.of.on else { continue };
        let at = entry.path.key("on");
        match (entry.of.kind, place) {
            (BalancerKind::KubeVip, BalancerPlace::ControlPlane) | (BalancerKind::External, _) => continue,
            (BalancerKind::KubeVip, _) => {
                let what = format!("kube-vip is on control planes, and `{}` is none", place.name());
                problems.push(wrong(at, what).hint("remove it, or write `on: control-plane`"));
                continue;
            }
            (BalancerKind::Keepalived, BalancerPlace::Node) => {
                let what = "a virtual address goes where an API server or a proxy listens, not to every node";
                let hint = "write `on: control-plane` or `on: load-balancer`";
                problems.push(wrong(at, what).hint(hint));
                continue;
            }
            _ => {}
        }
        if hosts_left_out(holes) {
            continue;
        }
        if place == BalancerPlace::LoadBalancer && entry.hosts(spec).next().is_none() {
            let hint = "write `roles: [load-balancer]` at one or more hosts";
            problems.push(wrong(at, "no host has the role `load-balancer`").hint(hint));
        } else if place == BalancerPlace::LoadBalancer
            && entry.of.kind.is_proxy()
            && entry.of.listens() == Listen::Loopback
            && !entry.hosts(spec).any(|(_, host)| host.is_node())
        {
            let what = "nothing on hosts of load balancers alone speaks to a proxy on loopback";
            let hint = "write `listen: all`, or `on: node`";
            problems.push(wrong(entry.path.key("listen"), what).hint(hint));
        }
    }
}

/// A host has one balancer of each kind: each has one configuration.
pub(in crate::spec::rules) fn once(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let entries = entries(spec, holes);
    let mut first: BTreeMap<(&str, BalancerKind), &Entry<'_>> = BTreeMap::new();
    for entry in &entries {
        let mut doubled: Option<(&str, &Entry<'_>)> = None;
        for (name, _) in entry.hosts(spec) {
            match first.get(&(name, entry.of.kind)) {
                Some(other) => doubled = doubled.or(Some((name, other))),
                None => {
                    first.insert((name, entry.of.kind), entry);
                }
            }
        }
        if let Some((name, other)) = doubled {
            let what = format!("{name} has {} of {} already", entry.kind(), other.path);
            problems.push(
                wrong(entry.path.clone(), what)
                    .hint("write one entry of each kind for a host, or use both proxies"),
            );
        }
    }
}

/// Behind a virtual address something must listen.
pub(in crate::spec::rules) fn behind(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if hosts_left_out(holes) || holes.touch(&list()) {
        return;
    }
    let entries = entries(spec, holes);
    for entry in entries.iter().filter(|entry| entry.of.kind == BalancerKind::Keepalived) {
        let proxied = |host| {
            let all = |other: &&Entry<'_>| other.of.kind.is_proxy() && other.of.listens() == Listen::All;
            entries.iter().filter(all).any(|other| other.of.is_on(host))
        };
        let bare: Vec<_> = entry
            .hosts(spec)
            .filter(|(_, host)| !host.has(Role::ControlPlane) && !proxied(host))
            .map(|(name, _)| name.to_owned())
            .collect();
        if !bare.is_empty() && entry.of.on != Some(BalancerPlace::Node) {
            let what = format!("nothing listens on the virtual addresses at {}", listed(&bare));
            let hint = "write a second entry, `kind: haproxy` or `kind: nginx`, for these hosts";
            problems.push(wrong(entry.path.key("on"), what).hint(hint));
        }
    }
}

/// One host that everything hangs on.
pub(in crate::spec::rules) fn alone(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if hosts_left_out(holes) {
        return;
    }
    let entries = entries(spec, holes);
    // with a second way to it, one host is no single point
    let outside = entries.iter().any(|entry| entry.of.kind == BalancerKind::External);
    let virtuals: Vec<_> = entries.iter().filter(|entry| entry.of.kind == BalancerKind::Keepalived).collect();
    for entry in &entries {
        let hosts: Vec<_> = entry.hosts(spec).map(|(name, _)| name.to_owned()).collect();
        let [only] = hosts.as_slice() else { continue };
        let told = match (entry.of.kind, entry.of.on) {
            (BalancerKind::Keepalived, _) => {
                Some(format!("keepalived is on {only} alone, and nobody takes the addresses over"))
            }
            (kind, Some(BalancerPlace::LoadBalancer))
                if kind.is_proxy() && !outside && virtuals.is_empty() =>
            {
                Some(format!("{only} is the only load balancer: when it is gone, the API servers are"))
            }
            _ => None,
        };
        if let Some(what) = told {
            let role = entry.of.on.map_or("load-balancer", BalancerPlace::name);
            let hint = format!("give another host the role `{role}`");
            problems.push(doubtful(entry.path.key("on"), what).hint(hint));
        }
    }
}

/// Balancers without a control plane, and hosts for balancers without any.
pub(in crate::spec::rules) fn idle(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if holes.touch(&Path::root().key("kubernetes").key("provisioner")) || holes.touch(&list()) {
        return;
    }
    let none = spec.kubernetes.provisioner == Provisioner::None;
    if none && !spec.load_balancers.is_empty() {
        let message = format!("{} means nothing to a cluster without a control plane", list());
        problems.push(Problem::warning(list(), message).hint("remove it, or choose a provisioner"));
    }
    for (path, name, host) in super::super::hosts(spec).filter(|(_, _, host)| host.has(Role::LoadBalancer)) {
        let roles = path.key("roles");
        if !holes.touch(&roles) && (none || !spec.load_balancers.iter().any(|entry| entry.is_on(host))) {
            let index = host.roles.iter().position(|role| *role == Role::LoadBalancer).unwrap_or_default();
            let message = format!("{name} is a load balancer, and no balancer is on it");
            let hint = "write an entry with `on: load-balancer` under `loadBalancers`, or remove the role";
            problems.push(Problem::warning(holes.item(&roles, index), message).hint(hint));
        }
    }
}

/// Labels and taints of hosts that are load balancers alone.
pub(in crate::spec::rules) fn nodes(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if hosts_left_out(holes) {
        return;
    }
    let role = Role::LoadBalancer;
    let of_role: Vec<_> = spec.hosts.values().filter(|host| host.has(role)).collect();
    let no_node = !of_role.is_empty() && !of_role.iter().any(|host| host.is_node());
    let path = Path::root().key("roles").key(role.name());
    let layer = spec.roles.get(&role).filter(|_| no_node);
    let layers = layer.map(|of| (path, !of.labels.is_empty(), of.taints.is_some()));
    let alone = super::super::hosts(spec).filter(|(_, _, host)| host.roles == [role]);
    let hosts = alone.map(|(path, _, of)| (path, !of.labels.is_empty(), of.taints.is_some()));
    for (path, labels, taints) in layers.into_iter().chain(hosts) {
        for (key, _) in [("labels", labels), ("taints", taints)].into_iter().filter(|(_, written)| *written) {
            let at = path.key(key);
            let message = format!("{at} means nothing: no node is there");
            problems.push(Problem::warning(at, message).hint("remove it"));
        }
    }
}
