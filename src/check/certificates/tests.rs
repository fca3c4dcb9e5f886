//! The certificates and keys are openssl's (testdata/, test-only): `a` is valid from
//! 2026-11-19T23:55:00Z to 2027-11-19T23:55:00Z, `b` a year longer.
#![allow(clippy::unwrap_used)]

use super::{carries_certificates, horizon, inspect, key_matches, rfc3339};
use crate::finding::{Finding, Id};
use proptest::prelude::{ProptestConfig, any, proptest};

const A: &str = include_str!("../testdata/test-only-a.crt");
const B: &str = include_str!("../testdata/test-only-b.crt");
const P384: &str = include_str!("../testdata/test-only-p384.crt");
const ED25519: &str = include_str!("../testdata/test-only-ed25519.crt");
const RSA: &str = include_str!("../testdata/test-only-rsa2048.crt");
const P521: &str = include_str!("../testdata/test-only-p521.crt");
const KEY_ED25519: &str = include_str!("../../private_key/testdata/test-only-ed25519.key");
const KEY_RSA: &str = include_str!("../../private_key/testdata/test-only-rsa2048.key");
const KEY_RSA_PKCS8: &str = include_str!("../../private_key/testdata/test-only-rsa2048.pkcs8.key");
const KEY_P521: &str = include_str!("../../private_key/testdata/test-only-p521.key");
const KEY_A: &str = include_str!("../testdata/test-only-a.key");
const KEY_A_PKCS8: &str = include_str!("../testdata/test-only-a.pkcs8.key");
const KEY_B: &str = include_str!("../testdata/test-only-b.key");
const KEY_P384: &str = include_str!("../testdata/test-only-p384.key");
/// The scalar of `a` with the public key of `b`, which openssl takes for `b`.
const KEY_MIXED: &str = include_str!("../testdata/test-only-mixed.key");

const BEGINS: i64 = 1_795_132_500;
const ENDS: i64 = BEGINS + 365 * 86_400;
const DAY: u64 = 86_400;

fn finding(id: Id, mend: &str, expected: &str, found: &str) -> Finding {
    Finding::new(id, "/a.crt", mend).expected(expected).found(found)
}

#[test]
fn valid_from_the_first_second_to_the_last() {
    for (at, within) in [(BEGINS, None), (ENDS, None), (ENDS - 86_400, Some(DAY)), (BEGINS, Some(0))] {
        assert_eq!(inspect(A.as_bytes(), "/a.crt", at, within), [], "{at} {within:?}");
    }
}

#[test]
fn says_when_time_is_wrong() {
    assert_eq!(
        inspect(A.as_bytes(), "/a.crt", BEGINS - 1, Some(DAY)),
        [finding(
            Id::CertificateNotYetValid,
            "check this machine's clock, or wait until then",
            "valid at 2026-11-19T23:54:59Z",
            "not before 2026-11-19T23:55:00Z (CN=infra0)",
        )]
    );
    assert_eq!(
        inspect(A.as_bytes(), "/a.crt", ENDS + 1, Some(DAY)),
        [finding(
            Id::CertificateExpired,
            "build with a later `cluster.epoch` and install the new bundle; check this machine's clock too",
            "valid at 2027-11-19T23:55:01Z",
            "not after 2027-11-19T23:55:00Z (CN=infra0)",
        )]
    );
    assert_eq!(
        inspect(A.as_bytes(), "/a.crt", ENDS - 86_399, Some(DAY)),
        [finding(
            Id::CertificateExpiring,
            "build with a later `cluster.epoch` and install the new bundle before then",
            "valid at 2027-11-19T23:55:01Z",
            "not after 2027-11-19T23:55:00Z (CN=infra0)",
        )]
    );
}

