//! Whole specs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod etcd_names;
mod fuzz;
mod yaml;

use super::{Path, Position, Problem, load, scalars, schema};
use crate::spec::scalars::Recipient;
use serde_json::Value;
use std::collections::BTreeSet;

/// Three etcd hosts, nothing wrong.
pub(super) const GOOD: &str = include_str!("good.yaml");
/// The shape of a private key; the key itself is all zero bits.
pub(super) const SECRET: &str = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ";

pub(super) fn rendered(text: &str) -> String {
    let problems = load(text).problems;
    problems.iter().map(|problem| problem.render("sealift.yaml")).collect::<Vec<_>>().join("\n")
}

/// Severity, path and message of each problem, one a line.
pub(super) fn brief(text: &str) -> String {
    let lines = load(text).problems.into_iter();
    lines.map(|p| format!("{} {} | {}\n", p.severity.name(), p.path, p.message)).collect::<Vec<_>>().concat()
}

/// A cluster with control planes and a worker, nothing wrong.
const CLUSTER: &str = include_str!("../../plan/tests/cluster.yaml");

fn cluster_with(edits: &[(&str, &str)]) -> String {
    let mut text = CLUSTER.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    text
}

/// What is said of the cluster with some passages replaced.
pub(super) fn cluster(edits: &[(&str, &str)]) -> String {
    brief(&cluster_with(edits))
}

/// The same, whole.
pub(super) fn cluster_rendered(edits: &[(&str, &str)]) -> String {
    rendered(&cluster_with(edits))
}

/// The good spec with one passage replaced.
fn with(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    GOOD.replacen(old, new, 1)
}

#[test]
fn a_good_spec_is_read_whole() {
    let loaded = load(GOOD);
    assert_eq!(rendered(GOOD), "");
    assert!(!loaded.has_errors());
    let spec = loaded.spec;
    assert_eq!(spec.cluster.name.as_str(), "example");
    assert_eq!(spec.cluster.epoch.unix(), 1_795_132_800);
    assert_eq!(spec.cluster.bundle_validity.unwrap().seconds(), 30 * 86_400);
    assert_eq!(spec.kubernetes.version.to_string(), "1.36.2");
    assert_eq!(spec.kubernetes.image_repository.as_str(), "registry.k8s.io");
    assert_eq!(spec.kubelet.gate.tolerate.unwrap()[0].get(), 6);
    let names: Vec<_> = spec.hosts.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["infra0", "infra1", "infra2"]);
    let host = spec.hosts.values().nth(1).unwrap();
    assert_eq!(host.addresses, ["10.0.0.7".parse::<std::net::IpAddr>().unwrap()]);
    assert!(matches!(host.recipients[..], [Recipient::SshEd25519(_)]));
    assert_eq!((host.generation.get(), host.revision.get()), (1, 0));
}

#[test]
fn line_ends_and_byte_order_mark_make_no_difference() {
    let crlf = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert_eq!(rendered(&crlf), "");
    let bad = crlf.replace("infra1:", "Infra1:");
    assert_eq!(rendered(&bad), rendered(&with("infra1:", "Infra1:")));
}

#[test]
fn every_mistake_is_reported_in_one_run() {
    assert_eq!(rendered(include_str!("mistakes.yaml")), include_str!("mistakes.txt"));
}

#[test]
fn every_wrong_setting_is_reported_in_one_run() {
    assert_eq!(rendered(include_str!("settings.yaml")), include_str!("settings.txt"));
}

#[test]
fn rules_see_what_is_left() {
    assert_eq!(rendered(include_str!("rules.yaml")), include_str!("rules.txt"));
}

#[test]
fn rules_of_control_planes() {
    assert_eq!(rendered(include_str!("kubernetes.yaml")), include_str!("kubernetes.txt"));
}

#[test]
fn member_counts() {
    let host = |n: u32| {
        let recipient =
            x25519_dalek::x25519([u8::try_from(n).unwrap() + 1; 32], x25519_dalek::X25519_BASEPOINT_BYTES);
        format!(
            "  h{n}:\n    addresses: [10.1.0.{n}]\n    roles: [etcd]\n    recipients: [{}]\n",
            Recipient::X25519(recipient)
        )
    };
    let head = GOOD.split("  infra0:").next().unwrap();
    let spec = |count: u32| format!("{head}{}", (0..count).map(host).collect::<String>());
    let none = spec(0).replace("hosts:\n", "hosts: {}\n");
    assert_eq!(brief(&none), "error hosts | no host has the role `etcd`\n");
    assert_eq!(brief(&spec(1)), "warning hosts | one etcd member tolerates no failure\n");
    assert_eq!(
        brief(&spec(2)),
        "warning hosts | two etcd members tolerate no failure, and either one stops both\n"
    );
    assert_eq!(brief(&spec(3)), "");
    assert_eq!(
        brief(&spec(4)),
        "warning hosts | an even number of etcd members (4) tolerates no more failures than one less\n"
    );
    assert_eq!(brief(&spec(7)), "");
    assert_eq!(brief(&spec(9)), "warning hosts | 9 etcd members make every write slow\n");
    assert!(!load(&spec(2)).has_errors());
}

