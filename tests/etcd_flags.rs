//! Real etcd starts with every field of `tuning` and with flags of its own release, given as arguments,
//! as variables and in its configuration file: it knows each of them, and takes the value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run programs and wait for them"
)]

mod support;

use sealift::plan::{Facts, Setting, plan, settings_document};
use sealift::spec;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::archive::members;
use support::etcd::Process;
use support::example::{Built, replaced};
use support::{need, run, temporary};

/// How long a member alone may take to become healthy, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(1);

const TUNING: &str = "autoCompactionMode: periodic, autoCompactionRetention: 8h, quotaBackendBytes: 4GiB, \
    maxRequestBytes: 2MiB, heartbeatInterval: 50ms, electionTimeout: 500ms, snapshotCount: 5000, maxSnapshots: 3, \
    maxWals: 3, metrics: {listen: loopback, level: extensive}, logLevel: info, \
    cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, \
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, \
    TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, \
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA]";

/// Fields that a release knows from some patch release on.
const TLS: &str = ", tlsMinVersion: TLS1.2, tlsMaxVersion: TLS1.3";

/// What every release knows.
const FLAGS: &str = "auth-token: simple, auth-token-ttl: 200, backend-batch-interval: 90ms, backend-batch-limit: 9000, \
    bcrypt-cost: 11, cors: \"*\", enable-grpc-gateway: true, enable-pprof: true, grpc-keepalive-interval: 1h, \
    grpc-keepalive-min-time: 6s, grpc-keepalive-timeout: 21s, host-whitelist: \"*\", initial-election-tick-advance: true, \
    log-outputs: [stderr], logger: zap, max-txn-ops: 200, pre-vote: true, strict-reconfig-check: true, \
    unsafe-no-fsync: true";
/// What those before 3.6 know, and 3.6 warns of.
const EXPERIMENTAL: &str = ", experimental-compaction-batch-limit: 900, experimental-corrupt-check-time: 1h, \
    experimental-enable-lease-checkpoint: true, experimental-peer-skip-client-san-verification: false, \
    experimental-warning-apply-duration: 150ms, experimental-watch-progress-notify-interval: 6s, enable-v2: false";
const OF_4: &str = ", experimental-backend-bbolt-freelist-type: map, experimental-enable-lease-checkpoint-persist: true, \
    max-concurrent-streams: 900";
const OF_5: &str = ", backend-bbolt-freelist-type: map, enable-log-rotation: false, experimental-bootstrap-defrag-threshold-megabytes: 9, \
    experimental-downgrade-check-time: 6s, experimental-memory-mlock: false, experimental-txn-mode-write-with-shared-buffer: true, \
    experimental-enable-distributed-tracing: false, experimental-distributed-tracing-address: \"127.0.0.1:4317\", \
    experimental-distributed-tracing-service-name: etcd, experimental-distributed-tracing-instance-id: a, \
    log-rotation-config-json: '{\"maxsize\": 90}', socket-reuse-address: true, socket-reuse-port: true, v2-deprecation: not-yet";
const OF_6: &str = ", backend-bbolt-freelist-type: map, bootstrap-defrag-threshold-megabytes: 9, compact-hash-check-time: 2m, \
    compaction-batch-limit: 900, compaction-sleep-interval: 11ms, corrupt-check-time: 1h, downgrade-check-time: 6s, \
    feature-gates: \"CompactHashCheck=true,LeaseCheckpoint=true\", log-format: json, max-concurrent-streams: 900, \
    max-learners: 2, memory-mlock: false, snapshot-catchup-entries: 4000, socket-reuse-port: true, \
    warning-apply-duration: 150ms, warning-unary-request-duration: 400ms, watch-progress-notify-interval: 6s";
/// What the configuration file has no word for.
const NOT_IN_FILE: &str = ", raft-read-timeout: 6s, raft-write-timeout: 6s";

/// `3.MINOR.PATCH` of a program.
fn version(etcd: &Path) -> (u32, u32) {
    let ran = run(Command::new(etcd).arg("--version")).expect_code(0);
    let version = ran.stdout.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers[0], 3, "{version}");
    (numbers[1], numbers[2])
}

