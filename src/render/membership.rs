//! What the runbook says of etcd's members that come and go.

use crate::plan::{HostPlan, MembershipPlan};
use serde::Serialize;

/// What templates see of it.
#[derive(Serialize)]
pub(super) struct Membership {
    #[serde(flatten)]
    plan: MembershipPlan,
    /// For the operators: client URLs of the members that stay, joined by commas.
    endpoints: String,
    /// Of a host: what etcd must find empty when it joins.
    stale: Vec<String>,
    /// Of a host: commands between install and start, by words.
    run: Vec<Vec<String>>,
}

/// The context for one host, or for the operators.
pub(super) fn context(host: &HostPlan, plan: &MembershipPlan) -> Membership {
    let endpoints: Vec<_> = plan.staying.iter().map(|member| member.client_url.as_str()).collect();
    Membership {
        endpoints: endpoints.join(","),
        stale: host.etcd.as_ref().map(|etcd| stale(&etcd.data_dir, etcd.log())).unwrap_or_default(),
        run: run(host),
        plan: plan.clone(),
    }
}

/// etcd takes what is in these directories for its own (`storage.go`, `wal.Exist`).
fn stale(data: &str, wal: Option<String>) -> Vec<String> {
    let member = format!("{data}/member");
    std::iter::once(member).chain(wal).collect()
}

/// What install names on a new machine, as far as it is about etcd: kubeadm's commands come later.
fn run(host: &HostPlan) -> Vec<Vec<String>> {
    let mut commands: Vec<Vec<String>> = Vec::new();
    for command in host.files.iter().flat_map(|file| &file.run) {
        let words: Vec<_> = command.split(' ').map(str::to_owned).collect();
        if command.starts_with("system") && !commands.contains(&words) {
            commands.push(words);
        }
    }
    commands
}
