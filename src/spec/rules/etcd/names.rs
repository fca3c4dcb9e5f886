//! The names by which etcd's members are reached.

use super::{Holes, Path, Problem, Spec, etcd};
use crate::spec::types::{EtcdUrls, Role};
use std::collections::BTreeMap;

/// kubeadm makes the members on its control planes and lists them by address
/// (`util/etcd/etcd.go`, `GetPeerURL`), in certificates too.
pub(in crate::spec::rules) fn possible(spec: &Spec, _holes: &Holes, problems: &mut Vec<Problem>) {
    let made_by_kubeadm = spec.hosts.values().any(|host| spec.has_kubeadms_member(host));
    if spec.etcd.urls == EtcdUrls::Name && made_by_kubeadm {
        let at = etcd().key("urls");
        let message = "kubeadm makes the members on control planes, and reaches them by address";
        problems.push(
            Problem::error(at, message).hint(
                "write `urls: address`; or run etcd under systemd, in a container or on hosts of its own",
            ),
        );
    }
}

/// `etcdName` is used, and no two members share a name.
pub(in crate::spec::rules) fn distinct(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let mut owners: BTreeMap<&str, &str> =
        spec.hosts.keys().map(|name| (name.as_str(), name.as_str())).collect();
    for (path, name, host) in super::hosts(spec) {
        let Some(own) = &host.etcd_name else { continue };
        let at = path.key("etcdName");
        if let Some(problem) = unused(spec, holes, &path, host.has(Role::Etcd)) {
            problems.push(problem);
        } else if own.as_str() == "localhost" {
            problems.push(
                Problem::error(at, "every host takes localhost for itself")
                    .hint("write a name that the other hosts resolve to this one"),
            );
        } else {
            let owner = *owners.entry(own.as_str()).or_insert(name);
            if owner != name {
                let message = format!("{own} is the name of another host, {owner}");
                problems.push(Problem::error(at, message).hint("give each member a name of its own"));
            }
        }
    }
}

/// Why nothing would read the `etcdName` of a host.
fn unused(spec: &Spec, holes: &Holes, host: &Path, member: bool) -> Option<Problem> {
    let at = host.key("etcdName");
    if spec.etcd.urls == EtcdUrls::Address && !holes.touch(&etcd().key("urls")) {
        let problem = Problem::error(at, "nothing uses this name: members are reached by address");
        return Some(problem.hint("write `urls: name` under `etcd`, or remove it"));
    }
    (!member && !holes.touch(&host.key("roles"))).then(|| {
        Problem::error(at, "nothing uses this name: the host is no etcd member")
            .hint("remove it, or give the host the role `etcd`")
    })
}
