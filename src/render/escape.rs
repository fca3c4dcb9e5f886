//! What a value may contain is decided by the format of the file it lands in.
//!
//! In YAML a value is one whole scalar, quoted when it needs to be; in TOML it is one basic string,
//! quotes and all, which may also be a key. In systemd drop-ins and
//! environment files a value outside a plain set of characters is refused unless a filter of
//! `unit` quotes it: there is nothing it could add, no line, no option, no expansion. In nginx's and
//! haproxy's configurations a value is one word, of fewer characters still.

use crate::spec::yaml;
use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Output, State, Value};
use std::fmt::Write as _;

/// minijinja's formatter: writes one value.
pub(super) fn format(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let refuse = |message: &str| Err(Error::new(ErrorKind::BadEscape, message.to_owned()));
    let text = match value.kind() {
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Number => value.to_string(),
        // only filters make such, each for its own format
        ValueKind::String if value.is_safe() => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            match Format::of(state.name()) {
                Format::Yaml => yaml::scalar(text),
                Format::Toml => toml_string(text),
                Format::Plain if is_plain(text) => text.to_owned(),
                Format::Word if is_word(text) => text.to_owned(),
                Format::Plain | Format::Word => {
                    return refuse("a value has characters that this file format cannot hold");
                }
            }
        }
        _ => return refuse("only strings, numbers and booleans can be written into a file"),
    };
    output.write_str(&text).map_err(Error::from)
}

/// The filter `yaml`: a whole value in block style, each line this many spaces deep and without the
/// first line's own, since the template stands there already. The last line feed is the template's.
pub(super) fn block(state: &State<'_, '_>, value: &Value, indent: Option<usize>) -> Result<Value, Error> {
    if !matches!(Format::of(state.name()), Format::Yaml) {
        return Err(Error::new(ErrorKind::BadEscape, "this filter is for YAML"));
    }
    let json = serde_json::to_value(value)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    let text = yaml::block(&json, indent.unwrap_or(0));
    Ok(Value::from_safe_string(text.trim_start_matches(' ').trim_end_matches('\n').to_owned()))
}

/// Parses what was rendered.
///
/// # Errors
/// Where and why it is not valid.
pub(super) fn check(path: &str, text: &str) -> Result<(), String> {
    match Format::of(path) {
        Format::Yaml => yaml::documents(text).try_for_each(|document| {
            // not as a spec is read: a digest looks like a seed there
            let read = yaml::foreign(document);
            read.map(drop).map_err(|(line, message)| format!("line {line}: {message}"))
        }),
        Format::Toml | Format::Plain | Format::Word => Ok(()),
    }
}

/// How a file is written.
#[derive(Clone, Copy)]
pub(super) enum Format {
    /// A value is one scalar.
    Yaml,
    /// A value is one basic string.
    Toml,
    /// A value is plain, or a filter of [`super::unit`] quotes it.
    Plain,
    /// A value is a name, an address, a number with its unit or a path: one word of nginx's or haproxy's.
    Word,
}

impl Format {
    /// The format of a path.
    pub(super) fn of(path: &str) -> Self {
        let extension = std::path::Path::new(path).extension().and_then(|extension| extension.to_str());
        match extension {
            Some("yaml") => Self::Yaml,
            Some("toml") => Self::Toml,
            // containers-registries.conf.d(5)
            Some("conf") if path.starts_with("/etc/containers/") => Self::Toml,
            Some("conf") if path.starts_with("/etc/nginx/") || path.starts_with("/etc/keepalived/") => {
                Self::Word
            }
            Some("cfg") if path.starts_with("/etc/haproxy/") => Self::Word,
            _ => Self::Plain,
        }
    }
}