#[test]
fn looks_at_every_certificate_of_a_file() {
    let both = format!("# a comment\n{B}{KEY_A}{A}");
    let found: Vec<_> =
        inspect(both.as_bytes(), "/x", ENDS + 1, None).into_iter().map(|it| it.found).collect();
    assert_eq!(found, [Some("not after 2027-11-19T23:55:00Z (CN=infra0)".to_owned())]);
    assert_eq!(inspect(both.as_bytes(), "/x", ENDS + 400 * 86_400, None).len(), 2);
}

#[test]
fn refuses_what_is_no_certificate() {
    let truncated = A.get(..A.len() - 40).unwrap();
    let damaged = A.replacen("MII", "MIJ", 1);
    // A DER certificate with a byte after it, in a block that is PEM all the same.
    let padded = A.replace("-----END", "AAAA\n-----END");
    let texts = ["", "nothing", truncated, &damaged, &padded, KEY_A, &format!("{A}{damaged}")];
    for text in texts {
        let ids: Vec<Id> = inspect(text.as_bytes(), "/x", BEGINS, None).iter().map(|it| it.id).collect();
        assert_eq!(ids, [Id::CertificateMalformed], "{text}");
    }
    assert!(carries_certificates(A.as_bytes()) && carries_certificates(format!("x\n{A}").as_bytes()));
    assert!(
        !carries_certificates(KEY_A.as_bytes()) && !carries_certificates(b"x -----BEGIN CERTIFICATE-----")
    );
}

#[test]
fn matches_keys_by_their_private_part() {
    let both = format!("{A}{B}");
    let cases = [
        (A, KEY_A, Ok(true)),
        (A, KEY_A_PKCS8, Ok(true)),
        (A, &format!("\n{KEY_A}\n\n"), Ok(true)),
        (B, KEY_B, Ok(true)),
        (A, KEY_B, Ok(false)),
        (B, KEY_A_PKCS8, Ok(false)),
        (&both, KEY_A, Ok(true)),
        (&both, KEY_B, Ok(false)),
        (A, KEY_MIXED, Err(Id::KeyMalformed)),
        (B, KEY_MIXED, Err(Id::KeyMalformed)),
        (A, KEY_P384, Ok(false)),
        (A, A, Err(Id::KeyMalformed)),
        (A, "", Err(Id::KeyMalformed)),
        (P384, KEY_P384, Ok(true)),
        (P384, KEY_A, Ok(false)),
        (ED25519, KEY_ED25519, Ok(true)),
        (ED25519, KEY_A, Ok(false)),
        (RSA, KEY_RSA, Ok(true)),
        (RSA, KEY_RSA_PKCS8, Ok(true)),
        (RSA, KEY_ED25519, Ok(false)),
        (A, KEY_P521, Err(Id::KeyMalformed)),
        (P521, KEY_P521, Err(Id::CertificateMalformed)),
        (KEY_A, KEY_A, Err(Id::CertificateMalformed)),
        ("", KEY_A, Err(Id::CertificateMalformed)),
    ];
    for (cert, key, expected) in cases {
        assert_eq!(key_matches(cert.as_bytes(), key.as_bytes()), expected, "{cert}\n{key}");
    }
    assert_eq!(key_matches(A.as_bytes(), b"\xff"), Err(Id::KeyMalformed));
}

#[test]
fn writes_any_time() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
    assert_eq!(rfc3339(i64::MAX), "9223372036854775807 s after 1970");
    assert_eq!(horizon(i64::MAX - 1, u64::MAX), i64::MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, at: i64, within: Option<u64>) {
        inspect(&bytes, "/x", at, within);
        assert!(key_matches(&bytes, KEY_A.as_bytes()).is_err());
        assert!(key_matches(A.as_bytes(), &bytes).is_err());
    }

    #[test]
    fn no_change_makes_it_panic(at in 0..A.len(), byte in any::<u8>(), time: i64) {
        let mut bytes = A.as_bytes().to_vec();
        *bytes.get_mut(at).unwrap() = byte;
        inspect(&bytes, "/x", time, Some(DAY));
        let _ = key_matches(&bytes, KEY_A.as_bytes());
    }
}
