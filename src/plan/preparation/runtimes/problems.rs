//! What of a runtime's configuration a kubelet could not live with: warnings, since a spec may know more
//! of its hosts than sealift does.

use super::super::Site;
use super::containerd::{self, CRI, IMAGES, REGISTRIES, RUNTIME, names};
use super::written::{CONTAINERD, CRIO, DOCKER, Part, at, place};
use super::{cgroup_driver, docker, pods_run_by};
use crate::spec::types::{FreeForm, Os, RuntimeKind};
use crate::spec::{Path, Problem};
use serde_json::{Map, Value};

/// All problems of a host's runtimes.
pub(in crate::plan::preparation) fn problems(site: &Site<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(assumed(site));
    if let Some(plan) = containerd::plan(site).filter(|_| pods_run_by(site, RuntimeKind::Containerd)) {
        of_containerd(site, &plan.config, &mut problems);
    }
    if let Some(plan) = super::crio(site) {
        of_crio(site, &plan.config, &mut problems);
    }
    if let Some(plan) = docker::plan(site) {
        of_docker(site, &plan.config, &mut problems);
    }
    problems
}

/// Debian's releases bring containerd of both formats, and nothing says which one is there.
fn assumed(site: &Site<'_>) -> Option<Problem> {
    containerd::plan(site)?;
    let own = site.settings.prep.containerd.as_ref()?;
    let unknown = site.settings.os == Os::Debian && own.format.is_none();
    let message = "containerd 2.x is assumed (format 3): Debian 12's own containerd is 1.6";
    let hint = "write `format: 2` for containerd 1.x, `format: 3` for 2.x";
    unknown.then(|| warning(place(site, &CONTAINERD, &[]), message, hint))
}

fn of_containerd(site: &Site<'_>, config: &FreeForm, problems: &mut Vec<Problem>) {
    let names = names(config);
    let mut warn = |keys: &[&str], message: &str, hint: &str| {
        problems.push(warning(place(site, &CONTAINERD, keys), message, hint));
    };
    let driver = cgroup_driver(site.settings);
    for (name, runtime) in runtimes(config, &names.runtimes) {
        let systemd = runtime.get("options").and_then(|options| options.get("SystemdCgroup"));
        let systemd = systemd.and_then(Value::as_bool).unwrap_or(false);
        let of_runc = runtime.get("runtime_type").is_some_and(|kind| *kind == containerd::RUNC);
        if of_runc && systemd != (driver == "systemd") {
            let [a, b, c, d] = names.runtimes;
            let message =
                format!("the kubelet's cgroup driver is {driver}, and that of the runtime {name} is not");
            let hint = format!("write `SystemdCgroup: {}` among its options", driver == "systemd");
            warn(&[a, b, c, d, name, "options", "SystemdCgroup"], &message, &hint);
        }
    }
    let plugins = at(config, &["disabled_plugins"]).and_then(Value::as_array);
    let cri = |plugin: &&Value| ["cri", CRI, IMAGES, RUNTIME].iter().any(|name| **plugin == *name);
    if plugins.into_iter().flatten().any(|plugin| cri(&plugin)) {
        let message = "the kubelet talks to the plugin that this turns off";
        warn(&["disabled_plugins"], message, "remove it from the list");
    }
    of_registries(site, config, names.registry, &mut warn);
    let listens = at(config, &["grpc", "address"]).and_then(Value::as_str);
    let listens = listens.unwrap_or("/run/containerd/containerd.sock");
    if let Some(message) = elsewhere(site, listens, "containerd") {
        warn(
            &["grpc", "address"],
            &message,
            "write `containerRuntimeEndpoint` under `kubelet`, or `grpc.address` here",
        );
    }
}

/// The runtimes of a table of them.
fn runtimes<'c>(config: &'c FreeForm, keys: &[&str]) -> impl Iterator<Item = (&'c str, &'c Value)> {
    let table: Option<&Map<String, Value>> = at(config, keys).and_then(Value::as_object);
    table.into_iter().flatten().map(|(name, runtime)| (name.as_str(), runtime))
}

