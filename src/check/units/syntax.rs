//! One unit file: its assignments, as systemd's `conf-parser.c` reads them.

/// The largest unit file that is read, in bytes. systemd takes no longer line.
pub const MOST_BYTES: u64 = 1 << 20;

/// One `KEY=VALUE` of a unit file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The section, without brackets.
    pub section: String,
    /// What stands in front of the first `=`.
    pub key: String,
    /// What stands behind it, without blanks around it; lines that continue are joined.
    pub value: String,
    /// The line that it ends in, from 1.
    pub line: usize,
}

/// What a unit file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitFile {
    /// Its assignments, in order.
    pub assignments: Vec<Assignment>,
    /// The line at which systemd gives up on the file: no text, or a section's head that is none.
    /// What stands above it holds.
    pub broken: Option<usize>,
}

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Reads a unit file. Every sequence of bytes is one, up to where it is broken.
pub fn read(bytes: &[u8]) -> UnitFile {
    let mut reader = Reader::default();
    let mut continued: Option<Vec<u8>> = None;
    let mut bom_may_come = true;
    let mut number = 0;
    for line in lines(bytes) {
        number += 1;
        if is_comment(line) {
            continue;
        }
        let mut line = line;
        if bom_may_come && let Some(rest) = line.strip_prefix(b"\xef\xbb\xbf") {
            bom_may_come = false;
            line = rest;
        }
        let mut logical = continued.take().unwrap_or_default();
        logical.extend_from_slice(line);
        if ends_escaped(&logical) {
            logical.pop();
            logical.push(b' ');
            continued = Some(logical);
        } else if reader.line(&logical, number).is_none() {
            return reader.broken(number);
        }
    }
    // systemd counts the line that is not there
    if let Some(logical) = continued
        && reader.line(&logical, number + 1).is_none()
    {
        return reader.broken(number + 1);
    }
    reader.file
}

#[derive(Default)]
struct Reader {
    section: Option<String>,
    file: UnitFile,
}

impl Reader {
    fn broken(mut self, line: usize) -> UnitFile {
        self.file.broken = Some(line);
        self.file
    }

    /// Takes one logical line; none when systemd would not read on.
    fn line(&mut self, line: &[u8], number: usize) -> Option<()> {
        let text = std::str::from_utf8(line).ok()?.trim_matches(BLANKS);
        if let Some(head) = text.strip_prefix('[') {
            let name = head.strip_suffix(']')?;
            let safe = |char: char| !char.is_ascii_control() && !matches!(char, '"' | '\'' | '\\');
            self.section = Some(name.chars().all(safe).then(|| name.to_owned())?);
            return Some(());
        }
        if let (Some(section), Some((key, value))) = (&self.section, text.split_once('='))
            && !key.is_empty()
        {
            self.file.assignments.push(Assignment {
                section: section.clone(),
                key: key.trim_matches(BLANKS).to_owned(),
                value: value.trim_matches(BLANKS).to_owned(),
                line: number,
            });
        }
        Some(())
    }
}

/// A line ends at LF, CR or NUL; different ones of these in a row are one end, but nothing joins a NUL.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = rest.iter().position(|byte| is_end(*byte)).unwrap_or(rest.len());
        let (line, mut after) = rest.split_at_checked(length)?;
        let mut seen: Vec<u8> = Vec::new();
        while let Some((byte, more)) = after.split_first()
            && is_end(*byte)
            && !seen.contains(byte)
            && !seen.contains(&0)
        {
            seen.push(*byte);
            after = more;
        }
        rest = after;
        Some(line)
    })
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

fn is_comment(line: &[u8]) -> bool {
    let first = line.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    matches!(first, Some(b'#' | b';'))
}

/// Whether an odd number of backslashes ends it.
fn ends_escaped(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}
