//! tests/vectors/hostile: bundles and output directories that each fail for one reason, and say which.
//!
//! They are files so that other readers can be tried on them. What makes them is here, and must make the
//! same bytes; `SEALIFT_BLESS=1` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::too_many_lines, clippy::format_collect, reason = "tables, and small texts")]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod base;
mod cases;
mod der;
mod forge;
#[path = "../support/mod.rs"]
mod support;

use base::Output;
use cases::Case;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use support::{repository, sealift};

/// When everything in a good vector is valid.
const AT: &str = "2026-12-01T00:00:00Z";
/// The largest vector that is kept as a file; of the others the table has the digest.
const LARGEST: usize = 32 << 10;

/// A bundle, or a directory of them.
enum Made {
    Bundle(Vec<u8>),
    Output(Output),
}

fn directory() -> PathBuf {
    repository("tests/vectors/hostile")
}

fn write(made: &Made, to: &Path) {
    match made {
        Made::Bundle(bytes) => fs::write(to, bytes).unwrap(),
        Made::Output(files) => {
            fs::create_dir_all(to).unwrap();
            for (name, bytes) in files {
                fs::write(to.join(name), bytes).unwrap();
            }
        }
    }
}

fn file_name(case: &Case, made: &Made) -> String {
    match made {
        Made::Bundle(_) => format!("{}.tar.gz", case.name),
        Made::Output(_) => case.name.to_owned(),
    }
}

/// SHA-256 of a bundle, or of the names and digests in a directory.
fn digest(made: &Made) -> String {
    match made {
        Made::Bundle(bytes) => forge::sha256(bytes),
        Made::Output(files) => {
            let lines = files.iter().map(|(name, bytes)| format!("{}  {name}\n", forge::sha256(bytes)));
            forge::sha256(lines.collect::<String>().as_bytes())
        }
    }
}

fn is_kept(made: &Made) -> bool {
    !matches!(made, Made::Bundle(bytes) if bytes.len() > LARGEST)
}

/// The files beside the vectors: who may sign, and who may open.
fn aids() -> [(&'static str, String); 4] {
    let both = "namespaces=\"sealift-bundle,sealift-index\"";
    let line = |options: &str| forge::trust(forge::CLUSTER, forge::SIGNER, options);
    [
        ("trust", line(both)),
        ("trust.ended", line(&format!("{both},valid-before=\"20261130Z\""))),
        ("trust.index", line("namespaces=\"sealift-index\"")),
        ("identity", support::opened::machine_file(0)),
    ]
}

fn table(made: &[(Case, Made)]) -> String {
    let mut text = "name\tdone\targuments\tids\texit\tsha256\n".to_owned();
    for (case, made) in made {
        let (name, ids) = (file_name(case, made), case.ids.join(" "));
        let Case { done, arguments, exit, .. } = case;
        writeln!(text, "{name}\t{done}\t{arguments}\t{ids}\t{exit}\t{}", digest(made)).unwrap();
    }
    text
}

fn bless(made: &[(Case, Made)]) {
    let directory = directory();
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    made.iter().filter(|(_, made)| is_kept(made)).for_each(|(case, made)| {
        write(made, &directory.join(file_name(case, made)));
    });
    for (name, text) in aids() {
        fs::write(directory.join(name), text).unwrap();
    }
    fs::write(directory.join("hostile.tsv"), table(made)).unwrap();
}

#[test]
fn each_vector_fails_for_its_one_reason() {
    let made: Vec<(Case, Made)> = cases::all().into_iter().map(|case| (case, (case.make)())).collect();
    if std::env::var_os("SEALIFT_BLESS").is_some() {
        bless(&made);
    }
    let directory = directory();
    let names: BTreeSet<_> = made.iter().map(|(case, _)| case.name).collect();
    assert_eq!(names.len(), made.len(), "two vectors of one name");
    assert!(made.len() >= 75, "{}", made.len());
    assert_eq!(fs::read_to_string(directory.join("hostile.tsv")).unwrap(), table(&made));
    for (name, text) in aids() {
        assert_eq!(fs::read_to_string(directory.join(name)).unwrap(), text);
    }
    let scratch = support::temporary();
    let mut wrong = Vec::new();
    let mut kept: BTreeSet<String> = aids().iter().map(|(name, _)| (*name).to_owned()).collect();
    kept.insert("hostile.tsv".into());
    for (case, made) in &made {
        let name = file_name(case, made);
        let path = scratch.path().join(&name);
        write(made, &path);
        if is_kept(made) {
            let stored = directory.join(&name);
            let same = support::run(std::process::Command::new("diff").arg("-r").args([&stored, &path]));
            assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
            kept.insert(name);
        }
        let found = verify(&path, case);
        let expected = (case.exit, case.ids.iter().map(|id| (*id).to_owned()).collect());
        if found != expected {
            wrong.push(format!("{}: expected {expected:?}, found {found:?}", case.name));
        }
    }
    assert_eq!(wrong, [""; 0]);
    let there = fs::read_dir(&directory).unwrap();
    let there: BTreeSet<_> = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, kept, "files that no case makes");
}

/// The exit code and the id of every finding.
fn verify(path: &Path, case: &Case) -> (i32, Vec<String>) {
    let words: Vec<&str> = case.arguments.split(' ').filter(|word| !word.is_empty()).collect();
    let trust = if words.contains(&"--trust") { &[][..] } else { &["--trust", "trust"] };
    let mut arguments =
        vec!["verify".to_owned(), path.to_str().unwrap().to_owned(), "--at".into(), AT.into()];
    arguments.extend(["--format".to_owned(), "json".to_owned()]);
    for word in words.iter().chain(trust) {
        let aid = aids().iter().any(|(name, _)| name == word);
        arguments.push(if aid {
            directory().join(word).to_str().unwrap().into()
        } else {
            (*word).to_owned()
        });
    }
    let ran = sealift(&arguments);
    let answer: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}: {ran:?}", case.name));
    let findings = answer["findings"].as_array().unwrap_or_else(|| panic!("{}: {ran:?}", case.name));
    let ids = findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned());
    (ran.code, ids.collect())
}
