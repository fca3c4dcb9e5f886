//! What lands on each host of the examples, whole, one text a host: rendered files as they are,
//! certificates and sealed files by their digests. `SEALIFT_BLESS=1` takes over a change that is meant.
//! The smallest example has a tree of its own, see tests/golden.rs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use support::archive::members;
use support::golden::golden;
use support::{repository, sealift, temporary};

/// Has a golden tree, file by file.
const SMALLEST: &str = "etcd-static-pods";

/// Files whose text says less than their digest.
fn is_opaque(name: &str) -> bool {
    let name = Path::new(name);
    ["age", "crt", "pub", "sig"].iter().any(|end| name.extension().is_some_and(|found| found == *end))
        || name == Path::new("SHA256SUMS")
}

/// A bundle as one text.
fn described(bundle: &Path) -> String {
    let mut text = String::new();
    for member in members(bundle) {
        writeln!(text, "==== {:04o} {}", member.mode, member.name).unwrap();
        if is_opaque(&member.name) {
            writeln!(text, "sha256:{}", hex::encode(Sha256::digest(&member.contents))).unwrap();
        } else if member.name == "manifest.json" {
            let manifest: Value = serde_json::from_slice(&member.contents).unwrap();
            text += &(serde_json::to_string_pretty(&manifest).unwrap() + "\n");
        } else {
            text += member.text();
        }
    }
    text
}

#[test]
fn every_host_of_every_example() {
    for entry in fs::read_dir(repository("bundles")).unwrap() {
        let example = entry.unwrap().path();
        let name = example.file_name().unwrap().to_str().unwrap().to_owned();
        if name == SMALLEST {
            continue;
        }
        let directory = temporary();
        let out = directory.path().join("out");
        let text = |below: &str| example.join(below).to_str().unwrap().to_owned();
        let (spec, seed) = (text("sealift.yaml"), text("test-only/seed.age"));
        let operator = text("test-only/operator.key");
        let _ = sealift(["build", &spec, "--seed", &seed, "-i", &operator, "-o", out.to_str().unwrap()])
            .expect_code(0);
        for entry in fs::read_dir(&out).unwrap() {
            let bundle = entry.unwrap().path();
            let Some(host) = bundle.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz") else {
                continue;
            };
            golden(
                &repository("tests/golden/examples").join(format!("{name}/{host}.txt")),
                &described(&bundle),
            );
        }
    }
}
