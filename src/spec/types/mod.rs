//! The shape of `sealift.yaml`: one type per section, each field documented where it is declared.
//!
//! The JSON Schema that `sealift schema` prints and that the structural check walks is derived
//! from these types, so the two cannot disagree. Every type has a default: what is wrong in a
//! spec is reported and left out, and the rules still see the rest.

mod balancers;
mod components;
mod etcd;
pub(crate) mod free;
mod kubernetes;
mod nodes;
mod pki;
mod preparation;
mod secrets;
mod stateful_set;
mod tuning;
mod verify;

pub use balancers::{
    Announce, BackendNames, Balance, BalancerCheck, BalancerKind, BalancerPassword, BalancerPlace,
    BalancerRun, Bgp, BgpPeer, Listen, LoadBalancer,
};
pub use components::{
    ApiServer, Audit, ControllerManager, CoreDns, FeatureGates, Images, KubeProxy, KubeProxyMode, Oidc,
    PathType, Proxy, Scheduler, Variables, Volume, Volumes,
};
pub use etcd::{
    ContainerEngine, Etcd, EtcdCertificates, EtcdConfig, EtcdContainer, EtcdRun, EtcdSettings, EtcdState,
    EtcdUrls, EtcdUser,
};
pub use free::{FlagValues, Flags, FreeForm};
pub use kubernetes::{Join, Kubernetes, NodeCidrMask, Provisioner};
pub use nodes::{ContainerRuntime, Labels, Os, RuntimeKind, Taint, TaintEffect};
pub use pki::{
    Algorithm, Authority, CaName, Cas, CertificateId, CertificateSettings, External, HostCertificate, Import,
    Pki, PreviousAuthority, PreviousServiceAccount, Rotation, ServiceAccount, Subject, Validity,
};
pub use preparation::{
    ContainerdPrep, CrictlPrep, CrioPrep, DockerPrep, HostPrep, HostsPrep, JournaldPrep, LimitsPrep,
    LogrotatePrep, ModulesPrep, NtpClient, NtpPrep, SwapMode, SwapPrep, SysctlPrep, TimezonePrep,
};
pub use secrets::{
    BootstrapToken, EncryptionAtRest, EncryptionProvider, Password, PreviousEncryption, PreviousSigning,
    Signing,
};
pub use stateful_set::{
    Amounts, EtcdStatefulSet, Issuer, IssuerKind, Resources, StatefulSetCertificates, Storage,
};
pub use tuning::{
    CipherSuite, CompactionMode, LogLevel, Metrics, MetricsLevel, MetricsListen, TlsVersion, Tuning,
};
pub use verify::{Verify, VerifyTimer};

use super::scalars::{
    AbsolutePath, ClusterId, ClusterName, FlagName, Generation, HostName, HostRevision, InterfaceName,
    ItemName, LabelKey, LabelValue, MachineId, PlainText, Recipient, SeedNumber, SocketUrl, Span, Timestamp,
    ToleratedExit, VariableName,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// One highly available cluster: `sealift.yaml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["apiVersion", "cluster", "kubernetes", "hosts"]))]
pub struct Spec {
    /// The version of this format: `sealift/v1`.
    pub api_version: ApiVersion,
    /// Identity, time and people.
    pub cluster: Cluster,
    /// The number of the seed in the keyring that everything is derived from, unless an item names its own.
    pub seed: SeedNumber,
    /// Kubernetes release and who provisions it.
    pub kubernetes: Kubernetes,
    /// How etcd runs.
    pub etcd: Etcd,
    /// kubelet settings of all hosts; `roles` and `hosts` can say otherwise.
    pub kubelet: Kubelet,
    /// The family of distributions of all hosts; `debian` by default.
    pub os: Option<Os>,
    /// The container runtime of all nodes.
    pub container_runtime: ContainerRuntime,
    /// What leads to the API servers.
    pub load_balancers: Vec<LoadBalancer>,
    /// What hosts need before the kubelet.
    pub host_prep: HostPrep,
    /// Whether the host keeps the bundle before the installed one, for `sealift rollback`; not by default.
    pub keep_previous: Option<bool>,
    /// When hosts are verified, beside the gates.
    pub verify: Verify,
    /// JSON merge patches (RFC 7386) of single YAML files on hosts, by path.
    #[schemars(schema_with = "map_schema::<AbsolutePath, FreeForm>")]
    pub patches: Patches,
    /// Certificates and their authorities.
    pub pki: Pki,
    /// How the API servers encrypt what they write into etcd; not at all by default.
    pub encryption_at_rest: Option<EncryptionAtRest>,
    /// Passwords that hosts share, by name.
    #[schemars(schema_with = "map_schema::<ItemName, Password>")]
    pub passwords: BTreeMap<ItemName, Password>,
    /// The key that signs bundles.
    pub signing: Signing,
    /// Settings of all hosts of a role; more specific than those for all, less than a host's own.
    #[schemars(schema_with = "map_schema::<Role, RoleSettings>")]
    pub roles: BTreeMap<Role, RoleSettings>,
    /// The machines, by node name.
    #[schemars(schema_with = "map_schema::<HostName, Host>")]
    pub hosts: BTreeMap<HostName, Host>,
    /// Names of removed hosts with the last generation they had; a name that comes back needs a higher one.
    #[schemars(schema_with = "map_schema::<HostName, Generation>")]
    pub retired: BTreeMap<HostName, Generation>,
}

/// JSON merge patches by the path of the file that they change.
pub type Patches = BTreeMap<AbsolutePath, FreeForm>;

/// The version of the spec's format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The only one so far.
    #[default]
    #[serde(rename = "sealift/v1")]
    V1,
}

