#![allow(clippy::disallowed_methods, reason = "tests prepare the hosts that they look at")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Tables of cases.
#![allow(clippy::too_many_lines, clippy::type_complexity)]

mod blocks;
mod drift;
mod machine;
mod parents;
mod policies;
mod races;
mod rights;
mod strays;
mod units;

use super::{HostCheck, Options, Summary, verify_host};
use crate::bundle::open::Verified;
use crate::check::record::{DIRECTORY, INSTALLED, MANIFEST, SIGNATURE, SUMS};
use crate::finding::{Finding, Id, exit_code};
use crate::host::testkit::{
    CERT, CLUSTER, CONF, CRT, Draft, Host, KEY, NOW, OTHER_CERT, OTHER_KEY, SECRET, alone, names, trust,
    trusted,
};
use crate::verify_key::VERIFY_KEY_PATH;
use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::symlink;

struct Ask<'a> {
    signer: Option<[u8; 32]>,
    at: i64,
    within: Option<u64>,
    expected: Option<&'a Verified>,
    hostname: Option<&'a str>,
    addresses: Option<&'a BTreeSet<IpAddr>>,
}

const PLAIN: Ask<'_> =
    Ask { signer: None, at: NOW, within: None, expected: None, hostname: None, addresses: None };

/// Verifies, and sees that nothing was written.
fn verify(host: &Host, ask: &Ask<'_>) -> HostCheck {
    let trust = ask.signer.map_or_else(trusted, trust);
    let options = Options {
        trust: &trust,
        at: ask.at,
        within: ask.within,
        expected: ask.expected,
        hostname: ask.hostname,
        addresses: ask.addresses,
    };
    let before = host.picture();
    let check = verify_host(&host.root(), &options);
    assert_eq!(host.picture(), before, "verify changed the host");
    check
}

fn found(host: &Host) -> Vec<String> {
    names(&verify(host, &PLAIN).findings)
}

#[test]
fn a_fresh_install_is_clean() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    let ask =
        Ask { expected: Some(&bundle), hostname: Some("infra0.example"), within: Some(86_400), ..PLAIN };
    let check = verify(&host, &ask);
    assert_eq!(check.findings, []);
    assert_eq!((check.files, exit_code(&check.findings)), (5, 0));
    let (name, id) = ("prod".to_owned(), CLUSTER.to_owned());
    let revision = draft.manifest.revision;
    assert_eq!(
        check.installed,
        Some(Summary {
            host: "infra0".into(),
            cluster: name,
            cluster_id: id,
            revision,
            manifest: bundle.manifest_sha256().to_owned(),
            valid_until: Some(bundle.valid_until()),
        })
    );
}

#[test]
fn what_is_remembered() {
    let draft = Draft::new();
    let mut newer = draft.clone();
    newer.manifest.revision.cluster = 3;
    let newer = newer.bundle();
    let unlink = |path: &'static str| move |host: &Host| fs::remove_file(host.path(path)).unwrap();
    let cases: Vec<(&str, Box<dyn Fn(&Host) + '_>, &[&str], u8, bool)> = vec![
        (
            "nothing",
            Box::new(|host| fs::remove_dir_all(host.path(DIRECTORY)).unwrap()),
            &["not-installed /var/lib/sealift/installed.json"],
            1,
            false,
        ),
        (
            "interrupted at first",
            Box::new(unlink(INSTALLED)),
            &["not-installed /var/lib/sealift/installed.json"],
            1,
            false,
        ),
        (
            "no manifest",
            Box::new(unlink(MANIFEST)),
            &["record-mismatch /var/lib/sealift/manifest.json"],
            1,
            false,
        ),
        ("no list", Box::new(unlink(SUMS)), &["record-mismatch /var/lib/sealift/SHA256SUMS"], 1, false),
        (
            "no signature",
            Box::new(unlink(SIGNATURE)),
            &["signature-missing /var/lib/sealift/SHA256SUMS.sig"],
            3,
            false,
        ),
        (
            "no record",
            Box::new(|host| host.write(INSTALLED, b"{}")),
            &["record-mismatch /var/lib/sealift/installed.json"],
            1,
            true,
        ),
        (
            "another manifest",
            Box::new(|host| host.write(MANIFEST, newer.manifest_bytes())),
            &["record-mismatch /var/lib/sealift/manifest.json"],
            1,
            false,
        ),
        (
            "another list",
            Box::new(|host| host.write(SUMS, newer.sums())),
            &["signature-wrong /var/lib/sealift/SHA256SUMS.sig"],
            3,
            false,
        ),
        (
            "another signature",
            Box::new(|host| host.write(SIGNATURE, newer.signature())),
            &["signature-wrong /var/lib/sealift/SHA256SUMS.sig"],
            3,
            false,
        ),
        (
            "no signature at all",
            Box::new(|host| host.write(SIGNATURE, b"x")),
            &["signature-malformed /var/lib/sealift/SHA256SUMS.sig"],
            3,
            false,
        ),
        (
            "interrupted at last",
            Box::new(|host| {
                host.write(MANIFEST, newer.manifest_bytes());
                host.write(SUMS, newer.sums());
                host.write(SIGNATURE, newer.signature());
            }),
            &["record-mismatch /var/lib/sealift/installed.json"],
            1,
            true,
        ),
        (
            "a link",
            Box::new(|host| {
                fs::rename(host.path(DIRECTORY), host.path("/var/lib/real")).unwrap();
                symlink("real", host.path(DIRECTORY)).unwrap();
            }),
            &["symlink-in-path /var/lib/sealift"],
            1,
            false,
        ),
    ];
    for (what, change, expected, code, believed) in cases {
        let (host, _) = Host::with(&draft);
        change(&host);
        let check = verify(&host, &PLAIN);
        assert_eq!(names(&check.findings), expected, "{what}");
        assert_eq!(exit_code(&check.findings), code, "{what}");
        assert_eq!(check.installed.is_some(), believed, "{what}");
    }
}

