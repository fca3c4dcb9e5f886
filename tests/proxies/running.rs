//! Both proxies from what was installed, before three API servers that are lost and come back, each on a
//! machine of its own.
//!
//! The figures are printed (`cargo test --test proxies -- --nocapture`) and stand in docs/load-balancers.md.

#![allow(clippy::disallowed_types, clippy::print_stderr, reason = "measures how long things take")]

use crate::support::etcd::{Process, enter_with, eventually};
use crate::support::example::{Built, today};
use crate::support::network::{Network, bridge, ip};
use crate::support::stacked::installed_by;
use crate::support::{need, repository, run};
use crate::{ADDRESSES, HOSTS, spec};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// A request: when it began, how long it took, in seconds, and who answered, if anybody did.
#[derive(Clone, Debug)]
struct Request {
    begin: f64,
    took: f64,
    who: Result<String, String>,
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Someone who asks all the time.
struct Client {
    _process: Process,
    log: PathBuf,
}

impl Client {
    fn new(python: &Path, machine: &Network, port: u32, ca: &Path, log: PathBuf) -> Self {
        let script = repository("tests/data/proxies/client.py");
        let mut command = machine.inside(python);
        command.arg(script).args(["127.0.0.1", &port.to_string()]).arg(ca);
        let child = command.stdout(fs::File::create(&log).unwrap()).spawn().unwrap();
        Self { _process: Process(child), log }
    }

    /// The requests that began between two times.
    fn between(&self, from: f64, to: f64) -> Vec<Request> {
        let text = fs::read_to_string(&self.log).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let read = whole.lines().map(|line| {
            let mut words = line.splitn(3, ' ');
            let mut number = || words.next().unwrap().parse().unwrap();
            let (begin, took) = (number(), number());
            let said = words.next().unwrap();
            let who =
                said.strip_prefix("- ").map_or_else(|| Ok(said.to_owned()), |error| Err(error.to_owned()));
            Request { begin, took, who }
        });
        read.filter(|request| request.begin >= from && request.begin < to).collect()
    }

    /// How many of these had this answer.
    fn answers(&self, from: f64, to: f64, name: &str) -> usize {
        self.between(from, to).iter().filter(|request| request.who.as_deref() == Ok(name)).count()
    }

    /// Waits until an answer comes from there; seconds since a time.
    fn back(&self, since: f64, name: &str) -> f64 {
        eventually(&format!("{name} is back"), || self.answers(since, f64::MAX, name) > 0);
        let all = self.between(since, f64::MAX);
        all.iter().find(|request| request.who.as_deref() == Ok(name)).unwrap().begin - since
    }
}

/// The machines, and what runs on them. Fields are dropped in this order.
struct World {
    servers: [Option<Process>; 3],
    _proxies: [Process; 2],
    machines: Vec<Network>,
    built: Built,
    python: PathBuf,
}

impl World {
    fn new([python, nginx, haproxy]: [&Path; 3]) -> Self {
        bridge("bridge");
        let balancers = ["kind: nginx, on: load-balancer", "kind: haproxy, on: load-balancer, port: 9443"];
        let built = Built::of(&spec(&today(), &balancers, false));
        for (number, host) in HOSTS.into_iter().enumerate() {
            let _ = installed_by(&built, host, u8::try_from(number).unwrap());
        }
        let machine = |(host, address): (&str, &str)| Network::new("bridge", &format!("to-{host}"), address);
        let machines: Vec<_> = HOSTS.into_iter().zip(ADDRESSES).map(machine).collect();
        let root = built.root("lb1");
        let start = |program: &Path, arguments: &[&str]| {
            let own = "set -e; mkdir -p /etc/nginx /etc/haproxy
                mount --bind \"$ROOT/etc/nginx\" /etc/nginx; mount --bind \"$ROOT/etc/haproxy\" /etc/haproxy
                mount -t tmpfs none /run; mkdir /run/haproxy; exec \"$@\"";
            let mut command = machines[3].inside("unshare");
            command.args(["--mount", "sh", "-c", own, "sh"]).arg(program).args(arguments).env("ROOT", &root);
            let name = program.file_name().unwrap().to_str().unwrap();
            let log = fs::File::create(built.path(&format!("{name}.log"))).unwrap();
            Process(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap())
        };
        let proxies = [
            start(nginx, &["-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"]),
            start(haproxy, &["-Ws", "-f", "/etc/haproxy/haproxy.cfg", "-p", "/run/haproxy.pid"]),
        ];
        Self { servers: [None, None, None], _proxies: proxies, machines, built, python: python.to_owned() }
    }

