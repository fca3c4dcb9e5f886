//! Every certificate and certificate authority that sealift can ever issue, as one table.
//!
//! The rows follow kubeadm's `cmd/kubeadm/app/phases/certs/certlist.go` and
//! `phases/kubeconfig/kubeconfig.go`: ids, names, usages and file names are kubeadm's, so that what
//! it finds is what it would have made.

mod fit;
mod lay;
pub(in crate::plan) mod place;
mod requested;
mod sans;
mod table;

#[cfg(test)]
mod tests;

use super::Policy;
pub use crate::spec::types::{Algorithm, CaName};
use serde::{Serialize, Serializer};
use std::net::IpAddr;

pub(super) use fit::problems;
use lay::exists_for_members;
pub(super) use lay::{Subject, authorities, exists, kubelet_server, leaves, one_less};
pub use place::Place;
pub(super) use place::{first_control_plane, has_control_plane};
pub use requested::Requested;
pub(super) use requested::requested;
pub use table::CERTS;

/// One kind of certificate, or of key pair.
#[derive(Debug)]
pub struct CertRow {
    /// kubeadm's id; part of the derivation labels, so it never changes its meaning.
    pub id: &'static str,
    /// Whether it is a CA, or which CA issues it.
    pub kind: Kind,
    /// Where the certificate is placed.
    pub on: &'static [Place],
    /// Where its private key is placed, always sealed.
    pub key_on: &'static [Place],
    /// Where `pki.caKeysOnHosts` places the key besides; empty for all but CAs.
    pub key_on_request: &'static [Place],
    /// On which condition beyond its place.
    pub when: When,
    /// The subject's common name.
    pub cn: Cn,
    /// The subject's organization: to an API server, the groups of a client.
    pub organization: Organization,
    /// The subject alternative names.
    pub sans: Sans,
    /// Extended key usages.
    pub eku: &'static [Eku],
    /// The files that it becomes.
    pub form: Form,
    /// How a host is held to them; `Initial` where the cluster signs the kubelets' certificates, and
    /// `Managed` elsewhere.
    pub policy: Policy,
    /// What must be restarted when it changes; empty when whatever reads it notices by itself.
    pub restart: &'static [&'static str],
    /// Why it exists.
    pub why: &'static str,
}

/// What a row makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A certificate authority that signs itself, unless it is brought along.
    Authority(CaName),
    /// A leaf certificate of that authority.
    IssuedBy(CaName),
    /// A key pair without a certificate.
    KeyPair,
}

/// On which condition a certificate exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// On nodes that do not join with a token: those have the cluster sign theirs.
    NotByToken,
    /// Where each etcd member has its own.
    OfEachMember,
    /// Where all etcd members have one: it is no host's.
    OfAllMembers,
    /// With kubeadm or kube-vip, which read it.
    Administered,
    /// With either, until the cluster runs.
    Initializing,
    /// Where etcd runs on hosts.
    EtcdOnHosts,
    /// Where etcd runs in a `StatefulSet`.
    StatefulSet,
}

/// The files that a row becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `PATH.crt` and `PATH.key`.
    Pair(&'static str),
    /// A kubeconfig with certificate and key in it, at this path, for that server.
    Kubeconfig(&'static str, Server),
    /// `PATH.key` and `PATH.pub`.
    PublicKey(&'static str),
}

/// The server of a kubeconfig (kubeadm's `phases/kubeconfig/kubeconfig.go`, `getKubeConfigSpecsBase`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The endpoint of all API servers.
    Endpoint,
    /// The API server of the same host.
    Local,
    /// The API server of the same host from 1.33 on (feature gate `ControlPlaneKubeletLocalMode`),
    /// the endpoint before and on workers.
    Kubelet,
}

/// A common name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cn {
    /// The same for every host.
    Fixed(&'static str),
    /// The node name.
    HostName,
    /// `system:node:` and the node name, as the node authorizer wants it.
    Node,
}

/// An organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Organization {
    /// None.
    None,
    /// The same in every release.
    Fixed(&'static str),
    /// `kubeadm:cluster-admins` up to 1.36.0, none from 1.36.1 on (k/k#138958).
    KubeletClient,
}

/// A rule for subject alternative names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sans {
    /// None.
    None,
    /// The common name as a DNS name, as kubeadm gives to its CAs.
    CommonName,
    /// Node name, localhost, etcd's address and both loopback addresses.
    Etcd,
    /// The same of all members.
    Members,
    /// Node name, the service `kubernetes` in all its forms, the host's address and the endpoint.
    ApiServer,
    /// Node name and all addresses.
    Node,
    /// The pods and services of a `StatefulSet` in all forms, localhost and both loopback addresses.
    StatefulSet,
}

