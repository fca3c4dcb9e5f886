//! keepalived: what VRRP does not take (RFC 5798, RFC 3768), and what would never fail over.

use super::{Entry, Holes, Path, Problem, Spec, doubtful, entries, hosts_left_out, listed, wrong};
use crate::spec::types::BalancerKind;
use std::collections::BTreeMap;

/// What the first host has without a word in the spec; each that follows has one less.
const FIRST: u32 = 101;

fn keepalived<'s>(spec: &'s Spec, holes: &Holes) -> impl Iterator<Item = Entry<'s>> {
    entries(spec, holes).into_iter().filter(|entry| entry.of.kind == BalancerKind::Keepalived)
}

/// Each of the hosts has a priority or none has, and each one of its own.
pub(in crate::spec::rules) fn priorities(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in keepalived(spec, holes).filter(|entry| !entry.of.priorities.is_empty()) {
        let at = entry.path.key("priorities");
        if hosts_left_out(holes) || holes.touch(&at) {
            continue;
        }
        let written = &entry.of.priorities;
        for name in written.keys().filter(|name| !entry.hosts(spec).any(|(host, _)| host == name.as_str())) {
            let what = format!("{name} has no keepalived of this entry");
            problems.push(wrong(at.key(name.as_str()), what).hint("name hosts that have it"));
        }
        let named = |name: &str| written.keys().any(|other| other.as_str() == name);
        let without: Vec<_> =
            entry.hosts(spec).map(|(name, _)| name.to_owned()).filter(|name| !named(name)).collect();
        if !without.is_empty() {
            let what =
                format!("{} {} none", listed(&without), if without.len() == 1 { "has" } else { "have" });
            problems.push(wrong(at.clone(), what).hint("write one for each of its hosts, or for none"));
        }
        let mut owners: BTreeMap<u32, &str> = BTreeMap::new();
        for (name, priority) in written {
            if let Some(other) = owners.insert(priority.get(), name.as_str()) {
                let what = format!("{other} has {priority}, too: the higher address decides");
                problems.push(doubtful(at.key(name.as_str()), what).hint("give each host its own priority"));
            }
        }
    }
}

/// Without preemption no backup takes over from a master that is there, however low its priority. And a
/// priority that falls too little stays above the next host's.
pub(in crate::spec::rules) fn preempt(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in keepalived(spec, holes) {
        let Some(weight) = entry.of.check.weight else { continue };
        let at = entry.path.key("check").key("weight");
        if holes.touch(&at) || holes.touch(&entry.path.key("preempt")) {
            continue;
        }
        if entry.of.preempt == Some(false) {
            let what = "with `preempt: false` no host takes over from one whose priority fell";
            let hint = "remove it: the host whose check fails gives the addresses up then";
            problems.push(wrong(at, what).hint(hint));
            continue;
        }
        if hosts_left_out(holes) || holes.touch(&entry.path.key("priorities")) {
            continue;
        }
        let distance = match ranked(&entry, spec).as_slice() {
            [first, second, ..] => first.saturating_sub(*second),
            _ => continue,
        };
        if weight <= distance {
            let what = format!(
                "a host whose check fails keeps the addresses: the next one's priority is {distance} lower"
            );
            problems.push(wrong(at, what).hint(format!("write {} or more", distance.saturating_add(1))));
        }
    }
}

/// The priorities of the hosts, the highest first.
fn ranked(entry: &Entry<'_>, spec: &Spec) -> Vec<u32> {
    if entry.of.priorities.is_empty() {
        return (0..2.min(entry.hosts(spec).count())).zip([FIRST, FIRST - 1]).map(|(_, it)| it).collect();
    }
    let mut all: Vec<u32> = entry.of.priorities.values().map(|priority| priority.get()).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all
}

/// Two entries of one router id would take each other for one.
pub(in crate::spec::rules) fn routers(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<u32, Path> = BTreeMap::new();
    for entry in keepalived(spec, holes) {
        let Some(id) = entry.of.virtual_router_id else { continue };
        let at = entry.path.key("virtualRouterId");
        if let Some(other) = first.get(&id) {
            let what = format!("{id} is that of {other}, and the two would take each other for one");
            problems.push(wrong(at, what).hint("write another number from 1 to 255"));
        } else {
            first.insert(id, at);
        }
    }
}

/// VRRP of version 3, which IPv6 needs, has no passwords (RFC 5798, section 9).
pub(in crate::spec::rules) fn password(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in keepalived(spec, holes).filter(|entry| entry.of.password.is_some()) {
        if let Some(vip) = entry.of.vips.iter().find(|vip| vip.is_ipv6()) {
            let what = format!("{vip} needs VRRP of version 3, which has no passwords");
            let hint = "remove it: whoever is on the network could read it anyway";
            problems.push(wrong(entry.path.key("password"), what).hint(hint));
        }
    }
}

/// An advertisement counts its addresses in eight bits, one for each family (RFC 5798, section 5.2.5).
const VIPS: usize = 255;

/// No more virtual addresses of a family than an advertisement has room for.
pub(in crate::spec::rules) fn many(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in keepalived(spec, holes) {
        for (family, of_family) in [("IPv4", false), ("IPv6", true)] {
            let number = entry.of.vips.iter().filter(|vip| vip.is_ipv6() == of_family).count();
            if number > VIPS {
                let what = format!("{number} {family} addresses are more than VRRP has room for, {VIPS}");
                let hint = "write one entry for each 255, with a router id of its own";
                problems.push(wrong(entry.path.key("vips"), what).hint(hint));
            }
        }
    }
}
