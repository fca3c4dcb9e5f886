//! Every field of etcd's, whatever it runs under, with everything that is none of its values: refused at
//! its line, or written so that each file still is what its readers take it for.

use super::{MACHINES, ODD, ODD_TEXTS, OPERATOR, flow, quoted};
use sealift::plan::{Facts, HostPlan, plan};
use sealift::render::templates::Templates;
use sealift::render::{Digests, Renderer};
use sealift::spec;
use sealift::spec::yaml::{document, documents};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::LazyLock;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::embedded);
static RENDERER: LazyLock<Renderer<'static>> = LazyLock::new(|| Renderer::new(&TEMPLATES).unwrap());

/// Stands in a spec where the hostile value comes.
const HERE: &str = "@HERE@";

/// Values in YAML's own words, besides quoted texts.
const RAW: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "-0",
    "+1",
    "010",
    "0x10",
    "1.5",
    "1e400",
    ".inf",
    "[]",
    "{}",
    "[[]]",
    "[a, a]",
    "{a: b}",
    "[null]",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "9223372036854775807GiB",
    "8388607TiB",
    "8388608TiB",
    "18446744073709551615ms",
    "99999999999999999999999h",
    "8760h1ms",
    "999999999999Ei",
    "0.000000000001m",
    "TLS1.1",
    "/",
    "//",
    "/etc",
    "/srv",
    "/srv/..",
    "/srv/./x",
    "/-",
    "/srv/-rf",
    "/srv/a:b",
    "/srv/@home@",
    "root",
    "-",
    "--privileged",
    "existing",
    "operator",
];

/// Values that a reader of one of the formats takes for more.
const MORE: &[&str] = &[
    "/srv/x\n[Service]\nExecStartPre=/bin/sh",
    "/srv/x /etc",
    "/srv/%H",
    "/srv/$(id)",
    "/srv/`id`",
    "/srv/x;id",
    "/srv/x'y",
    "/srv/[a-z]",
    "/srv/*",
    "/srv/x\u{0}",
    "/srv/\u{e9}",
    "x'; id; '",
    "x$(id)",
    "$(POD_NAME)",
    "$$(POD_NAME)",
    "$(KUBERNETES_SERVICE_HOST)",
    "x\\",
    "x # y",
    "a=true,b=$(id)",
    "END\nid\n",
    "```\n",
    "a,b=https://c:2380",
];

/// A spec of each way to run etcd.
fn base(run: &str) -> Value {
    let host = |address: &str, recipient: &str| json!({"addresses": [address], "roles": ["etcd"], "recipients": [recipient], "etcd": {}});
    let mut value = json!({
        "apiVersion": "sealift/v1",
        "cluster": {
            "name": "prod", "id": "7e570000000000000000000000000001", "epoch": "2026-11-20T00:00:00Z",
            "operators": [OPERATOR],
        },
        "kubernetes": {"version": "1.36.2", "provisioner": "none"},
        "etcd": {"run": run, "version": "3.6.8", "token": "own", "tuning": {}, "extraArgs": {}},
        "pki": {"certificates": {}},
        "hosts": {"m1": host("192.0.2.1", MACHINES[0]), "m2": host("fd00::2", MACHINES[1])},
    });
    match run {
        "statefulset" => {
            value["hosts"] = json!({});
            value["etcd"]["statefulSet"] =
                json!({"createNamespace": true, "clientService": true, "walStorage": {}, "storage": {}});
        }
        "static-pod" => {}
        _ => {
            value["etcd"]["urls"] = "name".into();
            value["hosts"]["m2"]["etcd"] = json!({"state": "existing"});
            value["etcd"]["leaving"] = json!(["gone"]);
        }
    }
    if run == "container" {
        value["etcd"]["container"] = json!({"engine": "docker"});
    }
    value
}

