//! `sealift diff`, end to end: whole outputs as files below `tests/golden/diff`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "prepares builds and runs the binary")]

mod support;

use ed25519_dalek::SigningKey;
use sealift::bundle::index::Index;
use sealift::bundle::manifest::{Manifest, Policy};
use sealift::bundle::pack::pack;
use std::fs;
use std::path::{Path, PathBuf};
use support::archive::members;
use support::example::{Built, replaced, spec};
use support::golden::golden;
use support::opened::machine;
use support::{Ran, copy_tree, repository, sealift, temporary};

const UNTRUSTED: &str = "warning: no trust file says who may sign: both were checked to be whole, not whose they are\nhint: name the file that the builder gave you: --trust FILE\n";
const REVISION: (&str, &str) = ("  revision: 1\n", "  revision: 2\n");

/// The example with edits, built.
fn built(edits: &[(&str, &str)]) -> Built {
    Built::of(&edits.iter().fold(spec(), |text, (from, to)| replaced(&text, from, to)))
}

/// `sealift diff` of two paths with further arguments; in what it says, they are OLD and NEW.
fn diff(old: &Path, new: &Path, arguments: &[&str]) -> Ran {
    let words = ["diff".into(), old.to_path_buf(), new.to_path_buf()];
    let ran = sealift(words.into_iter().chain(arguments.iter().map(PathBuf::from)));
    // one path may begin with the other
    let mut sides = [(old, "OLD"), (new, "NEW")];
    sides.sort_by_key(|(path, _)| std::cmp::Reverse(path.as_os_str().len()));
    let hide = |text: &str| {
        sides.iter().fold(text.to_owned(), |text, (path, name)| text.replace(path.to_str().unwrap(), name))
    };
    Ran { code: ran.code, stdout: hide(&ran.stdout), stderr: hide(&ran.stderr) }
}

/// Compares data with a golden file, and messages with those of a run without `--trust`.
#[track_caller]
fn expect(name: &str, ran: &Ran, code: i32) {
    assert_eq!((ran.code, ran.stderr.as_str()), (code, UNTRUSTED), "{}", ran.stdout);
    golden(&repository("tests/golden/diff").join(name), &ran.stdout);
}

fn trust(built: &Built) -> String {
    built.out().join("trust").to_str().unwrap().to_owned()
}

