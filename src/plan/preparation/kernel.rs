//! Modules and settings of the kernel.

use super::Site;
use serde::Serialize;

/// Settings of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SysctlPlan {}

/// Modules of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModulesPlan {}

/// Not planned yet.
pub(super) fn sysctl(site: &Site<'_>) -> Option<SysctlPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.sysctl);
    None
}

/// Not planned yet.
pub(super) fn modules(site: &Site<'_>) -> Option<ModulesPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.modules);
    None
}