/// Every field that holds more than a word of a few, by place.
const FIELDS: &[&str] = &[
    "/etcd/version",
    "/etcd/image",
    "/etcd/dataDir",
    "/etcd/walDir",
    "/etcd/urls",
    "/etcd/token",
    "/etcd/certificates",
    "/etcd/plainLoopback",
    "/etcd/config",
    "/etcd/program",
    "/etcd/user/name",
    "/etcd/user/uid",
    "/etcd/user/gid",
    "/etcd/container/engine",
    "/etcd/container/program",
    "/etcd/gate/program",
    "/etcd/gate/tolerate",
    "/etcd/leaving",
    "/etcd/leaving/0",
    "/etcd/extraArgs",
    "/etcd/extraArgs/host-whitelist",
    "/etcd/extraArgs/auth-token",
    "/etcd/extraArgs/log-outputs",
    "/etcd/extraArgs/feature-gates",
    "/etcd/extraArgs/max-txn-ops",
    "/etcd/extraArgs/grpc-keepalive-interval",
    "/etcd/tuning/autoCompactionMode",
    "/etcd/tuning/autoCompactionRetention",
    "/etcd/tuning/quotaBackendBytes",
    "/etcd/tuning/maxRequestBytes",
    "/etcd/tuning/heartbeatInterval",
    "/etcd/tuning/electionTimeout",
    "/etcd/tuning/snapshotCount",
    "/etcd/tuning/maxSnapshots",
    "/etcd/tuning/maxWals",
    "/etcd/tuning/metrics/listen",
    "/etcd/tuning/metrics/port",
    "/etcd/tuning/metrics/level",
    "/etcd/tuning/cipherSuites",
    "/etcd/tuning/cipherSuites/0",
    "/etcd/tuning/tlsMinVersion",
    "/etcd/tuning/logLevel",
    "/etcd/statefulSet/name",
    "/etcd/statefulSet/namespace",
    "/etcd/statefulSet/replicas",
    "/etcd/statefulSet/state",
    "/etcd/statefulSet/certificates",
    "/etcd/statefulSet/issuer",
    "/etcd/statefulSet/issuer/name",
    "/etcd/statefulSet/issuer/kind",
    "/etcd/statefulSet/storage/size",
    "/etcd/statefulSet/storage/className",
    "/etcd/statefulSet/walStorage/size",
    "/etcd/statefulSet/resources/requests/cpu",
    "/etcd/statefulSet/resources/limits/memory",
    "/etcd/statefulSet/nodeSelector",
    "/etcd/statefulSet/nodeSelector/own",
    "/etcd/statefulSet/tolerations",
    "/etcd/statefulSet/tolerations/0/key",
    "/etcd/statefulSet/tolerations/0/value",
    "/etcd/statefulSet/tolerations/0/effect",
    "/kubernetes/clusterDomain",
    "/pki/certificates/etcd-shared/subject/O",
    "/pki/certificates/etcd-statefulset-server/subject/O",
    "/hosts/m1/etcdName",
    "/hosts/m1/etcd/dataDir",
    "/hosts/m2/etcd/state",
    "/hosts/m2/etcd/join",
    "/hosts/m2/etcd/founder",
];

/// The spec with a value in YAML's words at a place; mappings and lists on the way are made.
fn with(mut spec: Value, place: &str, value: &str) -> String {
    if place.contains("issuer") {
        spec["etcd"]["statefulSet"]["certificates"] = "cert-manager".into();
        spec["etcd"]["statefulSet"]["issuer"] = json!({"name": "own"});
    }
    if place.contains("tolerations/0") {
        spec["etcd"]["statefulSet"]["tolerations"] = json!([{"key": "own", "effect": "NoSchedule"}]);
    }
    if place.contains("etcd-shared") {
        spec["etcd"]["certificates"] = "shared".into();
    }
    let mut at = &mut spec;
    for key in place.split('/').skip(1) {
        if let Ok(index) = key.parse::<usize>() {
            if !at.is_array() {
                *at = json!([]);
            }
            if at.as_array().unwrap().len() <= index {
                at.as_array_mut().unwrap().push(Value::Null);
            }
            at = &mut at[index];
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            at = &mut at[key];
        }
    }
    *at = HERE.into();
    let mut text = String::new();
    flow(&mut text, &spec);
    text.replace(&format!("\"{HERE}\""), value)
}

