//! etcd as a service of systemd: what systemd's own tools say of its files, whose they are, and etcd itself
//! started from what was installed, by the user that the unit names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::etcd::{Process, below, enter, eventually};
use support::example::{Built, replaced, spec, spec_of_today};
use support::{is_root, need, run, sealift, skip};

/// The overall exposure of the unit, in tenths, that `systemd-analyze security` may find at most.
const EXPOSURE: &str = "13";

/// The example's cluster, with etcd as a service.
fn service(spec: &str, more: &str) -> Built {
    let etcd = format!("  run: systemd\n  version: 3.6.8\n  token: a-token\n{more}");
    let spec = replaced(spec, "  run: static-pod\n", &etcd);
    Built::of(&replaced(&spec, "kubelet:\n  gate:\n    run: sealift\n", ""))
}

/// The root of its first host, installed.
fn installed(built: &Built) -> PathBuf {
    let root = built.root("infra0");
    let trust = built.out().join("trust");
    let _ = built.install("infra0", &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
    root
}

fn verified(root: &Path) {
    let _ =
        sealift(["verify", "--root", root.to_str().unwrap(), "--at", "2026-12-01T00:00:00Z"]).expect_code(0);
}

/// The variants of the unit: settings in either form, with a directory of its own for the log, in a home.
const VARIANTS: [&str; 4] = [
    "",
    "  config: yaml\n  gate: {run: sha256sum}\n",
    "  walDir: /srv/wal\n  gate: {tolerate: [1, 6], program: /opt/sealift}\n",
    "  program: /home/etcd/bin/etcd\n  user: {name: db, uid: 400, gid: 401}\n  plainLoopback: true\n  gate: {run: none}\n",
];

#[test]
fn systemd_accepts_the_unit() {
    let Some(analyze) = need("systemd-analyze") else { return };
    for more in VARIANTS {
        let built = service(&spec(), more);
        let units = installed(&built).join("etc/systemd/system");
        // programs must be there: stubs for those that a unit names
        let stub = built.path("stub");
        fs::write(&stub, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        let stub = stub.to_str().unwrap();
        for unit in [units.join("etcd.service"), units.join("etcd.service.d/30-sealift-gate.conf")] {
            let Ok(text) = fs::read_to_string(&unit) else {
                assert!(more.contains("run: none"), "{}", unit.display());
                continue;
            };
            let programs =
                ["/usr/local/bin/etcd", "/home/etcd/bin/etcd", "/usr/local/bin/sealift", "/opt/sealift"];
            let text = programs.iter().fold(text, |text, program| {
                text.replace(&format!("={program}"), &format!("={stub}"))
                    .replace(&format!("+{program}"), &format!("+{stub}"))
            });
            fs::write(unit, text).unwrap();
        }
        let words = ["verify", "--man=no", "--recursive-errors=no", "etcd.service"];
        let checked = run(Command::new(&analyze).args(words).env("SYSTEMD_UNIT_PATH", &units)).expect_code(0);
        assert_eq!(checked.stderr, "", "{more}");
        let threshold = format!("--threshold={EXPOSURE}");
        let words = ["security", "--offline=true", "--no-pager", &threshold];
        let _ = run(Command::new(&analyze).args(words).arg(units.join("etcd.service"))).expect_code(0);
    }
}

#[test]
fn systemd_makes_the_user_and_the_directories() {
    let (Some(sysusers), Some(tmpfiles)) = (need("systemd-sysusers"), need("systemd-tmpfiles")) else {
        return;
    };
    if !is_root() {
        return skip("only root can make users and give directories away");
    }
    let built = service(&spec(), "  walDir: /srv/wal\n  user: {name: db, uid: 400, gid: 401}\n");
    let root = installed(&built);
    let own = format!("--root={}", root.display());
    let directories = ["var/lib/etcd", "srv/wal"].map(|path| root.join(path));
    for path in &directories {
        fs::remove_dir(path).unwrap();
    }
    let _ = run(Command::new(&sysusers).arg(&own).arg("etcd.conf")).expect_code(0);
    let users = fs::read_to_string(root.join("etc/passwd")).unwrap();
    assert!(users.starts_with("db:x:400:401:etcd:/var/lib/etcd:"), "{users}");
    assert_eq!(fs::read_to_string(root.join("etc/group")).unwrap(), "db:x:401:\n");
    let _ = run(Command::new(&tmpfiles).args(["--create", &own, "etcd.conf"])).expect_code(0);
    for path in directories {
        let found = fs::metadata(&path).unwrap();
        assert_eq!(
            (found.mode() & 0o7777, found.uid(), found.gid()),
            (0o700, 400, 401),
            "{}",
            path.display()
        );
    }
    verified(&root);
}

/// Paths with mode, user and group, of what is not all root's.
fn owners(root: &Path) -> Vec<(String, u32, u32, u32)> {
    let manifest = fs::read(root.join("var/lib/sealift/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let entries = ["directories", "files"].map(|list| manifest[list].as_array().unwrap().clone()).concat();
    let paths = entries.iter().map(|entry| entry["path"].as_str().unwrap().to_owned());
    let found = paths.map(|path| {
        let found = fs::metadata(root.join(path.trim_start_matches('/'))).unwrap();
        (path, found.mode() & 0o7777, found.uid(), found.gid())
    });
    found.filter(|(_, _, uid, gid)| (*uid, *gid) != (0, 0)).collect()
}

#[test]
fn the_user_reads_its_keys_and_owns_its_data() {
    if !is_root() {
        return skip("only root can give files away");
    }
    let built = service(&spec(), "");
    let root = installed(&built);
    let row = |path: &str, mode, uid, gid| (path.to_owned(), mode, uid, gid);
    let expected = [
        row("/var/lib/etcd", 0o700, 379, 379),
        row("/etc/kubernetes/pki/etcd/peer.key", 0o640, 0, 379),
        row("/etc/kubernetes/pki/etcd/server.key", 0o640, 0, 379),
    ];
    assert_eq!(owners(&root), expected);
    verified(&root);
    chown(root.join("etc/kubernetes/pki/etcd/peer.key"), Some(379), Some(379)).unwrap();
    let drifted = sealift(["verify", "--root", root.to_str().unwrap(), "--at", "2026-12-01T00:00:00Z"]);
    assert!(drifted.stdout.contains("owner-mismatch"), "{drifted:#?}");
}

#[test]
fn whoever_stages_a_root_owns_all_of_it() {
    if !is_root() {
        return skip("only root can give files away");
    }
    let built = service(&spec(), "");
    let root = built.root("infra0");
    chown(&root, Some(1234), Some(5678)).unwrap();
    let root = installed(&built);
    assert!(owners(&root).iter().all(|(_, _, uid, gid)| (*uid, *gid) == (1234, 5678)));
    verified(&root);
}

/// etcd's release, as it says it.
fn release(etcd: &Path) -> String {
    let said = run(Command::new(etcd).arg("--version")).expect_code(0).stdout;
    said.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn etcd_starts_from_variables() {
    starts("etcd_starts_from_variables", "environment");
}

#[test]
fn etcd_starts_from_its_configuration_file() {
    starts("etcd_starts_from_its_configuration_file", "yaml");
}

/// One member alone, started as the unit would: it tells systemd that it is ready, and serves TLS at its
/// address and plain http on loopback.
fn starts(name: &str, config: &str) {
    let Some((etcd, etcdctl)) = enter(name) else { return };
    for words in [&["link", "set", "lo", "up"][..], &["address", "add", "10.0.0.6/32", "dev", "lo"]] {
        let _ = run(Command::new("ip").args(words)).expect_code(0);
    }
    let whole = spec_of_today();
    let (start, end) = (whole.find("  infra1:").unwrap(), whole.len());
    let alone = format!("{}{}", &whole[..start], &whole[end..]);
    // a parent that is not the user's: all that a disk of its own is
    let more = format!("  config: {config}\n  plainLoopback: true\n  walDir: /srv/wal\n");
    let spec = replaced(
        &alone,
        "  run: static-pod\n",
        &format!("  run: systemd\n  version: {}\n{more}", release(&etcd)),
    );
    let built = Built::of(&replaced(&spec, "kubelet:\n  gate:\n    run: sealift\n", ""));
    let root = installed(&built);
    let settings = root.join("etc/etcd").join(if config == "yaml" { "etcd.yaml" } else { "etcd.env" });
    let text = below(&root, &fs::read_to_string(&settings).unwrap());
    let text = text.replace("/srv/wal", &root.join("srv/wal").display().to_string());
    let socket = built.path("notify");
    let notified = UnixDatagram::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();
    notified.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // real root takes the user that the unit names; in a user namespace there is none
    let mut command = if nobody_else() { Command::new(&etcd) } else { as_user(&etcd) };
    command.env_clear().env("NOTIFY_SOCKET", &socket).stdout(Stdio::null()).stderr(Stdio::null());
    if config == "yaml" {
        fs::write(&settings, text).unwrap();
        command.arg(format!("--config-file={}", settings.display()));
    } else {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once('=').unwrap();
            command.env(name, value);
        }
    }
    let _running = Process(command.spawn().unwrap());
    let mut message = [0; 64];
    let length = notified.recv(&mut message).expect("etcd says that it is ready");
    assert!(message[..length].starts_with(b"READY=1"));
    let pki = root.join("etc/kubernetes/pki/etcd");
    let file = |flag: &str, name: &str| format!("--{flag}={}", pki.join(name).display());
    let tls = [
        file("cacert", "ca.crt"),
        file("cert", "healthcheck-client.crt"),
        file("key", "healthcheck-client.key"),
    ];
    let healthy = |endpoint: &str, more: &[String]| {
        let mut ctl = Command::new(&etcdctl);
        let ctl = ctl.env("ETCDCTL_API", "3").arg(format!("--endpoints={endpoint}")).args(more);
        run(ctl.args(["endpoint", "health"])).code == 0
    };
    eventually("TLS at its address", || healthy("https://10.0.0.6:2379", &tls));
    eventually("plain http on loopback", || healthy("http://127.0.0.1:2379", &[]));
    assert!(!healthy("https://10.0.0.6:2379", &tls[..1]), "without a certificate");
}

/// Whether files cannot be another user's here.
fn nobody_else() -> bool {
    !fs::read_to_string("/proc/self/uid_map").unwrap().contains("4294967295")
}

fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=379",
        "--regid=379",
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
        "--",
    ]);
    command.arg(program);
    command
}
