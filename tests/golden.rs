//! What lands on each host, whole, as files that a person can read; and what the spec's settings
//! change in them. `SEALIFT_BLESS=1` takes over a change that is meant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use support::archive::{member, members};
use support::example::{Built, HOSTS, replaced, spec};
use support::golden::golden_tree;
use support::{Ran, need, run, temporary};

const MANIFEST: &str = "files/etc/kubernetes/manifests/etcd.yaml";
const KUBEADM: &str = "files/etc/kubernetes/kubeadm/config.yaml";
const KUBELET: &str = "files/etc/kubernetes/kubelet/config.yaml";
const ETCDCTL: &str = "files/etc/etcd/etcdctl.env";
const DROP_IN: &str = "files/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf";
const GATE: &str = "files/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf";

/// A bundle as texts: sealed files by their digest, JSON with line breaks.
fn texts(bundle: &Path) -> BTreeMap<String, String> {
    let text = |member: support::archive::Member| {
        if member.name.strip_suffix(".age").is_some() {
            return (member.name, hex::encode(Sha256::digest(&member.contents)) + "\n");
        }
        if member.name.strip_suffix(".json").is_some() {
            let value: Value = serde_json::from_slice(&member.contents).unwrap();
            return (member.name, serde_json::to_string_pretty(&value).unwrap() + "\n");
        }
        let text = member.text().to_owned();
        (member.name, text)
    };
    members(bundle).into_iter().map(text).collect()
}

#[test]
fn every_host_of_the_example() {
    for host in HOSTS.into_iter().chain(["operator"]) {
        golden_tree(&format!("etcd-static-pods/{host}"), &texts(&Built::example().bundle(host)));
    }
}

#[test]
fn modes_and_times_of_entries_are_the_manifests() {
    let epoch = 1_795_132_800; // 2026-11-20T00:00:00Z
    for host in HOSTS.into_iter().chain(["operator"]) {
        let all = members(&Built::example().bundle(host));
        assert!(all.iter().all(|member| member.mtime == epoch), "{host}");
        let manifest: Value = serde_json::from_slice(&all[2].contents).unwrap();
        let listed = manifest["files"].as_array().unwrap().iter().map(|file| {
            let sealed = if file["sealed"] == json!(true) { ".age" } else { "" };
            let mode = u32::from_str_radix(file["mode"].as_str().unwrap(), 8).unwrap();
            (format!("files{}{sealed}", file["path"].as_str().unwrap()), mode)
        });
        let head = ["SHA256SUMS", "SHA256SUMS.sig", "manifest.json"].map(|name| (name.to_owned(), 0o644));
        let expected: Vec<_> = head.into_iter().chain(listed).collect();
        let found: Vec<_> = all.iter().map(|member| (member.name.clone(), member.mode)).collect();
        assert_eq!(found, expected, "{host}");
    }
}

/// The text of one file of one host, or none.
fn file(built: &Built, host: &str, name: &str) -> Option<String> {
    let found = members(&built.bundle(host)).into_iter().find(|member| member.name == name);
    found.map(|member| member.text().to_owned())
}

/// Names and digests of what differs between two bundles, their lists aside.
fn changed(one: &Built, other: &Built, host: &str) -> Vec<String> {
    let [one, other] = [one, other].map(|built| {
        let all = members(&built.bundle(host)).into_iter();
        let files = all.filter(|member| member.name.starts_with("files/"));
        files.map(|member| (member.name.clone(), member)).collect::<BTreeMap<_, _>>()
    });
    let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}

#[test]
fn the_gate_by_plain_sha256sum() {
    let built = Built::of(&replaced(&spec(), "run: sealift\n", "run: sha256sum\n"));
    for host in HOSTS {
        assert_eq!(changed(Built::example(), &built, host), [GATE]);
    }
    let expected = "# The kubelet starts only when this host holds what its bundle says.\n\
                    [Service]\n\
                    # while there is a journal, an install was interrupted\n\
                    ExecStartPre=/usr/bin/test ! -e /var/lib/sealift/journal.json\n\
                    # finds changed and missing files only: no stray files, modes or links\n\
                    ExecStartPre=/usr/bin/sha256sum -c --strict --quiet /etc/sealift/SHA256SUMS\n";
    assert_eq!(file(&built, "infra0", GATE).as_deref(), Some(expected));
}

#[test]
fn no_gate() {
    let built = Built::of(&replaced(&spec(), "run: sealift\n", "run: none\n"));
    for host in HOSTS {
        assert_eq!(changed(Built::example(), &built, host), [GATE]);
        assert_eq!(file(&built, host, GATE), None);
    }
}

