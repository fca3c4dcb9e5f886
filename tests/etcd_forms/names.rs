//! Members that are reached by name: what etcd makes of it, and that an address may change.

use super::forms::{is_healthy, spec};
use crate::support::archive::members;
use crate::support::etcd::{Cluster, enter_with, eventually};
use crate::support::etcd_programs::{Release, debian, distro};
use crate::support::example::{HOSTS, replaced};
use crate::support::{need, run};
use std::fs;
use std::process::Command;

#[test]
fn with_3_4() {
    is_a_cluster("names::with_3_4", debian());
}

#[test]
fn with_3_5() {
    is_a_cluster("names::with_3_5", distro());
}

/// Binds a file over `/etc/hosts` of this mount namespace; none other sees it.
struct Names(std::path::PathBuf);

impl Names {
    fn new(file: std::path::PathBuf) -> Self {
        let names = Self(file);
        names.are("10.0.0.6 infra0\n10.0.0.7 etcd1.example\n10.0.0.8 infra2\n");
        let bound = run(Command::new("mount").arg("--bind").arg(&names.0).arg("/etc/hosts"));
        let _ = bound.expect_code(0);
        names
    }

    /// In place, since the file is bound.
    fn are(&self, lines: &str) {
        fs::write(&self.0, format!("127.0.0.1 localhost\n::1 localhost\n{lines}")).unwrap();
    }
}

/// Gives the third machine another address, on its network and in the spec.
fn moves(cluster: &Cluster, spec: &str) {
    let machine = &cluster.machines[2];
    for words in [["del", "10.0.0.8/24"], ["add", "10.0.0.9/24"]] {
        let _ = run(machine.inside("ip").arg("address").args(words).args(["dev", "eth0"])).expect_code(0);
    }
    let before = HOSTS.map(|host| members(&cluster.bundles.bundle(host)));
    let spec = replaced(&replaced(spec, "revision: 1", "revision: 2"), "10.0.0.8", "10.0.0.9");
    fs::write(cluster.bundles.path("sealift.yaml"), spec).unwrap();
    let _ = cluster.bundles.build(&[]).expect_code(0);
    let _ = cluster.bundles.install(machine.name, &machine.root, &[]).expect_code(0);
    let after = HOSTS.map(|host| members(&cluster.bundles.bundle(host)));
    let changed = |number: usize| {
        let files = before[number].iter().zip(&after[number]);
        let files = files.filter(|(before, _)| before.name.starts_with("files/"));
        files.filter(|(before, after)| before != after).map(|(before, _)| before.name.clone()).collect()
    };
    let changed: [Vec<String>; 3] = [0, 1, 2].map(changed);
    let listeners = ["files/etc/kubernetes/kubeadm/config.yaml", "files/etc/kubernetes/manifests/etcd.yaml"];
    assert_eq!(changed, [vec![], vec![], listeners.map(str::to_owned).to_vec()]);
}

fn is_a_cluster(name: &str, release: Option<Release>) {
    let Some(Release { version, programs }) = release else { return };
    let Some(_) = need("getent") else { return };
    let Some(programs) = enter_with(name, programs) else { return };
    let text = spec(&format!("run: static-pod\n  version: {version}\n  urls: name"));
    let text = replaced(&text, "  infra1:\n", "  infra1:\n    etcdName: etcd1.example\n");
    let mut cluster = Cluster::new(&text, programs);
    cluster.mapped = false;
    let names = Names::new(cluster.bundles.path("hosts"));
    cluster.install();
    cluster.start();
    for number in 0..HOSTS.len() {
        is_healthy(&cluster, number);
    }
    let list = cluster.ask(1, &["member", "list"]).expect_code(0).stdout;
    assert!(list.contains("started, infra1, https://etcd1.example:2380, https://etcd1.example:2379, false"));

    // a peer whose name leads elsewhere is refused (listener_tls.go, `checkCertSAN`)
    cluster.machines[2].stop();
    names.are("10.0.0.6 infra0\n10.0.0.7 etcd1.example\n10.0.0.99 infra2\n");
    cluster.start_one(2);
    let refused = "\"10.0.0.8\" does not match any of DNSNames";
    let refused = |text: String| text.replace('\\', "").contains(refused);
    eventually("a refusal", || refused(cluster.machines[0].log()) || refused(cluster.machines[1].log()));
    let told = cluster.machines[0].health(&["sh"], &cluster.etcdctl).expect_code(2).stdout;
    assert!(told.contains("critical: infra2 (https://infra2:2379) is not healthy: "), "{told}");

    // a machine with a new address: etcd listens there; certificates, and all other hosts, stay as they are
    cluster.machines[2].stop();
    moves(&cluster, &text);
    names.are("10.0.0.6 infra0\n10.0.0.7 etcd1.example\n10.0.0.9 infra2\n");
    cluster.start_one(2);
    eventually("three healthy members", || cluster.healthy(0) == HOSTS.len());
    is_healthy(&cluster, 0);

    // a name that nobody knows
    names.are("10.0.0.7 etcd1.example\n10.0.0.9 infra2\n");
    let told = cluster.machines[1].health(&["sh"], &cluster.etcdctl).expect_code(2).stdout;
    assert!(told.starts_with("critical: infra0 does not resolve on this host\n"), "{told}");
    // Debian's installer gives a host's own name to 127.0.1.1
    names.are("127.0.1.1 infra0\n10.0.0.7 etcd1.example\n10.0.0.9 infra2\n");
    let told = cluster.machines[1].health(&["sh"], &cluster.etcdctl).stdout;
    let line = "warning: infra0 resolves to 127.0.1.1 on this host, where no other host reaches it";
    assert!(told.lines().any(|told| told == line), "{told}");
}
