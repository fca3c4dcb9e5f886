//! No setting of components and nodes is without effect: each changes a file of some bundle, or of the
//! operators', and every field of those sections stands in the table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use support::archive::members;
use support::example::{Built, replaced};
use support::stacked::{HOSTS, spec};

/// Sections whose fields are all in [`TABLE`].
const SECTIONS: [&str; 28] = [
    "ApiServer",
    "Audit",
    "ContainerRuntime",
    "ContainerdPrep",
    "ControllerManager",
    "CoreDns",
    "CrictlPrep",
    "CrioPrep",
    "DockerPrep",
    "HostsPrep",
    "Images",
    "JournaldPrep",
    "KubeProxy",
    "LimitsPrep",
    "LogrotatePrep",
    "Metrics",
    "ModulesPrep",
    "NodeCidrMask",
    "NtpPrep",
    "Oidc",
    "Proxy",
    "Scheduler",
    "SwapPrep",
    "SysctlPrep",
    "TimezonePrep",
    "Tuning",
    "VerifyTimer",
    "Volume",
];

/// The fields that a setting has, where it is written, the section without it (nothing if it stands
/// alone), and with it.
type Row = (&'static [&'static str], At, String, String);

/// Where a setting is written.
#[derive(Clone, Copy, Debug)]
enum At {
    /// Below `kubernetes`.
    Kubernetes,
    /// At the top.
    Top,
    /// At the worker.
    Worker,
}

const POLICY: &str = "policy: {rules: [{level: Metadata}]}";
const OIDC: &str = "issuerUrl: \"https://id.example\", clientId: k8s";
const ADMISSION: &str = "{apiVersion: apiserver.config.k8s.io/v1, kind: AdmissionConfiguration, plugins: []}";
const AUTHENTICATION: &str = "{apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration, anonymous: {enabled: false}}";

