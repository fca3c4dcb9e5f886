//! `/etc/hosts` through the program: a block that comes, changes and goes in a file that is not sealift's.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::example::{Built, VALID_AT, replaced};
use support::opened::{machine, machine_file};
use support::{Ran, is_root, need_working, run, sealift, stacked};

const OWN: &str = "127.0.0.1\tlocalhost\r\n\r\n# mine\n10.9.9.9 printer";
const ONE: &str = "# BEGIN sealift
# sealift install replaces what stands between these two marks; write your own lines outside of them.
10.0.0.6 cp1
203.0.113.1 api.prod.example
10.0.0.7 w1
# END sealift
";

/// The cluster at a revision, with this of `hostPrep`.
fn spec(revision: u32, prep: &str) -> String {
    let rest = format!("loadBalancers: [{{kind: external, addresses: [203.0.113.1]}}]\n{prep}");
    replaced(
        &stacked::spec("1.36.2", "kubeadm", "", &rest),
        "revision: 1\n",
        &format!("revision: {revision}\n"),
    )
}

fn words(built: &Built, words: &[&str], root: &Path) -> Vec<PathBuf> {
    let trust = [PathBuf::from("--trust"), built.out().join("trust"), "--root".into(), root.to_path_buf()];
    words.iter().map(PathBuf::from).chain(trust).collect()
}

fn verify(built: &Built, root: &Path) -> Ran {
    sealift(words(built, &["verify", "--at", VALID_AT.0, "--format", "json"], root))
}

/// Ids and paths of what `verify` finds.
fn found(built: &Built, root: &Path) -> Vec<String> {
    let ran = verify(built, root);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    let found: Vec<String> =
        findings.map(|it| format!("{} {}", text(&it["id"]), text(&it["path"]))).collect();
    assert_eq!(ran.code, i32::from(!found.is_empty()), "{}", ran.stdout);
    found
}

fn install(built: &Built, root: &Path, more: &[&str]) -> Ran {
    let identity = built.path("w1.key");
    fs::write(&identity, machine_file(1)).unwrap();
    let mut all = words(built, &["install"], root);
    all.extend([built.bundle("w1"), "-i".into(), identity]);
    all.extend(more.iter().map(PathBuf::from));
    sealift(all)
}

/// What an install says of the file.
fn said(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().filter_map(|line| line.strip_suffix(" /etc/hosts")).map(str::trim).collect()
}

#[test]
fn a_block_comes_changes_and_goes() {
    let part = "hostPrep: {hosts: {}}\n";
    let one = Built::of(&spec(1, part));
    let two = Built::of(&spec(2, "hostPrep: {hosts: {entries: {\"fd00::50\": [mirror.example, m]}}}\n"));
    let three = Built::of(&spec(3, ""));
    let root = one.root("w1");
    let hosts = root.join("etc/hosts");
    fs::write(&hosts, OWN).unwrap();
    fs::set_permissions(&hosts, fs::Permissions::from_mode(0o640)).unwrap();
    if is_root() {
        chown(&hosts, Some(12), Some(34)).unwrap();
    }
    let attributes = || {
        let metadata = hosts.metadata().unwrap();
        (metadata.mode(), metadata.uid(), metadata.gid())
    };
    let before = attributes();
    let text = || fs::read_to_string(&hosts).unwrap();

    let dry = install(&one, &root, &["--dry-run"]).expect_code(0);
    assert_eq!((said(&dry), text()), (vec!["would be updated"], OWN.to_owned()));
    let first = install(&one, &root, &[]).expect_code(0);
    assert_eq!((said(&first), text()), (vec!["updated"], format!("{OWN}\n{ONE}")));
    assert_eq!(found(&one, &root), [""; 0]);
    let again = hosts.metadata().unwrap().ino();
    let second = install(&one, &root, &[]).expect_code(0);
    assert_eq!((said(&second).len(), hosts.metadata().unwrap().ino()), (0, again));

    // outside of the marks it is nobody's business
    fs::write(&hosts, format!("::1 localhost\n{ONE}{OWN}")).unwrap();
    assert_eq!(found(&one, &root), [""; 0]);
    // inside it is
    let edited = text().replace("10.0.0.6 cp1", "10.6.6.6 cp1");
    fs::write(&hosts, &edited).unwrap();
    assert_eq!(found(&one, &root), ["block-differs /etc/hosts"]);
    fs::write(&hosts, OWN).unwrap();
    assert_eq!(found(&one, &root), ["block-missing /etc/hosts"]);
    fs::write(&hosts, format!("{ONE}{ONE}")).unwrap();
    assert_eq!(found(&one, &root), ["block-damaged /etc/hosts"]);
    for force in [&[][..], &["--force"]] {
        let refused = install(&one, &root, force).expect_code(1);
        let all = format!("{}{}", refused.stdout, refused.stderr);
        assert!(all.contains("block-damaged /etc/hosts") && all.contains("lines 1, 7"), "{all}");
    }
    fs::write(&hosts, &edited).unwrap();
    assert_eq!(said(&install(&one, &root, &[]).expect_code(0)), ["updated"]);
    assert_eq!(text(), format!("::1 localhost\n{ONE}{OWN}"));

    let more = replaced(ONE, "# END", "fd00::50 mirror.example m\n# END");
    assert_eq!(said(&install(&two, &root, &[]).expect_code(0)), ["updated"]);
    assert_eq!((text(), found(&two, &root)), (format!("::1 localhost\n{more}{OWN}"), vec![]));
    let _ = install(&one, &root, &[]).expect_code(5);
    let _ = install(&one, &root, &["--allow-rollback"]).expect_code(0);
    assert_eq!(text(), format!("::1 localhost\n{ONE}{OWN}"));

    assert_eq!(said(&install(&three, &root, &[]).expect_code(0)), ["updated"]);
    assert_eq!((text(), found(&three, &root)), (format!("::1 localhost\n{OWN}"), vec![]));
    assert_eq!(attributes(), before);
}

