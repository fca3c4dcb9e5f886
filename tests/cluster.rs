//! A real etcd cluster from installed bundles: see `support/etcd.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run programs and wait for them"
)]

mod support;

use support::etcd::{Cluster, enter, eventually};
use support::example::{ADDRESSES, Built, HOSTS, spec_of_today};

/// Three etcd processes and the cluster that they make.
#[test]
fn three_installed_bundles_are_a_working_cluster() {
    let Some(programs) = enter("three_installed_bundles_are_a_working_cluster") else { return };
    let mut cluster = Cluster::new(&spec_of_today(), programs);
    cluster.install();
    cluster.start();
    cluster.asks_for_health_and_members();
    cluster.writes_through_one_member_and_reads_through_another();
    cluster.refuses_strangers();
    cluster.goes_on_without_one_member();
    cluster.takes_it_back();
}

impl Cluster {
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
