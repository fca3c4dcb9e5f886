//! Configurations of the operating system.

use crate::spec::scalars::{
    ByteSize, HostAddress, HostName, LogPattern, ModuleName, NtpServer, Span, SysctlKey, SysctlValue,
    TimezoneName,
};
use crate::spec::types::map_schema;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Names of the cluster in a block of `/etc/hosts`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct HostsPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// More names by their address.
    #[schemars(schema_with = "map_schema::<HostAddress, Vec<HostName>>")]
    pub entries: BTreeMap<HostAddress, Vec<HostName>>,
}

/// Settings of the kernel, `/etc/sysctl.d/90-sealift.conf`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SysctlPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// More settings, or other values.
    #[schemars(schema_with = "map_schema::<SysctlKey, SysctlValue>")]
    pub settings: BTreeMap<SysctlKey, SysctlValue>,
    /// Settings that are left as they are.
    pub omit: Vec<SysctlKey>,
}

/// Modules of the kernel, `/etc/modules-load.d/sealift.conf`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ModulesPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// More modules.
    pub extra: Vec<ModuleName>,
    /// Modules that are not loaded, because the kernel has them built in or does not have them.
    pub omit: Vec<ModuleName>,
}

/// What becomes of swap.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SwapPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// What becomes of it; `off` by default.
    pub mode: Option<SwapMode>,
}

/// What becomes of swap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SwapMode {
    /// It is turned off at each boot.
    #[default]
    Off,
    /// It stays, for the system alone: no pod uses it.
    System,
    /// It stays, and burstable pods use some (the kubelet's `LimitedSwap`).
    Limited,
}

/// Limits of the kubelet's and the container runtime's units, and their order.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LimitsPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// Open files of each unit (`LimitNOFILE=`); 1048576 by default.
    #[schemars(range(min = 1024, max = 1_048_576))]
    pub open_files: Option<u32>,
}

/// Logs that are rotated, `/etc/logrotate.d/sealift`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LogrotatePrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// The logs, with `*` for any name.
    pub paths: Vec<LogPattern>,
    /// How many old ones are kept; 7 by default.
    #[schemars(range(min = 1, max = 1000))]
    pub keep: Option<u32>,
    /// From which size on they are rotated every day; `100MiB` by default.
    pub size: Option<ByteSize>,
}

/// How much the journal keeps, `/etc/systemd/journald.conf.d/90-sealift.conf`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct JournaldPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// On disk at most; `2GiB` by default.
    pub max_use: Option<ByteSize>,
    /// For how long; as long as there is room by default.
    pub max_retention: Option<Span>,
}

/// The time zone.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TimezonePrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// Its name, such as `Europe/Berlin`.
    pub name: Option<TimezoneName>,
}

/// Where the time comes from.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NtpPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// What asks for it; by default the distribution's own: `chrony` with `os: rhel`, `systemd-timesyncd`
    /// otherwise.
    pub client: Option<NtpClient>,
    /// Whom it asks, names or addresses, in order.
    pub servers: Vec<NtpServer>,
}

/// What asks for the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum NtpClient {
    /// systemd's.
    #[default]
    #[serde(rename = "systemd-timesyncd")]
    Timesyncd,
    /// chrony.
    #[serde(rename = "chrony")]
    Chrony,
}
