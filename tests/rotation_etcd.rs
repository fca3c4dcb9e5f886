//! A rotation of etcd's CA in a running cluster, in the three steps of the runbook: nobody who follows
//! it is ever cut off. And the same without its first step, to see that this test would notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run programs and wait for them"
)]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};
use support::etcd::{Cluster, enter, eventually};
use support::example::{ADDRESSES, HOSTS, replaced, spec_of_today, test_only};
use support::{Ran, run, sealift};

/// What a member says that refuses a certificate, and a client that refuses a server's.
const UNKNOWN: &str = "certificate signed by unknown authority";
const PKI: &str = "etc/kubernetes/pki";
const RUNBOOK: &str = "etc/sealift/RUNBOOK.md";

/// The spec of one rollout.
fn spec(revision: u32, etcd_ca: &str) -> String {
    let text = replaced(&spec_of_today(), "  revision: 1\n", &format!("  revision: {revision}\n"));
    replaced(&text, "pki:\n", &format!("pki:\n  cas: {{etcd: {{{etcd_ca}}}}}\n"))
}

#[test]
fn no_write_fails_while_the_ca_of_etcd_is_replaced() {
    let Some(programs) = enter("no_write_fails_while_the_ca_of_etcd_is_replaced") else { return };
    let mut cluster = Cluster::new(&spec(1, "generation: 1"), programs);
    cluster.install();
    cluster.start();
    let operators = Operators::new(&cluster);
    operators.unpack(&cluster);
    let old = operators.start_api_server("old");
    let client = Writer::start(&cluster, old.clone(), Duration::from_secs(10));

    cluster.roll_out(2, "generation: 2, rotation: stage", &["static-pod/etcd"], Some(&client));
    let staged = operators.follow_runbook(&cluster, "stage");
    assert_eq!(staged.file("client.crt"), old.file("client.crt"), "stage trusts, and nothing else");
    assert!(staged.file("ca.crt").starts_with(&old.file("ca.crt")), "the old CA still stands first");
    client.restart_api_server(&staged);

    cluster.roll_out(3, "generation: 2, rotation: promote", &["static-pod/etcd"], Some(&client));
    let promoted = operators.follow_runbook(&cluster, "promote");
    assert_ne!(promoted.file("client.crt"), old.file("client.crt"));
    client.restart_api_server(&promoted);
    let by_old_pair = Certificates { ca: promoted.ca.clone(), ..old };
    let ran = cluster.put(&by_old_pair, ADDRESSES[1], "old-pair", "promote");
    assert_eq!(ran.stdout, "OK\n", "promote still trusts the old CA: {ran:#?}");

    cluster.roll_out(4, "generation: 2, rotation: retire", &["static-pod/etcd"], Some(&client));
    let retired = operators.follow_runbook(&cluster, "retire");
    assert_eq!(retired.file("client.crt"), promoted.file("client.crt"));
    client.restart_api_server(&retired);
    client.writes_through_every_member();

    let writes = client.stop();
    let failed: Vec<_> = writes.iter().filter(|write| !write.accepted).collect();
    assert!(failed.is_empty(), "{} of {} writes failed: {failed:#?}", failed.len(), writes.len());
    // a member that is down costs a client another attempt; a refused certificate must cost none
    let refused: Vec<_> =
        writes.iter().flat_map(|write| &write.reasons).filter(|said| of_tls(said)).collect();
    assert_eq!(refused, Vec::<&String>::new());
    cluster.holds_every(&writes);
    assert!(
        cluster.machines.iter().all(|machine| !machine.log().contains(UNKNOWN)),
        "a member refused another"
    );

    // the old pair is worth nothing now
    let by_old_pair = Certificates { ca: retired.ca.clone(), ..by_old_pair };
    for address in ADDRESSES {
        let ran = cluster.put(&by_old_pair, address, "old-pair", "retire");
        assert!(ran.code != 0 && !ran.stdout.contains("OK"), "{ran:#?}");
    }
    assert!(
        cluster.machines.iter().all(|machine| machine.log().contains(UNKNOWN)),
        "refused for another reason"
    );
    assert_eq!(cluster.through(0, &["get", "--print-value-only", "old-pair"]).stdout, "promote\n");

    // the end of a rotation restarts nothing and takes the runbook away
    cluster.roll_out(5, "generation: 2", &[], None);
    assert!(cluster.machines.iter().all(|machine| !machine.root.join(RUNBOOK).exists()));

    without_stage(&mut cluster, &retired);
}