/// Fields, a setting without them (if they cannot stand alone), and with them.
#[rustfmt::skip]
fn table() -> Vec<Row> {
    use At::{Kubernetes, Top, Worker};
    let one = |fields: &'static [&'static str], at, text: &str| (fields, at, String::new(), text.to_owned());
    let within = |fields: &'static [&'static str], at, without: &str, with: &str| (fields, at, without.to_owned(), with.to_owned());
    let audit = |more: &str| format!("apiServer: {{audit: {{{POLICY}{more}}}}}");
    let oidc = |more: &str| format!("apiServer: {{oidc: {{{OIDC}{more}}}}}");
    let pem = std::fs::read_to_string(support::repository("tests/data/certificates/root.crt")).unwrap();
    let pem: String = pem.lines().filter(|line| !line.starts_with('#')).flat_map(|line| ["        ", line, "\n"]).collect();
    let mut all = vec![
        one(&["featureGates"], Kubernetes, "featureGates: {NodeSwap: true}"),
        one(&["nodeCidrMask", "ipv4"], Kubernetes, "nodeCidrMask: {ipv4: 25}"),
        one(&["cgroupV1"], Kubernetes, "cgroupV1: true"),
        one(&["untaintControlPlanes"], Kubernetes, "untaintControlPlanes: true"),
        one(&["kubeApiserver"], Kubernetes, "images: {kubeApiserver: \"a.example/a:1\"}"),
        one(&["kubeControllerManager"], Kubernetes, "images: {kubeControllerManager: \"a.example/a:1\"}"),
        one(&["kubeScheduler"], Kubernetes, "images: {kubeScheduler: \"a.example/a:1\"}"),
        one(&["policy"], Kubernetes, &audit("")),
        within(&["log"], Kubernetes, &audit(""), &audit(", log: /var/log/a.log")),
        within(&["maxAge"], Kubernetes, &audit(""), &audit(", maxAge: 5")),
        within(&["maxBackups"], Kubernetes, &audit(""), &audit(", maxBackups: 5")),
        within(&["maxSize"], Kubernetes, &audit(""), &audit(", maxSize: 5")),
        one(&["audit"], Kubernetes, &audit("")),
        one(&["oidc", "issuerUrl", "clientId"], Kubernetes, &oidc("")),
        within(&["usernameClaim"], Kubernetes, &oidc(""), &oidc(", usernameClaim: email")),
        within(&["usernamePrefix"], Kubernetes, &oidc(""), &oidc(", usernamePrefix: \"o:\"")),
        within(&["groupsClaim"], Kubernetes, &oidc(""), &oidc(", groupsClaim: groups")),
        within(&["groupsPrefix"], Kubernetes, &oidc(", groupsClaim: g"), &oidc(", groupsClaim: g, groupsPrefix: \"o:\"")),
        within(&["ca"], Kubernetes, &oidc(""),
               &format!("apiServer:\n    oidc:\n      issuerUrl: https://id.example\n      clientId: k8s\n      ca: |\n{pem}")),
        one(&["admission"], Kubernetes, &format!("apiServer: {{admission: {ADMISSION}}}")),
        one(&["authentication"], Kubernetes, &format!("apiServer: {{authentication: {AUTHENTICATION}}}")),
        one(&["nodeMonitorPeriod"], Kubernetes, "controllerManager: {nodeMonitorPeriod: 3s}"),
        one(&["nodeMonitorGracePeriod"], Kubernetes, "controllerManager: {nodeMonitorGracePeriod: 30s}"),
        one(&["mode"], Kubernetes, "kubeProxy: {mode: ipvs}"),
        within(&["scheduler"], Kubernetes, "kubeProxy: {mode: ipvs}", "kubeProxy: {mode: ipvs, scheduler: rr}"),
        within(&["syncPeriod"], Kubernetes, "kubeProxy: {mode: ipvs}", "kubeProxy: {mode: ipvs, syncPeriod: 9s}"),
        within(&["minSyncPeriod"], Kubernetes, "kubeProxy: {mode: ipvs}", "kubeProxy: {mode: ipvs, minSyncPeriod: 9s}"),
        one(&["config"], Kubernetes, "kubeProxy: {config: {metricsBindAddress: \"127.0.0.1:1\"}}"),
        one(&["disabled"], Kubernetes, "kubeProxy: {disabled: true}"),
        one(&["disabled"], Kubernetes, "coreDns: {disabled: true}"),
        one(&["http"], Kubernetes, "proxy: {http: \"http://p.example:1\"}"),
        one(&["https"], Kubernetes, "proxy: {https: \"http://p.example:1\"}"),
        within(&["noProxy"], Kubernetes, "proxy: {http: \"http://p.example:1\"}",
               "proxy: {http: \"http://p.example:1\", noProxy: [.a.example]}"),
        within(&["kind"], Top, "containerRuntime: {registryMirrors: {docker.io: [\"https://m.example\"]}}",
               "containerRuntime: {kind: cri-o, registryMirrors: {docker.io: [\"https://m.example\"]}}"),
        one(&["registryMirrors"], Top, "containerRuntime: {registryMirrors: {docker.io: [\"https://m.example\"]}}"),
        one(&["os"], Top, "os: flatcar"),
        one(&["os"], Worker, "os: flatcar"),
        one(&["config"], Worker, "kubelet: {config: {maxPods: 9}}"),
        one(&["config"], Top, "kubelet: {config: {maxPods: 9}}"),
        one(&["config"], Top, "roles: {worker: {kubelet: {config: {maxPods: 9}}}}"),
        one(&["extraArgs"], Worker, "kubelet: {extraArgs: {v: 4}}"),
        one(&["environment"], Worker, "kubelet: {environment: {GODEBUG: a}}"),
        one(&["labels"], Worker, "labels: {a.example/b: c}"),
        one(&["labels"], Worker, "labels: {node-role.kubernetes.io/b: \"\"}"),
        one(&["labels"], Top, "roles: {worker: {labels: {a.example/b: c}}}"),
        one(&["taints"], Worker, "taints: [{key: a, effect: NoSchedule}]"),
    ];
    let etcd = |setting: &str| format!("roles: {{etcd: {{etcd: {{{setting}}}}}}}");
    let tuning = |field: &str| etcd(&format!("tuning: {{{field}}}"));
    all.extend([
        one(&["extraArgs"], Top, &etcd("extraArgs: {pre-vote: true}")),
        one(&["walDir"], Top, &etcd("walDir: /var/lib/etcd/wal")),
        one(&["tuning", "autoCompactionRetention"], Top, &tuning("autoCompactionRetention: 8h")),
        within(&["autoCompactionMode"], Top, &tuning("autoCompactionRetention: 8h"),
               &tuning("autoCompactionRetention: 8h, autoCompactionMode: periodic")),
        one(&["quotaBackendBytes"], Top, &tuning("quotaBackendBytes: 8GiB")),
        one(&["maxRequestBytes"], Top, &tuning("maxRequestBytes: 2MiB")),
        one(&["heartbeatInterval"], Top, &tuning("heartbeatInterval: 90ms")),
        one(&["electionTimeout"], Top, &tuning("electionTimeout: 2s")),
        one(&["snapshotCount"], Top, &tuning("snapshotCount: 5000")),
        one(&["maxSnapshots"], Top, &tuning("maxSnapshots: 3")),
        one(&["maxWals"], Top, &tuning("maxWals: 3")),
        one(&["metrics", "listen"], Top, &tuning("metrics: {listen: all}")),
        one(&["port"], Top, &tuning("metrics: {port: 2382}")),
        one(&["level"], Top, &tuning("metrics: {level: extensive}")),
        one(&["cipherSuites"], Top, &tuning("cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]")),
        one(&["tlsMinVersion"], Top, &tuning("tlsMinVersion: TLS1.3")),
        one(&["tlsMaxVersion"], Top, &tuning("tlsMaxVersion: TLS1.2")),
        one(&["logLevel"], Top, &tuning("logLevel: warn")),
    ]);
    all.extend(preparation());
    let timer = |more: &str| format!("verify: {{timer: {{{more}}}}}");
    all.extend([
        one(&["onCalendar"], Top, &timer("onCalendar: daily")),
        within(&["onCalendar"], Top, &timer(""), &timer("onCalendar: daily")),
        within(&["onCalendar"], Worker, &timer(""), &timer("onCalendar: daily")),
        within(&["enabled"], Top, &timer(""), &timer("enabled: false")),
        within(&["randomizedDelay"], Top, &timer(""), &timer("randomizedDelay: 1h")),
        within(&["within"], Top, &timer(""), &timer("within: 14d")),
        within(&["metrics"], Top, &timer(""), &timer("metrics: /srv/a.prom")),
        within(&["program"], Top, &timer(""), &timer("program: /opt/sealift")),
        one(&["within"], Top, "roles: {worker: {verify: {timer: {within: 14d}}}}"),
    ]);
    for component in ["apiServer", "controllerManager", "scheduler"] {
        let volume = |more: &str| format!("{component}: {{extraVolumes: {{a: {{hostPath: /srv/a{more}}}}}}}");
        all.extend([
            one(&["extraArgs"], Kubernetes, &format!("{component}: {{extraArgs: {{v: 4}}}}")),
            one(&["extraEnvs"], Kubernetes, &format!("{component}: {{extraEnvs: {{GODEBUG: a}}}}")),
            one(&["extraVolumes", "hostPath"], Kubernetes, &volume("")),
            within(&["mountPath"], Kubernetes, &volume(""), &volume(", mountPath: /b")),
            within(&["writable"], Kubernetes, &volume(""), &volume(", writable: true")),
            within(&["pathType"], Kubernetes, &volume(""), &volume(", pathType: File")),
        ]);
    }
    all
}

