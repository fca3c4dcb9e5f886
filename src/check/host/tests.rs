#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{HostCheck, Options, Summary, verify_host};
use crate::bundle::keyed::{VERIFY_KEY_PATH, VerifyKey};
use crate::bundle::open::Verified;
use crate::check::obstacles::REINSTALL;
use crate::check::record::{DIRECTORY, HOST_SUMS, INSTALLED, MANIFEST, SIGNATURE, SUMS, TRUST};
use crate::finding::{Finding, Id, exit_code};
use crate::host::testkit::{
    CERT, CLUSTER, CONF, CRT, Draft, Host, KEY, NOW, OTHER_CERT, OTHER_KEY, POD, SECRET, alone, is_root,
    names, trust, trusted,
};
use std::fs;
use std::os::unix::fs::{chown, symlink};
use zeroize::Zeroizing;

struct Ask<'a> {
    signer: Option<[u8; 32]>,
    at: i64,
    within: Option<u64>,
    expected: Option<&'a Verified>,
    hostname: Option<&'a str>,
}

const PLAIN: Ask<'_> = Ask { signer: None, at: NOW, within: None, expected: None, hostname: None };

/// Verifies, and sees that nothing was written.
fn verify(host: &Host, ask: &Ask<'_>) -> HostCheck {
    let trust = ask.signer.map_or_else(trusted, trust);
    let options = Options {
        trust: &trust,
        at: ask.at,
        within: ask.within,
        expected: ask.expected,
        hostname: ask.hostname,
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
        Some(Summary { host: "infra0".into(), cluster: name, cluster_id: id, revision })
    );
}

