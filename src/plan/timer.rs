//! The timer that verifies a host.

use super::os;
use super::settings::Settings;
use crate::spec::types::VerifyTimer;
use serde::Serialize;

/// The timer that verifies a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimerPlan {
    /// When, as systemd says it.
    pub on_calendar: String,
    /// Seconds by which hosts are apart at most.
    pub randomized_delay: u64,
    /// What expires within this time is a finding: a span of the command line.
    pub within: String,
    /// The file of the metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// The sealift program.
    pub program: String,
}

const HOURLY: &str = "hourly";
const QUARTER: u64 = 15 * 60;
const MONTH: &str = "30d";

/// The timer of a host; none where no layer asks for one.
pub(super) fn plan(settings: &Settings) -> Option<TimerPlan> {
    let VerifyTimer { enabled, on_calendar, randomized_delay, within, metrics, program } =
        settings.timer.as_ref()?;
    if *enabled == Some(false) {
        return None;
    }
    let program = program.as_ref().or(settings.gate.program.as_ref()).map(ToString::to_string);
    Some(TimerPlan {
        on_calendar: on_calendar.as_ref().map_or_else(|| HOURLY.to_owned(), ToString::to_string),
        randomized_delay: randomized_delay.map_or(QUARTER, |span| span.seconds()),
        within: within.map_or_else(|| MONTH.to_owned(), |span| span.to_string()),
        metrics: metrics.as_ref().map(ToString::to_string),
        program: program.unwrap_or_else(|| os::paths(settings.os).sealift.to_owned()),
    })
}
