//! Docker's configuration.

use super::support::{is_root, need, run, temporary};
use super::{DOCKER, file, files};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn daemon(rest: &str) -> Value {
    serde_json::from_str(&file(rest, DOCKER)).unwrap()
}

#[test]
fn the_whole_file() {
    let expected = r#"{
  "exec-opts": [
    "native.cgroupdriver=systemd"
  ],
  "live-restore": true,
  "log-driver": "json-file",
  "log-opts": {
    "max-file": "3",
    "max-size": "100m"
  },
  "storage-driver": "overlay2"
}
"#;
    assert_eq!(file("hostPrep: {docker: {}}\n", DOCKER), expected);
    assert!(!files("", "w1").contains_key(DOCKER));
}

#[test]
fn what_the_spec_says_flows_in() {
    let mirrors = "containerRuntime: {registryMirrors: {quay.io: [\"https://q.example\"], docker.io: [\"https://m.example/\", \"https://m.example/hub\", \"http://10.0.0.1:5000\"]}}\n";
    let own = "hostPrep: {docker: {config: {live-restore: null, log-opts: {max-size: 10m}, debug: true}}}\n";
    let rest = format!("kubelet: {{cgroupDriver: cgroupfs}}\n{mirrors}{own}");
    assert_eq!(
        daemon(&rest),
        json!({
            "debug": true,
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "log-driver": "json-file",
            "log-opts": {"max-file": "3", "max-size": "10m"},
            "registry-mirrors": ["https://m.example", "http://10.0.0.1:5000"],
            "storage-driver": "overlay2",
        })
    );
}

/// What dockerd says of a file without starting: as nobody it reads its configuration first, and refuses
/// to run after that. (`--validate` came with Docker 23.)
fn says(dockerd: &Path, text: &str) -> String {
    let directory = temporary();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = directory.path().join("daemon.json");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = if is_root() {
        let Some(setpriv) = need("setpriv") else { return READ.to_owned() };
        let mut command = Command::new(setpriv);
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(dockerd);
        command
    } else {
        Command::new(dockerd)
    };
    run(command.arg("--config-file").arg(&path)).expect_code(1).stderr
}

const READ: &str = "dockerd needs to be started with root";

#[test]
fn dockerd_reads_it() {
    let Some(dockerd) = need("dockerd") else { return };
    for rest in [
        "hostPrep: {docker: {}}\n",
        "kubelet: {cgroupDriver: cgroupfs}\nhostPrep: {docker: {config: {debug: true, default-ulimits: {nofile: {Name: nofile, Hard: 64000, Soft: 64000}}}}}\n",
        "containerRuntime: {registryMirrors: {docker.io: [\"https://m.example/\", \"http://10.0.0.1:5000\"]}}\nhostPrep: {docker: {}}\n",
    ] {
        let said = says(&dockerd, &file(rest, DOCKER));
        assert!(said.contains(READ), "{said}");
    }
    // and it would say so if it did not
    let said = says(&dockerd, &file("hostPrep: {docker: {config: {live-restor: true}}}\n", DOCKER));
    assert!(said.contains("don't match any configuration option: live-restor"), "{said}");
}
