//! Units and environment files, read as systemd reads them.

use serde_json::{Map, Value, json};

/// A unit's assignments: for each, its words as systemd has them (systemd.syntax(7), extract-word.c).
pub(crate) fn unit(text: &str) -> Value {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with(['#', ';', '[']) && !line.trim().is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            let dollar = name.starts_with("Exec");
            let words: Vec<Value> =
                split(value).into_iter().map(|word| specifiers(&word, dollar).into()).collect();
            json!([name, words])
        })
        .collect()
}

fn split(line: &str) -> Vec<String> {
    let (mut words, mut chars) = (Vec::new(), line.trim().chars().peekable());
    while chars.peek().is_some() {
        let (mut word, mut quote) = (String::new(), None);
        while let Some(char) = chars.next() {
            match (char, quote) {
                ('\\', _) => match chars.next().unwrap() {
                    escaped @ ('\\' | '"' | '\'') => word.push(escaped),
                    other => panic!("an escape that systemd reads: \\{other} in {line}"),
                },
                ('"' | '\'', None) => quote = Some(char),
                (char, Some(open)) if char == open => quote = None,
                (' ' | '\t', None) => break,
                (char, _) => word.push(char),
            }
        }
        assert_eq!(quote, None, "an open quote: {line}");
        words.push(word);
        while chars.next_if(|char| *char == ' ').is_some() {}
    }
    words
}

/// `%%` and `$$` are one; a single one means something.
fn specifiers(word: &str, dollar: bool) -> String {
    if word == "$KUBELET_EXTRA_ARGS" {
        return "(variable)".to_owned();
    }
    let mut out = String::new();
    let mut chars = word.chars();
    while let Some(char) = chars.next() {
        if char == '%' || (dollar && char == '$') {
            assert_eq!(chars.next(), Some(char), "it means something: {word}");
        }
        out.push(char);
    }
    out
}

/// An environment file as systemd reads it (env-file.c).
pub(crate) fn variables(text: &str) -> Value {
    let mut map = Map::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.split_once('=').unwrap();
        let mut chars = value.chars();
        let mut out = String::new();
        if value.starts_with('"') {
            chars.next();
            loop {
                match chars.next().expect("an open quote") {
                    '"' => break,
                    '\\' => match chars.next().unwrap() {
                        escaped @ ('"' | '\\' | '`' | '$') => out.push(escaped),
                        other => out.extend(['\\', other]),
                    },
                    char => out.push(char),
                }
            }
            assert_eq!(chars.next(), None, "more behind a quote: {line}");
        } else {
            assert!(value.chars().all(|char| char.is_ascii_graphic() && !"\"'\\".contains(char)), "{line}");
            out.push_str(value);
        }
        assert!(map.insert(name.to_owned(), out.into()).is_none(), "{name} twice");
    }
    map.into()
}
