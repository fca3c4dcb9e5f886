//! What a person writes lands where it belongs, whole and as a text, and changes nothing else.
//!
//! Each case renders one cluster twice: with a plain word in each field, and with something hostile.
//! Both are read as their formats are read, and may differ in these words alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod etcd;
mod systemd;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use sealift::plan::{Facts, HostPlan, plan};
use sealift::render::templates::Templates;
use sealift::render::{Digests, Renderer};
use sealift::spec;
use sealift::spec::yaml::{document, documents};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use systemd::{unit, variables};

/// How many fields of the specs hold a text on one line, and any text.
const LINES: usize = 20;
const TEXTS: usize = 14;

/// Texts that a reader of some format takes for something else.
const ODD: &[&str] = &[
    "",
    " ",
    " a ",
    "null",
    "~",
    "true",
    "True",
    "yes",
    "No",
    "on",
    "y",
    "1e3",
    "0x1f",
    "0o17",
    "017",
    "1_000",
    "+1",
    "-0",
    ".inf",
    ".nan",
    "1:30",
    "2026-01-01",
    "=",
    "<<",
    "-",
    "--",
    "---",
    "...",
    "- a",
    "? a",
    "a: b",
    ": ",
    "a:",
    "a #b",
    "#a",
    "&a",
    "*a",
    "!!str a",
    "!a",
    "|",
    ">",
    "%YAML 1.1",
    "@a",
    "`a`",
    "{{ x }}",
    "{% x %}",
    "{# x #}",
    "{a}",
    "[a]",
    "{",
    "]",
    ",",
    "'",
    "\"",
    "''",
    "\\",
    "\\n",
    "a\\",
    "$a",
    "${a}",
    "$(a)",
    "$$",
    "%",
    "%%",
    "%i",
    "a b",
    "a  b",
    ";",
    "a ; b",
    "a=b",
    "\u{a0}",
    "\u{e9}",
    "\u{1f600}",
    "-----BEGIN CERTIFICATE-----",
];
/// The same, for fields that may hold several lines and any character.
const ODD_TEXTS: &[&str] = &[
    "\n",
    "a\n",
    "a\n\n",
    "\na",
    " a\nb",
    "a\n b\n",
    "a\nb",
    "a\n---\nb: c\n",
    "---\na: b\n",
    "a\n...\n",
    "a: b\nc: d\n",
    "- a\n- b\n",
    "a\tb",
    "\ta\nb",
    "a \nb\n",
    "a\r\nb\r\n",
    "a\rb",
    "#a\n#b\n",
    "a\u{85}b",
    "a\u{2028}b",
    "a\u{feff}b",
    "\u{feff}a\nb",
    "|\na\n",
    "a\u{0}b",
    "a\u{7f}b",
    "a\u{1b}[0mb",
    "\u{e000}\u{fffd}",
    "a\nb\u{fffe}\n",
    "\u{ffff}",
    "{{ x }}\n{% y %}\n",
    "\"\n'\n",
];

#[derive(Clone, Debug)]
struct Words {
    lines: Vec<String>,
    texts: Vec<String>,
}

impl Words {
    /// A word of its own for each field; no two that a third is part of.
    fn plain() -> Self {
        let words =
            |prefix: &str, many: usize| (0..many).map(|index| format!("{prefix}{index:02}q")).collect();
        Self { lines: words("line", LINES), texts: words("text", TEXTS) }
    }
}

fn words() -> impl Strategy<Value = Words> {
    // what a spec refuses: controls, invisible marks, private keys
    let line = prop_oneof![
        4 => proptest::sample::select(ODD).prop_map(str::to_owned),
        2 => "[ -~]{0,20}",
        1 => "[\u{20}-\u{7e}\u{a1}-\u{ac}\u{ae}-\u{5ff}]{0,12}",
        1 => Just("a ".repeat(2000)),
    ];
    let text = prop_oneof![
        3 => proptest::sample::select(ODD).prop_map(str::to_owned),
        4 => proptest::sample::select(ODD_TEXTS).prop_map(str::to_owned),
        2 => any::<String>(),
        2 => "[ -~\n]{0,40}",
        1 => Just("a: b\n".repeat(2000)),
    ];
    (vec(line, LINES), vec(text, TEXTS)).prop_map(|(lines, texts)| Words { lines, texts })
}

