//! README.md and docs/ are run: every block marked `sh` is a script that must succeed.
//!
//! The words after `sh` say how: nothing or `plain-tools` runs the block, `repository` means commands
//! for a checkout (only the files that they name are looked for), `ignore` means a sketch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{SEALIFT, copy_tree, need, repository, run, temporary};

/// What the blocks call.
const TOOLS: [&str; 7] = ["bash", "age", "age-keygen", "openssl", "sha256sum", "ssh-keygen", "tar"];

/// One fenced block.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// The line of its fence, from 1.
    line: usize,
    /// The words of its fence after the language.
    kind: String,
    text: String,
}

/// The blocks of a Markdown text whose language is `sh`.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut out = Vec::new();
    let mut open: Option<(String, Block)> = None;
    for (index, line) in markdown.lines().enumerate() {
        match &mut open {
            Some((_, _)) if line == "```" => {
                let (language, block) = open.take().unwrap();
                if language == "sh" {
                    out.push(block);
                }
            }
            Some((_, block)) => block.text.extend([line, "\n"]),
            None => {
                if let Some(fence) = line.strip_prefix("```") {
                    let (language, kind) = fence.split_once(' ').unwrap_or((fence, ""));
                    let block = Block { line: index + 1, kind: kind.to_owned(), text: String::new() };
                    open = Some((language.to_owned(), block));
                }
            }
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    out
}

/// README.md, CONTRIBUTING.md and everything below docs/ that is Markdown.
fn documents() -> Vec<PathBuf> {
    let docs = fs::read_dir(repository("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    all.extend(["README.md", "CONTRIBUTING.md"].map(repository));
    all.sort();
    all
}

/// A directory as a reader has it: the examples, and `sealift` on the path.
fn workplace() -> tempfile::TempDir {
    let place = temporary();
    copy_tree(&repository("bundles"), &place.path().join("bundles"));
    fs::create_dir(place.path().join(".bin")).unwrap();
    std::os::unix::fs::symlink(SEALIFT, place.path().join(".bin/sealift")).unwrap();
    place
}

fn execute(document: &Path, block: &Block, place: &Path) {
    let path = std::env::join_paths(
        std::iter::once(place.join(".bin"))
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let ran = run(Command::new("bash")
        .args(["-euo", "pipefail", "-c", &block.text])
        .current_dir(place)
        .env("PATH", path.unwrap())
        .env("HOME", place));
    let name = document.file_name().unwrap().display();
    assert_eq!(ran.code, 0, "{name}:{}\n{}\n{}", block.line, ran.stdout, ran.stderr);
}

/// Commands for a checkout name a program of the repository, or `cargo` with what Cargo.toml has.
fn look_for_files(document: &Path, block: &Block) {
    for line in block.text.lines().filter(|line| !line.trim().is_empty()) {
        let program = line.split(' ').next().unwrap();
        let file = if program == "cargo" { "Cargo.toml" } else { program };
        let name = document.file_name().unwrap().display();
        assert!(repository(file).is_file(), "{name}:{}: {file} is not there", block.line);
    }
}

#[test]
fn every_block_runs() {
    if !TOOLS.iter().all(|tool| need(tool).is_some()) {
        return;
    }
    let mut ran = 0;
    for document in documents() {
        let place = workplace();
        for block in blocks(&fs::read_to_string(&document).unwrap()) {
            match block.kind.as_str() {
                "" | "plain-tools" => execute(&document, &block, place.path()),
                "repository" => look_for_files(&document, &block),
                // docs/plain-tools.md: run by tests/plain_tools.rs, on good and on forged bundles
                "ignore"
                | "plain-tools output"
                | "plain-tools bundle"
                | "plain-tools certificates"
                | "plain-tools secrets"
                // the same, by tests/gate
                | "plain-tools list" => continue,
                kind => panic!("{}:{}: unknown mark `{kind}`", document.display(), block.line),
            }
            ran += 1;
        }
    }
    assert!(ran >= 4, "only {ran} blocks were found");
}

#[test]
fn a_block_that_fails_is_noticed() {
    let block = Block { line: 1, kind: String::new(), text: "false | true\necho not reached\n".into() };
    let place = workplace();
    let outcome = std::panic::catch_unwind(|| execute(Path::new("a.md"), &block, place.path()));
    assert!(outcome.is_err());
}

#[test]
fn blocks_are_found() {
    let text = "a\n```sh\none\n```\n```yaml\ntwo\n```\n```sh ignore\nthree\n```\n";
    let block = |line, kind: &str, text: &str| Block { line, kind: kind.into(), text: text.into() };
    assert_eq!(blocks(text), [block(2, "", "one\n"), block(8, "ignore", "three\n")]);
}

/// Links between documents lead somewhere.
#[test]
fn links_lead_to_files() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let file = document.parent().unwrap().join(target);
            assert!(file.exists(), "{}: {target}", document.display());
        }
    }
}