#[test]
fn nothing_changed() {
    let example = Built::example();
    let ran = diff(&example.out(), &example.out(), &[]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "same 4 bundles\n", UNTRUSTED));
    let ran = diff(&example.bundle("infra0"), &example.bundle("infra0"), &["--trust", &trust(example)]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "same 1 bundle\n", ""));
    let ran = diff(&example.out(), &example.out(), &["--trust", &trust(example), "--format", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    golden(&repository("tests/golden/diff/nothing.json"), &ran.stdout);
}

#[test]
fn a_new_epoch_renews_certificates_and_keeps_keys() {
    let new = built(&[REVISION, ("2026-11-20T00:00:00Z", "2027-01-20T00:00:00Z")]);
    expect("epoch.txt", &diff(&Built::example().out(), &new.out(), &["--text"]), 1);
}

#[test]
fn a_host_comes_and_goes() {
    let host = format!(
        "  infra3:\n    addresses: [10.0.0.9]\n    roles: [etcd]\n    recipients: [{}]\n",
        machine(9).to_public()
    );
    let new = Built::of(&(replaced(&spec(), REVISION.0, REVISION.1) + &host));
    expect("host-added.txt", &diff(&Built::example().out(), &new.out(), &["--text"]), 1);
    expect("host-removed.txt", &diff(&new.out(), &Built::example().out(), &[]), 1);
}

#[test]
fn a_rotation_restarts_etcd_and_brings_a_runbook() {
    let rotation = "pki:\n  cas:\n    etcd:\n      generation: 2\n      rotation: stage\n";
    let new = built(&[REVISION, ("pki:\n", rotation)]);
    expect("rotation.txt", &diff(&Built::example().out(), &new.out(), &[]), 1);
}

#[test]
fn recipients_and_generations_change_what_is_sealed() {
    let new = built(&[
        (
            "  infra1:\n",
            "  infra1:\n    generation: 2\n    revision: 1\n    kubelet: {cgroupDriver: cgroupfs}\n",
        ),
        (
            "age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05",
            "age1yt0q0jhmu4md0lfqhpkype4nlucwzn79csf0gk5tj8ulxxd96c0qc8v74k",
        ),
    ]);
    expect("sealed.txt", &diff(&Built::example().out(), &new.out(), &["--text"]), 1);
}

/// A host gets another address: its keys stay.
#[test]
fn one_bundle_as_json() {
    let new = built(&[REVISION, ("    addresses: [10.0.0.7]\n", "    addresses: [10.0.0.17]\n")]);
    let example = Built::example();
    let words = ["--trust", &trust(example), "--text", "--format", "json"];
    let ran = diff(&example.bundle("infra1"), &new.bundle("infra1"), &words);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    // the version of sealift and the shape of its plans enter these digests
    let is_digest = |part: &&str| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let masked = ran.stdout.split('"').map(|part| if is_digest(&part) { "DIGEST" } else { part });
    golden(&repository("tests/golden/diff/bundle.json"), &masked.collect::<Vec<_>>().join("\""));
}

/// A bundle with other manifest entries, signed by a key of this test.
fn repacked(bundle: &Path, to: &Path, change: impl FnOnce(&mut Manifest)) {
    let members = members(bundle);
    let mut manifest: Manifest = serde_json::from_slice(&members[2].contents).unwrap();
    change(&mut manifest);
    let held = manifest.files.iter().filter(|file| file.policy != Policy::Foreign);
    let contents = held.map(|file| {
        let name = format!("files{}{}", file.path, if file.sealed { ".age" } else { "" });
        let member = members.iter().find(|member| member.name == name).unwrap();
        (file.path.clone(), member.contents.clone())
    });
    let contents = contents.collect();
    let packed = pack(manifest, &contents, members[0].mtime, &SigningKey::from_bytes(&[7; 32])).unwrap();
    fs::write(to, packed.bytes).unwrap();
}

#[test]
fn what_manifests_say_of_files_and_directories() {
    let directory = temporary();
    let [old, new] = ["old.tar.gz", "new.tar.gz"].map(|name| directory.path().join(name));
    let bundle = Built::example().bundle("infra0");
    repacked(&bundle, &old, |_| {});
    repacked(&bundle, &new, |manifest| {
        manifest.cluster.name = "odd\u{1b}[2Jname".to_owned();
        for file in &mut manifest.files {
            match file.path.as_str() {
                "/etc/etcd/etcdctl.env" => (file.mode, file.uid) = ("0640".to_owned(), 7),
                "/etc/kubernetes/manifests/etcd.yaml" => file.policy = Policy::Bootstrap,
                "/etc/kubernetes/kubelet/config.yaml" => file.restart.push("unit/other".to_owned()),
                _ => {}
            }
        }
        let gate = "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf";
        manifest.files.retain(|file| file.path != gate);
        let manifests = |path: &str| path == "/etc/kubernetes/manifests";
        let owned = manifest.directories.iter_mut().find(|directory| manifests(&directory.path)).unwrap();
        owned.allow = vec!["/etc/kubernetes/manifests/mine.yaml".to_owned()];
    });
    expect("manifest.txt", &diff(&old, &new, &[]), 1);
    // and who signed
    let ran = diff(&bundle, &old, &[]);
    expect("signer.txt", &ran, 1);
}

/// Another verify key, and nothing else that tells one secret from another.
#[test]
fn what_no_manifest_tells_is_not_claimed() {
    let directory = temporary();
    let [old, new] = ["old.tar.gz", "new.tar.gz"].map(|name| directory.path().join(name));
    let restarts = |manifest: &mut Manifest| {
        let mut files = manifest.files.iter_mut();
        let key = files.find(|file| file.path.ends_with("/etcd/peer.key")).unwrap();
        key.restart = vec!["static-pod/etcd".to_owned()];
    };
    let bundle = Built::example().bundle("infra0");
    repacked(&bundle, &old, restarts);
    repacked(&bundle, &new, |manifest| {
        restarts(manifest);
        for file in manifest.files.iter_mut().filter(|file| file.sealed) {
            file.hmac = Some("0".repeat(64));
        }
    });
    expect("unknown.txt", &diff(&old, &new, &[]), 1);
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let example = Built::example();
    let other = temporary();
    let id = "7e570000000000000000000000000002";
    let bundle = other.path().join("infra0.tar.gz");
    repacked(&example.bundle("infra0"), &bundle, |manifest| manifest.cluster.id = id.to_owned());
    let mut index = Index::parse(&fs::read(example.out().join("index.json")).unwrap()).unwrap();
    index.cluster.id = id.to_owned();
    let signed = index.sign(&SigningKey::from_bytes(&[7; 32])).unwrap();
    fs::write(other.path().join("index.json"), signed.index).unwrap();
    fs::write(other.path().join("SHA256SUMS"), signed.sums).unwrap();
    fs::write(other.path().join("SHA256SUMS.sig"), signed.signature).unwrap();
    let clusters = "error: two clusters: 7e570000000000000000000000000001 and 7e570000000000000000000000000002\nhint: two builds of one cluster can be compared\n";
    let hosts = "error: two hosts: infra0 and infra1\nhint: two bundles of one host can be compared\n";
    let mixed = "error: OLD is a directory, NEW is not\nhint: compare with NEW, or two output directories\n";
    let missing = "error: cannot read NEW: no such file or directory\nhint: check the path\n";
    let nothing = example.path("nothing.tar.gz");
    for (old, new, code, stderr) in [
        (example.out(), other.path().to_path_buf(), 2, clusters),
        (example.bundle("infra0"), bundle, 2, clusters),
        (example.bundle("infra0"), example.bundle("infra1"), 2, hosts),
        (example.out(), example.bundle("infra0"), 2, mixed),
        (example.bundle("infra0"), nothing, 7, missing),
    ] {
        let ran = diff(&old, &new, &[]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (code, "", stderr));
    }
}

#[test]
fn who_signed_counts_with_a_trust_file_only() {
    let example = Built::example();
    let new = built(&[REVISION, ("pki:\n", "signing:\n  generation: 2\npki:\n")]);
    let ran = diff(&example.out(), &new.out(), &["--trust", &trust(example)]);
    assert_eq!((ran.code, ran.stderr.as_str()), (3, ""));
    golden(&repository("tests/golden/diff/not-trusted.txt"), &ran.stdout);
    expect("signing.txt", &diff(&example.out(), &new.out(), &[]), 1);
}

#[test]
fn a_damaged_bundle_is_found_and_the_others_are_compared() {
    let new = built(&[REVISION, ("  infra0:\n", "  infra0:\n    kubelet: {cgroupDriver: cgroupfs}\n")]);
    let damaged = temporary();
    copy_tree(&new.out(), damaged.path());
    let bundle = damaged.path().join("infra1.tar.gz");
    let mut bytes = fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let ran = diff(&Built::example().out(), damaged.path(), &[]);
    assert_eq!(ran.stderr, UNTRUSTED);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("\ninfra1: not compared, see below\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nbundles: 3 changed, 1 not compared; files: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\ngzip-invalid NEW/infra1.tar.gz"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nindex-mismatch NEW/infra1.tar.gz"), "{}", ran.stdout);
    let ran = diff(&Built::example().bundle("infra1"), &bundle, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, UNTRUSTED));
    assert!(ran.stdout.starts_with("gzip-invalid NEW: "), "{}", ran.stdout);
    // an index that does not hold says nothing
    fs::write(damaged.path().join("index.json"), "{}").unwrap();
    let ran = diff(&Built::example().out(), damaged.path(), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, UNTRUSTED));
    assert!(ran.stdout.starts_with("index-mismatch NEW/index.json: expected "), "{}", ran.stdout);
    fs::remove_file(damaged.path().join("SHA256SUMS.sig")).unwrap();
    let ran = diff(&Built::example().out(), damaged.path(), &[]);
    let expected = "signature-missing NEW/SHA256SUMS.sig: no such file\n  mend: copy the whole directory again from where it was built\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (3, expected, UNTRUSTED));
}

/// A thousand equal hosts cost two indexes.
#[test]
fn what_both_indexes_pin_is_not_opened() {
    let example = Built::example();
    let without = temporary();
    copy_tree(&example.out(), without.path());
    for host in ["infra0", "infra1", "infra2", "operator"] {
        fs::remove_file(without.path().join(format!("{host}.tar.gz"))).unwrap();
    }
    let ran = diff(&example.out(), without.path(), &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "same 4 bundles\n"));
}
