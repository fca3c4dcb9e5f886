//! What the runbook may say.

use super::membership::{self, Membership};
use crate::plan::{HostPlan, OPERATOR, RotatingItem, RotationPlan, Source};
use serde::Serialize;

/// The context of `/etc/sealift/RUNBOOK.md` and of its parts.
#[derive(Serialize)]
pub(super) struct Runbook {
    host: String,
    operator: bool,
    /// What is replaced in steps.
    items: Vec<Item>,
    #[serde(flatten)]
    rotations: Option<Rotations>,
    /// Members of etcd that come and go.
    membership: Option<Membership>,
    /// The `StatefulSet` that etcd runs as: there is no host then.
    stateful_set: Option<StatefulSet>,
}

/// What is told while something is replaced in steps.
#[allow(clippy::struct_excessive_bools, reason = "one per question of the templates")]
#[derive(Serialize)]
struct Rotations {
    control_plane: bool,
    etcd: bool,
    /// Whether etcd is a unit of systemd.
    etcd_unit: bool,
    kubernetes: bool,
    token_join: bool,
    signing_on_hosts: bool,
    /// Whether the kubelet's kubeconfig comes in this bundle.
    kubelet_conf: bool,
    /// Whether containers of static pods are stopped here, or, for API servers that the spec does not
    /// know, by the operators.
    pods: bool,
    /// Whether the kubelet makes pods anew as soon as the bundle is installed.
    at_once: bool,
    container_runtime_endpoint: Option<String>,
    /// Members, when the rotation is theirs; then the control planes that are none of them.
    members: Vec<String>,
    control_planes: Vec<String>,
    /// Whether it concerns all other nodes too.
    nodes: bool,
    at_rest: Option<AtRest>,
}

#[derive(Serialize)]
struct StatefulSet {
    name: String,
    namespace: String,
}

#[derive(Serialize)]
struct Item {
    path: &'static str,
    step: &'static str,
    template: String,
}

/// What is written anew when an at-rest key is replaced.
#[derive(Serialize)]
struct AtRest {
    prefix: String,
    /// Names of resources without wildcards.
    resources: Vec<String>,
    wildcards: bool,
    /// Below which keys of etcd they are.
    keys: Vec<String>,
}

/// The context; none when there is nothing to tell.
pub(super) fn context(host: &HostPlan) -> Option<Runbook> {
    (!host.rotations.is_empty() || host.membership.is_some()).then(|| Runbook {
        host: host.name.clone(),
        operator: host.name == OPERATOR,
        items: host.rotations.iter().map(item).collect(),
        rotations: rotations(host),
        stateful_set: host
            .stateful_set
            .as_ref()
            .map(|set| StatefulSet { name: set.name.clone(), namespace: set.namespace.clone() }),
        membership: host.membership.as_ref().map(|plan| membership::context(host, plan)),
    })
}

fn rotations(host: &HostPlan) -> Option<Rotations> {
    let any = host.rotations.first()?;
    let rotates = |item: RotatingItem| host.rotations.iter().any(|plan| plan.item == item);
    // nothing restarts for the front proxy's CA, nor for who signs bundles
    let silent = |item| matches!(item, RotatingItem::FrontProxy | RotatingItem::Signing);
    let restarts = host.rotations.iter().any(|plan| !silent(plan.item));
    let members = if rotates(RotatingItem::Etcd) { any.members.clone() } else { Vec::new() };
    let rest = any.control_planes.iter().filter(|name| !members.contains(name)).cloned().collect();
    let is_kubelet_conf = |source: &Source| *source == Source::Kubeconfig("kubelet");
    let etcd_pod = any.etcd && !any.etcd_unit;
    Some(Rotations {
        control_plane: any.control_plane,
        etcd: any.etcd,
        etcd_unit: any.etcd_unit,
        kubernetes: any.kubernetes,
        token_join: any.token_join,
        signing_on_hosts: any.signing_on_hosts,
        kubelet_conf: host.files.iter().any(|file| is_kubelet_conf(&file.source)),
        pods: restarts
            && (any.control_plane
                || etcd_pod
                || (any.operator && !any.kubernetes && host.stateful_set.is_none())),
        at_once: !host.pods.is_empty(),
        container_runtime_endpoint: host
            .kubelet
            .as_ref()
            .map(|kubelet| kubelet.container_runtime_endpoint.clone()),
        members,
        control_planes: rest,
        nodes: rotates(RotatingItem::Kubernetes) || rotates(RotatingItem::Signing),
        at_rest: host.rotations.iter().find_map(at_rest),
    })
}

/// The part of the runbook that tells of an item.
fn part(plan: &RotationPlan) -> &'static str {
    match plan.item {
        RotatingItem::Etcd if plan.stateful_set.is_some() => "etcd-statefulset",
        item => item.name(),
    }
}

fn item(plan: &RotationPlan) -> Item {
    Item {
        path: plan.item.path(),
        step: plan.step.name(),
        template: format!("/etc/sealift/runbook/{}.md", part(plan)),
    }
}

fn at_rest(plan: &RotationPlan) -> Option<AtRest> {
    let plan = plan.at_rest.as_ref()?;
    let (wild, named): (Vec<_>, Vec<_>) = plan.resources.iter().cloned().partition(|name| name.contains('*'));
    // where a resource of a group lies depends on whether the API server or a definition makes it
    let all = || vec!["/registry/".to_owned()];
    let core = wild.is_empty() && named.iter().all(|name| !name.contains('.'));
    let keys = if core { named.iter().map(|name| format!("/registry/{name}/")).collect() } else { all() };
    Some(AtRest { prefix: plan.prefix.clone(), resources: named, wildcards: !wild.is_empty(), keys })
}