#[test]
fn drift_of_every_kind() {
    let unlink = |path: &'static str| move |host: &Host| fs::remove_file(host.path(path)).unwrap();
    let other =
        |path: &'static str, contents: &'static str| move |host: &Host| host.write(path, contents.as_bytes());
    let mode = |path: &'static str, mode| move |host: &Host| host.chmod(path, mode);
    let edited = format!("{KEY}\n");
    let cases: Vec<(&str, Box<dyn Fn(&Host)>, &[&str])> = vec![
        ("missing", Box::new(unlink(CONF)), &["file-missing /etc/app/app.conf"]),
        ("missing secret", Box::new(unlink(SECRET)), &["file-missing /etc/pki/server.key"]),
        ("missing certificate", Box::new(unlink(CRT)), &["file-missing /etc/pki/server.crt"]),
        ("missing verify key", Box::new(unlink(VERIFY_KEY_PATH)), &["file-missing /etc/sealift/verify.key"]),
        ("missing list", Box::new(unlink(HOST_SUMS)), &["file-missing /etc/sealift/SHA256SUMS"]),
        ("changed", Box::new(other(CONF, "conf 2\n")), &["digest-mismatch /etc/app/app.conf"]),
        ("emptied", Box::new(other(POD, "")), &["digest-mismatch /etc/pods/etcd.yaml"]),
        (
            "changed secret",
            Box::new(move |host| host.write(SECRET, edited.as_bytes())),
            &["digest-mismatch /etc/pki/server.key"],
        ),
        (
            "another's key",
            Box::new(other(SECRET, OTHER_KEY)),
            &["digest-mismatch /etc/pki/server.key", "key-cert-mismatch /etc/pki/server.key"],
        ),
        (
            "no key",
            Box::new(other(SECRET, "key")),
            &["digest-mismatch /etc/pki/server.key", "key-malformed /etc/pki/server.key"],
        ),
        (
            "another's certificate",
            Box::new(other(CRT, OTHER_CERT)),
            &["digest-mismatch /etc/pki/server.crt", "key-cert-mismatch /etc/pki/server.key"],
        ),
        (
            "no certificate",
            Box::new(other(CRT, "x")),
            &["certificate-malformed /etc/pki/server.crt", "digest-mismatch /etc/pki/server.crt"],
        ),
        (
            "a certificate in a comment",
            Box::new(|host| host.write(CRT, format!("# x\n{CERT}").as_bytes())),
            &["digest-mismatch /etc/pki/server.crt"],
        ),
        (
            "damaged verify key",
            Box::new(other(VERIFY_KEY_PATH, "x")),
            &["digest-mismatch /etc/sealift/verify.key"],
        ),
        (
            "another verify key",
            Box::new(|host| {
                let other = VerifyKey::new(Zeroizing::new([1; 32]));
                host.write(VERIFY_KEY_PATH, other.to_file().as_bytes());
            }),
            &["digest-mismatch /etc/sealift/verify.key"],
        ),
        ("mode", Box::new(mode(CONF, 0o664)), &["mode-mismatch /etc/app/app.conf"]),
        ("mode of a secret", Box::new(mode(SECRET, 0o640)), &["mode-mismatch /etc/pki/server.key"]),
        ("setuid", Box::new(mode(CONF, 0o4644)), &["mode-mismatch /etc/app/app.conf"]),
        ("mode of a directory", Box::new(mode("/etc/pki", 0o777)), &["mode-mismatch /etc/pki"]),
        ("mode of the record", Box::new(mode(DIRECTORY, 0o755)), &["mode-mismatch /var/lib/sealift"]),
        (
            "mode in the record",
            Box::new(mode(MANIFEST, 0o644)),
            &["mode-mismatch /var/lib/sealift/manifest.json"],
        ),
        ("mode of the list", Box::new(mode(HOST_SUMS, 0o644)), &["mode-mismatch /etc/sealift/SHA256SUMS"]),
        (
            "trust that others write",
            Box::new(|host| {
                host.write(TRUST, b"");
                host.chmod(TRUST, 0o666);
            }),
            &["mode-mismatch /etc/sealift/trust"],
        ),
        (
            "trust of any readers",
            Box::new(|host| {
                host.write(TRUST, b"");
                host.chmod(TRUST, 0o600);
            }),
            &[],
        ),
        (
            "trust by link",
            Box::new(|host| symlink("x", host.path(TRUST)).unwrap()),
            &["type-mismatch /etc/sealift/trust"],
        ),
        (
            "a directory for a file",
            Box::new(|host| {
                fs::remove_file(host.path(CONF)).unwrap();
                fs::create_dir(host.path(CONF)).unwrap();
            }),
            &["type-mismatch /etc/app/app.conf"],
        ),
        (
            "a link for a file",
            Box::new(|host| {
                fs::rename(host.path(CONF), host.path("/etc/app/real")).unwrap();
                symlink("real", host.path(CONF)).unwrap();
            }),
            &["type-mismatch /etc/app/app.conf"],
        ),
        (
            "a pipe for a secret",
            Box::new(|host| {
                fs::remove_file(host.path(SECRET)).unwrap();
                rustix::fs::mkfifoat(rustix::fs::CWD, host.path(SECRET), 0o600.into()).unwrap();
            }),
            &["type-mismatch /etc/pki/server.key"],
        ),
        (
            "a link above",
            Box::new(|host| {
                fs::rename(host.path("/etc/pki"), host.path("/etc/real")).unwrap();
                symlink("real", host.path("/etc/pki")).unwrap();
            }),
            &["symlink-in-path /etc/pki"],
        ),
        (
            "a file above",
            Box::new(|host| {
                fs::remove_dir_all(host.path("/etc/pods")).unwrap();
                host.write("/etc/pods", b"");
            }),
            &["type-mismatch /etc/pods"],
        ),
        (
            "a missing directory",
            Box::new(|host| fs::remove_dir_all(host.path("/etc/pods")).unwrap()),
            &["file-missing /etc/pods", "file-missing /etc/pods/etcd.yaml"],
        ),
    ];
    let draft = Draft::new();
    for (what, change, expected) in cases {
        let (host, _) = Host::with(&draft);
        change(&host);
        assert_eq!(found(&host), expected, "{what}");
    }
}

#[test]
fn strays_in_owned_directories() {
    let (host, _) = Host::with(&Draft::new());
    for path in [
        "/etc/pods/.hidden",
        "/etc/pods/etcd.yaml~",
        "/etc/pods/allowed.yaml",
        "/etc/pki/free",
        "/etc/pods/deep/any",
    ] {
        host.write(path, b"");
    }
    host.write("/etc/pods/.sealift-0123456789abcdef0123456789abcdef", b"");
    fs::create_dir(host.path("/etc/pods/sub")).unwrap();
    symlink("etcd.yaml", host.path("/etc/pods/link")).unwrap();
    std::os::unix::net::UnixListener::bind(host.path("/etc/pods/socket")).unwrap();
    host.write("/etc/pods/a\nb", b"");
    let allow = "remove it, or allow it in the spec, build and install again";
    let interrupted = "an install was interrupted: run `sealift install` again with this host's bundle";
    let expected: Vec<Finding> = [
        (".hidden", allow, "regular file"),
        (".sealift-0123456789abcdef0123456789abcdef", interrupted, "regular file"),
        ("a\\nb", allow, "regular file"),
        ("etcd.yaml~", allow, "regular file"),
        ("link", allow, "symbolic link"),
        ("socket", allow, "socket"),
        ("sub", allow, "directory"),
    ]
    .map(|(name, mend, kind)| Finding::new(Id::StrayFile, format!("/etc/pods/{name}"), mend).found(kind))
    .to_vec();
    assert_eq!(verify(&host, &PLAIN).findings, expected);
}

