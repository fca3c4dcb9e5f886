//! Members of a running etcd are replaced, join and leave, to the letter of the runbooks, while a client
//! writes: nothing that was acknowledged is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run programs and wait for them"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;
use support::etcd::{Cluster, below, enter_with, eventually};
use support::etcd_programs::{Release, debian, distro, given};
use support::example::{replaced, spec_of_today};
use support::opened::{machine, machine_file};
use support::run;

const RUNBOOK: &str = "etc/sealift/RUNBOOK.md";
/// How many writes are the least that a change must have stood.
const WRITES: usize = 200;

/// The example in one form, at a revision.
fn three(form: &str, revision: u32) -> String {
    let text = replaced(&spec_of_today(), "  revision: 1\n", &format!("  revision: {revision}\n"));
    replaced(&text, "  run: static-pod\n", &format!("  {form}\n"))
}

fn host(name: &str, address: &str, key: u8) -> String {
    let recipient = machine(key).to_public();
    format!(
        "  {name}:\n    addresses: [{address}]\n    roles: [etcd]\n    recipients: [{recipient}]\n    etcd: {{state: existing}}\n"
    )
}

/// Two more members.
fn five(form: &str) -> String {
    three(form, 1) + &host("infra3", "10.0.0.9", 3) + &host("infra4", "10.0.0.10", 4)
}

/// Another machine in the place of the second.
fn replacing(form: &str) -> String {
    let text = three(form, 1);
    let (before, rest) = text.split_once("  infra1:\n").unwrap();
    let (_, after) = rest.split_once("  infra2:\n").unwrap();
    let own =
        host("infra1", "10.0.0.7", 1).replace("    etcd:", "    generation: 2\n    revision: 1\n    etcd:");
    format!("{before}{own}  infra2:\n{after}")
}

/// Builds anew beside the cluster's bundles; those of the members that stay are the same bytes.
#[track_caller]
fn build(cluster: &Cluster, spec: &str, same: &[&str]) {
    let bytes = |name: &&str| (name.to_string(), fs::read(cluster.bundles.bundle(name)).unwrap());
    let before: BTreeMap<_, _> = same.iter().map(bytes).collect();
    fs::write(cluster.bundles.path("sealift.yaml"), spec).unwrap();
    let _ = cluster.bundles.build(&[]).expect_code(0);
    assert_eq!(same.iter().map(bytes).collect::<BTreeMap<_, _>>(), before, "other members' bundles changed");
}

/// The operators' runbook, from their bundle.
fn operators(cluster: &Cluster) -> String {
    let mut tar = Command::new("tar");
    tar.arg("-xzOf").arg(cluster.bundles.bundle("operator")).arg(format!("files/{RUNBOOK}"));
    run(&mut tar).expect_code(0).stdout
}

/// A client that writes one value after the other, each through the first member that takes it.
struct Writer {
    acknowledged: Arc<Mutex<Vec<usize>>>,
    end: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Runs on the first machine, with copies of what it has there.
    fn start(cluster: &Cluster, addresses: &'static [&'static str]) -> Self {
        let (acknowledged, end) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let shared = (Arc::clone(&acknowledged), Arc::clone(&end));
        let machine = &cluster.machines[0];
        let command = machine.inside(&cluster.etcdctl);
        let program = command.get_program().to_owned();
        let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let pki = |name: &str| below(&machine.root, &format!("/etc/kubernetes/pki/etcd/{name}"));
        let (ca, pair) = (pki("ca.crt"), [pki("healthcheck-client.crt"), pki("healthcheck-client.key")]);
        let thread = std::thread::spawn(move || {
            let (acknowledged, end) = shared;
            for number in 0.. {
                let put = |address: &&&str| {
                    let mut again = Command::new(&program);
                    again.args(&words).env_clear().env("ETCDCTL_API", "3");
                    again.arg(format!("--endpoints=https://{address}:2379"));
                    again.args(["--dial-timeout=1s", "--command-timeout=3s", "--cacert", &ca]);
                    again.args(["--cert", &pair[0], "--key", &pair[1]]);
                    run(again.args(["put", &format!("write/{number:06}"), "value"])).code == 0
                };
                if end.load(Ordering::Relaxed) {
                    return;
                }
                // each begins with another member
                if addresses
                    .iter()
                    .cycle()
                    .skip(number % addresses.len())
                    .take(12)
                    .any(|address| put(&address))
                {
                    acknowledged.lock().unwrap().push(number);
                }
                sleep(Duration::from_millis(10));
            }
        });
        Self { acknowledged, end, thread }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Ends it, and finds all that was acknowledged through each of these machines.
    fn loses_nothing(self, cluster: &Cluster, machines: &[usize]) {
        eventually("writes", || self.count() >= WRITES);
        self.end.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        let acknowledged = self.acknowledged.lock().unwrap();
        for number in machines {
            let words = ["get", "--prefix", "write/", "--keys-only"];
            let keys = cluster.through(*number, &words).expect_code(0).stdout;
            let keys: Vec<usize> = keys
                .lines()
                .filter_map(|line| line.strip_prefix("write/"))
                .map(|number| number.parse().unwrap())
                .collect();
            let lost: Vec<_> =
                acknowledged.iter().filter(|number| keys.binary_search(number).is_err()).collect();
            assert_eq!(lost, Vec::<&usize>::new(), "of {} writes", acknowledged.len());
        }
    }
}