#[test]
fn builds_are_compared_by_their_blocks() {
    let [one, two] = ["{}", "{entries: {10.0.0.9: [a]}}"]
        .map(|hosts| Built::of(&spec(1, &format!("hostPrep: {{hosts: {hosts}}}\n"))));
    for built in [&one, &two] {
        let words = [
            "verify".into(),
            "--at".into(),
            VALID_AT.0.into(),
            "--trust".into(),
            built.out().join("trust"),
            built.out(),
        ];
        let _ = sealift(words).expect_code(0);
    }
    let words = [
        "diff".into(),
        "--text".into(),
        one.bundle("w1"),
        two.bundle("w1"),
        "--trust".into(),
        one.out().join("trust"),
    ];
    let diff = sealift(words).expect_code(1);
    assert!(diff.stdout.contains("/etc/hosts") && diff.stdout.contains("+10.0.0.9 a\n"), "{}", diff.stdout);
}

/// One more worker is named by itself alone.
#[test]
fn a_worker_changes_no_other_bundle() {
    let text = spec(1, "hostPrep: {hosts: {}}\n");
    let worker = format!(
        "  w2: {{addresses: [10.0.0.17], roles: [worker], recipients: [{}]}}\n",
        machine(2).to_public()
    );
    let [one, two] = [text.clone(), text + &worker].map(|text| Built::of(&text));
    for host in ["cp1", "w1"] {
        assert_eq!(fs::read(one.bundle(host)).unwrap(), fs::read(two.bundle(host)).unwrap(), "{host}");
    }
    let files = support::opened::open(&two.bundle("w2"), &machine(2));
    assert_eq!(files["/etc/hosts"].text(), ONE.replace("10.0.0.7 w1", "10.0.0.17 w2"));
}

/// The C library reads the file, with lines of others around the block.
#[test]
fn names_resolve() {
    let Some(unshare) = need_working("unshare", &["-m", "true"]) else { return };
    let built = Built::of(&spec(1, "hostPrep: {hosts: {entries: {\"fd00::50\": [mirror.example, m]}}}\n"));
    let root = built.root("w1");
    let hosts = root.join("etc/hosts");
    fs::write(&hosts, OWN).unwrap();
    let _ = install(&built, &root, &[]).expect_code(0);
    for (name, expected) in [
        ("cp1", "10.0.0.6"),
        ("w1", "10.0.0.7"),
        ("api.prod.example", "203.0.113.1"),
        ("m", "fd00::50"),
        ("printer", "10.9.9.9"),
    ] {
        let script = "mount --bind \"$1\" /etc/hosts && exec getent -s files ahosts \"$2\"";
        let mut command = Command::new(&unshare);
        command.args(["-m", "sh", "-c", script, "sh"]).arg(&hosts).arg(name);
        let ran = run(&mut command).expect_code(0);
        let first = ran.stdout.split_whitespace().next().unwrap_or_default();
        assert_eq!(first, expected, "{name}: {}", ran.stdout);
    }
}
