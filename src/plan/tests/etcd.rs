//! A member's tuning and flags, by etcd's release.

use super::super::{Facts, HostPlan, Plan, plan};
use super::kubernetes;
use crate::spec;
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../../bundles/etcd-static-pods/sealift.yaml");

/// The example with these lines in place of `etcd`, and of infra0's if there are some: its plan, and all
/// problems as they are shown.
fn with(etcd: &str, infra0: &str) -> (Plan, String) {
    let text = EXAMPLE.replacen("etcd:\n  run: static-pod\n", &format!("etcd:\n{etcd}"), 1);
    assert_ne!(text, EXAMPLE);
    let text = text.replacen("  infra0:\n", &format!("  infra0:\n{infra0}"), 1);
    let loaded = spec::load(&text);
    let (plan, found) = plan(&loaded.spec, &Facts::default());
    let all = loaded.problems.iter().cloned().chain(found.into_iter().map(|problem| loaded.locate(problem)));
    let shown: String = all.map(|problem| problem.render("sealift.yaml") + "\n").collect();
    (plan, shown)
}

/// A member of that release with this in `etcd`, and what is said of it.
fn release(version: &str, rest: &str) -> (Plan, String) {
    with(&format!("  run: static-pod\n  image: registry.k8s.io/etcd:{version}-0\n{rest}"), "")
}

/// The arguments of infra0 that do not say who and where it is.
fn arguments(plan: &Plan) -> Vec<String> {
    let member = plan.hosts.values().next().and_then(|host: &HostPlan| host.etcd.as_deref()).unwrap();
    member.settings().iter().map(super::super::Setting::argument).collect()
}

/// Those beyond the defaults of a release.
fn more(version: &str, rest: &str) -> Vec<String> {
    let (plan, problems) = release(version, rest);
    assert_eq!(problems, "");
    let member = plan.hosts.values().next().unwrap().etcd.as_deref().unwrap();
    member.beyond_defaults().iter().map(super::super::Setting::argument).collect()
}

/// Severity, path and message of each problem that a release has with this.
fn told(version: &str, rest: &str) -> Vec<String> {
    let (_, shown) = release(version, rest);
    shown
        .lines()
        .filter(|line| line.starts_with("error") || line.starts_with("warning"))
        .map(str::to_owned)
        .collect()
}

fn tuning(text: &str) -> String {
    format!("  tuning: {{{text}}}\n")
}

fn extra(text: &str) -> String {
    format!("  extraArgs: {{{text}}}\n")
}

#[test]
fn every_field_is_a_flag() {
    let all = tuning(
        "autoCompactionMode: periodic, autoCompactionRetention: 8h, quotaBackendBytes: 8GiB, maxRequestBytes: 1536KiB, \
         heartbeatInterval: 200ms, electionTimeout: 2s, snapshotCount: 5000, maxSnapshots: 3, maxWals: 0, \
         metrics: {listen: all, port: 2382, level: extensive}, \
         cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], \
         tlsMinVersion: TLS1.2, tlsMaxVersion: TLS1.3, logLevel: warn",
    );
    let expected = [
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=8h",
        "--cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "--election-timeout=2000",
        "--heartbeat-interval=200",
        "--listen-metrics-urls=http://0.0.0.0:2382",
        "--log-level=warn",
        "--max-request-bytes=1572864",
        "--max-snapshots=3",
        "--max-wals=0",
        "--metrics=extensive",
        "--quota-backend-bytes=8589934592",
        "--snapshot-count=5000",
        "--tls-max-version=TLS1.3",
        "--tls-min-version=TLS1.2",
    ];
    assert_eq!(more("3.5.15", &all), expected);
    assert_eq!(more("3.6.8", &all), expected);
}

#[test]
fn revisions_need_no_mode_and_numbers_no_unit() {
    assert_eq!(
        more(
            "3.6.8",
            &tuning("autoCompactionRetention: 1000, quotaBackendBytes: 4294967296, metrics: {listen: host}")
        ),
        [
            "--auto-compaction-mode=revision",
            "--auto-compaction-retention=1000",
            "--listen-metrics-urls=http://127.0.0.1:2381,http://10.0.0.6:2381",
            "--quota-backend-bytes=4294967296",
        ]
    );
}

