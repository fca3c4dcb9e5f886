//! Every reason to refuse, its findings, its exit code; [`Host::refused`] sees that nothing changed.

use crate::check::record::{HOST_SUMS, INSTALLED};
use crate::finding::Id;
use crate::host::testkit::{CONF, CRT, Draft, Host, NOW, OTHER_KEY, POD, SECRET, options};
use crate::host::{InstallError, Options};
use crate::verify_key::VERIFY_KEY_PATH;
use std::fs;
use std::os::unix::fs::symlink;

type Change = fn(&mut Draft);

fn force() -> Options<'static> {
    Options { force: true, ..options() }
}

#[test]
fn bundles_for_elsewhere_or_another_time() {
    let another_id = "f".repeat(32);
    let installed = Draft::new();
    let cases: [(&str, Change, Options<'_>, &[&str], u8); 6] = [
        (
            "another host",
            |it| it.manifest.host.name = "infra1".into(),
            options(),
            &["wrong-host /var/lib/sealift/installed.json"],
            4,
        ),
        (
            "another host, forced",
            |it| it.manifest.host.name = "infra1".into(),
            force(),
            &["wrong-host /var/lib/sealift/installed.json"],
            4,
        ),
        (
            "older",
            |it| it.manifest.revision.cluster = 1,
            options(),
            &["revision-older /var/lib/sealift/installed.json"],
            5,
        ),
        (
            "older by host",
            |it| it.manifest.revision.host = 0,
            force(),
            &["revision-older /var/lib/sealift/installed.json"],
            5,
        ),
        (
            "reused",
            |it| it.set(CONF, b"conf 2\n"),
            options(),
            &["revision-reused /var/lib/sealift/installed.json"],
            5,
        ),
        (
            "expired and reused",
            |_| {},
            Options { now: NOW + 400 * 86_400, ..options() },
            &["revision-reused /var/lib/sealift/installed.json", "bundle-expired infra0.tar.gz"],
            5,
        ),
    ];
    for (what, change, options, expected, code) in cases {
        let (host, _) = Host::with(&installed);
        let mut draft = installed.clone();
        change(&mut draft);
        assert_eq!(
            host.refused(&draft, &draft.bundle(), &options),
            (expected.iter().map(|it| (*it).to_owned()).collect(), code),
            "{what}"
        );
    }

    let (host, bundle) = Host::with(&installed);
    let record = String::from_utf8(host.read(INSTALLED)).unwrap();
    host.write(INSTALLED, record.replace(&installed.manifest.cluster.id, &another_id).as_bytes());
    let expected = (vec![format!("wrong-cluster {INSTALLED}")], 4);
    assert_eq!(host.refused(&installed, &bundle, &force()), expected);
}

#[test]
fn allowances_allow() {
    let installed = Draft::new();
    let (host, bundle) = Host::with(&installed);
    let mut older = installed.clone();
    older.manifest.revision.cluster = 1;
    let rollback = Options { allow_rollback: true, ..options() };
    assert_eq!(host.install(&older, &older.bundle(), &rollback).unwrap().revision.to_string(), "1.1");
    assert_eq!(
        host.install(&older, &older.bundle(), &rollback).unwrap().previous.unwrap().to_string(),
        "1.1"
    );

    let late = Options { now: NOW + 400 * 86_400, ..options() };
    assert_eq!(host.refused(&installed, &bundle, &late), (vec!["bundle-expired infra0.tar.gz".into()], 6));
    host.install(&installed, &bundle, &Options { allow_expired: true, ..late }).unwrap();
}

#[test]
fn names_of_machines() {
    let short = Draft::new();
    let mut long = Draft::new();
    long.manifest.host.name = "infra0.example.org".into();
    let cases = [
        (&short, Some("infra0\n"), None, true),
        (&short, Some("# name\n\nINFRA0.example.org"), Some("other"), true),
        (&short, Some("infra00"), Some("infra0"), false),
        (&short, Some("other.infra0"), None, false),
        (&short, None, Some("infra0.example.org"), true),
        (&short, None, Some("infra1"), false),
        (&short, None, None, true),
        (&short, Some("\n# nothing\n"), Some("infra1"), false),
        (&long, Some("infra0.example.org"), None, true),
        (&long, Some("infra0"), None, false),
        (&long, Some("infra0.example.com"), None, false),
    ];
    for (draft, file, given, fits) in cases {
        let host = Host::new();
        if let Some(name) = file {
            host.write("/etc/hostname", name.as_bytes());
        }
        let bundle = draft.bundle();
        let options = Options { hostname: given.map(str::to_owned), dry_run: true, ..options() };
        if fits {
            host.install(draft, &bundle, &options).unwrap();
        } else {
            let refused = host.refused(draft, &bundle, &options);
            assert_eq!(refused, (vec!["wrong-host /etc/hostname".into()], 4), "{file:?} {given:?}");
            host.install(draft, &bundle, &Options { force: true, ..options }).unwrap();
        }
    }
}

#[test]
fn a_bundle_that_names_its_machine() {
    let mut draft = Draft::new();
    draft.manifest.host.machine_id = Some("8b2f3a5c9d014e6fa7b8c9d0e1f20314".into());
    let bundle = draft.bundle();
    for (text, fits) in [
        (None, true),
        (Some(""), true),
        (Some("uninitialized\n"), true),
        (Some("8b2f3a5c9d014e6fa7b8c9d0e1f20314\n"), true),
        (Some("8b2f3a5c9d014e6fa7b8c9d0e1f20315\n"), false),
        (Some("nonsense"), false),
    ] {
        let host = Host::new();
        if let Some(text) = text {
            host.write("/etc/machine-id", text.as_bytes());
        }
        if fits {
            host.install(&draft, &bundle, &options()).unwrap();
        } else {
            let refused = host.refused(&draft, &bundle, &options());
            assert_eq!(refused, (vec!["wrong-host /etc/machine-id".into()], 4), "{text:?}");
            host.install(&draft, &bundle, &Options { force: true, ..options() }).unwrap();
        }
    }
    // one that names none goes anywhere
    let host = Host::new();
    host.write("/etc/machine-id", b"8b2f3a5c9d014e6fa7b8c9d0e1f20315\n");
    let plain = Draft::new();
    host.install(&plain, &plain.bundle(), &options()).unwrap();
}

#[test]
fn the_operators_bundle_goes_anywhere_but_to_a_machine() {
    let mut draft = Draft::new();
    draft.manifest.host.name = "operator".into();
    let host = Host::new();
    host.install(&draft, &draft.bundle(), &options()).unwrap();

    let machine = Host::new();
    machine.write("/etc/hostname", b"laptop");
    let refused = machine.refused(&draft, &draft.bundle(), &options());
    assert_eq!(refused, (vec!["wrong-host /etc/hostname".into()], 4));
    machine.install(&draft, &draft.bundle(), &Options { force: true, ..options() }).unwrap();

    let root = crate::rootfs::Root::open(std::path::Path::new("/")).unwrap();
    let (bundle, identities) = (draft.bundle(), draft.identities());
    let dry = Options { dry_run: true, ..options() };
    match crate::host::install(&root, &bundle, &identities, &dry) {
        Err(InstallError::Refused(findings)) => {
            assert!(
                findings.iter().any(|it| it.id == Id::WrongHost && it.path == "/etc/hostname"),
                "{findings:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

/// Without `installed.json` the manifest beside it still says how far this host was.
#[test]
fn a_removed_record_does_not_open_the_way_back() {
    let mut draft = Draft::new();
    let host = Host::new();
    draft.manifest.revision.cluster = 3;
    let newer = draft.bundle();
    host.install(&draft, &newer, &options()).unwrap();
    std::fs::remove_file(host.path(INSTALLED)).unwrap();
    draft.manifest.revision.cluster = 2;
    let older = draft.bundle();
    let refused = host.refused(&draft, &older, &options());
    assert_eq!(refused, (vec![format!("revision-older {INSTALLED}")], 5));
    // what was interrupted, if it was, is finished
    host.install(&draft, &newer, &options()).unwrap();
    std::fs::remove_file(host.path(INSTALLED)).unwrap();
    host.install(&draft, &older, &Options { allow_rollback: true, ..options() }).unwrap();
}

#[test]
fn secrets_that_do_not_open_or_do_not_fit() {
    let key = "infra0.tar.gz:/etc/pki/server.key";
    let cases: [(&str, Change, &str, u8); 6] = [
        (
            "broken",
            |it| drop(it.sealed.insert(SECRET.into(), b"age-encryption.org/v1\nnothing".to_vec())),
            "seal-broken infra0.tar.gz:/etc/pki/server.key",
            1,
        ),
        (
            "another plaintext",
            |it| it.wrong_hmac.push(SECRET.into()),
            "digest-mismatch infra0.tar.gz:/etc/pki/server.key",
            1,
        ),
        (
            "another's key",
            |it| it.set(SECRET, OTHER_KEY.as_bytes()),
            "key-cert-mismatch infra0.tar.gz:/etc/pki/server.key",
            1,
        ),
        ("no key", |it| it.set(SECRET, b"no key"), "key-malformed infra0.tar.gz:/etc/pki/server.key", 1),
        (
            "no certificate",
            |it| it.set(CRT, b"none"),
            "certificate-malformed infra0.tar.gz:/etc/pki/server.crt",
            1,
        ),
        (
            "a short verify key",
            |it| it.set(VERIFY_KEY_PATH, b"short"),
            "key-malformed infra0.tar.gz:/etc/sealift/verify.key",
            1,
        ),
    ];
    for (what, change, expected, code) in cases {
        let mut draft = Draft::new();
        change(&mut draft);
        assert_eq!(
            Host::new().refused(&draft, &draft.bundle(), &options()),
            (vec![expected.to_owned()], code),
            "{what}"
        );
    }
    let mut draft = Draft::new();
    draft.drop(VERIFY_KEY_PATH);
    let refused = Host::new().refused(&draft, &draft.bundle(), &options());
    assert_eq!(refused, (vec!["manifest-inconsistent infra0.tar.gz:/etc/sealift/verify.key".into()], 1));
    // Damaged behind its header: the header's MAC or a chunk does not authenticate.
    let draft = Draft::new();
    let bundle = draft.bundle();
    let mut bytes = bundle.contents(SECRET).unwrap().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let mut damaged = draft.clone();
    damaged.sealed.insert(SECRET.into(), bytes);
    let refused = Host::new().refused(&damaged, &damaged.bundle(), &options());
    assert_eq!(refused, (vec![format!("seal-broken {key}")], 1));
}

#[test]
fn an_identity_of_somebody_else() {
    let (draft, other) = (Draft::new(), Draft::new());
    let bundle = draft.bundle();
    let host = Host::new();
    let error = host.install(&other, &bundle, &options()).unwrap_err();
    let InstallError::Refused(findings) = &error else { panic!("{error:?}") };
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!(
        (finding.id, finding.path.as_str(), error.exit_code()),
        (Id::NotSealedToIdentity, "infra0.tar.gz", 4)
    );
    assert_eq!(finding.found.as_deref(), Some("none for 2 of 2 sealed files"));
    assert_eq!(fs::read_dir(host.path("/")).unwrap().count(), 0);
}

#[test]
fn obstacles_on_the_way() {
    let outside = tempfile::TempDir::new().unwrap();
    let cases: [(&str, &dyn Fn(&Host), &[&str]); 7] = [
        (
            "a link above",
            &|host| {
                fs::create_dir(host.path("/etc")).unwrap();
                symlink(outside.path(), host.path("/etc/pki")).unwrap();
            },
            &["symlink-in-path /etc/pki"],
        ),
        (
            "a link at the top",
            &|host| symlink(outside.path(), host.path("/etc")).unwrap(),
            &["symlink-in-path /etc"],
        ),
        (
            "a link in a file's place",
            &|host| {
                fs::create_dir_all(host.path("/etc/pki")).unwrap();
                symlink(outside.path().join("x"), host.path(SECRET)).unwrap();
            },
            &["type-mismatch /etc/pki/server.key"],
        ),
        (
            "a directory in a file's place",
            &|host| fs::create_dir_all(host.path(CONF)).unwrap(),
            &["type-mismatch /etc/app/app.conf"],
        ),
        ("a file in a directory's place", &|host| host.write("/etc/pods", b""), &["type-mismatch /etc/pods"]),
        (
            "a directory in the record's place",
            &|host| fs::create_dir_all(host.path(HOST_SUMS)).unwrap(),
            &["type-mismatch /etc/sealift/SHA256SUMS"],
        ),
        (
            "several",
            &|host| {
                fs::create_dir_all(host.path(POD)).unwrap();
                fs::create_dir_all(host.path(CRT)).unwrap();
            },
            &["type-mismatch /etc/pki/server.crt", "type-mismatch /etc/pods/etcd.yaml"],
        ),
    ];
    for (what, prepare, expected) in cases {
        let (draft, host) = (Draft::new(), Host::new());
        prepare(&host);
        let expected = expected.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(host.refused(&draft, &draft.bundle(), &force()), (expected, 1), "{what}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "{what}: something was written outside");
    }
}

#[test]
fn paths_that_are_sealifts_own() {
    let mut draft = Draft::new();
    draft.add("/etc/sealift/trust", b"a key of mine", false);
    draft.add("/var/lib/sealift/installed.json", b"{}", false);
    let expected = vec![
        "manifest-inconsistent /etc/sealift/trust".into(),
        "manifest-inconsistent /var/lib/sealift/installed.json".into(),
    ];
    assert_eq!(Host::new().refused(&draft, &draft.bundle(), &force()), (expected, 1));
}

#[test]
fn files_to_remove_that_somebody_changed() {
    let mut draft = Draft::new();
    draft.add("/etc/app/old.conf", b"old\n", false);
    draft.add("/etc/app/old.key", b"secret\n", true);
    draft.add("/etc/app/gone", b"gone\n", false);
    draft.add("/etc/app/link", b"link\n", false);
    let (host, _) = Host::with(&draft);
    host.write("/etc/app/old.conf", b"edited\n");
    host.write("/etc/app/old.key", b"edited\n");
    fs::remove_file(host.path("/etc/app/gone")).unwrap();
    fs::remove_file(host.path("/etc/app/link")).unwrap();
    symlink("app.conf", host.path("/etc/app/link")).unwrap();
    let mut newer = draft.clone();
    newer.manifest.revision.cluster = 3;
    for path in ["/etc/app/old.conf", "/etc/app/old.key", "/etc/app/gone", "/etc/app/link"] {
        newer.drop(path);
    }
    let bundle = newer.bundle();
    let expected =
        ["link", "old.conf", "old.key"].map(|name| format!("removed-file-changed /etc/app/{name}"));
    assert_eq!(host.refused(&newer, &bundle, &options()), (expected.to_vec(), 1));
    host.install(&newer, &bundle, &force()).unwrap();
    let left: Vec<_> =
        fs::read_dir(host.path("/etc/app")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["app.conf"]);
    assert_eq!(host.read(CONF), b"conf 1\n");
}

#[test]
fn a_record_that_is_none() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    for record in ["", "{}", "{\"cluster\": 1}"] {
        host.write(INSTALLED, record.as_bytes());
        assert_eq!(
            host.refused(&draft, &bundle, &options()),
            (vec![format!("record-mismatch {INSTALLED}")], 1)
        );
    }
    host.install(&draft, &bundle, &force()).unwrap();
    assert!(!host.install(&draft, &bundle, &options()).unwrap().changed());
}