/// What hosts need before the kubelet.
#[rustfmt::skip]
fn preparation() -> Vec<Row> {
    use At::{Top, Worker};
    let one = |fields: &'static [&'static str], at, text: &str| (fields, at, String::new(), text.to_owned());
    let within = |fields: &'static [&'static str], at, without: &str, with: &str| (fields, at, without.to_owned(), with.to_owned());
    vec![
        one(&["settings"], Top, "hostPrep: {sysctl: {settings: {vm.swappiness: 1}}}"),
        within(&["omit"], Top, "hostPrep: {sysctl: {}}", "hostPrep: {sysctl: {omit: [kernel.panic]}}"),
        within(&["extra"], Top, "hostPrep: {modules: {}}", "hostPrep: {modules: {extra: [tcp_bbr]}}"),
        within(&["omit"], Worker, "hostPrep: {modules: {}}", "hostPrep: {modules: {omit: [overlay]}}"),
        one(&["mode"], Top, "hostPrep: {swap: {}}"),
        within(&["mode"], Top, "hostPrep: {swap: {}}", "hostPrep: {swap: {mode: system}}"),
        within(&["mode"], Worker, "hostPrep: {swap: {mode: system}}", "hostPrep: {swap: {mode: limited}}"),
        within(&["format"], Top, "hostPrep: {containerd: {}}", "hostPrep: {containerd: {format: 2}}"),
        within(&["config"], Top, "hostPrep: {containerd: {}}", "hostPrep: {containerd: {config: {oom_score: 1}}}"),
        within(&["enabled"], Worker, "hostPrep: {containerd: {}}", "hostPrep: {containerd: {enabled: false}}"),
        within(&["config"], Worker, "hostPrep: {docker: {}}", "hostPrep: {docker: {config: {debug: true}}}"),
        within(&["enabled"], Top, "hostPrep: {docker: {}}", "hostPrep: {docker: {enabled: false}}"),
        within(&["config"], Top, "containerRuntime: {kind: cri-o}\nhostPrep: {crio: {}}",
               "containerRuntime: {kind: cri-o}\nhostPrep: {crio: {config: {crio: {api: {}}}}}"),
        within(&["enabled"], Top, "containerRuntime: {kind: cri-o}\nhostPrep: {crio: {}}",
               "containerRuntime: {kind: cri-o}\nhostPrep: {crio: {enabled: false}}"),
        within(&["timeout"], Top, "hostPrep: {crictl: {}}", "hostPrep: {crictl: {timeout: 3s}}"),
        within(&["enabled"], Top, "hostPrep: {crictl: {}}", "hostPrep: {crictl: {enabled: false}}"),
        within(&["enabled"], Top, "hostPrep: {hosts: {}}", "hostPrep: {hosts: {enabled: false}}"),
        one(&["enabled"], Top, "roles: {worker: {hostPrep: {hosts: {}}}}"),
        one(&["enabled"], Worker, "hostPrep: {hosts: {}}"),
        within(&["entries"], Top, "hostPrep: {hosts: {}}", "hostPrep: {hosts: {entries: {10.0.0.9: [a.example]}}}"),
        within(&["openFiles"], Top, "hostPrep: {limits: {}}", "hostPrep: {limits: {openFiles: 2048}}"),
        one(&["paths"], Worker, "hostPrep: {logrotate: {paths: [/var/log/a]}}"),
        within(&["keep"], Top, "hostPrep: {logrotate: {paths: [/var/log/a]}}", "hostPrep: {logrotate: {paths: [/var/log/a], keep: 2}}"),
        within(&["size"], Top, "hostPrep: {logrotate: {paths: [/var/log/a]}}", "hostPrep: {logrotate: {paths: [/var/log/a], size: 1KiB}}"),
        within(&["maxUse"], Top, "hostPrep: {journald: {}}", "hostPrep: {journald: {maxUse: 1GiB}}"),
        within(&["maxRetention"], Top, "hostPrep: {journald: {}}", "hostPrep: {journald: {maxRetention: 9d}}"),
        one(&["name"], Top, "hostPrep: {timezone: {name: UTC}}"),
        one(&["servers"], Top, "hostPrep: {ntp: {servers: [a]}}"),
        within(&["client"], Top, "hostPrep: {ntp: {servers: [a]}}", "hostPrep: {ntp: {servers: [a], client: chrony}}"),
    ]
}

