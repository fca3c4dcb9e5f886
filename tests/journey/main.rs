//! The whole way: init, check, build, verify, install, drift, repair; and every refusal of install.
//!
//! Outputs are compared whole, with tests/golden/journey.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod back;
mod host;
mod machine;
mod quiet;
mod rights;
#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use support::archive::members;
use support::example::{Built, HOSTS, IDENTITIES, replaced, spec, spec_of_today, test_only, today};
use support::transcript::{golden_transcript, no_secrets, transcript};
use support::{SEALIFT, copy_tree, run, temporary, tree};

const INFRA0: &str = "out/infra0.tar.gz";
const VERIFY: [&str; 3] = ["verify", "--root", "roots/infra0"];

/// The words of an install of a bundle into infra0's root with infra0's identity.
fn install<'a>(bundle: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let identity = ["-i", "test-only/infra0.age.key"];
    [&["install", bundle], &identity[..], &["--root", "roots/infra0"], more].concat()
}

const TRUST: [&str; 2] = ["--trust", "out/trust"];

/// Installs infra0's bundle of a spec valid today.
fn installed(spec: &str) -> Built {
    let built = Built::of(spec);
    built.root("infra0");
    let _ = said(&built, &install(INFRA0, &TRUST), 0);
    built
}

/// What a command in a staged directory says; its exit code is checked.
#[track_caller]
fn said(built: &Built, words: &[&str], code: i32) -> String {
    let text = transcript(&built.path(""), words);
    assert!(text.contains(&format!("\n(exit code {code})\n")), "not exit code {code}:\n{text}");
    text
}

/// Texts that differ from run to run, as words: moments of today, digests and cluster ids.
fn masked(text: &str) -> String {
    let today = today();
    let day = &today[..10];
    let text: String = text.split(day).enumerate().fold(String::new(), |mut out, (number, part)| {
        if number > 0 {
            out.push_str("NOW");
        }
        // after a day: THH:MM:SSZ
        out.push_str(if number > 0 && part.starts_with('T') { &part[10..] } else { part });
        out
    });
    let (mut out, mut rest) = (String::new(), text.as_str());
    while let Some(first) = rest.chars().next() {
        let hex = rest.find(|c: char| !matches!(c, '0'..='9' | 'a'..='f')).unwrap_or(rest.len());
        let take = hex.max(first.len_utf8());
        out.push_str(match hex {
            64 => "DIGEST",
            32 => "ID",
            _ => &rest[..take],
        });
        rest = &rest[take..];
    }
    out
}

#[track_caller]
fn compare(name: &str, text: &str) {
    golden_transcript(&format!("journey/{name}"), &masked(text), &[]);
}

#[test]
fn from_init_to_repair() {
    let directory = temporary();
    let path = |below: &str| directory.path().join(below);
    let mut story = String::new();
    let mut tell = |words: &[&str]| story.push_str(&transcript(directory.path(), words));
    tell(&["init", "prod"]);
    assert_eq!(fs::metadata(path("prod/operator.key")).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_to_string(path("prod/.gitignore")).unwrap(), "/operator.key\n");
    tell(&["check", "prod/sealift.yaml"]);
    let hosts = spec().split("hosts:\n").nth(1).unwrap().to_owned();
    let skeleton = fs::read_to_string(path("prod/sealift.yaml")).unwrap();
    fs::write(path("prod/sealift.yaml"), replaced(&skeleton, "hosts: {}\n", &format!("hosts:\n{hosts}")))
        .unwrap();
    tell(&["check", "prod/sealift.yaml"]);
    tell(&["build", "prod/sealift.yaml", "-i", "prod/operator.key"]);
    tell(&["build", "prod/sealift.yaml", "-i", "prod/operator.key"]);
    tell(&["verify", "prod/bundles/prod", "--trust", "prod/bundles/prod/trust"]);
    copy_tree(&test_only(""), &path("keys"));
    for (host, identity) in HOSTS.into_iter().zip(IDENTITIES) {
        fs::create_dir_all(path(&format!("roots/{host}/etc"))).unwrap();
        fs::write(path(&format!("roots/{host}/etc/hostname")), format!("{host}\n")).unwrap();
        let (bundle, root) = (format!("prod/bundles/prod/{host}.tar.gz"), format!("roots/{host}"));
        let (identity, trust) = (format!("keys/{identity}"), "prod/bundles/prod/trust");
        tell(&["install", &bundle, "-i", &identity, "--root", &root, "--trust", trust]);
        tell(&["verify", "--root", &root]);
    }
    fs::remove_file(path("roots/infra1/etc/kubernetes/pki/etcd/peer.key")).unwrap();
    fs::write(path("roots/infra1/etc/kubernetes/manifests/evil.yaml"), "a: b\n").unwrap();
    fs::write(path("roots/infra1/etc/etcd/etcdctl.env"), "ETCDCTL_ENDPOINTS=nowhere\n").unwrap();
    let key = path("roots/infra1/etc/kubernetes/pki/etcd/server.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    tell(&["verify", "--root", "roots/infra1"]);
    let again = ["install", "prod/bundles/prod/infra1.tar.gz", "-i", "keys/infra1.ssh_host_ed25519_key"];
    tell(&[&again[..], &["--root", "roots/infra1"]].concat());
    tell(&["verify", "--root", "roots/infra1"]);
    fs::remove_file(path("roots/infra1/etc/kubernetes/manifests/evil.yaml")).unwrap();
    tell(&["verify", "--root", "roots/infra1"]);
    let id = skeleton.split("id: \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(id.len() == 32 && !story.contains(id), "the id is told to nobody who did not ask");
    compare("from-init-to-repair", &story);
}

/// Nothing of the root changes when an install is refused, in text or in JSON.
#[track_caller]
fn refused(built: &Built, name: &str, words: &[&str], code: i32) {
    let root = built.path("roots");
    let before = tree(&root);
    let text = said(built, words, code);
    compare(name, &text);
    let mut command = Command::new(SEALIFT);
    let ran = run(command.args(words).args(["--format", "json"]).current_dir(built.path("")));
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &value["exit"]), (code, &code.into()), "{value:#}");
    assert_eq!(tree(&root), before, "something was written");
}

