//! Members of a `StatefulSet` that come and go between two builds.

use crate::bundle::open::Verified;
use crate::plan::{HostPlan, StatefulSetPlan};
use crate::spec::types::EtcdState;
use crate::spec::{Path, Problem};
use std::collections::BTreeSet;

/// Where the operators have its members.
const MEMBERS: &str = "/etc/kubernetes/etcd/15-members.yaml";

/// What is wrong with the change from the pods of the build before to those of the spec.
pub(super) fn problem(operator: &HostPlan, before: &Verified) -> Option<Problem> {
    let set = operator.stateful_set.as_ref()?;
    let text = std::str::from_utf8(before.contents(MEMBERS)?).ok()?;
    let old = text.lines().find_map(|line| line.trim_start().strip_prefix("initial-cluster: "))?;
    let old: BTreeSet<&str> = old.trim_matches(['"', '\'']).split(',').collect();
    let now: BTreeSet<&str> = set.initial_cluster.split(',').collect();
    judge(set, old.len(), old.intersection(&now).count(), now.difference(&old).count())
}

fn at(field: &str) -> Path {
    Path::root().key("etcd").key("statefulSet").key(field)
}

/// Of so many, so many stay, and so many are new.
fn judge(set: &StatefulSetPlan, old: usize, stay: usize, new: usize) -> Option<Problem> {
    let gone = old.saturating_sub(stay);
    let one_by_one = "change `replicas` by one, follow the README of the bundle, and then by one again";
    if stay < old / 2 + 1 {
        let message = format!("{stay} of {old} etcd members are no majority");
        let hint = "members are known by the names of StatefulSet, namespace and domain; change `replicas` by one, \
                    or restore a snapshot into a new cluster";
        return (gone > 0).then(|| Problem::error(at("replicas"), message).hint(hint));
    }
    if new > 1 {
        let message = format!("{new} etcd members join at once: each waits for the others for ever");
        return Some(Problem::error(at("replicas"), message).hint(one_by_one));
    }
    if new == 1 && set.state == EtcdState::New.name() {
        let message = "the new pod would begin a cluster of its own";
        let hint = "write `state: existing` beside it; if the cluster never ran, all pods begin it together";
        return Some(Problem::warning(at("replicas"), message).hint(hint));
    }
    (gone > 1).then(|| {
        Problem::warning(at("replicas"), format!("{gone} etcd members leave at once")).hint(one_by_one)
    })
}
