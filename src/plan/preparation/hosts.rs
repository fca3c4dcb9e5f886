//! Names of the cluster in a block of `/etc/hosts`.

use super::Site;
use serde::Serialize;

/// Names of the cluster in a block of `/etc/hosts`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostsPlan {}

/// Not planned yet.
pub(super) fn plan(site: &Site<'_>) -> Option<HostsPlan> {
    let _ = (site.shared, site.name, site.host, site.kubelet, &site.settings.prep.hosts);
    None
}
