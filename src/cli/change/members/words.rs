//! What is said of members that come and go.

use crate::spec::{Path, Problem};
use std::collections::BTreeSet;

fn of_host(name: &str) -> Path {
    Path::root().key("hosts").key(name).key("etcd")
}

/// Too many at once.
pub(super) fn quorum(lost: &[&str], left: usize, all: usize) -> Problem {
    let message = format!(
        "{} cannot leave or be replaced at once: {left} of {all} etcd members are no majority",
        lost.join(" and ")
    );
    Problem::error("hosts", message).hint(
        "change fewer, roll that out until all members are healthy, and the others then; if they are lost \
         already, restore a snapshot into a new cluster",
    )
}

/// A host that is a member no more.
pub(super) fn gone(name: &str, leaving: &[&str]) -> Problem {
    let all: Vec<_> = leaving.iter().copied().chain([name]).collect();
    let message = format!("{name} was an etcd member, and the cluster still counts it");
    Problem::warning("etcd", message).hint(format!(
        "write `leaving: [{}]` under `etcd`: the operators' runbook then says how it leaves",
        all.join(", ")
    ))
}

/// A new one that does not join.
pub(super) fn begins(name: &str) -> Problem {
    let message = format!("{name} is a new etcd member and would begin a cluster of its own");
    Problem::warning(Path::root().key("hosts").key(name), message).hint(
        "write `etcd: {state: existing}` there; if the cluster never ran, all members begin it together",
    )
}

/// Another machine, by its keys, that does not join.
pub(super) fn begins_again(name: &str) -> Problem {
    let message = format!("{name} has new keys and another recipient, and does not join");
    Problem::warning(Path::root().key("hosts").key(name), message).hint(
        "if its data is gone, write `etcd: {state: existing}` there: the others refuse a member that begins \
         again; with its data it goes on",
    )
}

/// Several that join, of whom the runbook tells some.
pub(super) fn told_apart(told: &[&str], untold: &[&str], latest: u32) -> Problem {
    let message = format!(
        "{} and {} join in different turns: the operators' runbook tells of {} alone",
        untold.join(", "),
        told.join(", "),
        told.join(", ")
    );
    Problem::error("hosts", message).hint(format!(
        "give all that join by this change the same turn, such as `join: {latest}`: they join one after the other"
    ))
}

/// Several at once.
pub(super) fn one_by_one(names: &[&str]) -> Problem {
    let message = format!("{} etcd members join: {}", names.len(), names.join(", "));
    Problem::warning("hosts", message)
        .hint("one after the other, each healthy before the next: the operators' runbook has the order")
}

/// One that does not know who is there.
pub(super) fn out_of_turn(name: &str, unlisted: &[&str], next: u32) -> Problem {
    let message =
        format!("{name} joins before {}, which joined already: etcd would refuse it", unlisted.join(", "));
    Problem::error(of_host(name), message).hint(format!("write `join: {next}` beside `state: existing`"))
}

/// One that joined and is said to have begun the cluster.
pub(super) fn joins_no_more(name: &str) -> Problem {
    let message = format!("{name} joined the cluster, and is said to have begun it");
    Problem::warning(Path::root().key("hosts").key(name), message).hint(
        "keep `etcd: {state: existing}` there: without it the files of all members change, and static pods restart",
    )
}

/// Other members' files change, for nothing; `avoidable` by what is written.
pub(super) fn listed(name: &str, of: &BTreeSet<&str>, founder: bool, avoidable: bool) -> Problem {
    let of: Vec<_> = of.iter().copied().collect();
    let what = if founder { "list no more" } else { "list from now on" };
    let message = format!("{name}, which the files of {} {what}", of.join(", "));
    let hint = if avoidable {
        format!("write `founder: {founder}` beside `state: existing`")
    } else {
        "install one after the other, each healthy before the next".to_owned()
    };
    Problem::warning(of_host(name), message)
        .hint(format!("etcd does not read that again, but these members restart: {hint}"))
}

/// One that keeps its data.
pub(super) fn moved(name: &str, was: &str, now: &str) -> Problem {
    let message = format!("{name} is reached at {now}, and the cluster knows {was}");
    Problem::warning(Path::root().key("hosts").key(name), message).hint(format!(
        "before its etcd starts there: `etcdctl member update ID --peer-urls={now}`, ID from `etcdctl member list`; \
         or replace it: raise `generation` and write `etcd: {{state: existing}}`"
    ))
}

/// Members that something else runs from now on.
pub(super) fn run(of: &[&str], was: &str, now: &str) -> Problem {
    let message = format!("etcd on {} goes from `{was}` to `{now}`", of.join(", "));
    Problem::warning("etcd.run", message).hint(
        "one host at a time, while all members are healthy: stop etcd there, install, and start it; two that \
         run on the same data destroy it; docs/etcd.md has the commands (Another `etcd.run`)",
    )
}

/// Members that would find nothing of theirs.
pub(super) fn elsewhere(of: &[&str], field: &str, was: &str, now: &str) -> Problem {
    let message = format!(
        "etcd on {} looks for its data in {now}, and has it in {was}: it would begin anew, without any",
        of.join(", ")
    );
    Problem::warning(Path::root().key("etcd").key(field), message).hint(format!(
        "one host at a time, while all members are healthy: stop etcd there, `mv {was} {now}`, install, and start it"
    ))
}

/// Members that could not read what is theirs.
pub(super) fn owner(of: &[&str], (uid, gid): (u32, u32), paths: &str) -> Problem {
    let message = format!("etcd's data on {} is {uid}:{gid}'s from now on", of.join(", "));
    Problem::warning("etcd.user", message).hint(format!(
        "install changes the directory alone: before etcd starts there, `chown -R {uid}:{gid} {paths}`"
    ))
}