/// To promote at once: the cluster is well afterwards, and who was not told beforehand is cut off.
fn without_stage(cluster: &mut Cluster, untold: &Certificates) {
    let client = Writer::start(cluster, untold.clone(), Duration::from_secs(4));
    eventually("a first write", || client.count() > 0);
    cluster.build(6, "generation: 3, rotation: promote");
    for number in 0..HOSTS.len() {
        assert_eq!(cluster.install_one(number), ["static-pod/etcd"]);
        cluster.restart(number);
    }
    eventually("three healthy members", || cluster.healthy(0) == HOSTS.len());
    let failures = |writes: &[Write]| writes.iter().filter(|write| !write.accepted).count();
    eventually("a failed write", || failures(&client.writes.lock().unwrap()) > 0);
    let writes = client.stop();
    let last = writes.last().unwrap();
    assert!(writes[0].accepted && !last.accepted, "{last:#?}");
    assert!(last.reasons.iter().all(|said| said.contains(UNKNOWN)), "{last:#?}");
}

/// Whether a client's complaint is about certificates.
fn of_tls(said: &str) -> bool {
    ["x509", "tls:", "certificate", "handshake failed"].iter().any(|word| said.contains(word))
}

impl Cluster {
    fn build(&self, revision: u32, etcd_ca: &str) {
        fs::write(self.bundles.path("sealift.yaml"), spec(revision, etcd_ca)).unwrap();
        let _ = self.bundles.build(&[]).expect_code(0);
    }

    /// Installs a machine's bundle and returns what must restart.
    fn install_one(&self, number: usize) -> Vec<String> {
        let machine = &self.machines[number];
        let ran = self.bundles.install(machine.name, &machine.root, &["--format", "json"]).expect_code(0);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["report"]["run"], json!([]));
        let _ = sealift(["verify", "--root", machine.root.to_str().unwrap()]).expect_code(0);
        serde_json::from_value(report["report"]["restart"].clone()).unwrap()
    }

    /// Ends a member as a container runtime does, with time to hand over, and starts it again.
    fn restart(&mut self, number: usize) {
        self.machines[number].stop();
        self.start_one(number);
    }

    /// The runbook of every host: install, restart what install names, wait for all members' health.
    fn roll_out(&mut self, revision: u32, etcd_ca: &str, restarts: &[&str], client: Option<&Writer>) {
        self.build(revision, etcd_ca);
        for (number, host) in HOSTS.iter().enumerate() {
            assert_eq!(self.healthy(number), HOSTS.len(), "healthy before {etcd_ca} on {host}");
            assert_eq!(self.install_one(number), restarts, "{etcd_ca}");
            if !restarts.is_empty() {
                let text = fs::read_to_string(self.machines[number].root.join(RUNBOOK)).unwrap();
                assert!(text.contains("restart_pod etcd\nuntil members_healthy"), "{text}");
                self.restart(number);
            }
            eventually("three healthy members", || self.healthy(number) == HOSTS.len());
            if let Some(client) = client {
                client.writes_through_every_member();
            }
        }
    }

    fn put(&self, certificates: &Certificates, address: &str, key: &str, value: &str) -> Ran {
        put(&mut self.machines[0].inside(&self.etcdctl), certificates, address, key, value)
    }

    /// What was accepted is there, through each member.
    fn holds_every(&self, writes: &[Write]) {
        let expected: String = writes.iter().map(|write| write.number.to_string() + "\n").collect();
        for number in 0..HOSTS.len() {
            let words = ["get", "--prefix", "write/", "--print-value-only", "--sort-by=CREATE"];
            assert_eq!(self.through(number, &words).expect_code(0).stdout, expected);
        }
    }
}

/// One attempt to write through one member, over a new connection.
fn put(etcdctl: &mut Command, certificates: &Certificates, address: &str, key: &str, value: &str) -> Ran {
    let Certificates { ca, pair } = certificates;
    etcdctl.env_clear().env("ETCDCTL_API", "3").arg(format!("--endpoints=https://{address}:2379"));
    etcdctl.args(["--debug", "--dial-timeout=2s", "--command-timeout=3s", "--cacert"]).arg(ca.join("ca.crt"));
    etcdctl.arg("--cert").arg(pair.join("client.crt")).arg("--key").arg(pair.join("client.key"));
    run(etcdctl.args(["put", key, value]))
}

/// What an API server read when it started: directories that nobody writes to again.
#[derive(Clone, Debug)]
struct Certificates {
    ca: PathBuf,
    pair: PathBuf,
}

impl Certificates {
    fn file(&self, name: &str) -> String {
        let directory = if name == "ca.crt" { &self.ca } else { &self.pair };
        fs::read_to_string(directory.join(name)).unwrap()
    }
}

/// Who has the operators' bundle, and the API servers that the spec does not know.
struct Operators {
    root: PathBuf,
    copies: PathBuf,
}

impl Operators {
    fn new(cluster: &Cluster) -> Self {
        let [root, copies] = ["operators", "copies"].map(|name| cluster.bundles.path(name));
        fs::create_dir(&root).unwrap();
        Self { root, copies }
    }