#[test]
fn whom_to_trust() {
    let (host, _) = Host::with(&Draft::new());
    // Also changed: but a manifest that is not trusted says nothing about files.
    host.write(CONF, b"x");
    let check = verify(&host, &Ask { signer: Some([8; 32]), ..PLAIN });
    assert_eq!(names(&check.findings), ["not-trusted /var/lib/sealift/SHA256SUMS.sig"]);
    assert_eq!((check.installed, check.files, exit_code(&check.findings)), (None, 0, 3));
}

#[test]
fn against_a_bundle() {
    let draft = Draft::new();
    let (host, _) = Host::with(&draft);
    let cases: [(&str, fn(&mut Draft), &str, u8); 4] = [
        ("older", |it| it.manifest.revision.cluster = 1, "revision-older", 5),
        ("newer", |it| it.manifest.revision.host = 2, "record-mismatch", 1),
        ("reused", |it| it.set(CONF, b"conf 2\n"), "revision-reused", 5),
        ("another host's", |it| it.manifest.host.name = "infra1".into(), "wrong-host", 4),
    ];
    for (what, change, id, code) in cases {
        let mut other = draft.clone();
        change(&mut other);
        let findings = verify(&host, &Ask { expected: Some(&other.bundle()), ..PLAIN }).findings;
        assert_eq!(names(&findings), [format!("{id} {MANIFEST}")], "{what}");
        assert_eq!(exit_code(&findings), code, "{what}");
    }
}

#[test]
fn machines_of_another_name() {
    let (host, _) = Host::with(&Draft::new());
    let expect = [Finding::new(
        Id::WrongHost,
        "/etc/hostname",
        "install the bundle of this host, or correct the machine's name",
    )
    .expected("infra0")
    .found("infra1")];
    assert_eq!(verify(&host, &Ask { hostname: Some("infra1"), ..PLAIN }).findings, expect);
    host.write("/etc/hostname", b"infra0\n");
    assert_eq!(verify(&host, &Ask { hostname: Some("infra1"), ..PLAIN }).findings, []);
    host.write("/etc/hostname", b"infra1\n");
    assert_eq!(verify(&host, &Ask { hostname: Some("infra0"), ..PLAIN }).findings, expect);
}

