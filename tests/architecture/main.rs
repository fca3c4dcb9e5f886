//! The forbidden arrows: what a module of sealift may not name, print, call or be called.
//!
//! docs/architecture.md tells the rules; here they are tables, and each is shown to bite on a
//! small source that breaks it: a check that cannot fail is no check.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "reads the sources that it checks")]

mod rules;
mod source;

use rules::{complaints, style};
use source::Source;
use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a directory of the repository, with its path below that directory.
fn rust_files(below: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(below);
    let mut waiting: Vec<PathBuf> = vec![root.clone()];
    let mut out = Vec::new();
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                out.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    out.sort();
    out
}

/// Files that exist for tests only: `#[cfg(test)] mod tests;` in `plan/certs.rs` names
/// `plan/certs/tests.rs`.
fn test_modules(files: &[(String, String)]) -> Vec<String> {
    let mut out = Vec::new();
    for (path, text) in files {
        let code = source::code(text);
        let directory = match path.strip_suffix("mod.rs").or_else(|| path.strip_suffix("lib.rs")) {
            Some(directory) => directory.to_owned(),
            None => format!("{}/", path.trim_end_matches(".rs")),
        };
        for (start, attribute) in code.match_indices("#[cfg(test)]") {
            let rest = code[start + attribute.len()..].split_whitespace();
            let mut words = rest.skip_while(|word| word.starts_with("pub"));
            if let (Some("mod"), Some(name)) = (words.next(), words.next())
                && let Some(name) = name.strip_suffix(';')
            {
                out.push(format!("{directory}{name}.rs"));
                out.push(format!("{directory}{name}/"));
            }
        }
    }
    out
}

#[test]
fn sources_keep_the_rules() {
    let files = rust_files("src");
    assert!(files.iter().any(|(path, _)| path == "lib.rs"), "found no sources");
    let tests = test_modules(&files);
    let is_test =
        |path: &str| tests.iter().any(|test| path == test || (test.ends_with('/') && path.starts_with(test)));
    let mut found: Vec<String> = Vec::new();
    for (path, text) in &files {
        let source = Source::new(path, text);
        if is_test(path) {
            let wrong = style(path, source.lines, &source.all_tokens);
            found.extend(wrong.into_iter().map(|complaint| format!("src/{path}{complaint}")));
        } else {
            found.extend(complaints(&source));
        }
    }
    assert!(found.is_empty(), "{} broken rules:\n{}", found.len(), found.join("\n"));
}

#[test]
fn tests_and_benches_have_no_globs_and_no_vague_names() {
    let mut found: Vec<String> = Vec::new();
    for below in ["tests", "benches"] {
        for (path, text) in rust_files(below) {
            let source = Source::new(&path, &text);
            let wrong = style(&path, source.lines, &source.all_tokens);
            found.extend(wrong.into_iter().map(|complaint| format!("{below}/{path}{complaint}")));
        }
    }
    assert!(found.is_empty(), "{} broken rules:\n{}", found.len(), found.join("\n"));
}

