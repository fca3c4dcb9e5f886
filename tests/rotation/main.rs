//! A CA is replaced in three builds: the whole walk over installed hosts, and everything that
//! `check --previous` refuses on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "prepares specs and runs the binary")]

mod at_rest;
mod refusals;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use support::example::{Built, HOSTS, replaced, spec_of_today};
use support::{Ran, SEALIFT, run, sealift};

/// The example of today with this under `pki.cas.etcd`, and a revision.
fn spec(revision: u32, etcd: &str) -> String {
    let text = replaced(&spec_of_today(), "pki:\n", &format!("pki:\n  cas: {{etcd: {{{etcd}}}}}\n"));
    replaced(&text, "  revision: 1\n", &format!("  revision: {revision}\n"))
}

/// A cluster that changes step by step.
struct Walk(Built);

impl Walk {
    /// Built as it is at first.
    fn new() -> Self {
        Self(Built::of(&spec(1, "")))
    }

    /// Built at a step, whatever was before.
    fn at(etcd: &str) -> Self {
        Self(Built::of(&spec(1, etcd)))
    }

    fn check(&self, revision: u32, etcd: &str, arguments: &[&str]) -> Ran {
        self.check_spec(&spec(revision, etcd), arguments)
    }

    fn check_spec(&self, spec: &str, arguments: &[&str]) -> Ran {
        fs::write(self.0.path("sealift.yaml"), spec).unwrap();
        let mut words = vec!["check".into(), self.0.path("sealift.yaml"), "--previous".into(), self.0.out()];
        for argument in arguments {
            words.push(if *argument == "RECEIPTS" { self.0.path("receipts") } else { argument.into() });
        }
        self.hidden(&sealift(words))
    }

    fn hidden(&self, ran: &Ran) -> Ran {
        let hide = |text: &str| text.replace(self.0.path("").to_str().unwrap(), "");
        Ran { code: ran.code, stdout: hide(&ran.stdout), stderr: hide(&ran.stderr) }
    }

    /// The last line of what is said to people.
    fn next(ran: &Ran) -> &str {
        ran.stdout.lines().last().unwrap_or_default()
    }

    fn build(&self) {
        let _ = self.0.build(&[]).expect_code(0);
    }

