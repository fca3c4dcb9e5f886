//! A real etcd cluster from installed bundles: three machines, each a network namespace with its
//! own address, on one bridge; etcd's flags from the installed static-pod manifests, etcdctl's
//! environment from the installed file.
//!
//! `SEALIFT_ETCD=/path/to/etcd` runs that etcd with the manifest's own flags. Without it Debian's is
//! run; what its old release does not know is mapped by [`known_to_3_4`] and nowhere else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run programs and wait for them"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::example::{ADDRESSES, Built, HOSTS, spec_of_today};
use support::{Ran, is_root, need, run, skip};

/// Set for the copy of this test that runs inside the namespaces.
const INSIDE: &str = "SEALIFT_TEST_IN_NAMESPACE";
/// How long a cluster may take to become healthy, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(1);

/// etcd 3.4 has these flags under other names. No address and no value changes.
fn known_to_3_4(flag: &str) -> String {
    match flag {
        "--feature-gates=InitialCorruptCheck=true" => "--experimental-initial-corrupt-check=true".to_owned(),
        "--watch-progress-notify-interval=5s" => {
            "--experimental-watch-progress-notify-interval=5s".to_owned()
        }
        other => other.to_owned(),
    }
}

/// The same file below a root directory: etcd and etcdctl run without a container, so that paths of
/// the host mean this machine's.
fn below(root: &Path, text: &str) -> String {
    text.replace("/etc/kubernetes/", &format!("{}/etc/kubernetes/", root.display()))
        .replace("/var/lib/etcd", &format!("{}/var/lib/etcd", root.display()))
}

/// Three etcd processes and the cluster that they make.
#[test]
fn three_installed_bundles_are_a_working_cluster() {
    let tools = ["etcdctl", "ip", "nsenter", "unshare"].map(need);
    let etcd = std::env::var_os("SEALIFT_ETCD").map(PathBuf::from).or_else(|| need("etcd"));
    let ([Some(etcdctl), Some(_), Some(_), Some(unshare)], Some(etcd)) = (tools, etcd) else { return };
    if std::env::var_os(INSIDE).is_none() {
        return enter_namespaces(&unshare);
    }
    let mut cluster = Cluster::new(etcd, etcdctl);
    cluster.install();
    cluster.start();
    cluster.asks_for_health_and_members();
    cluster.writes_through_one_member_and_reads_through_another();
    cluster.refuses_strangers();
    cluster.goes_on_without_one_member();
    cluster.takes_it_back();
}

/// Runs this test again where it may have networks of its own. The kernel ends everything in that
/// process namespace with its first process, however this one ends.
fn enter_namespaces(unshare: &Path) {
    let mut words = vec!["--net", "--pid", "--mount-proc", "--fork", "--kill-child=KILL"];
    if !is_root() {
        words.push("--map-root-user");
    }
    let probe =
        run(Command::new(unshare).args(&words).args(["ip", "link", "add", "probe", "type", "bridge"]));
    if probe.code != 0 {
        return skip(&format!("no network namespaces with bridges here: {}", probe.stderr.trim()));
    }
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new(unshare);
    command.args(&words).arg(own).args(["--exact", "three_installed_bundles_are_a_working_cluster"]);
    let ran = run(command.args(["--nocapture", "--test-threads=1"]).env(INSIDE, "1")).expect_code(0);
    assert!(ran.stdout.contains("1 passed"), "{ran:#?}");
}

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A machine: its root directory, its network, and etcd when it runs.
struct Machine {
    name: &'static str,
    root: PathBuf,
    network: Process,
    etcd: Option<Process>,
}

impl Machine {
    /// A namespace whose `eth0` hangs on the bridge.
    fn new(number: usize, root: PathBuf) -> Self {
        let name = HOSTS[number];
        let holder = Command::new("unshare").args(["--net", "sleep", "infinity"]).spawn().unwrap();
        let machine = Self { name, root, network: Process(holder), etcd: None };
        let process = machine.network.0.id().to_string();
        // unshare has its new network when it has become sleep
        let program = format!("/proc/{process}/comm");
        eventually("a network namespace", || {
            fs::read_to_string(&program).is_ok_and(|comm| comm == "sleep\n")
        });
        let bridge_end = format!("to-{name}");
        ip(&["link", "add", &bridge_end, "type", "veth", "peer", "name", "eth0", "netns", &process]);
        ip(&["link", "set", &bridge_end, "master", "bridge", "up"]);
        let address = format!("{}/24", ADDRESSES[number]);
        machine.inside("ip").args(["address", "add", &address, "dev", "eth0"]).status().unwrap();
        for link in ["lo", "eth0"] {
            let _ = run(machine.inside("ip").args(["link", "set", link, "up"])).expect_code(0);
        }
        machine
    }

