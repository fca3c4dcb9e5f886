//! Every certificate and certificate authority that sealift can ever issue, as one table.
//!
//! The rows follow kubeadm's `cmd/kubeadm/app/phases/certs/certlist.go`: ids, names, usages and
//! file names are kubeadm's, so that what it finds is what it would have made.

use super::{ItemPlan, seed_of};
use crate::spec::scalars::SeedNumber;
use crate::spec::types::{Algorithm, Host, Role, Spec};
use serde::{Serialize, Serializer};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One kind of certificate.
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
    /// The subject's common name.
    pub cn: Cn,
    /// The subject alternative names.
    pub sans: Sans,
    /// Extended key usages.
    pub eku: &'static [Eku],
    /// Path below `/etc/kubernetes/pki` without `.crt` and `.key`.
    pub file: &'static str,
    /// What must be restarted when the certificate or its key changes.
    pub restart: &'static [&'static str],
    /// Why it exists.
    pub why: &'static str,
}

/// Every certificate there is.
pub const CERTS: &[CertRow] = &[
    CertRow {
        id: "etcd-ca",
        kind: Kind::Authority(Ca::Etcd),
        on: &[Place::Role(Role::Etcd), Place::Operator],
        key_on: &[Place::Operator],
        cn: Cn::Fixed("etcd-ca"),
        sans: Sans::CommonName,
        eku: &[],
        file: "etcd/ca",
        // etcd reads its trusted CA file at start only
        restart: &["static-pod/etcd"],
        why: "issues everything that speaks to etcd; its key is on no host",
    },
    CertRow {
        id: "etcd-server",
        kind: Kind::IssuedBy(Ca::Etcd),
        on: &[Place::Role(Role::Etcd)],
        key_on: &[Place::Role(Role::Etcd)],
        cn: Cn::HostName,
        sans: Sans::Etcd,
        eku: &[Eku::ServerAuth, Eku::ClientAuth],
        file: "etcd/server",
        restart: &[],
        why: "serves etcd's clients; ClientAuth too: etcd's gateway dials itself with it",
    },
    CertRow {
        id: "etcd-peer",
        kind: Kind::IssuedBy(Ca::Etcd),
        on: &[Place::Role(Role::Etcd)],
        key_on: &[Place::Role(Role::Etcd)],
        cn: Cn::HostName,
        sans: Sans::Etcd,
        eku: &[Eku::ServerAuth, Eku::ClientAuth],
        file: "etcd/peer",
        restart: &[],
        why: "members prove themselves to each other, in both directions",
    },
    CertRow {
        id: "etcd-healthcheck-client",
        kind: Kind::IssuedBy(Ca::Etcd),
        on: &[Place::Role(Role::Etcd)],
        key_on: &[Place::Role(Role::Etcd)],
        cn: Cn::Fixed("kube-etcd-healthcheck-client"),
        sans: Sans::None,
        eku: &[Eku::ClientAuth],
        file: "etcd/healthcheck-client",
        restart: &[],
        why: "etcdctl on the member's host",
    },
    CertRow {
        id: "apiserver-etcd-client",
        kind: Kind::IssuedBy(Ca::Etcd),
        on: &[Place::Operator],
        key_on: &[Place::Operator],
        cn: Cn::Fixed("kube-apiserver-etcd-client"),
        sans: Sans::None,
        eku: &[Eku::ClientAuth],
        file: "apiserver-etcd-client",
        restart: &[],
        why: "API servers speak to etcd; kept by the operators until there are control planes",
    },
];

/// What a row makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A certificate authority that signs itself.
    Authority(Ca),
    /// A leaf certificate of that authority.
    IssuedBy(Ca),
}

/// A certificate authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ca {
    /// `etcd-ca`.
    Etcd,
}

impl Ca {
    /// Every authority there is.
    pub const ALL: &'static [Self] = &[Self::Etcd];

    fn item(self, spec: &Spec) -> ItemPlan {
        let item = match self {
            Self::Etcd => &spec.pki.cas.etcd,
        };
        ItemPlan { seed: seed_of(spec, item.seed), generation: item.generation.get() }
    }
}

/// Where something is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On every host of a role.
    Role(Role),
    /// In the operators' bundle.
    Operator,
}

impl Place {
    /// The places that a host of the spec is.
    pub fn of_host(host: &Host) -> Vec<Self> {
        host.roles.iter().copied().map(Self::Role).collect()
    }

    pub(super) fn any(here: &[Self], wanted: &[Self]) -> bool {
        here.iter().any(|place| wanted.contains(place))
    }
}

/// A common name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cn {
    /// The same for every host.
    Fixed(&'static str),
    /// The node name.
    HostName,
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

/// One certificate that will exist.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertPlan {
    /// The row of the table.
    #[serde(serialize_with = "row_id")]
    pub row: &'static CertRow,
    /// The host it is for; absent for CAs.
    pub host: Option<String>,
    /// The subject's common name.
    pub cn: String,
    /// DNS names, sorted.
    pub dns: Vec<String>,
    /// IP addresses, distinct, in kubeadm's order.
    pub ips: Vec<IpAddr>,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
    /// Which algorithm the key has.
    #[serde(serialize_with = "algorithm_label")]
    pub algorithm: Algorithm,
    /// The seed of the key.
    pub seed: u32,
    /// Decimal; for leaves the tuple pki, CA, host, joined by commas.
    pub generation: String,
    /// Whether the private key is placed here too.
    pub with_key: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn row_id<S: Serializer>(row: &&'static CertRow, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(row.id)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn algorithm_label<S: Serializer>(algorithm: &Algorithm, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(algorithm.label())
}

impl CertRow {
    /// Where the certificate lies on a host.
    pub fn certificate_path(&self) -> String {
        format!("/etc/kubernetes/pki/{}.crt", self.file)
    }

    /// Where the private key lies on a host.
    pub fn key_path(&self) -> String {
        format!("/etc/kubernetes/pki/{}.key", self.file)
    }
}

/// Whom leaf certificates are planned for.
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    pub(super) generation: u32,
    pub(super) seed: Option<SeedNumber>,
    pub(super) etcd_address: Option<IpAddr>,
}