/// An extended key usage (RFC 5280 section 4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Eku {
    /// TLS server.
    #[serde(rename = "serverAuth")]
    ServerAuth,
    /// TLS client.
    #[serde(rename = "clientAuth")]
    ClientAuth,
}

/// The key usages of a leaf (RFC 5280 section 4.2.1.3): the same bits as kubeadm's pkiutil, for ECDSA
/// too; RFC 8410 section 5 forbids the second for Ed25519.
pub const fn leaf_usages(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => &["digitalSignature", "keyEncipherment"],
        Algorithm::Ed25519 => &["digitalSignature"],
    }
}

/// One certificate or key pair that will exist.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertPlan {
    /// The row of the table.
    #[serde(serialize_with = "row_id")]
    pub row: &'static CertRow,
    /// The host it is for; absent for CAs and for what all hosts share.
    pub host: Option<String>,
    /// The subject's common name.
    pub cn: String,
    /// The subject's other fields in the order of the certificate.
    pub subject: Vec<(Attribute, String)>,
    /// DNS names, sorted.
    pub dns: Vec<String>,
    /// IP addresses, distinct, in kubeadm's order.
    pub ips: Vec<IpAddr>,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
    /// Which algorithm the key has. Says nothing of a certificate that was brought along.
    pub algorithm: Algorithm,
    /// The seed of the key.
    pub seed: u32,
    /// Decimal; for leaves the tuple pki, CA, host, joined by commas, without host for one that hosts share.
    pub generation: String,
    /// Whether the private key is placed here too.
    pub with_key: bool,
    /// The server of its kubeconfig, a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The certificate itself, when it was made elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brought: Option<super::Brought>,
}

/// A field of a subject (RFC 4519 section 2), in the order in which certificates have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Attribute {
    /// Country.
    C,
    /// State or province.
    St,
    /// Locality.
    L,
    /// Organization.
    O,
    /// Organizational unit.
    Ou,
}

impl Attribute {
    /// Its short name (RFC 4514 section 3).
    pub const fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::St => "ST",
            Self::L => "L",
            Self::O => "O",
            Self::Ou => "OU",
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn row_id<S: Serializer>(row: &&'static CertRow, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(row.id)
}

impl CertPlan {
    /// The whole subject as people and x509-parser write it: `O=system:nodes, CN=system:node:cp1`. Says
    /// nothing of a certificate that was brought along.
    pub fn subject_text(&self) -> String {
        let fields = self.subject.iter().map(|(attribute, text)| format!("{}={text}", attribute.name()));
        fields.chain([format!("CN={}", self.cn)]).collect::<Vec<_>>().join(", ")
    }
}

impl Eku {
    /// Its name in RFC 5280, without the `id-kp-`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerAuth => "serverAuth",
            Self::ClientAuth => "clientAuth",
        }
    }
}

impl CertRow {
    /// The row of an authority.
    pub fn authority(ca: CaName) -> Option<&'static Self> {
        CERTS.iter().find(|row| row.kind == Kind::Authority(ca))
    }

    /// The row of an id.
    pub fn find(id: &str) -> Option<&'static Self> {
        CERTS.iter().find(|row| row.id == id)
    }

    /// Whether etcd itself proves with it who it is.
    pub(in crate::plan) fn of_etcds_own(&self) -> bool {
        matches!(self.sans, Sans::Etcd | Sans::Members)
    }

    /// Whether all hosts that have it have the same.
    pub fn is_shared(&self) -> bool {
        self.when == When::OfAllMembers
    }

    /// Where the certificate lies on a host; none when it has no file of its own.
    pub fn certificate_path(&self) -> Option<String> {
        match self.form {
            Form::Pair(base) => Some(format!("{base}.crt")),
            Form::Kubeconfig(..) | Form::PublicKey(_) => None,
        }
    }

    /// Where the private key lies on a host; none when it has no file of its own.
    pub fn key_path(&self) -> Option<String> {
        match self.form {
            Form::Pair(base) | Form::PublicKey(base) => Some(format!("{base}.key")),
            Form::Kubeconfig(..) => None,
        }
    }

    /// Where the file lies that has the certificate, or the public key.
    pub fn public_path(&self) -> String {
        match self.form {
            Form::Pair(base) => format!("{base}.crt"),
            Form::PublicKey(base) => format!("{base}.pub"),
            Form::Kubeconfig(path, _) => path.to_owned(),
        }
    }
}
