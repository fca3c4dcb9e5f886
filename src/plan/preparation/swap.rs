//! What becomes of swap: a unit that turns it off, or what the kubelet is told of it.
//!
//! Sources: KEP-2400; `pkg/kubelet/apis/config/validation`.

use super::{Site, is_off};
use crate::spec::types::{HostPrep, SwapMode};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What becomes of swap.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SwapPlan {
    /// The kubelet's word for what pods may use; none where swap is turned off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behavior: Option<&'static str>,
}

/// What becomes of swap where a kubelet runs.
pub(super) fn plan(site: &Site<'_>) -> Option<SwapPlan> {
    let _ = site.kubelet?;
    Some(SwapPlan { behavior: behavior(mode(&site.settings.prep)?) })
}

impl SwapPlan {
    /// Whether it is turned off.
    pub fn is_off(&self) -> bool {
        self.behavior.is_none()
    }
}

/// What becomes of swap; none where nobody says so.
pub(super) fn mode(prep: &HostPrep) -> Option<SwapMode> {
    let part = prep.swap.as_ref().filter(|part| !is_off(part.enabled))?;
    Some(part.mode.unwrap_or_default())
}

/// The `swapBehavior` of a mode (from 1.30 on).
pub(super) const fn behavior(mode: SwapMode) -> Option<&'static str> {
    match mode {
        SwapMode::Off => None,
        SwapMode::System => Some("NoSwap"),
        SwapMode::Limited => Some("LimitedSwap"),
    }
}

/// What a kubelet is told of swap: nothing where it is off, because it then refuses to start with swap.
pub(in crate::plan) fn of_kubelet(prep: &HostPrep) -> Map<String, Value> {
    let behavior = mode(prep).and_then(behavior);
    let fields = behavior.map(|behavior| {
        [
            ("failSwapOn".to_owned(), false.into()),
            ("memorySwap".to_owned(), json!({ "swapBehavior": behavior })),
        ]
    });
    fields.into_iter().flatten().collect()
}
