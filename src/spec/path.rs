//! Where in a spec: `hosts.infra0.addresses[0]`.

use super::scalars::shown;
use std::fmt::{self, Write as _};

/// A place in a spec, from the root: keys joined by `.`, positions in lists in brackets.
///
/// A key with characters other than letters, digits, `_` and `-` stands in double quotes:
/// `hosts."a.example".roles`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(String);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of a key.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
}

impl Path {
    /// The whole spec.
    pub fn root() -> Self {
        Self::default()
    }

    /// The value of a key in the mapping at this path.
    #[must_use]
    pub fn key(&self, key: impl AsRef<str>) -> Self {
        let key = key.as_ref();
        let mut path = self.0.clone();
        if !path.is_empty() {
            path.push('.');
        }
        if !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            path.push_str(key);
        } else {
            path.push('"');
            path.push_str(&shown(key).replace('\\', "\\\\").replace('"', "\\\""));
            path.push('"');
        }
        Self(path)
    }

    /// An item, counted from 0, of the list at this path.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.0.clone();
        // writing to a String cannot fail
        let _ = write!(path, "[{index}]");
        Self(path)
    }

    /// A path that was written by this type.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The path as text; empty for the whole spec.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// ` in PATH`, and nothing at the root.
    pub(crate) fn within(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!(" in {}", self.0) }
    }

    /// The path as the subject of a sentence.
    pub(crate) fn subject(&self) -> &str {
        if self.0.is_empty() { "the spec" } else { &self.0 }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.0
    }
}

/// The steps of a path's text, as far as they can be read.
pub(crate) fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let Some((step, tail)) = step(rest) else { break };
        steps.push(step);
        rest = tail;
    }
    steps
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(index) = text.strip_prefix('[') {
        let (digits, tail) = index.split_once(']')?;
        return Some((Step::Index(digits.parse().ok()?), tail));
    }
    let text = text.strip_prefix('.').unwrap_or(text);
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['.', '[']).unwrap_or(text.len());
        let (key, tail) = text.split_at(end);
        return (!key.is_empty()).then(|| (Step::Key(key.to_owned()), tail));
    };
    let mut key = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Step::Key(key), quoted.get(at + 1..)?)),
            '\\' => key.push(chars.next()?.1),
            c => key.push(c),
        }
    }
    None
}
