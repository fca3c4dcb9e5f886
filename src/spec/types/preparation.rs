//! What a host needs before the kubelet: each part is on where a layer writes it, and off where the most
//! specific one says `enabled: false`.

mod runtimes;
mod system;

pub use runtimes::{ContainerdPrep, CrictlPrep, CrioPrep, DockerPrep};
pub use system::{
    HostsPrep, JournaldPrep, LimitsPrep, LogrotatePrep, ModulesPrep, NtpClient, NtpPrep, SwapMode, SwapPrep,
    SysctlPrep, TimezonePrep,
};

use schemars::JsonSchema;
use serde::Deserialize;

/// What a host needs before the kubelet.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct HostPrep {
    /// Names of the cluster in a block of `/etc/hosts`.
    #[schemars(with = "HostsPrep")]
    pub hosts: Option<HostsPrep>,
    /// Settings of the kernel.
    #[schemars(with = "SysctlPrep")]
    pub sysctl: Option<SysctlPrep>,
    /// Modules of the kernel.
    #[schemars(with = "ModulesPrep")]
    pub modules: Option<ModulesPrep>,
    /// What becomes of swap.
    #[schemars(with = "SwapPrep")]
    pub swap: Option<SwapPrep>,
    /// containerd's configuration.
    #[schemars(with = "ContainerdPrep")]
    pub containerd: Option<ContainerdPrep>,
    /// Docker's configuration.
    #[schemars(with = "DockerPrep")]
    pub docker: Option<DockerPrep>,
    /// CRI-O's configuration.
    #[schemars(with = "CrioPrep")]
    pub crio: Option<CrioPrep>,
    /// `crictl`'s configuration.
    #[schemars(with = "CrictlPrep")]
    pub crictl: Option<CrictlPrep>,
    /// Limits of the kubelet's and the container runtime's units, and their order.
    #[schemars(with = "LimitsPrep")]
    pub limits: Option<LimitsPrep>,
    /// Logs that are rotated.
    #[schemars(with = "LogrotatePrep")]
    pub logrotate: Option<LogrotatePrep>,
    /// How much the journal keeps.
    #[schemars(with = "JournaldPrep")]
    pub journald: Option<JournaldPrep>,
    /// The time zone.
    #[schemars(with = "TimezonePrep")]
    pub timezone: Option<TimezonePrep>,
    /// Where the time comes from.
    #[schemars(with = "NtpPrep")]
    pub ntp: Option<NtpPrep>,
}