/// What kubeadm cannot be told, and what only a range of IPv6 gives a meaning.
#[rustfmt::skip]
fn without_kubeadm() -> Vec<Row> {
    let one =
        |fields: &'static [&'static str], text: &str| (fields, At::Kubernetes, String::new(), text.to_owned());
    vec![
        one(&["kubeProxy"], "images: {kubeProxy: \"a.example/a:1\"}"),
        one(&["coredns"], "images: {coredns: \"a.example/a:1\"}"),
    ]
}

fn files(provisioner: &str, version: &str, at: At, setting: &str) -> BTreeMap<String, Vec<u8>> {
    let own = if setting.is_empty() { String::new() } else { format!("  {setting}\n") };
    let text = match at {
        At::Kubernetes => spec(version, provisioner, &own, ""),
        At::Top => spec(version, provisioner, "", own.trim_start()),
        At::Worker if setting.is_empty() => spec(version, provisioner, "", ""),
        At::Worker => {
            let text = spec(version, provisioner, "", "");
            replaced(&text, "roles: [worker],", &format!("roles: [worker], {setting},"))
        }
    };
    let built = Built::of(&text);
    let bundles = HOSTS.into_iter().chain(["operator"]);
    let all = bundles.flat_map(|host| {
        let files =
            members(&built.bundle(host)).into_iter().filter(|member| member.name.starts_with("files/"));
        files.map(move |member| (format!("{host}: {}", member.name), member.contents))
    });
    all.collect()
}

fn assert_changes(provisioner: &str, rows: Vec<Row>) {
    for (_, at, without, with) in rows {
        let [before, after] = [&without, &with].map(|setting| files(provisioner, "1.36.2", at, setting));
        assert_ne!(before, after, "{provisioner}: {with}");
    }
}

