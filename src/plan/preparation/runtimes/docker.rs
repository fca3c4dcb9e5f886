//! Docker's configuration (dockerd(8), "daemon configuration file").

use super::super::{Site, is_off};
use super::{cgroup_driver, configuration};
use crate::spec::scalars::ProxyUrl;
use crate::spec::types::{FreeForm, Spec};
use serde::Serialize;
use serde_json::{Value, json};

/// Docker's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DockerPlan {
    /// The whole of it.
    pub config: FreeForm,
}

/// The only registry of which Docker asks mirrors.
const HUB: &str = "docker.io";

/// On every host whose layers write it: what runs by Docker there, sealift need not know.
pub(in crate::plan::preparation) fn plan(site: &Site<'_>) -> Option<DockerPlan> {
    let prep = site.settings.prep.docker.as_ref().filter(|prep| !is_off(prep.enabled))?;
    let mirrors: Vec<String> = mirrors(site.shared.spec)
        .filter(|(_, mirror)| mirror.repository().is_empty())
        .map(|(_, mirror)| format!("{}://{}", mirror.scheme(), mirror.authority()))
        .collect();
    let mirrors = if mirrors.is_empty() { Value::Null } else { mirrors.into() };
    let base = json!({
        "exec-opts": [option(cgroup_driver(site.settings))],
        "live-restore": true,
        "log-driver": "json-file",
        "log-opts": {"max-file": "3", "max-size": "100m"},
        "registry-mirrors": mirrors,
        "storage-driver": "overlay2",
    });
    Some(DockerPlan { config: configuration(base, &prep.config) })
}

/// The mirrors of Docker Hub, with their places in the list.
pub(super) fn mirrors(spec: &Spec) -> impl Iterator<Item = (usize, &ProxyUrl)> {
    let all = spec.container_runtime.registry_mirrors.iter().filter(|(name, _)| name.as_str() == HUB);
    all.flat_map(|(_, mirrors)| mirrors.iter().enumerate())
}

/// How Docker is told of a cgroup driver.
pub(super) fn option(driver: &str) -> String {
    format!("native.cgroupdriver={driver}")
}
