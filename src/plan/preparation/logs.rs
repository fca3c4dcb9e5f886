//! Logs and the journal.

use super::{Site, is_off};
use crate::spec::scalars::{ByteSize, Span};
use serde::Serialize;

/// Logs that are rotated.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogrotatePlan {
    /// Patterns of their paths.
    pub paths: Vec<String>,
    /// How many old ones are kept.
    pub keep: u32,
    /// From how many bytes on they are rotated.
    pub size: u64,
}

/// How much the journal keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JournaldPlan {
    /// Bytes on disk at most.
    pub max_use: u64,
    /// Seconds after which entries go; none for as long as there is room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retention: Option<u64>,
}

const KEEP: u32 = 7;
const SIZE: u64 = 100 << 20;
const MAX_USE: u64 = 2 << 30;

/// Logs that are rotated; none without a path.
pub(super) fn logrotate(site: &Site<'_>) -> Option<LogrotatePlan> {
    let part = site.settings.prep.logrotate.as_ref().filter(|part| !is_off(part.enabled))?;
    let paths: Vec<_> = part.paths.iter().map(ToString::to_string).collect();
    (!paths.is_empty()).then(|| LogrotatePlan {
        paths,
        keep: part.keep.unwrap_or(KEEP),
        size: part.size.map_or(SIZE, ByteSize::bytes),
    })
}

/// How much the journal keeps.
pub(super) fn journald(site: &Site<'_>) -> Option<JournaldPlan> {
    let part = site.settings.prep.journald.as_ref().filter(|part| !is_off(part.enabled))?;
    Some(JournaldPlan {
        max_use: part.max_use.map_or(MAX_USE, ByteSize::bytes),
        max_retention: part.max_retention.map(Span::seconds),
    })
}