    /// Installs what is built and keeps the receipt.
    fn install(&self, host: &str) {
        let root = self.0.root(host);
        let trust = self.0.path("out/trust");
        let ran = self.0.install(host, &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
        // what to restart, and in which order
        let told = ran.stdout.contains("\nread: /etc/sealift/RUNBOOK.md, for the order of what follows\n");
        let placed = ["created", "updated"].map(|what| format!("  {what} /etc/sealift/RUNBOOK.md\n"));
        assert_eq!(told, placed.iter().any(|line| ran.stdout.contains(line)), "{}", ran.stdout);
        self.receipt(host, 0);
    }

    fn receipt(&self, host: &str, code: i32) {
        let root = self.0.path("roots").join(host);
        let words = ["verify".into(), "--format".into(), "json".into(), "--root".into(), root];
        let said = sealift(words).expect_code(code).stdout;
        fs::create_dir_all(self.0.path("receipts")).unwrap();
        fs::write(self.0.path(&format!("receipts/{host}.json")), said).unwrap();
    }

    fn roll_out(&self) {
        self.build();
        for host in HOSTS {
            self.install(host);
        }
    }
}

const STAGE: &str = "generation: 2, rotation: stage";
const PROMOTE: &str = "generation: 2, rotation: promote";
const RETIRE: &str = "generation: 2, rotation: retire";
const WITH: [&str; 2] = ["--receipts", "RECEIPTS"];

/// How many certificates a host's CA file has.
fn trusted(walk: &Walk, host: &str) -> usize {
    let file = walk.0.path("roots").join(host).join("etc/kubernetes/pki/etcd/ca.crt");
    fs::read_to_string(file).unwrap().matches("BEGIN CERTIFICATE").count()
}

#[test]
fn the_whole_walk() {
    let walk = Walk::new();
    walk.roll_out();
    let ran = walk.check(2, STAGE, &[]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(
        Walk::next(&ran),
        "pki.cas.etcd: staged; next: promote, once every host has this build, and API servers elsewhere the operators' files"
    );
    walk.roll_out();
    assert_eq!(HOSTS.map(|host| trusted(&walk, host)), [2, 2, 2]);
    let again = walk.check(2, STAGE, &WITH).expect_code(0);
    assert_eq!(again.stderr, "");
    assert_eq!(Walk::next(&again), Walk::next(&ran));

    let ran = walk.check(3, PROMOTE, &WITH).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(
        Walk::next(&ran),
        "pki.cas.etcd: promoted; next: retire, once every host has this build, and API servers elsewhere the operators' files"
    );
    walk.roll_out();
    assert_eq!(HOSTS.map(|host| trusted(&walk, host)), [2, 2, 2]);

    let ran = walk.check(4, RETIRE, &WITH).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(
        Walk::next(&ran),
        "pki.cas.etcd: retired; next: remove `rotation` and `previous`, whenever you like"
    );
    walk.roll_out();
    assert_eq!(HOSTS.map(|host| trusted(&walk, host)), [1, 1, 1]);

    let ran = walk.check(5, "generation: 2", &[]).expect_code(0);
    assert_eq!((ran.stderr.as_str(), ran.stdout.contains("pki.cas.etcd")), ("", false), "{}", ran.stdout);
    walk.roll_out();
    // and the next one
    let ran = walk.check(6, "generation: 3, rotation: stage", &[]).expect_code(0);
    assert!(Walk::next(&ran).starts_with("pki.cas.etcd: staged; next: promote"), "{}", ran.stdout);
}

/// `retire` may be left to the field's absence.
#[test]
fn retired_by_removing_the_step() {
    let walk = Walk::at(PROMOTE);
    walk.roll_out();
    let ran = walk.check(2, "generation: 2", &WITH).expect_code(0);
    assert_eq!((ran.stderr.as_str(), Walk::next(&ran)), ("", "pki.cas.etcd: retired"));
    let ran = walk.check(2, "generation: 2", &[]).expect_code(2);
    assert!(ran.stderr.starts_with("error: pki.cas.etcd: nothing proves"), "{}", ran.stderr);
}

#[test]
fn ways_back() {
    let walk = Walk::at(PROMOTE);
    walk.roll_out();
    let ran = walk.check(2, STAGE, &WITH).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert!(
        Walk::next(&ran).starts_with("pki.cas.etcd: back to `stage`; next: promote, once"),
        "{}",
        ran.stdout
    );
    walk.roll_out();
    let ran = walk.check(3, "", &WITH).expect_code(0);
    assert_eq!((ran.stderr.as_str(), Walk::next(&ran)), ("", "pki.cas.etcd: back to the old one"));
    // without proof it is right as long as nothing was promoted, which nobody but the user knows
    let ran = walk.check(3, "generation: 1", &[]).expect_code(0);
    let expected = "warning: pki.cas.etcd: nothing proves that every host has the build before: infra0: no receipt; infra1: no receipt; infra2: no receipt
  --> sealift.yaml:20:9
   |
20 |   cas: {etcd: {generation: 1}}
   |         ^^^^
hint: right if `promote` reached no host; else every host needs the build before first

";
    assert_eq!(ran.stderr, expected);
    let walk = Walk::at("generation: 2");
    let ran = walk.check(2, PROMOTE, &[]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert!(
        Walk::next(&ran).starts_with("pki.cas.etcd: back to `promote`; next: retire, once"),
        "{}",
        ran.stdout
    );
}

#[test]
fn hosts_without_proof() {
    let walk = Walk::new();
    walk.roll_out();
    let _ = walk.check(2, STAGE, &[]).expect_code(0);
    walk.build();
    walk.install("infra0");
    // infra1 keeps the build before; infra2's machine is not as it should be
    walk.install("infra2");
    fs::write(walk.0.path("roots/infra2/etc/etcd/etcdctl.env"), "ETCDCTL_ENDPOINTS=nowhere\n").unwrap();
    walk.receipt("infra2", 1);
    fs::write(walk.0.path("receipts/x.json"), "{}\n").unwrap();
    fs::write(walk.0.path("receipts/notes.txt"), "is not read\n").unwrap();
    let missing = "pki.cas.etcd: nothing proves that every host has the build before: infra1: it has revision 1.0, not 2.0; infra2: it is not clean: digest-mismatch; x.json: not the output of `sealift verify --root DIR --format json`
  --> sealift.yaml:20:41
   |
20 |   cas: {etcd: {generation: 2, rotation: promote}}
   |                                         ^^^^^^^
hint: collect what `sealift verify --root / --format json` says on each host, a file each, in --receipts DIR; if you know better: --unproven etcd
";
    let ran = walk.check(3, PROMOTE, &WITH).expect_code(2);
    assert_eq!(ran.stderr, format!("error: {missing}\nsealift.yaml: 1 error\n"));
    let ran = walk.check(3, PROMOTE, &[&WITH[..], &["--unproven", "kubernetes"]].concat()).expect_code(2);
    assert_eq!(ran.stderr, format!("error: {missing}\nsealift.yaml: 1 error\n"));
    let ran = walk.check(3, PROMOTE, &[&WITH[..], &["--unproven", "etcd"]].concat()).expect_code(0);
    assert_eq!(ran.stderr, format!("warning: {missing}\n"));

    let ran = walk.check(3, PROMOTE, &[&WITH[..], &["--format", "json"]].concat()).expect_code(2);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    let item = &said["change"]["items"][0];
    assert_eq!(said["change"]["items"].as_array().unwrap().len(), 1);
    assert_eq!([&item["item"], &item["path"], &item["move"]], ["etcd", "pki.cas.etcd", "promote"]);
    let version = |generation: u32| json!({"algorithm": "ecdsa-p256", "generation": generation, "seed": 1});
    assert_eq!(item["before"], json!({"active": version(1), "beside": version(2), "step": "stage"}));
    assert_eq!(item["now"], json!({"active": version(2), "beside": version(1), "step": "promote"}));
    let unproven = json!([
        {"host": "infra1", "reason": "it has revision 1.0, not 2.0"},
        {"host": "infra2", "reason": "it is not clean: digest-mismatch"},
    ]);
    assert_eq!(item["unproven"], unproven);

    // another build of the same revision
    let other = replaced(&spec(2, STAGE), "kubelet:\n", "kubelet:\n  cgroupDriver: cgroupfs\n");
    fs::write(walk.0.path("sealift.yaml"), other).unwrap();
    walk.build();
    let ran = walk.check(3, PROMOTE, &WITH).expect_code(2);
    assert!(
        ran.stderr.contains("before: infra0: it has another build of revision 2.0; infra1: it has"),
        "{}",
        ran.stderr
    );
}

/// Receipts of what lies in a file, and of another cluster, prove nothing.
#[test]
fn other_peoples_receipts() {
    let walk = Walk::at(STAGE);
    fs::create_dir(walk.0.path("receipts")).unwrap();
    for host in HOSTS {
        let words = ["verify".into(), walk.0.bundle(host), "--trust".into(), walk.0.path("out/trust")];
        let said = sealift(words.into_iter().chain(["--format".into(), "json".into()])).expect_code(0).stdout;
        fs::write(walk.0.path(&format!("receipts/{host}.json")), said).unwrap();
    }
    let ran = walk.check(2, PROMOTE, &WITH).expect_code(2);
    let none = HOSTS.map(|host| format!("{host}: no receipt")).join("; ");
    assert!(ran.stderr.contains(&format!("before: {none}; infra0.json: not the output")), "{}", ran.stderr);

    fs::write(walk.0.path("sealift.yaml"), spec(1, STAGE)).unwrap();
    walk.roll_out();
    let file = walk.0.path("receipts/infra1.json");
    let foreign =
        replaced(&fs::read_to_string(&file).unwrap(), "7e570000000000000000000000000001", &"0".repeat(32));
    fs::write(&file, foreign).unwrap();
    let ran = walk.check(2, PROMOTE, &WITH).expect_code(2);
    assert!(ran.stderr.contains("before: infra1: its receipt is of another cluster\n"), "{}", ran.stderr);
    let ran = walk.check(2, PROMOTE, &["--receipts", "/nowhere"]).expect_code(2);
    assert_eq!(
        ran.stderr,
        "error: --receipts /nowhere: not a directory\nhint: name the directory with what `sealift verify --root / --format json` said on each host\n"
    );
}

/// A seed that somebody has seen is left step by step, in the same way.
#[test]
fn to_another_seed() {
    let walk = Walk::new();
    let words =
        ["init", "--add-seed", "--dir", ".", "--seed", "test-only/seed.age", "-i", "test-only/operator.key"];
    let _ = run(Command::new(SEALIFT).args(words).current_dir(walk.0.path(""))).expect_code(0);

    walk.roll_out();
    let mut ends = Vec::new();
    for (revision, step) in [(2, "stage"), (3, "promote"), (4, "retire")] {
        let etcd = format!("seed: 2, rotation: {step}, previous: {{seed: 1}}");
        let ran = walk.check(revision, &etcd, &WITH).expect_code(0);
        assert_eq!(ran.stderr, "");
        ends.push(Walk::next(&ran).split(';').next().unwrap().to_owned());
        walk.roll_out();
    }
    assert_eq!(ends, ["pki.cas.etcd: staged", "pki.cas.etcd: promoted", "pki.cas.etcd: retired"]);
    let ran = walk.check(5, "", &[]).expect_code(2);
    let expected = "error: pki.cas.etcd: generation 1 (seed 1, ecdsa-p256) at once after generation 1 (seed 2, ecdsa-p256): no host trusts it yet\n";
    assert!(ran.stderr.starts_with(expected), "{}", ran.stderr);
}

/// A bundle that `build --host` left as it was does not hold what the index says.
#[test]
fn a_host_that_was_left_out_of_the_build() {
    let walk = Walk::new();
    walk.roll_out();
    let _ = walk.check(2, STAGE, &[]).expect_code(0);
    let _ = walk.0.build(&["--host", "infra0", "--host", "infra2", "--host", "operator"]).expect_code(0);
    for host in HOSTS {
        walk.install(host);
    }
    let ran = walk.check(3, PROMOTE, &WITH).expect_code(2);
    let expected = "error: pki.cas.etcd: nothing proves that every host has the build before: infra1: its bundle was not built anew, see `build --host`\n";
    assert!(ran.stderr.starts_with(expected), "{}", ran.stderr);
    let verified = sealift(["verify".into(), walk.0.out(), "--trust".into(), walk.0.path("out/trust")]);
    let _ = verified.expect_code(0);
}

/// A host that goes with the change need not prove anything.
#[test]
fn a_removed_host_is_not_asked() {
    let walk = Walk::at(STAGE);
    walk.build();
    for host in ["infra0", "infra1"] {
        walk.install(host);
    }
    let all = spec(2, PROMOTE);
    let without = format!("{}retired: {{infra2: 1}}\n", all.split("  infra2:\n").next().unwrap());
    let ran = walk.check_spec(&without, &WITH).expect_code(0);
    assert!(Walk::next(&ran).starts_with("pki.cas.etcd: promoted"), "{}", ran.stdout);
}

#[test]
fn another_name_for_the_same_key_is_told() {
    let walk = Walk::at("subject: {O: Example}");
    let ran = walk.check(2, "subject: {O: Example}", &[]).expect_code(0);
    assert_eq!(ran.stderr, "");
    let ran = walk.check(2, "subject: {O: Example, OU: etcd}", &[]).expect_code(0);
    let expected = "warning: pki.cas.etcd: another subject under the same generation: hosts that have the old one trust nothing that it signs from now on
  --> sealift.yaml:20:16
   |
20 |   cas: {etcd: {subject: {O: Example, OU: etcd}}}
   |                ^^^^^^^
hint: raise `generation` and rotate: `previous` keeps the old subject

";
    assert_eq!(ran.stderr, expected);
    // as that hint says
    let rotate = "generation: 2, subject: {OU: etcd}, rotation: stage, previous: {subject: {O: Example}}";
    let ran = walk.check(2, rotate, &[]).expect_code(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn another_signing_key_is_told() {
    let walk = Walk::new();
    let ran = walk
        .check_spec(&replaced(&spec(2, ""), "pki:\n", "signing: {generation: 2}\npki:\n"), &[])
        .expect_code(2);
    let expected = "error: signing: generation 2 (seed 1, ed25519) at once after generation 1 (seed 1, ed25519): no host trusts it yet
  --> sealift.yaml:19:23
   |
19 | signing: {generation: 2}
   |                       ^
hint: go in three builds, each installed on every host before the next: `rotation: stage`, then `promote`, then `retire`; hosts that you give the new key by another way, with `install --trust`, need no steps: --unproven signing

sealift.yaml: 1 error
";
    assert_eq!(ran.stderr, expected);
}

/// sealift 0.1.0 noted no items; nobody can tell what a step follows.
#[test]
fn an_output_without_items() {
    let walk = Walk::new();
    let file = walk.0.path("out/index.json");
    let index = fs::read_to_string(&file).unwrap();
    let start = index.find("\"items\":").unwrap();
    let end = index.find("\"sealift\":").unwrap();
    fs::write(&file, format!("{}{}", &index[..start], &index[end..])).unwrap();
    assert_eq!(walk.check(1, "", &[]).expect_code(0).stderr, "");
    let ran = walk.check(2, STAGE, &[]).expect_code(2);
    let expected = format!(
        "error: pki.cas.etcd: sealift {} built the output before and did not note what it made
  --> sealift.yaml:20:41
   |
20 |   cas: {{etcd: {{generation: 2, rotation: stage}}}}
   |                                         ^^^^^
hint: build the spec as it was with this sealift, install that, and begin then

sealift.yaml: 1 error
",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(ran.stderr, expected);
}

#[test]
fn items_are_named() {
    let ran = sealift(["check", "x.yaml", "--previous", "out", "--unproven", "ca"]).expect_code(2);
    assert!(
        ran.stderr.starts_with("error: invalid value 'ca' for '--unproven <ITEM>': nothing of that name is replaced in steps; there are kubernetes, etcd, front-proxy, service-account, encryption-at-rest, signing\n"),
        "{}",
        ran.stderr
    );
    let _ = sealift(["check", "x.yaml", "--unproven", "etcd"]).expect_code(2);
    let _ = sealift(["check", "x.yaml", "--receipts", "r"]).expect_code(2);
}

/// Receipts come from hosts, and what a host sends may be anything.
#[test]
fn receipts_that_are_no_files_or_speak_to_terminals() {
    let walk = Walk::at(STAGE);
    let directory = walk.0.path("receipts");
    fs::create_dir(&directory).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, directory.join("pipe.json"), fifo, mode, 0).unwrap();
    std::os::unix::fs::symlink("/dev/zero", directory.join("zero.json")).unwrap();
    fs::write(directory.join("a\u{1b}[2J\nerror: b.json"), "").unwrap();
    let said = json!({"command": "verify", "findings": [], "subjects": [
        {"kind": "root", "clusterId": "x", "host": "infra0", "revision": "1\u{1b}[2J\nerror: c", "manifest": "x"}]});
    fs::write(directory.join("d.json"), said.to_string()).unwrap();
    let ran = walk.check(2, PROMOTE, &WITH).expect_code(2);
    let errors: Vec<_> = ran.stderr.lines().filter(|line| line.contains("error")).collect();
    let expected = [
        "error: pki.cas.etcd: nothing proves that every host has the build before: infra0: no receipt; infra1: no receipt; infra2: no receipt; a\\u{1b}[2J\\nerror: b.json: not the output of `sealift verify --root DIR --format json`; d.json: not the output of `sealift verify --root DIR --format json`; pipe.json: not a regular file; zero.json: not a regular file",
        "sealift.yaml: 1 error",
    ];
    assert_eq!(errors, expected);
}
