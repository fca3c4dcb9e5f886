//! Unified diffs of public texts.

use crate::finding::is_plain;
use similar::TextDiff;

/// Lines around each change.
const CONTEXT: usize = 3;
/// Base64 tells people nothing: what certificates say is `sealift certs`.
const PEM: &str = "-----BEGIN ";
/// What is longer is not shown: comparing takes the product of length and differences.
const BYTES: usize = 1024 * 1024;
const LINES: usize = 10_000;

/// The unified diff, in the form that `patch -p1` takes. `None` when a side is no text that can be
/// shown on a terminal, is PEM, or is too long.
pub(crate) fn unified(path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Option<String> {
    let (before, after) = (readable(old.unwrap_or_default())?, readable(new.unwrap_or_default())?);
    let side = |letter, there: bool| if there { format!("{letter}{path}") } else { "/dev/null".to_owned() };
    let diff = TextDiff::from_lines(before, after);
    let header = (side('a', old.is_some()), side('b', new.is_some()));
    Some(diff.unified_diff().context_radius(CONTEXT).header(&header.0, &header.1).to_string())
}

fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= BYTES)?;
    let shown = |c: char| is_plain(c) || matches!(c, '\n' | '\t');
    let pem = text.lines().any(|line| line.starts_with(PEM));
    (!pem && text.chars().all(shown) && text.lines().count() <= LINES).then_some(text)
}