/// Identity, time and people.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["name", "id", "epoch", "operators"]))]
pub struct Cluster {
    /// For people; changing it changes no key.
    pub name: ClusterName,
    /// 32 hex digits written by `sealift init`; ties the spec to its keyring.
    pub id: ClusterId,
    /// The only clock a build knows, RFC 3339 in UTC. Validity counts from it, archived files carry it.
    pub epoch: Timestamp,
    /// Raise it with each rollout; hosts refuse to go back.
    pub revision: Generation,
    /// Who may open the keyring and the operators' bundle: `age1…` or `ssh-ed25519 …`.
    #[schemars(length(min = 1))]
    pub operators: Vec<Recipient>,
    /// How long after the epoch a bundle may be installed; by default until its first certificate expires.
    pub bundle_validity: Option<Span>,
}

/// kubelet settings.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Kubelet {
    /// What must hold before the kubelet starts.
    pub gate: Gate,
    /// The cgroup driver, the same as the container runtime's; `systemd` by default.
    pub cgroup_driver: Option<CgroupDriver>,
    /// The container runtime's socket; that of `containerRuntime.kind` by default.
    pub container_runtime_endpoint: Option<SocketUrl>,
    /// The kubelet's program; where the distribution has it by default.
    pub program: Option<AbsolutePath>,
    /// More fields of its `KubeletConfiguration`.
    pub config: FreeForm,
    /// Flags.
    #[schemars(schema_with = "map_schema::<FlagName, FlagValues>")]
    pub extra_args: Flags,
    /// Environment variables of its unit.
    #[schemars(schema_with = "map_schema::<VariableName, PlainText>")]
    pub environment: Variables,
}

/// What must hold before the kubelet starts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Gate {
    /// What checks the host; `sealift` by default.
    pub run: Option<GateRun>,
    /// Exit codes of `sealift verify` that do not stop the kubelet; `[6]` by default,
    /// because a clock may be wrong at boot.
    pub tolerate: Option<Vec<ToleratedExit>>,
    /// Where the sealift program is; `/usr/local/bin/sealift` by default.
    pub program: Option<AbsolutePath>,
}

impl Gate {
    /// Whether the spec says anything of it.
    pub fn is_written(&self) -> bool {
        let Self { run, tolerate, program } = self;
        run.is_some() || tolerate.is_some() || program.is_some()
    }
}

/// What checks the host before the kubelet starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GateRun {
    /// `sealift verify --root /`.
    Sealift,
    /// `sha256sum -c --strict`: finds changed and missing files only.
    Sha256sum,
    /// Nothing.
    None,
}

/// The cgroup driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CgroupDriver {
    /// systemd's.
    #[default]
    Systemd,
    /// The kernel's file system.
    Cgroupfs,
}

impl CgroupDriver {
    /// The word in a spec and in a `KubeletConfiguration`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Cgroupfs => "cgroupfs",
        }
    }
}

/// What a host is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs a member of the etcd cluster.
    Etcd,
    /// Runs the API server, the controller manager and the scheduler, and is a node.
    ControlPlane,
    /// Is a node.
    Worker,
    /// Has balancers of the API servers.
    LoadBalancer,
}

/// Settings of all hosts of a role.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RoleSettings {
    /// kubelet settings.
    pub kubelet: Kubelet,
    /// etcd settings.
    pub etcd: EtcdSettings,
    /// The family of its distribution; `debian` by default.
    pub os: Option<Os>,
    /// The network interface of virtual addresses.
    pub interface: Option<InterfaceName>,
    /// What hosts need before the kubelet.
    pub host_prep: HostPrep,
    /// Whether the host keeps the bundle before the installed one, for `sealift rollback`; not by default.
    pub keep_previous: Option<bool>,
    /// When it is verified, beside the gates.
    pub verify: Verify,
    /// Labels. Those that a kubelet may not set itself become manifests for the operators.
    #[schemars(schema_with = "map_schema::<LabelKey, LabelValue>")]
    pub labels: Labels,
    /// Taints at a node's first registration, instead of the control plane's.
    pub taints: Option<Vec<Taint>>,
    /// JSON merge patches (RFC 7386) of single YAML files, by path.
    #[schemars(schema_with = "map_schema::<AbsolutePath, FreeForm>")]
    pub patches: Patches,
    /// Paths in owned directories that are not sealift's and are no findings.
    pub allow_files: Vec<AbsolutePath>,
}

