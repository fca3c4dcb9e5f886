//! The context of the units that verify a host.

use crate::plan::TimerPlan;
use serde::Serialize;

/// What both units may say.
#[derive(Serialize)]
pub(super) struct Timer {
    program: String,
    within: String,
    on_calendar: String,
    randomized_delay: u64,
    metrics: Option<String>,
    /// Where the metrics lie.
    directory: Option<String>,
}

/// The context.
pub(super) fn context(plan: &TimerPlan) -> Timer {
    let TimerPlan { on_calendar, randomized_delay, within, metrics, program } = plan.clone();
    let directory = metrics.as_deref().and_then(|file| file.rsplit_once('/'));
    let directory = directory.map(|(directory, _)| directory.to_owned());
    Timer { program, within, on_calendar, randomized_delay, metrics, directory }
}
