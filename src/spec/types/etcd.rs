//! etcd: under what it runs, where its members are, and how they come and go.

use super::super::scalars::{
    AbsolutePath, EtcdVersion, FlagName, Generation, HostName, ImageRef, ItemName, LoginName, SystemId,
};
use super::{EtcdStatefulSet, FlagValues, Flags, Gate, Tuning, map_schema};
use schemars::JsonSchema;
use serde::Deserialize;

/// How etcd runs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["run"]))]
pub struct Etcd {
    /// Under what etcd runs.
    pub run: EtcdRun,
    /// etcd's release, which decides its flags; that of the image's tag by default. With `run: systemd`
    /// there is no image to say it.
    pub version: Option<EtcdVersion>,
    /// The image, with tag or digest; by default the one that kubeadm of this release uses.
    pub image: Option<ImageRef>,
    /// The data directory on the host.
    pub data_dir: Option<AbsolutePath>,
    /// A directory of its own for the write-ahead log, on a disk of its own (`--wal-dir`).
    pub wal_dir: Option<AbsolutePath>,
    /// Whether members are reached by address or by name, in every URL and certificate.
    pub urls: EtcdUrls,
    /// What keeps members of different clusters apart (`--initial-cluster-token`).
    pub token: Option<ItemName>,
    /// Whether each member has certificates of its own.
    pub certificates: EtcdCertificates,
    /// Whether members also serve plain http, without any authentication, on 127.0.0.1:2379.
    pub plain_loopback: bool,
    /// Where the settings stand, when it runs as a service or in a container.
    pub config: EtcdConfig,
    /// The program, when it runs as a service; `/usr/local/bin/etcd` by default.
    pub program: Option<AbsolutePath>,
    /// Who runs it, when it runs as a service.
    pub user: EtcdUser,
    /// What runs its container.
    pub container: EtcdContainer,
    /// The `StatefulSet` in a cluster that exists.
    pub stateful_set: Option<EtcdStatefulSet>,
    /// What must hold before etcd's unit starts.
    pub gate: Gate,
    /// Tuning of members.
    pub tuning: Tuning,
    /// More flags, without dashes.
    #[schemars(schema_with = "map_schema::<FlagName, FlagValues>")]
    pub extra_args: Flags,
    /// Members that were removed from the spec and must leave the cluster: the operators' runbook says how.
    pub leaving: Vec<HostName>,
}

/// Under what etcd runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EtcdRun {
    /// A static pod under the kubelet.
    #[default]
    StaticPod,
    /// A service of systemd.
    Systemd,
    /// A container on the host's network, as a service of systemd.
    Container,
    /// A `StatefulSet` in a cluster that exists.
    #[serde(rename = "statefulset")]
    StatefulSet,
}

impl EtcdRun {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StaticPod => "static-pod",
            Self::Systemd => "systemd",
            Self::Container => "container",
            Self::StatefulSet => "statefulset",
        }
    }

    /// Whether it is a unit of systemd, `etcd.service`, by itself or around a container.
    pub const fn is_unit(self) -> bool {
        matches!(self, Self::Systemd | Self::Container)
    }
}

/// What members are reached by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EtcdUrls {
    /// The address.
    #[default]
    Address,
    /// The name, which every host must resolve. etcd listens on the address all the same.
    Name,
}

/// Which certificates members have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EtcdCertificates {
    /// Each its own, one to serve clients and one for peers.
    #[default]
    Member,
    /// One for all members and for both: whoever has one host's key has them all.
    Shared,
}

/// The form of the settings of a service or a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EtcdConfig {
    /// Variables in `/etc/etcd/etcd.env`.
    #[default]
    Environment,
    /// etcd's configuration file, `/etc/etcd/etcd.yaml`.
    Yaml,
}

/// The user of the service.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EtcdUser {
    /// Its name and its group's; `etcd` by default.
    pub name: Option<LoginName>,
    /// Its number; 379 by default. sysusers.d makes the user with it, and files belong to it.
    pub uid: Option<SystemId>,
    /// Its group's number; that of the user by default.
    pub gid: Option<SystemId>,
}

/// What runs the container.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EtcdContainer {
    /// The engine; `podman` by default.
    pub engine: ContainerEngine,
    /// Its program; `/usr/bin/podman`, `/usr/bin/docker`, `/usr/local/bin/nerdctl` by default.
    pub program: Option<AbsolutePath>,
}

/// A container engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContainerEngine {
    /// Podman, by a Quadlet file, from 4.4 on.
    #[default]
    Podman,
    /// Docker.
    Docker,
    /// nerdctl, with containerd.
    Nerdctl,
}

impl ContainerEngine {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
            Self::Nerdctl => "nerdctl",
        }
    }
}

/// etcd settings that a role or a host may have of its own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EtcdSettings {
    /// Of a host: whether its member begins the cluster or joins one that runs.
    pub state: Option<EtcdState>,
    /// Of a member that joins: its turn, 1 by default; within a turn they join by name. A member lists
    /// those that joined before it, so a later change needs a later turn.
    pub join: Option<Generation>,
    /// Of a member that joins: whether the members that began the cluster list it. They do by default when
    /// its generation is above 1, because it replaces itself then.
    pub founder: Option<bool>,
    /// etcd's release.
    pub version: Option<EtcdVersion>,
    /// The image, with tag or digest.
    pub image: Option<ImageRef>,
    /// The data directory on the host.
    pub data_dir: Option<AbsolutePath>,
    /// A directory of its own for the write-ahead log.
    pub wal_dir: Option<AbsolutePath>,
    /// What must hold before etcd's unit starts.
    pub gate: Gate,
    /// Tuning of members.
    pub tuning: Tuning,
    /// More flags, without dashes.
    #[schemars(schema_with = "map_schema::<FlagName, FlagValues>")]
    pub extra_args: Flags,
}

/// Whether a member begins the cluster or joins one (`--initial-cluster-state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EtcdState {
    /// It begins the cluster, together with the other new ones.
    #[default]
    New,
    /// It joins a cluster that runs.
    Existing,
}

impl EtcdState {
    /// etcd's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Existing => "existing",
        }
    }
}
