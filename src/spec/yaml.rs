//! What a plain (unquoted) scalar means in YAML 1.2, the core schema (section 10.3.2).

use super::tree::{self, Kind, Node, Tree};
use serde_json::Value;
use std::fmt::Write as _;

/// The meaning of a plain scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    Null,
    Bool,
    Number,
    Text,
}

impl Plain {
    /// What it is, with an article; `None` for a string.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Null => Some("nothing"),
            Self::Bool => Some("a boolean"),
            Self::Number => Some("a number"),
            Self::Text => None,
        }
    }
}

/// What a plain scalar means. `yes`, `no`, `on` and `off` are strings, unlike in YAML 1.1.
pub(crate) fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Plain::Bool,
        text if is_number(text) => Plain::Number,
        _ => Plain::Text,
    }
}

fn is_number(text: &str) -> bool {
    let prefixed = |prefix: &str, digit: fn(&u8) -> bool| {
        text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.as_bytes().iter().all(digit))
    };
    if prefixed("0o", |b| matches!(b, b'0'..=b'7')) || prefixed("0x", u8::is_ascii_hexdigit) {
        return true;
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || is_decimal(unsigned)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let exponent = exponent.map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some = !whole.is_empty() || !fraction.is_empty();
    some && digits(whole) && digits(fraction) && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}

/// Reads one YAML document as strictly as a spec: duplicate keys, tags and merge keys are refused.
///
/// # Errors
/// What is wrong, with its line.
pub fn document(text: &str) -> Result<Value, String> {
    let Tree { root, problems, .. } = tree::read(text);
    if let Some((problem, mark)) = problems.first() {
        return Err(format!("line {}: {}", mark.line, problem.message));
    }
    root.as_ref().map(value).ok_or_else(|| "there is nothing in it".to_owned())
}

fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar { text, plain: true } => meaning(text),
        Kind::Scalar { text, .. } => Value::from(&**text),
        Kind::Seq(items) => items.iter().map(value).collect(),
        Kind::Map(entries) => {
            entries.iter().map(|entry| (entry.key.to_string(), value(&entry.value))).collect()
        }
        Kind::Broken => Value::Null,
    }
}

/// Numbers that JSON cannot hold stay texts.
fn meaning(text: &str) -> Value {
    match plain(text) {
        Plain::Null => Value::Null,
        Plain::Bool => Value::from(text.eq_ignore_ascii_case("true")),
        Plain::Number => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        Plain::Text => Value::from(text),
    }
}

/// A scalar that every YAML 1.1 and 1.2 reader takes for this string: plain where that is beyond
/// doubt, else double-quoted with JSON's escapes, which YAML shares.
pub fn scalar(text: &str) -> String {
    if text.bytes().all(never_special) && reads_as_string(text) {
        return text.to_owned();
    }
    json_string(text)
}

/// Whether a character means nothing to YAML inside a plain scalar. `?` and `&`, of a URL's query, are
/// indicators only where a scalar begins.
fn never_special(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._/@:+=,-[]?&".contains(&byte)
}

fn json_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            // also the line breaks of Unicode, which YAML 1.1 readers fold
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(char));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Words that YAML 1.1 readers, such as Kubernetes', take for booleans or null.
const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

fn reads_as_string(text: &str) -> bool {
    let body = text.trim_start_matches("--");
    let starts_well = body.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'/');
    let is_address = text.parse::<std::net::Ipv4Addr>().is_ok();
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    (starts_well || is_address) && !is_word && !text.ends_with(':')
}
