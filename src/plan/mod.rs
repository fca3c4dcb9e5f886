//! The plan: the complete, pure model of what will exist.
//!
//! Two tables say everything that can exist on a host: [`certs::CERTS`] and [`files::rows`]
//! (with [`directories::DIRECTORIES`] for the directories they live in). A plan is those tables
//! laid over one spec. No cryptography, template, file system, clock or randomness here.

mod apiserver;
pub mod balancers;
pub mod brought;
pub mod certs;
pub mod components;
pub mod directories;
pub mod etcd;
pub mod fields;
pub mod files;
mod free;
mod host;
mod images;
pub mod kubeadm;
mod kubelet;
mod labels;
mod membership;
mod node;
pub mod objects;
pub mod os;
mod patches;
mod pods;
mod policy;
pub mod preparation;
mod proxy;
mod registries;
pub mod releases;
mod restart;
mod rotation;
mod runbook;
mod secrets;
mod settings;
mod timer;

use crate::spec::Problem;
use crate::spec::scalars::{HostName, MachineId, Recipient, SeedNumber};
use crate::spec::types::{CaName, Role, Spec};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

pub use crate::spec::types::{ContainerEngine, FreeForm, Rotation};
pub use apiserver::ApiServerPlan;
pub use balancers::{
    BackendPlan, BalancersPlan, BgpPlan, CheckPlan, HaproxyPlan, KeepalivedPlan, KubeVipPlan, NginxPlan,
    Program, ProxyPlan, VrrpPassword, VrrpPlan,
};
pub use brought::{Brought, Facts};
pub use certs::CertPlan;
pub use directories::DirectoryPlan;
pub use etcd::{
    ContainerPlan, EtcdFlags, EtcdImage, EtcdPlan, Listed, MetricsListener, MetricsPlan, Owner, ServicePlan,
    Setting, StatefulSetPlan, UnitPlan, settings_document,
};
pub use files::{FilePlan, Source};
pub use images::{ImageUse, Images};
pub use kubeadm::{KubeadmPlan, Step};
pub use kubelet::{BootstrapPlan, EnvironmentPlan, GatePlan, KubeletPlan, NodePlan};
pub use membership::{ApiServersPlan, JoiningPlan, MembershipPlan, StayingPlan};
pub use objects::{Manifest, ObjectsPlan};
pub use pods::{PodPlan, Probes};
pub use policy::{Fields, Policy};
pub use preparation::PreparationPlan;
pub use registries::{MirrorPlan, RegistryPlan};
pub use rotation::{AuthorityPlan, Rotated};
pub use runbook::{AtRestPlan, RotatingItem, RotationPlan};
pub use secrets::{EncryptionKeyPlan, EncryptionPlan, KeyPlan, PasswordPlan, TokenPlan};
pub use timer::TimerPlan;

/// The name of the operators' bundle; no host may have it.
pub const OPERATOR: &str = "operator";

/// Everything that will exist for one cluster.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What all hosts share.
    pub cluster: ClusterPlan,
    /// The machines, in byte order of their names.
    pub hosts: BTreeMap<HostName, HostPlan>,
    /// The operators' bundle.
    pub operator: HostPlan,
    /// Every image that the hosts need, in kubeadm's order.
    pub images: Vec<ImageUse>,
}

/// What all hosts of a cluster share.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPlan {
    /// 32 lower-case hex digits.
    pub id: String,
    /// For people.
    pub name: String,
    /// Seconds since 1970, UTC: the only clock.
    pub epoch: i64,
    /// Seconds after the epoch for which a bundle may be installed, where the spec limits it.
    pub bundle_validity: Option<u64>,
    /// The cluster's revision.
    pub revision: u32,
    /// The certificate authorities, in the order of the table.
    pub authorities: Vec<AuthorityPlan>,
    /// The key pair of service-account tokens, when there is a control plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<Rotated<KeyPlan>>,
    /// How the API servers encrypt what they write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<EncryptionPlan>,
    /// Bootstrap tokens, in byte order of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenPlan>,
    /// Passwords that hosts share, in byte order of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<PasswordPlan>,
    /// The key that signs bundles.
    pub signing: SigningPlan,
}

/// The key that signs bundles. Without a rotation it is written as the item alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SigningPlan {
    /// The one that signs.
    #[serde(flatten)]
    pub active: ItemPlan,
    /// The other one that hosts trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<ItemPlan>,
    /// The step, as the spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Rotation>,
}

/// Where a derived item comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ItemPlan {
    /// The number of the seed in the keyring.
    pub seed: u32,
    /// The item's generation.
    pub generation: u32,
}

