//! `sealift init --add-seed`: one more seed in a keyring, and nothing else changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use support::example::{Built, replaced, spec, test_only};
use support::transcript::{golden_transcript, no_secrets, transcript};
use support::{Ran, SEALIFT, contents, is_root, need, run, sealift, tree};

const KEYRING: [&str; 4] = ["--seed", "test-only/seed.age", "-i", "test-only/operator.key"];

fn words<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["init", "--add-seed"], more].concat()
}

/// Runs words in a staged directory.
fn here(built: &Built, words: &[&str]) -> Ran {
    let ran = run(Command::new(SEALIFT).args(words).current_dir(built.path("")));
    no_secrets(&(ran.stdout.clone() + &ran.stderr));
    ran
}

/// The decrypted text of the staged keyring, by the tool `age`.
fn decrypted(age: &Path, built: &Built, identity: &Path) -> Option<Value> {
    let keyring = built.path("test-only/seed.age");
    let ran = run(Command::new(age).arg("-d").arg("-i").arg(identity).arg(keyring));
    (ran.code == 0).then(|| serde_json::from_str(&ran.stdout).unwrap())
}

/// The new public id, which is another each time.
fn id(text: &str) -> String {
    let id: String = text.split("its public id: ").nth(1).unwrap().chars().take(32).collect();
    assert!(id.chars().all(|c| c.is_ascii_hexdigit()), "{text}");
    id
}

#[test]
fn two_runs_add_two_seeds_and_change_no_build() {
    let built = Built::of(&spec());
    let before = contents(&built.out());
    let keyring = built.path("test-only/seed.age");
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o640)).unwrap();
    let first = transcript(&built.path(""), &words(&KEYRING));
    let second = transcript(&built.path(""), &words(&KEYRING));
    let (two, three) = (id(&first), id(&second));
    assert_ne!(two, three);
    golden_transcript("add-seed", &(first + &second), &[(&two, "ID-2"), (&three, "ID-3")]);
    assert_eq!(fs::metadata(&keyring).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(
        fs::read_dir(built.path("test-only")).unwrap().count(),
        fs::read_dir(test_only("")).unwrap().count()
    );

    let _ = built.build(&["--rebuild"]).expect_code(0);
    assert_eq!(contents(&built.out()), before, "an old build changed");
    // what comes from the new seed says so, under the id that was told
    let text = replaced(&spec(), "  infra1:\n", "  infra1:\n    seed: 3\n    revision: 1\n");
    fs::write(built.path("sealift.yaml"), text).unwrap();
    let _ = built.build(&[]).expect_code(0);
    let index: Value = serde_json::from_slice(&fs::read(built.path("out/index.json")).unwrap()).unwrap();
    assert_eq!(index["seeds"]["3"], json!(three));
    assert_eq!(index["seeds"].get("2"), None);

    let Some(age) = need("age") else { return };
    let old =
        run(Command::new(&age).arg("-d").arg("-i").arg(test_only("operator.key")).arg(test_only("seed.age")));
    let old: Value = serde_json::from_str(&old.stdout).unwrap();
    let new = decrypted(&age, &built, &test_only("operator.key")).unwrap();
    assert_eq!((&new["format"], &new["cluster"]), (&old["format"], &old["cluster"]));
    assert_eq!(new["seeds"]["1"], old["seeds"]["1"]);
    let numbers: Vec<_> = new["seeds"].as_object().unwrap().keys().collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    for number in ["2", "3"] {
        assert_eq!(new["seeds"][number].as_str().unwrap().len(), 64);
    }
    assert_ne!(new["seeds"]["2"], new["seeds"]["3"]);
}

#[test]
fn the_keyring_opens_for_the_operators_of_the_spec() {
    let Some(age) = need("age") else { return };
    let built = Built::staged(&spec());
    let made = run(Command::new(need("age-keygen").unwrap()).arg("-o").arg(built.path("new.key")));
    let _ = made.expect_code(0);
    let key = fs::read_to_string(built.path("new.key")).unwrap();
    let recipient = key.split("public key: ").nth(1).unwrap().lines().next().unwrap();
    let operator = spec().split("operators:").nth(1).unwrap().split("age1").nth(1).unwrap().to_owned();
    let operator = format!("age1{}", operator.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap());
    fs::write(built.path("sealift.yaml"), replaced(&spec(), &operator, recipient)).unwrap();
    let ran = here(&built, &[&words(&KEYRING)[..], &["--format", "json"]].concat()).expect_code(0);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    let cluster = decrypted(&age, &built, &built.path("new.key")).unwrap()["cluster"].clone();
    assert_eq!(
        said,
        json!({
            "command": "init", "exit": 0, "keyring": "test-only/seed.age", "cluster": cluster,
            "seed": 2, "seedId": said["seedId"], "operators": 1,
        })
    );
    assert_eq!(said["seedId"].as_str().unwrap().len(), 32);
    assert_eq!(decrypted(&age, &built, &test_only("operator.key")), None, "opens for who is no operator now");
    let again = here(&built, &words(&KEYRING)).expect_code(2);
    assert!(again.stderr.contains("none of the identities opens test-only/seed.age"), "{}", again.stderr);
}