#[test]
fn a_value_left_out_causes_no_second_complaint() {
    let all_typos = GOOD.replace("roles:", "rolse:");
    let expected = [0, 1, 2]
        .map(|n| format!("error hosts.infra{n}.rolse | unknown field `rolse` in hosts.infra{n}\n"))
        .concat();
    assert_eq!(brief(&all_typos), expected);
    assert_eq!(brief(&GOOD.replace("hosts:", "host:")), "error host | unknown field `host`\n");
}

#[test]
fn later_stages_problems_are_placed_by_path() {
    let loaded = load(GOOD);
    let line = |path: &str| {
        let problem = loaded.locate(Problem::error(path, "x"));
        let position = problem.position.unwrap();
        (position.line, position.column, problem.source.unwrap())
    };
    assert_eq!(line("hosts.infra1.addresses[0]"), (25, 17, "    addresses: [10.0.0.7]".into()));
    assert_eq!(line("hosts.infra1.etcd.image"), (24, 3, "  infra1:".into()));
    assert_eq!(line("hosts.infra2"), (29, 3, "  infra2:".into()));
    assert_eq!(line("kubernetes.version"), (11, 12, "  version: 1.36.2".into()));
    assert_eq!(
        line("nothing[3].here"),
        (1, 1, "# Three hosts that run etcd as static pods under the kubelet.".into())
    );
}

#[test]
fn paths_with_dots_are_quoted_and_found() {
    let spec = with("infra1:", "infra1.example.org:");
    let path = Path::root().key("hosts").key("infra1.example.org").key("addresses").index(0);
    assert_eq!(path.as_str(), "hosts.\"infra1.example.org\".addresses[0]");
    let problem = load(&spec).locate(Problem::warning(path, "x"));
    assert_eq!(problem.position, Some(Position { line: 25, column: 17 }));
}

#[test]
fn json() {
    let spec = with("infra1:", "Infra1:");
    let expected = serde_json::json!([{
        "severity": "error",
        "path": "hosts.Infra1",
        "message": "hosts.Infra1: `Infra1` is not a host name: upper-case letters are not allowed",
        "hint": "use lower-case letters, digits, `-`, and `.` between labels",
        "position": {"line": 24, "column": 3},
        "source": "  Infra1:",
    }]);
    assert_eq!(serde_json::to_value(load(&spec).problems).unwrap(), expected);
}

#[test]
fn a_private_key_is_never_repeated() {
    let pem = "-----BEGIN OPENSSH PRIVATE KEY-----\n      b3BlbnNzaC1rZXktdjEAAAAA\n      -----END OPENSSH PRIVATE KEY-----";
    let escaped = SECRET.replace('-', "\\x2d");
    let places = [
        with("[10.0.0.6]", &format!("[{SECRET}]")),
        with("run: static-pod", &format!("runn: {SECRET}")),
        with("run: static-pod", &format!("{SECRET}: x")),
        with("run: static-pod", &format!("{SECRET}: {{a: !x b, a: 1}}")),
        with("name: example", &format!("name: \"{escaped}\"")),
        with("name: example", &format!("name: &a {SECRET}\n  other: *a")),
        with("name: example", &format!("name: {}", SECRET.to_lowercase())),
        with("name: example", &format!("name: !!str {SECRET}")),
        with("name: example", &format!("name: |\n      {pem}")),
        with("name: example", &format!("name: {pem}")),
        with("name: example", &format!("name: Bad # {SECRET}")),
        with("{ca: 10y, leaf: 1y}", &format!("{{ca: x, leaf: {SECRET}}}")),
        with("name: example", &format!("name: [{SECRET}")),
        with("name: example", &format!("name: {}", pem.replace("      ", ""))),
        format!("{GOOD}---\n{SECRET}"),
        SECRET.to_owned(),
        format!("{GOOD}\"{SECRET}\n"),
    ];
    for text in places {
        let loaded = load(&text);
        assert!(loaded.has_errors(), "{text}");
        let all =
            format!("{}{}{loaded:?}", rendered(&text), serde_json::to_string(&loaded.problems).unwrap());
        let all = all.to_lowercase();
        for part in ["qqqq", "b3blbnn"] {
            assert!(!all.contains(part), "{text}\n{all}");
        }
    }
}

