//! What leads to the API servers: who serves the endpoint, and what of a balancer cannot be.

mod addresses;
mod bound;
mod fields;
mod health;
mod interfaces;
mod listeners;
mod names;
mod peers;
mod places;
mod required;
mod runs;
mod served;
mod spread;
mod times;
mod vrrp;

pub(super) use addresses::{apart, distinct, families};
pub(super) use bound::bind_address;
pub(super) use fields::pointless;
pub(super) use health::anonymous;
pub(super) use interfaces::{loopback_interface, unused, written};
pub(super) use listeners::{node_ports, ports};
pub(super) use names::endpoint_name;
pub(super) use peers::peers;
pub(super) use places::{alone, behind, idle, nodes, once, place};
pub(super) use required::required;
pub(super) use runs::{runs, static_pods};
pub(super) use served::endpoint;
pub(super) use spread::{loopback, weights};
pub(super) use times::{checks, idle_timeout};
pub(super) use vrrp::{many, password, preempt, priorities, routers};

use super::{Holes, Path, Problem, Spec};
use crate::spec::types::{Host, LoadBalancer, Provisioner};

fn list() -> Path {
    Path::root().key("loadBalancers")
}

/// A balancer of the spec, and where it stands.
#[derive(Clone, Debug)]
struct Entry<'s> {
    path: Path,
    of: &'s LoadBalancer,
}

impl Entry<'_> {
    /// The hosts that have it, with their names.
    fn hosts<'a>(&'a self, spec: &'a Spec) -> impl Iterator<Item = (&'a str, &'a Host)> {
        let here = spec.hosts.iter().filter(|(_, host)| self.of.is_on(host));
        here.map(|(name, host)| (name.as_str(), host))
    }

    fn kind(&self) -> &'static str {
        self.of.kind.name()
    }
}

/// The balancers of a cluster with control planes, but those of which nobody knows what they are or where.
fn entries<'s>(spec: &'s Spec, holes: &Holes) -> Vec<Entry<'s>> {
    let pointless = spec.kubernetes.provisioner == Provisioner::None;
    if pointless || holes.touch(&Path::root().key("kubernetes").key("provisioner")) {
        return Vec::new();
    }
    let list = list();
    let all = spec.load_balancers.iter().enumerate();
    let all = all.map(|(index, of)| Entry { path: holes.item(&list, index), of });
    all.filter(|entry| !["kind", "on", "run"].iter().any(|key| holes.touch(&entry.path.key(key)))).collect()
}

/// Whether hosts are not all as they are written.
fn hosts_left_out(holes: &Holes) -> bool {
    holes.touch(&Path::root().key("hosts"))
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// An error at a place of the spec, which its message names first.
fn wrong(at: Path, what: impl std::fmt::Display) -> Problem {
    let message = format!("{at}: {what}");
    Problem::error(at, message)
}

/// A warning at a place of the spec, which its message names first.
fn doubtful(at: Path, what: impl std::fmt::Display) -> Problem {
    let message = format!("{at}: {what}");
    Problem::warning(at, message)
}

#[cfg(test)]
mod tests;