/// Everything that will exist on one host. What few hosts have is boxed: a fleet has many that have not.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostPlan {
    /// The node name, or [`OPERATOR`].
    pub name: String,
    /// IP addresses, the main one first.
    pub addresses: Vec<IpAddr>,
    /// What its `/etc/machine-id` says, when the spec pins it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<MachineId>,
    /// Whether the bundle before the installed one stays on the host.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_previous: bool,
    /// Whom secrets are sealed to, sorted by wire form, distinct.
    #[serde(serialize_with = "texts")]
    pub recipients: Vec<Recipient>,
    /// Where the host's verify key and seals come from.
    pub item: ItemPlan,
    /// The host's own revision.
    pub revision: u32,
    /// Certificates with their keys, in the order of the table.
    pub certificates: Vec<CertPlan>,
    /// Directories, in byte order of their paths; shared by hosts that have the same.
    pub directories: Arc<[DirectoryPlan]>,
    /// Files, in byte order of their paths; shared by hosts that have the same.
    pub files: Arc<[FilePlan]>,
    /// What is replaced in steps and concerns this host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<RotationPlan>,
    /// What it is told of etcd's members that come and go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<Box<MembershipPlan>>,
    /// JSON merge patches of rendered YAML, by path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub patches: BTreeMap<String, FreeForm>,
    /// Registries whose images come from mirrors, in byte order of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registries: Vec<RegistryPlan>,
    /// kubeadm's configuration, when kubeadm makes the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeadm: Option<KubeadmPlan>,
    /// The static pods of a control plane, when nobody else makes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodPlan>,
    /// The API server's configuration files, when it has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apiserver: Option<ApiServerPlan>,
    /// What of it leads to the API servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balancers: Option<Box<BalancersPlan>>,
    /// What it needs before the kubelet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Box<PreparationPlan>>,
    /// The timer that verifies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerPlan>,
    /// What the operators apply to the cluster, in their own bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<ObjectsPlan>,
    /// The etcd member, when the host runs one.
    pub etcd: Option<Box<EtcdPlan>>,
    /// etcd in a cluster that exists, in the operators' bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stateful_set: Option<Box<StatefulSetPlan>>,
    /// The kubelet, when the host runs one.
    pub kubelet: Option<KubeletPlan>,
}

impl HostPlan {
    /// Whether a pod reads a file of the bundle at its start only: a static pod of a host, by its name, or
    /// those of the operators' `StatefulSet`, which come by their authorities' certificates in a Secret.
    pub fn reads_at_start(&self, pod: &str, file: &FilePlan) -> bool {
        if self.stateful_set.is_some() {
            let authority = certs::CertRow::authority(CaName::Etcd).map(|row| row.id);
            return matches!(file.source, Source::Certificate(id) if Some(id) == authority);
        }
        let target = format!("static-pod/{pod}");
        file.restart.contains(&&*target)
    }

    /// Where the password of its virtual router comes from.
    pub fn vrrp_password(&self) -> Option<&VrrpPassword> {
        self.balancers.as_ref()?.keepalived.as_ref()?.password.as_ref()
    }

    /// How its kubelet has the cluster sign its certificate; none when it has one from here, or kubeadm
    /// sees to it.
    pub fn bootstrap(&self) -> Option<&BootstrapPlan> {
        self.kubelet.as_ref()?.node.as_ref()?.bootstrap.as_ref()
    }
}

fn texts<S: serde::Serializer>(recipients: &[Recipient], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(recipients.iter().map(ToString::to_string))
}

/// Lays the tables over a spec.
///
/// Problems are what only the tables can know, such as a Kubernetes release that sealift does not;
/// with an error among them the plan must not be built. `facts` say what was made elsewhere.
pub fn plan(spec: &Spec, facts: &Facts) -> (Plan, Vec<Problem>) {
    let mut problems = Vec::new();
    let members = etcd::Members::of(spec);
    let release = releases::find(&spec.kubernetes.version, &mut problems);
    let cluster = cluster(spec, facts);
    let images =
        release.filter(|_| certs::has_control_plane(spec)).map(|row| images::plan(spec, row, &mut problems));
    if let Some(release) = release {
        problems.extend(kubeadm::problems(spec, release));
    }
    let names = preparation::Names::of(spec, &members);
    let shared = host::Shared { spec, facts, release, images, members: &members, names, cluster: &cluster };
    let (mut files, mut directories) = (Arc::default(), Arc::default());
    let (mut configuration, mut patch) = (FreeForm::default(), FreeForm::default());
    let mut stacked = None;
    let hosts = spec
        .hosts
        .iter()
        .map(|(name, host)| {
            let settings = settings::of(spec, name, host);
            let etcd = etcd::plan(spec, name, host, &settings, &members, release, &mut problems);
            if stacked.is_none() && host.has(Role::ControlPlane) {
                stacked.clone_from(&etcd);
            }
            problems.extend(kubeadm::host_problems(
                spec,
                name,
                host,
                &settings,
                etcd.as_ref(),
                stacked.as_ref(),
            ));
            let places = certs::Place::of_host(spec, name, host);
            let kubelet = kubelet::plan(&shared, name, host, &places, &settings);
            if host.is_node() {
                problems.extend(node::problems(spec, name, host));
            }
            problems.extend(directories::pointless(&places, &settings.allow_files, kubelet.is_some()));
            problems.extend(preparation::problems(&preparation::Site {
                shared: &shared,
                name,
                host,
                settings: &settings,
                kubelet: kubelet.as_ref(),
            }));
            let balancers = balancers::plan(&shared, name, host, &settings, &mut problems);
            let services = host::Services { etcd, kubelet, balancers };
            let mut planned = shared.host(name, host, &places, &settings, services);
            share(&mut planned.files, &mut files);
            share(&mut planned.directories, &mut directories);
            if let Some(node) = planned.kubelet.as_mut().and_then(|kubelet| kubelet.node.as_mut()) {
                share(&mut node.configuration, &mut configuration);
            }
            // of most nodes, the kubelet's alone
            for own in planned.kubeadm.iter_mut().flat_map(|kubeadm| kubeadm.patches.values_mut()) {
                share(own, &mut patch);
            }
            (name.clone(), planned)
        })
        .collect::<BTreeMap<HostName, HostPlan>>();
    problems.extend(etcd::unlike(
        hosts.iter().filter_map(|(name, host)| Some((name.as_str(), host.etcd.as_deref()?))),
    ));
    let operator = shared.operator(etcd::stateful_set::plan(spec, release, &mut problems));
    let images =
        images::uses(spec, release, shared.images.as_ref(), &hosts, operator.stateful_set.as_deref());
    let plan = Plan { cluster, hosts, operator, images };
    problems.extend(patches::pointless(spec, &plan.hosts, &plan.operator));
    problems.extend(release.into_iter().flat_map(|row| free::problems(spec, row)));
    let hosts = plan.hosts.values().chain([&plan.operator]);
    let leaves: Vec<_> = hosts.flat_map(|host| &host.certificates).collect();
    problems.extend(certs::problems(spec, &plan.cluster.authorities, &leaves));
    dedup(&mut problems);
    (plan, problems)
}

