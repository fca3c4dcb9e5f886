//! The text of a spec, by lines, as problems may show it.

use super::problem::{Position, Problem};
use super::scalars::{is_plain, looks_secret};
use super::tree::Mark;
use std::collections::BTreeSet;
use std::fmt;

/// How much of a long line is shown, in characters.
const WIDEST: usize = 120;

/// The lines of a spec, and which of them must not be shown.
#[derive(Default)]
pub(crate) struct Source {
    lines: Vec<String>,
    hidden: BTreeSet<usize>,
}

/// Without the lines: they may hold a private key that somebody pasted.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("lines", &self.lines.len()).finish_non_exhaustive()
    }
}

impl Source {
    /// Splits a text where YAML does: at CR, LF and CR LF.
    pub(crate) fn new(text: &str) -> Self {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let hidden = secret_lines(&lines);
        Self { lines, hidden }
    }

    /// Whether any line looks like a private key.
    pub(crate) fn has_secrets(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// Lines, from 1, on which a private key begins.
    pub(crate) fn secret_starts(&self) -> impl Iterator<Item = usize> + '_ {
        (1..).zip(&self.lines).filter(|(_, line)| looks_secret(line)).map(|(number, _)| number)
    }

    /// Never shows these lines, counted from 1.
    pub(crate) fn hide(&mut self, lines: std::ops::RangeInclusive<usize>) {
        self.hidden.extend(lines);
    }

    /// Never shows any line.
    pub(crate) fn hide_all(&mut self) {
        self.hide(1..=self.lines.len());
    }

    /// Adds a place, and its line if that may be shown, to a problem.
    pub(crate) fn place(&self, problem: &mut Problem, mark: Mark) {
        problem.position = Some(Position { line: mark.line, column: mark.column });
        if problem.secret || self.hidden.contains(&mark.line) {
            return;
        }
        let Some(line) = mark.line.checked_sub(1).and_then(|index| self.lines.get(index)) else { return };
        let before = mark.column.saturating_sub(1);
        // a long line is cut to a window that begins a little before the place
        let long = line.chars().nth(WIDEST).is_some();
        let start = if long && before > WIDEST / 2 { before - WIDEST / 4 } else { 0 };
        let shown: String = line.chars().skip(start).take(WIDEST).map(harmless).collect();
        let length = shown.trim_end().chars().count();
        let offset = before - start;
        problem.underline = (offset, mark.width.min(length.saturating_sub(offset)).max(1));
        problem.source = Some(shown.trim_end().to_owned());
    }
}

/// A character as a terminal may get it, one column wide for carets to stay in step.
fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        c if is_plain(c) => c,
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// Lines, from 1, that hold a private key: marked ones, and PEM blocks to their end.
fn secret_lines(lines: &[String]) -> BTreeSet<usize> {
    let mut hidden = BTreeSet::new();
    let mut inside = false;
    for (number, line) in (1..).zip(lines) {
        if looks_secret(line) {
            inside = line.contains("BEGIN") && !line.contains("END ");
            hidden.insert(number);
        } else if inside {
            hidden.insert(number);
        }
    }
    hidden
}
