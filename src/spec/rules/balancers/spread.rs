//! How proxies spread connections.

use super::{Holes, Problem, Spec, doubtful, entries, hosts_left_out, wrong};
use crate::spec::types::{Balance, BalancerPlace, Listen, Role};

/// Shares are those of control planes.
pub(in crate::spec::rules) fn weights(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if hosts_left_out(holes) {
        return;
    }
    for entry in entries(spec, holes).iter().filter(|entry| entry.of.kind.is_proxy()) {
        for name in entry.of.weights.keys() {
            if !spec.hosts.get(name).is_some_and(|host| host.has(Role::ControlPlane)) {
                let at = entry.path.key("weights").key(name.as_str());
                let hint = "name hosts with the role `control-plane`";
                problems.push(wrong(at, format!("{name} is no control plane")).hint(hint));
            }
        }
    }
}

/// Whoever speaks to a proxy on loopback has one address: its hash is one API server.
pub(in crate::spec::rules) fn loopback(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in entries(spec, holes).iter().filter(|entry| entry.of.kind.is_proxy()) {
        let listens = entry.of.listens();
        let own = entry.of.on == Some(BalancerPlace::Node) && listens == Listen::All;
        let at_home = own && spec.front().addresses.iter().any(std::net::IpAddr::is_loopback);
        if entry.of.balance != Some(Balance::SourceAddress) || (listens != Listen::Loopback && !at_home) {
            continue;
        }
        let what = "each host has one address on loopback, so its proxy sends all its connections to one API \
                    server";
        let hint = "write `least-connections` or `round-robin`";
        problems.push(doubtful(entry.path.key("balance"), what).hint(hint));
    }
}