#[test]
fn the_most_specific_tuning_wins_field_by_field() {
    let all = "  run: static-pod\n  tuning: {maxWals: 3, maxSnapshots: 3, metrics: {level: extensive}}\n  extraArgs: {pre-vote: true, max-txn-ops: 9}\n";
    let own = "    etcd: {tuning: {maxWals: 4, metrics: {port: 9}}, extraArgs: {max-txn-ops: 8}}\n";
    let (plan, problems) = with(all, own);
    assert_eq!(problems, "");
    let of = |host: &HostPlan| -> Vec<String> {
        let member = host.etcd.as_deref().unwrap();
        member.beyond_defaults().iter().map(super::super::Setting::argument).collect()
    };
    let all: Vec<_> = plan.hosts.values().map(of).collect();
    let others =
        ["--max-snapshots=3", "--max-txn-ops=9", "--max-wals=3", "--metrics=extensive", "--pre-vote=true"];
    assert_eq!(all[1], others);
    assert_eq!(all[2], others);
    assert_eq!(
        all[0],
        [
            "--listen-metrics-urls=http://127.0.0.1:9",
            "--max-snapshots=3",
            "--max-txn-ops=8",
            "--max-wals=4",
            "--metrics=extensive",
            "--pre-vote=true",
        ]
    );
}

#[test]
fn limits_of_tuning() {
    let of = |text: &str| told("3.6.8", &tuning(text)).join("\n");
    for (text, expected) in [
        ("quotaBackendBytes: 8GiB", ""),
        (
            "quotaBackendBytes: 8589934593",
            "warning: etcd advises against databases larger than 8GiB, and this is 8589934593",
        ),
        ("maxRequestBytes: 10MiB", ""),
        (
            "maxRequestBytes: 11MiB",
            "warning: etcd advises against requests larger than 10MiB, and this is 11MiB",
        ),
        ("maxRequestBytes: 2GiB", "error: 2GiB is more than a message of gRPC has room for"),
        ("heartbeatInterval: 500ms, electionTimeout: 5s", ""),
        ("heartbeatInterval: 100ms", ""),
        ("electionTimeout: 50s", ""),
        ("electionTimeout: 50001ms", "error: etcd refuses an election timeout above 50s, and this is 50s1ms"),
        (
            "heartbeatInterval: 201ms",
            "error: etcd refuses an election timeout (1s) below five heartbeats (201ms each)",
        ),
        (
            "heartbeatInterval: 200ms",
            "warning: an election timeout (1s) below ten heartbeats (200ms each) has members elect for little",
        ),
        (
            "electionTimeout: 499ms",
            "error: etcd refuses an election timeout (499ms) below five heartbeats (100ms each)",
        ),
        (
            "snapshotCount: 0",
            "error: etcd.tuning.snapshotCount: `0` is not a whole number from 1 to 4294967295",
        ),
        (
            "autoCompactionMode: revision",
            "error: `revision` says how history is forgotten, and nothing says how much is kept",
        ),
        (
            "autoCompactionMode: revision, autoCompactionRetention: 8h",
            "error: 8h is a length of time, and the mode is `revision`",
        ),
        (
            "autoCompactionMode: periodic, autoCompactionRetention: 8",
            "error: 8 is a number of revisions, and the mode is `periodic`",
        ),
        ("autoCompactionMode: revision, autoCompactionRetention: 8", ""),
        ("tlsMinVersion: TLS1.3", ""),
        (
            "tlsMinVersion: TLS1.3, tlsMaxVersion: TLS1.2",
            "error: etcd refuses a greatest TLS below the least one",
        ),
        (
            "tlsMinVersion: TLS1.3, cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
            "error: etcd refuses cipher suites without TLS 1.2: those of TLS 1.3 are fixed",
        ),
        (
            "cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]",
            "error: no suite is for the keys that bundles have, so nobody could speak TLS 1.2 to a member",
        ),
        (
            "cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]",
            "warning: HTTP/2, and so etcd's gRPC, demands a suite that is not listed (RFC 9113, 9.2.2)",
        ),
        (
            "cipherSuites: [TLS_RSA_WITH_RC4_128_SHA]",
            "error: etcd.tuning.cipherSuites[0]: `TLS_RSA_WITH_RC4_128_SHA` is not known",
        ),
        ("cipherSuites: []", "error: etcd.tuning.cipherSuites is empty"),
        (
            "quotaBackendBytes: 8GB",
            "error: etcd.tuning.quotaBackendBytes: `8GB` is not a size: its unit is not KiB, MiB, GiB or TiB",
        ),
        ("metrics: {port: 0}", "error: etcd.tuning.metrics.port: `0` is not a port: it is less than 1"),
    ] {
        assert_eq!(of(text), expected, "{text}");
    }
}

