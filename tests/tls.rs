//! TLS 1.3 between real programs with the files of installed roots: who may speak to whom, who not.
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
use support::example::{Built, replaced, today};
use support::opened::{File, Kubeconfig};
use support::stacked::{files, installed, spec};
use support::{need, run_with_input, temporary};

/// How long a server may take to start, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(1);

const PKI: &str = "etc/kubernetes/pki";

/// A certificate with its key and the authority that its owner checks others against.
#[derive(Clone)]
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    trusts: PathBuf,
}

impl Pair {
    /// Of an installed root, by the names of its files.
    fn installed(root: &Path, name: &str, trusts: &str) -> Self {
        let file = |suffix: &str| root.join(format!("{name}.{suffix}"));
        Self { certificate: file("crt"), key: file("key"), trusts: root.join(PKI).join(trusts) }
    }

    /// Of a kubeconfig.
    fn kubeconfig(directory: &Path, name: &str, contents: Vec<u8>) -> Self {
        let kubeconfig = Kubeconfig::parse(&File { mode: 0o600, sealed: true, contents });
        let write = |part: &str, bytes: Vec<u8>| {
            let path = directory.join(format!("{name}.{part}"));
            fs::write(&path, bytes).unwrap();
            path
        };
        Self {
            certificate: write("crt", kubeconfig.certificate()),
            key: write("key", kubeconfig.key()),
            trusts: write("ca", kubeconfig.authorities()),
        }
    }
}

/// `openssl s_server`, which demands a client's certificate and says each line backwards.
struct Server {
    process: Child,
    port: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(openssl: &Path, directory: &Path, pair: &Pair) -> Self {
        let log = directory.join("server.log");
        let mut command = Command::new(openssl);
        command.args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-tls1_3",
            "-rev",
            "-Verify",
            "1",
            "-verify_return_error",
        ]);
        command.args(["-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile"]).arg(&pair.trusts);
        command.arg("-cert").arg(&pair.certificate).arg("-key").arg(&pair.key);
        let said = fs::File::create(&log).unwrap();
        command.stdin(Stdio::null()).stderr(said.try_clone().unwrap()).stdout(said);
        let process = command.spawn().unwrap();
        let mut server = Self { process, port: String::new() };
        let end = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(&log).unwrap();
            let accepting = text.lines().find_map(|line| line.strip_prefix("ACCEPT "));
            if let Some((_, port)) =
                accepting.filter(|_| text.ends_with('\n')).and_then(|line| line.rsplit_once(':'))
            {
                port.clone_into(&mut server.port);
                return server;
            }
            assert!(Instant::now() < end && server.process.try_wait().unwrap().is_none(), "{text}");
            sleep(Duration::from_millis(5));
        }
    }

    /// What becomes of a client that looks for a name: an answer, or openssl's reason.
    fn asked(&self, openssl: &Path, client: Option<&Pair>, trusts: &Path, name: &str) -> String {
        let check = if name.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
        let mut command = Command::new(openssl);
        command.args(["s_client", "-connect", &format!("127.0.0.1:{}", self.port), "-tls1_3", "-quiet"]);
        command.args([
            "-verify_return_error",
            "-x509_strict",
            "-no-CApath",
            "-no-CAstore",
            check,
            name,
            "-CAfile",
        ]);
        command.arg(trusts);
        if let Some(pair) = client {
            command.arg("-cert").arg(&pair.certificate).arg("-key").arg(&pair.key);
        }
        let ran = run_with_input(&mut command, b"hello\nCLOSE\n");
        if ran.stdout.lines().any(|line| line == "olleh") {
            return "answer".to_owned();
        }
        let reasons = [
            "alert unknown ca",
            "alert unsupported certificate",
            "alert certificate required",
            "hostname mismatch",
            "IP address mismatch",
            "self-signed certificate in certificate chain",
        ];
        let reason = reasons.into_iter().find(|reason| ran.stderr.contains(reason));
        reason.map_or_else(|| format!("{ran:?}"), str::to_owned)
    }
}

/// Who asks, with which certificate, for which name, and what becomes of it.
type Conversation<'a> = (&'static str, Option<&'a Pair>, &'static str, &'static str);

/// Everything that speaks TLS in a cluster of a control plane and a worker.
struct Cluster {
    apiserver: Pair,
    kubelet_serving: Pair,
    etcd_server: Pair,
    etcd_peer: Pair,
    admin: Pair,
    kubelet: Pair,
    controller_manager: Pair,
    apiserver_kubelet_client: Pair,
    apiserver_etcd_client: Pair,
    healthcheck: Pair,
    front_proxy: Pair,
}

