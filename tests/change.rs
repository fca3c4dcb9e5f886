//! `sealift check --previous`: what a change does, host by host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "prepares specs and runs the binary")]

mod support;

use std::fs;
use std::path::PathBuf;
use support::{Ran, repository, sealift, temporary};

/// The example, built, and a copy of its spec to change.
struct Change {
    _directory: tempfile::TempDir,
    spec: PathBuf,
    out: PathBuf,
}

impl Change {
    fn new() -> Self {
        Self::of(&[])
    }

    /// Built with edits of the example.
    fn of(edits: &[(&str, &str)]) -> Self {
        Self::example("bundles/etcd-static-pods", edits)
    }

    fn example(name: &str, edits: &[(&str, &str)]) -> Self {
        let directory = temporary();
        let example = repository(name);
        let spec = directory.path().join("sealift.yaml");
        let out = directory.path().join("out");
        let mut text = fs::read_to_string(example.join("sealift.yaml")).unwrap();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        fs::write(&spec, text).unwrap();
        let key = |name: &str| example.join("test-only").join(name);
        let arguments = ["build".into(), spec.clone(), "--seed".into(), key("seed.age"), "-i".into()];
        let _built = sealift(arguments.into_iter().chain([key("operator.key"), "-o".into(), out.clone()]))
            .expect_code(0);
        Self { _directory: directory, spec, out }
    }

    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.spec).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&self.spec, text.replacen(from, to, 1)).unwrap();
    }

    fn check(&self) -> Ran {
        sealift(["check".into(), self.spec.clone(), "--previous".into(), self.out.clone()])
    }

    fn hide(&self, text: &str) -> String {
        text.replace(self.spec.to_str().unwrap(), "SPEC").replace(self.out.to_str().unwrap(), "OUT")
    }
}

#[test]
fn nothing_changed() {
    let change = Change::new();
    let ran = change.check().expect_code(0);
    let expected =
        "ok SPEC: 3 hosts\ninfra0: unchanged\ninfra1: unchanged\ninfra2: unchanged\noperator: unchanged\n";
    assert_eq!(change.hide(&ran.stdout), expected);
    assert_eq!(ran.stderr, "");
}

