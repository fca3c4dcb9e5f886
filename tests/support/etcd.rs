//! Machines with etcd on them: each a network namespace with its own address, on one bridge; etcd's
//! command from what is installed (see `etcd_command`), etcdctl's environment from the installed file.
//!
//! `SEALIFT_ETCD=/path/to/etcd` runs that etcd with the manifest's own flags. Without it Debian's is
//! run; what its old release does not know is mapped by [`known_to_3_4`] and nowhere else.

#![allow(
    clippy::disallowed_types,
    clippy::print_stderr,
    reason = "waits for processes, and passes on what they say"
)]

use super::etcd_command::{Installed, installed};
use super::example::{ADDRESSES, Built, HOSTS};
use super::network::{Network, bridge};
use super::{Ran, is_root, need, run, sealift, skip};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Set for the copy of this test that runs inside the namespaces.
const INSIDE: &str = "SEALIFT_TEST_IN_NAMESPACE";
/// How long a cluster may take to become healthy, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(1);

/// etcd 3.4 has these flags under other names. No address and no value changes.
pub(crate) fn known_to_3_4(flag: &str) -> String {
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
pub(crate) fn below(root: &Path, text: &str) -> String {
    ["/etc/kubernetes/", "/etc/etcd/", "/var/lib/etcd"]
        .into_iter()
        .fold(text.to_owned(), |text, path| text.replace(path, &format!("{}{path}", root.display())))
}

/// etcd and etcdctl, where the test `name` can run; none when it was skipped or has run in namespaces.
pub(crate) fn enter(name: &str) -> Option<(PathBuf, PathBuf)> {
    let etcdctl = need("etcdctl");
    let etcd = std::env::var_os("SEALIFT_ETCD").map(PathBuf::from).or_else(|| need("etcd"));
    enter_with(name, (etcd?, etcdctl?))
}

/// The same with chosen programs.
pub(crate) fn enter_with(name: &str, programs: (PathBuf, PathBuf)) -> Option<(PathBuf, PathBuf)> {
    let [Some(_), Some(_), Some(unshare)] = ["ip", "nsenter", "unshare"].map(need) else { return None };
    if std::env::var_os(INSIDE).is_none() {
        enter_namespaces(&unshare, name);
        return None;
    }
    Some(programs)
}

/// Runs this test again where it may have networks of its own. The kernel ends everything in that
/// process namespace with its first process, however this one ends.
fn enter_namespaces(unshare: &Path, name: &str) {
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
    command.args(&words).arg(own).args(["--exact", name]);
    let ran = run(command.args(["--nocapture", "--test-threads=1"]).env(INSIDE, "1")).expect_code(0);
    assert!(ran.stdout.contains("1 passed"), "{ran:#?}");
    // figures, for who asks with `--nocapture`
    eprint!("{}", ran.stderr);
}

/// A process that ends with its owner.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A machine: its root directory, its network, and etcd when it runs.
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    pub(crate) root: PathBuf,
    network: Network,
    pub(crate) etcd: Option<Process>,
}

impl Machine {
    /// A namespace whose `eth0` hangs on the bridge.
    fn new(name: &'static str, address: &'static str, root: PathBuf) -> Self {
        let network = Network::new("bridge", &format!("to-{name}"), address);
        Self { name, address, root, network, etcd: None }
    }

    /// A program on this machine's network.
    pub(crate) fn inside(&self, program: impl AsRef<Path>) -> Command {
        self.network.inside(program)
    }

    /// A flag with paths below the root; of a configuration file, a copy in which they are.
    fn flag(&self, flag: &str) -> String {
        let Some(path) = flag.strip_prefix("--config-file=") else { return below(&self.root, flag) };
        let text = fs::read_to_string(self.root.join(path.trim_start_matches('/'))).unwrap();
        let copy = self.root.join("etcd-config.yaml");
        fs::write(&copy, below(&self.root, &text)).unwrap();
        format!("--config-file={}", copy.display())
    }

    /// etcdctl with the installed environment and these variables more; an empty one is unset.
    pub(crate) fn etcdctl(&self, etcdctl: &Path, more: &[(&str, &str)], words: &[&str]) -> Ran {
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

    /// Ends its etcd as a container runtime does: with a signal, and time to hand over.
    pub(crate) fn stop(&mut self) {
        let Process(child) = self.etcd.as_mut().unwrap();
        let _ = run(Command::new("kill").args(["-TERM", &child.id().to_string()])).expect_code(0);
        child.wait().unwrap();
        self.etcd = None;
    }

    /// What its etcd said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.root.join("etcd.log")).unwrap_or_default()
    }
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(100));
    }
}

