//! What a host needs before the kubelet: files that the system's own tools apply.
//!
//! Parts of the node (modules, settings of the kernel, swap, runtimes, limits) are planned where a kubelet
//! runs; the others on every host.

mod hosts;
mod kernel;
mod layers;
mod limits;
mod logs;
mod problems;
mod runtimes;
mod swap;
mod time;

use super::KubeletPlan;
use super::host::Shared;
use super::settings::Settings;
use crate::spec::scalars::HostName;
use crate::spec::types::Host;
use serde::Serialize;

pub(super) use hosts::Names;
pub use hosts::{HostsLine, HostsPlan};
pub use kernel::{
    DefaultModule, DefaultSetting, MODULES, ModulePlan, ModulesPlan, REMOVED, RemovedSetting, SETTINGS,
    SettingPlan, SysctlPlan, Where,
};
pub(super) use layers::lay;
pub use limits::LimitsPlan;
pub use logs::{JournaldPlan, LogrotatePlan};
pub(super) use problems::problems;
pub use runtimes::{ContainerdPlan, CrictlPlan, CrioPlan, DockerPlan};
pub use swap::SwapPlan;
pub(super) use swap::of_kubelet as swap_of_kubelet;
pub use time::{NtpPlan, TimezonePlan};

/// One part of a preparation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Names of the cluster in a block of `/etc/hosts`.
    Hosts,
    /// Settings of the kernel.
    Sysctl,
    /// Modules of the kernel.
    Modules,
    /// Swap that is turned off.
    SwapOff,
    /// containerd's configuration.
    Containerd,
    /// What makes containerd's unit read it.
    ContainerdUnit,
    /// Docker's configuration.
    Docker,
    /// CRI-O's configuration.
    Crio,
    /// `crictl`'s configuration.
    Crictl,
    /// Limits of units, and their order.
    Limits,
    /// Logs that are rotated.
    Logrotate,
    /// How much the journal keeps.
    Journald,
    /// The time zone.
    Timezone,
    /// Where systemd's client asks for the time.
    Timesyncd,
    /// Where chrony asks for the time, beside its own configuration.
    ChronySources,
    /// chrony's whole configuration.
    Chrony,
}

/// What a host needs before the kubelet.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreparationPlan {
    /// Names of the cluster in a block of `/etc/hosts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<HostsPlan>,
    /// Settings of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysctl: Option<SysctlPlan>,
    /// Modules of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules: Option<ModulesPlan>,
    /// What becomes of swap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<SwapPlan>,
    /// containerd's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containerd: Option<ContainerdPlan>,
    /// Docker's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker: Option<DockerPlan>,
    /// CRI-O's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crio: Option<CrioPlan>,
    /// `crictl`'s configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crictl: Option<CrictlPlan>,
    /// Limits of units, and their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsPlan>,
    /// Logs that are rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logrotate: Option<LogrotatePlan>,
    /// How much the journal keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journald: Option<JournaldPlan>,
    /// The time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<TimezonePlan>,
    /// Where the time comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntp: Option<NtpPlan>,
}

/// For what a preparation is planned.
pub(super) struct Site<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) name: &'a HostName,
    pub(super) host: &'a Host,
    pub(super) settings: &'a Settings,
    pub(super) kubelet: Option<&'a KubeletPlan>,
}

/// The preparation of a host; none where every part is off.
pub(super) fn plan(site: &Site<'_>) -> Option<PreparationPlan> {
    let plan = PreparationPlan {
        hosts: hosts::plan(site),
        sysctl: kernel::sysctl(site),
        modules: kernel::modules(site),
        swap: swap::plan(site),
        containerd: runtimes::containerd(site),
        docker: runtimes::docker(site),
        crio: runtimes::crio(site),
        crictl: runtimes::crictl(site),
        limits: limits::plan(site),
        logrotate: logs::logrotate(site),
        journald: logs::journald(site),
        timezone: time::timezone(site),
        ntp: time::ntp(site),
    };
    (plan != PreparationPlan::default()).then_some(plan)
}

impl PreparationPlan {
    /// Whether it has a part.
    pub fn has(&self, part: Part) -> bool {
        match part {
            Part::Hosts => self.hosts.is_some(),
            Part::Sysctl => self.sysctl.is_some(),
            Part::Modules => self.modules.is_some(),
            Part::SwapOff => self.swap.as_ref().is_some_and(SwapPlan::is_off),
            Part::Containerd => self.containerd.is_some(),
            Part::ContainerdUnit => self.containerd.as_ref().is_some_and(|plan| plan.unread),
            Part::Docker => self.docker.is_some(),
            Part::Crio => self.crio.is_some(),
            Part::Crictl => self.crictl.is_some(),
            Part::Limits => self.limits.is_some(),
            Part::Logrotate => self.logrotate.is_some(),
            Part::Journald => self.journald.is_some(),
            Part::Timezone => self.timezone.is_some(),
            Part::Timesyncd => self.asks_by(time::TIMESYNCD),
            Part::ChronySources => self.asks_by(time::SOURCES),
            Part::Chrony => self.asks_by(time::CHRONY),
        }
    }

    fn asks_by(&self, file: &str) -> bool {
        self.ntp.as_ref().is_some_and(|ntp| ntp.file == file)
    }
}

/// Whether the most specific layer turns a part off.
fn is_off(enabled: Option<bool>) -> bool {
    enabled == Some(false)
}