/// A basic string of TOML 1.0, on one line whatever a reader takes for a line break.
pub(super) fn toml_string(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                // writing to a String cannot fail
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

/// Whether a value means itself in units and environment files.
pub(super) fn is_plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._/@:+=,-[]".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Whether a value is one word to nginx and to haproxy, whatever stands before and behind it: none of what
/// quotes, ends, begins a block or a comment, expands (`$`, `%`, `"${`) or names another kind of socket
/// (`unix@`, `unix:`, `abns@`, `fd@`).
fn is_word(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:-[]".contains(&byte);
    // `unix:` is the one kind without `@`
    !text.is_empty() && text.bytes().all(allowed) && !text.starts_with("unix:")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::{check, format};
    use crate::spec::yaml;
    use minijinja::{Environment, context};
    use proptest::prelude::{any, proptest};

    #[test]
    fn plain_where_beyond_doubt() {
        for text in ["--name=infra0", "https://10.0.0.6:2379", "/var/lib/etcd", "127.0.0.1", "v1.36.2"] {
            assert_eq!(yaml::scalar(text), text);
        }
        assert_eq!(yaml::scalar("/health?a=b&c=d"), "/health?a=b&c=d");
    }

    #[test]
    fn quoted_where_a_reader_could_err() {
        for (text, written) in [
            ("yes", r#""yes""#),
            ("No", r#""No""#),
            ("1.30", r#""1.30""#),
            ("0x1f", r#""0x1f""#),
            ("", r#""""#),
            ("-", r#""-""#),
            ("?a", r#""?a""#),
            ("&a", r#""&a""#),
            ("a: b", r#""a: b""#),
            ("a #b", r#""a #b""#),
            ("a\nb: c", r#""a\u000ab: c""#),
            ("host:", r#""host:""#),
            ("\"", r#""\"""#),
            ("{{ x }}", r#""{{ x }}""#),
        ] {
            assert_eq!(yaml::scalar(text), written);
        }
    }

    fn render(name: &str, source: &str, value: &str) -> Result<String, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_formatter(format);
        environment.add_template(name, source).unwrap();
        environment.get_template(name).unwrap().render(context!(value))
    }

    /// Lines as keepalived reads them: comments from `!` or `#` on, words between blanks, braces by themselves.
    fn keepalived_words(text: &str) -> Vec<String> {
        let bare = |line: &str| {
            line.split(['!', '#']).next().unwrap_or_default().replace('{', " { ").replace('}', " } ")
        };
        let lines =
            text.split(['\n', '\r']).map(|line| bare(line).split_whitespace().collect::<Vec<_>>().join(" "));
        lines.filter(|line| !line.is_empty()).collect()
    }

    proptest! {
        /// A hostile value is still one scalar, and reads back as itself.
        #[test]
        fn no_value_breaks_out_of_yaml(value in any::<String>()) {
            let text = render("x.yaml", "a:\n- {{ value }}\nb: end\n", &value).unwrap();
            check("x.yaml", &text).unwrap();
            let read = yaml::document(&text).unwrap();
            assert_eq!(read, serde_json::json!({"a": [value], "b": "end"}));
        }

        /// A hostile value is still one string, as a value and as a key, and adds no line.
        #[test]
        fn no_value_breaks_out_of_toml(value in any::<String>()) {
            let source = "a = {{ value }}\n[b.{{ value }}]\nc = true\n";
            for name in ["x.toml", "/etc/containers/registries.conf.d/10-sealift.conf"] {
                let text = render(name, source, &value).unwrap();
                assert_eq!(text.lines().count(), 3);
                let read: toml::Table = text.parse().unwrap();
                let mut keyed = toml::Table::new();
                let inner: toml::Table = "c = true".parse().unwrap();
                keyed.insert(value.clone(), inner.into());
                let mut expected = toml::Table::new();
                expected.insert("a".to_owned(), value.clone().into());
                expected.insert("b".to_owned(), keyed.into());
                assert_eq!(read, expected);
            }
        }

        /// nginx's and haproxy's configurations take one word, which reads back as itself, or nothing.
        #[test]
        fn no_value_breaks_out_of_a_proxys_configuration(value in any::<String>()) {
            for name in ["/etc/nginx/nginx.conf", "/etc/haproxy/haproxy.cfg"] {
                match render(name, "server {{ value }} end", &value) {
                    Ok(text) => {
                        let words: Vec<_> = text.split_whitespace().collect();
                        assert_eq!(words, ["server", &value, "end"]);
                        let means = |c: char| !c.is_ascii() || c.is_control() || "\"'\\;{}#$%@`~,".contains(c);
                        assert!(!value.contains(means), "{value:?}");
                    }
                    Err(error) => assert_eq!(error.kind(), minijinja::ErrorKind::BadEscape),
                }
            }
        }

        /// What keepalived.conf takes is one word that reads back as itself; anything else is refused.
        #[test]
        fn no_value_breaks_out_of_keepalived(value in "[a-z0-9.:!#\"{}$~@ \n\r\t\\\\;%*'`\u{0}\u{2028}é-]{0,12}") {
            let source = "a {\n    b {{ value }}\n    c\n}\n";
            match render("/etc/keepalived/keepalived.conf", source, &value) {
                Ok(text) => {
                    assert_eq!(keepalived_words(&text), ["a {", &format!("b {value}"), "c", "}"]);
                    assert!(!value.contains(['$', '~', '@', '"', '\\']));
                }
                Err(error) => assert_eq!(error.kind(), minijinja::ErrorKind::BadEscape),
            }
        }

        /// In formats without quoting, a value with a line break, blank, quote, `%` or `$` is refused.
        #[test]
        fn no_value_breaks_out_of_a_unit(value in any::<String>()) {
            match render("x.conf", "ExecStart={{ value }}", &value) {
                Ok(text) => assert!(!text.contains(['\n', '\r', ' ', '\t', '%', '$', '"', '\'', '\\', ';'])),
                Err(error) => assert_eq!(error.kind(), minijinja::ErrorKind::BadEscape),
            }
        }
    }
}
