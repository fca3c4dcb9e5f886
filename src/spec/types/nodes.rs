//! What a node is to the cluster: labels, taints, addresses, its distribution; and its container runtime.

use super::super::scalars::{LabelKey, LabelValue, ProxyUrl, RegistryName};
use super::map_schema;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Labels by key.
pub type Labels = BTreeMap<LabelKey, LabelValue>;

/// A taint: what keeps pods away that do not tolerate it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["key", "effect"]))]
pub struct Taint {
    /// Its key.
    pub key: LabelKey,
    /// Its value; empty by default.
    pub value: LabelValue,
    /// What it does.
    pub effect: TaintEffect,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// They are not placed here.
    #[default]
    NoSchedule,
    /// They are placed elsewhere if possible.
    PreferNoSchedule,
    /// They must leave.
    NoExecute,
}

impl TaintEffect {
    /// The word in a spec and in Kubernetes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

/// A family of distributions, which fixes paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// Debian, Ubuntu and others with deb packages.
    #[default]
    Debian,
    /// RHEL, Rocky, Fedora, SUSE and others with rpm packages.
    Rhel,
    /// Flatcar, whose /usr is read-only.
    Flatcar,
}

/// The container runtime of all nodes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ContainerRuntime {
    /// Which one; `containerd` by default.
    pub kind: RuntimeKind,
    /// Where images of a registry are fetched instead, in order; the registry itself stays the last.
    #[schemars(schema_with = "map_schema::<RegistryName, Vec<ProxyUrl>>")]
    pub registry_mirrors: BTreeMap<RegistryName, Vec<ProxyUrl>>,
}

/// A container runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum RuntimeKind {
    /// containerd.
    #[default]
    #[serde(rename = "containerd")]
    Containerd,
    /// CRI-O.
    #[serde(rename = "cri-o")]
    Crio,
}