#[test]
fn tolerated_exit_codes_and_programs() {
    let gate = "gate:\n    run: sealift\n    tolerate: [6, 1]\n    program: /opt/bin/sealift\n  program: /opt/bin/kubelet\n";
    let built = Built::of(&replaced(&spec(), "gate:\n    run: sealift\n", gate));
    assert_eq!(changed(Built::example(), &built, "infra1"), [DROP_IN, GATE]);
    let line = "ExecStartPre=/opt/bin/sealift verify --root / --tolerate 1 --tolerate 6";
    assert_eq!(file(&built, "infra1", GATE).unwrap().lines().last(), Some(line));
    let line = "ExecStart=/opt/bin/kubelet --config=/etc/kubernetes/kubelet/config.yaml";
    assert!(file(&built, "infra1", DROP_IN).unwrap().lines().any(|found| found == line));
}

/// For all, for a role, for a host: the most specific wins, and each host is changed by its own only.
#[test]
fn settings_for_all_for_a_role_and_for_a_host() {
    let for_all = replaced(&spec(), "kubelet:\n", "kubelet:\n  cgroupDriver: cgroupfs\n");
    let for_role = replaced(&for_all, "pki:\n", "roles: {etcd: {kubelet: {cgroupDriver: systemd}}}\npki:\n");
    let host = "    kubelet: {cgroupDriver: cgroupfs}\n";
    let for_host = replaced(&for_role, "  infra1:\n", &format!("  infra1:\n{host}"));
    let driver = |built: &Built, host: &str| {
        let config = sealift::spec::yaml::document(&file(built, host, KUBELET).unwrap()).unwrap();
        config["cgroupDriver"].as_str().unwrap().to_owned()
    };
    for (spec, expected) in [
        (spec(), ["systemd", "systemd", "systemd"]),
        (for_all, ["cgroupfs", "cgroupfs", "cgroupfs"]),
        (for_role, ["systemd", "systemd", "systemd"]),
        (for_host, ["systemd", "cgroupfs", "systemd"]),
    ] {
        let built = Built::of(&spec);
        assert_eq!(HOSTS.map(|host| driver(&built, host)), expected);
        for (number, host) in HOSTS.into_iter().enumerate() {
            let other: &[&str] = if expected[number] == "systemd" { &[] } else { &[KUBELET] };
            assert_eq!(changed(Built::example(), &built, host), other, "{host}");
        }
    }
}

#[test]
fn a_data_directory_of_one_host() {
    let own = "  infra2:\n    etcd: {dataDir: /srv/etcd}\n";
    let built = Built::of(&replaced(&spec(), "  infra2:\n", own));
    assert_eq!(changed(Built::example(), &built, "infra0"), [""; 0]);
    assert_eq!(changed(Built::example(), &built, "infra2"), [KUBEADM, MANIFEST]);
    let [before, after] = [Built::example(), &built].map(|built| file(built, "infra2", MANIFEST).unwrap());
    assert_eq!(after, before.replace("/var/lib/etcd", "/srv/etcd"));
    let manifest: Value =
        serde_json::from_slice(&member(&built.bundle("infra2"), "manifest.json").contents).unwrap();
    let directories = manifest["directories"].as_array().unwrap();
    assert!(directories.iter().any(|directory| directory["path"] == "/srv/etcd"), "{directories:#?}");
}

#[test]
fn a_pinned_image() {
    let image = "etcd:\n  run: static-pod\n  image: \"mirror.example:5000/k8s/etcd:3.6.9-0@sha256:\
                 9d6a8f4b1c8e2a7d3f5b6c0e1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d\"\n";
    let built = Built::of(&replaced(&spec(), "etcd:\n  run: static-pod\n", image));
    assert_eq!(changed(Built::example(), &built, "infra0"), [KUBEADM, MANIFEST]);
    let line = |name: &str, key: &str| {
        let text = file(&built, "infra0", name).unwrap();
        let found: Vec<_> = text.lines().map(str::trim).filter(|line| line.starts_with(key)).collect();
        found.join("\n")
    };
    let digest = "sha256:9d6a8f4b1c8e2a7d3f5b6c0e1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
    assert_eq!(line(MANIFEST, "image:"), format!("image: mirror.example:5000/k8s/etcd:3.6.9-0@{digest}"));
    assert_eq!(line(KUBEADM, "imageTag:"), format!("imageTag: \"3.6.9-0@{digest}\""));
    assert_eq!(
        line(KUBEADM, "imageRepository:"),
        "imageRepository: registry.k8s.io\nimageRepository: mirror.example:5000/k8s"
    );
}

/// The spec's hosts have IPv6 addresses.
fn ipv6() -> Built {
    let mut text = spec();
    for number in 6..9 {
        text = replaced(&text, &format!("10.0.0.{number}"), &format!("\"2001:db8::{number}\""));
    }
    Built::of(&text)
}

