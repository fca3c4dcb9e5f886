//! Certificates: algorithms, validity, subjects, authorities, rotations.

use super::super::scalars::{Country, FilePath, Generation, San, SeedNumber, Span, SubjectText};
use super::map_schema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Certificates and their authorities.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Pki {
    /// The algorithm of every key that does not name another.
    pub algorithm: Algorithm,
    /// How long certificates are valid.
    pub validity: Validity,
    /// Raise it to give every leaf certificate a new key.
    pub generation: Generation,
    /// The seed of leaf keys.
    pub seed: Option<SeedNumber>,
    /// The certificate authorities.
    pub cas: Cas,
    /// Settings of single kinds of leaf certificates, by their ids.
    #[schemars(schema_with = "map_schema::<CertificateId, CertificateSettings>")]
    pub certificates: BTreeMap<CertificateId, CertificateSettings>,
    /// The key pair that signs service-account tokens.
    pub service_account: ServiceAccount,
    /// Authorities whose keys are placed on hosts: `kubernetes` and `front-proxy` on control planes,
    /// `etcd` on members. By default on none.
    pub ca_keys_on_hosts: Vec<CaName>,
}

/// A key's algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// ECDSA over NIST P-256.
    #[default]
    EcdsaP256,
    /// ECDSA over NIST P-384.
    EcdsaP384,
    /// Ed25519 (RFC 8032). Not for service-account keys, and not with kubeadm.
    Ed25519,
}

impl Algorithm {
    /// The word for this algorithm in a spec and in derivation labels, which never changes.
    pub const fn label(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// How long certificates are valid, from the epoch.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Validity {
    /// Certificate authorities; ten years by default, as kubeadm.
    pub ca: Option<Span>,
    /// All others; one year by default, as kubeadm.
    pub leaf: Option<Span>,
}

impl Validity {
    /// How long CAs are valid, written or not.
    pub fn ca(&self) -> Span {
        self.ca.unwrap_or(Span::TEN_YEARS)
    }

    /// How long all other certificates are valid, written or not.
    pub fn leaf(&self) -> Span {
        self.leaf.unwrap_or(Span::ONE_YEAR)
    }
}

/// The certificate authorities.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Cas {
    /// The CA of the API server, of kubelets and of everybody who speaks to them.
    pub kubernetes: Authority,
    /// The CA of etcd's servers, peers and clients.
    pub etcd: Authority,
    /// The CA of the API server's client certificate for aggregated API servers.
    pub front_proxy: Authority,
}

/// The name of an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaName {
    /// Kubernetes.
    Kubernetes,
    /// etcd.
    Etcd,
    /// The front proxy.
    FrontProxy,
}

impl CaName {
    /// Every name.
    pub const ALL: &'static [Self] = &[Self::Kubernetes, Self::Etcd, Self::FrontProxy];

    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Etcd => "etcd",
            Self::FrontProxy => "front-proxy",
        }
    }
}

impl Cas {
    /// The settings of one.
    pub const fn of(&self, name: CaName) -> &Authority {
        match name {
            CaName::Kubernetes => &self.kubernetes,
            CaName::Etcd => &self.etcd,
            CaName::FrontProxy => &self.front_proxy,
        }
    }
}

/// One certificate authority: derived from the seed, or brought along.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Authority {
    /// The generation; a new one is rolled out in steps, see `rotation`.
    pub generation: Generation,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
    /// The algorithm of its key; that of `pki` by default.
    pub algorithm: Option<Algorithm>,
    /// How long it is valid; `pki.validity.ca` by default.
    pub validity: Option<Span>,
    /// Further fields of its subject.
    pub subject: Subject,
    /// An authority that exists already, with its key.
    pub import: Option<Import>,
    /// An authority that exists already and whose key never comes here.
    pub external: Option<External>,
    /// The step of its rotation.
    pub rotation: Option<Rotation>,
    /// What it replaces; by default the generation before, with everything else the same.
    pub previous: Option<PreviousAuthority>,
}

impl Authority {
    /// Whether anything of it is written.
    pub fn is_written(&self) -> bool {
        self.generation != Generation::default()
            || self.seed.is_some()
            || self.algorithm.is_some()
            || self.validity.is_some()
            || self.subject != Subject::default()
            || self.import.is_some()
            || self.external.is_some()
            || self.rotation.is_some()
            || self.previous.is_some()
    }
}

/// The authority that a rotation replaces. What is not written is as in its successor.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PreviousAuthority {
    /// Its generation; by default the one before.
    pub generation: Option<Generation>,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
    /// The algorithm of its key.
    pub algorithm: Option<Algorithm>,
    /// How long it is valid.
    pub validity: Option<Span>,
    /// Further fields of its subject.
    pub subject: Option<Subject>,
    /// An imported one.
    pub import: Option<Import>,
    /// An external one.
    pub external: Option<External>,
}

/// An authority with its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["certificate", "key"]))]
pub struct Import {
    /// Its certificate in PEM; behind an intermediate's, the certificates above it, the root last.
    pub certificate: FilePath,
    /// Its private key in PEM, plain or encrypted with age to an operator.
    pub key: FilePath,
}

