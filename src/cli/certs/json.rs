//! The inventory as JSON: for each host a forest of certificates.

use super::{Group, State, Terms};
use crate::check::certificates::rfc3339;
use crate::check::inventory::{Certificate, Held, Issuer, Place};
use crate::cli::output::Output;
use crate::finding::Finding;
use serde::Serialize;

#[derive(Serialize)]
struct Listed<'a> {
    command: &'static str,
    exit: u8,
    /// The time that validity was judged by.
    at: String,
    hosts: Vec<Host<'a>>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Host<'a> {
    #[serde(rename = "host")]
    name: &'a str,
    source: &'a str,
    certificates: Vec<Node<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    subject: &'a str,
    issuer: &'a str,
    /// Whether who issued it is here too, or it signed itself.
    issuer_found: bool,
    ca: bool,
    key: &'a str,
    usages: &'a [String],
    dns_names: &'a [String],
    ip_addresses: &'a [String],
    other_names: &'a [String],
    not_before: String,
    not_after: String,
    days_left: i64,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    files: &'a [Place],
    /// What it issued, nested.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    issued: Vec<Node<'a>>,
}

pub(super) fn print(
    groups: &[Group],
    findings: &[Finding],
    exit: u8,
    terms: &Terms,
    output: &mut Output<'_>,
) {
    if !output.is_json() {
        return;
    }
    let hosts = groups
        .iter()
        .map(|group| Host { name: &group.host, source: &group.source, certificates: forest(group, terms) })
        .collect();
    output.json(&Listed { command: "certs", exit, at: rfc3339(terms.at), hosts, findings });
}

fn forest<'a>(group: &'a Group, terms: &Terms) -> Vec<Node<'a>> {
    let roots = group.certificates.iter().enumerate();
    let roots = roots.filter(|(_, held)| !matches!(held.issuer, Issuer::Held(_)));
    roots.map(|(index, held)| node(group, index, held, terms)).collect()
}

fn node<'a>(group: &'a Group, index: usize, held: &'a Held, terms: &Terms) -> Node<'a> {
    let Certificate { subject, issuer, ca, key, usages, dns, ips, other_names, .. } = &held.certificate;
    let issued = group.certificates.iter().enumerate();
    let issued = issued.filter(|(_, other)| other.issuer == Issuer::Held(index));
    Node {
        subject,
        issuer,
        issuer_found: held.issuer != Issuer::NotFound,
        ca: *ca,
        key,
        usages,
        dns_names: dns,
        ip_addresses: ips,
        other_names,
        not_before: rfc3339(held.certificate.not_before),
        not_after: rfc3339(held.certificate.not_after),
        days_left: terms.days_left(held),
        state: terms.state(held),
        serial: held.certificate.serial.as_deref(),
        sha256: held.certificate.sha256.as_deref(),
        files: &held.places,
        issued: issued.map(|(index, other)| node(group, index, other, terms)).collect(),
    }
}