    /// A program on this machine's network.
    fn inside(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &self.network.0.id().to_string(), "--"]).arg(program.as_ref());
        command
    }

    /// etcd's command line in the installed manifest.
    fn flags(&self) -> Vec<String> {
        let manifest = fs::read_to_string(self.root.join("etc/kubernetes/manifests/etcd.yaml")).unwrap();
        let pod = sealift::spec::yaml::document(&manifest).unwrap();
        let command = pod["spec"]["containers"][0]["command"].as_array().unwrap();
        assert_eq!(command[0], "etcd");
        command[1..].iter().map(|flag| flag.as_str().unwrap().to_owned()).collect()
    }

    /// etcdctl with the installed environment and these variables more; an empty one is unset.
    fn etcdctl(&self, etcdctl: &Path, more: &[(&str, &str)], words: &[&str]) -> Ran {
        let text = fs::read_to_string(self.root.join("etc/etcd/etcdctl.env")).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut command = self.inside(etcdctl);
        command.env_clear().env("ETCDCTL_API", "3").env("PATH", "/usr/bin:/bin");
        for line in lines {
            let (name, value) = line.split_once('=').unwrap();
            command.env(name, below(&self.root, value));
        }
        for (name, value) in more {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        run(command.args(words))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.root.join("etcd.log")).unwrap_or_default()
    }
}

#[track_caller]
fn ip(words: &[&str]) {
    let _ = run(Command::new("ip").args(words)).expect_code(0);
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(100));
    }
}

/// The cluster. Fields are dropped in this order: processes before their files.
struct Cluster {
    machines: Vec<Machine>,
    bundles: Built,
    etcd: PathBuf,
    etcdctl: PathBuf,
}

impl Cluster {
    fn new(etcd: PathBuf, etcdctl: PathBuf) -> Self {
        ip(&["link", "add", "bridge", "type", "bridge"]);
        ip(&["link", "set", "bridge", "up"]);
        let bundles = Built::of(&spec_of_today());
        let machine = |(number, host)| Machine::new(number, bundles.root(host));
        let machines = HOSTS.into_iter().enumerate().map(machine).collect();
        Self { machines, bundles, etcd, etcdctl }
    }

    fn install(&self) {
        let trust = self.bundles.out().join("trust");
        for machine in &self.machines {
            let ran =
                self.bundles.install(machine.name, &machine.root, &["--trust", trust.to_str().unwrap()]);
            assert_eq!(ran.expect_code(0).stderr, "");
            let root = machine.root.to_str().unwrap();
            assert_eq!(support::sealift(["verify", "--root", root]).expect_code(0).stderr, "");
        }
    }

    fn start(&mut self) {
        for number in 0..self.machines.len() {
            self.start_one(number);
        }
        let all_healthy = || self.healthy(0) == HOSTS.len();
        let start = Instant::now();
        while !all_healthy() {
            let logs: Vec<_> = self.machines.iter().map(Machine::log).collect();
            assert!(start.elapsed() < PATIENCE, "not healthy within {PATIENCE:?}\n{}", logs.join("\n---\n"));
            sleep(Duration::from_millis(200));
        }
    }

    fn start_one(&mut self, number: usize) {
        let mapped = std::env::var_os("SEALIFT_ETCD").is_none();
        let machine = &mut self.machines[number];
        let flags = machine.flags().into_iter().map(|flag| {
            let flag = if mapped { known_to_3_4(&flag) } else { flag };
            below(&machine.root, &flag)
        });
        let flags: Vec<_> = flags.collect();
        let log =
            fs::OpenOptions::new().create(true).append(true).open(machine.root.join("etcd.log")).unwrap();
        let mut command = machine.inside(&self.etcd);
        command.args(flags).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        machine.etcd = Some(Process(command.spawn().unwrap()));
    }

    fn ask(&self, number: usize, words: &[&str]) -> Ran {
        self.machines[number].etcdctl(&self.etcdctl, &[], words)
    }

