//! Commands with everything that they say, as one text to compare with a golden file.

use super::example::{replaced, test_only};
use super::golden::golden;
use super::{Ran, SEALIFT, repository, run};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// `sealift` with these words, in a directory: what is typed, its exit code and both outputs.
/// No secret may be in them.
#[track_caller]
pub(crate) fn transcript(directory: &Path, words: &[&str]) -> String {
    told(words, &run(Command::new(SEALIFT).args(words).current_dir(directory)))
}

/// The same for a command that ran otherwise.
#[track_caller]
pub(crate) fn told(words: &[&str], ran: &Ran) -> String {
    no_secrets(&(ran.stdout.clone() + &ran.stderr));
    let mut text = format!("$ sealift {}\n(exit code {})\n", words.join(" "), ran.code);
    for (name, said) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        if !said.is_empty() {
            let _ = write!(text, "--- {name}\n{said}");
        }
    }
    text.push('\n');
    text
}

/// Compares a transcript with `tests/golden/NAME.txt`, after these replacements.
#[track_caller]
pub(crate) fn golden_transcript(name: &str, text: &str, masks: &[(&str, &str)]) {
    let masked = masks.iter().fold(text.to_owned(), |text, (from, to)| replaced(&text, from, to));
    golden(&repository("tests/golden").join(format!("{name}.txt")), &masked);
}

/// Fails when a text holds anything of the example's secrets, or looks like a private key.
#[track_caller]
pub(crate) fn no_secrets(text: &str) {
    let mut secrets = vec!["AGE-SECRET-KEY-".to_owned(), "PRIVATE KEY".to_owned()];
    secrets.extend(["TEST-ONLY".to_owned(), hex::encode("TEST-ONLY")]);
    for entry in fs::read_dir(test_only("")).unwrap() {
        let key = fs::read(entry.unwrap().path()).unwrap();
        let key = String::from_utf8_lossy(&key).into_owned();
        let lines = key.lines().filter(|line| line.len() > 20 && !line.starts_with(['#', '-']));

        secrets.extend(lines.filter(|_| key.contains("PRIVATE")).map(str::to_owned));
    }
    let found: Vec<_> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
    assert!(found.is_empty(), "secrets in an output");
}
