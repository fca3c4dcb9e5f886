//! Configurations of container runtimes: as data, written whole, so that no value can break out of its
//! place.

mod containerd;
mod crio;
mod docker;
mod problems;
mod written;

pub use containerd::ContainerdPlan;
pub(super) use containerd::plan as containerd;
pub use crio::CrioPlan;
pub(super) use crio::plan as crio;
pub use docker::DockerPlan;
pub(super) use docker::plan as docker;
pub(super) use problems::problems;

use super::{Site, is_off};
use crate::plan::settings::{Settings, merged, without_nulls};
use crate::spec::scalars::Length;
use crate::spec::types::{FreeForm, RuntimeKind};
use serde::Serialize;
use serde_json::{Map, Value};

/// `crictl`'s configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CrictlPlan {
    /// The socket of the kubelet's container runtime.
    pub endpoint: String,
    /// How many seconds it waits for an answer.
    pub timeout: u64,
}

/// How long `crictl` waits for an answer, in milliseconds, where the spec says nothing.
const TIMEOUT: u64 = 10_000;

/// On hosts with a kubelet.
pub(super) fn crictl(site: &Site<'_>) -> Option<CrictlPlan> {
    let prep = site.settings.prep.crictl.as_ref().filter(|prep| !is_off(prep.enabled))?;
    let timeout = prep.timeout.map_or(TIMEOUT, Length::milliseconds);
    Some(CrictlPlan {
        endpoint: site.kubelet?.container_runtime_endpoint.clone(),
        timeout: timeout.div_ceil(1000),
    })
}

/// What comes from here, and the spec's words over it; of those, `null` takes a field away.
fn configuration(base: Value, own: &FreeForm) -> FreeForm {
    let base = if let Value::Object(map) = base { map } else { Map::new() };
    without_nulls(&merged(&base.into(), own))
}

/// The cgroup driver that the host's kubelet uses: its flag wins over its configuration.
fn cgroup_driver(settings: &Settings) -> &str {
    let flag = settings.kubelet_args.get("cgroup-driver").and_then(|values| values.last());
    let field = settings.kubelet_config.map().get("cgroupDriver").and_then(Value::as_str);
    let own = || settings.cgroup_driver.unwrap_or_default().name();
    flag.map(String::as_str).or(field).unwrap_or_else(own)
}

/// The image that holds a pod's namespaces, where a kubelet runs pods.
fn pause(site: &Site<'_>) -> Option<String> {
    site.kubelet?;
    site.shared.release.map(|release| crate::plan::images::pause(site.shared.spec, release))
}

/// Whether the host's pods run by this runtime.
fn pods_run_by(site: &Site<'_>, kind: RuntimeKind) -> bool {
    site.shared.spec.pods_run_by(kind, site.host)
}
