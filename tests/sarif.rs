//! `--format sarif`, `sealift schema --of findings` and `verify --quiet`: what programs read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use sealift::finding::Id;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::archive::{members, write};
use support::example::{Built, HOSTS, spec_of_today, test_only};
use support::{Ran, SEALIFT, need, repository, run, temporary};

const AT: [&str; 2] = ["--at", "2026-12-01T00:00:00Z"];
const TRUST: [&str; 2] = ["--trust", "out/trust"];

#[track_caller]
fn sealift(directory: &Path, words: &[&str], format: &str) -> Ran {
    run(Command::new(SEALIFT).args(words).args(["--format", format]).current_dir(directory))
}

/// The log of a run.
#[track_caller]
fn sarif(directory: &Path, words: &[&str], code: i32) -> Value {
    let ran = sealift(directory, words, "sarif").expect_code(code);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// The example with a bundle beside it whose first file was changed.
fn with_damage() -> Built {
    let built = Built::of(&support::example::spec());
    let mut members = members(&built.bundle("infra0"));
    let changed = members.iter_mut().find(|member| member.name.ends_with("etcd.yaml")).unwrap();
    changed.contents.push(b'\n');
    write(&built.path("damaged.tar.gz"), &members);
    built
}

/// Every kind of answer of `verify`: arguments and exit codes.
fn answers(built: &Built) -> Vec<(Vec<&'static str>, i32)> {
    let root = built.root("infra0");
    fs::write(built.path("nobody"), "# nobody\n").unwrap();
    let _ = built.install("infra0", &root, &["--trust", built.out().join("trust").to_str().unwrap()]);
    let verify = |more: &[&'static str]| [&["verify"], more].concat();
    let installed = ["--root", "roots/infra0", AT[0], AT[1], TRUST[0], TRUST[1]];
    vec![
        (verify(&["out/infra0.tar.gz", AT[0], AT[1], TRUST[0], TRUST[1]]), 0),
        (verify(&["out", AT[0], AT[1], TRUST[0], TRUST[1]]), 0),
        (verify(&["damaged.tar.gz", AT[0], AT[1], TRUST[0], TRUST[1]]), 1),
        (verify(&["out", "damaged.tar.gz", "--at", "2040-01-01T00:00:00Z", TRUST[0], TRUST[1]]), 1),
        (verify(&["out", "--at", "2040-01-01T00:00:00Z", "--tolerate", "6", TRUST[0], TRUST[1]]), 0),
        (verify(&["out", "--within", "400d", AT[0], AT[1], TRUST[0], TRUST[1]]), 6),
        (verify(&["none", AT[0], AT[1], TRUST[0], TRUST[1]]), 7),
        (verify(&["out", AT[0], AT[1], "--trust", "nobody"]), 3),
        (verify(&["out", "--trust", "none"]), 7),
        (verify(&["out", "--at", "soon", TRUST[0], TRUST[1]]), 2),
        (verify(&installed), 0),
        (verify(&[&installed[..], &["out/infra1.tar.gz"]].concat()), 4),
    ]
}

/// Holds JSON files against a schema; does nothing without the tool. Says whether all of them fit.
fn fits(schema: &Path, files: &[PathBuf]) -> Option<Ran> {
    let tool = need("check-jsonschema")?;
    // one pattern of the standard is none of ECMAScript's with the unicode flag
    let dialect = ["--regex-variant", "nonunicode"];
    Some(run(Command::new(tool).args(dialect).arg("--schemafile").arg(schema).args(files)))
}

#[test]
fn a_log_is_of_these_members() {
    let built = with_damage();
    let words = ["verify", "damaged.tar.gz", "--at", "2026-12-01T00:00:00Z", "--trust", "out/trust"];
    let log = sarif(built.path("").as_path(), &words, 1);
    let run = &log["runs"][0];
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(run["tool"]["driver"]["name"], "sealift");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let names: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(names, Id::ALL.iter().map(|id| id.name()).collect::<Vec<_>>());
    assert_eq!(run["invocations"], json!([{"executionSuccessful": true, "exitCode": 1}]));
    let [result] = run["results"].as_array().unwrap().as_slice() else { panic!("{run:#}") };
    let entry = "files/etc/kubernetes/manifests/etcd.yaml";
    assert_eq!(
        rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"],
        "digest-mismatch"
    );
    assert_eq!((&result["ruleId"], &result["level"]), (&json!("digest-mismatch"), &json!("error")));
    assert_eq!(
        result["locations"],
        json!([{
            "physicalLocation": {"artifactLocation": {"uri": "damaged.tar.gz"}},
            "logicalLocations": [{"fullyQualifiedName": entry, "kind": "member"}],
        }])
    );
    assert_eq!(result["properties"]["path"], format!("damaged.tar.gz:{entry}"));
    let text = result["message"]["text"].as_str().unwrap();
    assert!(
        text.starts_with(&format!("damaged.tar.gz:{entry}: Contents differ from their SHA-256")),
        "{text}"
    );
    assert!(result.get("suppressions").is_none());
}

#[test]
fn a_log_of_a_host_is_relative_to_its_root() {
    let built = Built::of(&spec_of_today());
    let root = built.root("infra0");
    let trust = built.out().join("trust");
    let _ = built.install("infra0", &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
    fs::remove_file(root.join("etc/kubernetes/manifests/etcd.yaml")).unwrap();
    let words = ["verify", "--root", root.to_str().unwrap(), "--tolerate", "1"];
    let log = sarif(built.path("").as_path(), &words, 0);
    let run = &log["runs"][0];
    assert_eq!(run["originalUriBaseIds"], json!({"ROOT": {"uri": format!("file://{}/", root.display())}}));
    let result = &run["results"][0];
    let at = json!({"uri": "etc/kubernetes/manifests/etcd.yaml", "uriBaseId": "ROOT"});
    assert_eq!(result["locations"], json!([{"physicalLocation": {"artifactLocation": at}}]));
    assert_eq!(result["suppressions"], json!([{"kind": "external", "justification": "--tolerate 1"}]));
}

#[test]
fn every_log_fits_the_standard() {
    let built = with_damage();
    let (here, scratch) = (built.path(""), temporary());
    let mut files = Vec::new();
    let mut keep = |ran: Ran| {
        let file = scratch.path().join(format!("{}.json", files.len()));
        fs::write(&file, ran.stdout).unwrap();
        files.push(file);
    };
    for (words, code) in answers(&built) {
        keep(sealift(&here, &words, "sarif").expect_code(code));
    }
    let identity = test_only("infra0.age.key");
    let install =
        ["install", "out/infra1.tar.gz", "-i", identity.to_str().unwrap(), "--root", "roots/infra0"];
    keep(sealift(&here, &[&install[..], &TRUST].concat(), "sarif").expect_code(4));
    keep(sealift(&here, &[&["certs", "out"][..], &AT, &TRUST].concat(), "sarif").expect_code(0));
    keep(
        sealift(&here, &[&["diff", "out/infra0.tar.gz", "damaged.tar.gz"][..], &TRUST].concat(), "sarif")
            .expect_code(1),
    );
    let schema = repository("tests/data/sarif/sarif-schema-2.1.0.json");
    let Some(ran) = fits(&schema, &files) else { return };
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    // the tool does find faults
    let wrong = scratch.path().join("wrong.json");
    fs::write(&wrong, fs::read_to_string(&files[2]).unwrap().replace("\"error\"", "\"terror\"")).unwrap();
    assert_eq!(fits(&schema, &[wrong]).unwrap().code, 1);
}

#[test]
fn every_answer_of_verify_fits_its_schema() {
    let built = with_damage();
    let (here, scratch) = (built.path(""), temporary());
    let schema = scratch.path().join("schema.json");
    let printed = run(Command::new(SEALIFT).args(["schema", "--of", "findings"])).expect_code(0).stdout;
    fs::write(&schema, &printed).unwrap();
    let ids = &serde_json::from_str::<Value>(&printed).unwrap()["$defs"]["Id"]["oneOf"];
    let ids: Vec<_> = ids.as_array().unwrap().iter().map(|id| id["const"].as_str().unwrap()).collect();
    assert_eq!(ids, Id::ALL.iter().map(|id| id.name()).collect::<Vec<_>>());
    let mut files = Vec::new();
    for (index, (words, code)) in answers(&built).into_iter().enumerate() {
        let file = scratch.path().join(format!("{index}.json"));
        fs::write(&file, sealift(&here, &words, "json").expect_code(code).stdout).unwrap();
        files.push(file);
    }
    let Some(ran) = fits(&schema, &files) else { return };
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let text = fs::read_to_string(&files[2]).unwrap();
    for (from, to) in
        [("digest-mismatch", "digest-missed"), ("\"mend\"", "\"amend\""), ("\"exit\": 1", "\"exit\": \"1\"")]
    {
        let wrong = scratch.path().join("wrong.json");
        assert!(text.contains(from), "{text}");
        fs::write(&wrong, text.replace(from, to)).unwrap();
        assert_eq!(fits(&schema, &[wrong]).unwrap().code, 1, "{to}");
    }
}

#[test]
fn quiet_says_nothing_but_how_it_is_used() {
    let built = with_damage();
    let here = built.path("");
    for format in ["text", "json", "sarif"] {
        for (words, code) in answers(&built) {
            let ran = sealift(&here, &[&words[..], &["--quiet"]].concat(), format).expect_code(code);
            match code {
                2 => assert!(ran.stderr.starts_with("error: "), "{ran:?}"),
                _ => assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{words:?}"),
            }
        }
    }
    let ran = sealift(&here, &["verify", "--quiet"], "text").expect_code(2);
    assert!(ran.stderr.contains("required arguments"), "{ran:?}");
}

#[test]
fn what_has_no_findings_has_no_sarif() {
    let built = Built::example();
    assert_eq!(HOSTS.len(), 3);
    for words in [&["check", "sealift.yaml"][..], &["schema"], &["images", "sealift.yaml"]] {
        let ran = sealift(&built.path(""), words, "sarif").expect_code(2);
        let said = format!(
            "error: {} has no findings to print as SARIF\nhint: leave --format away, or give --format json\n",
            words[0]
        );
        assert_eq!(ran.stderr, said);
        let log: Value = serde_json::from_str(&ran.stdout).unwrap();
        let told = &log["runs"][0]["invocations"][0];
        assert_eq!((&told["executionSuccessful"], &told["exitCode"]), (&json!(false), &json!(2)));
    }
}
