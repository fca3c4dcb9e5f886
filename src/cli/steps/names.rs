//! CAs that get another name under the same key: what they sign has another issuer at once.

use crate::bundle::open::Verified;
use crate::plan::certs::Attribute;
use crate::plan::{CertPlan, ClusterPlan, HostPlan, Source};
use crate::spec::types::CaName;
use std::collections::BTreeSet;
use x509_parser::pem::Pem;

/// The authorities whose certificate in a host's bundle has another subject than the one planned.
pub(in crate::cli) fn renamed(
    cluster: &ClusterPlan,
    host: &HostPlan,
    before: &Verified,
) -> impl Iterator<Item = CaName> {
    let renamed = cluster.authorities.iter().filter(|authority| {
        let planned = &authority.certificates.active;
        let file = host.files.iter().find(|file| file.source == Source::Certificate(planned.row.id));
        let contents = file.and_then(|file| before.contents(&file.path));
        let written = contents.and_then(subject);
        planned.brought.is_none() && written.is_some_and(|written| written != of(planned))
    });
    renamed.map(|authority| authority.ca)
}

/// The subject of a file's first certificate: OIDs and values.
fn subject(pem: &[u8]) -> Option<BTreeSet<(String, String)>> {
    let block = Pem::iter_from_buffer(pem).next()?.ok()?;
    let certificate = block.parse_x509().ok()?;
    let attributes = certificate.subject().iter_attributes();
    let all = attributes.map(|one| Some((one.attr_type().to_id_string(), one.as_str().ok()?.to_owned())));
    all.collect()
}

/// The same of a plan. OIDs: RFC 5280 appendix A.1.
fn of(planned: &CertPlan) -> BTreeSet<(String, String)> {
    let oid = |attribute| match attribute {
        Attribute::C => "2.5.4.6",
        Attribute::St => "2.5.4.8",
        Attribute::L => "2.5.4.7",
        Attribute::O => "2.5.4.10",
        Attribute::Ou => "2.5.4.11",
    };
    let fields = planned.subject.iter().map(|(attribute, text)| (oid(*attribute).to_owned(), text.clone()));
    fields.chain([("2.5.4.3".to_owned(), planned.cn.clone())]).collect()
}
