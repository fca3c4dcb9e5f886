//! What somebody else shall issue: certificates of a `StatefulSet` that cert-manager makes.

use super::lay::{attributes, settings};
use super::{Attribute, CERTS, CertRow, Cn, Kind, Subject, sans};
use crate::spec::scalars::Span;
use crate::spec::types::{Algorithm, CaName, EtcdRun, Spec, StatefulSetCertificates, Subject as Fields};
use serde::Serialize;
use std::net::IpAddr;

/// One certificate as it is asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// The subject's common name.
    pub cn: String,
    /// The subject's other fields.
    pub subject: Vec<(Attribute, String)>,
    /// DNS names, sorted.
    pub dns: Vec<String>,
    /// IP addresses.
    pub ips: Vec<IpAddr>,
    /// For how many seconds it is valid.
    pub seconds: u64,
    /// Which algorithm the key has.
    pub algorithm: Algorithm,
    /// Whether servers use it.
    pub server: bool,
    /// The table's id.
    pub id: &'static str,
}

/// Whether cert-manager makes etcd's certificates, and nothing here does.
pub(super) fn made_in_the_cluster(spec: &Spec) -> bool {
    let set = spec.etcd.stateful_set.as_ref();
    spec.etcd.run == EtcdRun::StatefulSet
        && set.is_some_and(|set| set.certificates == StatefulSetCertificates::CertManager)
}

/// What cert-manager is asked for, in the order of the table; nothing where the build issues it.
pub(in crate::plan) fn requested(spec: &Spec) -> Vec<Requested> {
    let rows = CERTS.iter().filter(|row| row.when == super::When::StatefulSet);
    let of_etcd = rows.filter(|row| row.kind == Kind::IssuedBy(CaName::Etcd));
    of_etcd.filter(|_| made_in_the_cluster(spec)).map(|row| one(spec, row)).collect()
}

fn one(spec: &Spec, row: &'static CertRow) -> Requested {
    let own = settings(spec, row);
    let none = Fields::default();
    // the table's tests show that these have fixed names
    let cn = if let Cn::Fixed(name) = row.cn { name } else { row.id };
    let nobody = Subject {
        name: "",
        generation: 1,
        seed: None,
        addresses: &[],
        members: None,
        api_address: None,
        own: None,
    };
    let extra = own.map(|own| own.sans.as_slice()).unwrap_or_default().iter().cloned();
    let server = row.sans != super::Sans::None;
    let (dns, ips) = sans::of(spec, row.sans, cn, &nobody, extra.filter(|_| server));
    let span: Span = own.and_then(|own| own.validity).unwrap_or_else(|| spec.pki.validity.leaf());
    Requested {
        cn: cn.to_owned(),
        subject: attributes(own.map_or(&none, |own| &own.subject), None),
        dns,
        ips,
        seconds: span.seconds(),
        algorithm: own.and_then(|own| own.algorithm).unwrap_or(spec.pki.algorithm),
        server,
        id: row.id,
    }
}