/// Fields of a proxy: its kind, what it has before, and what is written then.
const PROXY: &[(&str, &str, &str)] = &[
    ("nginx", "", "image: \"a.example/b:1\", run: container"),
    ("nginx", "", "image: \"a.example/b:1\", run: static-pod"),
    ("haproxy", "image: \"a.example/b:1\", run: container", "image: \"a.example/b:2\", run: container"),
    ("nginx", "image: a:1, run: container", "image: a:1, run: container, engine: docker"),
    (
        "haproxy",
        "image: a:1, run: container, engine: docker",
        "image: a:1, run: container, engine: docker, program: /opt/docker",
    ),
    ("nginx", "", "listen: all"),
    ("haproxy", "", "listen: host"),
    ("nginx", "", "port: 9443"),
    ("haproxy", "", "port: 9443"),
    ("nginx", "", "backends: name"),
    ("haproxy", "", "backends: name"),
    ("nginx", "", "balance: round-robin"),
    ("haproxy", "", "balance: source-address"),
    ("nginx", "", "weights: {cp1: 3}"),
    ("haproxy", "", "weights: {cp1: 3}"),
    ("nginx", "", "maxFails: 5"),
    ("nginx", "", "failTimeout: 5s"),
    ("nginx", "", "connectTimeout: 5s"),
    ("haproxy", "", "connectTimeout: 5s"),
    ("nginx", "", "idleTimeout: 50s"),
    ("haproxy", "", "idleTimeout: 50s"),
    ("nginx", "", "maxConnections: 500"),
    ("haproxy", "", "maxConnections: 500"),
    ("nginx", "", "reusePort: false"),
    ("haproxy", "", "check: {interval: 5s}"),
    ("haproxy", "", "check: {timeout: 1s}"),
    ("haproxy", "", "check: {rise: 5}"),
    ("haproxy", "", "check: {fall: 5}"),
];

#[test]
fn proxies() {
    for (kind, without, with) in PROXY {
        let [before, after] = [without, with].map(|more| {
            let port = if more.contains("port:") { "" } else { "port: 8443, " };
            let entry = format!("{{kind: {kind}, on: node, {port}{more}}}");
            let text = format!("loadBalancers: [{{kind: external}}, {entry}]");
            files("static-pods", "1.36.2", At::Top, &text)
        });
        assert_ne!(before, after, "{kind}: {with}");
    }
}

#[test]
fn with_kubeadm() {
    assert_changes("kubeadm", table());
}

#[test]
fn with_static_pods() {
    assert_changes("static-pods", table().into_iter().chain(without_kubeadm()).collect());
}

/// The pause image is the kubelet's to know up to 1.34, and the container runtime's after it.
#[test]
fn what_an_older_release_has() {
    let pause = "images: {pause: \"a.example/pause:1\"}";
    assert_ne!(
        files("static-pods", "1.34.2", At::Kubernetes, ""),
        files("static-pods", "1.34.2", At::Kubernetes, pause)
    );
}

#[test]
fn dual_stack_has_masks_of_both_families() {
    let both = "serviceSubnets: [10.96.0.0/16, \"fd00:96::/112\"]";
    let text = |mask: &str| {
        let text = spec("1.36.2", "static-pods", &format!("  {both}\n{mask}"), "");
        let text =
            replaced(&text, "podSubnets: [10.244.0.0/16]", "podSubnets: [10.244.0.0/16, \"fd00:244::/56\"]");
        let text = replaced(&text, "[10.0.0.6]", "[10.0.0.6, \"fd00::6\"]");
        replaced(&text, "[10.0.0.7]", "[10.0.0.7, \"fd00::7\"]")
    };
    let manifest = |text: &str| {
        let files = support::stacked::files(&Built::of(text), "cp1");
        files["/etc/kubernetes/manifests/kube-controller-manager.yaml"].text().to_owned()
    };
    let with = manifest(&text("  nodeCidrMask: {ipv4: 25, ipv6: 66}\n"));
    for flag in ["--node-cidr-mask-size-ipv4=25", "--node-cidr-mask-size-ipv6=66"] {
        assert!(with.contains(flag) && !manifest(&text("")).contains(flag), "{flag}");
    }
}

