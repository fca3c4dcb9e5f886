//! The layers in which a spec sets the same thing: for all hosts, for a role, for a host.

use super::path::Path;
use super::scalars::HostName;
use super::types::{Host, HostPrep, Kubelet, Patches, Role, Spec};

/// One layer of settings.
#[derive(Debug)]
pub(crate) struct Layer<'s> {
    /// Where it stands.
    pub(crate) path: Path,
    /// The role that it is for, if it is for one.
    pub(crate) role: Option<Role>,
    /// The host that it is for, if it is for one.
    pub(crate) host: Option<&'s Host>,
    /// Settings of kubelets.
    pub(crate) kubelet: &'s Kubelet,
    /// Merge patches.
    pub(crate) patches: &'s Patches,
    /// What hosts need before the kubelet.
    pub(crate) prep: &'s HostPrep,
}

/// All layers, the most specific last.
pub(crate) fn layers(spec: &Spec) -> impl Iterator<Item = Layer<'_>> {
    let hosts = Path::root().key("hosts");
    let hosts = spec.hosts.iter().map(move |(name, of)| Layer {
        path: hosts.key(name.as_str()),
        role: None,
        host: Some(of),
        kubelet: &of.kubelet,
        patches: &of.patches,
        prep: &of.host_prep,
    });
    layers_shared(spec).chain(hosts)
}

/// The layers of all hosts and of roles.
fn layers_shared(spec: &Spec) -> impl Iterator<Item = Layer<'_>> {
    let root = Path::root();
    let roles = root.key("roles");
    let all = Layer {
        path: root,
        role: None,
        host: None,
        kubelet: &spec.kubelet,
        patches: &spec.patches,
        prep: &spec.host_prep,
    };
    let roles = spec.roles.iter().map(move |(role, of)| Layer {
        path: roles.key(role.name()),
        role: Some(*role),
        host: None,
        kubelet: &of.kubelet,
        patches: &of.patches,
        prep: &of.host_prep,
    });
    std::iter::once(all).chain(roles)
}

/// The layers that one host has settings from, the most specific last.
pub(crate) fn layers_of<'s>(
    spec: &'s Spec,
    name: &HostName,
    host: &'s Host,
) -> impl Iterator<Item = Layer<'s>> {
    let path = Path::root().key("hosts").key(name.as_str());
    let own = Layer {
        path,
        role: None,
        host: Some(host),
        kubelet: &host.kubelet,
        patches: &host.patches,
        prep: &host.host_prep,
    };
    let shared = layers_shared(spec).filter(|layer| layer.role.is_none_or(|role| host.has(role)));
    shared.chain([own])
}