impl Cluster {
    fn new(directory: &Path, algorithm: &str) -> Self {
        let pki = format!("pki: {{algorithm: {algorithm}, serviceAccount: {{algorithm: ecdsa-p256}}}}\n");
        // kubeadm knows no Ed25519
        let spec = replaced(&spec("1.36.2", "static-pods", "", &pki), "2026-11-20T00:00:00Z", &today());
        let built = Built::of(&spec);
        for host in ["cp1", "w1"] {
            support::copy_tree(&installed(&built, host), &directory.join(host));
        }
        let (cp1, w1) = (directory.join("cp1"), directory.join("w1"));
        let of = |name: &str, trusts: &str| Pair::installed(&cp1, &format!("{PKI}/{name}"), trusts);
        let conf = |root: &Path, name: &str| {
            Pair::kubeconfig(
                directory,
                name,
                fs::read(root.join(format!("etc/kubernetes/{name}.conf"))).unwrap(),
            )
        };
        let admin = files(&built, "operator")["/etc/kubernetes/admin.conf"].contents.clone();
        Self {
            apiserver: of("apiserver", "ca.crt"),
            kubelet_serving: Pair::installed(&w1, "var/lib/kubelet/pki/kubelet", "ca.crt"),
            etcd_server: of("etcd/server", "etcd/ca.crt"),
            etcd_peer: of("etcd/peer", "etcd/ca.crt"),
            admin: Pair::kubeconfig(directory, "admin", admin),
            kubelet: conf(&w1, "kubelet"),
            controller_manager: conf(&cp1, "controller-manager"),
            apiserver_kubelet_client: of("apiserver-kubelet-client", "ca.crt"),
            apiserver_etcd_client: of("apiserver-etcd-client", "etcd/ca.crt"),
            healthcheck: of("etcd/healthcheck-client", "etcd/ca.crt"),
            front_proxy: of("front-proxy-client", "front-proxy-ca.crt"),
        }
    }

    /// What becomes of each client at each server.
    fn conversations(&self) -> Vec<(&Pair, Vec<Conversation<'_>>)> {
        let some = Some;
        vec![
            (
                &self.apiserver,
                vec![
                    ("admin", some(&self.admin), "api.prod.example", "answer"),
                    ("kubelet", some(&self.kubelet), "api.prod.example", "answer"),
                    ("controller manager", some(&self.controller_manager), "10.0.0.6", "answer"),
                    ("a pod's name", some(&self.admin), "kubernetes.default.svc.cluster.local", "answer"),
                    ("a pod's address", some(&self.admin), "10.96.0.1", "answer"),
                    ("no certificate", None, "cp1", "alert certificate required"),
                    ("an etcd client", some(&self.healthcheck), "cp1", "alert unknown ca"),
                    ("the front proxy", some(&self.front_proxy), "cp1", "alert unknown ca"),
                    ("apiserver.crt", some(&self.apiserver), "cp1", "alert unsupported certificate"),
                    ("kubelet.crt", some(&self.kubelet_serving), "cp1", "alert unsupported certificate"),
                    ("another name", some(&self.admin), "w1", "hostname mismatch"),
                    ("another address", some(&self.admin), "10.0.0.7", "IP address mismatch"),
                ],
            ),
            (
                &self.etcd_server,
                vec![
                    ("healthcheck", some(&self.healthcheck), "localhost", "answer"),
                    ("API server", some(&self.apiserver_etcd_client), "10.0.0.6", "answer"),
                    ("itself", some(&self.etcd_server), "127.0.0.1", "answer"),
                    ("admin", some(&self.admin), "cp1", "alert unknown ca"),
                    ("another name", some(&self.healthcheck), "api.prod.example", "hostname mismatch"),
                ],
            ),
            (
                &self.etcd_peer,
                vec![
                    ("a peer", some(&self.etcd_peer), "10.0.0.6", "answer"),
                    (
                        "the API server's kubelet client",
                        some(&self.apiserver_kubelet_client),
                        "cp1",
                        "alert unknown ca",
                    ),
                ],
            ),
            (
                &self.kubelet_serving,
                vec![
                    ("API server", some(&self.apiserver_kubelet_client), "w1", "answer"),
                    ("by address", some(&self.apiserver_kubelet_client), "10.0.0.7", "answer"),
                    ("an etcd client", some(&self.apiserver_etcd_client), "w1", "alert unknown ca"),
                    ("another node", some(&self.apiserver_kubelet_client), "cp1", "hostname mismatch"),
                ],
            ),
        ]
    }
}

#[test]
fn who_speaks_to_whom() {
    let Some(openssl) = need("openssl") else { return };
    for algorithm in ["ecdsa-p256", "ecdsa-p384", "ed25519"] {
        let directory = temporary();
        let cluster = Cluster::new(directory.path(), algorithm);
        for (pair, conversations) in cluster.conversations() {
            let server = Server::start(&openssl, directory.path(), pair);
            for (who, client, name, expected) in conversations {
                let found = server.asked(&openssl, client, &pair.trusts, name);
                assert_eq!(
                    found,
                    expected,
                    "{algorithm}: {who} asks {} as {name}",
                    pair.certificate.display()
                );
            }
            // a client that trusts another authority of the cluster
            let other =
                if pair.trusts.ends_with("etcd/ca.crt") { &cluster.apiserver } else { &cluster.etcd_server };
            let found = server.asked(&openssl, None, &other.trusts, "cp1");
            assert_eq!(
                found,
                "self-signed certificate in certificate chain",
                "{algorithm}: {}",
                pair.certificate.display()
            );
        }
    }
}
