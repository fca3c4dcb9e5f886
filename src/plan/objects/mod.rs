//! What the operators apply to a cluster once: objects that kubeadm would make.

mod kube_proxy;

use super::host::Shared;
use serde::Serialize;

pub(super) use kube_proxy::{configuration as kube_proxy_configuration, problems};

/// What the operators apply to a cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectsPlan {}

/// The objects; none without a control plane.
pub(super) fn plan(_shared: &Shared<'_>) -> Option<ObjectsPlan> {
    None
}