#[test]
fn one_hosts_setting_changes_one_host_and_says_what_it_takes() {
    let change = Change::new();
    change.edit("  infra1:\n", "  infra1:\n    revision: 1\n    kubelet: {cgroupDriver: cgroupfs}\n");
    let ran = change.check().expect_code(0);
    let expected = "ok SPEC: 3 hosts\ninfra0: unchanged\ninfra1: changed, revision 1.0 to 1.1\n  ~ /etc/kubernetes/kubelet/config.yaml\n  restart: kubelet\ninfra2: unchanged\noperator: unchanged\n";
    assert_eq!(change.hide(&ran.stdout), expected);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_revision_that_hosts_would_refuse_and_recipients_of_old_keys_are_warnings() {
    let change = Change::new();
    change.edit(
        "      - age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05\n",
        "      - age1yt0q0jhmu4md0lfqhpkype4nlucwzn79csf0gk5tj8ulxxd96c0qc8v74k\n",
    );
    let ran = change.check().expect_code(0);
    let expected = "warning: the bundle of infra0 changes, but not the revision
 --> SPEC:8:13
  |
8 |   revision: 1
  |             ^
hint: a host that has the other build refuses this one: raise cluster.revision, or `revision` of the host

warning: infra0 has other recipients and still generation 1
  --> SPEC:27:5
   |
27 |     recipients:
   |     ^^^^^^^^^^
hint: who had the old key knows this host's keys: if that matters, set `generation: 2`

";
    assert_eq!(change.hide(&ran.stderr), expected);
    assert!(ran.stdout.contains("  ~ /etc/kubernetes/pki/etcd/server.key\n"), "{}", ran.stdout);
}

/// Which command comes in place of which no file says; nor would `kubeadm init` do on a new machine.
#[test]
fn another_release_and_another_first_machine_of_kubeadm() {
    let running = [("version: 1.36.2", "version: 1.35.3\n  initialized: true")];
    let change = Change::example("bundles/external-etcd-kubeadm", &running);
    change.edit("version: 1.35.3", "version: 1.36.2");
    change.edit("revision: 1", "revision: 2");
    change.edit(
        "[age14r825hcu9tgt8v4fzphmxr4jnrt59e9q0shksnakrte4t4kg5ysqhsktva]",
        "[age1yt0q0jhmu4md0lfqhpkype4nlucwzn79csf0gk5tj8ulxxd96c0qc8v74k]\n    generation: 2",
    );
    let ran = change.check().expect_code(0);
    let expected = "warning: Kubernetes goes from 1.35.3 to 1.36.2, on every node
  --> SPEC:12:12
   |
12 |   version: 1.36.2
   |            ^^^^^^
hint: on cp1 run `kubeadm upgrade apply v1.36.2 --certificate-renewal=false --patches /etc/kubernetes/patches` in place of the commands for init.yaml, then on every other node, one by one, `kubeadm upgrade node --certificate-renewal=false --patches /etc/kubernetes/patches`

warning: cp1 has other recipients, and as the first control plane no join.yaml
  --> SPEC:46:5
   |
46 |     recipients: [age1yt0q0jhmu4md0lfqhpkype4nlucwzn79csf0gk5tj8ulxxd96c0qc8v74k]
   |     ^^^^^^^^^^
hint: a new machine must not run `kubeadm init`: set `kubernetes.firstControlPlane` to a control plane that runs

";
    assert_eq!(change.hide(&ran.stderr), expected);
    // the release takes this client out of a group, and nothing else of its certificate changes
    let of_cp2 = ran.stdout.split("cp2: ").nth(1).and_then(|rest| rest.split("cp3: ").next()).unwrap();
    let options = "--certificate-renewal=false --patches /etc/kubernetes/patches";
    assert_eq!(
        of_cp2,
        format!(
            "changed, revision 1.0 to 2.0
  ~ /etc/kubernetes/kubeadm/cluster.yaml
  ~ /etc/kubernetes/pki/apiserver-kubelet-client.crt
  ~ /etc/sealift/kubernetes-version
  run: kubeadm upgrade node phase control-plane {options}
  run: kubeadm upgrade node {options}
  restart: kubelet
"
        )
    );
}

/// Kubernetes is upgraded one minor release at a time, and does not go back.
#[test]
fn releases_are_taken_one_by_one() {
    let said = |running: bool, from: &str, to: &str| {
        let running = if running { "\n  initialized: true" } else { "" };
        let before = format!("version: {from}{running}");
        let change = Change::example("bundles/static-pods-ha", &[("version: 1.36.2", &before)]);
        change.edit(&format!("version: {from}"), &format!("version: {to}"));
        change.edit("revision: 1", "revision: 2");
        let ran = change.check();
        (ran.code, change.hide(&ran.stderr))
    };
    let place = |to: &str| format!("  --> SPEC:12:12\n   |\n12 |   version: {to}\n   |            ^^^^^^\n");
    let over = |word: &str| {
        format!(
            "{word}: Kubernetes goes from 1.34.2 to 1.36.2, over the releases between\n{}hint: take each minor \
             release: 1.35 first, on every node\n\n",
            place("1.36.2")
        )
    };
    assert_eq!(said(false, "1.34.2", "1.36.2"), (0, over("warning")));
    let (code, stderr) = said(true, "1.34.2", "1.36.2");
    assert_eq!((code, stderr.starts_with(&over("error"))), (2, true), "{stderr}");
    let (code, stderr) = said(true, "1.36.2", "1.35.1");
    let back = format!(
        "error: Kubernetes goes back from 1.36.2 to 1.35.1\n{}hint: an older API server may not read what a newer \
         one wrote: keep the release, or restore a snapshot of etcd from before the upgrade into a cluster of the \
         old one\n\n",
        place("1.35.1")
    );
    assert_eq!((code, stderr.starts_with(&back)), (2, true), "{stderr}");
    assert_eq!(said(true, "1.35.1", "1.36.2"), (0, String::new()));
    assert_eq!(said(true, "1.36.2", "1.36.1"), (0, String::new()));
}

#[test]
fn a_removed_host_leaves_its_name_behind() {
    let change = Change::new();
    let text = fs::read_to_string(&change.spec).unwrap();
    fs::write(&change.spec, text.split("  infra2:\n").next().unwrap()).unwrap();
    let ran = change.check().expect_code(0);
    assert!(ran.stderr.contains("warning: infra2 is gone from the spec\n"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(
            "hint: its keys would come back with its name: write `retired: {infra2: GENERATION}`\n"
        )
    );
    assert!(ran.stdout.contains("infra2: gone\n"), "{}", ran.stdout);
}

#[test]
fn another_clusters_output_and_a_damaged_one_are_refused() {
    let change = Change::new();
    change.edit("7e570000000000000000000000000001", "7e570000000000000000000000000002");
    let ran = change.check().expect_code(2);
    assert!(
        change.hide(&ran.stderr).starts_with("error: OUT was built for another cluster\n"),
        "{}",
        ran.stderr
    );

    let change = Change::new();
    let bundle = change.out.join("infra0.tar.gz");
    let mut bytes = fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).unwrap() ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let ran = change.check().expect_code(2);
    let expected = "error: OUT/infra0.tar.gz is damaged: gzip-invalid\nhint: see `sealift verify`\n";
    assert_eq!(change.hide(&ran.stderr), expected);
}

#[test]
fn new_leaves_are_named_one_by_one() {
    let change = Change::new();
    change.edit("  revision: 1\n", "  revision: 2\n");
    change.edit("pki:\n", "pki:\n  generation: 2\n");
    let ran = change.check().expect_code(0);
    let host = ran.stdout.split("infra1: ").next().unwrap();
    let pki = "/etc/kubernetes/pki/etcd";
    let files = ["healthcheck-client.crt", "healthcheck-client.key", "peer.crt", "peer.key"];
    let files = files.into_iter().chain(["server.crt", "server.key"]);
    let lines = files.map(|file| format!("  ~ {pki}/{file}\n")).collect::<Vec<_>>().concat();
    // etcd reads these anew by itself
    let expected = format!("ok SPEC: 3 hosts\ninfra0: changed, revision 1.0 to 2.0\n{lines}");
    assert_eq!(change.hide(host), expected);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_new_revision_alone_changes_no_file() {
    let change = Change::new();
    change.edit("  revision: 1\n", "  revision: 2\n");
    let ran = change.check().expect_code(0);
    assert!(
        ran.stdout.contains("infra0: changed, but none of its files, revision 1.0 to 2.0\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn numbers_that_go_down_bring_old_secrets_back() {
    let change = Change::of(&[
        ("  infra0:\n", "  infra0:\n    generation: 3\n"),
        ("pki:\n", "passwords: {stats: {generation: 2, roles: [etcd]}}\npki:\n  generation: 2\n"),
    ]);
    change.edit("    generation: 3\n", "    generation: 1\n");
    change.edit("generation: 2, roles", "generation: 1, roles");
    change.edit("pki:\n  generation: 2\n", "pki:\n  generation: 1\n");
    change.edit("  revision: 1\n", "  revision: 2\n");
    let ran = change.check().expect_code(0);
    let said: Vec<_> =
        ran.stderr.lines().filter(|line| line.starts_with("warning") || line.starts_with("hint")).collect();
    assert_eq!(
        said,
        [
            "warning: passwords.stats.generation: 1 after 2 brings secrets back that were replaced",
            "hint: write 2, or 3 for new ones",
            "warning: pki.generation: 1 after 2 brings secrets back that were replaced",
            "hint: write 2, or 3 for new ones",
            "warning: hosts.infra0.generation: 1 after 3 brings secrets back that were replaced",
            "hint: write 3, or 4 for new ones",
        ]
    );
    // the other way nothing comes back
    let change = Change::new();
    change.edit("  infra0:\n", "  infra0:\n    generation: 2\n");
    change.edit("  revision: 1\n", "  revision: 2\n");
    assert_eq!(change.check().expect_code(0).stderr, "");
}