/// An authority whose key stays elsewhere: `sealift csr` writes what it shall sign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["certificate", "issued"]))]
pub struct External {
    /// Its certificate in PEM; behind an intermediate's, the certificates above it, the root last.
    pub certificate: FilePath,
    /// The directory with the certificates it signed: `HOST/ID.crt` for the request `HOST/ID.csr`.
    pub issued: FilePath,
}

/// A step of a rotation. Each is a rollout of its own, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// The new one is trusted everywhere; the old one still signs.
    Stage,
    /// The new one signs; the old one is still trusted.
    Promote,
    /// Only the new one is left.
    Retire,
}

impl Rotation {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Promote => "promote",
            Self::Retire => "retire",
        }
    }
}

/// Fields of a certificate's subject beside its common name (RFC 5280 appendix A.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE", default, deny_unknown_fields)]
pub struct Subject {
    /// Country: two letters (ISO 3166).
    pub c: Option<Country>,
    /// State or province.
    pub st: Option<SubjectText>,
    /// Locality.
    pub l: Option<SubjectText>,
    /// Organization. Not for clients of the API server, to which it names a group.
    pub o: Option<SubjectText>,
    /// Organizational unit.
    pub ou: Option<SubjectText>,
}

/// A kind of leaf certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateId {
    /// Serves the Kubernetes API.
    Apiserver,
    /// The API server as a client of kubelets.
    ApiserverKubeletClient,
    /// The API server as a client of aggregated API servers.
    FrontProxyClient,
    /// The API server as a client of etcd.
    ApiserverEtcdClient,
    /// Serves etcd's clients.
    EtcdServer,
    /// etcd members among each other.
    EtcdPeer,
    /// Serves etcd's clients, and etcd members among each other: one for all of them.
    EtcdShared,
    /// etcdctl on a member's host.
    EtcdHealthcheckClient,
    /// Serves etcd's clients in a `StatefulSet`.
    EtcdStatefulsetServer,
    /// Members in a `StatefulSet` among each other.
    EtcdStatefulsetPeer,
    /// Clients of etcd in a `StatefulSet`.
    EtcdStatefulsetClient,
    /// A kubelet as a client of the API server: kubelet.conf.
    Kubelet,
    /// Serves the kubelet's API.
    KubeletServing,
    /// admin.conf.
    Admin,
    /// super-admin.conf.
    SuperAdmin,
    /// controller-manager.conf.
    ControllerManager,
    /// scheduler.conf.
    Scheduler,
}

impl CertificateId {
    /// The word in a spec: the id of the row in the table of certificates.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apiserver => "apiserver",
            Self::ApiserverKubeletClient => "apiserver-kubelet-client",
            Self::FrontProxyClient => "front-proxy-client",
            Self::ApiserverEtcdClient => "apiserver-etcd-client",
            Self::EtcdServer => "etcd-server",
            Self::EtcdPeer => "etcd-peer",
            Self::EtcdShared => "etcd-shared",
            Self::EtcdHealthcheckClient => "etcd-healthcheck-client",
            Self::EtcdStatefulsetServer => "etcd-statefulset-server",
            Self::EtcdStatefulsetPeer => "etcd-statefulset-peer",
            Self::EtcdStatefulsetClient => "etcd-statefulset-client",
            Self::Kubelet => "kubelet",
            Self::KubeletServing => "kubelet-serving",
            Self::Admin => "admin",
            Self::SuperAdmin => "super-admin",
            Self::ControllerManager => "controller-manager",
            Self::Scheduler => "scheduler",
        }
    }
}

/// Settings of one kind of leaf certificate.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CertificateSettings {
    /// How long it is valid; `pki.validity.leaf` by default.
    pub validity: Option<Span>,
    /// The algorithm of its key; that of `pki` by default.
    pub algorithm: Option<Algorithm>,
    /// Further fields of its subject.
    pub subject: Subject,
    /// Further names and addresses that it is good for; servers only.
    pub sans: Vec<San>,
}

/// Settings of one kind of leaf certificate on one host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct HostCertificate {
    /// Further names and addresses that it is good for on this host; servers only.
    pub sans: Vec<San>,
}

/// The key pair that signs service-account tokens.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ServiceAccount {
    /// The generation; a new one is rolled out in steps, see `rotation`.
    pub generation: Generation,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
    /// The algorithm; that of `pki` by default. Ed25519 is none that API servers sign tokens with.
    pub algorithm: Option<Algorithm>,
    /// The step of its rotation.
    pub rotation: Option<Rotation>,
    /// What it replaces; by default the generation before, with everything else the same.
    pub previous: Option<PreviousServiceAccount>,
}

/// The key pair that a rotation replaces. What is not written is as in its successor.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PreviousServiceAccount {
    /// Its generation; by default the one before.
    pub generation: Option<Generation>,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
    /// The algorithm.
    pub algorithm: Option<Algorithm>,
}