/// Files by host and path; none when the spec is refused, each problem at a place.
fn files(text: &str) -> Option<BTreeMap<(String, String), String>> {
    let loaded = spec::load(text);
    let placed = |problem: &spec::Problem| {
        assert!(problem.position.is_some(), "no place: {problem:?}\n{text}");
        let said = format!("{} {}", problem.message, problem.hint.as_deref().unwrap_or_default());
        assert!(!said.chars().any(char::is_control), "{problem:?}\n{text}");
        assert!(said.len() < 2000, "{problem:?}");
    };
    loaded.problems.iter().for_each(placed);
    if loaded.has_errors() {
        return None;
    }
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    let refused = problems.iter().any(spec::Problem::is_error);
    problems.into_iter().map(|problem| loaded.locate(problem)).for_each(|problem| placed(&problem));
    if refused {
        return None;
    }
    let renderer = &*RENDERER;
    let of = |host: &HostPlan| {
        let mut all = renderer.templates(host).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        all.extend(renderer.pods(host, &Digests::new()).unwrap_or_else(|error| panic!("{error:?}\n{text}")));
        let name = host.name.clone();
        let named =
            all.into_iter().map(move |(path, bytes)| ((name.clone(), path), String::from_utf8(bytes)));
        named.map(|(key, text)| (key, text.unwrap())).collect::<Vec<_>>()
    };
    Some(plan.hosts.values().chain([&plan.operator]).flat_map(of).collect())
}

/// A file as its readers take it, and what of it does not hang on values.
fn shape(path: &str, text: &str) {
    let odd = |char: char| (char.is_control() && char != '\n') || matches!(char, '\u{2028}' | '\u{feff}');
    assert!(!text.contains(odd), "{path}\n{text}");
    let lines = || text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let name = path.rsplit('/').next().unwrap();
    match name {
        "etcd.env" | "etcdctl.env" => {
            for line in lines() {
                let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{line}"));
                assert!(name.starts_with("ETCD"), "{line}");
                assert!(name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{line}");
                assert!(value.bytes().all(|byte| byte.is_ascii_graphic()), "{line}");
                assert!(!value.contains(['"', '\'', '\\', '$', '`', '#']), "{line}");
            }
        }
        "etcd.conf" if path.contains("sysusers") => {
            let lines: Vec<Vec<&str>> = lines().map(|line| line.split_whitespace().collect()).collect();
            let [group, user] = &lines[..] else { panic!("{text}") };
            assert_eq!((group.len(), group[0], user.len(), user[0]), (3, "g", 5, "u"), "{text}");
            assert!(!text.contains('%'), "{text}");
        }
        "etcd.conf" => {
            for line in lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                assert_eq!((words.len(), words[0], words[2], words[5]), (6, "d", "0700", "-"), "{text}");
                assert!(words[1].starts_with('/') && !text.contains('%'), "{text}");
            }
        }
        "sealift-etcd-health" => shell(text),
        "RUNBOOK.md" | "README.md" => {
            let mut parts = text.split("```");
            let _ = parts.next();
            while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
                shell(block.strip_prefix("sh\n").unwrap_or_else(|| panic!("{block}")));
            }
        }
        name if extension(name) == "yaml" => {
            for one in documents(text) {
                let _ = document(one).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"));
            }
        }
        name if ["service", "conf", "container"].contains(&extension(name)) => {
            let known = ["Unit", "Service", "Install", "Container"];
            let sections = lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
            assert!(sections.clone().all(|section| known.contains(&section)), "{text}");
            assert!(sections.count() <= 4, "{text}");
            let _ = super::unit(text);
        }
        _ => {}
    }
}

/// A script in which nothing of the hostile values is a command.
fn shell(text: &str) {
    assert!(!text.contains("id;") && !text.contains("$(id)") && !text.contains("`id`"), "{text}");
}

fn values() -> impl Iterator<Item = String> {
    let texts = ODD.iter().chain(ODD_TEXTS).chain(MORE).chain(RAW);
    let long = ["a".repeat(300), "a".repeat(9000), "/a".repeat(200), "9".repeat(5000)];
    let texts = texts.map(|text| (*text).to_owned()).chain(long);
    let quoted = texts.map(|text| {
        let mut out = String::new();
        quoted(&mut out, &text);
        out
    });
    quoted.chain(RAW.iter().map(|raw| (*raw).to_owned()))
}

