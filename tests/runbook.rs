//! The runbooks of all rotations, whole; their shell text is shell.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use sealift::plan::{Facts, HostPlan, Plan, plan};
use sealift::render::Renderer;
use sealift::render::templates::Templates;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use support::example::Built;
use support::golden::golden_tree;
use support::{blocks, need, run_with_input, sealift, temporary};

const RUNBOOK: &str = "/etc/sealift/RUNBOOK.md";
const STEPS: [&str; 3] = ["stage", "promote", "retire"];

/// A cluster whose control planes run etcd too.
const STACKED: &str = r#"apiVersion: sealift/v1
cluster:
  name: prod
  id: "7e570000000000000000000000000001"
  epoch: 2026-11-20T00:00:00Z
  revision: 2
  operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]
kubernetes:
  version: 1.36.2
  provisioner: kubeadm
  endpoint: api.prod.example:6443
  podSubnets: [10.244.0.0/16]
loadBalancers: [{kind: external}]
etcd: {run: static-pod}
ITEM
hosts:
  cp1:
    addresses: [10.0.0.6]
    roles: [control-plane, etcd]
    recipients: [age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05]
  w1:
    addresses: [10.0.0.7]
    roles: [worker]
    recipients: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIATlpF1DmwQyDwfp5iOCkmeCEUfxKh1z0QlZv3co+3I9]
"#;

/// etcd on hosts of its own.
fn external() -> String {
    let etcd = "  e1:\n    addresses: [10.0.0.8]\n    roles: [etcd]\n    recipients: \
                [age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs4]\n  w1:\n";
    STACKED.replace("[control-plane, etcd]", "[control-plane]").replace("  w1:\n", etcd)
}

/// etcd without control planes.
fn alone() -> String {
    let text = external().replace("kubeadm\n", "none\n").replace("[control-plane]", "[etcd]");
    let text = text.replace("  endpoint: api.prod.example:6443\n  podSubnets: [10.244.0.0/16]\nloadBalancers: [{kind: external}]\n", "");
    text.split("  w1:\n").next().unwrap().to_owned()
}

/// The same, as a service of systemd.
fn service() -> String {
    alone().replace("{run: static-pod}", "{run: systemd, version: 3.5.16}")
}

/// Nodes join with a token.
fn by_token() -> String {
    STACKED.replace("  podSubnets", "  join: token\n  bootstrapTokens: {join: {}}\n  podSubnets")
}

