//! keepalived: virtual addresses by VRRP.

use super::Site;
use crate::spec::Problem;
use crate::spec::types::BalancerRun;
use serde::Serialize;

/// keepalived: virtual addresses by VRRP.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeepalivedPlan {
    /// Under what it runs.
    #[serde(serialize_with = "super::run_name")]
    pub run: BalancerRun,
}

/// Not planned yet.
pub(super) fn plan(site: &Site<'_>, problems: &mut Vec<Problem>) -> Option<KeepalivedPlan> {
    let _ = (site.shared, site.name, site.host, site.settings, site.entry, &site.path, problems);
    None
}