/// A spec with these words in all fields that hold what a person likes.
fn spec_of(words: &Words, provisioner: &str, version: &str) -> String {
    let mut lines = words.lines.iter();
    let mut line = || json!(lines.next().expect("LINES"));
    let mut texts = words.texts.iter();
    let mut text = || json!(texts.next().expect("TEXTS"));
    let component =
        |a: Value, b: Value, c: Value| json!({"extraArgs": {"zz-own": [a, b]}, "extraEnvs": {"OWN": c}});
    let single = |a: Value, c: Value| json!({"extraArgs": {"zz-own": a}, "extraEnvs": {"OWN": c}});
    let list = version != "1.29.10" || provisioner != "kubeadm";
    let of = |line: &mut dyn FnMut() -> Value| {
        let (a, b, c) = (line(), line(), line());
        if list { component(a, b, c) } else { single(a, c) }
    };
    let [mut api, manager, scheduler] = [of(&mut line), of(&mut line), of(&mut line)];
    api["audit"] =
        json!({"policy": {"rules": [{"level": "Metadata", "x": text(), "list": [text(), text()]}]}});
    api["oidc"] = json!({
        "issuerUrl": "https://id.example", "clientId": line(), "usernameClaim": line(), "usernamePrefix": line(),
        "groupsClaim": line(), "groupsPrefix": line(),
    });
    api["admission"] = json!({
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
        "plugins": [{"name": text(), "configuration": {"x": text()}}],
    });
    // kubeadm cannot hand on each text as a kubelet's flag
    let kubelet = |line: &mut dyn FnMut() -> Value, text: &mut dyn FnMut() -> Value| {
        let (flag, again) = (line(), line());
        let mut own = json!({
            "config": {
                "clusterDomain": text(), "evictionHard": {"memory.available": text()},
                "registerWithTaints": [{"key": "a", "effect": "NoSchedule", "value": text()}],
            },
            "environment": {"OWN": line(), "KUBELET_EXTRA_ARGS": line()},
        });
        if provisioner != "kubeadm" {
            own["extraArgs"] = json!({"zz-own": [flag, again]});
        }
        own
    };
    let kubelets = kubelet(&mut line, &mut text);
    let proxy_config = json!({"metricsBindAddress": text(), "detectLocal": {"bridgeInterface": text()}, "nodePortAddresses": [text()]});
    let patch = |value: Value| json!({"metadata": {"annotations": {"own": value}}});
    let mut patches = json!({"/etc/kubernetes/manifests/kube-apiserver.yaml": patch(text())});
    patches["/etc/kubernetes/manifests/etcd.yaml"] = patch(text());
    patches["/etc/kubernetes/manifests/kube-scheduler.yaml"] =
        json!({"metadata": {"annotations": {"list": [text()]}}});
    let host = |address: &str, roles: &[&str], recipient: &str| json!({"addresses": [address], "roles": roles, "recipients": [recipient]});
    let mut value = json!({
        "apiVersion": "sealift/v1",
        "cluster": {
            "name": "prod", "id": "7e570000000000000000000000000001", "epoch": "2026-11-20T00:00:00Z",
            "operators": [OPERATOR],
        },
        "kubernetes": {
            "version": version, "provisioner": provisioner, "endpoint": "api.prod.example:6443",
            "apiServer": api, "controllerManager": manager, "scheduler": scheduler,
            "kubeProxy": {"config": proxy_config},
            "proxy": {"https": "http://proxy.example:3128", "noProxy": [line()]},
        },
        "loadBalancers": [{"kind": "external"}],
        "etcd": {"run": "static-pod"},
        "kubelet": kubelets,
        "patches": patches,
        "hosts": {
            "cp1": host("192.0.2.1", &["control-plane", "etcd"], MACHINES[0]),
            "w1": host("192.0.2.2", &["worker"], MACHINES[1]),
        },
    });
    let labels = json!({"example.com/a": "no", "node-role.kubernetes.io/own": "1e3", "example.com/b": ""});
    value["hosts"]["w1"]["labels"] = labels;
    value["hosts"]["w1"]["taints"] = json!([{"key": "on", "value": "null", "effect": "NoExecute"}]);
    value["hosts"]["w1"]["kubelet"] = json!({"environment": {"MORE": line()}});
    let mut spec = String::new();
    flow(&mut spec, &value);
    spec
}

