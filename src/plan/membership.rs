//! Who joins and who leaves the etcd cluster: what the runbook tells.

use super::certs::Place;
use super::etcd::{Member, Members};
use crate::spec::types::{ContainerEngine, EtcdRun, Provisioner, Role, Spec};
use serde::Serialize;

/// What of the cluster's members one host is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MembershipPlan {
    /// Of a host: its own member. For the operators: those of the latest turn, in their order.
    pub joining: Vec<JoiningPlan>,
    /// For the operators: the names of members that leave.
    pub leaving: Vec<String>,
    /// For the operators: the members that are there before and after.
    pub staying: Vec<StayingPlan>,
    /// Whether etcd is a unit of systemd.
    pub unit: bool,
    /// Whether systemd makes the unit from another file, so that it cannot be enabled.
    pub generated: bool,
    /// For the operators: who else must learn the list.
    pub api_servers: Option<ApiServersPlan>,
}

/// A member that joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoiningPlan {
    /// Its name.
    pub name: String,
    /// The URL that other members use.
    pub peer_url: String,
    /// The URL that clients use.
    pub client_url: String,
    /// The generation of its host.
    pub generation: u32,
    /// Whether it takes the place of a member of its name.
    pub replaces: bool,
}

/// A member that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StayingPlan {
    /// Its name.
    pub name: String,
    /// The URL that clients use.
    pub client_url: String,
}

/// The API servers that have a list of all members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiServersPlan {
    /// The control planes whose bundles say the list; none when the API servers are not in the spec.
    pub control_planes: Vec<String>,
    /// What `--etcd-servers` is to be.
    pub urls: String,
}

/// What a place is told of members; none when nothing of it changes.
pub(super) fn plan(spec: &Spec, members: &Members, name: &str, here: &[Place]) -> Option<MembershipPlan> {
    if spec.etcd.run == EtcdRun::StatefulSet {
        return None;
    }
    let operator = here.contains(&Place::Operator);
    let joining: Vec<_> = if operator {
        members.latest()
    } else {
        // its own entry alone, so that later changes leave its bundle as it is
        members.find(name).filter(|member| member.joins()).into_iter().collect()
    };
    let leaving: Vec<_> = spec.etcd.leaving.iter().filter(|_| operator).map(ToString::to_string).collect();
    if joining.is_empty() && leaving.is_empty() {
        return None;
    }
    let stays = |member: &&Member| operator && joining.iter().all(|other| other.name != member.name);
    let staying = members
        .all
        .iter()
        .filter(stays)
        .map(|member| StayingPlan { name: member.name.clone(), client_url: member.client_url() });
    let grows = joining.iter().any(|member| !member.replaces) || !leaving.is_empty();
    Some(MembershipPlan {
        staying: staying.collect(),
        api_servers: (operator && grows).then(|| api_servers(spec, members)).flatten(),
        joining: joining.into_iter().map(of).collect(),
        leaving,
        unit: spec.etcd.run.is_unit(),
        generated: spec.etcd.run == EtcdRun::Container
            && spec.etcd.container.engine == ContainerEngine::Podman,
    })
}

fn of(member: &Member) -> JoiningPlan {
    JoiningPlan {
        name: member.name.clone(),
        peer_url: member.peer_url(),
        client_url: member.client_url(),
        generation: member.generation.get(),
        replaces: member.replaces,
    }
}

/// None where each API server speaks to the member beside it.
fn api_servers(spec: &Spec, members: &Members) -> Option<ApiServersPlan> {
    let control_planes: Vec<_> = spec.hosts.iter().filter(|(_, host)| host.has(Role::ControlPlane)).collect();
    let beside = control_planes.iter().all(|(_, host)| host.has(Role::Etcd));
    let kubeadms = spec.kubernetes.provisioner == Provisioner::Kubeadm && spec.etcd.run.is_unit();
    if !control_planes.is_empty() && beside && !kubeadms {
        return None;
    }
    Some(ApiServersPlan {
        control_planes: control_planes.iter().map(|(name, _)| name.to_string()).collect(),
        urls: members.client_urls.clone(),
    })
}