fn hold(run: &str) {
    let of_this = |place: &&&str| place.contains("statefulSet") == (run == "statefulset");
    let of_any = |place: &&&str| {
        ["/extraArgs", "/tuning", "Domain", "/token", "/image"].iter().any(|part| place.contains(part))
    };
    for place in FIELDS.iter().filter(|place| of_this(place) || of_any(place)) {
        // any text is taken there alone
        let free = place.contains("/extraArgs/") || place.contains("/subject/") || place.ends_with("/name");
        let odd = if free { 0 } else { ODD.len() };
        for value in values().skip(odd) {
            for config in ["environment", "yaml"] {
                let mut spec = base(run);
                if config == "yaml" {
                    if !matches!(run, "systemd" | "container") || !place.contains("/extraArgs") {
                        continue;
                    }
                    spec["etcd"]["config"] = config.into();
                }
                let text = with(spec, place, &value);
                for ((_, path), file) in files(&text).unwrap_or_default() {
                    shape(&path, &file);
                }
            }
        }
    }
}

#[test]
fn static_pod() {
    hold("static-pod");
}

#[test]
fn systemd() {
    hold("systemd");
}

#[test]
fn container() {
    hold("container");
}

#[test]
fn stateful_set() {
    hold("statefulset");
}

/// The bases are taken, and with them what each field needs: or the above says nothing.
#[test]
fn plain_specs_are_taken() {
    for run in ["static-pod", "systemd", "container", "statefulset"] {
        let text = with(base(run), "/etcd/extraArgs/host-whitelist", "plain");
        let loaded = spec::load(&text);
        let files = files(&text).unwrap_or_else(|| panic!("{run}: {:?}", loaded.problems));
        for ((_, path), script) in files.iter().filter(|((_, path), _)| path.ends_with("-etcd-health")) {
            let status = Command::new("sh").args(["-n", "-c", script]).status().unwrap();
            assert!(status.success(), "{path}");
        }
    }
    for (run, place, value) in [
        ("systemd", "/etcd/user/name", "db"),
        ("systemd", "/etcd/user/uid", "59999"),
        ("systemd", "/pki/certificates/etcd-shared/subject/O", "\"a: 'b' $(c)\""),
        ("container", "/etcd/container/program", "/opt/engine"),
        ("statefulset", "/etcd/statefulSet/issuer/name", "own.issuer"),
        ("statefulset", "/etcd/statefulSet/tolerations/0/value", "\"true\""),
        ("statefulset", "/etcd/statefulSet/nodeSelector/own", "\"1e3\""),
        ("static-pod", "/etcd/tuning/cipherSuites/0", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        ("static-pod", "/etcd/extraArgs/max-txn-ops", "256"),
    ] {
        let text = with(base(run), place, value);
        assert!(files(&text).is_some(), "{place}: {:?}", spec::load(&text).problems);
    }
}

/// What etcd is told is what was written, where the kubelet expands `$(NAME)` too.
#[test]
fn a_flag_is_told_as_it_is_written() {
    for value in ["plain", "$(POD_NAME)", "$$(POD_NAME)", "$", "$$$", "a'b\"c\\d", "#a", "{{a}}", "- x: y"] {
        let mut text = String::new();
        quoted(&mut text, value);
        for run in ["static-pod", "systemd", "container", "statefulset"] {
            let mut spec = base(run);
            if matches!(run, "systemd" | "container") {
                spec["etcd"]["config"] = "yaml".into();
            }
            let files = files(&with(spec, "/etcd/extraArgs/host-whitelist", &text)).expect(value);
            let ends = ["/manifests/etcd.yaml", "/etc/etcd/etcd.yaml", "/30-statefulset.yaml"];
            let mut found = files.iter().filter(|((_, path), _)| ends.iter().any(|end| path.ends_with(end)));
            let ((_, path), file) = found.next().unwrap();
            let read = document(file).unwrap();
            let expanded = |pointer: &str| {
                let arguments = read.pointer(pointer).unwrap().as_array().unwrap();
                let argument =
                    arguments.iter().find_map(|one| one.as_str()?.strip_prefix("--host-whitelist="));
                argument.unwrap().to_owned()
            };
            let told = if path.ends_with("30-statefulset.yaml") {
                // k8s.io/kubernetes/third_party/forked/golang/expansion: `$$` is `$`
                let argument = expanded("/spec/template/spec/containers/0/args");
                assert!(!argument.replace("$$", "").contains('$'), "{argument}");
                argument.replace("$$", "$")
            } else if path.ends_with("/manifests/etcd.yaml") {
                expanded("/spec/containers/0/command")
            } else {
                read["host-whitelist"].as_str().unwrap().to_owned()
            };
            assert_eq!(told, value, "{run}");
        }
    }
}

fn extension(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}
