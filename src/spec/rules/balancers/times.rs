//! Lengths of time that a balancer cannot or should not have.

use super::{Holes, Problem, Spec, doubtful, entries, wrong};
use crate::spec::scalars::Length;

/// Clients of API servers ping every 30 seconds (`http2ReadIdleTimeout` of client-go), and have 15 for the
/// answer; in milliseconds.
const IDLE: u64 = 45_000;
/// A check opens a connection over TLS; in milliseconds.
const CHECK: u64 = 100;

/// A proxy does not cut off whom a ping would have kept.
pub(in crate::spec::rules) fn idle_timeout(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in entries(spec, holes).iter().filter(|entry| entry.of.kind.is_proxy()) {
        let at = entry.path.key("idleTimeout");
        let Some(length) = entry.of.idle_timeout.filter(|_| !holes.touch(&at)) else { continue };
        if length.milliseconds() < IDLE {
            let what = format!("clients ping every 30s, and are cut off after {length}");
            problems.push(doubtful(at, what).hint("write 45s or more"));
        }
    }
}

/// Checks leave API servers time to answer, and to do something else.
pub(in crate::spec::rules) fn checks(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in entries(spec, holes) {
        let check = &entry.of.check;
        let of_check: [(&str, Option<Length>); 2] =
            [("interval", check.interval), ("timeout", check.timeout)];
        for (field, length) in of_check {
            let at = entry.path.key("check").key(field);
            let Some(length) = length.filter(|it| it.milliseconds() < CHECK && !holes.touch(&at)) else {
                continue;
            };
            let what = format!("{length} is too short for a check over TLS");
            problems.push(wrong(at, what).hint("write 100ms or more"));
        }
    }
}