/// A cluster's name, its spec with a hole for the step, and the hosts that are told.
type Case = (&'static str, String, &'static [&'static str]);

/// Every kind of cluster with every item that can be rotated in it.
fn cases() -> Vec<Case> {
    let stacked = || STACKED.to_owned();
    let ca = |name: &str| format!("pki: {{cas: {{{name}: {{generation: 2, rotation: STEP}}}}}}");
    let keys_on_hosts =
        "pki: {caKeysOnHosts: [kubernetes], cas: {kubernetes: {generation: 2, rotation: STEP}}}";
    let sa = "pki: {serviceAccount: {generation: 2, rotation: STEP}}";
    let at_rest = "encryptionAtRest: {provider: secretbox, generation: 2, rotation: STEP}";
    let wide =
        "encryptionAtRest: {provider: aescbc, resources: [secrets, '*.apps'], generation: 2, rotation: STEP}";
    let case = |name, spec: String, item: &str, hosts| -> Case { (name, spec.replace("ITEM", item), hosts) };
    vec![
        case("kubernetes", stacked(), &ca("kubernetes"), &["cp1", "operator", "w1"]),
        case("kubernetes-by-token", by_token(), keys_on_hosts, &["cp1", "operator"]),
        case("etcd", stacked(), &ca("etcd"), &["cp1", "operator"]),
        case("etcd-external", external(), &ca("etcd"), &["cp1", "e1", "operator"]),
        case("etcd-alone", alone(), &ca("etcd"), &["cp1", "e1", "operator"]),
        case("etcd-service", service(), &ca("etcd"), &["cp1", "e1", "operator"]),
        case("front-proxy", stacked(), &ca("front-proxy"), &["cp1", "operator"]),
        case("service-account", stacked(), sa, &["cp1", "operator"]),
        case("encryption-at-rest", stacked(), at_rest, &["cp1", "operator"]),
        case("encryption-at-rest-wide", stacked(), wide, &["operator"]),
    ]
}

#[track_caller]
fn planned(spec: &str) -> Plan {
    let loaded = sealift::spec::load(spec);
    assert!(!loaded.has_errors(), "{:?}\n{spec}", loaded.problems);
    plan(&loaded.spec, &Facts::default()).0
}

/// The runbooks of all hosts that have one.
fn runbooks(plan: &Plan) -> BTreeMap<String, String> {
    let templates = Templates::embedded();
    let renderer = Renderer::new(&templates).unwrap();
    let of = |host: &HostPlan| {
        let text = renderer.templates(host).unwrap().remove(RUNBOOK)?;
        Some((host.name.clone(), String::from_utf8(text).unwrap()))
    };
    plan.hosts.values().chain([&plan.operator]).filter_map(of).collect()
}

#[test]
fn every_item_and_step() {
    for (name, spec, hosts) in cases() {
        let mut texts = BTreeMap::new();
        for step in STEPS {
            let found = runbooks(&planned(&spec.replace("STEP", step)));
            let told = found.iter().filter(|(host, _)| hosts.contains(&host.as_str()));
            texts.extend(told.map(|(host, text)| (format!("{step}/{host}.md"), text.clone())));
        }
        assert_eq!(texts.len(), hosts.len() * STEPS.len(), "{name}");
        golden_tree(&format!("runbooks/{name}"), &texts);
    }
}

/// Who is told: those whose files change, and the operators.
#[test]
fn nobody_else_is_told() {
    for (name, spec, hosts) in cases() {
        for step in STEPS {
            let found = runbooks(&planned(&spec.replace("STEP", step)));
            let expected = if name.ends_with("-wide") { &["cp1", "operator"][..] } else { hosts };
            assert_eq!(found.keys().collect::<Vec<_>>(), expected, "{name} {step}");
        }
    }
    let quiet = planned(&STACKED.replace("ITEM", "encryptionAtRest: {provider: secretbox}"));
    assert_eq!(runbooks(&quiet), BTreeMap::new());
}

#[test]
fn two_rotations_at_once_are_told_one_after_the_other() {
    let items = "pki: {cas: {etcd: {generation: 2, rotation: stage}}, serviceAccount: {generation: 2, rotation: retire}}";
    let found = runbooks(&planned(&STACKED.replace("ITEM", items)));
    let titles: Vec<_> = found["cp1"].lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(titles, ["## On this host", "## etcd's CA: stage", "## Service-account keys: retire"]);
}

#[test]
fn its_shell_text_is_shell_and_its_lines_are_short() {
    let Some(shell) = need("sh") else { return };
    let mut seen = std::collections::BTreeSet::new();
    for (_, spec, ..) in cases() {
        for text in
            STEPS.iter().flat_map(|step| runbooks(&planned(&spec.replace("STEP", step))).into_values())
        {
            assert!(text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains("\n\n\n"), "{text}");
            assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
            seen.extend(blocks(&text));
        }
    }
    assert!(seen.len() > 20, "{seen:#?}");
    for block in seen {
        let ran = run_with_input(Command::new(&shell).arg("-n"), block.as_bytes());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{block}");
    }
}

/// A stand-in for crictl: a file holds the id of the container that runs; who stops it gets another
/// one at the second look, as the kubelet does it.
const CRICTL: &str = r#"#!/bin/sh
echo "$*" >> "$STATE/calls"
for last; do :; done
case "$*" in
  *" ps "*)
    test -e "$STATE/stopped" && { rm "$STATE/stopped"; echo new > "$STATE/$NAME"; exit 0; }
    test "$last" = "^$NAME\$" && cat "$STATE/$NAME";;
  *" stop "*) test "$last" = "$(cat "$STATE/$NAME")" && touch "$STATE/stopped";;
