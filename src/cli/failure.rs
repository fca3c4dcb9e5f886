//! A command that cannot go on: what, why, what to do, and the exit code.

use std::error::Error;
use std::fmt::Write as _;

/// Exit code of usage errors and wrong specs.
pub(super) const USAGE: u8 = 2;
/// Exit code when there is nothing to trust.
pub(super) const TRUST: u8 = 3;
/// Exit code when the machine failed.
pub(super) const MACHINE: u8 = 7;

/// Why a command stops.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: u8,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn new(exit: u8, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// A failure with the message of an error and all its causes.
    pub(super) fn from_error(exit: u8, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.downcast_ref().map_or_else(|| cause.to_string(), super::world::reason);
            if !message.ends_with(&text) {
                let _ = write!(message, ": {text}");
            }
            source = cause.source();
        }
        Self::new(exit, message)
    }

    /// The same failure, said of a file.
    #[must_use]
    pub(super) fn about(mut self, path: &std::path::Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
