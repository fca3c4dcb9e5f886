//! What is said of the names of etcd's members.

use super::{GOOD, brief, cluster};

fn with(edits: &[(&str, &str)]) -> String {
    let mut text = GOOD.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    brief(&text)
}

const BY_NAME: (&str, &str) = ("run: static-pod", "run: static-pod\n  urls: name");

#[test]
fn members_have_names_of_their_own() {
    let first = |name: &str| with(&[BY_NAME, ("  infra0:\n", &format!("  infra0:\n    etcdName: {name}\n"))]);
    for fine in ["infra0", "etcd0.example", "etcd-0"] {
        assert_eq!(first(fine), "", "{fine}");
    }
    assert_eq!(first("infra1"), "error hosts.infra0.etcdName | infra1 is the name of another host, infra1\n");
    assert_eq!(first("localhost"), "error hosts.infra0.etcdName | every host takes localhost for itself\n");
    let both = [
        BY_NAME,
        ("  infra0:\n", "  infra0:\n    etcdName: etcd.example\n"),
        ("  infra2:\n", "  infra2:\n    etcdName: etcd.example\n"),
    ];
    assert_eq!(
        with(&both),
        "error hosts.infra2.etcdName | etcd.example is the name of another host, infra0\n"
    );
}

#[test]
fn a_name_that_nothing_uses() {
    let named = ("  infra0:\n", "  infra0:\n    etcdName: etcd0.example\n");
    assert_eq!(
        with(&[named]),
        "error hosts.infra0.etcdName | nothing uses this name: members are reached by address\n"
    );
    let worker = [("etcd: {run: static-pod}", UNIT), ("  w1:\n", "  w1:\n    etcdName: w.example\n")];
    assert_eq!(
        cluster(&worker),
        "error hosts.w1.etcdName | nothing uses this name: the host is no etcd member\n"
    );
    // of what is wrong for another reason nothing is said
    let wrong = ("run: static-pod", "run: static-pod\n  urls: names");
    assert_eq!(with(&[wrong, named]).lines().count(), 1);
}

const UNIT: &str = "etcd: {run: systemd, version: 3.6.8, urls: name}";

#[test]
fn kubeadm_reaches_its_own_members_by_address() {
    let by_name = ("etcd: {run: static-pod}", "etcd: {run: static-pod, urls: name}");
    assert_eq!(
        cluster(&[by_name]),
        "error etcd.urls | kubeadm makes the members on control planes, and reaches them by address\n"
    );
    assert_eq!(cluster(&[("etcd: {run: static-pod}", UNIT)]), "");
    assert_eq!(cluster(&[by_name, ("provisioner: kubeadm", "provisioner: static-pods")]), "");
}
