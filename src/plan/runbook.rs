//! What is being replaced in steps, host by host: what the runbook tells.

use super::certs::Place;
use super::{ClusterPlan, FilePlan, HostPlan, Source, StatefulSetPlan};
use crate::spec::types::{CaName, Join, Role, Rotation, Spec};
use serde::Serialize;

/// An item that is replaced in steps, as far as it concerns one host.
#[allow(clippy::struct_excessive_bools, reason = "one per question of the runbook")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationPlan {
    /// Which item.
    pub item: RotatingItem,
    /// The step that this build is.
    pub step: Rotation,
    /// Whether the host runs a control plane.
    pub control_plane: bool,
    /// Whether the host runs an etcd member.
    pub etcd: bool,
    /// Whether etcd is a unit of systemd.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub etcd_unit: bool,
    /// Whether this is the operators' runbook.
    pub operator: bool,
    /// Whether the API servers are in the spec. If not, somebody else's use this etcd.
    pub kubernetes: bool,
    /// Whether nodes have the cluster sign their certificates.
    pub token_join: bool,
    /// Whether the key of the Kubernetes CA is on control planes, so that the cluster signs certificates.
    pub signing_on_hosts: bool,
    /// For the operators: name and namespace of the `StatefulSet` that etcd runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stateful_set: Option<(String, String)>,
    /// For the operators: the etcd members, in byte order of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// For the operators: the control planes, in byte order of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub control_planes: Vec<String>,
    /// Of the encryption at rest: what is written anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_rest: Option<AtRestPlan>,
}

/// What a rotation of the encryption at rest writes anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AtRestPlan {
    /// How every value in etcd begins that the new key encrypted (`staging/src/k8s.io/apiserver`,
    /// `pkg/server/options/encryptionconfig/config.go`: prefix of the provider, name of the key).
    pub prefix: String,
    /// The resources, in the spec's order.
    pub resources: Vec<String>,
}

/// Something that is replaced in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotatingItem {
    /// `pki.cas.kubernetes`.
    Kubernetes,
    /// `pki.cas.etcd`.
    Etcd,
    /// `pki.cas.front-proxy`.
    FrontProxy,
    /// `pki.serviceAccount`.
    ServiceAccount,
    /// `encryptionAtRest`.
    EncryptionAtRest,
    /// `signing`.
    Signing,
}

impl RotatingItem {
    /// Every item.
    pub const ALL: &'static [Self] = &[
        Self::Kubernetes,
        Self::Etcd,
        Self::FrontProxy,
        Self::ServiceAccount,
        Self::EncryptionAtRest,
        Self::Signing,
    ];

    /// The authority that it is.
    pub const fn authority(self) -> Option<CaName> {
        match self {
            Self::Kubernetes => Some(CaName::Kubernetes),
            Self::Etcd => Some(CaName::Etcd),
            Self::FrontProxy => Some(CaName::FrontProxy),
            Self::ServiceAccount | Self::EncryptionAtRest | Self::Signing => None,
        }
    }

    /// Its place in the spec.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Kubernetes => "pki.cas.kubernetes",
            Self::Etcd => "pki.cas.etcd",
            Self::FrontProxy => "pki.cas.front-proxy",
            Self::ServiceAccount => "pki.serviceAccount",
            Self::EncryptionAtRest => "encryptionAtRest",
            Self::Signing => "signing",
        }
    }

    /// Its short name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Etcd => "etcd",
            Self::FrontProxy => "front-proxy",
            Self::ServiceAccount => "service-account",
            Self::EncryptionAtRest => "encryption-at-rest",
            Self::Signing => "signing",
        }
    }

    /// The step that a cluster's plan is at.
    pub fn step(self, cluster: &ClusterPlan) -> Option<Rotation> {
        match self {
            Self::Kubernetes | Self::Etcd | Self::FrontProxy => {
                self.authority().and_then(|ca| cluster.authority(ca)).and_then(|plan| plan.certificates.step)
            }
            Self::ServiceAccount => cluster.service_account.as_ref().and_then(|keys| keys.step),
            Self::EncryptionAtRest => cluster.encryption.as_ref().and_then(|plan| plan.keys.step),
            Self::Signing => cluster.signing.step,
        }
    }

    /// Whether a file of this host comes from it, or the host's trust is of it.
    pub fn concerns(self, host: &HostPlan) -> bool {
        self == Self::Signing || host.files.iter().any(|file| self.makes(&file.source))
    }

    /// Whether a file comes from it.
    fn makes(self, source: &Source) -> bool {
        match self {
            Self::ServiceAccount => matches!(source, Source::PublicKeys(_)),
            Self::EncryptionAtRest => *source == Source::EncryptionConfig,
            // no file is of it: bundles say it in their manifests
            Self::Signing => false,
            Self::Kubernetes | Self::Etcd | Self::FrontProxy => {
                let row = self.authority().and_then(super::certs::CertRow::authority);
                let authority = row.is_some_and(|row| *source == Source::Certificate(row.id));
                let embedded = self == Self::Kubernetes && matches!(source, Source::Kubeconfig(_));
                authority || embedded
            }
        }
    }
}

/// What is replaced in steps and concerns a host with these files; the operators are concerned by all.
pub(super) fn rotations(
    spec: &Spec,
    cluster: &ClusterPlan,
    files: &[FilePlan],
    here: &[Place],
    stateful_set: Option<&StatefulSetPlan>,
) -> Vec<RotationPlan> {
    let operator = here.contains(&Place::Operator);
    let concerned = |item: &RotatingItem| operator || files.iter().any(|file| item.makes(&file.source));
    let items = RotatingItem::ALL.iter().copied().filter(concerned);
    // a host's runbook names no other host, so that one more changes no bundle
    let names = |role| if operator { hosts_of(spec, role) } else { Vec::new() };
    let planned = items.filter_map(|item| {
        Some(RotationPlan {
            item,
            step: item.step(cluster)?,
            control_plane: here.contains(&Place::Role(Role::ControlPlane)),
            etcd: here.contains(&Place::Role(Role::Etcd)),
            etcd_unit: spec.etcd.run.is_unit(),
            operator,
            kubernetes: cluster.authority(CaName::Kubernetes).is_some(),
            token_join: spec.kubernetes.join == Join::Token,
            signing_on_hosts: spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes),
            stateful_set: stateful_set.map(|set| (set.name.clone(), set.namespace.clone())),
            members: names(Role::Etcd),
            control_planes: names(Role::ControlPlane),
            at_rest: (item == RotatingItem::EncryptionAtRest).then(|| at_rest(cluster)).flatten(),
        })
    });
    planned.collect()
}

fn hosts_of(spec: &Spec, role: Role) -> Vec<String> {
    let hosts = spec.hosts.iter().filter(|(_, host)| host.roles.contains(&role));
    hosts.map(|(name, _)| name.to_string()).collect()
}

fn at_rest(cluster: &ClusterPlan) -> Option<AtRestPlan> {
    let plan = cluster.encryption.as_ref()?;
    let new = match plan.keys.step {
        Some(Rotation::Stage) => plan.keys.beside.as_ref()?,
        _ => &plan.keys.active,
    };
    let prefix = format!("k8s:enc:{}:v1:key{}:", new.provider, new.generation);
    Some(AtRestPlan { prefix, resources: plan.resources.clone() })
}
