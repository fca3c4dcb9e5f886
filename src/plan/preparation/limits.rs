//! Limits of units, and their order.

use super::{Site, SwapPlan, is_off, swap};
use crate::spec::types::RuntimeKind;
use serde::Serialize;

/// Limits of units, and their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsPlan {
    /// Open files of each unit.
    pub open_files: u32,
    /// The unit of the container runtime.
    pub runtime: &'static str,
    /// Whether swap is turned off before the kubelet.
    pub without_swap: bool,
}

/// Open files of a unit: what container runtimes' own units had for years, and the kernel's `fs.nr_open` by
/// default.
const OPEN_FILES: u32 = 1_048_576;

/// Limits where a kubelet runs.
pub(super) fn plan(site: &Site<'_>) -> Option<LimitsPlan> {
    let _ = site.kubelet?;
    let part = site.settings.prep.limits.as_ref().filter(|part| !is_off(part.enabled))?;
    Some(LimitsPlan {
        open_files: part.open_files.unwrap_or(OPEN_FILES),
        runtime: match site.shared.spec.container_runtime.kind {
            RuntimeKind::Containerd => "containerd.service",
            RuntimeKind::Crio => "crio.service",
        },
        without_swap: swap::plan(site).is_some_and(|swap| SwapPlan::is_off(&swap)),
    })
}
