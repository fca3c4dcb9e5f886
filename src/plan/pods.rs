//! The static pods of a control plane without kubeadm.

use super::EtcdPlan;
use super::host::Shared;
use super::settings::Settings;
use crate::spec::scalars::HostName;
use crate::spec::types::Host;
use serde::Serialize;

/// One static pod.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodPlan {
    /// Its name and its program's.
    pub name: &'static str,
}

/// The pods of one host, in byte order of their names; none under kubeadm.
pub(super) fn plan(
    _shared: &Shared<'_>,
    _name: &HostName,
    _host: &Host,
    _settings: &Settings,
    _etcd: Option<&EtcdPlan>,
) -> Vec<PodPlan> {
    Vec::new()
}