#[test]
fn sealifts_own_directory_may_be_owned() {
    let mut draft = Draft::new();
    let mut owned = draft.manifest.directories.first().unwrap().clone();
    for path in ["/etc/sealift", "/var/lib/sealift"] {
        path.clone_into(&mut owned.path);
        (owned.owned, owned.mode) = (true, "0700".to_owned());
        draft.manifest.directories.push(owned.clone());
    }
    let (host, _) = Host::with(&draft);
    host.write(TRUST, b"");
    host.chmod(TRUST, 0o644);
    assert_eq!(found(&host), Vec::<String>::new());
    host.write("/etc/sealift/more", b"");
    assert_eq!(found(&host), ["stray-file /etc/sealift/more"]);
}

#[test]
fn says_what_was_expected_and_found() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    host.write(SECRET, OTHER_KEY.as_bytes());
    host.write(CONF, b"conf 2\n");
    host.chmod(CONF, 0o600);
    let hmac = bundle.manifest().files.iter().find(|file| file.path == SECRET).unwrap().hmac.clone().unwrap();
    let other = crate::host::testkit::verify_key().digest(SECRET, OTHER_KEY.as_bytes());
    let finding = |id, path| Finding::new(id, path, REINSTALL);
    assert_eq!(
        verify(&host, &PLAIN).findings,
        [
            finding(Id::DigestMismatch, CONF)
                .expected("sha256:8d39dea04c01d63691daf9ff2d5ab0ff4c28e49fdb00e07ed54e42420aa2b2b8")
                .found("sha256:39af60a2ab6427a6c40cd9b7315715fb5bf1193e770d4c5bc6d83cf5de99bc20"),
            finding(Id::ModeMismatch, CONF).expected("0644").found("0600"),
            finding(Id::DigestMismatch, SECRET)
                .expected(format!("hmac-sha256:{hmac}"))
                .found(format!("hmac-sha256:{other}")),
            finding(Id::KeyCertMismatch, SECRET)
                .expected("the private key of /etc/pki/server.crt")
                .found("the key of another certificate"),
        ]
    );
}

#[test]
fn owners() {
    if !is_root() {
        println!("skipped: only root can give files away");
        return;
    }
    let (host, _) = Host::with(&Draft::new());
    for path in [CONF, SECRET, "/etc/pods", INSTALLED, DIRECTORY, HOST_SUMS] {
        chown(host.path(path), Some(12), Some(34)).unwrap();
    }
    let check = verify(&host, &PLAIN);
    let paths = [CONF, SECRET, "/etc/pods", HOST_SUMS, DIRECTORY, INSTALLED];
    assert_eq!(
        check.findings,
        paths.map(|path| Finding::new(Id::OwnerMismatch, path, REINSTALL).expected("0:0").found("12:34"))
    );
}

#[test]
fn the_list_for_sha256sum() {
    let (host, _) = Host::with(&Draft::new());
    let list = String::from_utf8(host.read(HOST_SUMS)).unwrap();
    let line = |number: usize| list.lines().nth(number - 1).unwrap();
    let swapped = list.replace(line(1), "~").replace(line(2), line(1)).replace('~', line(2));
    let zero = |number: usize| list.replace(line(number).get(..64).unwrap(), &"0".repeat(64));
    let cases = [
        (String::new(), 1),
        (swapped, 1),
        (zero(1), 1),
        // A secret's line is checked too while the secret is what it was.
        (zero(3), 3),
        (format!("{list}x"), 6),
        (list.trim_end().to_owned(), 5),
        (list.replace("  /etc/pki/server.key", " */etc/pki/server.key"), 3),
    ];
    for (list, number) in cases {
        host.write(HOST_SUMS, list.as_bytes());
        assert_eq!(
            verify(&host, &PLAIN).findings,
            [Finding::new(Id::DigestMismatch, HOST_SUMS, REINSTALL)
                .expected("the digests that install wrote")
                .found(format!("another line {number}"))],
            "{list}"
        );
    }
}

#[test]
fn what_is_remembered() {
    let draft = Draft::new();
    let mut newer = draft.clone();
    newer.manifest.revision.cluster = 3;
    let newer = newer.bundle();
    type Change<'a> = (&'a str, Box<dyn Fn(&Host) + 'a>, &'a [&'a str], u8, bool);
    let unlink = |path: &'static str| move |host: &Host| fs::remove_file(host.path(path)).unwrap();
    let cases: Vec<Change<'_>> = vec![
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