#[test]
fn defaults_follow_the_release() {
    let of = |version: &str| {
        let (plan, problems) = release(version, "");
        assert_eq!(problems, "", "{version}");
        let named = |argument: &String| {
            argument.contains("experimental") || argument.contains("gates") || argument.contains("watch")
        };
        arguments(&plan).into_iter().filter(named).collect::<Vec<_>>()
    };
    let old =
        ["--experimental-initial-corrupt-check=true", "--experimental-watch-progress-notify-interval=5s"];
    assert_eq!(of("3.4.10"), old[..1]);
    assert_eq!(of("3.4.11"), old);
    assert_eq!(of("3.4.23"), old);
    assert_eq!(of("3.5.1"), old);
    assert_eq!(
        of("3.6.0"),
        ["--feature-gates=InitialCorruptCheck=true", "--watch-progress-notify-interval=5s"]
    );
}

#[test]
fn probes_follow_the_release() {
    let of = |version: &str| {
        let (plan, _) = release(version, "");
        plan.hosts.values().next().unwrap().etcd.as_deref().unwrap().probes.paths().0
    };
    let health = "/health?exclude=NOSPACE&serializable=true";
    assert_eq!(["3.4.23", "3.5.10", "3.5.11", "3.6.8"].map(of), [health, health, "/livez", "/livez"]);
}

#[test]
fn gates_of_the_spec_come_beside_kubeadms() {
    let of = |gates: &str| more("3.6.8", &extra(&format!("feature-gates: \"{gates}\"")));
    assert_eq!(
        of("CompactHashCheck=true"),
        ["--feature-gates=InitialCorruptCheck=true,CompactHashCheck=true"]
    );
    assert_eq!(of("InitialCorruptCheck=false"), ["--feature-gates=InitialCorruptCheck=false"]);
}

#[test]
fn flags_by_release() {
    for (version, text, expected) in [
        ("3.4.23", "experimental-backend-bbolt-freelist-type: map", ""),
        (
            "3.4.23",
            "backend-bbolt-freelist-type: map",
            "error: etcd 3.4.23 does not know --backend-bbolt-freelist-type",
        ),
        ("3.5.1", "backend-bbolt-freelist-type: map", ""),
        ("3.5.1", "max-concurrent-streams: 9", "error: etcd 3.5.1 does not know --max-concurrent-streams"),
        ("3.5.5", "max-concurrent-streams: 9", ""),
        ("3.5.15", "compaction-batch-limit: 9", "error: etcd 3.5.15 does not know --compaction-batch-limit"),
        ("3.6.8", "compaction-batch-limit: 9", ""),
        ("3.6.8", "enable-v2: true", "error: etcd 3.6.8 does not know --enable-v2"),
        ("3.6.8", "max-txn-opps: 9", "error: etcd 3.6.8 does not know --max-txn-opps"),
        (
            "3.6.8",
            "experimental-compaction-batch-limit: 9",
            "warning: etcd.extraArgs.experimental-compaction-batch-limit: etcd 3.6 has a new name for this flag, 3.7 no longer the old",
        ),
        (
            "3.6.8",
            "experimental-initial-corrupt-check: true",
            "error: etcd.extraArgs.experimental-initial-corrupt-check: etcd 3.6 refuses it beside --feature-gates",
        ),
        (
            "3.6.8",
            "quota-backend-bytes: 9",
            "error: etcd.extraArgs.quota-backend-bytes: the spec has a field for this flag",
        ),
        ("3.6.8", "cert-file: /a", "error: etcd.extraArgs.cert-file: this flag is sealift's"),
        (
            "3.6.8",
            "max-txn-ops: many",
            "error: etcd.extraArgs.max-txn-ops: `many` is not a number that it takes",
        ),
        ("3.6.8", "bcrypt-cost: 32", "error: etcd.extraArgs.bcrypt-cost: `32` is not a number that it takes"),
        ("3.6.8", "pre-vote: yes-please", "error: etcd.extraArgs.pre-vote: `yes-please` is not a boolean"),
        (
            "3.6.8",
            "corrupt-check-time: 5",
            "error: etcd.extraArgs.corrupt-check-time: `5` is not a Go duration",
        ),
        ("3.6.8", "log-format: xml", "error: etcd.extraArgs.log-format: `xml` is not a word that it takes"),
        (
            "3.6.8",
            "feature-gates: A",
            "error: etcd.extraArgs.feature-gates: `A` is not a list of feature gates",
        ),
        (
            "3.6.8",
            "max-txn-ops: [1, 2]",
            "error: etcd.extraArgs.max-txn-ops: etcd takes one value of this flag",
        ),
        ("3.6.8", "log-outputs: [stderr, /var/log/etcd.log]", ""),
        (
            "3.6.8",
            "unsafe-no-fsync: true",
            "warning: etcd.extraArgs.unsafe-no-fsync: a member that loses power loses what it has promised to keep",
        ),
    ] {
        assert_eq!(told(version, &extra(text)).join("\n"), expected, "{version} {text}");
    }
}

