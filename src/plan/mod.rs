//! The plan: the complete, pure model of what will exist.
//!
//! Two tables say everything that can exist on a host: [`certs::CERTS`] and [`files::FILES`]
//! (with [`directories::DIRECTORIES`] for the directories they live in). A plan is those tables
//! laid over one spec. No cryptography, template, file system, clock or randomness here.

pub mod certs;
pub mod directories;
mod etcd;
pub mod files;
mod kubelet;
pub mod releases;
mod settings;

use crate::spec::Problem;
use crate::spec::scalars::{HostName, Recipient, SeedNumber};
use crate::spec::types::{GateRun, Host, Spec};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

pub use certs::CertPlan;
pub use directories::DirectoryPlan;
pub use etcd::EtcdPlan;
pub use files::{Fields, FilePlan, Policy, Source};
pub use kubelet::{GatePlan, KubeletPlan};

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
    pub authorities: Vec<CertPlan>,
    /// The key that signs bundles.
    pub signing: ItemPlan,
}

/// Where a derived item comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ItemPlan {
    /// The number of the seed in the keyring.
    pub seed: u32,
    /// The item's generation.
    pub generation: u32,
}

/// Everything that will exist on one host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostPlan {
    /// The node name, or [`OPERATOR`].
    pub name: String,
    /// IP addresses, the main one first.
    pub addresses: Vec<IpAddr>,
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
    /// The etcd member, when the host runs one.
    pub etcd: Option<EtcdPlan>,
    /// The kubelet, when the host runs one.
    pub kubelet: Option<KubeletPlan>,
}

fn texts<S: serde::Serializer>(recipients: &[Recipient], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(recipients.iter().map(ToString::to_string))
}

/// Lays the tables over a spec.
///
/// Problems are what only the tables can know, such as a Kubernetes release that sealift does not;
/// with an error among them the plan must not be built.
pub fn plan(spec: &Spec) -> (Plan, Vec<Problem>) {
    let mut problems = Vec::new();
    let members = etcd::members(spec);
    let release = releases::find(&spec.kubernetes.version, &mut problems);
    let cluster = cluster(spec);
    let (mut files, mut directories) = (Arc::default(), Arc::default());
    let hosts = spec
        .hosts
        .iter()
        .map(|(name, host)| {
            let settings = settings::of(spec, name, host);
            let etcd = etcd::plan(spec, name, host, &settings, &members, release, &mut problems);
            let kubelet = kubelet::plan(&settings);
            problems.extend(directories::pointless(&certs::Place::of_host(host), &settings.allow_files));
            let mut planned = host_plan(spec, name, host, etcd, kubelet, &settings);
            share(&mut planned.files, &mut files);
            share(&mut planned.directories, &mut directories);
            (name.clone(), planned)
        })
        .collect();
    let plan = Plan { cluster, hosts, operator: operator(spec) };
    dedup(&mut problems);
    (plan, problems)
}

/// A fleet of like hosts needs one list of files, not one each.
fn share<T: PartialEq>(own: &mut Arc<[T]>, last: &mut Arc<[T]>) {
    let (from, to) = if own == last { (last, own) } else { (own, last) };
    *to = Arc::clone(from);
}

fn dedup(problems: &mut Vec<Problem>) {
    let mut seen = std::collections::BTreeSet::new();
    problems.retain(|problem| seen.insert((problem.path.clone(), problem.message.clone())));
}

fn cluster(spec: &Spec) -> ClusterPlan {
    ClusterPlan {
        id: spec.cluster.id.to_string(),
        name: spec.cluster.name.to_string(),
        epoch: spec.cluster.epoch.unix(),
        bundle_validity: spec.cluster.bundle_validity.as_ref().map(|span| span.seconds()),
        revision: spec.cluster.revision.get(),
        authorities: certs::authorities(spec),
        signing: ItemPlan {
            seed: seed_of(spec, spec.signing.seed),
            generation: spec.signing.generation.get(),
        },
    }
}

fn host_plan(
    spec: &Spec,
    name: &HostName,
    host: &Host,
    etcd: Option<EtcdPlan>,
    kubelet: KubeletPlan,
    settings: &settings::Settings,
) -> HostPlan {
    let subject = certs::Subject {
        name: name.as_str(),
        generation: host.generation.get(),
        seed: host.seed,
        etcd_address: etcd.as_ref().map(|member| member.address),
    };
    let places = certs::Place::of_host(host);
    let certificates = certs::leaves(spec, &subject, &places);
    let data_dir = etcd.as_ref().map(|member| member.data_dir.as_str());
    HostPlan {
        name: name.to_string(),
        addresses: host.addresses.clone(),
        recipients: distinct(&host.recipients),
        item: ItemPlan { seed: seed_of(spec, host.seed), generation: host.generation.get() },
        revision: host.revision.get(),
        directories: directories::plan(&places, data_dir, &settings.allow_files).into(),
        files: files::plan(&places, &certificates, kubelet.gate.run).into(),
        certificates,
        etcd,
        kubelet: Some(kubelet),
    }
}

fn operator(spec: &Spec) -> HostPlan {
    let places = [certs::Place::Operator];
    let subject = certs::Subject { name: OPERATOR, generation: 1, seed: Some(spec.seed), etcd_address: None };
    let certificates = certs::leaves(spec, &subject, &places);
    HostPlan {
        name: OPERATOR.to_owned(),
        addresses: Vec::new(),
        recipients: distinct(&spec.cluster.operators),
        item: ItemPlan { seed: spec.seed.get(), generation: 1 },
        revision: 0,
        directories: directories::plan(&places, None, &[]).into(),
        files: files::plan(&places, &certificates, GateRun::None).into_iter().map(at_rest).collect(),
        certificates,
        etcd: None,
        kubelet: None,
    }
}

/// Nothing runs from the operators' bundle, so nothing of it restarts.
fn at_rest(file: FilePlan) -> FilePlan {
    FilePlan { restart: &[], run: &[], ..file }
}

/// Sorted by wire form and distinct: the order in a spec's list means nothing.
fn distinct(recipients: &[Recipient]) -> Vec<Recipient> {
    let mut sorted = recipients.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted
}

fn seed_of(spec: &Spec, own: Option<SeedNumber>) -> u32 {
    own.unwrap_or(spec.seed).get()
}

#[cfg(test)]
mod tests;
