//! etcd in a cluster that exists: its `StatefulSet`.

use super::super::scalars::{MemberCount, Namespace, ObjectName, Quantity, StatefulSetName};
use super::{EtcdState, Labels, Taint, map_schema};
use crate::spec::scalars::{LabelKey, LabelValue};
use schemars::JsonSchema;
use serde::Deserialize;

/// The `StatefulSet` that etcd runs as, and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EtcdStatefulSet {
    /// Its name and its service's; pods are `NAME-0`, `NAME-1` and so on. `etcd` by default.
    pub name: StatefulSetName,
    /// Its namespace; `default` by default.
    pub namespace: Namespace,
    /// Whether the namespace is among the objects, with Pod Security `restricted` enforced.
    pub create_namespace: bool,
    /// How many members there are; 3 by default.
    pub replicas: MemberCount,
    /// Whether a pod with an empty volume begins the cluster or joins it: `existing` while a member joins.
    pub state: EtcdState,
    /// Who makes the certificates.
    pub certificates: StatefulSetCertificates,
    /// With cert-manager: an issuer that exists. By default a CA in the namespace is among the objects.
    pub issuer: Option<Issuer>,
    /// The volume of each member; 8Gi of the default class by default.
    pub storage: Storage,
    /// A volume of its own for each member's write-ahead log; in `storage` by default.
    pub wal_storage: Option<Storage>,
    /// What each pod asks for and may take.
    pub resources: Resources,
    /// Labels that a pod's node has.
    #[schemars(schema_with = "map_schema::<LabelKey, LabelValue>")]
    pub node_selector: Labels,
    /// Taints that pods tolerate; an empty value is any.
    pub tolerations: Vec<Taint>,
    /// Whether clients have a service with an address of its own, `NAME-client`.
    pub client_service: bool,
    /// Whether members listen on IPv6 too, for pods with such addresses.
    pub ipv6: bool,
}

/// Who makes the certificates of a `StatefulSet`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatefulSetCertificates {
    /// The build, as Secrets in the operators' bundle.
    #[default]
    Sealift,
    /// cert-manager, in the cluster.
    CertManager,
}

/// An issuer of cert-manager's that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["name"]))]
pub struct Issuer {
    /// Its name.
    pub name: ObjectName,
    /// Its kind.
    pub kind: IssuerKind,
}

/// The kind of an issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum IssuerKind {
    /// Of the namespace.
    #[default]
    Issuer,
    /// Of the cluster.
    ClusterIssuer,
}

impl IssuerKind {
    /// cert-manager's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "Issuer",
            Self::ClusterIssuer => "ClusterIssuer",
        }
    }
}

/// A volume that is claimed for each member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Storage {
    /// How large it is; 8Gi by default.
    pub size: Option<Quantity>,
    /// Its storage class; the cluster's default by default.
    pub class_name: Option<ObjectName>,
}

/// What a pod asks for and may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Resources {
    /// What it asks for; 100m and 100Mi by default, as kubeadm's.
    pub requests: Amounts,
    /// What it may take; anything by default.
    pub limits: Amounts,
}

/// Amounts of processor and memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Amounts {
    /// Processors, such as `2` or `500m`.
    pub cpu: Option<Quantity>,
    /// Memory, such as `2Gi`.
    pub memory: Option<Quantity>,
}
