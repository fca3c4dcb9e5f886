//! Configurations of container runtimes: what is written, as the runtimes themselves read it where they
//! are at hand (containerd 1.6, dockerd 20.10), else against tables of their fields.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod containerd;
mod docker;
mod fields;
mod install;
mod others;
#[path = "../support/mod.rs"]
mod support;
mod warnings;

use sealift::plan::{Facts, HostPlan, plan};
use sealift::render::Renderer;
use sealift::render::templates::Templates;
use sealift::spec::{Loaded, load};
use std::collections::BTreeMap;

const CONTAINERD: &str = "/etc/containerd/config.toml";
const CRIO: &str = "/etc/crio/crio.conf.d/10-sealift.conf";
const CRICTL: &str = "/etc/crictl.yaml";
const DOCKER: &str = "/etc/docker/daemon.json";

/// A control plane with a worker; sections at the top.
fn loaded(rest: &str) -> Loaded {
    load(&support::stacked::spec("1.36.2", "kubeadm", "", rest))
}

/// Its hosts, where nothing is an error.
#[track_caller]
fn hosts(rest: &str) -> BTreeMap<String, HostPlan> {
    let loaded = loaded(rest);
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    assert!(!problems.iter().any(sealift::spec::Problem::is_error), "{problems:?}");
    plan.hosts.into_iter().map(|(name, host)| (name.to_string(), host)).collect()
}

/// The runtimes' files of a host, by path.
#[track_caller]
fn files(rest: &str, host: &str) -> BTreeMap<String, String> {
    let hosts = hosts(rest);
    let templates = Templates::embedded();
    let files = Renderer::new(&templates).unwrap().templates(&hosts[host]).unwrap();
    let ours =
        files.into_iter().filter(|(path, _)| [CONTAINERD, CRIO, CRICTL, DOCKER].contains(&path.as_str()));
    ours.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
}

/// One of the worker's files.
#[track_caller]
fn file(rest: &str, path: &str) -> String {
    files(rest, "w1").remove(path).unwrap_or_else(|| panic!("no {path}"))
}

/// Everything that is said of a spec, besides that it has one member of etcd: severity and message.
fn told(rest: &str) -> Vec<String> {
    let loaded = loaded(rest);
    let (_, of_plan) = plan(&loaded.spec, &Facts::default());
    let of_plan = if loaded.has_errors() { Vec::new() } else { of_plan };
    let all = loaded.problems.iter().chain(&of_plan);
    let line = |problem: &sealift::spec::Problem| format!("{} {}", problem.severity.name(), problem.message);
    all.map(line).filter(|line| !line.ends_with("one etcd member tolerates no failure")).collect()
}