#[test]
fn nothing_to_trust() {
    let built = Built::of(&spec_of_today());
    built.root("infra0");
    refused(&built, "no-trust", &install(INFRA0, &[]), 3);
    // the output's own trust file is never read by itself
    refused(&built, "no-trust-verify", &["verify", "out"], 3);
    let other = Built::of(&replaced(&spec_of_today(), "pki:\n", "signing: {generation: 2}\npki:\n"));
    let trust = other.path("out/trust");
    fs::copy(trust, built.path("other.trust")).unwrap();
    refused(&built, "another-key", &install(INFRA0, &["--trust", "other.trust"]), 3);
    refused(&built, "another-key-verify", &["verify", "out", "--trust", "other.trust"], 3);
}

#[test]
fn forged_bundles() {
    let built = Built::of(&spec_of_today());
    built.root("infra0");
    let bundle = built.bundle("infra0");
    let good = members(&bundle);
    let mut changed = good.clone();
    changed[3].contents.extend(b"# changed\n");
    support::archive::write(&built.path("changed.tar.gz"), &changed);
    refused(&built, "forged-changed", &install("changed.tar.gz", &TRUST), 1);
    let unsigned: Vec<_> = good.iter().filter(|member| member.name != "SHA256SUMS.sig").cloned().collect();
    support::archive::write(&built.path("unsigned.tar.gz"), &unsigned);
    refused(&built, "forged-unsigned", &install("unsigned.tar.gz", &TRUST), 3);
    let mut extra = good.clone();
    extra.push(support::archive::Member { name: "files/etc/evil".to_owned(), ..good[3].clone() });
    support::archive::write(&built.path("extra.tar.gz"), &extra);
    refused(&built, "forged-extra", &install("extra.tar.gz", &TRUST), 1);
    let bytes = fs::read(&bundle).unwrap();
    fs::write(built.path("short.tar.gz"), &bytes[..bytes.len() - 1]).unwrap();
    refused(&built, "forged-short", &install("short.tar.gz", &TRUST), 1);
}

#[test]
fn another_host_or_cluster() {
    let built = Built::of(&spec_of_today());
    built.root("infra0");
    refused(&built, "wrong-host", &install("out/infra1.tar.gz", &TRUST), 4);
    // the machine has the right name, and another's key
    let words = ["install", INFRA0, "-i", "test-only/infra1.ssh_host_ed25519_key", "--root", "roots/infra0"];
    refused(&built, "wrong-identity", &[&words[..], &TRUST].concat(), 4);
    let _ = said(&built, &install(INFRA0, &TRUST), 0);

    // another cluster with a keyring of its own and a host of the same name and key
    let made = run(Command::new(SEALIFT).args(["init", "other"]).current_dir(built.path("")));
    let _ = made.expect_code(0);
    let hosts = spec().split("hosts:\n").nth(1).unwrap().to_owned();
    let skeleton = fs::read_to_string(built.path("other/sealift.yaml")).unwrap();
    let other = replaced(&skeleton, "hosts: {}\n", &format!("hosts:\n{hosts}"));
    fs::write(built.path("other/sealift.yaml"), other).unwrap();
    let _ = said(&built, &["build", "other/sealift.yaml", "-i", "other/operator.key", "-o", "other/out"], 0);
    let words = install("other/out/infra0.tar.gz", &["--trust", "other/out/trust"]);
    refused(&built, "wrong-cluster", &words, 4);
}

