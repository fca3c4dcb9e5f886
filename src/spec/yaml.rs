//! What a plain (unquoted) scalar means in YAML 1.2, the core schema (section 10.3.2).

use super::scalars::is_plain;
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

/// The same as [`foreign`], with the line in the error.
///
/// # Errors
/// What is wrong, with its line.
pub fn document(text: &str) -> Result<Value, String> {
    foreign(text).map_err(|(line, message)| format!("line {line}: {message}"))
}

/// Reads one YAML document that is no spec as strictly as one: duplicate keys, tags and merge keys are
/// refused; but a digest, a token or talk of private keys may stand in it.
///
/// # Errors
/// The line, and what is wrong.
pub fn foreign(text: &str) -> Result<Value, (usize, String)> {
    // YAML 1.1, which go-yaml reads, ends lines and comments there (section 4.2); YAML 1.2 does not
    if let Some(at) = text.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        let line = text.get(..at).unwrap_or_default().split('\n').count();
        let message = "a line break that readers disagree on (U+0085, U+2028, U+2029)";
        return Err((line, format!("{message}: write it escaped, in double quotes")));
    }
    let Tree { root, problems, .. } = tree::read_foreign(text);
    if let Some((problem, mark)) = problems.first() {
        return Err((mark.line, problem.message.clone()));
    }
    root.as_ref().map(value).ok_or_else(|| (1, "there is nothing in it".to_owned()))
}

/// The documents of a text, each begun by a line `---` but the first.
pub fn documents(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix("---\n").unwrap_or(text);
    text.split("\n---\n")
}

/// What a node means; what was refused is null.
pub(crate) fn value(node: &Node) -> Value {
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

/// A value in block style, as Kubernetes' own writers have it: lists at the indentation of their key,
/// texts of several lines as literal blocks. `indent` spaces stand before each line; the last line
/// has its line feed.
pub fn block(value: &Value, indent: usize) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut text, map, indent, false),
        Value::Array(items) if !items.is_empty() => list(&mut text, items, indent),
        other => {
            text.push_str(&" ".repeat(indent));
            text.push_str(&single(other, indent + 2));
            text.push('\n');
        }
    }
    text
}

/// `begun`: the first key stands behind the dash of a list.
fn mapping(text: &mut String, map: &serde_json::Map<String, Value>, indent: usize, mut begun: bool) {
    for (key, value) in map {
        if !std::mem::take(&mut begun) {
            text.push_str(&" ".repeat(indent));
        }
        text.extend([&scalar(key), ":"]);
        match value {
            Value::Object(map) if !map.is_empty() => {
                text.push('\n');
                mapping(text, map, indent + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                list(text, items, indent);
            }
            other => text.extend([" ", &single(other, indent + 2), "\n"]),
        }
    }
}

fn list(text: &mut String, items: &[Value], indent: usize) {
    for item in items {
        text.push_str(&" ".repeat(indent));
        match item {
            Value::Object(map) if !map.is_empty() => {
                text.push_str("- ");
                mapping(text, map, indent + 2, true);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push_str("-\n");
                list(text, items, indent + 2);
            }
            other => text.extend(["- ", &single(other, indent + 2), "\n"]),
        }
    }
}

/// A value that has no lines of its own, or a literal block, whose lines stand `indent` spaces deep.
fn single(value: &Value, indent: usize) -> String {
    match value {
        Value::String(text) => literal(text, indent).unwrap_or_else(|| scalar(text)),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// A text of several lines as a literal block, where no reader can take it for anything else.
fn literal(text: &str, indent: usize) -> Option<String> {
    let (body, mark) = text.strip_suffix('\n').map_or((text, "|-"), |body| (body, "|"));
    let fit = |line: &str| {
        !line.ends_with(' ')
            && line.chars().all(|c| c == ' ' || (!c.is_whitespace() && is_plain(c) && c < '\u{fffe}'))
    };
    let begins = body.chars().next().is_some_and(|c| c != ' ' && c != '\n');
    if !body.contains('\n') || !begins || body.ends_with('\n') || !body.split('\n').all(fit) {
        return None;
    }
    let mut block = mark.to_owned();
    for line in body.split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.push_str(&" ".repeat(indent));
            block.push_str(line);
        }
    }
    Some(block)
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

/// Control characters, the line breaks of Unicode, which YAML 1.1 readers fold, and what go-yaml's
/// reader refuses.
pub fn must_escape(char: char) -> bool {
    matches!(
        char,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{a0}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}'
    )
}

fn json_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            other if must_escape(other) => {
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{block, document};
    use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
    use serde_json::{Value, json};

    #[test]
    fn as_kubernetes_writes_it() {
        let value = json!({
            "a": {"list": [{"k": "v", "l": [1, [2]]}, [], {}], "empty": "", "none": null},
            "file": "first\n  second\n\nlast\n",
            "open": "no line feed\nat its end",
            "yes": "no",
        });
        let expected = "\
a:
  empty: \"\"
  list:
  - k: v
    l:
    - 1
    -
      - 2
  - []
  - {}
  none: null
file: |
  first
    second

  last
open: |-
  no line feed
  at its end
\"yes\": \"no\"
";
        assert_eq!(block(&value, 0), expected);
        assert_eq!(document(expected).unwrap(), value);
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![any::<String>(), "[ -~\n]{0,40}", "[a-c \n#:-]{0,12}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[ -~\n]{0,12}", inner, 0..5)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// Whatever a value holds, it is read back as itself: nothing breaks out of its place.
        #[test]
        fn reads_back_as_itself(value in values(), indent in 0_usize..6) {
            let text = format!("top:\n{}end: 1\n", block(&json!({"x": value}), indent + 1));
            assert_eq!(document(&text), Ok(json!({"top": {"x": value}, "end": 1})));
        }
    }
}
