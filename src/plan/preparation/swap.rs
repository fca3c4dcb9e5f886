//! What becomes of swap.

use super::Site;
use serde::Serialize;

/// What becomes of swap.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SwapPlan {}

/// Not planned yet.
pub(super) fn plan(site: &Site<'_>) -> Option<SwapPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.swap);
    None
}

impl SwapPlan {
    /// Whether it is turned off.
    pub fn is_off(&self) -> bool {
        false
    }
}
