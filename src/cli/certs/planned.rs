//! What a spec would make, from the plan alone. Serials and signatures need the keyring, so there
//! are none.

use super::Group;
use crate::check::inventory::{Certificate, Held, Issuer, Place};
use crate::plan::certs::{Eku, Kind};
use crate::plan::{CertPlan, HostPlan, Plan, Source};

/// A certificate that a host would get.
pub(super) struct Row {
    host: String,
    certificate: Certificate,
    path: String,
}

/// Every certificate of every bundle, host by host, in the order of their paths.
pub(super) fn planned(plan: &Plan) -> Vec<Row> {
    let hosts = plan.hosts.values().chain([&plan.operator]);
    hosts
        .flat_map(|host| host.files.iter().filter_map(|file| row(plan, host, file.source, &file.path)))
        .collect()
}

fn row(plan: &Plan, host: &HostPlan, source: Source, path: &str) -> Option<Row> {
    let Source::Certificate(id) = source else { return None };
    let certificates = || host.certificates.iter().chain(&plan.cluster.authorities);
    let planned = certificates().find(|certificate| certificate.row.id == id)?;
    let issuer = match planned.row.kind {
        Kind::Authority(_) => planned,
        Kind::IssuedBy(ca) => {
            plan.cluster.authorities.iter().find(|authority| authority.row.kind == Kind::Authority(ca))?
        }
    };
    Some(Row { host: host.name.clone(), certificate: certificate(planned, issuer), path: path.to_owned() })
}

fn certificate(plan: &CertPlan, issuer: &CertPlan) -> Certificate {
    let ca = matches!(plan.row.kind, Kind::Authority(_));
    // as derive::certificate sets them
    let mut usages = vec!["digitalSignature", "keyEncipherment"];
    usages.extend(ca.then_some("keyCertSign"));
    usages.extend(plan.row.eku.iter().map(|eku| match eku {
        Eku::ServerAuth => "serverAuth",
        Eku::ClientAuth => "clientAuth",
    }));
    Certificate {
        subject: format!("CN={}", plan.cn),
        issuer: format!("CN={}", issuer.cn),
        dns: plan.dns.clone(),
        ips: plan.ips.iter().map(ToString::to_string).collect(),
        other_names: Vec::new(),
        key: match plan.algorithm.label() {
            "ecdsa-p256" => "ECDSA P-256".to_owned(),
            other => other.to_owned(),
        },
        ca,
        usages: usages.into_iter().map(str::to_owned).collect(),
        not_before: plan.not_before,
        not_after: plan.not_after,
        serial: None,
        sha256: None,
    }
}

/// Rows by host, each below the CA of that host that would issue it.
pub(super) fn groups(rows: Vec<Row>, source: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for Row { host, certificate, path } in rows {
        let held = Held { certificate, places: vec![Place::file(path)], issuer: Issuer::NotFound };
        match groups.last_mut().filter(|group| group.host == host) {
            Some(group) => group.certificates.push(held),
            None => groups.push(Group { host, source: source.to_owned(), certificates: vec![held] }),
        }
    }
    for group in &mut groups {
        let cas: Vec<_> = group.certificates.iter().map(|it| it.certificate.clone()).collect();
        for held in &mut group.certificates {
            let by = |ca: &Certificate| ca.ca && ca.subject == held.certificate.issuer;
            held.issuer = match cas.iter().position(by) {
                Some(_) if held.certificate.subject == held.certificate.issuer => Issuer::Itself,
                Some(index) => Issuer::Held(index),
                None => Issuer::NotFound,
            };
        }
    }
    groups
}