/// Small sources that break one rule each, and what the complaint says.
const BROKEN: &[(&str, &str, &str)] = &[
    ("plan/a.rs", "use crate::derive::Keys;", "src/plan/a.rs:1: `plan` may not name `derive::Keys`"),
    ("spec/mod.rs", "fn f() {\n crate::plan::g() }", "src/spec/mod.rs:2: `spec` may not name `plan::g`"),
    ("render/b/c.rs", "use super::super::super::derive::Secret;", "`render` may not name `derive::Secret`"),
    ("render/a.rs", "use crate::derive;", "`render` may not name `derive`"),
    ("render/a.rs", "use crate::derive::public_but_not;", "`render` may not name `derive::public_but_not`"),
    ("check/a.rs", "use crate::{bundle::x, spec::y};", "`check` may not name `spec::y`"),
    ("check/a.rs", "fn f() -> crate::host::A { todo!() }", "`check` may not name `host::A`"),
    ("host/a.rs", "use crate::check::verify;", "`host` may not name `check::verify`"),
    ("bundle/a.rs", "mod inner { use super::super::super::plan; }", "`bundle` may not name `plan`"),
    ("finding.rs", "use crate::rootfs::x;", "`finding` may not name `rootfs::x`"),
    ("plan/a.rs", "use crate::thing;", "`plan` may not name `lib::thing`"),
    ("shiny/mod.rs", "", "module `shiny` is not in the table of arrows"),
    ("main.rs", "fn main() { sealift::plan::x(); }", "`main` may not name `plan::x`"),
    ("plan/a.rs", "use p256::ecdsa::SigningKey;", "`plan` may not name `p256::ecdsa::SigningKey`"),
    ("plan/a.rs", "fn f() { sha2::Sha256::new(); }", "`plan` may not name `sha2::Sha256::new`"),
    ("plan/a.rs", "use std::{time, collections::BTreeMap};", "`plan` may not name `std::time`"),
    ("render/a.rs", "use age::Encryptor;", "`render` may not name `age::Encryptor`"),
    ("derive/a.rs", "use std::fs::File;", "`derive` may not name `std::fs::File`"),
    ("derive/a.rs", "fn f() { getrandom::fill(x) }", "`derive` may not name `getrandom::fill`"),
    ("host/a.rs", "use std::env;", "`host` may not name `std::env`"),
    ("host/a.rs", "fn f() { std::process::exit(1) }", "`host` may not name `std::process::exit`"),
    ("check/a.rs", "use std::time::{Duration, SystemTime};", "`check` may not name `std::time::SystemTime`"),
    ("check/a.rs", "use minijinja::Environment;", "`check` may not name `minijinja::Environment`"),
    ("plan/a.rs", "#![allow(clippy::disallowed_methods)]", "`plan` may not allow clippy::disallowed_methods"),
    ("host/a.rs", "#[expect(clippy::print_stdout)] fn f() {}", "`host` may not allow clippy::print_stdout"),
    ("cli/a.rs", "#[allow(clippy::unwrap_used)] fn f() {}", "`cli` may not allow clippy::unwrap_used"),
    ("host/a.rs", "fn f() { println!(\"x\") }", "println! outside cli"),
    ("host/a.rs", "fn f() {\n\n x.unwrap() }", "src/host/a.rs:3: .unwrap() outside tests"),
    ("cli/a.rs", "fn f() { x.expect(\"y\") }", ".expect() outside tests"),
    ("bundle/a.rs", "// the kubelet reads this", "`bundle` knows a Kubernetes word: kube"),
    ("bundle/a.rs", "const X: &str = \"ETCD\";", "`bundle` knows a Kubernetes word: etcd"),
    ("cli/a.rs", "use crate::plan::*;", "glob import crate::plan::*"),
    ("cli/a.rs", "use crate::{plan::{self, x::*}};", "glob import crate::plan::x::*"),
    ("cli/a.rs", "#[cfg(test)] mod tests { use super::*; }", "glob import crate::*"),
    ("cli/utils.rs", "", "a module named after nothing"),
    ("cli/a.rs", "mod common;", "a module named after nothing: common"),
];

#[test]
fn every_rule_bites() {
    for (path, text, expected) in BROKEN {
        let found = complaints(&Source::new(path, text));
        assert_eq!(found.len(), 1, "{path}: {text}\n{found:#?}");
        assert!(found[0].contains(expected), "{path}: {text}\nexpected {expected}\nfound {}", found[0]);
    }
    let long = complaints(&Source::new("cli/a.rs", &"\n".repeat(501)));
    assert_eq!(long, ["src/cli/a.rs: 501 lines, more than 500"]);
}

/// What the rules must not mistake for a breach.
const SOUND: &[(&str, &str)] = &[
    ("render/a.rs", "use crate::{plan::Plan, derive::public::Certificate};"),
    (
        "plan/a.rs",
        "//! Unlike crate::derive::x it has no p256::Key.\nconst X: &str = \"std::fs::read println!()\";",
    ),
    ("plan/a.rs", "use super::files::Row; use self::inner::x; pub(crate) struct A; pub(super) fn f() {}"),
    ("plan/a.rs", "#[cfg(test)]\nmod tests {\n use crate::cli::x; fn f() { y.unwrap(); println!() }\n}"),
    ("plan/a.rs", "fn f<'a>(x: &'a str) -> char { '\"' } // \" use crate::derive;"),
    (
        "cli/a.rs",
        "#![allow(clippy::disallowed_methods)] use std::env; fn f() { println!(\"x\"); std::process::exit(0) }",
    ),
    ("host/a.rs", "use crate::check::certificates::Pair; fn f() { finding.expected(1).unwrap_or(2) }"),
    (
        "bundle/mod.rs",
        "//! Knows nothing of Kubernetes.\nfn f(a: u32) -> u32 { a * 2 }\n#[cfg(test)] mod t { /* kubelet */ }",
    ),
    ("main.rs", "use std::process::ExitCode; fn main() -> ExitCode { sealift::cli::run() }"),
    ("lib.rs", "pub mod plan; pub use crate::plan::Plan; fn f() { crate::g() }"),
];

#[test]
fn no_rule_bites_what_is_right() {
    for (path, text) in SOUND {
        assert_eq!(complaints(&Source::new(path, text)), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn files_for_tests_alone_are_known() {
    let files = [
        ("plan/certs.rs", "#[cfg(test)]\nmod tests;"),
        ("cli/mod.rs", "#[cfg(test)] pub(crate) mod journey;"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let expected = ["plan/certs/tests.rs", "plan/certs/tests/", "cli/journey.rs", "cli/journey/"];
    assert_eq!(test_modules(&files), expected);
}