#[test]
fn times() {
    let (host, _) = Host::with(&Draft::new());
    // Both the certificate and the bundle end at 2027-11-19T23:55:00Z.
    let ends = NOW - 86_400 - 300 + 365 * 86_400;
    let cases = [
        (ends, None, vec![], 0),
        (
            ends + 1,
            None,
            vec!["certificate-expired /etc/pki/server.crt", "bundle-expired /var/lib/sealift/manifest.json"],
            6,
        ),
        (ends - 86_400, Some(86_400), vec![], 0),
        (
            ends - 86_399,
            Some(86_400),
            vec![
                "certificate-expiring /etc/pki/server.crt",
                "bundle-expiring /var/lib/sealift/manifest.json",
            ],
            6,
        ),
        (NOW - 200_000, None, vec!["certificate-not-yet-valid /etc/pki/server.crt"], 6),
    ];
    for (at, within, expected, code) in cases {
        let findings = verify(&host, &Ask { at, within, ..PLAIN }).findings;
        assert_eq!(names(&findings), expected, "{at} {within:?}");
        assert_eq!(exit_code(&findings), code);
    }
}

#[test]
fn large_files_and_files_that_hold_certificates() {
    let mut draft = Draft::new();
    draft.add("/etc/app/large", &vec![b'x'; 17 << 20], false);
    draft.add("/etc/app/bundle.pem", format!("{CERT}{OTHER_CERT}").as_bytes(), false);
    let (host, _) = Host::with(&draft);
    assert_eq!(found(&host), Vec::<String>::new());
    let late = Ask { at: NOW + 400 * 86_400, ..PLAIN };
    let expired: Vec<_> = names(&verify(&host, &late).findings);
    let expected = [
        "certificate-expired /etc/app/bundle.pem",
        "certificate-expired /etc/pki/server.crt",
        "bundle-expired /var/lib/sealift/manifest.json",
    ];
    assert_eq!(expired, expected);
    fs::File::options().write(true).open(host.path("/etc/app/large")).unwrap().set_len(16 << 20).unwrap();
    assert_eq!(found(&host), ["digest-mismatch /etc/app/large"]);
    // A secret that grew beyond what is held in memory.
    fs::File::options().write(true).open(host.path(SECRET)).unwrap().set_len(17 << 20).unwrap();
    assert_eq!(found(&host), ["digest-mismatch /etc/app/large", "digest-mismatch /etc/pki/server.key"]);
}

#[test]
fn what_may_not_be_read_is_said_once() {
    alone("check::host::tests::what_may_not_be_read_is_said_once", Some(65534), 0o022, || {
        let mut draft = Draft::new();
        draft.add("/etc/app/second", b"secret\n", true);
        let (host, _) = Host::with(&draft);
        host.chmod(CONF, 0o200);
        host.chmod(VERIFY_KEY_PATH, 0);
        let check = verify(&host, &PLAIN);
        assert_eq!(
            names(&check.findings),
            [
                "mode-mismatch /etc/app/app.conf",
                "unreadable /etc/app/app.conf",
                "mode-mismatch /etc/sealift/verify.key",
                "unreadable /etc/sealift/verify.key",
            ]
        );
        assert_eq!(exit_code(&check.findings), 7);
        let unreadable = check.findings.iter().find(|it| it.id == Id::Unreadable).unwrap();
        assert_eq!(unreadable.found.as_deref(), Some("cannot read it: Permission denied (os error 13)"));
        host.chmod(DIRECTORY, 0);
        assert_eq!(found(&host), ["unreadable /var/lib/sealift"]);
        host.chmod(DIRECTORY, 0o700);
        host.chmod("/etc/pki", 0);
        let denied = found(&host);
        assert!(denied.contains(&"unreadable /etc/pki".to_owned()), "{denied:?}");
        host.chmod("/etc/pki", 0o711);
    });
}

#[test]
fn no_secret_in_any_finding() {
    let (host, _) = Host::with(&Draft::new());
    let canary = "CANARY-5d41402abc4b2a76";
    host.write(SECRET, canary.as_bytes());
    host.write(VERIFY_KEY_PATH, canary.as_bytes());
    host.write(CRT, canary.as_bytes());
    let check = verify(&host, &PLAIN);
    let said = format!("{check:?}") + &serde_json::to_string(&check).unwrap();
    assert!(check.findings.len() >= 3 && !said.contains(canary), "{said}");
    let digest = crate::bundle::sums::sha256_hex(KEY.as_bytes());
    host.write(SECRET, OTHER_KEY.as_bytes());
    host.write(VERIFY_KEY_PATH, crate::host::testkit::verify_key().to_file().as_bytes());
    let said = format!("{:?}", verify(&host, &PLAIN));
    // Plain digests of secrets are secrets too.
    let other = crate::bundle::sums::sha256_hex(OTHER_KEY.as_bytes());
    assert!(!said.contains(&digest) && !said.contains(&other), "{said}");
}
