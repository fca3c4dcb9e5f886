//! The network interfaces of virtual addresses.

use super::{Entry, Holes, Path, Problem, Spec, entries, hosts_left_out, list, wrong};
use crate::spec::scalars::InterfaceName;
use crate::spec::types::{Announce, Host, Role};

/// Whether an entry needs the name of an interface: by BGP, kube-vip's addresses lie on loopback.
fn needs(entry: &Entry<'_>) -> bool {
    entry.of.kind.has_vips() && entry.of.announce != Some(Announce::Bgp)
}

/// Each host with virtual addresses knows its interface.
pub(in crate::spec::rules) fn written(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if hosts_left_out(holes) || holes.touch(&Path::root().key("roles")) {
        return;
    }
    for entry in entries(spec, holes).iter().filter(|entry| needs(entry)) {
        if entry.of.interface.is_some() || holes.touch(&entry.path.key("interface")) {
            continue;
        }
        let all = entry.hosts(spec).count();
        let without: Vec<_> = entry.hosts(spec).filter(|(_, host)| !is_written(spec, host)).collect();
        let Some((first, _)) = without.first() else { continue };
        if without.len() == all {
            let what = format!("{} needs `interface`", entry.kind());
            let hint = "write `interface: NAME`, such as eth0; `hosts` and `roles` can say otherwise";
            problems.push(wrong(entry.path.clone(), what).hint(hint));
        } else {
            let what = format!("{first} has no `interface` for its virtual addresses");
            let hint = format!("write `interface: NAME` here, or at `hosts.{first}`");
            problems.push(wrong(entry.path.clone(), what).hint(hint));
        }
    }
}

fn is_written(spec: &Spec, host: &Host) -> bool {
    let of_roles = || spec.roles.iter().filter(|(role, _)| host.has(**role));
    host.interface.is_some() || of_roles().any(|(_, of)| of.interface.is_some())
}

/// The network does not see an address on loopback: neither VRRP nor ARP goes there.
pub(in crate::spec::rules) fn loopback_interface(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let entries = entries(spec, holes);
    let needing: Vec<_> = entries.iter().filter(|entry| needs(entry)).collect();
    let used = |host: &Host| needing.iter().any(|entry| entry.of.is_on(host));
    let is_loopback = |name: &Option<InterfaceName>| name.as_ref().is_some_and(|name| name.as_str() == "lo");
    let of_entries =
        needing.iter().filter(|entry| is_loopback(&entry.of.interface)).map(|entry| entry.path.clone());
    let roles = spec.roles.iter().filter(|(role, of)| {
        is_loopback(&of.interface) && spec.hosts.values().any(|host| host.has(**role) && used(host))
    });
    let roles = roles.map(|(role, _)| Path::root().key("roles").key(role.name()));
    let hosts = super::super::hosts(spec)
        .filter(|(_, _, host)| is_loopback(&host.interface) && used(host))
        .map(|(path, _, _)| path);
    for at in of_entries.chain(roles).chain(hosts).map(|path| path.key("interface")) {
        if !holes.touch(&at) {
            let hint = "write the interface of the network that the hosts are in, such as eth0";
            problems.push(wrong(at, "no other host sees an address on lo").hint(hint));
        }
    }
}

/// An interface that nothing asks for.
pub(in crate::spec::rules) fn unused(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if hosts_left_out(holes) || holes.touch(&list()) {
        return;
    }
    let used = |host: &Host| {
        let mut virtuals = spec.load_balancers.iter().filter(|entry| entry.kind.has_vips());
        virtuals.any(|entry| entry.is_on(host))
    };
    let of_role = |role: Role| spec.hosts.values().any(|host| host.has(role) && used(host));
    let roles = spec
        .roles
        .iter()
        // without a host of the role, all its settings are told of
        .filter(|(role, _)| spec.hosts.values().any(|host| host.has(**role)))
        .filter(|(role, of)| of.interface.is_some() && !of_role(**role))
        .map(|(role, _)| Path::root().key("roles").key(role.name()));
    let hosts = super::super::hosts(spec)
        .filter(|(_, _, host)| host.interface.is_some() && !used(host))
        .map(|(path, _, _)| path);
    for at in roles.chain(hosts).map(|path| path.key("interface")) {
        let message = format!("{at} means nothing: no virtual address goes there");
        problems.push(Problem::warning(at, message).hint("remove it"));
    }
}
