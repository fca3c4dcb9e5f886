//! What is quoted, read as systemd reads it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::{argument, assignment, variable};
use minijinja::{AutoEscape, Environment, ErrorKind, context};
use proptest::prelude::{any, prop_assert_eq, proptest};

/// What systemd makes of a line: `extract_first_word` with `EXTRACT_UNQUOTE | EXTRACT_CUNESCAPE`, of the
/// escapes that are written here.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(_), '"') => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_with(String::new);
            }
            (_, '\\') => {
                let escaped = rest.next().unwrap();
                assert!(matches!(escaped, '\\' | '"'), "another escape: {escaped}");
                word.get_or_insert_with(String::new).push(escaped);
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (_, '\n' | '\r') => panic!("a second line"),
            _ => word.get_or_insert_with(String::new).push(c),
        }
    }
    assert_eq!(quote, None, "a quote stays open");
    words.extend(word);
    words
}

/// Specifiers or variables: the doubled character is one, a single one would be expanded.
fn expanded(text: &str, sign: char) -> String {
    let (mut out, mut rest) = (String::new(), text.chars());
    while let Some(c) = rest.next() {
        if c == sign {
            assert_eq!(rest.next(), Some(sign), "something is expanded in {text}");
        }
        out.push(c);
    }
    out
}

/// systemd's `env-file.c`: a value in double quotes, in which only these four are escaped.
fn read_variable(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._/@:+=,-[]".contains(c);
        assert!(text.chars().all(plain), "{text}");
        return text.to_owned();
    };
    let (mut out, mut rest) = (String::new(), inner.chars());
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let escaped = rest.next().unwrap();
                assert!(matches!(escaped, '\\' | '"' | '`' | '$'));
                out.push(escaped);
            }
            '"' => panic!("the quotes end early"),
            _ => out.push(c),
        }
    }
    out
}

#[test]
fn quoted_where_needed() {
    for (text, written) in [
        ("--node-ip=192.0.2.1,fd00::1", "--node-ip=192.0.2.1,fd00::1"),
        ("--node-labels=a=b", "--node-labels=a=b"),
        ("", r#""""#),
        ("--a=b c", r#""--a=b c""#),
        ("--a=50%", r#""--a=50%%""#),
        ("--a=$HOME", r#""--a=$$HOME""#),
        (r#"--a="\n""#, r#""--a=\"\\n\"""#),
        ("--a=it's;*", r#""--a=it's;*""#),
    ] {
        assert_eq!(argument(text), written);
    }
    assert_eq!(assignment("A=$b %c"), r#""A=$b %%c""#);
    assert_eq!(variable(r#"a$b`c"d\e%f"#), r#""a\$b\`c\"d\\e%f""#);
}

fn render(source: &str, value: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(crate::render::escape::format);
    super::add_filters(&mut environment);
    environment.add_template("x.conf", source).unwrap();
    environment.get_template("x.conf").unwrap().render(context!(value))
}

/// A value with many of the characters that mean something.
const HOSTILE: &str = "[ -~\\t\\n\"'\\\\%$`;*äあ]{0,24}";

proptest! {
    /// A hostile value is one word and reads back as itself, or is refused.
    #[test]
    fn no_value_breaks_out(one in any::<String>(), other in HOSTILE) {
        for value in [one, other] {
            let refused = value.chars().any(char::is_control);
            match render("{{ value | argument }} --last", &value) {
                Ok(line) => {
                    prop_assert_eq!(refused, false);
                    let words: Vec<_> = words(&line).iter().map(|word| expanded(&expanded(word, '%'), '$')).collect();
                    prop_assert_eq!(words, [value.as_str(), "--last"]);
                }
                Err(error) => prop_assert_eq!((refused, error.kind()), (true, ErrorKind::BadEscape)),
            }
            if let Ok(line) = render("{{ value | assignment }}", &value) {
                let words: Vec<_> = words(&line).iter().map(|word| expanded(word, '%')).collect();
                prop_assert_eq!(words, [value.as_str()]);
            }
            if let Ok(line) = render("{{ value | variable }}", &value) {
                prop_assert_eq!(read_variable(&line), value.as_str());
            }
        }
    }
}

#[test]
fn each_filter_is_for_its_own_format() {
    let mut environment = Environment::new();
    environment.set_formatter(crate::render::escape::format);
    super::add_filters(&mut environment);
    environment.add_template("x.yaml", "a: {{ value | argument }}").unwrap();
    let error = environment.get_template("x.yaml").unwrap().render(context!(value => "a: b")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadEscape);
}
