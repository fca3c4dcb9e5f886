//! Authorities that Go's crypto/x509, and so every component of Kubernetes, refuses to read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::fs;
use support::example::Built;
use support::{repository, sealift};

const CASES: [(&str, &str); 19] = [
    (
        "constraints-addresses",
        "the name constraints of certificate 1 forbid 10.96.0.1, a name of cp1's apiserver",
    ),
    ("constraints-directory", "certificate 1 has name constraints that hosts cannot read"),
    ("constraints-fine", ""),
    (
        "constraints-names",
        "the name constraints of certificate 1 forbid api.prod.example, a name of cp1's apiserver",
    ),
    ("critical-information-access", CRITICAL),
    ("critical-issuer-name", CRITICAL),
    ("critical-key-identifier", CRITICAL),
    ("critical-netscape", CRITICAL),
    ("critical-policy-constraints", CRITICAL),
    ("good", ""),
    ("name-empty", "an empty name"),
    ("serial-long", "a serial number of more than 20 bytes"),
    ("serial-negative", "a negative serial number"),
    ("serial-padded", "a serial number that is not DER"),
    ("text-not-printable", TEXT),
    ("text-not-utf8", TEXT),
    ("text-octets", TEXT),
    ("text-universal", TEXT),
    ("version-1", "another version than 3"),
];
const CRITICAL: &str = "a critical extension that is not understood: ";
const TEXT: &str = "a name with a text that is none";

/// What `check` says of an import of this file, in one line; empty when it is right.
fn said(certificate: &str) -> String {
    let base = fs::read_to_string(repository("tests/data/imports/sealift.yaml")).unwrap();
    let built =
        Built::staged(&(base + "pki: {cas: {kubernetes: {import: {certificate: a.crt, key: a.key}}}}\n"));
    fs::write(built.path("a.crt"), certificate).unwrap();
    fs::copy(repository("tests/data/odd-authorities/own.key"), built.path("a.key")).unwrap();
    let ran = sealift(["check", built.path("sealift.yaml").to_str().unwrap()]);
    let errors: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(ran.code, if errors.is_empty() { 0 } else { 2 }, "{}", ran.stderr);
    errors.join("\n")
}

#[test]
fn what_go_refuses_is_refused_here() {
    let directory = repository("tests/data/odd-authorities");
    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".crt").map(str::to_owned))
        .collect();
    files.sort();
    assert_eq!(files, CASES.map(|(name, _)| name));
    for (name, expected) in CASES {
        let said = said(&fs::read_to_string(directory.join(name).with_extension("crt")).unwrap());
        assert_eq!(said.is_empty(), expected.is_empty(), "{name}: {said}");
        assert!(said.contains(expected) && said.lines().count() < 2, "{name}: {said}");
    }
}

#[test]
fn a_file_of_very_many_certificates_is_one_error() {
    let good = fs::read_to_string(repository("tests/data/odd-authorities/good.crt")).unwrap();
    let expected = "error: pki.cas.kubernetes.import.certificate: a.crt: 1000 certificates in one file, and at most 10 make a chain";
    assert_eq!(said(&good.repeat(1000)), expected);
}
