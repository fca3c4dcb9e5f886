//! When hosts are verified, beside the gates.

use super::super::scalars::{AbsolutePath, Calendar, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// When hosts are verified, beside the gates.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Verify {
    /// A timer of systemd's that runs `sealift verify --root /`; on where a layer writes it.
    #[schemars(with = "VerifyTimer")]
    pub timer: Option<VerifyTimer>,
}

/// A timer that verifies a host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct VerifyTimer {
    /// `false` turns it off again; `true` where `timer` is written.
    pub enabled: Option<bool>,
    /// When, as systemd says it; `hourly` by default.
    pub on_calendar: Option<Calendar>,
    /// By how much hosts are apart at most, so that a fleet does not start at once; 15 minutes by default.
    pub randomized_delay: Option<Span>,
    /// Also find what expires within this time; 30 days by default.
    pub within: Option<Span>,
    /// A file for node-exporter's textfile collector, `….prom`; none by default.
    pub metrics: Option<AbsolutePath>,
    /// Where the sealift program is; where the gate's is by default.
    pub program: Option<AbsolutePath>,
}
