//! The configurations of CRI-O and crictl.

use super::fields::unknown;
use super::support::repository;
use super::{CRICTL, CRIO, file, files, hosts};
use sealift::spec::yaml;
use serde_json::json;

const KIND: &str = "containerRuntime: {kind: cri-o}\n";

#[test]
fn cri_o() {
    let of = |rest: &str| file(&format!("{KIND}hostPrep: {{crio: {{}}}}\n{rest}"), CRIO);
    let systemd = "# sealift: CRI-O's configuration
[crio.image]
pause_image = \"registry.k8s.io/pause:3.10.2\"

[crio.runtime]
cgroup_manager = \"systemd\"
";
    assert_eq!(of(""), systemd);
    let cgroupfs = systemd.replace("\"systemd\"", "\"cgroupfs\"\nconmon_cgroup = \"pod\"");
    assert_eq!(of("kubelet: {cgroupDriver: cgroupfs}\n"), cgroupfs);
    assert!(!files("hostPrep: {crio: {}}\n", "w1").contains_key(CRIO), "containerd's");
    let hosts = hosts(&format!("{KIND}hostPrep: {{crio: {{}}}}\n"));
    let restart = hosts["cp1"].files.iter().find(|file| file.path == CRIO).unwrap().restart.clone();
    assert_eq!(restart, ["unit/crio"]);
}

/// No CRI-O is at hand: each field against a table of its fields.
#[test]
fn cri_o_knows_every_field() {
    let known: toml::Table =
        std::fs::read_to_string(repository("tests/data/runtimes/crio.toml")).unwrap().parse().unwrap();
    for config in ["{}", "{crio: {runtime: {pids_limit: 4096, default_ulimits: [\"nofile=1:2\"]}}}"] {
        for driver in ["systemd", "cgroupfs"] {
            let rest = format!(
                "{KIND}kubelet: {{cgroupDriver: {driver}}}\nhostPrep: {{crio: {{config: {config}}}}}\n"
            );
            let written: toml::Table = file(&rest, CRIO).parse().unwrap();
            assert_eq!(unknown(&written, &known), [""; 0], "{rest}");
        }
    }
}

/// As crictl's `docs/crictl.md` has it: a number of seconds.
#[test]
fn crictl() {
    let of = |rest: &str| yaml::document(&file(rest, CRICTL)).unwrap();
    let expected = |socket: &str, timeout: u64| json!({"runtime-endpoint": socket, "image-endpoint": socket, "timeout": timeout, "debug": false});
    let on = "hostPrep: {crictl: {}}\n";
    assert_eq!(of(on), expected("unix:///var/run/containerd/containerd.sock", 10));
    assert_eq!(of(&format!("{KIND}{on}")), expected("unix:///var/run/crio/crio.sock", 10));
    let own = "kubelet: {containerRuntimeEndpoint: \"unix:///run/cri-dockerd.sock\"}\n";
    assert_eq!(of(&format!("{own}{on}")), expected("unix:///run/cri-dockerd.sock", 10));
    assert_eq!(
        of("hostPrep: {crictl: {timeout: 1500ms}}\n"),
        expected("unix:///var/run/containerd/containerd.sock", 2)
    );
    assert!(!files("", "w1").contains_key(CRICTL));
}
