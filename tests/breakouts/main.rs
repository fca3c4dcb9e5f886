//! Whatever a spec says in its own words: it is refused at its line, or each file that holds it reads back
//! as it would with a harmless word in that place. One module a format; a format joins in [`read`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod json;
mod lines;
#[path = "../support/mod.rs"]
mod support;
mod tomls;
mod yamls;

use proptest::prelude::{ProptestConfig, prop, prop_oneof, proptest};
use sealift::plan::{Facts, plan};
use sealift::render::Renderer;
use sealift::render::templates::Templates;
use sealift::spec::load;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a word of a spec's author stands: a harmless one, and a line of the spec with `WORD` in its place,
/// at the top or, with two blanks, below `kubernetes`.
const FIELDS: &[(&str, &str)] = &[
    ("harmless", "cluster: {name: WORD"),
    ("harmless", "kubelet: {environment: {A: WORD}}"),
    ("harmless", "kubelet: {extraArgs: {v: WORD}}"),
    ("harmless", "kubelet: {config: {clusterDomain: WORD}}"),
    ("a.example/harmless:1", "  images: {pause: WORD}"),
    ("a.example", "  imageRepository: WORD"),
    ("harmless", "  apiServer: {extraArgs: {v: WORD}}"),
    ("harmless", "  apiServer: {extraEnvs: {A: WORD}}"),
    ("/srv/harmless", "  controllerManager: {extraVolumes: {a: {hostPath: WORD}}}"),
    ("harmless.example", "  proxy: {http: \"http://p.example:1\", noProxy: [WORD]}"),
    ("http://harmless.example", "  proxy: {http: WORD}"),
    ("https://harmless.example", "containerRuntime: {registryMirrors: {docker.io: [WORD]}}"),
    ("harmless.example", "containerRuntime: {registryMirrors: {WORD: [\"https://m.example\"]}}"),
    ("unix:///run/harmless.sock", "kubelet: {containerRuntimeEndpoint: WORD}"),
    ("/opt/harmless", "kubelet: {program: WORD}"),
    ("harmless", "roles: {worker: {labels: {a.example/b: WORD}}}"),
    ("a.example/harmless", "roles: {worker: {labels: {WORD: b}}}"),
    ("harmless", "roles: {worker: {taints: [{key: a, value: WORD, effect: NoSchedule}]}}"),
    ("harmless", "hostPrep: {containerd: {config: {root: WORD}}}"),
    ("harmless", "hostPrep: {containerd: {config: {plugins: {WORD: {a: b}}}}}"),
    ("harmless", "hostPrep: {docker: {config: {log-opts: {tag: WORD}}}}"),
    ("harmless", "hostPrep: {docker: {config: {WORD: true}}}"),
    ("harmless", "hostPrep: {sysctl: {settings: {kernel.core_pattern: WORD}}}"),
    ("kernel.harmless", "hostPrep: {sysctl: {settings: {WORD: 1}}}"),
    ("harmless", "hostPrep: {modules: {extra: [WORD]}}"),
    ("Europe/Berlin", "hostPrep: {timezone: {name: WORD}}"),
    ("harmless.example", "hostPrep: {ntp: {servers: [WORD]}}"),
    ("/var/log/harmless", "hostPrep: {logrotate: {paths: [WORD]}}"),
    ("harmless.example", "hostPrep: {hosts: {entries: {192.0.2.99: [WORD]}}}"),
];

/// Words that have broken out of something before.
#[rustfmt::skip]
const HOSTILE: &[&str] = &[
    "", " ", "a b", "a\nb: c", "a\n[x]\ny = 1", "\"", "'", "\"\"\"", "'''", "\\", "a\\", ";", "a;b", "%", "%h", "%n%%",
    "$", "$A", "${A}", "$(A)", "$$", "{", "}", "{}", "{{ a }}", "{% raw %}", "[", "]", "#", "a #b", "a: b", "- a", "&a",
    "*a", "!a", "|", ">", "@a", "`a`", "~", "null", "true", "no", "1e3", "0x1", "\r", "\t", "\u{0}", "\u{7f}", "\u{85}",
    "\u{2028}", "\u{feff}", "é", "日本", "\u{202e}a", "--a", "-a", "=", "a=b", "../a", "/", "a/../b", "a,b", "<a>", "</a>",
];

/// A file's meaning, where the format has a reader here; else its text, for [`lines`].
enum Read {
    Tree(Value),
    Lines(Vec<String>),
}

/// Reads a file by its path.
#[track_caller]
fn read(path: &str, text: &str) -> Read {
    let extension = path.rsplit('.').next().unwrap_or_default();
    match extension {
        "json" => Read::Tree(json::read(text)),
        "yaml" => Read::Tree(yamls::read(path, text)),
        "toml" => Read::Tree(tomls::read(text)),
        "conf" if path.starts_with("/etc/containers/") || path.starts_with("/etc/crio/") => {
            Read::Tree(tomls::read(text))
        }
        _ => Read::Lines(lines::read(text)),
    }
}

/// A double-quoted scalar of YAML, in plain characters whatever the word has.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_graphic() || char == ' ';
    let escaped = |char: char| match char {
        '"' | '\\' => format!("\\{char}"),
        char if plain(char) => char.to_string(),
        char => format!("\\U{:08X}", u32::from(char)),
    };
    format!("\"{}\"", word.chars().map(escaped).collect::<String>())
}

