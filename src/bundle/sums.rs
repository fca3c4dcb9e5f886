//! `SHA256SUMS`, as `sha256sum` writes it and `sha256sum -c --strict` reads it.
//!
//! One line for each file: 64 lower-case hex digits, two spaces, the name, a newline. Names that
//! `sha256sum` would escape are refused, so one list has one form.

use crate::bundle::paths::{is_entry_name, is_hex};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// One line: a file's name and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The entry or file name.
    pub name: String,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

/// Why a list of sums cannot be written or read.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SumsError {
    /// Bytes that are not ASCII text.
    #[error("not ASCII text")]
    Text,
    /// The text is empty or does not end with a newline.
    #[error("the last line does not end with a newline")]
    Newline,
    /// A line is not `<64 hex digits>  <name>`.
    #[error("line {0} is not 64 lower-case hex digits, two spaces and a plain name")]
    Line(usize),
    /// A name stands on two lines.
    #[error("line {line} lists {name} again")]
    Duplicate {
        /// The later line, counted from 1.
        line: usize,
        /// The name.
        name: String,
    },
}

/// SHA-256 of bytes, in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The text of a list, in the given order.
pub fn write(sums: &[Sum]) -> Result<String, SumsError> {
    let lines = sums.iter().flat_map(|sum| [sum.sha256.as_str(), "  ", &sum.name, "\n"]);
    let text: String = lines.collect();
    // What is written must be what can be read.
    parse(text.as_bytes())?;
    Ok(text)
}

/// Reads a list. Order is the caller's to check.
pub fn parse(bytes: &[u8]) -> Result<Vec<Sum>, SumsError> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).ok_or(SumsError::Text)?;
    let body = text.strip_suffix('\n').ok_or(SumsError::Newline)?;
    let mut seen = std::collections::BTreeSet::new();
    let mut sums = Vec::new();
    for (index, line) in body.split('\n').enumerate() {
        let number = index + 1;
        let sum = parse_line(line).ok_or(SumsError::Line(number))?;
        if !seen.insert(sum.name.clone()) {
            return Err(SumsError::Duplicate { line: number, name: sum.name });
        }
        sums.push(sum);
    }
    Ok(sums)
}

fn parse_line(line: &str) -> Option<Sum> {
    let (sha256, name) = line.split_once("  ")?;
    (is_hex(sha256, 64) && is_entry_name(name)).then(|| Sum { name: name.into(), sha256: sha256.into() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Sum, SumsError, parse, sha256_hex, write};

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn sum(name: &str) -> Sum {
        Sum { name: name.into(), sha256: sha256_hex(b"") }
    }

    #[test]
    fn writes_what_sha256sum_writes() {
        let text = write(&[sum("manifest.json"), sum("files/etc/a@b:c+d-e_f")]).unwrap();
        assert_eq!(text, format!("{EMPTY}  manifest.json\n{EMPTY}  files/etc/a@b:c+d-e_f\n"));
        assert_eq!(parse(text.as_bytes()).unwrap(), [sum("manifest.json"), sum("files/etc/a@b:c+d-e_f")]);
    }

    #[test]
    fn refuses_every_other_form() {
        let upper = EMPTY.to_uppercase();
        for (text, error) in [
            (String::new(), SumsError::Newline),
            ("\n".into(), SumsError::Line(1)),
            (format!("{EMPTY}  a"), SumsError::Newline),
            (format!("{EMPTY}  a\n\n"), SumsError::Line(2)),
            (format!("{EMPTY} *a\n"), SumsError::Line(1)),
            (format!("{EMPTY} a\n"), SumsError::Line(1)),
            (format!("{EMPTY}   a\n"), SumsError::Line(1)),
            (format!("{EMPTY}  a\r\n"), SumsError::Line(1)),
            (format!("\\{EMPTY}  a\\nb\n"), SumsError::Line(1)),
            (format!("{EMPTY}  a b\n"), SumsError::Line(1)),
            (format!("{EMPTY}  ../a\n"), SumsError::Line(1)),
            (format!("{upper}  a\n"), SumsError::Line(1)),
            (format!("{EMPTY}  a\n{EMPTY}  a\n"), SumsError::Duplicate { line: 2, name: "a".into() }),
            (format!("{EMPTY}  \u{e4}\n"), SumsError::Text),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(error), "{text:?}");
        }
        assert_eq!(parse(b"\xff\n"), Err(SumsError::Text));
        assert_eq!(write(&[sum("a b")]), Err(SumsError::Line(1)));
    }

    proptest::proptest! {
        #[test]
        fn reads_only_what_it_would_write(bytes: Vec<u8>, name in "[a-z./]{1,9}", tail in ".{0,3}") {
            let line = format!("{EMPTY}  {name}{tail}\n");
            for bytes in [bytes.as_slice(), line.as_bytes()] {
                if let Ok(sums) = parse(bytes) {
                    let again = write(&sums).unwrap();
                    proptest::prop_assert_eq!(again.as_bytes(), bytes);
                }
            }
        }
    }
}
