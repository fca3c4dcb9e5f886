//! Logs and the journal.

use super::Site;
use serde::Serialize;

/// Logs that are rotated.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogrotatePlan {}

/// How much the journal keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JournaldPlan {}

/// Not planned yet.
pub(super) fn logrotate(site: &Site<'_>) -> Option<LogrotatePlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.logrotate);
    None
}

/// Not planned yet.
pub(super) fn journald(site: &Site<'_>) -> Option<JournaldPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.journald);
    None
}