/// Builds a changed spec of the same cluster into the staged directory.
fn rebuild(built: &Built, spec: &str) {
    fs::write(built.path("sealift.yaml"), spec).unwrap();
    let _ = built.build(&[]).expect_code(0);
}

#[test]
fn revisions() {
    let second = replaced(&spec_of_today(), "revision: 1", "revision: 2");
    let built = installed(&second);
    rebuild(&built, &spec_of_today());
    refused(&built, "older-revision", &install(INFRA0, &[]), 5);
    let changed = replaced(&second, "kubelet:\n", "kubelet:\n  cgroupDriver: cgroupfs\n");
    rebuild(&built, &changed);
    refused(&built, "reused-revision", &install(INFRA0, &[]), 5);
    compare("reused-revision-allowed", &said(&built, &install(INFRA0, &["--allow-rollback"]), 0));
    let _ = said(&built, &VERIFY, 0);
    rebuild(&built, &spec_of_today());
    compare("older-revision-allowed", &said(&built, &install(INFRA0, &["--allow-rollback"]), 0));
    let _ = said(&built, &VERIFY, 0);
    // and on again: a host's own revision counts too
    let host = replaced(&spec_of_today(), "  infra0:\n", "  infra0:\n    revision: 1\n");
    rebuild(&built, &host);
    compare("newer-host-revision", &said(&built, &install(INFRA0, &[]), 0));
    let _ = said(&built, &VERIFY, 0);
    rebuild(&built, &spec_of_today());
    refused(&built, "older-host-revision", &install(INFRA0, &[]), 5);
}

/// A file that a later revision has no more.
#[test]
fn a_file_that_goes() {
    let built = installed(&spec_of_today());
    let without = replaced(&spec_of_today(), "run: sealift\n", "run: none\n");
    rebuild(&built, &replaced(&without, "revision: 1", "revision: 2"));
    compare("a-file-that-goes", &said(&built, &install(INFRA0, &[]), 0));
    assert!(!built.path("roots/infra0/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf").exists());
    let _ = said(&built, &VERIFY, 0);
}

#[test]
fn validity() {
    let built = Built::of(&replaced(&spec(), "2026-11-20T00:00:00Z", "2020-01-01T00:00:00Z"));
    built.root("infra0");
    refused(&built, "expired", &install(INFRA0, &TRUST), 6);
    refused(&built, "expired-verify", &["verify", INFRA0, "--trust", "out/trust"], 6);
    compare(
        "expired-allowed",
        &said(&built, &install(INFRA0, &[&TRUST[..], &["--allow-expired"]].concat()), 0),
    );
    compare("expired-root", &said(&built, &VERIFY, 6));
    compare("expired-tolerated", &said(&built, &[&VERIFY[..], &["--tolerate", "6"]].concat(), 0));
    let at = |time| [&VERIFY[..], &["--at", time]].concat();
    let _ = said(&built, &at("2020-06-01T00:00:00Z"), 0);
    let _ = said(&built, &at("2019-12-31T23:55:00Z"), 0);
    compare("not-yet-valid", &said(&built, &at("2019-12-31T23:54:59Z"), 6));
    compare(
        "about-to-expire",
        &said(&built, &[&at("2020-12-15T00:00:00Z")[..], &["--within", "30d"]].concat(), 6),
    );
    let _ = said(&built, &[&at("2020-12-15T00:00:00Z")[..], &["--within", "10d"]].concat(), 0);
}

#[test]
fn the_demo() {
    let directory = temporary();
    let told = transcript(directory.path(), &["demo", "--dir", "here"]);
    // its keys are new each time, and with them where the flipped bit is
    let bit = told.split("with bit ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    compare("demo", &replaced(&told, &format!("with bit {bit} flipped"), "with bit N flipped"));
    let again = transcript(directory.path(), &["demo", "--dir", "here"]);
    compare("demo-again", &again);
}

#[test]
fn the_demo_cleans_nothing_up_that_is_not_its_own() {
    let directory = temporary();
    let ran = run(Command::new(SEALIFT).arg("demo").env("TMPDIR", directory.path()).current_dir("/"));
    let ran = ran.expect_code(0);
    no_secrets(&(ran.stdout + &ran.stderr));
    let made: Vec<PathBuf> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(made.len(), 1, "{made:?}");
}