/// A fleet of like hosts needs one list of files and one configuration, not one each. A clone of `T`
/// must share what is in it.
fn share<T: PartialEq + Clone>(own: &mut T, last: &mut T) {
    let (from, to) = if own == last { (last, own) } else { (own, last) };
    to.clone_from(from);
}

fn dedup(problems: &mut Vec<Problem>) {
    let mut seen = std::collections::BTreeSet::new();
    problems.retain(|problem| seen.insert((problem.path.clone(), problem.message.clone())));
}

fn cluster(spec: &Spec, facts: &Facts) -> ClusterPlan {
    ClusterPlan {
        id: spec.cluster.id.to_string(),
        name: spec.cluster.name.to_string(),
        epoch: spec.cluster.epoch.unix(),
        bundle_validity: spec.cluster.bundle_validity.as_ref().map(|span| span.seconds()),
        revision: spec.cluster.revision.get(),
        authorities: certs::authorities(spec, facts),
        service_account: secrets::service_account(spec),
        encryption: secrets::encryption(spec),
        tokens: secrets::tokens(spec),
        passwords: secrets::passwords(spec),
        signing: secrets::signing(spec),
    }
}

impl ClusterPlan {
    /// One authority; none when the cluster does not have it.
    pub fn authority(&self, ca: CaName) -> Option<&AuthorityPlan> {
        self.authorities.iter().find(|authority| authority.ca == ca)
    }

    /// The part of it that enters one host's bundle: what no file of the host comes from is left out,
    /// so that its change changes no other bundle.
    #[must_use]
    pub fn of_host(&self, host: &HostPlan) -> Self {
        let mut part = self.clone();
        let has = |wanted: &dyn Fn(&Source) -> bool| host.files.iter().any(|file| wanted(&file.source));
        let kubeconfigs =
            has(&|source| matches!(source, Source::Kubeconfig(_) | Source::BootstrapKubeconfig));
        // caCertHashes of a join with a token
        let discovers = has(&|source| *source == Source::KubeadmConfiguration);
        part.authorities.retain(|authority| {
            let id = authority.certificates.active.row.id;
            let issues = certs::Kind::IssuedBy(authority.ca);
            ((kubeconfigs || discovers) && authority.ca == CaName::Kubernetes)
                || host.certificates.iter().any(|leaf| leaf.row.kind == issues)
                || has(&|source| *source == Source::Certificate(id))
        });
        part.service_account =
            part.service_account.filter(|_| has(&|source| matches!(source, Source::PublicKeys(_))));
        part.encryption = part.encryption.filter(|_| has(&|source| *source == Source::EncryptionConfig));
        part.tokens.retain(|token| {
            let own = host.bootstrap().is_some_and(|bootstrap| bootstrap.token == token.name);
            let shown =
                host.kubeadm.iter().flat_map(|kubeadm| &kubeadm.tokens).any(|name| *name == token.name);
            own || shown || has(&|source| *source == Source::BootstrapTokens)
        });
        part.passwords.retain(|password| {
            has(&|source| matches!(source, Source::Password(name) if *name == password.name))
        });
        part
    }
}

fn seed_of(spec: &Spec, own: Option<SeedNumber>) -> u32 {
    own.unwrap_or(spec.seed).get()
}

#[cfg(test)]
mod tests;
