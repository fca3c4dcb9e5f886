//! Every release with every provisioner, both etcd topologies and ways to run etcd on hosts: built,
//! verified, installed, and the hosts verified; and what an upgrade changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::example::{Built, today};
use support::golden::golden;
use support::opened::{machine, machine_file, open, operator};
use support::{need, repository, run, sealift, temporary};

/// One patch release of each minor; all their images are known.
const RELEASES: [&str; 8] = ["1.29.10", "1.30.6", "1.31.4", "1.32.3", "1.33.2", "1.34.2", "1.35.1", "1.36.2"];

/// Names and roles of the hosts, in the order of their machines.
fn hosts(stacked: bool) -> Vec<(&'static str, &'static str)> {
    let control_plane = if stacked { "control-plane, etcd" } else { "control-plane" };
    let mut hosts =
        vec![("cp1", control_plane), ("cp2", control_plane), ("cp3", control_plane), ("w1", "worker")];
    hosts
        .extend((!stacked).then_some([("e1", "etcd"), ("e2", "etcd"), ("e3", "etcd")]).into_iter().flatten());
    hosts
}

/// How etcd runs on hosts, as a spec says it.
const POD: &str = "run: static-pod";
/// The same as a unit; each has every other release, and so both APIs of kubeadm. A service says its
/// release itself.
const UNITS: [&str; 2] = ["run: systemd, version: 3.5.21", "run: container"];

fn spec(version: &str, provisioner: &str, stacked: bool, etcd: &str, epoch: &str) -> String {
    let mut text = format!(
        "apiVersion: sealift/v1
cluster:
  name: combined
  id: \"7e570000000000000000000000000001\"
  epoch: {epoch}
  operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]
kubernetes:
  version: {version}
  provisioner: {provisioner}
  endpoint: api.prod.example:6443
  podSubnets: [10.244.0.0/16]
loadBalancers: [{{kind: external}}]
etcd: {{{etcd}}}
hosts:
"
    );
    for (number, (name, roles)) in hosts(stacked).into_iter().enumerate() {
        let recipient = machine(u8::try_from(number).unwrap()).to_public();
        writeln!(
            text,
            "  {name}: {{addresses: [10.0.0.{}], roles: [{roles}], recipients: [{recipient}]}}",
            number + 6
        )
        .unwrap();
    }
    text
}

fn words(all: &[&str]) -> Vec<PathBuf> {
    all.iter().map(PathBuf::from).collect()
}

/// Builds, verifies, installs on all hosts, and verifies them.
fn walk(version: &str, provisioner: &str, stacked: bool, etcd: &str) {
    let context = format!("{version} {provisioner} stacked: {stacked} {etcd}");
    let built = Built::of(&spec(version, provisioner, stacked, etcd, &today()));
    let (out, trust) = (built.out(), built.out().join("trust"));
    let verified = sealift([&words(&["verify"])[..], &[out, "--trust".into(), trust.clone()]].concat());
    assert_eq!(verified.code, 0, "{context}: {}{}", verified.stdout, verified.stderr);
    for (number, (host, _)) in hosts(stacked).into_iter().enumerate() {
        let (root, identity) = (built.root(host), built.path(&format!("{host}.key")));
        fs::write(&identity, machine_file(u8::try_from(number).unwrap())).unwrap();
        let install = [built.bundle(host), "-i".into(), identity, "--root".into(), root.clone()];
        let install = [&words(&["install"])[..], &install, &["--trust".into(), trust.clone()]].concat();
        let installed = sealift(install);
        assert_eq!(installed.code, 0, "{context} {host}: {}{}", installed.stdout, installed.stderr);
        let clean = sealift([&words(&["verify", "--root"])[..], &[root]].concat());
        assert_eq!(clean.code, 0, "{context} {host}: {}{}", clean.stdout, clean.stderr);
    }
}

/// All combinations of one provisioner and topology, on a thread of their own.
fn walk_all(provisioner: &str, stacked: bool) {
    for (version, unit) in RELEASES.into_iter().zip(UNITS.into_iter().cycle()) {
        for etcd in [POD, unit] {
            walk(version, provisioner, stacked, etcd);
        }
    }
}

#[test]
fn kubeadm_stacked() {
    walk_all("kubeadm", true);
}

#[test]
fn kubeadm_external() {
    walk_all("kubeadm", false);
}

#[test]
fn static_pods_stacked() {
    walk_all("static-pods", true);
}

#[test]
fn static_pods_external() {
    walk_all("static-pods", false);
}

/// The texts of a bundle on the host, without certificates and secrets.
fn texts(built: &Built, host: &str) -> BTreeMap<String, String> {
    let number = hosts(true).iter().position(|(name, _)| *name == host);
    let files = match number {
        Some(number) => open(&built.bundle(host), &machine(u8::try_from(number).unwrap())),
        None => open(&built.bundle(host), &operator()),
    };
    let public = files
        .into_iter()
        .filter(|(path, file)| !file.sealed && Path::new(path).extension().is_none_or(|end| end != "crt"));
    public.map(|(path, file)| (path, file.text().to_owned())).collect()
}

/// A new release changes what that release changes, and nothing else.
#[test]
fn an_upgrade_from_1_35_to_1_36() {
    let Some(_) = need("diff") else { return };
    let mut text = String::new();
    for provisioner in ["kubeadm", "static-pods"] {
        let [before, after] = ["1.35.1", "1.36.2"]
            .map(|version| Built::of(&spec(version, provisioner, true, POD, "2026-11-20T00:00:00Z")));
        let directory = temporary();
        for host in ["cp1", "cp2", "w1", "operator"] {
            writeln!(text, "# {provisioner}: {host}").unwrap();
            let [before, after] = [&before, &after].map(|built| texts(built, host));
            assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
            for (path, new) in &after {
                let [one, other] = ["before", "after"].map(|name| directory.path().join(name));
                fs::write(&one, &before[path]).unwrap();
                fs::write(&other, new).unwrap();
                let mut diff = Command::new("diff");
                diff.args(["-U1", "--label", path, "--label", path]).arg(&one).arg(&other);
                text += &run(&mut diff).stdout;
            }
        }
    }
    golden(&repository("tests/golden/upgrade-1.35-1.36.txt"), &text);
}
