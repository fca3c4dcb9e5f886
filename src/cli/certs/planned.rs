//! What a spec would make, from the plan alone. Serials and signatures need the keyring, so there
//! are none.

use super::Group;
use crate::check::inventory::{Certificate, Held, Issuer, Place};
use crate::imports::Material;
use crate::plan::brought::Version;
use crate::plan::certs::{CertRow, Kind, leaf_usages};
use crate::plan::{CertPlan, HostPlan, Plan, Rotated, Source};
use crate::spec::types::Algorithm;

/// A certificate that a host would get.
pub(super) struct Row {
    host: String,
    certificate: Certificate,
    place: Place,
}

/// Every certificate of every bundle, host by host, in the order of their paths.
pub(super) fn planned(plan: &Plan, material: &Material) -> Vec<Row> {
    let hosts = plan.hosts.values().chain([&plan.operator]);
    hosts
        .flat_map(|host| {
            host.files.iter().flat_map(|file| rows(plan, material, host, &file.source, &file.path))
        })
        .collect()
}

/// The certificates of one file; those of authorities stand in ca.crt and are not told of kubeconfigs.
fn rows(plan: &Plan, material: &Material, host: &HostPlan, source: &Source, path: &str) -> Vec<Row> {
    let (Source::Certificate(id) | Source::Kubeconfig(id) | Source::SigningCertificate(id)) = source else {
        return Vec::new();
    };
    let of = |ca| plan.cluster.authority(ca).map(|authority| &authority.certificates);
    let leaf = host.certificates.iter().find(|leaf| leaf.row.id == *id);
    let row = CertRow::find(id).map(|row| row.kind);
    let planned: Vec<(&CertPlan, &CertPlan)> = match (row, leaf) {
        (Some(Kind::Authority(ca)), _) => {
            let all = of(ca).into_iter().flat_map(Rotated::all);
            let only = matches!(source, Source::SigningCertificate(_));
            all.take(if only { 1 } else { usize::MAX }).map(|plan| (plan, plan)).collect()
        }
        (Some(Kind::IssuedBy(ca)), Some(leaf)) => {
            of(ca).map(|authority| (leaf, &authority.active)).into_iter().collect()
        }
        _ => Vec::new(),
    };
    let row = |(plan, issuer)| Row {
        host: host.name.clone(),
        certificate: brought(material, plan).unwrap_or_else(|| certificate(plan, issuer)),
        place: Place { entry: entry(source, plan), ..Place::file(path) },
    };
    planned.into_iter().map(row).collect()
}

fn entry(source: &Source, plan: &CertPlan) -> Option<String> {
    matches!(source, Source::Kubeconfig(_)).then(|| format!("users/{}", plan.cn))
}

fn subject(plan: &CertPlan) -> String {
    plan.brought.as_ref().map_or_else(|| plan.subject_text(), |brought| brought.subject.clone())
}

/// An authority that was made elsewhere is there already, and says itself what it is.
fn brought(material: &Material, plan: &CertPlan) -> Option<Certificate> {
    let Kind::Authority(ca) = plan.row.kind else { return None };
    let wanted = &plan.brought.as_ref()?.alone_sha256;
    let versions = [Version::Current, Version::Previous];
    let files = versions.into_iter().filter_map(|version| material.authority(ca, version));
    files
        .filter_map(|file| Certificate::from_pem(file.pem.as_bytes()))
        .find(|certificate| certificate.sha256.as_ref() == Some(wanted))
}

fn certificate(plan: &CertPlan, issuer: &CertPlan) -> Certificate {
    let ca = matches!(plan.row.kind, Kind::Authority(_));
    let mut usages = leaf_usages(plan.algorithm).to_vec();
    usages.extend(ca.then_some("keyCertSign"));
    usages.extend(plan.row.eku.iter().map(|eku| eku.name()));
    let derived = match plan.algorithm {
        Algorithm::EcdsaP256 => "ECDSA P-256",
        Algorithm::EcdsaP384 => "ECDSA P-384",
        Algorithm::Ed25519 => "Ed25519",
    };
    Certificate {
        subject: subject(plan),
        issuer: subject(issuer),
        dns: plan.dns.clone(),
        ips: plan.ips.iter().map(ToString::to_string).collect(),
        other_names: Vec::new(),
        key: plan.brought.as_ref().map_or_else(|| derived.to_owned(), |brought| brought.algorithm.clone()),
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
    for Row { host, certificate, place } in rows {
        let held = Held { certificate, places: vec![place], issuer: Issuer::NotFound };
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