fn of_registries(
    site: &Site<'_>,
    config: &FreeForm,
    [plugins, plugin, registry]: [&str; 3],
    warn: &mut impl FnMut(&[&str], &str, &str),
) {
    let field = |name| at(config, &[plugins, plugin, registry, name]);
    let path = field("config_path").and_then(Value::as_str).unwrap_or_default();
    let mut mirrors = site.shared.spec.container_runtime.registry_mirrors.values();
    if mirrors.any(|mirrors| !mirrors.is_empty()) && path.split(':').all(|path| path != REGISTRIES) {
        let message = format!(
            "the mirrors of `containerRuntime.registryMirrors` lie in {REGISTRIES}, where containerd does not look"
        );
        warn(&[plugins, plugin, registry, "config_path"], &message, "remove it");
    }
    if path.is_empty() {
        return;
    }
    if field("mirrors").and_then(Value::as_object).is_some_and(|mirrors| !mirrors.is_empty()) {
        let message = "containerd serves no kubelet that has both this and `config_path`";
        let hint = "write the mirrors under `containerRuntime.registryMirrors`";
        warn(&[plugins, plugin, registry, "mirrors"], message, hint);
    }
    let configs = field("configs").and_then(Value::as_object);
    for (name, _) in configs.into_iter().flatten().filter(|(_, config)| config.get("tls").is_some()) {
        let message = "containerd serves no kubelet that has both this and `config_path`";
        let hint = format!("write what it says into a hosts.toml in {REGISTRIES}");
        warn(&[plugins, plugin, registry, "configs", name, "tls"], message, &hint);
    }
}

fn of_crio(site: &Site<'_>, config: &FreeForm, problems: &mut Vec<Problem>) {
    let text = |keys: &[&str]| at(config, keys).and_then(Value::as_str);
    let mut warn = |keys: &[&str], message: &str, hint: &str| {
        problems.push(warning(place(site, &CRIO, keys), message, hint));
    };
    let driver = cgroup_driver(site.settings);
    let manager = ["crio", "runtime", "cgroup_manager"];
    if text(&manager) != Some(driver) {
        let message = format!("the kubelet's cgroup driver is {driver}, and CRI-O's is not");
        warn(&manager, &message, "remove it");
    }
    let conmon = ["crio", "runtime", "conmon_cgroup"];
    if text(&manager) == Some("cgroupfs") && text(&conmon).is_none_or(|of| !["", "pod"].contains(&of)) {
        warn(&conmon, "CRI-O starts with cgroupfs only where this is `pod`", "write `conmon_cgroup: pod`");
    }
    let listen = ["crio", "api", "listen"];
    if let Some(message) = elsewhere(site, text(&listen).unwrap_or("/run/crio/crio.sock"), "CRI-O") {
        warn(
            &listen,
            &message,
            "write `containerRuntimeEndpoint` under `kubelet`, or `crio.api.listen` here",
        );
    }
}

fn of_docker(site: &Site<'_>, config: &FreeForm, problems: &mut Vec<Problem>) {
    let mut warn = |part: &Part, keys: &[&str], message: &str, hint: &str| {
        problems.push(warning(place(site, part, keys), message, hint));
    };
    if at(config, &["hosts"]).is_some() {
        let message = "the unit of most distributions has `-H fd://` already, and dockerd starts with one of the two only";
        warn(
            &DOCKER,
            &["hosts"],
            message,
            "write the whole `ExecStart` without it into a drop-in of docker.service, or remove this",
        );
    }
    let driver = cgroup_driver(site.settings);
    let options = at(config, &["exec-opts"]).and_then(Value::as_array);
    let fits = options.into_iter().flatten().any(|option| *option == docker::option(driver));
    let endpoint = site.kubelet.map(|kubelet| kubelet.container_runtime_endpoint.as_str());
    if endpoint.is_some_and(|socket| socket.contains("dockerd")) && !fits {
        let message = format!("the kubelet's cgroup driver is {driver}, and Docker's is not");
        warn(&DOCKER, &["exec-opts"], &message, &format!("write `{}` in the list", docker::option(driver)));
    }
    let own = site.settings.prep.docker.as_ref();
    if own.is_some_and(|own| own.config.map().contains_key("registry-mirrors")) {
        return;
    }
    let list = Path::root().key("containerRuntime").key("registryMirrors").key("docker.io");
    for (index, mirror) in docker::mirrors(site.shared.spec) {
        if !mirror.repository().is_empty() {
            let message = format!("Docker cannot ask {mirror}: it takes mirrors without a path");
            let hint = "remove the path, or write `registry-mirrors` under `hostPrep.docker.config`";
            problems.push(warning(list.index(index), &message, hint));
        }
    }
}

/// What is to be said where the kubelet asks at another socket.
fn elsewhere(site: &Site<'_>, listens: &str, runtime: &str) -> Option<String> {
    let asks = &site.kubelet?.container_runtime_endpoint;
    let other = socket(asks) != socket(listens);
    other.then(|| format!("the kubelet asks at {asks}, and {runtime} listens at {listens}"))
}

/// One of the names that a socket has: /var/run is /run.
fn socket(name: &str) -> &str {
    let path = name.strip_prefix("unix://").unwrap_or(name);
    path.strip_prefix("/var").filter(|path| path.starts_with("/run/")).unwrap_or(path)
}

fn warning(path: Path, message: &str, hint: &str) -> Problem {
    let message = format!("{path}: {message}");
    Problem::warning(path, message).hint(hint)
}