esac
"#;

#[test]
fn a_pod_is_stopped_gently_and_awaited() {
    let Some(shell) = need("sh") else { return };
    let directory = temporary();
    let crictl = directory.path().join("crictl");
    fs::write(&crictl, CRICTL).unwrap();
    fs::set_permissions(&crictl, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(directory.path().join("etcd"), "old\n").unwrap();
    let spec = STACKED.replace("ITEM", "pki: {cas: {etcd: {generation: 2, rotation: stage}}}");
    let text = &runbooks(&planned(&spec))["cp1"];
    let functions = blocks(text).into_iter().find(|block| block.contains("restart_pod()")).unwrap();
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    let script = |line: &str| {
        let mut command = Command::new(&shell);
        command.env("PATH", &path).env("STATE", directory.path()).env("NAME", "etcd");
        run_with_input(&mut command, format!("{functions}{line}\n").as_bytes())
    };
    let ran = script("restart_pod etcd && echo done");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "done\n", ""));
    let socket = "--runtime-endpoint unix:///var/run/containerd/containerd.sock";
    let look = format!("{socket} ps -q --label io.kubernetes.pod.namespace=kube-system --name ^etcd$\n");
    let calls = fs::read_to_string(directory.path().join("calls")).unwrap();
    assert_eq!(calls, format!("{look}{socket} stop --timeout 30 old\n{look}{look}"));
    // a name that does not run stops nothing
    let ran = script("restart_pod kube-scheduler");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "kube-scheduler does not run here\n"));
    assert_eq!(fs::read_to_string(directory.path().join("etcd")).unwrap(), "new\n");
}

/// A host restarts what it runs; the operators' bundle restarts nothing.
#[test]
fn targets_that_do_not_run_on_a_host_are_not_named() {
    let of = |spec: &str, path: &str| -> Vec<String> {
        let plan = planned(&spec.replace("ITEM", "encryptionAtRest: {provider: secretbox}"));
        let line = |host: &HostPlan| {
            let file = host.files.iter().find(|file| file.path == path)?;
            Some(format!("{}: {}", host.name, file.restart.join(" ")).trim_end().to_owned())
        };
        plan.hosts.values().chain([&plan.operator]).filter_map(line).collect()
    };
    let etcd = "/etc/kubernetes/pki/etcd/ca.crt";
    assert_eq!(of(STACKED, etcd), ["cp1: static-pod/etcd static-pod/kube-apiserver", "operator:"]);
    assert_eq!(of(&external(), etcd), ["cp1: static-pod/kube-apiserver", "e1: static-pod/etcd", "operator:"]);
    let kubernetes = "/etc/kubernetes/pki/ca.crt";
    assert_eq!(of(STACKED, kubernetes), ["cp1: static-pod/kube-controller-manager", "w1:", "operator:"]);
}

/// The end of a rotation: `rotation` goes, and nothing else changes.
#[test]
fn the_spec_without_its_rotation_changes_no_file() {
    let items = "pki:\n  cas:\n    kubernetes: {generation: 2, rotation: retire}\n    etcd: {generation: 2, rotation: retire}\n    \
                 front-proxy: {generation: 2, rotation: retire}\n  serviceAccount: {generation: 2, rotation: retire}\n\
                 encryptionAtRest: {provider: secretbox, generation: 2, rotation: retire}";
    let spec = STACKED.replace("ITEM", items);
    let built = Built::of(&spec);
    let after = spec.replace(", rotation: retire", "").replace("  revision: 2\n", "  revision: 3\n");
    fs::write(built.path("sealift.yaml"), after).unwrap();
    let words = ["check".into(), built.path("sealift.yaml"), "--previous".into(), built.out()];
    let said = sealift(words).expect_code(0).stdout;
    let host = |name: &str| format!("{name}: changed, revision 2.0 to 3.0\n  - /etc/sealift/RUNBOOK.md\n");
    let (_, changes) = said.split_once('\n').unwrap();
    assert_eq!(changes, [host("cp1"), host("w1"), host("operator")].concat());
}
