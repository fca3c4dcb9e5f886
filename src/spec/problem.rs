//! What is wrong with a spec, and where.

use serde::Serialize;
use std::fmt::Write as _;

/// Whether a problem stops a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does: nothing can be built from this spec.
    Error,
    /// It does not, but somebody should look.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place in the text: line and column, both from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

/// One problem of a spec.
///
/// Later stages make them by path alone; [`super::Loaded::locate`] adds position and source line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether it stops a build.
    pub severity: Severity,
    /// The value it is about, as [`super::Path`] writes it; empty for the whole spec.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The line it stands on, or the part of a long line around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The line holds or may hold a secret: it is never shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// What to underline in `source`: characters before, and how many.
    #[serde(skip)]
    pub(crate) underline: (usize, usize),
}

impl Problem {
    /// A problem that stops a build.
    pub fn error(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, path.into(), message.into())
    }

    /// A problem that does not stop a build.
    pub fn warning(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, path.into(), message.into())
    }

    fn new(severity: Severity, path: String, message: String) -> Self {
        let (hint, position, source) = (None, None, None);
        Self { severity, path, message, hint, position, source, secret: false, underline: (0, 0) }
    }

    /// Whether it stops a build.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same problem with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem as a person reads it, with its line of `file`; ends with a line feed.
    pub fn render(&self, file: &str) -> String {
        let mut out = format!("{}: {}\n", self.severity.name(), self.message);
        // writing to a String cannot fail
        let _ = self.render_place(&mut out, file);
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "hint: {hint}");
        }
        out
    }

    fn render_place(&self, out: &mut String, file: &str) -> std::fmt::Result {
        let Some(Position { line, column }) = self.position else {
            return writeln!(out, " --> {file}");
        };
        let number = line.to_string();
        let gutter = number.len();
        writeln!(out, "{:gutter$}--> {file}:{line}:{column}", "")?;
        let Some(source) = self.source.as_deref().filter(|_| !self.secret) else {
            return Ok(());
        };
        let (before, width) = self.underline;
        writeln!(out, "{:gutter$} |", "")?;
        writeln!(out, "{number} | {source}")?;
        writeln!(out, "{:gutter$} | {:before$}{:^<width$}", "", "", "")
    }
}
