//! The static pods of a control plane: beside what kubeadm 1.36.2 wrote for the same input
//! (tests/data/kubeadm-1.36.2/manifests), release by release, and on a host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]

#[path = "../support/mod.rs"]
mod support;

mod restarts;
mod settings;

use sealift::plan::{Facts, HostPlan, plan};
use sealift::render::templates::Templates;
use sealift::render::{Digests, Renderer};
use sealift::spec::yaml::document;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use support::example::{Built, replaced, today};
use support::golden::golden;
use support::stacked::{installed, spec};
use support::{repository, sealift};

/// What differs from kubeadm on purpose, line by line, and why; docs/static-pods.md has the same list.
/// Of each: the manifest, kubeadm's line, ours, why. An empty line of kubeadm's stands for none: ours
/// stands before the line that the fifth names.
const DIFFERENCES: [(&str, &str, &str, &str, &str); 4] = [
    (
        "kube-apiserver",
        "",
        "    - --kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt\n",
        "kubelets serve with certificates of the cluster's CA, so that they can be checked",
        "    - --kubelet-client-certificate=",
    ),
    (
        "kube-controller-manager",
        "--cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt",
        "--cluster-signing-cert-file=/etc/kubernetes/pki/ca-signing.crt",
        "one certificate for the signer while ca.crt holds two",
        "",
    ),
    (
        "etcd",
        "",
        "    - --initial-cluster-state=new\n",
        "all members start together, each with the whole list",
        "    - --key-file=",
    ),
    (
        "kube-controller-manager kube-scheduler",
        "",
        "  annotations:\n",
        "when a file changes that a pod reads at its start only, the kubelet makes the pod anew",
        "  labels:\n",
    ),
];
/// The line that has the kubelet make a pod anew when a file changes that it reads at its start only.
const ANNOTATION: &str = "    sealift.dev/restart-digest: ";
/// The pods of a stacked control plane.
const PODS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// A host's plan from a spec without errors.
#[track_caller]
fn planned(text: &str, host: &str) -> HostPlan {
    let loaded = sealift::spec::load(text);
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    assert!(!problems.iter().any(sealift::spec::Problem::is_error), "{problems:?}");
    plan.hosts.into_values().find(|plan| plan.name == host).unwrap()
}

/// The manifests of a host's static pods by pod; digests are all the same.
#[track_caller]
fn manifests(text: &str, host: &str) -> BTreeMap<String, String> {
    let templates = Templates::embedded();
    let renderer = Renderer::new(&templates).unwrap();
    let digests: Digests = PODS.map(|pod| (pod.to_owned(), "x".to_owned())).into();
    let manifests = renderer.pods(&planned(text, host), &digests).unwrap();
    let name = |path: &str| path.rsplit('/').next().unwrap().strip_suffix(".yaml").unwrap().to_owned();
    manifests.into_iter().map(|(path, text)| (name(&path), String::from_utf8(text).unwrap())).collect()
}

/// The text with `new` before the first line that begins so.
#[track_caller]
fn before(text: &str, line: &str, new: &str) -> String {
    let at = text.find(line).unwrap_or_else(|| panic!("no {line:?} in\n{text}"));
    format!("{}{new}{}", &text[..at], &text[at..])
}

#[test]
fn kubeadm_would_have_written_the_same_but_for_the_table() {
    let signing = "pki: {caKeysOnHosts: [kubernetes]}\n";
    let found = manifests(&spec("1.36.2", "static-pods", "", signing), "cp1");
    assert_eq!(found.keys().collect::<Vec<_>>(), PODS.iter().collect::<Vec<_>>());
    for (pod, found) in found {
        let file = format!("tests/data/kubeadm-1.36.2/manifests/{pod}.yaml");
        let mut expected = fs::read_to_string(repository(&file)).unwrap();
        for (_, kubeadms, ours, _, at) in
            DIFFERENCES.iter().filter(|row| row.0.split(' ').any(|of| of == pod))
        {
            expected = match kubeadms {
                &"" => before(&expected, at, ours),
                kubeadms => replaced(&expected, kubeadms, ours),
            };
        }
        expected = before(&expected, "  labels:\n", &format!("{ANNOTATION}x\n"));
        // what a scalar is written like is not what it means
        assert_eq!(document(&found).unwrap(), document(&expected).unwrap(), "{pod}");
    }
}

/// Each difference is told to users in the same words.
#[test]
fn the_differences_are_documented() {
    let document = fs::read_to_string(repository("docs/static-pods.md")).unwrap();
    for (_, _, ours, why, _) in DIFFERENCES {
        let flag = ours.trim().trim_start_matches("- ").split('=').next().unwrap();
        let named = flag == "annotations:" || document.contains(flag);
        assert!(named && document.contains(why), "{flag}: {why}");
    }
}

/// Nodes that join with a token have certificates that nobody can foresee, as under kubeadm.
#[test]
fn kubelets_are_not_checked_where_the_cluster_signs() {
    let rest = "pki: {caKeysOnHosts: [kubernetes]}\n";
    let token = spec("1.36.2", "static-pods", "  join: token\n  bootstrapTokens: {join: {}}\n", rest);
    let found = manifests(&token, "cp1");
    assert!(!found["kube-apiserver"].contains("kubelet-certificate-authority"));
}

/// Every release against the one before: what is not listed does not change.
#[test]
fn an_upgrade_changes_what_the_release_changes() {
    let versions = ["1.29.10", "1.30.6", "1.31.4", "1.32.3", "1.33.2", "1.34.2", "1.35.0", "1.36.2"];
    let mut text = String::new();
    let of = |version: &str| manifests(&spec(version, "static-pods", "", ""), "cp1");
    for pair in versions.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        writeln!(text, "# {from} to {to}").unwrap();
        let (old, new) = (of(from), of(to));
        for pod in PODS {
            for line in difference(&old[pod], &new[pod]) {
                writeln!(text, "{pod}: {line}").unwrap();
            }
        }
        text.push('\n');
    }
    golden(&repository("tests/golden/static-pods-by-release.txt"), &text);
}

/// Lines that go and come, in order: the longest common subsequence stays.
fn difference(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            common[i][j] =
                if one == other { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("-{}", old[i]));
            i += 1;
        } else {
            lines.push(format!("+{}", new[j]));
            j += 1;
        }
    }
    lines
}

/// A control plane and a worker, installed: nothing needs an allowance, and a manifest that nobody
/// planned is found.
#[test]
fn an_installed_cluster_is_clean_and_a_stray_manifest_is_found() {
    let text = replaced(&spec("1.36.2", "static-pods", "", ""), "2026-11-20T00:00:00Z", &today());
    let built = Built::of(&text);
    for host in ["cp1", "w1"] {
        let root = installed(&built, host);
        let verify = || sealift(["verify", "--root", root.to_str().unwrap()]);
        let _ = verify().expect_code(0);
        let manifests = root.join("etc/kubernetes/manifests");
        let mut names: Vec<_> = fs::read_dir(&manifests)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let expected: &[&str] = if host == "cp1" {
            &["etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"]
        } else {
            &[]
        };
        assert_eq!(names, expected);
        fs::write(manifests.join("evil.yaml"), "kind: Pod\n").unwrap();
        let found = verify().expect_code(1).stdout;
        assert!(found.contains("stray-file /etc/kubernetes/manifests/evil.yaml"), "{found}");
    }
}
