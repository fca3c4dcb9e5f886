//! What somebody probably meant.

/// Names longer than this are not compared: the cost grows with the square.
const LONGEST: usize = 64;

/// The name among `known` that is most like `text`, if one is like it at all.
pub(crate) fn similar<'k>(text: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if text.len() > LONGEST {
        return None;
    }
    let text = folded(text);
    let most = (text.chars().count() / 3).max(1);
    known
        .map(|name| (strsim::damerau_levenshtein(&text, &folded(name)), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// Without case and separators, so that `data_dir` is `dataDir`.
pub(super) fn folded(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// `a`; `a` or `b`; `a`, `b` or `c`.
pub(crate) fn one_of(names: &[&str], word: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "nothing".into(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
    }
}
