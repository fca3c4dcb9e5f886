//! etcd runs as the pods of a `StatefulSet` would run it: each in a network namespace of its own, with the
//! arguments and variables of the built manifest, the Secrets where they are mounted, and the names of
//! the pods in a hosts file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]
#![allow(clippy::disallowed_types, reason = "waits for processes")]

mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::etcd::{Process, enter, eventually, known_to_3_4};
use support::example::{Built, replaced, today};
use support::network::{Network, bridge};
use support::opened::Files;
use support::stateful_set::{Pod, files, objects, pods, spec, stateful_set, text};
use support::{Ran, run, temporary};

/// A pod's address.
fn address(number: usize) -> String {
    format!("10.0.0.{}", 10 + number)
}

/// A pod that runs: its network, its volumes below a directory, its etcd.
struct Running {
    pod: Pod,
    root: PathBuf,
    network: Network,
    etcd: Option<Process>,
}

impl Running {
    fn new(number: usize, pod: Pod, root: PathBuf) -> Self {
        fs::create_dir_all(root.join("var/lib/etcd")).unwrap();
        let network = Network::new("pods", &format!("pod{number}"), &address(number));
        Self { pod, root, network, etcd: None }
    }

    /// Paths of the pod are below its root here.
    fn here(&self, text: &str) -> String {
        let root = self.root.display();
        text.replace("/var/lib/etcd", &format!("{root}/var/lib/etcd"))
            .replace("/etc/etcd/tls", &format!("{root}/etc/etcd/tls"))
    }

    fn start(&mut self, etcd: &Path) {
        let mapped = std::env::var_os("SEALIFT_ETCD").is_none();
        let arguments = self.pod.arguments.iter();
        let arguments: Vec<_> = arguments
            .map(|flag| self.here(&if mapped { known_to_3_4(flag) } else { flag.clone() }))
            .collect();
        let log = fs::OpenOptions::new().create(true).append(true).open(self.root.join("log")).unwrap();
        let mut command = self.network.inside(etcd);
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.etcd = Some(Process(command.spawn().unwrap()));
    }

    /// etcdctl as `kubectl exec` finds it.
    fn etcdctl(&self, etcdctl: &Path, words: &[&str]) -> Ran {
        let mut command = self.network.inside(etcdctl);
        command.env_clear().env("ETCDCTL_API", "3");
        for (name, value) in self.pod.environment.iter().filter(|(name, _)| name.starts_with("ETCDCTL_")) {
            command.env(name, self.here(value));
        }
        run(command.args(words))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.root.join("log")).unwrap_or_default()
    }

    /// What a probe finds.
    fn probe(&self, path: &str) -> Ran {
        let url = format!("http://127.0.0.1:8080{path}");
        run(self.network.inside("curl").args(["--silent", "--show-error", "--fail", "--noproxy", "*", &url]))
    }
}

