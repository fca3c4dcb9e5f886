//! Limits of units, and their order.

use super::Site;
use serde::Serialize;

/// Limits of units, and their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsPlan {}

/// Not planned yet.
pub(super) fn plan(site: &Site<'_>) -> Option<LimitsPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.limits);
    None
}