/// What JSON has no number for would reach a component as a text, or as another number.
#[test]
fn numbers_in_a_components_own_words() {
    let with = |number: &str| {
        let patch = format!(
            "patches: {{/etc/kubernetes/manifests/etcd.yaml: {{spec: {{a: [1, {number}]}}}}}}\npki: {{}}"
        );
        cluster(&[("pki: {}", &patch)])
    };
    for number in [
        "0",
        "-0",
        "1",
        "-1",
        "1.5",
        "1e3",
        "18446744073709551615",
        "-9223372036854775808",
        "\"0644\"",
        "1_000",
    ] {
        assert_eq!(with(number), "", "{number}");
    }
    for number in
        ["0644", "0x1f", "0o17", "+1", ".5", "1.", ".inf", "-.INF", ".nan", "1e999", "18446744073709551616"]
    {
        let path = "patches.\"/etc/kubernetes/manifests/etcd.yaml\".spec.a[1]";
        assert_eq!(
            with(number),
            format!("error {path} | {path}: readers of YAML take `{number}` for different numbers\n")
        );
    }
}

/// A token or a key in base64, anywhere in a component's own words.
#[test]
fn secrets_in_a_components_own_words() {
    for (secret, what) in [
        ("abcdef.0123456789abcdef", "a token"),
        ("LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVF", "a private key"),
    ] {
        for (from, to) in [
            ("pki: {}", "pki: {}\nkubelet: {extraArgs: {a: [b, \"=SECRET,\"]}}"),
            ("pki: {}", "pki: {}\nkubelet: {environment: {A: SECRET}}"),
            ("pki: {}", "pki: {}\nkubelet: {config: {evictionHard: {SECRET: a}}}"),
            ("pki: {}", "pki: {}\npatches: {/etc/kubernetes/manifests/etcd.yaml: {spec: \"a SECRET b\"}}"),
            ("  endpoint:", "  apiServer: {extraArgs: {SECRET: a}}\n  endpoint:"),
            ("  endpoint:", "  apiServer: {extraEnvs: {A: \"x=SECRET\"}}\n  endpoint:"),
            ("  endpoint:", "  scheduler: {extraVolumes: {SECRET: {hostPath: /a}}}\n  endpoint:"),
        ] {
            let said = cluster_rendered(&[(from, &to.replace("SECRET", secret))]);
            assert!(
                said.contains(&format!("this is {what}, which must never stand in a spec")),
                "{to}: {said}"
            );
            assert!(!said.contains(secret), "{to}: {said}");
        }
    }
}

#[test]
fn foreign_text_cannot_drive_the_terminal() {
    let spec = with("name: example", "name: \"a\\e[31mb\\u202e\" # \u{202e}");
    assert_eq!(
        rendered(&spec),
        "error: cluster.name: `a\\u{1b}[31mb\\u{202e}` is not a cluster name: `\\u{1b}` is not allowed\n \
         --> sealift.yaml:4:9\n  |\n4 |   name: \"a\\e[31mb\\u202e\" # \u{fffd}\n  |         \
         ^^^^^^^^^^^^^^^^^^^^\nhint: use lower-case letters, digits and `-`\n"
    );
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let spec = with("[10.0.0.7]", &format!("[{}10.0.0.x]", "10.0.0.7, ".repeat(100)));
    let problem = load(&spec).problems.into_iter().find(|p| p.message.contains("10.0.0.x")).unwrap();
    let source = problem.source.unwrap();
    let (before, width) = problem.underline;
    assert!(source.chars().count() <= 120);
    assert_eq!(source.chars().skip(before).take(width).collect::<String>(), "10.0.0.x");
}

#[test]
fn endless_problems_are_counted() {
    // as many as fit: must not take more than a moment either
    let unknown: Vec<String> = (0..80_000).map(|n| format!("x{n}: 1\n")).collect();
    let problems = load(&format!("{GOOD}{}", unknown.concat())).problems;
    assert_eq!(problems.len(), 201);
    assert_eq!(problems.last().unwrap().message, "79800 more problems are not shown");
}

/// All `format`s of a schema.
fn formats(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("format").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| formats(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| formats(value, found)),
        _ => {}
    }
}

#[test]
fn every_format_of_the_schema_has_its_check_and_every_check_its_format() {
    let mut found = BTreeSet::new();
    formats(&schema(), &mut found);
    // schemars' note at a number whose limits stand beside it
    assert!(found.remove("uint32"));
    let known: BTreeSet<String> = scalars::formats().map(str::to_owned).collect();
    assert_eq!(found, known);
}

#[test]
fn examples_in_the_schema_are_good() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let mut seen = 0;
    for definition in definitions.values() {
        let Some(examples) = definition.get("examples").and_then(Value::as_array) else { continue };
        let check = scalars::check(definition["format"].as_str().unwrap()).unwrap();
        for example in examples {
            check(example.as_str().unwrap()).unwrap();
            seen += 1;
        }
    }
    assert_eq!(seen, 47);
}

#[test]
fn schema_refuses_unknown_fields_everywhere_and_promises_no_default_of_required_fields() {
    let schema = schema();
    let all = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for object in all.filter(|definition| definition.get("properties").is_some()) {
        assert_eq!(object["additionalProperties"], false, "{object}");
        for name in object.get("required").and_then(Value::as_array).into_iter().flatten() {
            assert!(
                object["properties"][name.as_str().unwrap()].get("default").is_none(),
                "{name} in {object}"
            );
        }
    }
}
