//! kubeadm's configuration of one host, where kubeadm makes the nodes.

use super::host::Shared;
use super::settings::Settings;
use crate::spec::scalars::HostName;
use crate::spec::types::{FreeForm, Host};
use serde::Serialize;

/// kubeadm's configuration of one host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeadmPlan {
    /// The documents of its file, in order.
    pub documents: Vec<FreeForm>,
}

/// The configuration of one host; none where kubeadm makes no node.
pub(super) fn plan(
    _shared: &Shared<'_>,
    _name: &HostName,
    _host: &Host,
    _settings: &Settings,
) -> Option<KubeadmPlan> {
    None
}
