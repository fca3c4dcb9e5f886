//! What hosts need before the kubelet: files of the operating system, read by the programs that they are for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod kernel;
mod layers;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::example::{Built, replaced};
use support::golden::golden_tree;
use support::stacked::{files, installed, spec};
use support::{is_root, need, run, skip, temporary};

/// All parts of this kind, on each host.
pub(crate) const PARTS: &str = "hostPrep:
  sysctl:
    settings: {vm.max_map_count: 262144, net.ipv4.ip_local_port_range: \"10000 65000\"}
  modules: {extra: [tcp_bbr]}
  swap: {mode: off}
  limits: {openFiles: 65536}
  logrotate: {paths: [/var/log/etcd/*.log, /var/log/audit.*], keep: 3, size: 1MiB}
  journald: {maxUse: 1GiB, maxRetention: 30d}
  timezone: {name: America/Argentina/Buenos_Aires}
  ntp: {servers: [ntp.example, \"fd00::2\"]}
";

/// The files of a host that belong to the operating system.
fn system_files(built: &Built, host: &str) -> BTreeMap<String, String> {
    let wanted = [
        "/etc/chrony",
        "/etc/logrotate.d/",
        "/etc/modules-load.d/",
        "/etc/sysctl.d/",
        "/etc/systemd/journald.conf.d/",
        "/etc/systemd/system/sealift-swap-off.service",
        "/etc/systemd/timesyncd.conf.d/",
        "/etc/tmpfiles.d/sealift-timezone.conf",
    ];
    let all = files(built, host).into_iter().filter(|(path, _)| {
        path.ends_with("/40-sealift-limits.conf") || wanted.iter().any(|start| path.starts_with(start))
    });
    all.map(|(path, file)| (path[1..].to_owned(), file.text().to_owned())).collect()
}

/// A cluster with kubeadm, these settings of Kubernetes, and these at the top.
fn built(kubernetes: &str, top: &str) -> Built {
    Built::of(&spec("1.36.2", "kubeadm", kubernetes, top))
}

/// The same with both families of addresses.
fn dual(kubernetes: &str, top: &str) -> Built {
    let kubernetes = format!("{kubernetes}  serviceSubnets: [10.96.0.0/16, \"fd00:96::/112\"]\n");
    let text = spec("1.36.2", "kubeadm", &kubernetes, top);
    let text =
        replaced(&text, "podSubnets: [10.244.0.0/16]", "podSubnets: [10.244.0.0/16, \"fd00:244::/56\"]");
    let text = replaced(&text, "[10.0.0.6]", "[10.0.0.6, \"fd00::6\"]");
    Built::of(&replaced(&text, "[10.0.0.7]", "[10.0.0.7, \"fd00::7\"]"))
}

#[test]
fn each_file_to_the_byte() {
    let ipvs = built("  kubeProxy: {mode: ipvs, scheduler: lc}\n", PARTS);
    golden_tree("host_system/debian", &system_files(&ipvs, "w1"));
    assert_eq!(system_files(&ipvs, "cp1"), system_files(&ipvs, "w1"));
    let parts = replaced(PARTS, "{mode: off}", "{mode: limited}");
    let top = format!("os: rhel\ncontainerRuntime: {{kind: cri-o}}\n{parts}");
    let rhel = dual("  kubeProxy: {mode: nftables}\n", &top);
    golden_tree("host_system/rhel", &system_files(&rhel, "w1"));
}

/// What install tells to do.
#[test]
fn what_is_restarted_and_run() {
    let built = built("", PARTS);
    let manifest = support::archive::members(&built.bundle("w1"));
    let manifest = manifest.iter().find(|member| member.name == "manifest.json").unwrap().text().to_owned();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let words = |entry: &serde_json::Value, list: &str| -> String {
        let all = entry[list].as_array().into_iter().flatten();
        all.map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join("; ")
    };
    let told: Vec<_> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| system_files(&built, "w1").contains_key(&entry["path"].as_str().unwrap()[1..]))
        .map(|entry| {
            let path = entry["path"].as_str().unwrap();
            format!("{path}: {} | {}", words(entry, "restart"), words(entry, "run"))
        })
        .collect();
    assert_eq!(
        told,
        [
            "/etc/logrotate.d/sealift:  | ",
            "/etc/modules-load.d/sealift.conf:  | systemctl restart systemd-modules-load.service",
            "/etc/sysctl.d/90-sealift.conf:  | systemctl restart systemd-sysctl.service",
            "/etc/systemd/journald.conf.d/90-sealift.conf: unit/systemd-journald | ",
            "/etc/systemd/system/containerd.service.d/40-sealift-limits.conf: unit/containerd | systemctl daemon-reload",
            "/etc/systemd/system/kubelet.service.d/40-sealift-limits.conf: kubelet | systemctl daemon-reload",
            "/etc/systemd/system/sealift-swap-off.service:  | systemctl daemon-reload; systemctl enable --now sealift-swap-off.service",
            "/etc/systemd/timesyncd.conf.d/90-sealift.conf: unit/systemd-timesyncd | systemctl enable systemd-timesyncd.service",
            "/etc/tmpfiles.d/sealift-timezone.conf:  | systemd-tmpfiles --create /etc/tmpfiles.d/sealift-timezone.conf",
        ]
    );
}

/// A program that does nothing, where units look for one.
fn stub(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn systemd_accepts_units_and_their_order() {
    let Some(analyze) = need("systemd-analyze") else { return };
    for (runtime, kind) in [("containerd", "containerd"), ("crio", "cri-o")] {
        let built = built("", &format!("containerRuntime: {{kind: {kind}}}\n{PARTS}"));
        let units = installed(&built, "w1").join("etc/systemd/system");
        let program = built.path("stub");
        stub(&program);
        let program = program.to_str().unwrap().to_owned();
        for (unit, more) in [("kubelet", "\n[Install]\nWantedBy=multi-user.target\n"), (runtime, "")] {
            let text = format!("[Unit]\nDescription={unit}\n[Service]\nExecStart={program}\n{more}");
            fs::write(units.join(format!("{unit}.service")), text).unwrap();
        }
        for file in ["sealift-swap-off.service", "kubelet.service.d/30-sealift-gate.conf"] {
            let file = units.join(file);
            let text = fs::read_to_string(&file).unwrap();
            let text = ["/usr/sbin/swapoff", "/usr/local/bin/sealift"]
                .iter()
                .fold(text, |text, name| text.replace(&format!("={name}"), &format!("={program}")));
            fs::write(file, text).unwrap();
        }
        let services = ["kubelet.service", "sealift-swap-off.service", &format!("{runtime}.service")];
        let checked = run(Command::new(&analyze)
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .args(services)
            .env("SYSTEMD_UNIT_PATH", format!("{}:", units.display())))
        .expect_code(0);
        assert_eq!(checked.stderr, "", "{runtime}");
        // a word that systemd does not know is told of, so the check is one
        let dropin = units.join(format!("{runtime}.service.d/40-sealift-limits.conf"));
        let text = fs::read_to_string(&dropin).unwrap();
        fs::write(&dropin, text.replace("LimitNOFILE", "LimitNoFiles")).unwrap();
        let checked = run(Command::new(&analyze)
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .args(services)
            .env("SYSTEMD_UNIT_PATH", format!("{}:", units.display())));
        assert_ne!(checked.code, 0, "{}", checked.stderr);
    }
}

#[test]
fn systemd_makes_the_link_of_the_time_zone() {
    let Some(tmpfiles) = need("systemd-tmpfiles") else { return };
    if !is_root() {
        return skip("only root can make files of root");
    }
    let built = built("", PARTS);
    let root = installed(&built, "w1");
    let link = root.join("etc/localtime");
    fs::write(&link, "another").unwrap();
    let own = format!("--root={}", root.display());
    let _ = run(Command::new(&tmpfiles).args(["--create", &own, "sealift-timezone.conf"])).expect_code(0);
    let found = fs::read_link(&link).unwrap();
    assert_eq!(found, PathBuf::from("../usr/share/zoneinfo/America/Argentina/Buenos_Aires"));
}

/// The drop-ins are where systemd's programs look, and all that they say is known there.
#[test]
fn the_journal_and_timesyncd_find_their_drop_ins() {
    let Some(analyze) = need("systemd-analyze") else { return };
    let built = built("", PARTS);
    let root = installed(&built, "w1");
    let journald = fs::read("/lib/systemd/systemd-journald").unwrap();
    for (configuration, section) in [("systemd/journald.conf", "Journal"), ("systemd/timesyncd.conf", "Time")]
    {
        let main = root.join("etc").join(configuration);
        fs::write(&main, "# the distribution's\n").unwrap();
        let words = ["cat-config", &format!("--root={}", root.display()), configuration];
        let shown = run(Command::new(&analyze).args(words)).expect_code(0).stdout;
        let own = fs::read_to_string(format!("{}.d/90-sealift.conf", main.display())).unwrap();
        assert!(shown.contains(&own), "{shown}");
        let mut lines = own.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.next(), Some(&*format!("[{section}]")));
        for line in lines.filter(|_| section == "Journal") {
            let key = format!("{section}.{}", line.split_once('=').unwrap().0);
            assert!(journald.windows(key.len()).any(|window| window == key.as_bytes()), "{key}");
        }
    }
}

#[test]
fn chrony_reads_its_servers() {
    let Some(chronyd) = need("chronyd") else { return };
    let sources = built("", &PARTS.replace("ntp: {", "ntp: {client: chrony, "));
    let whole = built("", &format!("os: rhel\n{PARTS}"));
    for (built, file) in [(sources, "/etc/chrony/sources.d/sealift.sources"), (whole, "/etc/chrony.conf")] {
        let files = files(&built, "w1");
        let text = files[file].text();
        let path = built.path("chrony.conf");
        fs::write(&path, text).unwrap();
        let read = run(Command::new(&chronyd).arg("-p").arg("-f").arg(&path)).expect_code(0);
        assert_eq!((read.stdout.as_str(), read.stderr.as_str()), (&*without_comments(text), ""), "{file}");
        assert!(text.contains("\nserver ntp.example iburst\nserver fd00::2 iburst\n"), "{text}");
    }
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn logrotate_rotates_what_grew() {
    let Some(logrotate) = need("logrotate") else { return };
    let logs = temporary();
    let pattern = format!("{}/*.log", logs.path().display());
    let parts = PARTS.replace("/var/log/etcd/*.log", &pattern);
    let files = files(&built("", &parts), "w1");
    let (grown, small) = (logs.path().join("a.log"), logs.path().join("b.log"));
    fs::write(&grown, vec![b'x'; 2 << 20]).unwrap();
    fs::write(&small, "x").unwrap();
    let configuration = logs.path().join("logrotate.conf");
    fs::write(&configuration, files["/etc/logrotate.d/sealift"].text()).unwrap();
    let state = logs.path().join("state");
    let words = |debug: &str| {
        let state = format!("--state={}", state.display());
        [debug.to_owned(), state, configuration.display().to_string()]
    };
    let tried = run(Command::new(&logrotate).args(words("--debug"))).expect_code(0);
    assert!(!tried.stderr.contains("error"), "{}", tried.stderr);
    let told = format!("rotating pattern: {pattern}\n/var/log/audit.*\n 1048576 bytes (3 rotations)\n");
    assert!(tried.stderr.contains(&told), "{}", tried.stderr);
    for _ in 0..2 {
        let _ = run(Command::new(&logrotate).args(words("--verbose"))).expect_code(0);
    }
    assert_eq!((fs::metadata(&grown).unwrap().len(), fs::read(&small).unwrap()), (0, b"x".to_vec()));
    assert_eq!(fs::metadata(logs.path().join("a.log.1")).unwrap().len(), 2 << 20);
    assert!(!logs.path().join("a.log.2.gz").exists() && !logs.path().join("b.log.1").exists());
}
