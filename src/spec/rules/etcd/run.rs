//! What a way to run etcd cannot do.

use super::{Holes, Problem, Spec, etcd};
use crate::spec::types::Role;

/// Plain http is served to whoever can reach it: in a pod on the host's network, too, and kubeadm's probes
/// and API servers expect TLS there.
pub(in crate::spec::rules) fn plain_loopback(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let at = etcd().key("plainLoopback");
    if !spec.etcd.plain_loopback || holes.touch(&etcd().key("run")) {
        return;
    }
    if !spec.etcd.run.is_unit() {
        let message = format!("{at}: with `run: {}` etcd serves TLS on loopback", spec.etcd.run.name());
        problems
            .push(Problem::error(at, message).hint("remove it, or write `run: systemd` or `run: container`"));
    } else if spec.hosts.values().any(|host| host.has(Role::Etcd) && host.is_node()) {
        let message =
            format!("{at}: pods on the network of a member's host reach all of etcd without a password");
        problems.push(Problem::warning(at, message).hint("remove it, or put etcd on hosts of its own"));
    }
}