/// kubeadm backdates `NotBefore` by five minutes, against clocks that are slow.
const BACKDATE: i64 = 5 * 60;

/// The certificate authorities of a cluster.
pub(super) fn authorities(spec: &Spec) -> Vec<CertPlan> {
    let validity = spec.pki.validity.ca().seconds();
    let subject = Subject { name: "", generation: 1, seed: None, etcd_address: None };
    let authority = |row: &'static CertRow| {
        let Kind::Authority(ca) = row.kind else { return None };
        let item = ca.item(spec);
        Some(CertPlan {
            host: None,
            seed: item.seed,
            generation: item.generation.to_string(),
            with_key: true,
            ..certificate(spec, row, &subject, validity)
        })
    };
    CERTS.iter().filter_map(authority).collect()
}

/// The leaf certificates of one host.
pub(super) fn leaves(spec: &Spec, subject: &Subject<'_>, here: &[Place]) -> Vec<CertPlan> {
    let validity = spec.pki.validity.leaf().seconds();
    let leaf = |row: &'static CertRow| {
        let Kind::IssuedBy(ca) = row.kind else { return None };
        let generations = [spec.pki.generation.get(), ca.item(spec).generation, subject.generation];
        Place::any(here, row.on).then(|| CertPlan {
            generation: generations.map(|generation| generation.to_string()).join(","),
            with_key: Place::any(here, row.key_on),
            ..certificate(spec, row, subject, validity)
        })
    };
    CERTS.iter().filter_map(leaf).collect()
}

fn certificate(spec: &Spec, row: &'static CertRow, subject: &Subject<'_>, validity: u64) -> CertPlan {
    let cn = match row.cn {
        Cn::Fixed(name) => name.to_owned(),
        Cn::HostName => subject.name.to_owned(),
    };
    let (dns, ips) = sans(row.sans, &cn, subject);
    CertPlan {
        row,
        host: Some(subject.name.to_owned()),
        cn,
        dns,
        ips,
        not_before: spec.cluster.epoch.unix() - BACKDATE,
        not_after: spec.cluster.epoch.unix().saturating_add_unsigned(validity),
        algorithm: spec.pki.algorithm,
        seed: seed_of(spec, subject.seed.or(spec.pki.seed)),
        generation: String::new(),
        with_key: false,
    }
}

fn sans(rule: Sans, cn: &str, subject: &Subject<'_>) -> (Vec<String>, Vec<IpAddr>) {
    match rule {
        Sans::None => (Vec::new(), Vec::new()),
        Sans::CommonName => (vec![cn.to_owned()], Vec::new()),
        Sans::Etcd => {
            let mut dns = vec![subject.name.to_owned(), "localhost".to_owned()];
            dns.sort();
            dns.dedup();
            let ips = subject.etcd_address.into_iter();
            let local = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            (dns, ips.chain(local).collect())
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "tests")]
mod tests {
    use super::{CERTS, Ca, Cn, Eku, Kind, Place, Sans};
    use std::collections::BTreeSet;

    #[test]
    fn ids_and_files_are_unique() {
        let ids: BTreeSet<_> = CERTS.iter().map(|row| row.id).collect();
        let files: BTreeSet<_> = CERTS.iter().map(|row| row.file).collect();
        assert_eq!(ids.len(), CERTS.len());
        assert_eq!(files.len(), CERTS.len());
    }

    #[test]
    fn every_authority_has_one_row_and_it_comes_before_what_it_issues() {
        for ca in Ca::ALL {
            let own: Vec<_> =
                CERTS.iter().enumerate().filter(|(_, row)| row.kind == Kind::Authority(*ca)).collect();
            let [(index, row)] = own.as_slice() else { panic!("{ca:?} has {} rows", own.len()) };
            let issued = CERTS.iter().position(|row| row.kind == Kind::IssuedBy(*ca));
            assert!(issued.is_some_and(|issued| issued > *index), "{} issues nothing after it", row.id);
        }
    }

    #[test]
    fn keys_of_authorities_are_on_no_host_and_every_key_has_an_owner() {
        for row in CERTS {
            assert!(!row.key_on.is_empty(), "{} has a key that nobody holds", row.id);
            assert!(
                row.key_on.iter().all(|place| row.on.contains(place)),
                "{}: key without certificate",
                row.id
            );
            if matches!(row.kind, Kind::Authority(_)) {
                assert_eq!(row.key_on, [Place::Operator], "{}", row.id);
            }
        }
    }

    #[test]
    fn leaves_have_a_purpose_and_servers_have_names() {
        for row in CERTS {
            match row.kind {
                Kind::Authority(_) => {
                    assert!(row.eku.is_empty() && row.sans == Sans::CommonName, "{}", row.id);
                }
                Kind::IssuedBy(_) => assert!(!row.eku.is_empty(), "{}", row.id),
            }
            assert_eq!(row.eku.contains(&Eku::ServerAuth), row.sans == Sans::Etcd, "{}", row.id);
            assert!(!row.why.is_empty() && row.cn != Cn::Fixed(""), "{}", row.id);
        }
    }
}
