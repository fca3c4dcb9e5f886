//! Whether a file changes, as far as that can be known without the keyring.

use crate::build;
use crate::bundle::manifest::{File, Manifest};
use crate::bundle::open::Verified;
use crate::cli::world::SpecFile;
use crate::plan::{CertPlan, FilePlan, HostPlan, Source};
use crate::spec::types::CaName;
use std::collections::BTreeMap;
use std::net::IpAddr;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

pub(super) fn recipients(host: &HostPlan) -> Vec<String> {
    host.recipients.iter().map(ToString::to_string).collect()
}

/// The digest that a manifest publishes of a file: keyed where it is sealed.
pub(super) fn published(file: &File) -> Option<String> {
    if file.sealed { file.hmac.clone() } else { Some(file.sha256.clone()) }
}

/// Whether a file of the plan would have other contents than it has in the bundle before.
pub(super) fn differs(
    spec: &SpecFile,
    host: &HostPlan,
    file: &FilePlan,
    before: &Verified,
    rendered: &BTreeMap<String, Vec<u8>>,
) -> bool {
    let contents = before.contents(&file.path);
    let cluster = &spec.plan.cluster;
    let origin = build::origin(cluster, host, &file.source);
    let inputs = build::file_inputs(cluster, host, &file.source);
    let policy = build::policy(file.policy);
    let other = |old: &File| old.origin != origin || old.inputs != inputs || old.policy != policy;
    if before.file(&file.path).is_some_and(other) {
        return true;
    }
    match &file.source {
        Source::Template(_) | Source::Each(..) | Source::Manifest | Source::Patch | Source::Configuration => {
            rendered.get(&file.path).map(Vec::as_slice) != contents
        }
        Source::Pod(_) => {
            let reads =
                |other: &&FilePlan| build::pod(file).is_some_and(|name| host.reads_at_start(name, other));
            let mut read = host.files.iter().filter(reads);
            rendered.get(&file.path).map(Vec::as_slice) != contents
                || read.any(|other| differs(spec, host, other, before, rendered))
        }
        Source::Certificate(id) => {
            let authority = cluster.authorities.iter().find(|plan| plan.certificates.active.row.id == *id);
            let planned: Vec<_> = match authority {
                Some(authority) => authority.certificates.all().collect(),
                None => build::find(cluster, host, id).into_iter().collect(),
            };
            // behind a leaf stands what issued it, when that was made elsewhere; `inputs` tells those apart
            let more = authority.is_none() && inputs.is_some();
            !contents.is_some_and(|pem| says(pem, &planned, more))
        }
        Source::SigningCertificate(id) => {
            let planned: Vec<_> = build::find(cluster, host, id).into_iter().collect();
            !contents.is_some_and(|pem| says(pem, &planned, false))
        }
        // nothing but keys that `origin` names; of two keys, the second shows in the number of blocks
        Source::PublicKeys(_) => {
            let keys = cluster.service_account.as_ref().map_or(0, |keys| keys.all().count());
            contents.is_none_or(|pem| Pem::iter_from_buffer(pem).count() != keys)
        }
        Source::DiscoveryHash => {
            let authority = cluster.authority(CaName::Kubernetes);
            let hashes = authority.map_or(0, |authority| authority.certificates.all().count());
            contents.is_none_or(|text| text.split(|byte| *byte == b'\n').count() != hashes + 1)
        }
        Source::Foreign => false,
        source => source.is_secret() && sealed_anew(host, before.manifest()),
    }
}

fn sealed_anew(host: &HostPlan, before: &Manifest) -> bool {
    before.host.recipients != recipients(host) || before.host.generation != host.item.generation
}

/// Whether a file's certificates say what is planned, one by one: subject, SANs and validity.
/// With `more`, others may stand behind them.
fn says(pem: &[u8], planned: &[&CertPlan], more: bool) -> bool {
    let blocks: Vec<_> = Pem::iter_from_buffer(pem).filter_map(Result::ok).collect();
    let fits = blocks.len() == planned.len() || (more && blocks.len() > planned.len());
    fits && blocks.iter().zip(planned).all(|(block, plan)| says_one(block, plan))
}

fn says_one(block: &Pem, plan: &CertPlan) -> bool {
    let Ok(certificate) = block.parse_x509() else { return false };
    let validity = certificate.validity();
    let same_time = validity.not_before.timestamp() == plan.not_before
        && validity.not_after.timestamp() == plan.not_after;
    if plan.brought.is_some() {
        return same_time;
    }
    let sans = certificate.subject_alternative_name().ok().flatten();
    let sans = sans.map(|sans| sans.value.general_names.as_slice()).unwrap_or_default();
    let dns: Vec<_> = sans.iter().filter_map(dns_name).collect();
    let ips: Vec<_> = sans.iter().filter_map(ip_address).collect();
    certificate.subject().to_string() == plan.subject_text()
        && dns == plan.dns
        && ips == plan.ips
        && same_time
}

fn dns_name<'a>(name: &GeneralName<'a>) -> Option<&'a str> {
    match name {
        GeneralName::DNSName(name) => Some(name),
        _ => None,
    }
}

fn ip_address(name: &GeneralName<'_>) -> Option<IpAddr> {
    let GeneralName::IPAddress(bytes) = name else { return None };
    let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()
}
