//! Formats of lines, without a reader here: a word adds and removes no line, and changes only those that
//! have it.

pub(crate) fn read(text: &str) -> Vec<String> {
    text.split('\n').map(str::to_owned).collect()
}

/// Their order may follow the words.
#[track_caller]
pub(crate) fn alike(one: &[String], other: &[String], harmless: &str, path: &str, word: &str) {
    assert_eq!(one.len(), other.len(), "{path} with {word:?}:\n{}", other.join("\n"));
    let mut rest = other.to_vec();
    for line in one.iter().filter(|line| !line.contains(harmless)) {
        let found = rest.iter().position(|other| other == line);
        rest.swap_remove(found.unwrap_or_else(|| panic!("{path} with {word:?}: {line} is gone\n{other:?}")));
    }
    let control = |char: char| char.is_control() && char != '\t';
    assert!(!rest.iter().any(|line| line.contains(control)), "{path} with {word:?}: {rest:?}");
}