/// The Secrets as the kubelet mounts them into a pod.
fn mount_secrets(files: &Files, root: &Path) {
    let set = stateful_set(files);
    let pod = &set["spec"]["template"]["spec"];
    let secrets = objects(files, "10-secrets.yaml");
    for mount in pod["containers"][0]["volumeMounts"].as_array().unwrap() {
        let volumes = pod["volumes"].as_array().unwrap();
        let Some(volume) = volumes.iter().find(|volume| volume["name"] == mount["name"]) else {
            continue; // a claim
        };
        let name = text(volume, "/secret/secretName");
        let secret = secrets.iter().find(|secret| secret["metadata"]["name"] == name).unwrap();
        let at = root.join(text(mount, "/mountPath").trim_start_matches('/'));
        fs::create_dir_all(&at).unwrap();
        for (key, value) in secret["data"].as_object().unwrap() {
            fs::write(at.join(key), BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap();
        }
    }
}

/// Pods on one bridge, whose names `/etc/hosts` has.
struct Cluster {
    pods: Vec<Running>,
    etcdctl: PathBuf,
}

impl Cluster {
    fn of(files: &Files, directory: &Path, etcdctl: PathBuf) -> Self {
        bridge("pods");
        let pods: Vec<_> = pods(files).into_iter().enumerate().collect();
        let mut names = String::from("127.0.0.1 localhost\n");
        for (number, pod) in &pods {
            let [name] = support::stateful_set::hosts(pod.flag("advertise-client-urls")).try_into().unwrap();
            writeln!(names, "{} {name}", address(*number)).unwrap();
        }
        let hosts = directory.join("hosts");
        fs::write(&hosts, names).unwrap();
        // of this test's mount namespace alone
        let _ = run(Command::new("mount").arg("--bind").arg(&hosts).arg("/etc/hosts")).expect_code(0);
        let pods = pods.into_iter().map(|(number, pod)| {
            let root = directory.join(&pod.name);
            mount_secrets(files, &root);
            Running::new(number, pod, root)
        });
        Self { pods: pods.collect(), etcdctl }
    }

    fn ask(&self, number: usize, words: &[&str]) -> Ran {
        self.pods[number].etcdctl(&self.etcdctl, words)
    }

    #[track_caller]
    fn wait_for(&self, healthy: usize) {
        let count = || {
            let ran = self.ask(0, &["endpoint", "health", "--cluster"]);
            (ran.stdout + &ran.stderr).matches(" is healthy: ").count()
        };
        let logs = || self.pods.iter().map(Running::log).collect::<Vec<_>>().join("\n---\n");
        let start = std::time::Instant::now();
        while count() != healthy {
            assert!(start.elapsed().as_secs() < 60, "not healthy within a minute\n{}", logs());
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }
}

#[test]
fn pods_form_a_cluster() {
    let Some((etcd, etcdctl)) = enter("pods_form_a_cluster") else { return };
    let of = "name: db, namespace: data, replicas: 3";
    let spec =
        replaced(&spec("1.36.2", of, "  clusterDomain: k8s.example\n", ""), "2026-11-20T00:00:00Z", &today());
    let built = Built::of(&spec);
    let directory = temporary();
    let mut cluster = Cluster::of(&files(&built), directory.path(), etcdctl);
    for pod in &mut cluster.pods {
        pod.start(&etcd);
    }
    cluster.wait_for(3);
    let members = cluster.ask(1, &["member", "list"]).expect_code(0).stdout;
    for pod in &cluster.pods {
        let [peer] = [pod.pod.flag("initial-advertise-peer-urls")];
        assert!(members.contains(&format!(", started, {}, {peer}, ", pod.pod.name)), "{members}");
    }
    let _ = cluster.ask(0, &["put", "a", "b"]).expect_code(0);
    assert_eq!(cluster.ask(2, &["get", "a"]).expect_code(0).stdout, "a\nb\n");
    for pod in &cluster.pods {
        assert_eq!(pod.probe("/health").expect_code(0).stdout, "{\"health\":\"true\"}");
    }
    // a member that ends comes back with what it has
    cluster.pods[1].etcd = None;
    cluster.wait_for(2);
    let _ = cluster.ask(0, &["put", "c", "d"]).expect_code(0);
    cluster.pods[1].start(&etcd);
    cluster.wait_for(3);
    assert_eq!(cluster.ask(1, &["get", "c"]).expect_code(0).stdout, "c\nd\n");
    nobody_without_a_certificate(&cluster);
}

fn nobody_without_a_certificate(cluster: &Cluster) {
    let pod = &cluster.pods[0];
    let mut command = pod.network.inside(&cluster.etcdctl);
    command.env_clear().env("ETCDCTL_API", "3");
    let authority = pod.here("/etc/etcd/tls/client/ca.crt");
    let words = ["--endpoints", "https://localhost:2379", "--cacert", &authority, "get", "a"];
    assert_ne!(run(command.args(["--dial-timeout=3s", "--command-timeout=3s"]).args(words)).code, 0);
}

/// The README's way from three to four, to the letter of its etcdctl commands; nobody else restarts.
#[test]
fn a_pod_more_joins() {
    let Some((etcd, etcdctl)) = enter("a_pod_more_joins") else { return };
    let with = |of: &str, revision: &str| {
        let text = replaced(&spec("1.36.2", of, "", ""), "2026-11-20T00:00:00Z", &today());
        files(&Built::of(&replaced(&text, "revision: 1", revision)))
    };
    let three = with("replicas: 3", "revision: 1");
    let four = with("replicas: 4, state: existing", "revision: 2");
    let directory = temporary();
    // the namespaces and names of all four are there; three run as the first build says
    let mut cluster = Cluster::of(&four, directory.path(), etcdctl);
    for (pod, first) in cluster.pods.iter_mut().zip(pods(&three)) {
        pod.pod = first;
        mount_secrets(&three, &pod.root);
    }
    for number in 0..3 {
        cluster.pods[number].start(&etcd);
    }
    cluster.wait_for(3);
    let _ = cluster.ask(0, &["put", "a", "b"]).expect_code(0);
    // 10-secrets.yaml, then `member add`, then 30-statefulset.yaml
    for number in 0..3 {
        mount_secrets(&four, &cluster.pods[number].root.clone());
    }
    let peer = cluster.pods[3].pod.flag("initial-advertise-peer-urls").to_owned();
    let urls = format!("--peer-urls={peer}");
    let readme = four[&format!("{}/README.md", support::stateful_set::DIRECTORY)].text();
    let written = "member add \"etcd-$N\" --learner \\\n  --peer-urls=\"https://etcd-$N.etcd.default.svc.cluster.local:2380\"";
    assert!(readme.contains(written));
    assert_eq!(peer, "https://etcd-3.etcd.default.svc.cluster.local:2380");
    // a cluster that has just begun says `unhealthy cluster`, as the README says
    let add = ["member", "add", "etcd-3", "--learner", &urls];
    eventually("etcd-3 is known", || cluster.ask(0, &add).code == 0);
    cluster.pods[3].start(&etcd);
    let id = || {
        let list = cluster.ask(0, &["member", "list"]).expect_code(0).stdout;
        let line = list.lines().find(|line| line.contains(", started, etcd-3, ")).map(str::to_owned);
        line.map(|line| line.split_once(',').unwrap().0.to_owned())
    };
    eventually("etcd-3 joins", || id().is_some());
    let id = id().unwrap();
    eventually("it is in step", || cluster.ask(0, &["member", "promote", &id]).code == 0);
    cluster.wait_for(4);
    assert_eq!(cluster.ask(3, &["get", "a"]).expect_code(0).stdout, "a\nb\n");
    // pods that restart later have the new list, and it means nothing to them
    cluster.pods[0].etcd = None;
    cluster.pods[0].pod = pods(&four).remove(0);
    cluster.pods[0].start(&etcd);
    cluster.wait_for(4);
}
