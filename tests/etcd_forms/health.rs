//! The check of health against a real cluster with everything that can be wrong with it.

use super::forms::{is_healthy, spec};
use crate::support::etcd::{Cluster, enter_with, eventually};
use crate::support::etcd_programs::{Release, debian, distro};
use crate::support::example::{Built, HOSTS, replaced, spec_of_today};
use crate::support::need;

#[test]
fn with_3_4() {
    tells_what_is_wrong("health::with_3_4", debian());
}

#[test]
fn with_3_5() {
    tells_what_is_wrong("health::with_3_5", distro());
}

fn tells_what_is_wrong(name: &str, release: Option<Release>) {
    let Some(Release { version, programs }) = release else { return };
    let Some(programs) = enter_with(name, programs) else { return };
    let mut cluster = Cluster::new(&spec(&format!("run: static-pod\n  version: {version}")), programs);
    cluster.mapped = false;
    cluster.variables.push(("ETCD_QUOTA_BACKEND_BYTES", "4000000"));
    cluster.install();
    cluster.start();
    cluster.is_healthy_to_every_shell();
    cluster.knows_a_learner_that_has_not_started();
    cluster.trusts_nobody_else();
    cluster.names_a_member_that_is_down();
    cluster.has_no_quorum();
    cluster.hears_an_alarm();
}

impl Cluster {
    /// What the check says on the first machine, after its exit code is checked.
    #[track_caller]
    fn told(&self, code: i32) -> String {
        let ran = self.machines[0].health(&["sh"], &self.etcdctl).expect_code(code);
        assert_eq!(ran.stderr, "");
        ran.stdout
    }

    fn is_healthy_to_every_shell(&self) {
        for number in 0..HOSTS.len() {
            is_healthy(self, number);
        }
        let [Some(dash), Some(busybox), Some(bash)] = ["dash", "busybox", "bash"].map(need) else { return };
        let [dash, busybox, bash] = [&dash, &busybox, &bash].map(|path| path.to_str().unwrap());
        for shell in [&[dash][..], &[busybox, "sh"], &[bash, "--posix"]] {
            let ran = self.machines[0].health(shell, &self.etcdctl).expect_code(0);
            assert_eq!(
                (ran.stdout.as_str(), ran.stderr.as_str()),
                ("ok: 3 members, one leader, no alarm\n", "")
            );
        }
    }

    fn knows_a_learner_that_has_not_started(&self) {
        let words = ["member", "add", "infra3", "--learner", "--peer-urls=https://10.0.0.9:2380"];
        // a leader wants five seconds of all members first (`etcdserver/server.go`, `HealthInterval`)
        let mut added = String::new();
        eventually("a new member", || {
            let ran = self.through(0, &words);
            added = ran.stdout;
            ran.code == 0
        });
        assert_eq!(
            self.told(2),
            "critical: the member at https://10.0.0.9:2380 was added and has not started\n\
             warning: https://10.0.0.9:2380 is a learner; promote it when it has caught up\n"
        );
        let id = added.split_whitespace().nth(1).unwrap();
        eventually("its removal", || self.through(0, &["member", "remove", id]).code == 0);
        is_healthy(self, 0);
    }

    /// An authority that signed none of the members.
    fn trusts_nobody_else(&self) {
        let strangers = replaced(&spec_of_today(), "pki:\n", "pki:\n  cas: {etcd: {generation: 2}}\n");
        let strangers = Built::of(&strangers);
        let other = strangers.root("infra0");
        let trust = strangers.out().join("trust");
        let _ = strangers.install("infra0", &other, &["--trust", trust.to_str().unwrap()]).expect_code(0);
        let ca = "etc/kubernetes/pki/etcd/ca.crt";
        let own = self.machines[0].root.join(ca);
        let kept = std::fs::read(&own).unwrap();
        std::fs::copy(other.join(ca), &own).unwrap();
        let told = self.told(2);
        std::fs::write(&own, kept).unwrap();
        assert!(told.starts_with("critical: no member tells who is one: "), "{told}");
        assert_eq!(told.matches(" is not healthy: ").count(), HOSTS.len(), "{told}");
    }

    fn names_a_member_that_is_down(&mut self) {
        self.machines[1].stop();
        eventually("a leader", || self.through(0, &["put", "key", "value"]).code == 0);
        let told = self.told(2);
        assert!(told.starts_with("critical: infra1 (https://10.0.0.7:2379) is not healthy: "), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }

    fn has_no_quorum(&mut self) {
        self.machines[2].stop();
        let told = self.told(2);
        for address in ["10.0.0.6", "10.0.0.7", "10.0.0.8"] {
            assert!(told.contains(&format!("https://{address}:2379")), "{told}");
        }
        self.start_one(1);
        self.start_one(2);
        eventually("three healthy members", || self.healthy(0) == HOSTS.len());
        is_healthy(self, 0);
    }

    /// A full database: the member that fills first says so, and writes are refused.
    fn hears_an_alarm(&self) {
        let value = "x".repeat(100_000);
        eventually("a full database", || {
            let key = format!("full-{}", value.len());
            self.through(0, &["put", &key, &value]).stderr.contains("mvcc: database space exceeded")
        });
        let told = self.told(2);
        let alarms: Vec<_> = told.lines().collect();
        assert!(!alarms.is_empty());
        for line in alarms {
            let alarm =
                HOSTS.iter().any(|host| line == format!("critical: {host} has raised the alarm NOSPACE"));
            assert!(alarm, "{told}");
        }
    }
}
