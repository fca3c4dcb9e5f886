//! Files and directories that are not what the manifest says.

use super::{PLAIN, found, verify};
use crate::check::obstacles::REINSTALL;
use crate::check::record::{DIRECTORY, HOST_SUMS, INSTALLED, MANIFEST, TRUST};
use crate::finding::{Finding, Id};
use crate::host::testkit::{
    CERT, CONF, CRT, Draft, Host, KEY, OTHER_CERT, OTHER_KEY, POD, SECRET, is_root, skip, verify_key,
};
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use std::fs;
use std::os::unix::fs::{chown, symlink};
use zeroize::Zeroizing;

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
    let other = verify_key().digest(SECRET, OTHER_KEY.as_bytes());
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
        skip("only root can give files away");
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