    /// Starts an API server, with the certificate from its bundle or another one.
    fn start(&mut self, number: usize, certificate: Option<&Path>) {
        let root = self.built.root(HOSTS[number]);
        let ready = self.ready(number, 200);
        let pki = root.join("etc/kubernetes/pki");
        let (certificate, key) = certificate.map_or_else(
            || (pki.join("apiserver.crt"), pki.join("apiserver.key")),
            |other| (other.join("tls.crt"), other.join("tls.key")),
        );
        let mut command = self.machines[number].inside(&self.python);
        command.arg(repository("tests/data/proxies/server.py"));
        command.args([ADDRESSES[number], "6443", HOSTS[number]]).args([&certificate, &key, &ready]);
        self.servers[number] = Some(Process(command.stdin(Stdio::null()).spawn().unwrap()));
    }

    /// What an API server says of itself.
    fn ready(&self, number: usize, code: u16) -> PathBuf {
        let path = self.built.path(&format!("{}.ready", HOSTS[number]));
        let new = path.with_extension("new");
        fs::write(&new, code.to_string()).unwrap();
        fs::rename(new, &path).unwrap();
        path
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.built.path(&format!("{name}.log"))).unwrap()
    }

    /// A certificate with all the names, by an authority of its own.
    fn stranger(&self) -> PathBuf {
        let directory = self.built.path("stranger");
        fs::create_dir(&directory).unwrap();
        let names = "subjectAltName=DNS:kubernetes,IP:10.0.0.8";
        let words =
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=kube-apiserver";
        let mut command = Command::new("openssl");
        command.args(words.split(' ')).args(["-addext", names]).current_dir(&directory);
        let _ = run(command.args(["-keyout", "tls.key", "-out", "tls.crt"])).expect_code(0);
        directory
    }
}

/// What went wrong of these, and the longest of those that did not.
fn told(requests: &[Request]) -> (usize, f64) {
    let failed = requests.iter().filter(|request| request.who.is_err()).count();
    (failed, requests.iter().map(|request| request.took).fold(0.0, f64::max))
}

#[track_caller]
fn assert_none_failed(what: &str, requests: &[Request]) {
    let failed: Vec<_> = requests.iter().filter(|request| request.who.is_err()).take(3).collect();
    assert!(failed.is_empty() && requests.len() > 20, "{what}: {} asked, failed {failed:?}", requests.len());
}

fn wait(seconds: u64) {
    sleep(Duration::from_secs(seconds));
}