#[test]
fn what_is_refused_is_told_with_its_line() {
    let (_, shown) = with(
        "  run: static-pod
  image: registry.k8s.io/etcd:3.4.23
  tuning:
    tlsMinVersion: TLS1.2
    electionTimeout: 400ms
  extraArgs:
    watch-progress-notify-interval: 5s
    initial-cluster-token: a
    listen-client-http-urls: http://0.0.0.0:1
    raft-read-timeout: 5s
    max-concurent-streams: 9
    zzz: 9
",
        "    etcd: {tuning: {electionTimeout: 2s}}\n",
    );
    assert_eq!(shown, include_str!("etcd.txt"));
}

#[test]
fn settings_in_every_form() {
    let (plan, problems) = release(
        "3.5.15",
        "  walDir: /srv/wal\n  token: prod\n  tuning: {quotaBackendBytes: 8GiB, autoCompactionRetention: 8h, \
         cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]}\n  \
         extraArgs: {pre-vote: \"true\", grpc-keepalive-timeout: 1m30s, socket-reuse-port: false, log-outputs: [stderr]}\n",
    );
    assert_eq!(problems, "");
    let member = plan.hosts.values().next().unwrap().etcd.as_deref().unwrap();
    let mut settings = member.settings();
    settings.extend(member.membership(&[member.local_url(), member.client_listener()]));
    let variables: Vec<String> =
        settings.iter().map(|setting| format!("{}={}", setting.variable(), setting.value())).collect();
    for expected in [
        "ETCD_QUOTA_BACKEND_BYTES=8589934592",
        "ETCD_WAL_DIR=/srv/wal/wal",
        "ETCD_INITIAL_CLUSTER_TOKEN=prod",
        "ETCD_LISTEN_CLIENT_URLS=https://127.0.0.1:2379,https://10.0.0.6:2379",
        "ETCD_CIPHER_SUITES=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ] {
        assert!(variables.iter().any(|variable| variable == expected), "{expected} in {variables:#?}");
    }
    let peers = "infra0=https://10.0.0.6:2380,infra1=https://10.0.0.7:2380,infra2=https://10.0.0.8:2380";
    assert_eq!(
        Value::Object(super::super::settings_document(&settings)),
        json!({
            "advertise-client-urls": "https://10.0.0.6:2379",
            "auto-compaction-retention": "8h",
            "cipher-suites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
            "client-transport-security": {
                "cert-file": "/etc/kubernetes/pki/etcd/server.crt",
                "client-cert-auth": true,
                "key-file": "/etc/kubernetes/pki/etcd/server.key",
                "trusted-ca-file": "/etc/kubernetes/pki/etcd/ca.crt",
            },
            "data-dir": "/var/lib/etcd",
            "experimental-initial-corrupt-check": true,
            "experimental-watch-progress-notify-interval": 5_000_000_000_i64,
            "grpc-keepalive-timeout": 90_000_000_000_i64,
            "initial-advertise-peer-urls": "https://10.0.0.6:2380",
            "initial-cluster": peers,
            "initial-cluster-state": "new",
            "initial-cluster-token": "prod",
            "listen-client-urls": "https://127.0.0.1:2379,https://10.0.0.6:2379",
            "listen-metrics-urls": "http://127.0.0.1:2381",
            "listen-peer-urls": "https://10.0.0.6:2380",
            "log-outputs": ["stderr"],
            "name": "infra0",
            "peer-transport-security": {
                "cert-file": "/etc/kubernetes/pki/etcd/peer.crt",
                "client-cert-auth": true,
                "key-file": "/etc/kubernetes/pki/etcd/peer.key",
                "trusted-ca-file": "/etc/kubernetes/pki/etcd/ca.crt",
            },
            "pre-vote": true,
            "quota-backend-bytes": 8_589_934_592_i64,
            "snapshot-count": 10_000,
            "socket-options": {"reuse-port": false},
            "wal-dir": "/srv/wal/wal",
        })
    );
}

