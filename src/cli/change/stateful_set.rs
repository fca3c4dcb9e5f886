//! Members of a `StatefulSet` between two builds: they come and go one at a time.

use crate::bundle::open::Verified;
use crate::plan::StatefulSetPlan;
use crate::spec::types::EtcdState;
use crate::spec::{Path, Problem};

/// Where the operators' bundle has it.
const MANIFEST: &str = "/etc/kubernetes/etcd/30-statefulset.yaml";

/// What is wrong with the change from the pods of the build before to those of the spec.
pub(super) fn problem(now: &StatefulSetPlan, bundle: &Verified) -> Option<Problem> {
    let before = replicas(bundle, now)?;
    let at = || Path::root().key("etcd").key("statefulSet").key("replicas");
    if now.replicas.abs_diff(before) > 1 {
        let more = now.replicas > before;
        let next = if more { before.saturating_add(1) } else { before.saturating_sub(1) };
        let message = format!("from {before} members to {} at once", now.replicas);
        let why = if more {
            "new pods would wait for each other for ever"
        } else {
            "members that go before they are removed take the majority with them"
        };
        let hint = format!(
            "{why}: write `replicas: {next}`, roll that out as the README of the bundle says, and then the next"
        );
        return Some(Problem::error(at(), message).hint(hint));
    }
    let begins = now.replicas > before && now.state == EtcdState::New.name();
    begins.then(|| {
        Problem::warning(at(), "the new pod would begin a cluster of its own").hint(
            "write `state: existing` beside it; if the cluster never ran, all members begin it together",
        )
    })
}

/// How many there were; none when the build before had another one, or none.
fn replicas(bundle: &Verified, now: &StatefulSetPlan) -> Option<u32> {
    let text = std::str::from_utf8(bundle.contents(MANIFEST)?).ok()?;
    // two blanks: keys of `metadata` and `spec` themselves, each there once
    let value = |key: &str| {
        let mut found = text.lines().filter_map(|line| line.strip_prefix("  ")?.strip_prefix(key));
        found.next().map(|value| value.trim().trim_matches(['"', '\'']))
    };
    let is = |key: &str, wanted: &str| value(key) == Some(wanted);
    let same = is("name:", &now.name) && is("namespace:", &now.namespace);
    value("replicas:").filter(|_| same)?.parse().ok()
}