    fn unpack(&self, cluster: &Cluster) {
        let words: [&Path; 8] = [
            "install".as_ref(),
            &cluster.bundles.bundle("operator"),
            "-i".as_ref(),
            &test_only("operator.key"),
            "--root".as_ref(),
            &self.root,
            "--trust".as_ref(),
            &cluster.bundles.out().join("trust"),
        ];
        let _ = sealift(words).expect_code(0);
    }

    /// Copies what an API server reads, once and for all.
    fn start_api_server(&self, name: &str) -> Certificates {
        let copy = self.copies.join(name);
        fs::create_dir_all(&copy).unwrap();
        for (file, to) in [
            ("etcd/ca.crt", "ca.crt"),
            ("apiserver-etcd-client.crt", "client.crt"),
            ("apiserver-etcd-client.key", "client.key"),
        ] {
            fs::copy(self.root.join(PKI).join(file), copy.join(to)).unwrap();
        }
        Certificates { ca: copy.clone(), pair: copy }
    }

    /// When all members are done, API servers get what the operators' runbook says and restart.
    fn follow_runbook(&self, cluster: &Cluster, step: &str) -> Certificates {
        self.unpack(cluster);
        let text = fs::read_to_string(self.root.join(RUNBOOK)).unwrap();
        assert!(text.contains(&format!("## etcd's CA: {step}\n")), "{text}");
        assert!(text.contains("- `etcd/ca.crt` (`--etcd-cafile`)\n"), "{text}");
        assert_eq!(text.contains("- `apiserver-etcd-client.crt` (`--etcd-certfile`)\n"), step == "promote");
        assert!(text.contains("\n```sh\nrestart_pod kube-apiserver\n```\n"), "{text}");
        self.start_api_server(step)
    }
}

/// One write of the client.
#[derive(Clone, Debug)]
struct Write {
    number: usize,
    /// Whether a member accepted it in time.
    accepted: bool,
    /// What failed attempts said.
    reasons: Vec<String>,
}

/// A client that writes all the time, one value after the other, with what it read at its start. As a
/// client library does, it asks the next member when one does not answer; each attempt is a new
/// connection. A write has failed when no member accepts it within the client's patience.
struct Writer {
    certificates: Arc<Mutex<Certificates>>,
    writes: Arc<Mutex<Vec<Write>>>,
    end: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Writer {
    fn start(cluster: &Cluster, certificates: Certificates, patience: Duration) -> Self {
        let certificates = Arc::new(Mutex::new(certificates));
        let (writes, end) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let shared = (Arc::clone(&certificates), Arc::clone(&writes), Arc::clone(&end));
        // a command that enters the first machine's network, to be run again and again
        let command = cluster.machines[0].inside(&cluster.etcdctl);
        let program = command.get_program().to_owned();
        let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let etcdctl = move || {
            let mut again = Command::new(&program);
            again.args(&words);
            again
        };
        let thread = std::thread::spawn(move || {
            let (certificates, writes, end) = shared;
            for number in 0.. {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let write = write(number, &etcdctl, &certificates, patience);
                writes.lock().unwrap().push(write);
                sleep(Duration::from_millis(50));
            }
        });
        Self { certificates, writes, end, thread }
    }

    /// Waits for as many writes as there are members: each begins with another one.
    fn writes_through_every_member(&self) {
        let before = self.count();
        // the write that goes on may have begun earlier
        eventually("writes", || self.count() > before + HOSTS.len());
    }

    fn count(&self) -> usize {
        self.writes.lock().unwrap().len()
    }

    /// From now on it uses these.
    fn restart_api_server(&self, certificates: &Certificates) {
        *self.certificates.lock().unwrap() = certificates.clone();
    }

    fn stop(self) -> Vec<Write> {
        self.end.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        let writes = self.writes.lock().unwrap();
        writes.clone()
    }
}

/// One write, through one member after the other until one accepts it.
fn write(
    number: usize,
    etcdctl: &impl Fn() -> Command,
    certificates: &Mutex<Certificates>,
    patience: Duration,
) -> Write {
    let start = Instant::now();
    let mut reasons = Vec::new();
    // each begins with another member, so that all are asked
    for address in ADDRESSES.into_iter().cycle().skip(number % ADDRESSES.len()) {
        if start.elapsed() > patience {
            break;
        }
        let used = certificates.lock().unwrap().clone();
        let ran = put(&mut etcdctl(), &used, address, &format!("write/{number:06}"), &number.to_string());
        if ran.code == 0 {
            return Write { number, accepted: true, reasons };
        }
        reasons.push(ran.stderr);
    }
    Write { number, accepted: false, reasons }
}