/// The spec with a word in a field's place, and the number of the line that has it.
fn spec_with(field: &str, word: &str) -> (String, usize) {
    let line = field.replace("WORD", &quoted(word));
    let text = match field {
        field if field.starts_with("cluster") => {
            let base = support::stacked::spec("1.36.2", "kubeadm", "", "");
            let name = line.split_once("name: ").unwrap().1;
            support::example::replaced(&base, "  name: prod\n", &format!("  name: {name}\n"))
        }
        field if field.starts_with(' ') => {
            support::stacked::spec("1.36.2", "kubeadm", &format!("{line}\n"), "")
        }
        _ => support::stacked::spec("1.36.2", "kubeadm", "", &format!("{line}\n")),
    };
    let own =
        line.rsplit("name: ").next().filter(|_| field.starts_with("cluster")).unwrap_or(&line).to_owned();
    let number = text.lines().position(|other| other.ends_with(&own)).unwrap() + 1;
    (text, number)
}

/// All files that come from templates and plans, by host and path; none where the spec is refused, and
/// then an error stands at the line.
#[track_caller]
fn files(field: &str, word: &str) -> Option<BTreeMap<(String, String), String>> {
    let (text, line) = spec_with(field, word);
    let loaded = load(&text);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    let of_plan = problems.into_iter().map(|problem| loaded.locate(problem));
    let all = loaded.problems.iter().cloned().chain(of_plan.filter(|_| !loaded.has_errors()));
    let errors: Vec<_> = all.filter(sealift::spec::Problem::is_error).collect();
    if !errors.is_empty() {
        let at_line = |problem: &sealift::spec::Problem| problem.position.is_some_and(|at| at.line == line);
        assert!(errors.iter().any(at_line), "{field} with {word:?}: {errors:?}");
        return None;
    }
    let templates = Templates::embedded();
    let renderer = Renderer::new(&templates).unwrap();
    let mut all = BTreeMap::new();
    for host in plan.hosts.values().chain([&plan.operator]) {
        let texts = renderer.templates(host);
        let texts = texts.unwrap_or_else(|error| panic!("{field} with {word:?}: {error}"));
        let pods = renderer.pods(host, &BTreeMap::new()).unwrap();
        for (path, bytes) in texts.into_iter().chain(pods) {
            all.insert((host.name.clone(), path), String::from_utf8(bytes).unwrap());
        }
    }
    Some(all)
}

/// The tree with the hostile word where the harmless one stands, also as a part of a text or key.
fn substituted(tree: &Value, harmless: &str, word: &str) -> Value {
    match tree {
        Value::String(text) => text.replace(harmless, word).into(),
        Value::Array(items) => items.iter().map(|item| substituted(item, harmless, word)).collect(),
        Value::Object(map) => {
            let map = map.iter();
            map.map(|(key, value)| (key.replace(harmless, word), substituted(value, harmless, word)))
                .collect()
        }
        other => other.clone(),
    }
}

/// The tree with lists within texts in one order: some are sorted, and a word may sort elsewhere.
fn unordered(tree: &Value) -> Value {
    match tree {
        Value::String(text) => {
            let mut parts: Vec<_> = text.split(',').filter(|part| !part.is_empty()).collect();
            parts.sort_unstable();
            parts.dedup();
            parts.join(",").into()
        }
        Value::Array(items) => items.iter().map(unordered).collect(),
        // a field without a word may be left out
        Value::Object(map) => {
            let said = map.iter().filter(|(_, value)| **value != "");
            said.map(|(key, value)| (key.clone(), unordered(value))).collect()
        }
        other => other.clone(),
    }
}

/// Refused, or every file reads back as it does with the harmless word.
#[track_caller]
fn holds(field: &str, harmless: &str, word: &str) {
    let Some(with) = files(field, word) else { return };
    let without = files(field, harmless).unwrap_or_else(|| panic!("{field} refuses {harmless}"));
    for ((host, path), text) in &without {
        // a name of the spec's may be a part of a path
        let at = path.replace(harmless, word);
        let Some(hostile) = with.get(&(host.clone(), at)).or_else(|| with.get(&(host.clone(), path.clone())))
        else {
            assert!(path.contains("certs.d"), "{field} with {word:?}: no {path}");
            continue;
        };
        match (read(path, text), read(path, hostile)) {
            (Read::Tree(one), Read::Tree(other)) => {
                assert_eq!(
                    unordered(&substituted(&one, harmless, word)),
                    unordered(&other),
                    "{field} with {word:?}: {path}"
                );
            }
            (Read::Lines(one), Read::Lines(other)) => lines::alike(&one, &other, harmless, path, word),
            _ => panic!("{path} has two formats"),
        }
    }
}

#[test]
fn hostile_words_are_refused_or_read_back() {
    for (harmless, field) in FIELDS {
        assert!(files(field, harmless).is_some(), "{field}: the harmless word is refused");
        for word in HOSTILE {
            holds(field, harmless, word);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn so_are_any(
        field in prop::sample::select(FIELDS),
        word in prop_oneof!["[a-z\"'\\\\;%${}\n#:=, \u{0}\u{85}\u{2028}é]{0,8}", "\\PC{0,8}"],
    ) {
        holds(field.1, field.0, &word);
    }
}
