//! Settings of the components of Kubernetes.

use super::super::scalars::{
    AbsolutePath, Certificates, FeatureGate, FlagName, ImageRef, ItemName, PlainText, ProxyUrl, Span,
    VariableName,
};
use super::free::{FlagValues, Flags, FreeForm};
use super::map_schema;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Feature gates by name.
pub type FeatureGates = BTreeMap<FeatureGate, bool>;
/// Environment variables by name.
pub type Variables = BTreeMap<VariableName, PlainText>;
/// Directories and files of the host that a component's pod sees, by name.
pub type Volumes = BTreeMap<ItemName, Volume>;

/// A directory or file of the host that a component's pod sees.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["hostPath"]))]
pub struct Volume {
    /// Where it is on the host.
    pub host_path: AbsolutePath,
    /// Where the pod sees it; the same path by default.
    pub mount_path: Option<AbsolutePath>,
    /// Whether the pod may write; it may not by default.
    pub writable: bool,
    /// What it is, as Kubernetes' `hostPath` names it; checked when the pod starts.
    pub path_type: Option<PathType>,
}

/// What a `hostPath` volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PathType {
    /// A directory, made when it is absent.
    DirectoryOrCreate,
    /// A directory.
    Directory,
    /// A file, made when it is absent.
    FileOrCreate,
    /// A file.
    File,
    /// A Unix socket.
    Socket,
}

impl PathType {
    /// The word in a spec and in Kubernetes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DirectoryOrCreate => "DirectoryOrCreate",
            Self::Directory => "Directory",
            Self::FileOrCreate => "FileOrCreate",
            Self::File => "File",
            Self::Socket => "Socket",
        }
    }
}

/// The API server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ApiServer {
    /// Flags; they replace those of the same name.
    #[schemars(schema_with = "map_schema::<FlagName, FlagValues>")]
    pub extra_args: Flags,
    /// Directories and files of the host that its pod sees.
    #[schemars(schema_with = "map_schema::<ItemName, Volume>")]
    pub extra_volumes: Volumes,
    /// Environment variables.
    #[schemars(schema_with = "map_schema::<VariableName, PlainText>")]
    pub extra_envs: Variables,
    /// What it writes into its audit log; nothing by default.
    pub audit: Option<Audit>,
    /// Whose tokens it accepts besides its own.
    pub oidc: Option<Oidc>,
    /// An `AuthenticationConfiguration`, with `apiVersion` and `kind`, instead of `oidc`.
    pub authentication: Option<FreeForm>,
    /// An `AdmissionConfiguration`, with `apiVersion` and `kind`.
    pub admission: Option<FreeForm>,
}

/// The API server's audit log.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["policy"]))]
pub struct Audit {
    /// The fields of an audit.k8s.io/v1 `Policy`: `rules`, `omitStages`.
    pub policy: FreeForm,
    /// The log; `/var/log/kubernetes/audit/audit.log` by default.
    pub log: Option<AbsolutePath>,
    /// Days to keep old logs; 30 by default.
    #[schemars(range(min = 1, max = 36500))]
    pub max_age: Option<u32>,
    /// How many old logs to keep; 10 by default.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_backups: Option<u32>,
    /// Megabytes of a log before it is rotated; 100 by default.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_size: Option<u32>,
}

/// An OpenID Connect provider whose tokens the API server accepts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["issuerUrl", "clientId"]))]
pub struct Oidc {
    /// Its URL, https.
    pub issuer_url: ProxyUrl,
    /// For whom its tokens are.
    pub client_id: PlainText,
    /// The claim that is the user's name; `sub` by default.
    pub username_claim: Option<PlainText>,
    /// What is put before user names.
    pub username_prefix: Option<PlainText>,
    /// The claim that lists the user's groups.
    pub groups_claim: Option<PlainText>,
    /// What is put before groups.
    pub groups_prefix: Option<PlainText>,
    /// The certificates that its server is checked against, in PEM; the system's by default.
    pub ca: Option<Certificates>,
}

/// The controller manager.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ControllerManager {
    /// Flags; they replace those of the same name.
    #[schemars(schema_with = "map_schema::<FlagName, FlagValues>")]
    pub extra_args: Flags,
    /// Directories and files of the host that its pod sees.
    #[schemars(schema_with = "map_schema::<ItemName, Volume>")]
    pub extra_volumes: Volumes,
    /// Environment variables.
    #[schemars(schema_with = "map_schema::<VariableName, PlainText>")]
    pub extra_envs: Variables,
    /// How often it looks at nodes' states.
    pub node_monitor_period: Option<Span>,
    /// How long a node may be silent before it is called unhealthy.
    pub node_monitor_grace_period: Option<Span>,
}

/// The scheduler.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Scheduler {
    /// Flags; they replace those of the same name.
    #[schemars(schema_with = "map_schema::<FlagName, FlagValues>")]
    pub extra_args: Flags,
    /// Directories and files of the host that its pod sees.
    #[schemars(schema_with = "map_schema::<ItemName, Volume>")]
    pub extra_volumes: Volumes,
    /// Environment variables.
    #[schemars(schema_with = "map_schema::<VariableName, PlainText>")]
    pub extra_envs: Variables,
}

/// kube-proxy.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct KubeProxy {
    /// Leave it out, because the network that you install does its work.
    pub disabled: bool,
    /// How it makes services reachable; its own choice by default.
    pub mode: Option<KubeProxyMode>,
    /// With `ipvs`: how connections are spread, such as `rr` or `lc`.
    pub scheduler: Option<ItemName>,
    /// How often all rules are looked at.
    pub sync_period: Option<Span>,
    /// How much time lies between two changes of rules at least.
    pub min_sync_period: Option<Span>,
    /// More fields of its `KubeProxyConfiguration`.
    pub config: FreeForm,
}

/// How kube-proxy makes services reachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KubeProxyMode {
    /// iptables.
    Iptables,
    /// IPVS.
    Ipvs,
    /// nftables; from 1.31 on by default there, before behind a feature gate.
    Nftables,
}

impl KubeProxyMode {
    /// The word in a spec and in a `KubeProxyConfiguration`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iptables => "iptables",
            Self::Ipvs => "ipvs",
            Self::Nftables => "nftables",
        }
    }
}

/// The cluster's DNS server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CoreDns {
    /// Leave it out, because you install another.
    pub disabled: bool,
}

/// Images, each with a tag, a digest or both; by default those of the release.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Images {
    /// The API server's.
    pub kube_apiserver: Option<ImageRef>,
    /// The controller manager's.
    pub kube_controller_manager: Option<ImageRef>,
    /// The scheduler's.
    pub kube_scheduler: Option<ImageRef>,
    /// kube-proxy's.
    pub kube_proxy: Option<ImageRef>,
    /// The DNS server's.
    pub coredns: Option<ImageRef>,
    /// The one that holds a pod's namespaces.
    pub pause: Option<ImageRef>,
}

/// A proxy between the hosts and the world.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Proxy {
    /// For http.
    pub http: Option<ProxyUrl>,
    /// For https.
    pub https: Option<ProxyUrl>,
    /// What is reached without it, besides the cluster's own addresses and names.
    pub no_proxy: Vec<PlainText>,
}
