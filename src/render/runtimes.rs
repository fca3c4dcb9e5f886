//! What container runtimes and `crictl` read.

use super::{RenderError, json, toml};
use crate::plan::HostPlan;
use serde::Serialize;

/// The context of `crictl`'s configuration.
#[derive(Serialize)]
pub(super) struct Crictl {
    endpoint: String,
    timeout: u64,
}

/// `crictl`'s configuration.
pub(super) fn crictl(host: &HostPlan) -> Option<Crictl> {
    let plan = host.preparation.as_deref()?.crictl.as_ref()?;
    Some(Crictl { endpoint: plan.endpoint.clone(), timeout: plan.timeout })
}

/// The context of the drop-in of containerd's unit.
#[derive(Serialize)]
pub(super) struct Containerd {
    configuration: &'static str,
}

/// Where containerd's unit finds its configuration.
pub(super) const fn containerd() -> Containerd {
    Containerd { configuration: CONTAINERD }
}

const CONTAINERD: &str = "/etc/containerd/config.toml";

/// A configuration that is written whole.
pub(super) fn configuration(path: &str, host: &HostPlan) -> Result<String, RenderError> {
    let unknown = || RenderError::Unknown(path.to_owned());
    let plan = host.preparation.as_deref().ok_or_else(unknown)?;
    let (config, of) = match path {
        CONTAINERD => (plan.containerd.as_ref().map(|plan| &plan.config), "containerd's"),
        "/etc/crio/crio.conf.d/10-sealift.conf" => (plan.crio.as_ref().map(|plan| &plan.config), "CRI-O's"),
        "/etc/docker/daemon.json" => {
            return plan.docker.as_ref().map(|plan| json::text(plan.config.map())).ok_or_else(unknown);
        }
        _ => (None, ""),
    };
    let text = toml::text(config.ok_or_else(unknown)?.map());
    let text = text.map_err(|message| RenderError::Format { path: path.to_owned(), message })?;
    Ok(format!("# sealift: {of} configuration\n{text}"))
}