/// Three stacked members of kubeadm with this in `etcd`: what kubeadm is told of them, and all problems.
fn stacked(etcd: &str, cp1: &str) -> (Value, Vec<String>) {
    let edits = [
        ("etcd: {run: static-pod}", format!("etcd:\n  run: static-pod\n{etcd}")),
        ("    apiAddress: 192.0.2.6\n", format!("    apiAddress: 192.0.2.6\n{cp1}")),
    ];
    let (plan, problems) = kubernetes::with(&edits.each_ref().map(|(from, to)| (*from, to.as_str())));
    let first = plan.hosts.values().find_map(|host| host.kubeadm.as_ref()).unwrap();
    let cluster = first.documents.iter().find(|document| document.map()["kind"] == "ClusterConfiguration");
    (cluster.unwrap().map()["etcd"]["local"].clone(), problems)
}

#[test]
fn kubeadm_is_told_of_stacked_members() {
    let (local, problems) = stacked(
        "  token: prod\n  walDir: /var/lib/etcd/wal\n  tuning: {maxWals: 3}\n  extraArgs: {log-outputs: [stderr, stdout]}\n",
        "",
    );
    assert_eq!(problems, [""; 0]);
    assert_eq!(
        local,
        json!({
            "dataDir": "/var/lib/etcd",
            "extraArgs": [
                {"name": "initial-cluster-token", "value": "prod"},
                {"name": "log-outputs", "value": "stderr,stdout"},
                {"name": "max-wals", "value": "3"},
                {"name": "wal-dir", "value": "/var/lib/etcd/wal/wal"},
            ],
        })
    );
    assert_eq!(stacked("", "").0, json!({"dataDir": "/var/lib/etcd"}));
}

#[test]
fn what_kubeadm_cannot_say_of_stacked_members() {
    let (_, problems) = stacked(
        "  walDir: /srv/wal\n  tuning: {metrics: {listen: host}}\n",
        "    etcd: {tuning: {maxWals: 3}, extraArgs: {pre-vote: true}}\n",
    );
    let same = "kubeadm gives all members of etcd on control planes the same flags, and these have different";
    let wal = "error etcd.walDir: kubeadm mounts nothing but /var/lib/etcd into etcd's pod, and /srv/wal is not in it";
    let metrics = format!("error etcd.tuning.metrics.listen: {same} --listen-metrics-urls");
    assert_eq!(
        problems,
        [
            wal.to_owned(),
            metrics,
            format!("error etcd.tuning.maxWals: {same} --max-wals"),
            format!("error etcd: {same} --pre-vote"),
        ]
    );
    let (_, problems) = stacked("  image: registry.k8s.io/etcd:3.5.9-0\n", "");
    assert_eq!(
        problems,
        ["error etcd.image: kubeadm of 1.36.2 probes etcd at /livez, which etcd 3.5.9 does not answer"]
    );
}
