//! The vectors: a name, what was done, and what must be found.

mod contents;
mod form;
mod manifests;
mod outputs;
mod signatures;

use super::Made;
use super::base;

/// One vector.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What is wrong with it.
    pub(crate) done: &'static str,
    /// Arguments of `sealift verify` beside `--trust trust --at 2026-12-01T00:00:00Z`.
    pub(crate) arguments: &'static str,
    /// The id of each finding.
    pub(crate) ids: &'static [&'static str],
    pub(crate) exit: i32,
    pub(crate) make: fn() -> Made,
}

/// A row: of one id, without arguments.
const fn row(
    name: &'static str,
    id: &'static [&'static str],
    exit: i32,
    done: &'static str,
    make: fn() -> Made,
) -> Case {
    Case { name, done, arguments: "", ids: id, exit, make }
}

/// Opened with the host's identity.
const OPENED: &str = "-i identity";

fn made(bytes: Vec<u8>) -> Made {
    Made::Bundle(bytes)
}

fn good() -> [Case; 3] {
    [
        row("good-small", &[], 0, "nothing", || made(base::form(|_| {}))),
        Case {
            arguments: OPENED,
            ..row("good-full", &[], 0, "nothing", || made(base::filed(&base::full())))
        },
        row("good-output", &[], 0, "nothing", outputs::good),
    ]
}

pub(crate) fn all() -> Vec<Case> {
    let mut all = good().to_vec();
    all.extend(form::cases());
    all.extend(signatures::cases());
    all.extend(manifests::cases());
    all.extend(contents::cases());
    all.extend(outputs::cases());
    all
}