#[test]
fn connections_are_spread_and_follow_api_servers_that_die_and_come_back() {
    let needed = ["python3", "nginx", "haproxy", "openssl"].map(need);
    let [Some(python), Some(nginx), Some(haproxy), Some(_)] = needed else { return };
    let name = "running::connections_are_spread_and_follow_api_servers_that_die_and_come_back";
    if enter_with(name, (nginx.clone(), haproxy.clone())).is_none() {
        return;
    }
    let mut world = World::new([&python, &nginx, &haproxy]);
    let stranger = world.stranger();
    world.start(0, None);
    world.start(1, None);
    // cp3 has every name, and a certificate of somebody else's
    world.start(2, Some(&stranger));
    let root = world.built.root("lb1");
    let ca = root.join("etc/kubernetes/pki/ca.crt");
    eventually("haproxy has found cp3 out", || world.log("haproxy").contains("/cp3 is DOWN"));
    let client = |world: &World, name: &str, port| {
        Client::new(&python, &world.machines[3], port, &ca, world.built.path(&format!("{name}.requests")))
    };
    let by_haproxy = client(&world, "haproxy", 9443);
    eventually("two are served", || {
        ["cp1", "cp2"].iter().all(|name| by_haproxy.answers(0.0, f64::MAX, name) > 0)
    });
    let both = now();
    wait(5);
    assert_none_failed("haproxy, a stranger among three", &by_haproxy.between(both, now() - 1.0));
    let came = now();
    world.servers[2] = None;
    world.start(2, None);
    eprintln!("haproxy: a new one has its first connection after {:.1} s", by_haproxy.back(came, "cp3"));

    // all three, by both
    let by_nginx = client(&world, "nginx", 8443);
    let clients = [("nginx", by_nginx), ("haproxy", by_haproxy)];
    eventually("nginx serves", || clients[0].1.answers(0.0, f64::MAX, "cp3") > 0);
    let calm = now();
    wait(5);
    for (name, client) in &clients {
        let shares = ["cp1", "cp2", "cp3"].map(|host| client.answers(calm, now(), host));
        let all: usize = shares.iter().sum();
        assert!(shares.iter().all(|share| share * 10 > all), "{name}: {shares:?}");
        eprintln!("{name}: shares of {all} connections: {shares:?}");
        assert_none_failed(name, &client.between(calm, now() - 1.0));
    }

    // one is killed: its port refuses
    let killed = now();
    world.servers[0] = None;
    wait(15);
    let settled = killed + 10.0;
    for (name, client) in &clients {
        let (failed, longest) = told(&client.between(killed - 0.2, settled));
        eprintln!("{name}: killed: {failed} failed within 10 s, the longest took {longest:.2} s");
        assert_none_failed(name, &client.between(settled, now() - 2.0));
    }
    let back = now();
    world.start(0, None);
    for (name, client) in &clients {
        let after = client.back(back, "cp1");
        eprintln!("{name}: taken back after {after:.1} s");
        assert!(after < 15.0, "{name}: {after}");
    }

    // one vanishes: nothing answers any more
    let vanished = now();
    ip(&["link", "set", "to-cp2", "down"]);
    wait(35);
    for (name, client) in &clients {
        let requests = client.between(vanished, vanished + 15.0);
        let (failed, longest) = told(&requests);
        let slow = requests.iter().filter(|request| request.took > 1.0);
        let last = slow.map(|request| request.begin - vanished).fold(0.0, f64::max);
        eprintln!(
            "{name}: vanished: {failed} failed, the longest took {longest:.2} s, the last slow one began after {last:.1} s"
        );
        assert_none_failed(name, &client.between(settled_after(vanished), now() - 5.0));
    }
    let back = now();
    ip(&["link", "set", "to-cp2", "up"]);
    for (name, client) in &clients {
        let after = client.back(back, "cp2");
        eprintln!("{name}: taken back after {after:.1} s");
        assert!(after < 25.0, "{name}: {after}");
    }

    // one says that it is not ready: haproxy asks, nginx does not
    let unready = now();
    let _ = world.ready(2, 500);
    wait(15);
    assert_eq!(clients[1].1.answers(unready + 12.0, now(), "cp3"), 0, "{}", world.log("haproxy"));
    assert!(clients[0].1.answers(unready + 12.0, now(), "cp3") > 0);
    assert_none_failed("haproxy, one is not ready", &clients[1].1.between(unready, now() - 1.0));
    let last = clients[1].1.between(unready, now());
    let last = last.iter().filter(|request| request.who.as_deref() == Ok("cp3")).map(|request| request.begin);
    eprintln!("haproxy: not ready: its last connection after {:.1} s", last.fold(0.0, f64::max) - unready);
    let ready = now();
    let _ = world.ready(2, 200);
    let after = clients[1].1.back(ready, "cp3");
    eprintln!("haproxy: ready again: taken back after {after:.1} s");
    assert!(after < 10.0, "{after}");
}

/// When all has come to rest after something was lost.
fn settled_after(lost: f64) -> f64 {
    lost + 20.0
}
