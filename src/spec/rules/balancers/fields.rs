//! Fields that a kind of balancer does not have.

use super::{Holes, Problem, Spec, entries};
use crate::spec::types::{BalancerKind, BalancerRun, LoadBalancer};
use BalancerKind::{External, Haproxy, Keepalived, KubeVip, Nginx};

/// A field, and which kinds have it.
struct Field {
    path: &'static str,
    kinds: &'static [BalancerKind],
    is_written: fn(&LoadBalancer) -> bool,
}

const fn field(
    path: &'static str,
    kinds: &'static [BalancerKind],
    is_written: fn(&LoadBalancer) -> bool,
) -> Field {
    Field { path, kinds, is_written }
}

const OURS: &[BalancerKind] = &[Keepalived, Nginx, Haproxy, KubeVip];
const VIRTUAL: &[BalancerKind] = &[Keepalived, KubeVip];
const PROXIES: &[BalancerKind] = &[Nginx, Haproxy];
const CHECKED: &[BalancerKind] = &[Keepalived, Haproxy];

const FIELDS: &[Field] = &[
    field("on", OURS, |of| of.on.is_some()),
    field("run", OURS, |of| of.run.is_some()),
    field("image", OURS, |of| of.image.is_some()),
    field("engine", PROXIES, |of| of.engine.is_some()),
    field("program", PROXIES, |of| of.program.is_some()),
    field("vips", VIRTUAL, |of| !of.vips.is_empty()),
    field("interface", VIRTUAL, |of| of.interface.is_some()),
    field("virtualRouterId", &[Keepalived], |of| of.virtual_router_id.is_some()),
    field("preempt", &[Keepalived], |of| of.preempt.is_some()),
    field("priorities", &[Keepalived], |of| !of.priorities.is_empty()),
    field("multicast", &[Keepalived], |of| of.multicast),
    field("password", &[Keepalived], |of| of.password.is_some()),
    field("advertisementInterval", &[Keepalived], |of| of.advertisement_interval.is_some()),
    field("check.interval", CHECKED, |of| of.check.interval.is_some()),
    field("check.timeout", CHECKED, |of| of.check.timeout.is_some()),
    field("check.rise", CHECKED, |of| of.check.rise.is_some()),
    field("check.fall", CHECKED, |of| of.check.fall.is_some()),
    field("check.weight", &[Keepalived], |of| of.check.weight.is_some()),
    field("listen", PROXIES, |of| of.listen.is_some()),
    field("port", &[Nginx, Haproxy, External], |of| of.port.is_some()),
    field("backends", PROXIES, |of| of.backends.is_some()),
    field("balance", PROXIES, |of| of.balance.is_some()),
    field("weights", PROXIES, |of| !of.weights.is_empty()),
    field("maxFails", &[Nginx], |of| of.max_fails.is_some()),
    field("failTimeout", &[Nginx], |of| of.fail_timeout.is_some()),
    field("connectTimeout", PROXIES, |of| of.connect_timeout.is_some()),
    field("idleTimeout", PROXIES, |of| of.idle_timeout.is_some()),
    field("maxConnections", PROXIES, |of| of.max_connections.is_some()),
    field("reusePort", &[Nginx], |of| of.reuse_port.is_some()),
    field("announce", &[KubeVip], |of| of.announce.is_some()),
    field("bgp", &[KubeVip], |of| of.bgp.is_some()),
    field("names", &[External], |of| !of.names.is_empty()),
    field("addresses", &[External], |of| !of.addresses.is_empty()),
];

/// What means nothing to a kind of balancer, or to the way in which it runs.
pub(in crate::spec::rules) fn pointless(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in entries(spec, holes) {
        let kind = entry.of.kind;
        for field in FIELDS.iter().filter(|field| (field.is_written)(entry.of)) {
            let at = field.path.split('.').fold(entry.path.clone(), |path, key| path.key(key));
            if !field.kinds.contains(&kind) {
                let kinds: Vec<_> = field.kinds.iter().map(|kind| kind.name().to_owned()).collect();
                let message = format!("{at} means nothing to {}", kind.name());
                let hint = format!("remove it; {}", has(&kinds));
                problems.push(Problem::error(at, message).hint(hint));
            } else if let Some(runs) = wanted(field.path, kind)
                && !runs.contains(&entry.of.run.unwrap_or_default())
            {
                let runs: Vec<_> = runs.iter().map(|run| format!("`run: {}`", run.name())).collect();
                let message = format!(
                    "{at} means nothing to {} with `run: {}`",
                    kind.name(),
                    entry.of.run.unwrap_or_default().name()
                );
                let hint = format!("remove it, or write {}", runs.join(" or "));
                problems.push(Problem::error(at, message).hint(hint));
            }
        }
    }
}

fn has(kinds: &[String]) -> String {
    let verb = if kinds.len() == 1 { "has" } else { "have" };
    format!("{} {verb} it", super::listed(kinds))
}

/// The ways of running that a field means something to; none where it does not depend on that.
fn wanted(field: &str, kind: BalancerKind) -> Option<&'static [BalancerRun]> {
    match field {
        "image" if kind == Keepalived => Some(&[BalancerRun::StaticPod]),
        "image" if kind != KubeVip => Some(&[BalancerRun::Container, BalancerRun::StaticPod]),
        "engine" | "program" => Some(&[BalancerRun::Container]),
        _ => None,
    }
}
