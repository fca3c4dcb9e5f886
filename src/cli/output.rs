//! What commands print: data on stdout, messages on stderr, colour on terminals only.

use super::args::Format;
use super::failure::Failure;
use super::failure::USAGE;
use super::sarif::{self, Report};
use crate::finding::Finding;
use crate::spec::Problem;
use anstyle::{AnsiColor, Style};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;
use std::io::{self, Write};

/// A command that could not go on, as JSON.
#[derive(Serialize, JsonSchema)]
pub(super) struct Stopped<'a> {
    /// The command.
    command: &'a str,
    /// The exit code.
    exit: u8,
    /// What is wrong.
    error: &'a str,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// Where a command's output goes. Tests and the demo put buffers here.
pub(super) struct Output<'w> {
    pub(super) format: Format,
    pub(super) data: &'w mut dyn Write,
    pub(super) messages: &'w mut dyn Write,
    /// Whether progress may be drawn on stderr.
    pub(super) progress: bool,
    /// Whether nothing is printed but usage errors.
    pub(super) silent: bool,
    /// The first failure to write data.
    pub(super) broken: Option<io::Error>,
}

/// What is wrong.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What may go wrong.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();

impl Output<'_> {
    fn write(&mut self, text: fmt::Arguments<'_>) {
        if !self.silent {
            let result = self.data.write_fmt(text);
            self.keep(result);
        }
    }

    /// Notes that data could not be written. A reader that went away (a closed pipe) is no failure.
    pub(super) fn keep(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.broken.get_or_insert(error);
        }
    }

    /// Whether data is printed as JSON.
    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether findings are printed as SARIF.
    pub(super) fn is_sarif(&self) -> bool {
        self.format == Format::Sarif
    }

    /// One line of data for people. Nothing in other formats.
    pub(super) fn line(&mut self, line: impl fmt::Display) {
        if self.format == Format::Text {
            self.write(format_args!("{line}\n"));
        }
    }

    /// One JSON object. Nothing for people.
    pub(super) fn json<T: Serialize>(&mut self, value: &T) {
        if self.is_json() {
            let text = serde_json::to_string_pretty(value).unwrap_or_default();
            self.write(format_args!("{text}\n"));
        }
    }

    /// What a command found, as SARIF. Nothing in other formats.
    pub(super) fn sarif(&mut self, report: &Report<'_>) {
        if self.is_sarif() {
            let text = serde_json::to_string_pretty(&sarif::log(report)).unwrap_or_default();
            self.write(format_args!("{text}\n"));
        }
    }

    /// Raw data, whatever the format.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        if !self.silent {
            let result = self.data.write_all(bytes);
            self.keep(result);
        }
    }

    /// A line that says that something went well.
    pub(super) fn good(&mut self, what: &str, rest: impl fmt::Display) {
        if self.format == Format::Text {
            self.write(format_args!("{GOOD}{what}{GOOD:#} {rest}\n"));
        }
    }

    pub(super) fn note(&mut self, line: impl fmt::Display) {
        self.message(format_args!("{line}"));
    }

    fn message(&mut self, line: fmt::Arguments<'_>) {
        if !self.silent {
            // where messages cannot be written, nobody can be told
            drop(writeln!(self.messages, "{line}"));
        }
    }

    pub(super) fn warning(&mut self, message: impl fmt::Display, hint: &str) {
        self.message(format_args!("{WARNING}warning:{WARNING:#} {message}"));
        self.hint(hint);
    }

    pub(super) fn hint(&mut self, hint: &str) {
        if !hint.is_empty() {
            self.message(format_args!("{HINT}hint:{HINT:#} {hint}"));
        }
    }

    /// The problems of a spec: to stderr for people.
    pub(super) fn problems(&mut self, file: &str, problems: &[Problem]) {
        for problem in problems {
            let text = problem.render(file);
            let text = text.strip_prefix("error:").map_or_else(
                || text.replacen("warning:", &format!("{WARNING}warning:{WARNING:#}"), 1),
                |rest| format!("{ERROR}error:{ERROR:#}{rest}"),
            );
            self.message(format_args!("{}\n", text.trim_end()));
        }
    }

    /// Findings, one line each with what to do below: data, so on stdout.
    pub(super) fn findings(&mut self, findings: &[Finding]) {
        for finding in findings {
            let rest = finding.values();
            self.line(format_args!("{ERROR}{}{ERROR:#} {}{rest}", finding.id, finding.path));
            self.line(format_args!("  {HINT}mend:{HINT:#} {}", finding.mend));
        }
    }

    /// What went wrong beside the command's own work; it goes on.
    pub(super) fn trouble(&mut self, failure: &Failure) {
        self.message(format_args!("{ERROR}error:{ERROR:#} {}", failure.message));
        self.hint(failure.hint.as_deref().unwrap_or_default());
    }

    /// A command's end.
    pub(super) fn failure(&mut self, command: &'static str, failure: &Failure) {
        self.silent &= failure.exit != USAGE;
        self.json(&Stopped {
            command,
            exit: failure.exit,
            error: &failure.message,
            hint: failure.hint.as_deref(),
        });
        self.sarif(&Report { stopped: Some(failure), ..Report::new(command, failure.exit, &[]) });
        self.message(format_args!("{ERROR}error:{ERROR:#} {}", failure.message));
        self.hint(failure.hint.as_deref().unwrap_or_default());
    }
}
