//! The number of etcd members.

use super::{Holes, Path, Problem, Spec, etcd};
use crate::spec::types::{EtcdRun, Role};

/// etcd's own advice for the largest cluster (etcd FAQ, "what is maximum cluster size").
const MOST: usize = 7;

/// At least one member; an odd number, more than one and at most seven.
pub(in crate::spec::rules) fn members(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let hosts = Path::root().key("hosts");
    if holes.touch(&hosts) || holes.touch(&etcd().key("run")) {
        return;
    }
    let (hosts, count) = if spec.etcd.run == EtcdRun::StatefulSet {
        let replicas = spec.etcd.stateful_set.as_ref().map(|set| set.replicas).unwrap_or_default();
        let at = etcd().key("statefulSet").key("replicas");
        (at, usize::try_from(replicas.get()).unwrap_or_default())
    } else {
        (hosts, spec.hosts.values().filter(|host| host.has(Role::Etcd)).count())
    };
    let problem = match count {
        0 => Problem::error(hosts, "no host has the role `etcd`")
            .hint("write `roles: [etcd]` at one or more hosts, or at all control planes"),
        1 => Problem::warning(hosts, "one etcd member tolerates no failure").hint("use three members"),
        2 => Problem::warning(hosts, "two etcd members tolerate no failure, and either one stops both")
            .hint("use three members"),
        count if count > MOST => {
            Problem::warning(hosts, format!("{count} etcd members make every write slow"))
                .hint("use three, five or seven members")
        }
        count if count % 2 == 0 => Problem::warning(
            hosts,
            format!("an even number of etcd members ({count}) tolerates no more failures than one less"),
        )
        .hint("add or remove one"),
        _ => return,
    };
    problems.push(problem);
}