    /// How many endpoints a machine finds healthy.
    fn healthy(&self, number: usize) -> usize {
        let ran = self.ask(number, &["endpoint", "health"]);
        (ran.stdout + &ran.stderr).matches(" is healthy: ").count()
    }

    fn asks_for_health_and_members(&self) {
        for number in 0..HOSTS.len() {
            let health = self.ask(number, &["endpoint", "health"]).expect_code(0);
            for address in ADDRESSES {
                let line = format!("https://{address}:2379 is healthy: successfully committed proposal");
                assert!((health.stdout.clone() + &health.stderr).contains(&line), "{health:#?}");
            }
            let list = self.ask(number, &["member", "list"]).expect_code(0).stdout;
            let mut members: Vec<_> = list.lines().map(|line| line.split_once(", ").unwrap().1).collect();
            members.sort_unstable();
            let line = |number: usize| {
                let (name, address) = (HOSTS[number], ADDRESSES[number]);
                format!("started, {name}, https://{address}:2380, https://{address}:2379, false")
            };
            assert_eq!(members, [line(0), line(1), line(2)]);
        }
    }

    /// Asks one member alone.
    fn through(&self, number: usize, words: &[&str]) -> Ran {
        let endpoint = format!("https://{}:2379", ADDRESSES[number]);
        self.machines[0].etcdctl(&self.etcdctl, &[("ETCDCTL_ENDPOINTS", &endpoint)], words)
    }

    fn writes_through_one_member_and_reads_through_another(&self) {
        assert_eq!(self.through(0, &["put", "key", "value"]).expect_code(0).stdout, "OK\n");
        for number in 0..HOSTS.len() {
            assert_eq!(self.through(number, &["get", "key"]).expect_code(0).stdout, "key\nvalue\n");
        }
    }

    /// Without a certificate, and with one of another CA.
    fn refuses_strangers(&self) {
        let words = ["--dial-timeout=3s", "--command-timeout=5s", "get", "key"];
        let without = [("ETCDCTL_CERT", ""), ("ETCDCTL_KEY", "")];
        let ran = self.machines[0].etcdctl(&self.etcdctl, &without, &words);
        assert!(ran.code != 0 && !ran.stdout.contains("value"), "{ran:#?}");
        let refused = |log: &str| log.contains("tls: client didn't provide a certificate");
        assert!(self.machines.iter().any(|machine| refused(&machine.log())), "refused for another reason");

        let strangers =
            support::example::replaced(&spec_of_today(), "pki:\n", "pki:\n  cas: {etcd: {generation: 2}}\n");
        let strangers = Built::of(&strangers);
        let root = strangers.root("infra0");
        let trust = strangers.out().join("trust");
        let _ = strangers.install("infra0", &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
        let file = |name: &str| format!("{}/etc/kubernetes/pki/etcd/{name}", root.display());
        let (certificate, key) = (file("healthcheck-client.crt"), file("healthcheck-client.key"));
        let other = [("ETCDCTL_CERT", certificate.as_str()), ("ETCDCTL_KEY", key.as_str())];
        let ran = self.machines[0].etcdctl(&self.etcdctl, &other, &words);
        assert!(ran.code != 0 && !ran.stdout.contains("value"), "{ran:#?}");
        let unknown = |log: &str| log.contains("certificate signed by unknown authority");
        assert!(self.machines.iter().any(|machine| unknown(&machine.log())), "refused for another reason");
    }

    fn goes_on_without_one_member(&mut self) {
        self.machines[2].etcd = None;
        eventually("two healthy members", || self.healthy(0) == 2);
        eventually("a write through the rest", || self.through(0, &["put", "key", "later"]).code == 0);
        assert_eq!(self.through(1, &["get", "key"]).expect_code(0).stdout, "key\nlater\n");
        assert_ne!(self.through(2, &["--dial-timeout=2s", "--command-timeout=3s", "get", "key"]).code, 0);
    }

    fn takes_it_back(&mut self) {
        self.start_one(2);
        eventually("three healthy members", || self.healthy(0) == 3);
        assert_eq!(self.through(2, &["get", "key"]).expect_code(0).stdout, "key\nlater\n");
        // a running member leaves its host as it should be
        let root = self.machines[2].root.to_str().unwrap();
        let _ = support::sealift(["verify", "--root", root]).expect_code(0);
    }
}
