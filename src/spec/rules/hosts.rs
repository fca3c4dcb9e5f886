//! Hosts: their roles, and names that were used before.

use super::{Holes, Path, Problem, Spec};
use std::collections::BTreeMap;

/// No role stands twice at a host.
pub(super) fn roles_once(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for (path, _, host) in super::hosts(spec) {
        let list = path.key("roles");
        for (index, role) in host.roles.iter().enumerate() {
            if host.roles.iter().take(index).any(|other| other == role) {
                let at = holes.item(&list, index);
                let message = format!("{at}: the role `{}` is listed twice", role.name());
                problems.push(Problem::error(at, message).hint("remove one of the two"));
            }
        }
    }
}

/// No machine is two hosts.
pub(super) fn machines_apart(spec: &Spec, _: &Holes, problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for (path, name, host) in super::hosts(spec) {
        let Some(id) = &host.machine_id else { continue };
        let Some(other) = seen.insert(id, name) else { continue };
        let at = path.key("machineId");
        let message = format!("{at}: {other} has the same machine id");
        let hint = "write what /etc/machine-id says on each; machines that were cloned need a new one";
        problems.push(Problem::error(at, message).hint(hint));
    }
}

/// A removed host's name comes back with a higher generation only: else it would get its old keys,
/// which Kubernetes cannot revoke.
pub(super) fn retired(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for (name, last) in &spec.retired {
        let Some(host) = spec.hosts.get(name) else { continue };
        let at = Path::root().key("hosts").key(name).key("generation");
        if host.generation > *last || holes.has(&at) {
            continue;
        }
        let message = format!("{name} was retired with generation {last}, and would get its old keys back");
        let next = last.get().saturating_add(1);
        problems.push(
            Problem::error(at, message).hint(format!("write `generation: {next}` or higher at this host")),
        );
    }
}

/// Settings of a role matter to hosts that have it.
pub(super) fn role_settings(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if holes.touch(&Path::root().key("hosts")) {
        return;
    }
    for role in spec.roles.keys() {
        if !spec.hosts.values().any(|host| host.roles.contains(role)) {
            let at = Path::root().key("roles").key(role.name());
            let message = format!("{at}: no host has this role");
            problems.push(Problem::warning(at, message).hint("give a host the role, or remove the settings"));
        }
    }
}
