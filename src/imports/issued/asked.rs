//! What a certificate says, against what was asked for: names, usages, constraints.

use super::Flaw;
use crate::imports::{printable, strict};
use crate::plan::CertPlan;
use crate::plan::certs::Attribute;
use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::Oid;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{OID_X509_COMMON_NAME, OID_X509_ORGANIZATION_NAME};

/// What a certificate says, against what it should.
pub(super) fn flaws(certificate: &X509Certificate<'_>, plan: &CertPlan) -> Vec<Flaw> {
    let names = |oid: &Oid<'_>| -> Vec<String> {
        let all = certificate.subject().iter_by_oid(oid);
        // a text of a kind that is not read here may be read elsewhere: it is never the right one
        let text = all.map(|value| value.as_str().map_or_else(|_| "(unreadable)".to_owned(), printable));
        text.collect()
    };
    let groups = plan.subject.iter().filter(|(attribute, _)| *attribute == Attribute::O);
    let groups: Vec<String> = groups.map(|(_, text)| text.clone()).collect();
    let pairs: [(&'static str, Vec<String>, Vec<String>); 5] = [
        ("common name", names(&OID_X509_COMMON_NAME), vec![plan.cn.clone()]),
        ("organization", names(&OID_X509_ORGANIZATION_NAME), groups),
        ("list of names", sorted(found_sans(certificate)), sorted(planned_sans(plan))),
        ("key usage", found_usages(certificate), usages(plan)),
        ("extended key usage", sorted(found_purposes(certificate)), sorted(purposes(plan))),
    ];
    let differs = pairs.into_iter().filter(|(_, found, wanted)| found != wanted);
    let mut flaws: Vec<Flaw> =
        differs.map(|(what, found, wanted)| Flaw::Differs(what, listed(&found), listed(&wanted))).collect();
    if certificate.is_ca() {
        flaws.push(Flaw::Ca);
    }
    flaws.extend(strict::odd(certificate).map(Flaw::Odd));
    flaws.extend(strict::unknown(certificate).map(Flaw::Critical));
    flaws
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

fn planned_sans(plan: &CertPlan) -> Vec<String> {
    let dns = plan.dns.iter().map(|name| format!("DNS:{name}"));
    dns.chain(plan.ips.iter().map(|ip| format!("IP:{ip}"))).collect()
}

fn found_sans(certificate: &X509Certificate<'_>) -> Vec<String> {
    let sans = certificate.subject_alternative_name().ok().flatten();
    let names = sans.map(|sans| sans.value.general_names.as_slice()).unwrap_or_default();
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => format!("DNS:{}", printable(name)),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let ip = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            ip.map_or_else(|_| "IP:(malformed)".to_owned(), |ip| format!("IP:{ip}"))
        }
        other => format!("({})", printable(&other.to_string())),
    };
    names.iter().map(text).collect()
}

/// The bits of RFC 5280 section 4.2.1.3 in their order.
const USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

fn found_usages(certificate: &X509Certificate<'_>) -> Vec<String> {
    let flags = certificate.key_usage().ok().flatten().map_or(0, |usage| usage.value.flags);
    let set = USAGES.iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1);
    set.map(|(_, name)| (*name).to_owned()).collect()
}

fn usages(plan: &CertPlan) -> Vec<String> {
    let all = crate::plan::certs::leaf_usages(plan.algorithm);
    all.iter().map(|usage| (*usage).to_owned()).collect()
}

fn purposes(plan: &CertPlan) -> Vec<String> {
    plan.row.eku.iter().map(|eku| eku.name().to_owned()).collect()
}

fn found_purposes(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Some(usage) = certificate.extended_key_usage().ok().flatten().map(|usage| usage.value) else {
        return Vec::new();
    };
    let flags = [
        (usage.any, "any"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let named = flags.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned());
    named.chain(usage.other.iter().map(Oid::to_id_string)).collect()
}