/// The cluster. Fields are dropped in this order: processes before their files.
pub(crate) struct Cluster {
    pub(crate) machines: Vec<Machine>,
    pub(crate) bundles: Built,
    etcd: PathBuf,
    pub(crate) etcdctl: PathBuf,
    /// Whether flags are mapped that 3.4 does not know.
    pub(crate) mapped: bool,
    /// Variables that members get when they start, beside what is installed.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
}

impl Cluster {
    pub(crate) fn new(spec: &str, (etcd, etcdctl): (PathBuf, PathBuf)) -> Self {
        bridge("bridge");
        let bundles = Built::of(spec);
        let machine = |(host, address)| Machine::new(host, address, bundles.root(host));
        let machines = HOSTS.into_iter().zip(ADDRESSES).map(machine).collect();
        let mapped = std::env::var_os("SEALIFT_ETCD").is_none();
        Self { machines, bundles, etcd, etcdctl, mapped, variables: Vec::new() }
    }

    /// One more machine, with nothing on it.
    pub(crate) fn add(&mut self, name: &'static str, address: &'static str) {
        self.machines.push(Machine::new(name, address, self.bundles.root(name)));
    }

    /// Another machine in the place of one, with nothing on it.
    pub(crate) fn replace(&mut self, number: usize) {
        let Machine { name, address, root, .. } = self.machines.remove(number);
        fs::remove_dir_all(&root).unwrap();
        // the kernel takes the other end away with the machine's network, when it gets to it
        let _ = run(Command::new("ip").args(["link", "delete", &format!("to-{name}")]));
        self.machines.insert(number, Machine::new(name, address, self.bundles.root(name)));
    }

    /// Installs every bundle on its machine.
    pub(crate) fn install(&self) {
        let trust = self.bundles.out().join("trust");
        for machine in &self.machines {
            let ran =
                self.bundles.install(machine.name, &machine.root, &["--trust", trust.to_str().unwrap()]);
            assert_eq!(ran.expect_code(0).stderr, "");
            let root = machine.root.to_str().unwrap();
            assert_eq!(sealift(["verify", "--root", root]).expect_code(0).stderr, "");
        }
    }

    /// Starts every member and waits until all are healthy.
    pub(crate) fn start(&mut self) {
        for number in 0..self.machines.len() {
            self.start_one(number);
        }
        let all_healthy = || self.healthy(0) == self.machines.len();
        let start = Instant::now();
        while !all_healthy() {
            let logs: Vec<_> = self.machines.iter().map(Machine::log).collect();
            assert!(start.elapsed() < PATIENCE, "not healthy within {PATIENCE:?}\n{}", logs.join("\n---\n"));
            sleep(Duration::from_millis(200));
        }
    }

    /// Starts one member.
    pub(crate) fn start_one(&mut self, number: usize) {
        let mapped = self.mapped;
        let machine = &mut self.machines[number];
        let Installed { flags, variables } = installed(&machine.root);
        let flags = flags.into_iter().map(|flag| if mapped { known_to_3_4(&flag) } else { flag });
        let flags: Vec<_> = flags.map(|flag| machine.flag(&flag)).collect();
        let variables = variables.iter().map(|(name, value)| (name, below(&machine.root, value)));
        let log =
            fs::OpenOptions::new().create(true).append(true).open(machine.root.join("etcd.log")).unwrap();
        let mut command = machine.inside(&self.etcd);
        command.args(flags).env_clear().envs(variables).envs(self.variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        machine.etcd = Some(Process(command.spawn().unwrap()));
    }

    /// etcdctl as installed, on one machine.
    pub(crate) fn ask(&self, number: usize, words: &[&str]) -> Ran {
        self.machines[number].etcdctl(&self.etcdctl, &[], words)
    }

    /// How many endpoints a machine finds healthy.
    pub(crate) fn healthy(&self, number: usize) -> usize {
        let ran = self.ask(number, &["endpoint", "health"]);
        (ran.stdout + &ran.stderr).matches(" is healthy: ").count()
    }

    /// Asks one member alone, from the first machine.
    pub(crate) fn through(&self, number: usize, words: &[&str]) -> Ran {
        let endpoint = format!("https://{}:2379", self.machines[number].address);
        self.machines[0].etcdctl(&self.etcdctl, &[("ETCDCTL_ENDPOINTS", &endpoint)], words)
    }
}
