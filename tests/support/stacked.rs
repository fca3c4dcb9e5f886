//! A small cluster with a control plane, with everything that it can have.

use super::example::Built;
use super::opened::{Files, machine, machine_file, open, operator};
use super::sealift;
use std::fs;
use std::path::PathBuf;

/// A host `cp1` (10.0.0.6), stacked, and a worker `w1` (10.0.0.7): what kubeadm 1.36.2's recorded
/// input says. `kubernetes` and `rest` are inserted into their sections. Somebody else's
/// balancer leads to it, unless one of the two has balancers.
pub(crate) fn spec(version: &str, provisioner: &str, kubernetes: &str, rest: &str) -> String {
    let written = [kubernetes, rest].iter().any(|text| text.contains("loadBalancers:"));
    let balancers = if written { "" } else { "loadBalancers: [{kind: external}]\n" };
    let [cp1, w1] = [0, 1].map(|number| machine(number).to_public());
    format!(
        "apiVersion: sealift/v1
cluster:
  name: prod
  id: \"7e570000000000000000000000000001\"
  epoch: 2026-11-20T00:00:00Z
  revision: 1
  operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]
kubernetes:
  version: {version}
  provisioner: {provisioner}
  endpoint: api.prod.example:6443
  podSubnets: [10.244.0.0/16]
{kubernetes}{balancers}etcd: {{run: static-pod}}
{rest}hosts:
  cp1: {{addresses: [10.0.0.6], roles: [control-plane, etcd], recipients: [{cp1}]}}
  w1: {{addresses: [10.0.0.7], roles: [worker], recipients: [{w1}]}}
"
    )
}

/// The hosts of [`spec`], in the order of their machines.
pub(crate) const HOSTS: [&str; 2] = ["cp1", "w1"];

/// The files of one of its bundles, opened; `operator` is one too.
#[track_caller]
pub(crate) fn files(built: &Built, host: &str) -> Files {
    match HOSTS.iter().position(|name| *name == host) {
        Some(number) => open(&built.bundle(host), &machine(u8::try_from(number).unwrap())),
        None => open(&built.bundle(host), &operator()),
    }
}

/// A root directory with a host's bundle installed.
#[track_caller]
pub(crate) fn installed(built: &Built, host: &str) -> PathBuf {
    let number = HOSTS.iter().position(|name| *name == host).unwrap();
    installed_by(built, host, u8::try_from(number).unwrap())
}

/// The same of a host of another cluster, whose recipient is machine `number`.
#[track_caller]
pub(crate) fn installed_by(built: &Built, host: &str, number: u8) -> PathBuf {
    let root = built.root(host);
    let identity = built.path(&format!("{host}.key"));
    fs::write(&identity, machine_file(number)).unwrap();
    let words: [PathBuf; 7] = [
        "install".into(),
        built.bundle(host),
        "-i".into(),
        identity,
        "--root".into(),
        root.clone(),
        "--trust".into(),
    ];
    let _ = sealift(words.into_iter().chain([built.out().join("trust")])).expect_code(0);
    root
}
