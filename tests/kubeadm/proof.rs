//! The machinery of `phases` over a stub of kubeadm: it passes what is right, and catches what is not.

use crate::machine::NAMESPACES;
use crate::phases::{Cluster, Mode, Of, TABLE, walk};
use crate::support::{is_root, need, need_working, skip};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Something wrong: with which host, in which phase, what the stub does there, and what is said of it.
type Fault = (Of, &'static str, &'static str, &'static str);

const CERTS: &str = "init phase certs all";
const CONFS: &str = "init phase kubeconfig all";
const PREPARE: &str = "join phase control-plane-prepare certs";

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    (Of::First, CERTS, r#"printf x >>"$etc/pki/ca.crt""#,
     "--config /input.yaml: changes {\"~ etc/kubernetes/pki/ca.crt\"}, not []"),
    (Of::First, CERTS, r#"chmod 640 "$etc/pki/sa.key""#,
     "--config /input.yaml: changes {\"~ etc/kubernetes/pki/sa.key\"}, not []"),
    (Of::First, CERTS, r#"rm "$etc/pki/etcd/peer.crt"; mkdir "$etc/pki/etcd/peer.crt""#,
     "--config /input.yaml: changes {\"~ etc/kubernetes/pki/etcd/peer.crt/\"}, not []"),
    (Of::First, CERTS, r#"rm "$etc/pki/etcd/peer.crt"; write() { :; }"#,
     "--config /input.yaml: changes {\"- etc/kubernetes/pki/etcd/peer.crt\"}, not []"),
    (Of::First, CERTS, "say '[certs] Generating \"sa\" key and public key'",
     "--config /input.yaml: says \"Generating\""),
    (Of::First, CERTS, "say() { case $1 in *etcd/peer*) ;; *) echo \"$1\" ;; esac }",
     "--config /input.yaml: no line [certs] ... Using existing etcd/peer "),
    (Of::First, CERTS, "exit 3", "--config /input.yaml: exit code 3"),
    (Of::First, CONFS, r#"write "$etc/bootstrap-kubelet.conf""#,
     "--config /input.yaml: changes {\"+ etc/kubernetes/bootstrap-kubelet.conf\"}, not []"),
    (Of::First, CONFS, "say '[kubeconfig] Writing \"admin.conf\" kubeconfig file'",
     "--config /input.yaml: says \"Writing\""),
    (Of::First, CONFS, "exit 0",
     "--config /input.yaml: no line [kubeconfig] ... Using user provided admin.conf"),
    (Of::First, "init phase preflight", "complain /etc/kubernetes/manifests/etcd.yaml",
     "--config /preflight.yaml --ignore-preflight-errors=all: \
      complains of {\"FileAvailable--etc-kubernetes-manifests-etcd.yaml\"}, not of []"),
    (Of::First, "init phase preflight", "exit 0",
     "--config /preflight.yaml --ignore-preflight-errors=all: \
      does not say \"[preflight] Running pre-flight checks\""),
    (Of::First, "init phase preflight", r#"mkdir "$root/opt""#,
     "--config /preflight.yaml --ignore-preflight-errors=all: changes {\"+ opt/\"}, not []"),
    (Of::First, "init phase etcd local", r#"write "$etc/manifests/other.yaml""#,
     "--config /input.yaml: changes {\"+ etc/kubernetes/manifests/etcd.yaml\", \
      \"+ etc/kubernetes/manifests/other.yaml\"}, \
      not [\"+ etc/kubernetes/manifests/etcd.yaml\"]"),
    (Of::First, "init phase etcd local", r#"chmod 755 "$root/var/lib/etcd""#,
     "--config /input.yaml: changes {\"+ etc/kubernetes/manifests/etcd.yaml\", \"~ var/lib/etcd/\"}, \
      not [\"+ etc/kubernetes/manifests/etcd.yaml\"]"),
    (Of::First, "init phase etcd local", r#"chmod() { command chmod 666 "$2"; }"#, "verify: exit code 1"),
    (Of::Worker, "join phase preflight", "available() { :; }",
     "--config /join.yaml --ignore-preflight-errors=all: complains of {}, not of \
      [\"FileAvailable--etc-kubernetes-kubelet.conf\", \"FileAvailable--etc-kubernetes-pki-ca.crt\"]"),
    (Of::Worker, "join phase preflight", "stop() { :; }",
     "--config /join.yaml --ignore-preflight-errors=all: exit code 0"),
    (Of::Worker, PREPARE, "stop", "--config /join.yaml: exit code 1"),
    (Of::Joining, "join phase preflight", "complain /etc/kubernetes/pki/ca.crt",
     "--config /join.yaml --ignore-preflight-errors=all: complains of \
      {\"FileAvailable--etc-kubernetes-kubelet.conf\", \"FileAvailable--etc-kubernetes-pki-ca.crt\"}, \
      not of [\"FileAvailable--etc-kubernetes-kubelet.conf\"]"),
    (Of::Joining, PREPARE, "exit 0", "--config /join.yaml: exit code 0"),
    (Of::Joining, PREPARE, "exit 1",
     "--config /join.yaml: does not say \"couldn't validate the identity of the API Server\""),
    (Of::Joining, "join phase control-plane-prepare download-certs", "say '[download-certs] Downloading'",
     "download-certs: says \"[download-certs]\""),
    (Of::Joining, "join phase kubelet-start", r#"write "$etc/bootstrap-kubelet.conf""#,
     "--config /join.yaml: changes {\"+ etc/kubernetes/bootstrap-kubelet.conf\"}, not []"),
];

/// Whether machines can be made here; as elsewhere, CI may not say no.
fn possible() -> bool {
    if !is_root() {
        skip("only root can make namespaces");
        return false;
    }
    let probe = NAMESPACES.into_iter().chain(["ip", "link", "add", "eth0", "type", "bridge"]);
    need("ip").is_some() && need_working("unshare", &probe.collect::<Vec<_>>()).is_some()
}

/// The stub with a fault.
fn stub(cluster: &Cluster, phase: &str, fault: &str) -> PathBuf {
    let path = cluster.path("kubeadm");
    let text = include_str!("stub.sh");
    let text = format!("#!/bin/sh\nFAULT_PHASE='{phase}'\nfault() {{\n{fault}\n}}\n{text}");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn what_is_right_passes_in_every_row() {
    if !possible() {
        return;
    }
    for mode in [Mode::NoKey, Mode::Key, Mode::Token] {
        let cluster = Cluster::new(mode);
        let kubeadm = stub(&cluster, "none", ":");
        for row in TABLE.iter().filter(|row| row.mode == mode) {
            assert_eq!(walk(&kubeadm, &cluster, row), Ok(()), "{mode:?} {:?}", row.of);
        }
    }
}

#[test]
fn what_is_wrong_is_caught() {
    if !possible() {
        return;
    }
    let cluster = Cluster::new(Mode::NoKey);
    for (of, phase, fault, expected) in FAULTS {
        let kubeadm = stub(&cluster, phase, fault);
        let row = TABLE.iter().find(|row| (row.mode, row.of) == (Mode::NoKey, *of)).unwrap();
        let error = walk(&kubeadm, &cluster, row).expect_err(fault);
        let first = error.lines().next().unwrap();
        let expected =
            if first.starts_with(phase) { format!("{phase} {expected}") } else { (*expected).to_owned() };
        assert_eq!(first, expected, "{fault}\n{error}");
    }
}
