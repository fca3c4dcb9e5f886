//! The time zone, and where the time comes from.

use super::Site;
use serde::Serialize;

/// The time zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimezonePlan {}

/// Where the time comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NtpPlan {}

/// Not planned yet.
pub(super) fn timezone(site: &Site<'_>) -> Option<TimezonePlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.timezone);
    None
}

/// Not planned yet.
pub(super) fn ntp(site: &Site<'_>) -> Option<NtpPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.ntp);
    None
}

impl NtpPlan {
    /// Whether chrony asks.
    pub fn is_chrony(&self) -> bool {
        false
    }
}
