//! Contexts of what the operating system is told.

use crate::plan::PreparationPlan;
use crate::plan::preparation::{JournaldPlan, LimitsPlan, LogrotatePlan, ModulePlan, NtpPlan, SettingPlan};
use serde::Serialize;

/// The context of one of the system's files; none when the host has no such part.
pub(super) fn of(path: &str, plan: &PreparationPlan) -> Option<System> {
    match path {
        "/etc/chrony.conf"
        | "/etc/chrony/sources.d/sealift.sources"
        | "/etc/systemd/timesyncd.conf.d/90-sealift.conf" => plan.ntp.clone().map(System::Ntp),
        "/etc/logrotate.d/sealift" => plan.logrotate.clone().map(System::Logrotate),
        "/etc/modules-load.d/sealift.conf" => {
            plan.modules.clone().map(|plan| System::Modules { modules: plan.modules })
        }
        "/etc/sysctl.d/90-sealift.conf" => {
            plan.sysctl.clone().map(|plan| System::Settings { settings: plan.settings })
        }
        "/etc/systemd/journald.conf.d/90-sealift.conf" => plan.journald.as_ref().map(journald),
        "/etc/systemd/system/containerd.service.d/40-sealift-limits.conf"
        | "/etc/systemd/system/crio.service.d/40-sealift-limits.conf" => {
            plan.limits.as_ref().map(|plan| System::Limits { open_files: plan.open_files })
        }
        "/etc/systemd/system/kubelet.service.d/40-sealift-limits.conf" => plan.limits.as_ref().map(kubelet),
        "/etc/systemd/system/sealift-swap-off.service" => Some(System::Nothing {}),
        "/etc/tmpfiles.d/sealift-timezone.conf" => {
            plan.timezone.as_ref().map(|plan| System::Timezone { name: plan.name.clone() })
        }
        _ => None,
    }
}

/// What the templates see.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum System {
    Modules { modules: Vec<ModulePlan> },
    Settings { settings: Vec<SettingPlan> },
    KubeletLimits { open_files: u32, before: Vec<&'static str>, started: Vec<&'static str> },
    Limits { open_files: u32 },
    Logrotate(LogrotatePlan),
    Journald { max_use: u64, max_retention: Option<u64> },
    Timezone { name: String },
    Ntp(NtpPlan),
    Nothing {},
}

const fn journald(plan: &JournaldPlan) -> System {
    System::Journald { max_use: plan.max_use, max_retention: plan.max_retention }
}

/// What is there before the kubelet, and what of it is started for it.
fn kubelet(plan: &LimitsPlan) -> System {
    let swap = plan.without_swap.then_some("sealift-swap-off.service");
    let started: Vec<_> = ["network-online.target", plan.runtime].into_iter().chain(swap).collect();
    // whoever sets the clock brings time-sync.target; asked for, it could be waited for without an end
    let others = ["systemd-modules-load.service", "systemd-sysctl.service", "time-sync.target"];
    System::KubeletLimits {
        open_files: plan.open_files,
        before: others.into_iter().chain(started.iter().copied()).collect(),
        started,
    }
}

#[cfg(test)]
mod tests;
