//! The example clusters: what a build makes of them has the digests that are checked in beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::fs;
use std::path::PathBuf;
use support::golden::golden;
use support::{repository, sealift, temporary};

/// A moment at which every example is valid.
const AT: &str = "2026-12-01T00:00:00Z";

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository("bundles")).unwrap().map(|entry| entry.unwrap().path());
    let mut examples: Vec<_> = entries.filter(|path| path.join("sealift.yaml").is_file()).collect();
    examples.sort();
    assert!(!examples.is_empty());
    examples
}

#[test]
fn every_example_builds_to_its_pinned_digests_and_verifies() {
    let mut warnings = String::new();
    for example in examples() {
        let directory = temporary();
        let out = directory.path().join("out");
        let text = |below: &str| example.join(below).to_str().unwrap().to_owned();
        let out_text = out.to_str().unwrap();
        let (spec, seed) = (text("sealift.yaml"), text("test-only/seed.age"));
        let operator = text("test-only/operator.key");
        let built = sealift(["build", &spec, "--seed", &seed, "-i", &operator, "-o", out_text]);
        let said = built.expect_code(0).stderr.replace(repository("bundles").to_str().unwrap(), "bundles");
        warnings.push_str(&said);
        golden(&example.join("SHA256SUMS"), &fs::read_to_string(out.join("SHA256SUMS")).unwrap());
        let trust = out.join("trust");
        let verified = sealift(["verify", out_text, "--trust", trust.to_str().unwrap(), "--at", AT]);
        let bundles = fs::read_dir(&out).unwrap().filter(|entry| {
            entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|ext| ext == "gz"))
        });
        let expected = format!("ok {out_text}: {} bundles\n", bundles.count());
        assert_eq!(verified.expect_code(0).stdout, expected);
    }
    golden(&repository("tests/golden/example-warnings.txt"), &warnings);
}

#[test]
fn published_keys_say_that_they_are() {
    for example in examples() {
        for entry in fs::read_dir(example.join("test-only")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let text = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text).into_owned();
            let marked = match name {
                "seed.age" => {
                    opened(&path, &example.join("test-only/operator.key")).contains(&hex::encode("TEST-ONLY"))
                }
                name if name.ends_with("ssh_host_ed25519_key") => ssh_secret(&text).starts_with(b"TEST-ONLY"),
                _ => text.starts_with("# TEST ONLY: published"),
            };
            assert!(marked, "{} does not say that it is published", path.display());
        }
    }
}

/// The secret bytes of an OpenSSH private key.
fn ssh_secret(text: &str) -> Vec<u8> {
    let key = ssh_key::PrivateKey::from_openssh(text).unwrap();
    key.key_data().ed25519().unwrap().private.to_bytes().to_vec()
}

/// The plaintext of an age file.
fn opened(file: &std::path::Path, identity: &std::path::Path) -> String {
    let identity = fs::read_to_string(identity).unwrap();
    let identity = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let identity: age::x25519::Identity = identity.parse().unwrap();
    String::from_utf8(age::decrypt(&identity, &fs::read(file).unwrap()).unwrap()).unwrap()
}
