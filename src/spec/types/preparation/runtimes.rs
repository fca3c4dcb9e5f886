//! Configurations of container runtimes.

use crate::spec::scalars::Length;
use crate::spec::types::FreeForm;
use schemars::JsonSchema;
use serde::Deserialize;

/// containerd's configuration, `/etc/containerd/config.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ContainerdPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// The format of its file: 2 for containerd 1.x, 3 for 2.x; 3 by default.
    #[schemars(range(min = 2, max = 3))]
    pub format: Option<u32>,
    /// More of its configuration, as its file has it, merged over what comes from here.
    pub config: FreeForm,
}

/// Docker's configuration, `/etc/docker/daemon.json`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DockerPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// More of its configuration, as its file has it, merged over what comes from here.
    pub config: FreeForm,
}

/// CRI-O's configuration, `/etc/crio/crio.conf.d/10-sealift.conf`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CrioPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// More of its configuration, as its file has it, merged over what comes from here.
    pub config: FreeForm,
}

/// `crictl`'s configuration, `/etc/crictl.yaml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CrictlPrep {
    /// Whether this part is on.
    pub enabled: Option<bool>,
    /// How long it waits for an answer; `10s` by default.
    pub timeout: Option<Length>,
}
