#![allow(clippy::unwrap_used, clippy::format_collect, clippy::indexing_slicing, reason = "tests")]

use super::super::{Facts, plan};
use crate::spec;
use std::fmt::Write as _;

/// Three stacked control planes and a worker.
const CLUSTER: &str = include_str!("../tests/cluster.yaml");
/// Three hosts of etcd alone.
const ETCD: &str = include_str!("../../../bundles/etcd-static-pods/sealift.yaml");
/// `kubeadm config images list` of that release.
const KUBEADM: &str = include_str!("../../../tests/data/kubeadm-1.36.2/images.txt");

/// The images of a spec with some texts replaced, and all problems with their hints.
fn with(spec: &str, edits: &[(&str, &str)]) -> (String, String) {
    let mut text = spec.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let loaded = spec::load(&text);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    let images = plan.images.iter().map(|used| format!("{}\n", used.image)).collect();
    let mut told = String::new();
    for problem in loaded.problems.iter().chain(&problems) {
        let hint = problem.hint.as_deref().unwrap_or_default();
        writeln!(told, "{}: {} ({hint})", problem.path, problem.message).unwrap();
    }
    (images, told)
}

fn images(spec: &str, edits: &[(&str, &str)]) -> String {
    let (images, problems) = with(spec, edits);
    assert_eq!(problems, "");
    images
}

#[test]
fn kubeadms_own_list() {
    assert_eq!(images(CLUSTER, &[]), KUBEADM);
}

#[test]
fn etcd_alone_needs_itself_and_what_holds_a_pod() {
    assert_eq!(images(ETCD, &[]), "registry.k8s.io/pause:3.10.2\nregistry.k8s.io/etcd:3.6.8-0\n");
}

#[test]
fn what_is_disabled_is_not_needed() {
    let edits = [("  endpoint:", "  kubeProxy: {disabled: true}\n  coreDns: {disabled: true}\n  endpoint:")];
    let expected: String = KUBEADM
        .lines()
        .filter(|line| !line.contains("proxy") && !line.contains("dns"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(images(CLUSTER, &edits), expected);
}

/// `images.GetDNSImage` of kubeadm.
#[test]
fn below_a_repository_of_ones_own_coredns_has_no_directory() {
    let edits = [("  endpoint:", "  imageRepository: registry.example:5000/k8s\n  endpoint:")];
    let expected =
        KUBEADM.replace("coredns/coredns", "coredns").replace("registry.k8s.io", "registry.example:5000/k8s");
    assert_eq!(images(CLUSTER, &edits), expected);
}

#[test]
fn pinned_images_keep_their_digests_and_hosts_have_etcd_images_of_their_own() {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let pinned = format!(
        "  images:
    kubeApiserver: a.example/api@{digest}
    kubeControllerManager: a.example/cm:1
    kubeScheduler: a.example/sched:1
    kubeProxy: a.example/proxy:1
    coredns: a.example/dns:1@{digest}
    pause: a.example/pause:1
  endpoint:"
    );
    let edits = [
        // kubeadm cannot be told all of these
        ("provisioner: kubeadm", "provisioner: static-pods"),
        ("  endpoint:", pinned.as_str()),
        ("addresses: [192.0.2.7]", "etcd: {image: \"a.example/etcd:3.6.9-0\"}\n    addresses: [192.0.2.7]"),
    ];
    let expected = format!(
        "a.example/api@{digest}
a.example/cm:1
a.example/sched:1
a.example/proxy:1
a.example/dns:1@{digest}
a.example/pause:1
registry.k8s.io/etcd:3.6.8-0
a.example/etcd:3.6.9-0
"
    );
    assert_eq!(images(CLUSTER, &edits), expected);
}

#[test]
fn who_needs_which() {
    let edits =
        [("addresses: [192.0.2.7]", "etcd: {image: \"a.example/etcd:3.6.9-0\"}\n    addresses: [192.0.2.7]")];
    let text = CLUSTER.replacen(edits[0].0, edits[0].1, 1);
    let (plan, _) = plan(&spec::load(&text).spec, &Facts::default());
    let told: Vec<_> =
        plan.images.iter().map(|used| format!("{}: {}", used.component, used.hosts.join(" "))).collect();
    assert_eq!(
        told,
        [
            "kube-apiserver: cp1 cp2 cp3",
            "kube-controller-manager: cp1 cp2 cp3",
            "kube-scheduler: cp1 cp2 cp3",
            "kube-proxy: cp1 cp2 cp3 w1",
            "coredns: cp1 cp2 cp3 w1",
            "pause: cp1 cp2 cp3 w1",
            "etcd: cp1 cp3",
            "etcd: cp2",
        ]
    );
}

#[test]
fn what_is_not_known_is_no_guess() {
    let (images, problems) = with(ETCD, &[("version: 1.36.2", "version: 1.37.0")]);
    assert_eq!(images, "");
    assert_eq!(
        problems,
        "kubernetes.version: sealift does not know Kubernetes 1.37.0 (this version of sealift knows 1.29 to 1.36)\n"
    );
    let (images, problems) = with(CLUSTER, &[("version: 1.36.2", "version: 1.29.14")]);
    assert!(!images.contains("etcd"), "{images}");
    assert_eq!(
        problems,
        "kubernetes.version: the etcd image of Kubernetes 1.29.14 is not known here (name it: `etcd: {image: \"registry.k8s.io/etcd:TAG\"}`; `kubeadm config images list` of that release says which; sealift knows those of 1.29.0 to 1.29.10)\n"
    );
    let pinned = with(
        CLUSTER,
        &[
            ("version: 1.36.2", "version: 1.34.0"),
            ("{run: static-pod}", "{run: static-pod, image: \"a.example/etcd:3.6.4-0\"}"),
        ],
    );
    assert_eq!(pinned.1, "");
    assert!(pinned.0.ends_with("registry.k8s.io/pause:3.10.1\na.example/etcd:3.6.4-0\n"), "{}", pinned.0);
}
