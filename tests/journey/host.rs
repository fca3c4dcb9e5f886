//! How install writes, and what verify finds on a host afterwards.

use super::{INFRA0, TRUST, VERIFY, compare, install, installed, said};
use crate::support::example::{Built, spec_of_today};
use crate::support::{SEALIFT, need, need_working, run, tree};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Something that happens to a host.
type Change<'a> = Box<dyn Fn() + 'a>;

/// What drifts on a host, one thing at a time: its finding, and the plain gate's opinion.
#[test]
fn drift() {
    let built = installed(&spec_of_today());
    let pristine = built.path("pristine");
    let root = built.path("roots/infra0");
    copy(&root, &pristine);
    let etcd = root.join("etc/kubernetes/pki/etcd");
    let cases: [(&str, Change<'_>); 7] = [
        ("changed", Box::new(|| fs::write(root.join("etc/etcd/etcdctl.env"), "A=b\n").unwrap())),
        ("missing", Box::new(|| fs::remove_file(etcd.join("peer.crt")).unwrap())),
        ("stray", Box::new(|| fs::write(root.join("etc/kubernetes/manifests/evil.yaml"), "a: b\n").unwrap())),
        ("mode", Box::new(|| set_mode(&etcd.join("server.key"), 0o640))),
        ("directory-mode", Box::new(|| set_mode(&root.join("etc/kubernetes/manifests"), 0o777))),
        (
            "link",
            Box::new(|| {
                fs::rename(etcd.join("ca.crt"), root.join("ca.crt")).unwrap();
                std::os::unix::fs::symlink("../../../../ca.crt", etcd.join("ca.crt")).unwrap();
            }),
        ),
        (
            "key-of-another",
            Box::new(|| {
                let _ = fs::copy(etcd.join("peer.key"), etcd.join("server.key")).unwrap();
            }),
        ),
    ];
    let mut story = String::new();
    for (name, change) in cases {
        change();
        let _ = write!(story, "# {name}\n{}", said(&built, &VERIFY, 1));
        fs::remove_dir_all(&root).unwrap();
        copy(&pristine, &root);
        let _ = said(&built, &VERIFY, 0);
    }
    compare("drift", &story);
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// Only root can give files away.
#[test]
fn a_changed_owner() {
    if !crate::support::is_root() {
        return crate::support::skip("changing owners takes root");
    }
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    for path in ["etc/kubernetes/pki/etcd/server.key", "etc/kubernetes/manifests", "etc/sealift/verify.key"] {
        let file = root.join(path);
        std::os::unix::fs::chown(&file, Some(1), None).unwrap();
        let said = said(&built, &VERIFY, 1);
        assert!(said.contains(&format!("owner-mismatch /{path}: expected 0:0, found 1:0")), "{said}");
        std::os::unix::fs::chown(&file, Some(0), None).unwrap();
        let _ = self::said(&built, &VERIFY, 0);
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The list for hosts without sealift: `sha256sum -c --strict` accepts it, and finds a change.
#[test]
fn the_plain_gate() {
    let Some(sha256sum) = need("sha256sum") else { return };
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    let list = fs::read_to_string(root.join("etc/sealift/SHA256SUMS")).unwrap();
    let mode = fs::metadata(root.join("etc/sealift/SHA256SUMS")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let files = list.lines().map(|line| line.split_once("  /").unwrap().1.to_owned());
    assert_eq!(files.count(), 15, "{list}");
    // the lines are of the host's paths; here its root is a directory
    let here = list.replace("  /", &format!("  {}/", root.display()));
    fs::write(built.path("here"), here).unwrap();
    let gate = || {
        run(Command::new(&sha256sum)
            .args(["-c", "--strict", "--quiet"])
            .arg(built.path("here"))
            .env("LC_ALL", "C"))
    };
    assert_eq!(gate().expect_code(0).stdout, "");
    fs::write(root.join("etc/etcd/etcdctl.env"), "A=b\n").unwrap();
    let found = gate().expect_code(1).stdout;
    assert!(found.ends_with("etc/etcd/etcdctl.env: FAILED\n"), "{found}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let built = Built::of(&spec_of_today());
    let root = built.root("infra0");
    let before = tree(&root);
    let text = said(&built, &install(INFRA0, &[&TRUST[..], &["--dry-run"]].concat()), 0);
    assert_eq!(tree(&root), before);
    compare("dry-run", &text);
    // what it announces is what then happens
    let done = said(&built, &install(INFRA0, &TRUST), 0);
    let texts = |line: &&str| !line.starts_with("    ");
    let text: String = text.split_inclusive('\n').filter(texts).collect();
    let told = text.replace("would be ", "").replace("would install", "installed").replace(" --dry-run", "");
    assert_eq!(told, done);
    let before = tree(&root);
    compare("installed-already", &said(&built, &install(INFRA0, &[]), 0));
    assert_eq!(tree(&root), before);
}

/// Every file that an install makes has its final mode, and no more, from the first moment: the
/// mode is an argument of the call that creates it.
#[test]
fn keys_are_private_from_the_first_moment() {
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    let built = Built::of(&spec_of_today());
    built.root("infra0");
    let log = built.path("strace.log");
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(strace);
    command.args([
        "-f",
        "-y",
        "-s",
        "4096",
        "-e",
        "trace=open,openat,openat2,creat,fchmod,chmod,fchmodat,rename,renameat,renameat2,linkat",
        "-o",
    ]);
    command.arg(&log).arg("--").arg(SEALIFT).args(install(INFRA0, &TRUST)).current_dir(built.path(""));
    let _ = run(&mut command).expect_code(0);
    let log = fs::read_to_string(log).unwrap();
    let created: Vec<_> =
        log.lines().filter(|line| line.contains("O_CREAT") && !line.contains(" = -1 ")).collect();
    let modes = |line: &str| {
        let mode = line.split("mode=").nth(1).or_else(|| line.split("O_CLOEXEC, ").nth(1)).unwrap_or("");
        mode.trim_start_matches('0').chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    for line in &created {
        assert!(line.contains("O_EXCL") && modes(line) == "600", "{line}");
    }
    // 15 files of the bundle, 6 of sealift's own, and three states of the journal
    assert_eq!(created.len(), 24, "{created:#?}");
    // a secret is never opened up again, under the name that it has until it takes its place
    let staged = |name: &str| -> String {
        let end = format!(", \"{name}\"");
        let line = log.lines().find(|line| line.contains("rename") && line.contains(&end)).unwrap();
        let [directory, file] = ["<", "\""].map(|from| line.split(from).nth(1).unwrap());
        format!("{}/{}", directory.split('>').next().unwrap(), file)
    };
    for key in ["server.key", "peer.key", "healthcheck-client.key", "verify.key"] {
        let path = format!("<{}>", staged(key));
        let set: Vec<_> = log.lines().filter(|line| line.contains("chmod") && line.contains(&path)).collect();
        assert!(!set.is_empty() && set.iter().all(|line| line.contains("0600")), "{key}: {set:#?}");
    }
    for key in ["server", "peer", "healthcheck-client"] {
        let path = built.path(&format!("roots/infra0/etc/kubernetes/pki/etcd/{key}.key"));
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600);
    }
}
