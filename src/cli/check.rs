//! `sealift check`: all problems of a spec, and what a change does.

use super::args::Check;
use super::build::templates;
use super::change::{self, Change};
use super::failure::{Failure, USAGE};
use super::output::Output;
use super::steps::Proofs;
use super::world::{self, Issued, SpecFile};
use crate::spec::Problem;
use serde::Serialize;

#[derive(Serialize)]
struct Checked<'a> {
    command: &'static str,
    exit: u8,
    problems: &'a [Problem],
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'a Change>,
}

pub(super) fn run(arguments: &Check, output: &mut Output<'_>) -> Result<u8, Failure> {
    let mut spec = world::spec(&arguments.spec, Issued::Needed)?;
    let mut change = None;
    if let Some(previous) = arguments.previous.as_deref().filter(|_| !spec.has_errors()) {
        let proofs = Proofs::read(arguments)?;
        let (found, problems) =
            change::against(&spec, previous, &templates(arguments.templates.as_deref())?, &proofs)?;
        spec.add(problems);
        change = Some(found);
    }
    let exit = if spec.has_errors() { USAGE } else { 0 };
    let (problems, change) = (&spec.problems[..], change.as_ref());
    output.json(&Checked { command: "check", exit, problems, change });
    show(&spec, output);
    if exit == 0 {
        let hosts = spec.plan.hosts.len();
        let warnings = spec.problems.len();
        let warned =
            if warnings == 0 { String::new() } else { format!(", {}", counted(warnings, "warning")) };
        output.good("ok", format_args!("{}: {}{warned}", spec.name, counted(hosts, "host")));
        if let Some(change) = change {
            change.tell(output);
        }
    }
    Ok(exit)
}

/// Shows what is wrong before another command; whether it may go on.
pub(super) fn report(spec: &SpecFile, command: &'static str, output: &mut Output<'_>) -> bool {
    show(spec, output);
    if spec.has_errors() {
        output.json(&Checked { command, exit: USAGE, problems: &spec.problems, change: None });
    }
    !spec.has_errors()
}

/// The same for errors that were found later, after [`report`].
pub(super) fn report_later(
    command: &'static str,
    spec: &mut SpecFile,
    found: Vec<Problem>,
    output: &mut Output<'_>,
) -> bool {
    spec.problems.clear();
    spec.add(found);
    spec.problems.is_empty() || report(spec, command, output)
}

fn show(spec: &SpecFile, output: &mut Output<'_>) {
    output.problems(&spec.name, &spec.problems);
    let errors = spec.problems.iter().filter(|problem| problem.is_error()).count();
    if errors > 0 {
        output.note(format_args!("{}: {}", spec.name, counted(errors, "error")));
    }
}

pub(super) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
