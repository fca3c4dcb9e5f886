//! etcd in a cluster that exists: every field has an effect, and what does not fit is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]

mod support;

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use support::example::{Built, replaced};
use support::sealift;
use support::stateful_set::{files, pods, spec, stateful_set};

const VERSION: &str = "1.36.2";

fn built(of: &str) -> Built {
    Built::of(&spec(VERSION, of, "", ""))
}

/// What a change of a setting changes, besides the files that say how long the bundle is valid.
#[test]
fn every_field_changes_a_file() {
    let base = |of: &str| {
        let opened = files(&built(of));
        opened.into_iter().map(|(path, file)| (path, file.contents)).collect::<BTreeMap<_, _>>()
    };
    let mut fields = BTreeSet::new();
    for (field, without, with) in [
        ("name", "", "name: db"),
        ("namespace", "", "namespace: db"),
        ("createNamespace", "", "createNamespace: true"),
        ("replicas", "", "replicas: 5"),
        ("state", "", "state: existing"),
        ("certificates", "", "certificates: cert-manager"),
        ("issuer", "certificates: cert-manager", "certificates: cert-manager, issuer: {name: a}"),
        (
            "issuer.kind",
            "certificates: cert-manager, issuer: {name: a}",
            "certificates: cert-manager, issuer: {name: a, kind: ClusterIssuer}",
        ),
        ("storage.size", "", "storage: {size: 9Gi}"),
        ("storage.className", "", "storage: {className: fast}"),
        ("walStorage", "", "walStorage: {}"),
        ("walStorage.size", "walStorage: {}", "walStorage: {size: 9Gi}"),
        ("resources.requests.cpu", "", "resources: {requests: {cpu: 200m}}"),
        ("resources.limits.memory", "", "resources: {limits: {memory: 1Gi}}"),
        ("nodeSelector", "", "nodeSelector: {a: b}"),
        ("tolerations", "", "tolerations: [{key: a, effect: NoSchedule}]"),
        ("clientService", "", "clientService: true"),
        ("ipv6", "", "ipv6: true"),
    ] {
        assert_ne!(base(without), base(with), "{field}");
        fields.insert(field.split('.').next().unwrap());
    }
    let schema = sealift::spec::schema();
    let all = schema["$defs"]["EtcdStatefulSet"]["properties"].as_object().unwrap();
    assert_eq!(all.keys().map(String::as_str).collect::<BTreeSet<_>>(), fields);
}

/// What of `etcd` itself a `StatefulSet` takes.
#[test]
fn image_token_and_flags() {
    let text = replaced(
        &spec(VERSION, "", "", ""),
        "  run: statefulset\n",
        "  run: statefulset\n  image: quay.io/coreos/etcd:v3.5.10\n  token: mine\n  tuning: {logLevel: debug}\n  extraArgs: {log-outputs: \"/a$(POD_NAME)\"}\n",
    );
    let opened = files(&Built::of(&text));
    let set = stateful_set(&opened);
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "quay.io/coreos/etcd:v3.5.10");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/health?exclude=NOSPACE");
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/health?exclude=NOSPACE&serializable=true");
    let pod = &pods(&opened)[1];
    assert_eq!(pod.flag("initial-cluster-token"), "mine");
    assert_eq!(pod.flag("log-level"), "debug");
    assert_eq!(pod.flag("log-outputs"), "/a$(POD_NAME)", "the kubelet expands nothing of it");
    assert_eq!(pod.flag("experimental-initial-corrupt-check"), "true");
    let old = replaced(&text, "v3.5.10", "v3.4.27");
    let container =
        stateful_set(&files(&Built::of(&old)))["spec"]["template"]["spec"]["containers"][0].clone();
    assert_eq!(container["livenessProbe"]["tcpSocket"], json!({"port": "etcd-metrics"}));
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/health");
    let new = replaced(&text, "v3.5.10", "v3.5.11");
    let container =
        stateful_set(&files(&Built::of(&new)))["spec"]["template"]["spec"]["containers"][0].clone();
    assert_eq!(container["startupProbe"]["httpGet"]["path"], "/livez");
}

/// A merge patch reaches what has no field.
#[test]
fn patches_reach_the_manifest() {
    let patch = "patches: {/etc/kubernetes/etcd/30-statefulset.yaml: {spec: {template: {spec: {priorityClassName: a}}}}}\n";
    let set = stateful_set(&files(&Built::of(&spec(VERSION, "", "", patch))));
    assert_eq!(set["spec"]["template"]["spec"]["priorityClassName"], "a");
}

