//! containerd's configuration: `version = 2` of containerd 1.x and `version = 3` of 2.x (its
//! `docs/cri/config.md`).

use super::super::{Site, is_off};
use super::{cgroup_driver, configuration, pause};
use crate::spec::types::{FreeForm, Os, RuntimeKind};
use serde::Serialize;
use serde_json::{Value, json};

/// containerd's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerdPlan {
    /// The whole of it.
    pub config: FreeForm,
    /// Whether the distribution's unit reads another file until it is told (Flatcar's `CONTAINERD_CONFIG`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
}

/// The plugin of containerd 1.x that serves kubelets; in 2.x it is left with their streams.
pub(super) const CRI: &str = "io.containerd.grpc.v1.cri";
/// The plugin of containerd 2.x that has images.
pub(super) const IMAGES: &str = "io.containerd.cri.v1.images";
/// The plugin of containerd 2.x that has containers.
pub(super) const RUNTIME: &str = "io.containerd.cri.v1.runtime";
/// The runtime of runc, of which `SystemdCgroup` is an option.
pub(super) const RUNC: &str = "io.containerd.runc.v2";
/// Where sealift places what it says of registries.
pub(super) const REGISTRIES: &str = "/etc/containerd/certs.d";
/// The format where the spec says none: containerd 2.x.
const FORMAT: u32 = 3;

/// Which names a format has for what sealift says.
pub(super) struct Names {
    /// The table of the runtimes.
    pub(super) runtimes: [&'static str; 4],
    /// The table of the registries.
    pub(super) registry: [&'static str; 3],
}

/// The names of a configuration's format.
pub(super) fn names(config: &FreeForm) -> Names {
    if config.map().get("version").and_then(Value::as_u64) == Some(2) {
        Names { runtimes: ["plugins", CRI, "containerd", "runtimes"], registry: ["plugins", CRI, "registry"] }
    } else {
        Names {
            runtimes: ["plugins", RUNTIME, "containerd", "runtimes"],
            registry: ["plugins", IMAGES, "registry"],
        }
    }
}

/// Where containerd runs the kubelet's pods, or nerdctl's containers.
pub(in crate::plan::preparation) fn plan(site: &Site<'_>) -> Option<ContainerdPlan> {
    let prep = site.settings.prep.containerd.as_ref().filter(|prep| !is_off(prep.enabled))?;
    if !site.shared.spec.has_containerd(site.host) {
        return None;
    }
    let pods = super::pods_run_by(site, RuntimeKind::Containerd);
    let sandbox = pause(site).filter(|_| pods);
    let systemd = cgroup_driver(site.settings) == "systemd";
    // a runtime that a file names loses its defaults, its type among them
    let runtimes = json!({"runc": {"runtime_type": RUNC, "options": {"SystemdCgroup": systemd}}});
    let registry = json!({"config_path": REGISTRIES});
    let base = if prep.format.unwrap_or(FORMAT) == 2 {
        let cri = json!({
            "sandbox_image": sandbox,
            "containerd": {"runtimes": runtimes},
            "registry": registry,
        });
        json!({"version": 2, "plugins": {CRI: cri}})
    } else {
        json!({"version": 3, "plugins": {
            IMAGES: {"pinned_images": {"sandbox": sandbox}, "registry": registry},
            RUNTIME: {"containerd": {"runtimes": runtimes}},
        }})
    };
    let unread = site.settings.os == Os::Flatcar;
    Some(ContainerdPlan { config: configuration(base, &prep.config), unread })
}
