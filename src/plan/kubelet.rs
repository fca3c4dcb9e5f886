//! The kubelet of one host.

use super::settings::Settings;
use crate::spec::scalars::ToleratedExit;
use crate::spec::types::{CgroupDriver, GateRun};
use serde::Serialize;

/// The kubelet of one host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletPlan {
    /// What must hold before it starts.
    pub gate: GatePlan,
    /// `systemd` or `cgroupfs`.
    pub cgroup_driver: &'static str,
    /// The container runtime's socket.
    pub container_runtime_endpoint: String,
    /// The kubelet's program.
    pub program: String,
}

/// What must hold before the kubelet starts.
#[derive(Clone, Debug, Serialize)]
pub struct GatePlan {
    /// What checks the host.
    #[serde(serialize_with = "gate_name")]
    pub run: GateRun,
    /// Exit codes of `sealift verify` that do not stop the kubelet, ascending.
    pub tolerate: Vec<u8>,
    /// The sealift program.
    pub program: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn gate_name<S: serde::Serializer>(run: &GateRun, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(run.name())
}

/// Exit code 6: a clock may be wrong at boot.
const TOLERATED: u8 = 6;

pub(super) fn plan(settings: &Settings) -> KubeletPlan {
    let tolerate = settings.gate_tolerate.as_ref().map_or_else(
        || vec![TOLERATED],
        |codes| codes.iter().map(|code: &ToleratedExit| code.get()).collect(),
    );
    let mut tolerate: Vec<u8> = tolerate;
    tolerate.sort_unstable();
    tolerate.dedup();
    KubeletPlan {
        gate: GatePlan {
            run: settings.gate.unwrap_or(GateRun::Sealift),
            tolerate,
            program: text(settings.gate_program.as_ref(), "/usr/local/bin/sealift"),
        },
        cgroup_driver: match settings.cgroup_driver.unwrap_or(CgroupDriver::Systemd) {
            CgroupDriver::Systemd => "systemd",
            CgroupDriver::Cgroupfs => "cgroupfs",
        },
        container_runtime_endpoint: text(
            settings.container_runtime_endpoint.as_ref(),
            "unix:///var/run/containerd/containerd.sock",
        ),
        program: text(settings.kubelet_program.as_ref(), "/usr/bin/kubelet"),
    }
}

fn text<T: ToString>(value: Option<&T>, default: &str) -> String {
    value.map_or_else(|| default.to_owned(), ToString::to_string)
}
