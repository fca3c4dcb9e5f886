//! CRI-O's configuration (crio.conf(5)).

use super::super::{Site, is_off};
use super::{cgroup_driver, configuration, pause, pods_run_by};
use crate::spec::types::{FreeForm, RuntimeKind};
use serde::Serialize;
use serde_json::json;

/// CRI-O's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CrioPlan {
    /// The whole of it.
    pub config: FreeForm,
}

/// Where CRI-O runs the kubelet's pods.
pub(in crate::plan::preparation) fn plan(site: &Site<'_>) -> Option<CrioPlan> {
    let prep = site.settings.prep.crio.as_ref().filter(|prep| !is_off(prep.enabled))?;
    if !pods_run_by(site, RuntimeKind::Crio) {
        return None;
    }
    let driver = cgroup_driver(site.settings);
    // its default is a slice of systemd, which CRI-O refuses without systemd's driver
    let conmon = (driver == "cgroupfs").then_some("pod");
    let base = json!({"crio": {
        "image": {"pause_image": pause(site)},
        "runtime": {"cgroup_manager": driver, "conmon_cgroup": conmon},
    }});
    Some(CrioPlan { config: configuration(base, &prep.config) })
}