const OPERATOR: &str = "age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl";
const MACHINES: [&str; 2] = [
    "age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05",
    "age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs4",
];

/// The value in YAML's flow style, all texts quoted and in ASCII.
fn flow(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => quoted(out, text),
        Value::Array(items) => {
            out.push('[');
            for item in items {
                flow(out, item);
                out.push_str(", ");
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (key, value) in map {
                quoted(out, key);
                out.push_str(": ");
                flow(out, value);
                out.push_str(", ");
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            ' '..='~' => out.push(char),
            _ => write!(out, "\\U{:08x}", u32::from(char)).unwrap(),
        }
    }
    out.push('"');
}

type Files = BTreeMap<String, Value>;

fn messages(problems: &[spec::Problem]) -> String {
    let errors = problems.iter().filter(|problem| problem.is_error());
    errors.map(|problem| problem.message.clone()).collect::<Vec<_>>().join("\n")
}

/// All rendered files of a spec, each read as its format is read; none when the spec is refused.
fn rendered(text: &str) -> Result<Files, String> {
    let loaded = spec::load(text);
    if loaded.has_errors() {
        return Err(messages(&loaded.problems));
    }
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    if problems.iter().any(spec::Problem::is_error) {
        return Err(messages(&problems));
    }
    let templates = Templates::embedded();
    let renderer = Renderer::new(&templates).unwrap();
    let mut files = Files::new();
    for host in plan.hosts.values().chain([&plan.operator]) {
        let mut all = renderer.templates(host).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        all.extend(renderer.pods(host, &Digests::new()).unwrap_or_else(|error| panic!("{error:?}\n{text}")));
        files.extend(
            all.into_iter().map(|(path, bytes)| (format!("{}:{path}", host.name), read(&path, bytes, host))),
        );
    }
    Ok(files)
}

fn read(path: &str, bytes: Vec<u8>, host: &HostPlan) -> Value {
    let text = String::from_utf8(bytes).unwrap();
    // what go-yaml's reader refuses (readerc.go), and terminals obey
    let odd = |char: &char| {
        (char.is_control() && *char != '\n')
            || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    assert_eq!(text.chars().find(odd), None, "{path}");
    let ending = path.rsplit('.').next().unwrap();
    match ending {
        "yaml" => documents(&text)
            .map(|one| {
                inner(
                    document(one).unwrap_or_else(|error| panic!("{path} of {}: {error}\n{text}", host.name)),
                )
            })
            .collect(),
        "json" => serde_json::from_str(&text).unwrap(),
        "conf" | "service" => unit(&text),
        _ if path.ends_with("/kubelet") => variables(&text),
        _ => text.into(),
    }
}

/// A YAML text in a `ConfigMap` is YAML again.
fn inner(mut value: Value) -> Value {
    if let Some(text) = value.pointer_mut("/data/config.conf") {
        *text = document(text.as_str().unwrap()).unwrap();
    }
    value
}

/// The same with each plain word replaced.
fn replaced(value: &Value, words: &BTreeMap<String, String>) -> Value {
    let text = |text: &str| {
        let mut out = text.to_owned();
        for (from, to) in words.iter().filter(|(from, _)| text.contains(from.as_str())) {
            out = out.replace(from, to);
        }
        out
    };
    match value {
        Value::String(own) => text(own).into(),
        Value::Array(items) => items.iter().map(|item| replaced(item, words)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (text(key), replaced(value, words))).collect(),
        other => other.clone(),
    }
}

/// NO_PROXY is a set, in byte order.
fn sorted(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("127.0.0.0/8") => {
            let known = ["NO_PROXY=", "no_proxy="].iter().find(|name| text.starts_with(*name));
            let (name, list) = text.split_at(known.map_or(0, |name| name.len()));
            let mut items: Vec<_> = list.split(',').collect();
            items.sort_unstable();
            items.dedup();
            *text = format!("{name}{}", items.join(","));
        }
        Value::Array(items) => items.iter_mut().for_each(sorted),
        Value::Object(map) => map.values_mut().for_each(sorted),
        _ => {}
    }
}

/// Where two values differ first.
fn first_difference<'a>(one: &'a Value, other: &'a Value) -> Option<(&'a Value, &'a Value)> {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).find_map(|(one, other)| first_difference(one, other))
        }
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.values().zip(other.values()).find_map(|(one, other)| first_difference(one, other))
        }
        _ => (one != other).then_some((one, other)),
    }
}