/// One machine.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["addresses", "roles", "recipients"]))]
pub struct Host {
    /// IP addresses, the main one first.
    #[schemars(length(min = 1))]
    pub addresses: Vec<IpAddr>,
    /// The address that etcd listens on and is reached at; the first of `addresses` by default, and
    /// `apiAddress` where kubeadm makes the member.
    pub etcd_address: Option<IpAddr>,
    /// The name that its etcd member is reached by when `etcd.urls` is `name`; the host's name by default.
    pub etcd_name: Option<HostName>,
    /// The address that the API server is reached at; the first of `addresses` by default.
    pub api_address: Option<IpAddr>,
    /// The machine's id: a bundle is then for the machine whose `/etc/machine-id` says this alone.
    pub machine_id: Option<MachineId>,
    /// What the host is for.
    #[schemars(length(min = 1))]
    pub roles: Vec<Role>,
    /// Whom this host's secrets are sealed to: its age key, its OpenSSH ed25519 host key, or both.
    #[schemars(length(min = 1))]
    pub recipients: Vec<Recipient>,
    /// Raise it to give this host new keys.
    pub generation: Generation,
    /// Raise it to roll out a change of this host alone.
    pub revision: HostRevision,
    /// The seed of this host's keys and seals.
    pub seed: Option<SeedNumber>,
    /// kubelet settings of this host.
    pub kubelet: Kubelet,
    /// Its etcd member.
    pub etcd: EtcdSettings,
    /// The family of its distribution; `debian` by default.
    pub os: Option<Os>,
    /// The network interface of virtual addresses.
    pub interface: Option<InterfaceName>,
    /// What hosts need before the kubelet.
    pub host_prep: HostPrep,
    /// Whether the host keeps the bundle before the installed one, for `sealift rollback`; not by default.
    pub keep_previous: Option<bool>,
    /// When it is verified, beside the gates.
    pub verify: Verify,
    /// Labels. Those that a kubelet may not set itself become manifests for the operators.
    #[schemars(schema_with = "map_schema::<LabelKey, LabelValue>")]
    pub labels: Labels,
    /// Taints at a node's first registration, instead of the control plane's.
    pub taints: Option<Vec<Taint>>,
    /// JSON merge patches (RFC 7386) of single YAML files, by path.
    #[schemars(schema_with = "map_schema::<AbsolutePath, FreeForm>")]
    pub patches: Patches,
    /// Its addresses as a node, one of each family; by default the first of `addresses` of each family
    /// that the services have.
    #[serde(rename = "nodeIPs")]
    pub node_ips: Vec<IpAddr>,
    /// Settings of single kinds of certificates on this host, by their ids.
    #[schemars(schema_with = "map_schema::<CertificateId, HostCertificate>")]
    pub certificates: BTreeMap<CertificateId, HostCertificate>,
    /// Paths in owned directories that are not sealift's and are no findings.
    pub allow_files: Vec<AbsolutePath>,
}

impl Spec {
    /// Whether kubeadm makes the etcd member of a host, on a control plane of its own.
    pub fn has_kubeadms_member(&self, host: &Host) -> bool {
        self.etcd.run == EtcdRun::StaticPod
            && self.kubernetes.provisioner == Provisioner::Kubeadm
            && host.has(Role::ControlPlane)
            && host.has(Role::Etcd)
    }
}

impl Host {
    /// Whether it has a role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether it is a node of Kubernetes. Where it is none, its kubelet, if it has one, is etcd's service
    /// manager.
    pub fn is_node(&self) -> bool {
        self.has(Role::ControlPlane) || self.has(Role::Worker)
    }

    /// Where its API server is reached (kubeadm's `localAPIEndpoint.advertiseAddress`).
    pub fn advertise_address(&self) -> Option<IpAddr> {
        self.api_address.or_else(|| self.addresses.first().copied())
    }
}

/// The schema of a map whose keys are checked too; schemars by itself drops the keys' format.
fn map_schema<K: JsonSchema, V: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let (keys, values) = (generator.subschema_for::<K>(), generator.subschema_for::<V>());
    json_schema!({ "type": "object", "propertyNames": keys, "additionalProperties": values })
}

impl Role {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
            Self::LoadBalancer => "load-balancer",
        }
    }
}

impl GateRun {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sealift => "sealift",
            Self::Sha256sum => "sha256sum",
            Self::None => "none",
        }
    }
}
