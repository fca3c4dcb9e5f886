//! kube-vip: virtual addresses by ARP, NDP or BGP.

use super::Site;
use crate::spec::Problem;
use serde::Serialize;

/// kube-vip: virtual addresses by ARP, NDP or BGP.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeVipPlan {}

/// Not planned yet.
pub(super) fn plan(site: &Site<'_>, problems: &mut Vec<Problem>) -> Option<KubeVipPlan> {
    let _ = (site.shared, site.name, site.host, site.settings, site.entry, &site.path, problems);
    None
}
