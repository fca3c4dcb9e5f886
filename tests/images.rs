//! `sealift images`: whole outputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use support::example::{replaced, spec};
use support::{Ran, SEALIFT, repository, run, temporary};

/// `sealift images` of a spec.
fn images(spec: &str, more: &[&str]) -> Ran {
    let place = temporary();
    fs::write(place.path().join("sealift.yaml"), spec).unwrap();
    run(Command::new(SEALIFT).args(["images", "sealift.yaml"]).args(more).current_dir(place.path()))
}

/// `kubeadm config images list` of 1.36.2, for a spec of that release.
#[test]
fn a_cluster_needs_what_kubeadm_lists() {
    let cluster = fs::read_to_string(repository("src/plan/tests/cluster.yaml")).unwrap();
    let kubeadm = fs::read_to_string(repository("tests/data/kubeadm-1.36.2/images.txt")).unwrap();
    let ran = images(&cluster, &[]).expect_code(0);
    assert_eq!((ran.stdout, ran.stderr), (kubeadm, String::new()));
}

#[test]
fn as_json_with_the_hosts() {
    let own = "  infra1:\n    etcd: {image: \"registry.example/etcd:3.6.9-0\"}\n";
    let ran = images(&replaced(&spec(), "  infra1:\n", own), &["--format", "json"]).expect_code(0);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        value,
        json!({
            "command": "images",
            "exit": 0,
            "images": [
                {"component": "pause", "image": "registry.k8s.io/pause:3.10.2", "hosts": ["infra0", "infra1", "infra2"]},
                {"component": "etcd", "image": "registry.k8s.io/etcd:3.6.8-0", "hosts": ["infra0", "infra2"]},
                {"component": "etcd", "image": "registry.example/etcd:3.6.9-0", "hosts": ["infra1"]},
            ],
        })
    );
}

/// Without a kubelet nothing holds a pod; a program of the host's has no image.
#[test]
fn of_etcd_without_a_kubelet() {
    let with = |etcd: &str| {
        let text = replaced(&spec(), "run: static-pod", etcd);
        images(&text, &["--format", "json"]).expect_code(0).stdout
    };
    let listed = |text: &str| serde_json::from_str::<Value>(text).unwrap()["images"].clone();
    assert_eq!(
        listed(&with("run: container")),
        json!([{"component": "etcd", "image": "registry.k8s.io/etcd:3.6.8-0", "hosts": ["infra0", "infra1", "infra2"]}])
    );
    assert_eq!(listed(&with("run: systemd\n  version: 3.6.8")), json!([]));
    // nodes have theirs all the same
    let cluster = fs::read_to_string(repository("src/plan/tests/cluster.yaml")).unwrap();
    let kubeadm = fs::read_to_string(repository("tests/data/kubeadm-1.36.2/images.txt")).unwrap();
    for (run, expected) in [
        ("{run: container}", kubeadm.clone()),
        ("{run: systemd, version: 3.6.8}", replaced(&kubeadm, "registry.k8s.io/etcd:3.6.8-0\n", "")),
    ] {
        let ran = images(&replaced(&cluster, "{run: static-pod}", run), &[]).expect_code(0);
        assert_eq!((ran.stdout, ran.stderr), (expected, String::new()), "{run}");
    }
}

#[test]
fn what_is_not_known_is_told_as_check_tells_it() {
    let unknown = replaced(&spec(), "version: 1.36.2", "version: 1.29.14");
    let ran = images(&unknown, &[]).expect_code(2);
    let line = unknown.lines().position(|line| line.contains("1.29.14")).unwrap() + 1;
    let expected = format!(
        "error: the etcd image of Kubernetes 1.29.14 is not known here
  --> sealift.yaml:{line}:12
   |
{line} |   version: 1.29.14
   |            ^^^^^^^
hint: name it: `etcd: {{image: \"registry.k8s.io/etcd:TAG\"}}`; `kubeadm config images list` of that release says which; sealift knows those of 1.29.0 to 1.29.10

sealift.yaml: 1 error
"
    );
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", expected.as_str()));
    let ran = images(&unknown, &["--format", "json"]).expect_code(2);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&value["command"], &value["exit"]), (&json!("images"), &json!(2)));
    assert_eq!(value["problems"].as_array().unwrap().len(), 1);
}
