//! Expected outputs as files below `tests/golden`; `SEALIFT_BLESS=1` writes them anew.

use super::{in_ci, repository};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Whether this run writes expected outputs in place of comparing with them.
pub(crate) fn blessing() -> bool {
    let wanted = std::env::var_os("SEALIFT_BLESS").is_some_and(|value| value == "1");
    assert!(!wanted || !in_ci(), "CI compares; it blesses nothing");
    wanted
}

/// Compares a text with a file of the repository.
#[track_caller]
pub(crate) fn golden(file: &Path, actual: &str) {
    if blessing() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if expected != actual {
        let difference = first_difference(&expected, actual);
        panic!(
            "{} differs {difference}\n--- expected\n{expected}\n--- actual\n{actual}\nSEALIFT_BLESS=1 takes it over",
            file.display()
        );
    }
}

/// Compares a tree of texts with a directory below `tests/golden`, which must hold nothing else.
#[track_caller]
pub(crate) fn golden_tree(name: &str, actual: &BTreeMap<String, String>) {
    let root = repository("tests/golden").join(name);
    if blessing() {
        let _ = fs::remove_dir_all(&root);
    }
    for (file, text) in actual {
        golden(&root.join(file), text);
    }
    let there =
        super::tree(&root).into_iter().filter(|(_, entry)| !entry.is_directory()).map(|(name, _)| name);
    assert_eq!(there.collect::<Vec<_>>(), actual.keys().cloned().collect::<Vec<_>>(), "files of {name}");
}

fn first_difference(expected: &str, actual: &str) -> String {
    let same = expected.lines().zip(actual.lines()).take_while(|(one, other)| one == other).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(its end)").to_owned();
    format!("from line {}: {:?}, not {:?}", same + 1, line(actual), line(expected))
}