/// All that sealift tells the example's first member of this release, on loopback, without certificates.
fn settings((minor, patch): (u32, u32), directory: &Path, in_file: bool) -> Vec<Setting> {
    let known_tls = minor == 6 || (minor == 5 && patch >= 8) || (minor == 4 && patch >= 25);
    let own = match minor {
        4 => format!("{EXPERIMENTAL}{OF_4}"),
        5 => format!("{EXPERIMENTAL}{OF_5}"),
        _ => OF_6.to_owned(),
    };
    let flags = if in_file || minor == 4 { own } else { format!("{own}{NOT_IN_FILE}") };
    let tls = if known_tls { TLS } else { "" };
    let etcd = format!(
        "  image: registry.k8s.io/etcd:3.{minor}.{patch}-0\n  token: prod\n  walDir: /srv/etcd/wal\n  dataDir: /srv/etcd/data\n  \
         tuning: {{{TUNING}{tls}}}\n  extraArgs: {{{FLAGS}{flags}}}\n"
    );
    let text =
        replaced(&support::example::spec(), "  run: static-pod\n", &format!("  run: static-pod\n{etcd}"));
    let loaded = spec::load(&text);
    assert!(!loaded.has_errors(), "{:#?}", loaded.problems);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    let fsync =
        "etcd.extraArgs.unsafe-no-fsync: a member that loses power loses what it has promised to keep";
    assert_eq!(messages, [fsync]);
    let member = plan.hosts.values().next().unwrap().etcd.as_deref().unwrap();
    let mut settings = member.settings();
    settings.extend(member.membership(&[member.client_listener()]));
    settings
        .retain(|setting| !setting.name.ends_with("-file") && !setting.name.ends_with("client-cert-auth"));
    let [client, peer, metrics] = [(); 3].map(|()| format!("http://127.0.0.1:{}", free_port()));
    for setting in &mut settings {
        let value = match setting.name.as_str() {
            "advertise-client-urls" | "listen-client-urls" => client.clone(),
            "initial-advertise-peer-urls" | "listen-peer-urls" => peer.clone(),
            "data-dir" | "wal-dir" => setting.value().replace("/srv/etcd", &directory.display().to_string()),
            "initial-cluster" => format!("infra0={peer}"),
            "listen-metrics-urls" => metrics.clone(),
            _ => continue,
        };
        setting.values = vec![value];
    }
    settings
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a member answers at `/health`; nothing when it does not listen yet.
fn health(url: &str) -> String {
    let mut answer = String::new();
    let Ok(mut stream) = TcpStream::connect(url.trim_start_matches("http://")) else { return answer };
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let asked =
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_string(&mut answer));
    asked.map(|_| answer).unwrap_or_default()
}

/// Starts etcd and waits until it says that it is healthy.
fn healthy(mut command: Command, settings: &[Setting], log: &Path) {
    let output = fs::File::create(log).unwrap();
    command
        .env_remove("ETCD_CONFIG_FILE")
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    let mut etcd = Process(command.spawn().unwrap());
    let metrics = settings.iter().find(|setting| setting.name == "listen-metrics-urls").unwrap().value();
    let begin = Instant::now();
    let text = || fs::read_to_string(log).unwrap();
    loop {
        if health(&metrics).contains("\"health\":\"true\"") {
            break;
        }
        assert!(etcd.0.try_wait().unwrap().is_none(), "etcd ended: {}", text());
        assert!(begin.elapsed() < PATIENCE, "etcd is not healthy: {}", text());
        sleep(Duration::from_millis(200));
    }
    for bad in
        ["flag provided but not defined", "unrecognized environment variable", "conflicting environment"]
    {
        assert!(!text().contains(bad), "{}", text());
    }
}

/// Every flag that a program's help names.
fn helped(etcd: &Path) -> BTreeSet<String> {
    let ran = run(Command::new(etcd).arg("--help"));
    let text = ran.stdout + &ran.stderr;
    let flags = text.lines().filter_map(|line| line.strip_prefix("  --"));
    flags.map(|line| line.split([' ', '=']).next().unwrap().to_owned()).collect()
}

/// Whether a program knows a flag: it names the first one that it does not.
fn knows(etcd: &Path, flag: &str) -> bool {
    let ran = run(Command::new(etcd).args([format!("--{flag}=0"), "--sealift-knows-no-such".to_owned()]));
    let text = ran.stdout + &ran.stderr;
    assert!(text.contains("flag"), "{text}");
    !text.contains(&format!("flag provided but not defined: -{flag}\n"))
}

/// Those of some flags that sealift says etcd of a release does not know.
fn unknown((minor, patch): (u32, u32), flags: &BTreeSet<String>) -> BTreeSet<String> {
    let lines: String = flags.iter().flat_map(|flag| ["    ", flag, ": 0\n"]).collect();
    let etcd = format!(
        "  run: static-pod\n  image: registry.k8s.io/etcd:3.{minor}.{patch}-0\n  extraArgs:\n{lines}"
    );
    let loaded = spec::load(&replaced(&support::example::spec(), "  run: static-pod\n", &etcd));
    assert!(!loaded.has_errors(), "{:#?}", loaded.problems);
    let (_, problems) = plan(&loaded.spec, &Facts::default());
    let said = format!("etcd 3.{minor}.{patch} does not know --");
    let unknown = problems.iter().filter_map(|problem| problem.message.strip_prefix(&said));
    unknown.map(str::to_owned).collect()
}

