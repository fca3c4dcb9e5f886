//! Configurations of container runtimes.

use super::Site;
use serde::Serialize;

/// containerd's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerdPlan {}

/// Docker's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DockerPlan {}

/// CRI-O's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CrioPlan {}

/// `crictl`'s configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CrictlPlan {}

/// Not planned yet.
pub(super) fn containerd(site: &Site<'_>) -> Option<ContainerdPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.containerd);
    None
}

/// Not planned yet.
pub(super) fn docker(site: &Site<'_>) -> Option<DockerPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.docker);
    None
}

/// Not planned yet.
pub(super) fn crio(site: &Site<'_>) -> Option<CrioPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.crio);
    None
}

/// Not planned yet.
pub(super) fn crictl(site: &Site<'_>) -> Option<CrictlPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.crictl);
    None
}
