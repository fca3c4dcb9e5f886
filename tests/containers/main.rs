//! etcd in a container of its own: what podman, docker and nerdctl are told, and what else such hosts
//! have and have not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod hostile;
mod quadlet;
#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use support::archive::members;
use support::example::{Built, replaced, spec};
use support::{need, repository, run, temporary};

pub(crate) const QUADLET: &str = "/etc/containers/systemd/etcd.container";
pub(crate) const SERVICE: &str = "/etc/systemd/system/etcd.service";

/// The example with etcd in a container: the engine, and settings of etcd more.
fn contained(engine: &str, more: &str) -> String {
    let run = format!("  run: container\n  container: {{engine: {engine}}}\n{more}");
    let text = replaced(&spec(), "  run: static-pod\n", &run);
    // no kubelet, no gate of it
    let (before, rest) = text.split_once("kubelet:\n").unwrap();
    let (_, after) = rest.split_once("hosts:\n").unwrap();
    format!("{before}hosts:\n{after}")
}

fn text(built: &Built, path: &str) -> String {
    let name = format!("files{path}");
    let member = members(&built.bundle("infra0")).into_iter().find(|member| member.name == name);
    member.unwrap_or_else(|| panic!("no {path}")).text().to_owned()
}

/// A list of test data.
pub(crate) fn known(name: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(repository("tests/data/containers").join(name)).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// What most members have: kubeadm's image, its user, variables.
const PLAIN: &str = "";
/// Everything that changes a unit.
const RICH: &str = "  config: yaml
  image: \"registry.example:5000/etcd:3.6.8-0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"
  user: {uid: 400, gid: 401}
  dataDir: /srv/etcd/data
  walDir: /srv/etcd/wal
";

#[test]
fn quadlet_makes_this_command() {
    let keys = known("quadlet-container.txt");
    let flags = known("podman-run.txt");
    for (more, user, volumes, settings, image) in [
        (
            PLAIN,
            &[][..],
            &["/var/lib/etcd:/var/lib/etcd"][..],
            "--env-file=/etc/etcd/etcd.env",
            &["registry.k8s.io/etcd:3.6.8-0"][..],
        ),
        (
            RICH,
            &["--user", "400:401"],
            &["/srv/etcd/data:/srv/etcd/data", "/srv/etcd/wal:/srv/etcd/wal"],
            "",
            &[
                "registry.example:5000/etcd:3.6.8-0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "--config-file=/etc/etcd/etcd.yaml",
            ],
        ),
    ] {
        let command = quadlet::command(&text(&Built::of(&contained("podman", more)), QUADLET), &keys);
        let mut expected: Vec<&str> =
            "podman run --name etcd --cidfile=%t/%N.cid --replace --rm --cgroups=split --network host \
             --sdnotify=container -d --security-opt=no-new-privileges --cap-drop=all --read-only=true"
                .split_whitespace()
                .collect();
        expected.extend(user);
        expected.extend(volumes.iter().flat_map(|volume| ["-v", volume]));
        expected.extend(["-v", "/etc/kubernetes/pki/etcd:/etc/kubernetes/pki/etcd:ro"]);
        if settings.is_empty() {
            expected.extend(["-v", "/etc/etcd/etcd.yaml:/etc/etcd/etcd.yaml:ro", "--entrypoint=etcd"]);
        } else {
            expected.extend(["--entrypoint=etcd", settings]);
        }
        expected.extend(
            "--oom-score-adj=-997 --pull=missing --stop-timeout=30 --ulimit=nofile=65536:65536 --http-proxy=false \
             --log-driver=passthrough --security-opt=label=disable"
                .split_whitespace(),
        );
        expected.extend(image);
        assert_eq!(command, expected);
        let used =
            command.iter().filter(|word| word.starts_with("--")).filter_map(|word| word.split('=').next());
        let unknown: Vec<_> =
            used.filter(|flag| *flag != "--config-file" && !flags.contains(*flag)).collect();
        assert_eq!(unknown, Vec::<&str>::new());
    }
}

/// Docker's and nerdctl's unit, whole.
#[test]
fn units_say_this() {
    let docker = text(&Built::of(&contained("docker", RICH)), SERVICE);
    assert_eq!(
        docker,
        r"# Runs the etcd member of this host in a container.
[Unit]
Description=etcd
Documentation=https://etcd.io/docs/
Wants=network-online.target
Requires=docker.service
After=network-online.target docker.service
RequiresMountsFor=/srv/etcd/data /srv/etcd/wal
StartLimitIntervalSec=0

[Service]
Type=exec
# one of that name is left over when the host or the engine died
ExecStartPre=-/usr/bin/docker rm --force etcd
ExecStart=/usr/bin/docker run \
    --name=etcd \
    --network=host \
    --read-only=true \
    --cap-drop=ALL \
    --security-opt=no-new-privileges \
    --user=400:401 \
    --volume=/srv/etcd/data:/srv/etcd/data \
    --volume=/srv/etcd/wal:/srv/etcd/wal \
    --volume=/etc/kubernetes/pki/etcd:/etc/kubernetes/pki/etcd:ro \
    --volume=/etc/etcd/etcd.yaml:/etc/etcd/etcd.yaml:ro \
    --rm=true \
    --entrypoint=etcd \
    --oom-score-adj=-997 \
    --pull=missing \
    --stop-timeout=30 \
    --ulimit=nofile=65536:65536 \
    --log-driver=none \
    --security-opt=label=disable \
    --userns=host \
    registry.example:5000/etcd:3.6.8-0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef \
    --config-file=/etc/etcd/etcd.yaml
ExecStop=/usr/bin/docker stop -t 30 etcd
Restart=on-failure
RestartSec=5
TimeoutStopSec=45

[Install]
WantedBy=multi-user.target
"
    );
    let nerdctl = text(&Built::of(&contained("nerdctl", PLAIN)), SERVICE);
    let (_, command) = nerdctl.split_once("ExecStart=").unwrap();
    let (command, _) = command.split_once("\nExecStop=").unwrap();
    assert_eq!(
        command.replace(" \\\n    ", "\n"),
        "/usr/local/bin/nerdctl run
--name=etcd
--network=host
--read-only=true
--cap-drop=ALL
--security-opt=no-new-privileges
--volume=/var/lib/etcd:/var/lib/etcd
--volume=/etc/kubernetes/pki/etcd:/etc/kubernetes/pki/etcd:ro
--rm=true
--entrypoint=etcd
--env-file=/etc/etcd/etcd.env
--oom-score-adj=-997
--pull=missing
--stop-timeout=30
--ulimit=nofile=65536:65536
--log-driver=json-file
--log-opt=max-size=10m
--log-opt=max-file=2
registry.k8s.io/etcd:3.6.8-0"
    );
    assert!(
        nerdctl.contains("\nRequires=containerd.service\nAfter=network-online.target containerd.service\n")
    );
    for (unit, list) in [(docker, "docker-run.txt"), (nerdctl, "nerdctl-run.txt")] {
        let flags = known(list);
        let used = unit.lines().filter_map(|line| line.trim().strip_suffix(" \\")?.split('=').next());
        let unknown: Vec<_> = used.filter(|word| word.starts_with("--") && !flags.contains(*word)).collect();
        assert_eq!(unknown, Vec::<&str>::new(), "{list}");
    }
}

/// The units below /etc/systemd/system of a bundle as systemd sees them, with a program for each that they
/// start and a unit for each that they need.
fn verdict(analyze: &Path, built: &Built, program: &str) -> support::Ran {
    let directory = temporary();
    let stub = directory.path().join("stub");
    fs::write(&stub, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
    let stub = stub.to_str().unwrap();
    let units = directory.path().join("units");
    for member in members(&built.bundle("infra0")) {
        let Some(below) = member.name.strip_prefix("files/etc/systemd/system/") else { continue };
        let to = units.join(below);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, member.text().replace(program, stub).replace("/usr/local/bin/sealift", stub)).unwrap();
    }
    for needed in ["docker", "containerd"] {
        let text = format!("[Unit]\nDescription={needed}\n[Service]\nExecStart={stub}\n");
        fs::write(units.join(format!("{needed}.service")), text).unwrap();
    }
    let path = format!("{}:", units.display());
    let words = ["verify", "--man=no", "--recursive-errors=no", "etcd.service"];
    run(Command::new(analyze).args(words).env("SYSTEMD_UNIT_PATH", path).env("LC_ALL", "C"))
}

#[test]
fn systemd_accepts_the_units() {
    let Some(analyze) = need("systemd-analyze") else { return };
    for (engine, program) in [("docker", "/usr/bin/docker"), ("nerdctl", "/usr/local/bin/nerdctl")] {
        for more in [PLAIN, RICH] {
            let ran = verdict(&analyze, &Built::of(&contained(engine, more)), program);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{engine}");
        }
    }
}

/// Such a host has no kubelet, nothing of one, and is told what to run.
#[test]
fn a_host_of_etcd_alone_is_no_node() {
    for (engine, unit, run) in [
        ("podman", QUADLET, &["systemctl daemon-reload"][..]),
        ("docker", SERVICE, &["systemctl daemon-reload", "systemctl enable etcd.service"]),
    ] {
        let built = Built::of(&contained(engine, RICH));
        let manifest: Value = serde_json::from_str(
            members(&built.bundle("infra0"))
                .iter()
                .find(|member| member.name == "manifest.json")
                .unwrap()
                .text(),
        )
        .unwrap();
        let paths = |list: &str| -> BTreeSet<&str> {
            manifest[list].as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap()).collect()
        };
        let expected: BTreeSet<&str> = [
            unit,
            "/etc/etcd/etcd.yaml",
            "/etc/etcd/etcdctl.env",
            "/etc/kubernetes/pki/etcd/ca.crt",
            "/etc/kubernetes/pki/etcd/healthcheck-client.crt",
            "/etc/kubernetes/pki/etcd/healthcheck-client.key",
            "/etc/kubernetes/pki/etcd/peer.crt",
            "/etc/kubernetes/pki/etcd/peer.key",
            "/etc/kubernetes/pki/etcd/server.crt",
            "/etc/kubernetes/pki/etcd/server.key",
            "/etc/sealift/verify.key",
            "/etc/systemd/system/etcd.service.d/30-sealift-gate.conf",
        ]
        .into();
        let files = paths("files");
        assert!(files.is_superset(&expected), "{engine}: {files:?}");
        let kubelets =
            |path: &&&str| path.contains("kubelet") || path.contains("manifests") || path.contains("kubeadm");
        assert_eq!(files.iter().filter(kubelets).collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(paths("directories").iter().filter(kubelets).collect::<Vec<_>>(), Vec::<&&str>::new());
        let file = |path: &str| {
            manifest["files"].as_array().unwrap().iter().find(|file| file["path"] == path).unwrap().clone()
        };
        assert_eq!(file(unit)["restart"], serde_json::json!(["unit/etcd"]));
        assert_eq!(file(unit)["run"], serde_json::json!(run));
        // read at each start, and certificates at each handshake
        assert_eq!(file("/etc/etcd/etcd.yaml")["restart"], serde_json::json!(["unit/etcd"]));
        let data =
            manifest["directories"].as_array().unwrap().iter().find(|item| item["path"] == "/srv/etcd/data");
        assert_eq!(
            (&data.unwrap()["uid"], &data.unwrap()["gid"]),
            (&400.into(), &401.into()),
            "{manifest:#}"
        );
    }
}
