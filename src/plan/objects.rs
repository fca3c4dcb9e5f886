//! What the operators apply to a cluster once: objects that kubeadm would make.

use super::host::Shared;
use serde::Serialize;

/// What the operators apply to a cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectsPlan {}

/// The objects; none without a control plane.
pub(super) fn plan(_shared: &Shared<'_>) -> Option<ObjectsPlan> {
    None
}
