//! Whatever stands in a spec: no panic, and what is left deserialises.

use super::{GOOD, SECRET, load};
use crate::spec::problem::Problem;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_oneof, proptest};

/// Loads, and looks at what must hold for any text.
fn loads(text: &str) -> Vec<Problem> {
    let loaded = load(text);
    for problem in &loaded.problems {
        assert!(!problem.message.contains("cannot be read"), "{text}\n{problem:?}");
        assert!(problem.path.len() < 100_000);
        let rendered = problem.render("f");
        assert!(rendered.chars().all(|c| c == '\n' || !c.is_control()), "{rendered:?}");
    }
    loaded.problems
}

/// Words that mean something to YAML or to a spec.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "",
        "~",
        "null",
        "true",
        "yes",
        "1",
        "-1",
        "1.5",
        "0x1f",
        "''",
        "\"\"",
        "[]",
        "{}",
        "[a, b]",
        "{a: b}",
        "|",
        ">",
        "&a x",
        "*a",
        "!!str x",
        "<<: x",
        "? x",
        "- x",
        "---",
        "...",
        "\t",
        "\r",
        "#",
        ": ",
        "hosts:",
        "infra0:",
        "etcd",
        "10.0.0.6",
        "::1",
        "1y",
        "age1x",
        "ssh-ed25519 AAAA",
        SECRET,
        "\u{feff}",
        "\u{0}",
        "\u{1b}",
        "é",
        "%YAML 1.1",
        "[[[[[[",
        "{{{{",
    ];
    prop_oneof![prop::sample::select(words.to_vec()).prop_map(str::to_owned), any::<String>()]
}

/// What to do to a line: replace it, its value, its key, double it, drop it, or indent it.
fn edit(lines: &mut [String], at: usize, how: u8, word: &str) {
    let at = at % lines.len().max(1);
    let Some(line) = lines.get(at).cloned() else { return };
    let (key, value) = line.split_once(':').unwrap_or((&line, ""));
    let replaced = match how % 7 {
        0 => word.to_owned(),
        1 => format!("{key}: {word}"),
        2 => format!("{}{word}:{value}", " ".repeat(key.len() - key.trim_start().len())),
        3 => format!("{line}\n{line}"),
        4 => String::new(),
        5 => format!("  {line}"),
        _ => format!("{line} {word}"),
    };
    lines[at] = replaced;
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        loads(&text);
    }

    #[test]
    fn any_words(words in prop::collection::vec((word(), prop_oneof![Just(" "), Just("\n"), Just("\n  "), Just(": ")]), 0..40)) {
        let text: String = words.into_iter().flat_map(|(word, separator)| [word, separator.to_owned()]).collect();
        loads(&text);
    }

    #[test]
    fn a_good_spec_with_edits(edits in prop::collection::vec((any::<usize>(), any::<u8>(), word()), 1..6)) {
        let mut lines: Vec<String> = GOOD.lines().map(str::to_owned).collect();
        for (at, how, word) in edits {
            edit(&mut lines, at, how, &word);
        }
        let text = lines.join("\n");
        for problem in loads(&text) {
            prop_assert!(!format!("{problem:?}").contains("QQQQ"), "{}", text);
        }
    }

    #[test]
    fn a_good_spec_cut_off(end in 0..GOOD.len()) {
        if let Some(text) = GOOD.get(..end) {
            loads(text);
        }
    }

    #[test]
    fn a_good_spec_with_any_character(at in 0..GOOD.len(), c in any::<char>()) {
        let mut text = GOOD.to_owned();
        text.insert(at, c);
        loads(&text);
    }
}