/// Members come and go one at a time; what `check --previous` says of more.
#[test]
fn replicas_change_one_at_a_time() {
    let said = |before: &str, after: &str| {
        let built = built(before);
        let text = replaced(&spec(VERSION, after, "", ""), "revision: 1", "revision: 2");
        std::fs::write(built.path("sealift.yaml"), text).unwrap();
        let ran = sealift(["check".into(), built.path("sealift.yaml"), "--previous".into(), built.out()]);
        let starts = |line: &&str| ["error: ", "hint: "].iter().any(|start| line.starts_with(start));
        let begins = |line: &&str| line.contains("cluster of its own");
        // of a single member, what is told of any
        let general = |line: &&str| *line == "hint: use three members";
        let told = ran.stderr.lines().filter(|line| !general(line));
        let lines: Vec<_> = told.filter(|line| starts(line) || begins(line)).collect();
        (ran.code, lines.join("\n"))
    };
    let grow = "error: 2 etcd members join at once: each waits for the others for ever
hint: change `replicas` by one, follow the README of the bundle, and then by one again";
    assert_eq!(said("replicas: 3", "replicas: 5, state: existing"), (2, grow.to_owned()));
    let (code, shrink) = said("replicas: 5", "replicas: 3");
    assert_eq!(
        (code, shrink.as_str()),
        (0, "hint: change `replicas` by one, follow the README of the bundle, and then by one again")
    );
    let lost = "error: 1 of 3 etcd members are no majority
hint: members are known by the names of StatefulSet, namespace and domain; change `replicas` by one, or restore a snapshot into a new cluster";
    assert_eq!(said("replicas: 3", "replicas: 1"), (2, lost.to_owned()));
    let even = "hint: add or remove one";
    assert_eq!(said("replicas: 3", "replicas: 4, state: existing"), (0, even.to_owned()));
    assert_eq!(said("replicas: 5", "replicas: 4"), (0, even.to_owned()));
    let (code, begins) = said("replicas: 3", "replicas: 4");
    assert_eq!(code, 0);
    assert!(begins.contains("warning: the new pod would begin a cluster of its own\n"), "{begins}");
    let another = lost.replacen("1 of", "0 of", 1);
    assert_eq!(said("name: a, replicas: 3", "name: b, replicas: 3"), (2, another));
    assert_eq!(said("replicas: 3", "replicas: 3"), (0, String::new()));
}

/// What does not fit is told, with what to do.
#[test]
fn what_does_not_fit() {
    let problems = |text: &str| {
        let staged = Built::staged(text);
        let ran = sealift(["check", staged.path("sealift.yaml").to_str().unwrap()]);
        let said = ran.stdout + &ran.stderr;
        said.lines()
            .filter(|line| line.starts_with("error: ") || line.starts_with("warning: "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let member = "hosts: {a: {addresses: [10.0.0.1], roles: [etcd], recipients: [age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs4]}}";
    let good = spec(VERSION, "", "", "");
    assert_eq!(problems(&good), Vec::<String>::new());
    let cases = [
        (
            replaced(&good, "hosts: {}", member),
            vec!["error: a is an etcd member, and etcd runs in a StatefulSet"],
        ),
        (
            replaced(&good, "run: statefulset", "run: systemd\n  version: 3.6.8"),
            vec!["error: etcd.statefulSet: etcd runs as `systemd`", "error: no host has the role `etcd`"],
        ),
        (
            replaced(&good, "provisioner: none", "provisioner: kubeadm"),
            vec![
                "error: kubernetes.provisioner: a StatefulSet runs in a cluster that exists",
                "error: no host has the role `control-plane`",
            ],
        ),
        (
            replaced(
                &good,
                "run: statefulset",
                "run: statefulset\n  dataDir: /srv/etcd\n  plainLoopback: true",
            ),
            vec![
                "error: etcd.plainLoopback: with `run: statefulset` etcd serves TLS on loopback",
                "warning: etcd.dataDir means nothing to etcd with `run: statefulset`",
            ],
        ),
        (
            spec(
                VERSION,
                "replicas: 2, issuer: {name: a}, resources: {requests: {cpu: 2000m}, limits: {cpu: 500m}}",
                "",
                "",
            ),
            vec![
                "error: etcd.statefulSet.issuer means nothing to certificates of the build",
                "error: etcd.statefulSet.resources.requests.cpu: a pod that asks for 2000m cannot be held to 500m",
                "warning: two etcd members tolerate no failure, and either one stops both",
            ],
        ),
        (
            spec(VERSION, "storage: {size: 100Mi}, replicas: 10", "", ""),
            vec![
                "error: etcd.statefulSet.replicas: `10` is not a number of members: it is more than 9",
                "warning: etcd.statefulSet.storage.size: 100Mi is too small for etcd",
            ],
        ),
    ];
    for (text, expected) in cases {
        let mut found = problems(&text);
        found.sort();
        assert_eq!(found, expected, "{text}");
    }
}