#[test]
fn ipv6_addresses_stand_in_brackets_in_urls_only() {
    let built = ipv6();
    let pod = sealift::spec::yaml::document(&file(&built, "infra0", MANIFEST).unwrap()).unwrap();
    let flags = pod["spec"]["containers"][0]["command"].as_array().unwrap();
    let urls: Vec<_> = flags.iter().filter_map(Value::as_str).filter(|flag| flag.contains("://[")).collect();
    assert_eq!(
        urls,
        [
            "--listen-metrics-urls=http://[::1]:2381",
            "--initial-cluster=infra0=https://[2001:db8::6]:2380,infra1=https://[2001:db8::7]:2380,\
             infra2=https://[2001:db8::8]:2380",
            "--listen-peer-urls=https://[2001:db8::6]:2380",
            "--listen-client-urls=https://[2001:db8::6]:2379",
            "--advertise-client-urls=https://[2001:db8::6]:2379",
            "--initial-advertise-peer-urls=https://[2001:db8::6]:2380",
        ]
    );
    let env = file(&built, "infra0", ETCDCTL).unwrap();
    let endpoints =
        "ETCDCTL_ENDPOINTS=https://[2001:db8::6]:2379,https://[2001:db8::7]:2379,https://[2001:db8::8]:2379";
    assert!(env.lines().any(|line| line == endpoints), "{env}");
    let kubeadm = file(&built, "infra0", KUBEADM).unwrap();
    let bare: Vec<_> = kubeadm.lines().map(str::trim).filter(|line| line.contains("2001:db8::6")).collect();
    // an address outside a URL has no brackets, and quotes where YAML wants them
    assert!(bare.iter().filter(|line| !line.contains("://")).all(|line| !line.contains('[')), "{bare:#?}");
}

/// All YAML that lands on a host is YAML, and says what it is.
#[test]
fn yaml_files_parse() {
    for built in [Built::example(), &ipv6()] {
        let [manifest, kubelet] = [MANIFEST, KUBELET]
            .map(|name| sealift::spec::yaml::document(&file(built, "infra0", name).unwrap()).unwrap());
        assert_eq!((&manifest["kind"], &manifest["apiVersion"]), (&json!("Pod"), &json!("v1")));
        assert_eq!(
            kubelet,
            json!({
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": false}},
                "authorization": {"mode": "AlwaysAllow"},
                "address": "127.0.0.1",
                "cgroupDriver": "systemd",
                "containerRuntimeEndpoint": "unix:///var/run/containerd/containerd.sock",
                "staticPodPath": "/etc/kubernetes/manifests",
            })
        );
        let kubeadm = file(built, "infra0", KUBEADM).unwrap();
        let kinds: Vec<_> = kubeadm
            .split("\n---\n")
            .map(|text| sealift::spec::yaml::document(text).unwrap())
            .map(|document| (document["apiVersion"].clone(), document["kind"].clone()))
            .collect();
        let api = json!("kubeadm.k8s.io/v1beta4");
        let expected = ["InitConfiguration", "ClusterConfiguration"].map(|kind| (api.clone(), json!(kind)));
        assert_eq!(kinds, expected);
    }
}

/// systemd's own verdict on the kubelet's unit with a bundle's drop-ins.
fn systemd(analyze: &Path, drop_ins: &[(&str, String)]) -> Ran {
    let directory = temporary();
    let units = directory.path().join("units");
    let drop_in_directory = units.join("kubelet.service.d");
    fs::create_dir_all(&drop_in_directory).unwrap();
    for name in ["kubelet", "sealift"] {
        let stub = directory.path().join(name);
        fs::write(&stub, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
    }
    // The programs that a host has elsewhere; systemd wants those it is told of to exist.
    let programs = directory.path().to_str().unwrap();
    let located = |text: &str| {
        text.replace("/usr/local/bin/sealift", &format!("{programs}/sealift"))
            .replace("/usr/bin/kubelet", &format!("{programs}/kubelet"))
    };
    let unit = "[Unit]\nDescription=kubelet\n[Service]\nExecStart=/usr/bin/kubelet\n";
    fs::write(units.join("kubelet.service"), located(unit)).unwrap();
    for (name, text) in drop_ins {
        fs::write(drop_in_directory.join(name), located(text)).unwrap();
    }
    // The base unit's targets come from the machine's own units, after ours.
    let path = format!("{}:", units.display());
    let words = ["verify", "--man=no", "--recursive-errors=no", "kubelet.service"];
    run(Command::new(analyze).args(words).env("SYSTEMD_UNIT_PATH", path).env("LC_ALL", "C"))
}

#[test]
fn systemd_accepts_the_drop_ins() {
    let Some(analyze) = need("systemd-analyze") else { return };
    let sha256sum = Built::of(&replaced(&spec(), "run: sealift\n", "run: sha256sum\n"));
    for built in [Built::example(), &sha256sum] {
        let drop_ins = [
            ("20-etcd-service-manager.conf", file(built, "infra0", DROP_IN).unwrap()),
            ("30-sealift-gate.conf", file(built, "infra0", GATE).unwrap()),
        ];
        let ran = systemd(&analyze, &drop_ins);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
    // it does look: an unknown key, and a second ExecStart that clears no first one
    let broken = file(Built::example(), "infra0", DROP_IN).unwrap().replace("ExecStart=\n", "ExecStrat=\n");
    let ran = systemd(&analyze, &[("20-etcd-service-manager.conf", broken)]);
    assert!(ran.code != 0 && ran.stderr.contains("ExecStrat"), "{ran:#?}");
}