/// A host's machine id stands in its manifest, and no other host's bundle changes.
#[test]
fn a_pinned_machine() {
    let id = "8b2f3a5c9d014e6fa7b8c9d0e1f20314";
    let of = |setting: &str| {
        let text = spec("1.36.2", "static-pods", "", "");
        let built = Built::of(&replaced(&text, "roles: [worker],", &format!("roles: [worker],{setting}")));
        let manifest = members(&built.bundle("w1")).into_iter().find(|member| member.name == "manifest.json");
        let manifest: Value = serde_json::from_slice(&manifest.unwrap().contents).unwrap();
        (manifest["host"]["machineId"].clone(), std::fs::read(built.bundle("cp1")).unwrap())
    };
    let (without, with) = (of(""), of(&format!(" machineId: {id},")));
    assert_eq!((without.0, with.0), (Value::Null, Value::from(id)));
    assert!(without.1 == with.1, "another host's bundle changed");
}

#[test]
fn every_field_of_these_sections_is_tried() {
    let tried: BTreeSet<&str> = table()
        .iter()
        .chain(&without_kubeadm())
        .flat_map(|(fields, ..)| fields.iter().copied())
        .chain(["ipv6", "pause"])
        .collect();
    let schema = sealift::spec::schema();
    for section in SECTIONS {
        let fields =
            schema["$defs"][section]["properties"].as_object().unwrap_or_else(|| panic!("{section}"));
        let missed: Vec<_> = fields.keys().filter(|field| !tried.contains(field.as_str())).collect();
        assert_eq!(missed, Vec::<&String>::new(), "{section}");
    }
    let properties = |value: &Value| value["properties"].as_object().unwrap().len();
    assert!(properties(&schema["$defs"]["Kubernetes"]) > 20);
}

/// Settings of etcd as a service: in the section, what stands without it and with it; each changes a file
/// of a member.
const SERVICE: &[(&str, &str)] = &[
    ("", "program: /opt/etcd"),
    ("", "user: {name: db}"),
    ("", "user: {uid: 400}"),
    ("user: {uid: 400}", "user: {uid: 400, gid: 401}"),
    ("", "config: yaml"),
    ("", "plainLoopback: true"),
    ("", "certificates: shared"),
    ("", "urls: name"),
    ("urls: name\n  certificates: shared", "certificates: shared"),
    ("", "gate: {run: none}"),
    ("", "gate: {run: sha256sum}"),
    ("", "gate: {tolerate: []}"),
    ("", "gate: {program: /opt/sealift}"),
];

/// The same of etcd in a container.
const CONTAINER: &[(&str, &str)] = &[
    ("", "container: {engine: docker}"),
    ("", "container: {engine: nerdctl}"),
    ("container: {engine: docker}", "container: {engine: nerdctl}"),
    ("container: {engine: docker}", "container: {engine: docker, program: /opt/docker}"),
    ("", "image: \"a.example/etcd:3.6.9\""),
    ("", "dataDir: /srv/etcd"),
    ("", "walDir: /srv/wal"),
    ("", "user: {uid: 400}"),
    ("user: {uid: 400}", "user: {uid: 400, gid: 401}"),
    ("", "config: yaml"),
    ("", "plainLoopback: true"),
    ("", "certificates: shared"),
    ("", "gate: {run: none}"),
];

#[test]
fn etcd_as_a_unit() {
    every_setting_of("systemd", SERVICE);
    every_setting_of("container", CONTAINER);
}

fn every_setting_of(run: &str, rows: &[(&str, &str)]) {
    let text = support::example::spec();
    let files = |settings: &str, host: &str| {
        let run = format!("run: {run}\n  version: 3.6.8\n  {settings}\n");
        let text = replaced(&text, "run: static-pod\n", &run);
        let text = replaced(&text, "roles: [etcd]\n", &format!("roles: [etcd]\n{host}"));
        let all = members(&Built::of(&text).bundle("infra0"));
        // whose a file is stands in the manifest alone
        let owners = all.iter().find(|member| member.name == "manifest.json").unwrap().text().to_owned();
        let owners: Value = serde_json::from_str(&owners).unwrap();
        let owner = |entry: &Value| (entry["path"].to_string(), entry["uid"].clone(), entry["gid"].clone());
        let owners: Vec<_> = ["directories", "files"]
            .iter()
            .flat_map(|list| owners[*list].as_array().unwrap())
            .map(owner)
            .collect();
        let files = all.into_iter().filter(|member| member.name.starts_with("files/"));
        (owners, files.map(|member| (member.name, member.contents)).collect::<BTreeMap<_, _>>())
    };
    for (without, with) in rows {
        assert_ne!(files(without, ""), files(with, ""), "{with}");
    }
    let own = "    etcd: {gate: {run: none}}\n";
    assert_ne!(files("", ""), files("", own), "{own}");
}