/// For each flag that either program's help names, sealift and both programs say the same.
#[test]
fn each_release_knows_its_flags() {
    let (Some(old), Some(new)) = (need("etcd"), need("etcd-3.5")) else { return };
    let mut flags = helped(&old);
    flags.extend(helped(&new));
    // what help does not name
    flags.extend(
        ["listen-client-http-urls", "log-output", "feature-gates", "raft-read-timeout"].map(str::to_owned),
    );
    assert!(flags.len() > 90, "{flags:?}");
    // what is sealift's is refused before any release is looked at
    let refused = ["listen-client-http-urls", "self-signed-cert-validity"];
    for (etcd, refused) in [(old, &refused[..]), (new, &refused[..1])] {
        let theirs: BTreeSet<String> = flags.iter().filter(|flag| !knows(&etcd, flag)).cloned().collect();
        let ours = unknown(version(&etcd), &flags);
        assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), [""; 0], "{}", etcd.display());
        assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), refused, "{}", etcd.display());
    }
}

/// The manifest, and what kubeadm is told to write the same, say the same.
#[test]
fn pods_have_tuning_volumes_and_probes_that_fit() {
    let etcd = "  run: static-pod\n  token: prod\n  walDir: /srv/wal\n  tuning: {maxWals: 3, metrics: {listen: host, port: 2382}}\n  extraArgs: {pre-vote: false}\n";
    let built = Built::of(&replaced(&support::example::spec(), "  run: static-pod\n", etcd));
    let files: BTreeMap<String, String> = members(&built.bundle("infra0"))
        .into_iter()
        .map(|member| (member.name, String::from_utf8_lossy(&member.contents).into_owned()))
        .collect();
    let manifest = spec::yaml::document(&files["files/etc/kubernetes/manifests/etcd.yaml"]).unwrap();
    let container = &manifest["spec"]["containers"][0];
    let more = [
        "--initial-cluster-token=prod",
        "--listen-metrics-urls=http://127.0.0.1:2382,http://10.0.0.6:2382",
        "--max-wals=3",
        "--pre-vote=false",
        "--wal-dir=/srv/wal/wal",
    ];
    for flag in more {
        assert!(container["command"].as_array().unwrap().contains(&flag.into()), "{flag} in {container:#}");
    }
    assert_eq!(container["ports"], json!([{"containerPort": 2382, "name": "probe-port", "protocol": "TCP"}]));
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        assert_eq!(container[probe]["httpGet"]["host"], "127.0.0.1");
        assert_eq!(container[probe]["httpGet"]["port"], "probe-port");
    }
    assert_eq!(container["volumeMounts"][2], json!({"mountPath": "/srv/wal", "name": "etcd-wal"}));
    let volume = json!({"hostPath": {"path": "/srv/wal", "type": "DirectoryOrCreate"}, "name": "etcd-wal"});
    assert_eq!(manifest["spec"]["volumes"][2], volume);
    let config = &files["files/etc/kubernetes/kubeadm/config.yaml"];
    for flag in more {
        let (name, value) = flag.trim_start_matches("--").split_once('=').unwrap();
        let value = if value == "3" || value == "false" { format!("\"{value}\"") } else { value.to_owned() };
        let argument = format!("    - name: {name}\n      value: {value}\n");
        assert!(config.contains(&argument), "{argument} in {config}");
    }
}

fn takes_all(etcd: &Path) {
    let version = version(etcd);
    let directory = temporary();
    let here = |form: &str| directory.path().join(form);
    let log = here("log");

    let all = settings(version, &here("arguments"), false);
    let mut command = Command::new(etcd);
    command.args(all.iter().map(Setting::argument));
    fs::create_dir(here("arguments")).unwrap();
    healthy(command, &all, &log);

    let all = settings(version, &here("variables"), false);
    let mut command = Command::new(etcd);
    command.envs(all.iter().map(|setting| (setting.variable(), setting.value())));
    fs::create_dir(here("variables")).unwrap();
    healthy(command, &all, &log);

    let all = settings(version, &here("file"), true);
    let file = here("etcd.yaml");
    fs::write(&file, serde_json::to_string(&settings_document(&all)).unwrap()).unwrap();
    let mut command = Command::new(etcd);
    command.arg("--config-file").arg(&file);
    fs::create_dir(here("file")).unwrap();
    healthy(command, &all, &log);
    // that it took them from the file: the one effect that a member shows of each kind
    assert!(here("file").join("wal").is_dir() && here("file").join("data").is_dir());
}

#[test]
fn etcd_3_4_takes_all() {
    if let Some(etcd) = need("etcd") {
        takes_all(&etcd);
    }
}

#[test]
fn etcd_3_5_takes_all() {
    if let Some(etcd) = need("etcd-3.5") {
        takes_all(&etcd);
    }
}

#[test]
fn the_etcd_of_the_environment_takes_all() {
    if let Some(etcd) = std::env::var_os("SEALIFT_ETCD") {
        takes_all(Path::new(&etcd));
    }
}