#[test]
fn the_keyring_beside_the_spec_and_behind_a_link() {
    let built = Built::staged(&spec());
    fs::create_dir(built.path("safe")).unwrap();
    fs::copy(test_only("seed.age"), built.path("safe/real.age")).unwrap();
    symlink("safe/real.age", built.path("seed.age")).unwrap();
    let identity = test_only("operator.key");
    let words = ["init".into(), "--add-seed".into(), "--dir".into(), built.path(""), "-i".into(), identity];
    let _ = sealift(&words).expect_code(0);
    assert!(built.path("seed.age").is_symlink());
    assert_ne!(fs::read(built.path("safe/real.age")).unwrap(), fs::read(test_only("seed.age")).unwrap());
    assert_eq!(fs::read_dir(built.path("safe")).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let other = replaced(&spec(), "id: \"", "id: \"0");
    let other = other.replacen("id: \"0", "id: \"", 1);
    let start = other.find("id: \"").unwrap() + 5;
    let other = format!("{}{}{}", &other[..start], "0123456789abcdef".repeat(2), &other[start + 32..]);
    let mut text = String::new();
    let mut refused = |spec: &str, words: &[&str]| {
        let built = Built::staged(spec);
        let before = tree(&built.path(""));
        text.push_str(&transcript(&built.path(""), words));
        let ran = here(&built, &[words, &["--format", "json"]].concat());
        let usage = ran.stdout.is_empty() && ran.code == 2;
        if !usage {
            let said: Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!((&said["command"], &said["exit"]), (&json!("init"), &json!(ran.code)));
        }
        assert_ne!(ran.code, 0);
        assert_eq!(tree(&built.path("")), before, "something was written");
    };
    let identity = ["-i", "test-only/operator.key"];
    refused(&spec(), &words(&identity));
    refused(&spec(), &words(&[&identity[..], &["--dir", "nowhere"]].concat()));
    refused(&spec(), &words(&["--seed", "test-only/seed.age", "-i", "test-only/infra0.age.key"]));
    refused(&other, &words(&KEYRING));
    refused(&replaced(&spec(), "  revision: 1\n", "  revision: 0\n"), &words(&KEYRING));
    refused(&spec(), &words(&["--seed", "sealift.yaml", "-i", "test-only/operator.key"]));
    refused(&spec(), &words(&KEYRING[..2]));
    refused(&spec(), &["init", "prod", "--add-seed", "-i", "test-only/operator.key"]);
    refused(&spec(), &["init"]);
    golden_transcript("add-seed-refused", &text, &[]);
}

/// A directory where nothing can be written keeps the keyring that it has.
#[test]
fn a_failure_leaves_the_old_keyring() {
    let built = Built::staged(&spec());
    fs::create_dir(built.path("kept")).unwrap();
    fs::copy(test_only("seed.age"), built.path("kept/seed.age")).unwrap();
    let words = words(&["--seed", "kept/seed.age", "-i", "test-only/operator.key"]);
    let ran = if is_root() {
        // root may write everywhere but past the end of its quota
        let script = "ulimit -f 0; trap '' XFSZ; exec \"$0\" \"$@\"";
        let mut command = Command::new("bash");
        run(command.args(["-c", script, SEALIFT]).args(&words).current_dir(built.path("")))
    } else {
        fs::set_permissions(built.path("kept"), fs::Permissions::from_mode(0o555)).unwrap();
        let ran = here(&built, &words);
        fs::set_permissions(built.path("kept"), fs::Permissions::from_mode(0o755)).unwrap();
        ran
    };
    let ran = ran.expect_code(7);
    assert!(ran.stderr.starts_with("error: cannot write kept/seed.age: "), "{}", ran.stderr);
    assert_eq!(fs::read(built.path("kept/seed.age")).unwrap(), fs::read(test_only("seed.age")).unwrap());
    assert_eq!(fs::read_dir(built.path("kept")).unwrap().count(), 1);
}

/// Somebody else holds the lock that a run takes.
#[test]
fn one_run_at_a_time() {
    let built = Built::staged(&spec());
    let directory = fs::File::open(built.path("test-only")).unwrap();
    directory.lock().unwrap();
    let ran = here(&built, &words(&KEYRING)).expect_code(7);
    assert_eq!(
        ran.stderr,
        "error: another sealift is changing test-only/seed.age\nhint: run again when it is done; nothing was changed\n"
    );
    assert_eq!(fs::read(built.path("test-only/seed.age")).unwrap(), fs::read(test_only("seed.age")).unwrap());
    directory.unlock().unwrap();
    let _ = here(&built, &words(&KEYRING)).expect_code(0);
}