#[track_caller]
fn nothing_else_changes(words: &Words, provisioner: &str, version: &str) {
    let plain = Words::plain();
    let names = plain.lines.iter().zip(&words.lines).chain(plain.texts.iter().zip(&words.texts));
    let names: BTreeMap<String, String> = names.map(|(from, to)| (from.clone(), to.clone())).collect();
    let usual = rendered(&spec_of(&plain, provisioner, version)).unwrap();
    let text = spec_of(words, provisioner, version);
    let hostile = rendered(&text).unwrap_or_else(|error| panic!("{error}{text}"));
    assert_eq!(usual.keys().collect::<Vec<_>>(), hostile.keys().collect::<Vec<_>>());
    for (path, value) in usual {
        let (mut expected, mut found) = (replaced(&value, &names), hostile[&path].clone());
        sorted(&mut expected);
        sorted(&mut found);
        if let Some((expected, found)) = first_difference(&expected, &found) {
            panic!("{path} {provisioner} {version}:\nexpected {expected}\nfound    {found}");
        }
    }
}

/// Each plain word lands somewhere, or the property says nothing of its field.
#[test]
fn every_field_lands_in_a_file() {
    let words = Words::plain();
    for provisioner in ["kubeadm", "static-pods"] {
        let files = rendered(&spec_of(&words, provisioner, "1.36.2")).unwrap();
        let all = format!("{files:?}");
        let lost: Vec<_> =
            words.lines.iter().chain(&words.texts).filter(|word| !all.contains(word.as_str())).collect();
        let expected: &[_] = if provisioner == "kubeadm" { &["line14q", "line15q"] } else { &[] };
        assert_eq!(lost, expected, "{provisioner}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_word_breaks_out(
        words in words(),
        provisioner in prop_oneof![Just("kubeadm"), Just("static-pods")],
        version in prop_oneof![Just("1.36.2"), Just("1.29.10")],
    ) {
        nothing_else_changes(&words, provisioner, version);
    }
}

/// Each odd text in every field at once.
#[test]
fn odd_texts() {
    for (line, text) in ODD.iter().map(|odd| (*odd, *odd)).chain(ODD_TEXTS.iter().map(|text| ("a", *text))) {
        let words = Words { lines: vec![line.to_owned(); LINES], texts: vec![text.to_owned(); TEXTS] };
        for provisioner in ["kubeadm", "static-pods"] {
            nothing_else_changes(&words, provisioner, "1.36.2");
        }
    }
}
