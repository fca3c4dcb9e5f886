//! What container runtimes are told of registries and their mirrors.

use crate::plan::{HostPlan, RegistryPlan};
use serde::Serialize;

/// The context of containerd's `hosts.toml` of one registry.
#[derive(Serialize)]
pub(super) struct RegistryHosts {
    server: Option<String>,
    mirrors: Vec<Mirror>,
}

/// The context of CRI-O's registries.
#[derive(Serialize)]
pub(super) struct Registries {
    registries: Vec<Registry>,
}

#[derive(Serialize)]
struct Registry {
    name: String,
    mirrors: Vec<Mirror>,
}

#[derive(Serialize)]
struct Mirror {
    url: String,
    override_path: bool,
    location: String,
    insecure: bool,
}

/// One registry of the host.
pub(super) fn hosts(name: &str, host: &HostPlan) -> Option<RegistryHosts> {
    let registry = host.registries.iter().find(|registry| registry.name == name)?;
    Some(RegistryHosts { server: registry.server.clone(), mirrors: mirrors(registry) })
}

/// All registries of the host.
pub(super) fn all(host: &HostPlan) -> Registries {
    let registries = host.registries.iter();
    let registries = registries.map(|plan| Registry { name: plan.name.clone(), mirrors: mirrors(plan) });
    Registries { registries: registries.collect() }
}

fn mirrors(registry: &RegistryPlan) -> Vec<Mirror> {
    let all = registry.mirrors.iter().map(|mirror| Mirror {
        url: mirror.url.clone(),
        override_path: mirror.override_path,
        location: mirror.location.clone(),
        insecure: mirror.insecure,
    });
    all.collect()
}
