//! What is being replaced in steps, host by host: what the runbook tells.

use super::certs::Place;
use super::{ClusterPlan, FilePlan, HostPlan, Source};
use crate::spec::types::{CaName, Role, Rotation};
use serde::{Serialize, Serializer};

/// An item that is replaced in steps, as far as it concerns one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationPlan {
    /// Which item.
    pub item: RotatingItem,
    /// The step that this build is.
    #[serde(serialize_with = "step_name")]
    pub step: Rotation,
    /// Whether the host runs a control plane.
    pub control_plane: bool,
    /// Whether the host runs an etcd member.
    pub etcd: bool,
    /// Whether this is the operators' runbook.
    pub operator: bool,
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
}

impl RotatingItem {
    /// Every item.
    pub const ALL: &'static [Self] =
        &[Self::Kubernetes, Self::Etcd, Self::FrontProxy, Self::ServiceAccount, Self::EncryptionAtRest];

    /// The authority that it is.
    pub const fn authority(self) -> Option<CaName> {
        match self {
            Self::Kubernetes => Some(CaName::Kubernetes),
            Self::Etcd => Some(CaName::Etcd),
            Self::FrontProxy => Some(CaName::FrontProxy),
            Self::ServiceAccount | Self::EncryptionAtRest => None,
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
        }
    }

    /// Whether a file of this host comes from it.
    pub fn concerns(self, host: &HostPlan) -> bool {
        host.files.iter().any(|file| self.makes(&file.source))
    }

    /// Whether a file comes from it.
    fn makes(self, source: &Source) -> bool {
        match self {
            Self::ServiceAccount => matches!(source, Source::PublicKeys(_)),
            Self::EncryptionAtRest => *source == Source::EncryptionConfig,
            Self::Kubernetes | Self::Etcd | Self::FrontProxy => {
                let row = self.authority().and_then(super::certs::CertRow::authority);
                let authority = row.is_some_and(|row| *source == Source::Certificate(row.id));
                let embedded = self == Self::Kubernetes && matches!(source, Source::Kubeconfig(_));
                authority || embedded
            }
        }
    }
}

fn step_name<S: Serializer>(step: &Rotation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(step.name())
}

/// What is replaced in steps and concerns a host with these files; the operators are concerned by all.
pub(super) fn rotations(cluster: &ClusterPlan, files: &[FilePlan], here: &[Place]) -> Vec<RotationPlan> {
    let operator = here.contains(&Place::Operator);
    let concerned = |item: &RotatingItem| operator || files.iter().any(|file| item.makes(&file.source));
    let items = RotatingItem::ALL.iter().copied().filter(concerned);
    let planned = items.filter_map(|item| {
        Some(RotationPlan {
            item,
            step: item.step(cluster)?,
            control_plane: here.contains(&Place::Role(Role::ControlPlane)),
            etcd: here.contains(&Place::Role(Role::Etcd)),
            operator,
        })
    });
    planned.collect()
}