/// Name, state and whether it learns, of all members.
fn members(cluster: &Cluster) -> Vec<(String, String, String)> {
    let list = cluster.through(0, &["member", "list"]).expect_code(0).stdout;
    let mut members: Vec<_> = list
        .lines()
        .map(|line| line.split(", ").map(str::to_owned).collect::<Vec<_>>())
        .map(|fields| (fields[2].clone(), fields[1].clone(), fields[5].clone()))
        .collect();
    members.sort();
    members
}

fn voting(names: &[&str]) -> Vec<(String, String, String)> {
    names.iter().map(|name| ((*name).to_owned(), "started".to_owned(), "false".to_owned())).collect()
}

/// A cluster of three of one form, and the form as the spec has it, under one release.
fn started(name: &str, form: &str, release: Option<Release>) -> Option<(Cluster, String)> {
    let Release { version, programs } = release?;
    let programs = enter_with(name, programs)?;
    let form = form.replace("VERSION", &version);
    let mut cluster = Cluster::new(&three(&form, 1), programs);
    // sealift wrote the flags of this release
    cluster.mapped = false;
    cluster.install();
    cluster.start();
    Some((cluster, form))
}

/// A member whose machine is lost, with its data.
fn replace(name: &str, form: &str, release: Option<Release>) {
    let Some((mut cluster, form)) = started(name, form, release) else { return };
    let form = form.as_str();
    let client = Writer::start(&cluster, &["10.0.0.6", "10.0.0.7", "10.0.0.8"]);
    eventually("a write", || client.count() > 20);
    let ids = |cluster: &Cluster| {
        let list = cluster.through(0, &["member", "list"]).expect_code(0).stdout;
        list.lines().map(|line| line.split_once(", ").unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    let before = ids(&cluster);
    cluster.replace(1);
    build(&cluster, &replacing(form), &["infra0", "infra2"]);
    // what another cluster left behind
    let stale = cluster.machines[1].root.join("var/lib/etcd/member/snap");
    fs::create_dir_all(&stale).unwrap();
    fs::write(stale.join("db"), "another cluster's").unwrap();
    cluster.bring(0, None);
    cluster.bring(1, Some(&machine_file(1)));
    let runbook = operators(&cluster);
    cluster.follow(&runbook, 0);
    let all = voting(&["infra0", "infra1", "infra2"]);
    assert_eq!(members(&cluster), all);
    let after = ids(&cluster);
    assert_eq!(
        (after.iter().filter(|id| before.contains(id)).count(), after.len()),
        (2, 3),
        "{before:?} {after:?}"
    );
    let aside = cluster.machines[1].root.join("var/lib/etcd/member.before-2/snap/db");
    assert_eq!(fs::read_to_string(aside).unwrap(), "another cluster's");
    // all of it again does nothing
    cluster.follow(&runbook, 0);
    assert_eq!((members(&cluster), ids(&cluster)), (all, after));
    client.loses_nothing(&cluster, &[0, 1, 2]);
}

/// Three become five, and three again.
fn grow_and_shrink(name: &str, form: &str, release: Option<Release>) {
    let Some((mut cluster, form)) = started(name, form, release) else { return };
    let form = form.as_str();
    let client = Writer::start(&cluster, &["10.0.0.6", "10.0.0.7", "10.0.0.8"]);
    eventually("a write", || client.count() > 20);
    build(&cluster, &five(form), &["infra0", "infra1", "infra2"]);
    cluster.add("infra3", "10.0.0.9");
    cluster.add("infra4", "10.0.0.10");
    cluster.bring(1, None);
    cluster.bring(3, Some(&machine_file(3)));
    cluster.bring(4, Some(&machine_file(4)));
    let runbook = operators(&cluster);
    cluster.follow(&runbook, 1);
    let all = voting(&["infra0", "infra1", "infra2", "infra3", "infra4"]);
    assert_eq!(members(&cluster), all);
    // all of it again does nothing
    cluster.follow(&runbook, 1);
    assert_eq!(members(&cluster), all);
    assert_eq!(cluster.through(4, &["endpoint", "health"]).code, 0);

    // one that leaves leads
    let list = cluster.through(0, &["member", "list"]).expect_code(0).stdout;
    let id =
        list.lines().find(|line| line.contains(", infra4, ")).unwrap().split(',').next().unwrap().to_owned();
    // without variables: etcdctl 3.5.1 refuses them here
    let lead = |number: usize| {
        let session = "set -a; . /etc/etcd/etcdctl.env; env -u ETCDCTL_ENDPOINTS -u ETCDCTL_CACERT -u ETCDCTL_CERT \
                       -u ETCDCTL_KEY etcdctl --cacert=$ETCDCTL_CACERT --cert=$ETCDCTL_CERT --key=$ETCDCTL_KEY";
        let address = cluster.machines[number].address;
        let text = format!("{session} --endpoints=https://{address}:2379 move-leader {id}");
        let _ = cluster.machines[0].sh(&cluster.etcdctl, &text);
    };
    (0..4).find(|number| leads(&cluster, *number)).into_iter().for_each(lead);
    eventually("infra4 leads", || leads(&cluster, 4));
    let shrunk = three(&format!("{form}\n  leaving: [infra3, infra4]"), 1);
    let shrunk = format!("{shrunk}retired: {{infra3: 1, infra4: 1}}\n");
    build(&cluster, &shrunk, &["infra0", "infra1", "infra2"]);
    let runbook = operators(&cluster);
    cluster.follow(&runbook, 1);
    let left = voting(&["infra0", "infra1", "infra2"]);
    assert_eq!(members(&cluster), left);
    cluster.follow(&runbook, 1);
    assert_eq!(members(&cluster), left);
    client.loses_nothing(&cluster, &[0, 1, 2]);
}

/// Whether a member leads.
fn leads(cluster: &Cluster, number: usize) -> bool {
    let said = cluster.through(number, &["endpoint", "status", "-w", "fields"]).stdout;
    let value = |name: &str| {
        said.lines().find_map(|line| line.strip_prefix(&format!("\"{name}\" : "))).map(str::to_owned)
    };
    value("MemberID").is_some() && value("MemberID") == value("Leader")
}

/// Tests of a form, each under a release; `given` is what `SEALIFT_ETCD` names, where it is set.
macro_rules! form {
    ($form:ident, $section:literal; $($test:ident: $change:ident, $release:ident;)+) => {
        mod $form {
            $(
                #[test]
                fn $test() {
                    let name = concat!(stringify!($form), "::", stringify!($test));
                    super::$change(name, $section, super::$release());
                }
            )+
        }
    };
}

form! { static_pod, "run: static-pod\n  version: VERSION";
    replaces_with_3_4: replace, debian;
    replaces_with_3_5: replace, distro;
    replaces_with_the_one_given: replace, given;
    grows_and_shrinks_with_3_4: grow_and_shrink, debian;
    grows_and_shrinks_with_3_5: grow_and_shrink, distro;
    grows_and_shrinks_with_the_one_given: grow_and_shrink, given;
}

form! { systemd, "run: systemd\n  version: VERSION";
    replaces_with_3_4: replace, debian;
    replaces_with_3_5: replace, distro;
    replaces_with_the_one_given: replace, given;
    grows_and_shrinks_with_3_4: grow_and_shrink, debian;
    grows_and_shrinks_with_3_5: grow_and_shrink, distro;
    grows_and_shrinks_with_the_one_given: grow_and_shrink, given;
}

// the engines' runbooks differ only in how the unit is started: each change under one release
form! { container, "run: container\n  version: VERSION";
    replaces_with_3_5: replace, distro;
    replaces_with_the_one_given: replace, given;
    grows_and_shrinks_with_3_4: grow_and_shrink, debian;
    grows_and_shrinks_with_the_one_given: grow_and_shrink, given;
}

form! { docker, "run: container\n  version: VERSION\n  container: {engine: docker}";
    replaces_with_3_4: replace, debian;
    grows_and_shrinks_with_3_5: grow_and_shrink, distro;
}
