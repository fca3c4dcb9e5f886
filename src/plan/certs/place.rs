//! Where something is placed.

use crate::spec::scalars::HostName;
use crate::spec::types::{Host, Provisioner, Role, Spec};

pub(in crate::plan) const ETCD: &[Place] = &[Place::Role(Role::Etcd)];
/// Members that are no control planes.
pub(in crate::plan) const ETCD_ALONE: &[Place] = &[Place::EtcdAlone];
/// Control planes with a member of their own.
pub(in crate::plan) const STACKED: &[Place] = &[Place::Stacked];
pub(in crate::plan) const CONTROL_PLANE: &[Place] = &[Place::Role(Role::ControlPlane)];
/// Whatever becomes a node of Kubernetes.
pub(in crate::plan) const NODES: &[Place] = &[Place::Role(Role::ControlPlane), Place::Role(Role::Worker)];
pub(in crate::plan) const HOSTS: &[Place] = &[
    Place::Role(Role::Etcd),
    Place::Role(Role::ControlPlane),
    Place::Role(Role::Worker),
    Place::Role(Role::LoadBalancer),
];
/// Hosts and operators.
pub(in crate::plan) const EVERYWHERE: &[Place] = &[
    Place::Role(Role::Etcd),
    Place::Role(Role::ControlPlane),
    Place::Role(Role::Worker),
    Place::Role(Role::LoadBalancer),
    Place::Operator,
];
pub(in crate::plan) const OPERATOR: &[Place] = &[Place::Operator];

/// Where something is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On every host of a role.
    Role(Role),
    /// On the control plane that the others join.
    FirstControlPlane,
    /// On etcd members that are no control planes: the kubelet is etcd's service manager there.
    EtcdAlone,
    /// On control planes with an etcd member of their own.
    Stacked,
    /// In the operators' bundle.
    Operator,
}

impl Place {
    /// The places that a host of the spec is.
    pub fn of_host(spec: &Spec, name: &HostName, host: &Host) -> Vec<Self> {
        let mut places: Vec<Self> = host.roles.iter().copied().map(Self::Role).collect();
        let control_plane = host.has(Role::ControlPlane);
        if host.has(Role::Etcd) {
            places.push(if control_plane { Self::Stacked } else { Self::EtcdAlone });
        }
        if control_plane && first_control_plane(spec) == Some(name) {
            places.push(Self::FirstControlPlane);
        }
        places
    }

    /// Whether every host of this place is one of the other, too.
    #[cfg(test)]
    pub(in crate::plan) fn is_within(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::FirstControlPlane | Self::Stacked, Self::Role(Role::ControlPlane))
                    | (Self::EtcdAlone | Self::Stacked, Self::Role(Role::Etcd))
            )
    }

    pub(in crate::plan) fn any(here: &[Self], wanted: &[Self]) -> bool {
        here.iter().any(|place| wanted.contains(place))
    }
}

/// The control plane that the others join: the one that the spec names, else the first by name.
pub(in crate::plan) fn first_control_plane(spec: &Spec) -> Option<&HostName> {
    let mut all = spec.hosts.iter().filter(|(_, host)| host.has(Role::ControlPlane));
    let named = spec.kubernetes.first_control_plane.as_ref();
    match named.filter(|name| spec.hosts.get(*name).is_some_and(|host| host.has(Role::ControlPlane))) {
        Some(name) => Some(name),
        None => all.next().map(|(name, _)| name),
    }
}

/// Whether a spec has a Kubernetes control plane.
pub(in crate::plan) fn has_control_plane(spec: &Spec) -> bool {
    spec.kubernetes.provisioner != Provisioner::None
        && spec.hosts.values().any(|host| host.has(Role::ControlPlane))
}
