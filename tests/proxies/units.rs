//! Units and pods of proxies, and what systemd and Kubernetes' schemas say of them.

use crate::support::opened::Files;
use crate::support::{need, run, sealift, temporary};
use crate::{HAPROXY_IMAGE, NGINX_IMAGE, built, files};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Both proxies in one way.
fn both(run: &str) -> Vec<String> {
    let entry = |kind: &str, port: u32, image: &str| {
        format!("kind: {kind}, on: load-balancer, port: {port}, image: \"{image}\", {run}")
    };
    vec![entry("nginx", 8443, NGINX_IMAGE), entry("haproxy", 443, HAPROXY_IMAGE)]
}

fn of(run: &str) -> Files {
    let balancers = both(run);
    files(&built(&balancers.iter().map(String::as_str).collect::<Vec<_>>(), false))
}

#[test]
fn podmans_quadlet_is_told_this() {
    let files = of("run: container");
    assert_eq!(
        files["/etc/containers/systemd/nginx.container"].text(),
        "# Leads to the API servers. podman's Quadlet (from 4.4 on) makes nginx.service of it.
[Unit]
Description=nginx, proxy of the API servers
Documentation=https://nginx.org/en/docs/
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Container]
ContainerName=nginx
Image=docker.io/library/nginx:1.29.3
Network=host
User=101
Group=101
ReadOnly=true
DropCapability=all
NoNewPrivileges=true
Volume=/etc/nginx:/etc/nginx:ro
PodmanArgs=--entrypoint=nginx
PodmanArgs=--tmpfs=/run/nginx
PodmanArgs=--oom-score-adj=-997
PodmanArgs=--pull=missing
PodmanArgs=--stop-signal=SIGTERM
PodmanArgs=--stop-timeout=5
PodmanArgs=--ulimit=nofile=16512:16512
PodmanArgs=--http-proxy=false
PodmanArgs=--log-driver=passthrough
PodmanArgs=--security-opt=label=disable
Exec=-e stderr -c /etc/nginx/nginx.conf

[Service]
ExecReload=/usr/bin/podman kill --signal=HUP nginx
Restart=on-failure
RestartSec=5
TimeoutStopSec=20

[Install]
WantedBy=multi-user.target
"
    );
    let haproxy = files["/etc/containers/systemd/haproxy.container"].text();
    for line in ["User=0", "AddCapability=NET_BIND_SERVICE", "Exec=-W -db -f /etc/haproxy/haproxy.cfg"] {
        assert!(haproxy.lines().any(|found| found == line), "{line} in\n{haproxy}");
    }
}

/// A program for every one that units start, and a unit for each that they need.
fn verdict(analyze: &Path, files: &Files, unit: &str, program: &str) -> (i32, String) {
    let directory = temporary();
    let stub = directory.path().join("stub");
    fs::write(&stub, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
    let stub = stub.to_str().unwrap();
    let text = files[&format!("/etc/systemd/system/{unit}")].text().replace(program, stub);
    fs::write(directory.path().join(unit), text).unwrap();
    for needed in ["docker", "containerd"] {
        let text = format!("[Unit]\nDescription={needed}\n[Service]\nExecStart={stub}\n");
        fs::write(directory.path().join(format!("{needed}.service")), text).unwrap();
    }
    let path = format!("{}:", directory.path().display());
    let words = ["verify", "--man=no", "--recursive-errors=no", unit];
    let ran = run(Command::new(analyze).args(words).env("SYSTEMD_UNIT_PATH", path).env("LC_ALL", "C"));
    (ran.code, ran.stderr)
}

#[test]
fn systemd_accepts_units_of_docker_and_nerdctl() {
    let Some(analyze) = need("systemd-analyze") else { return };
    for (engine, program) in [("docker", "/usr/bin/docker"), ("nerdctl", "/usr/local/bin/nerdctl")] {
        let files = of(&format!("run: container, engine: {engine}"));
        for unit in ["nginx.service", "haproxy.service"] {
            assert_eq!(verdict(&analyze, &files, unit, program), (0, String::new()), "{engine} {unit}");
            let text = files[&format!("/etc/systemd/system/{unit}")].text();
            assert_eq!(text.contains("--cap-add=NET_BIND_SERVICE"), unit == "haproxy.service", "{text}");
            assert!(text.contains("\nExecReload="), "{text}");
        }
    }
}

#[test]
fn schemas_accept_pods() {
    let Some(tool) = need("kubernetes-validate") else { return };
    let directory = temporary();
    let files = of("run: static-pod");
    for name in ["nginx", "haproxy"] {
        let text = files[&format!("/etc/kubernetes/manifests/{name}.yaml")].text();
        assert!(text.contains("    sealift.dev/restart-digest: sha256:"), "{text}");
        let path = directory.path().join(format!("{name}.yaml"));
        fs::write(&path, text).unwrap();
        let ran = run(Command::new(&tool).args(["-k", "1.36", "--strict"]).arg(path)).expect_code(0);
        assert!((ran.stdout + &ran.stderr).contains(" passed for resource "), "{name}");
    }
}

/// A pod is made anew when its configuration changes, and only then.
#[test]
fn a_pods_digest_is_that_of_its_configuration() {
    let digest = |more: &str| {
        let files = of(&format!("run: static-pod{more}"));
        ["nginx", "haproxy"].map(|name| {
            let text = files[&format!("/etc/kubernetes/manifests/{name}.yaml")].text().to_owned();
            text.lines().find(|line| line.contains("restart-digest")).unwrap().to_owned()
        })
    };
    let (one, other) = (digest(""), digest(", idleTimeout: 1m"));
    assert_eq!(one, digest(""));
    assert!(one.iter().zip(&other).all(|(one, other)| one != other), "{one:?} {other:?}");
}

#[test]
fn images_are_listed() {
    let balancers = both("run: container");
    let built = built(&balancers.iter().map(String::as_str).collect::<Vec<_>>(), false);
    let listed = sealift(["images".into(), built.path("sealift.yaml")]).expect_code(0).stdout;
    for image in [NGINX_IMAGE, HAPROXY_IMAGE] {
        assert_eq!(listed.lines().filter(|line| *line == image).count(), 1, "{listed}");
    }
}

/// Flatcar has no packages, and so no services of them.
#[test]
fn no_package_no_service() {
    let spec = crate::spec("2026-11-20T00:00:00Z", &["kind: nginx, on: load-balancer"], false);
    let built =
        crate::support::example::Built::staged(&spec.replace("etcd: {run", "os: flatcar\netcd: {run"));
    let ran = built.build(&["--host", "lb1"]).expect_code(2);
    assert!(
        ran.stderr.contains("loadBalancers[0].run: Flatcar has no package of nginx, so no service of it"),
        "{}",
        ran.stderr
    );
}
