//! What a change means to kubeadm that no file of a host tells by itself.

use super::file::recipients;
use crate::bundle::open::Verified;
use crate::cli::world::SpecFile;
use crate::plan::HostPlan;
use crate::spec::{Path as SpecPath, Problem};

/// What `kubeadm init` reads, on the first control plane alone.
const INIT: &str = "/etc/kubernetes/kubeadm/init.yaml";

/// Warnings about the first control plane of a cluster that runs; none about other hosts.
pub(super) fn problems(spec: &SpecFile, host: &HostPlan, before: &Verified) -> Vec<Problem> {
    let first = host.files.iter().any(|file| file.path == INIT);
    if !first || !spec.loaded.spec.kubernetes.initialized {
        return Vec::new();
    }
    release(spec, host, before).into_iter().chain(machine(host, before)).collect()
}

/// Another release takes other commands than another configuration.
fn release(spec: &SpecFile, host: &HostPlan, before: &Verified) -> Option<Problem> {
    let text = std::str::from_utf8(before.contents(INIT)?).ok()?;
    let old = text.lines().find_map(|line| line.strip_prefix("kubernetesVersion: v"))?;
    let new = spec.loaded.spec.kubernetes.version.to_string();
    (old != new).then(|| {
        let message = format!("Kubernetes goes from {old} to {new}, on every node");
        let options = "--certificate-renewal=false --patches /etc/kubernetes/patches";
        Problem::warning("kubernetes.version", message).hint(format!(
            "on {} run `kubeadm upgrade apply v{new} {options}` in place of the commands for init.yaml, then \
             on every other node, one by one, `kubeadm upgrade node {options}`",
            host.name
        ))
    })
}

/// A new machine in its place must join, and its bundle says how to begin a cluster.
fn machine(host: &HostPlan, before: &Verified) -> Option<Problem> {
    (before.manifest().host.recipients != recipients(host)).then(|| {
        let path = SpecPath::root().key("hosts").key(&host.name).key("recipients");
        let message =
            format!("{} has other recipients, and as the first control plane no join.yaml", host.name);
        Problem::warning(path.as_str(), message).hint(
            "a new machine must not run `kubeadm init`: set `kubernetes.firstControlPlane` to a control plane \
             that runs",
        )
    })
}
