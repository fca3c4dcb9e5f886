//! Certificates against what their files are for: who must have issued them, and what they may do.

use super::View;
use crate::check::inventory::chain::issued;
use crate::finding::{Finding, Id};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

pub(super) const KUBERNETES: &str = "/etc/kubernetes/pki/ca.crt";
const FRONT_PROXY: &str = "/etc/kubernetes/pki/front-proxy-ca.crt";
const ETCD: &str = "/etc/kubernetes/pki/etcd/ca.crt";

/// The files of authorities, as kubeadm names them (`cmd/kubeadm/app/constants`).
const AUTHORITIES: [&str; 3] = [KUBERNETES, FRONT_PROXY, ETCD];

/// What a file of a certificate is for.
pub(super) struct Use {
    pub(super) path: &'static str,
    authority: &'static str,
    pub(super) serves: bool,
    asks: bool,
}

const fn client(path: &'static str, authority: &'static str) -> Use {
    Use { path, authority, serves: false, asks: true }
}

const fn server(path: &'static str, authority: &'static str, asks: bool) -> Use {
    Use { path, authority, serves: true, asks }
}

/// The files that a cluster has certificates in (kubernetes.io, "PKI certificates and requirements").
/// etcd's servers ask too: members each other, and its gateway itself.
pub(super) const USES: [Use; 8] = [
    server("/etc/kubernetes/pki/apiserver.crt", KUBERNETES, false),
    client("/etc/kubernetes/pki/apiserver-kubelet-client.crt", KUBERNETES),
    client("/etc/kubernetes/pki/front-proxy-client.crt", FRONT_PROXY),
    server("/etc/kubernetes/pki/etcd/server.crt", ETCD, true),
    server("/etc/kubernetes/pki/etcd/peer.crt", ETCD, true),
    server("/etc/kubernetes/pki/etcd/etcd.crt", ETCD, true),
    client("/etc/kubernetes/pki/etcd/healthcheck-client.crt", ETCD),
    server("/var/lib/kubelet/pki/kubelet.crt", KUBERNETES, false),
];

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in AUTHORITIES {
        let blocks = blocks(view, path);
        let leaf = certificates(&blocks).into_iter().find(|certificate| !is_authority(certificate));
        findings.extend(leaf.map(|_| purpose(view, path, "authorities", "a certificate that is none")));
    }
    for row in &USES {
        let blocks = blocks(view, row.path);
        let certificates = certificates(&blocks);
        let Some((leaf, above)) = certificates.split_first() else { continue };
        findings.extend(misused(leaf, row).map(|(expected, found)| purpose(view, row.path, expected, found)));
        let authorities = self::blocks(view, row.authority);
        let authorities = self::certificates(&authorities);
        // what is not in this bundle cannot be compared
        if !authorities.is_empty() && !leads(leaf, above, &authorities) {
            findings.push(
                view.finding(Id::CertificateChain, row.path)
                    .expected(format!("issued by {}", row.authority))
                    .found("another issuer"),
            );
        }
    }
    findings
}

fn purpose(view: &View<'_>, path: &str, expected: &str, found: &str) -> Finding {
    view.finding(Id::CertificatePurpose, path).expected(expected).found(found)
}

/// Every PEM block of certificates of a file; none of a file that is not there.
pub(super) fn blocks(view: &View<'_>, path: &str) -> Vec<Pem> {
    pem_blocks((view.contents)(path).unwrap_or_default())
}

/// Every PEM block of certificates of a text.
pub(super) fn pem_blocks(text: &[u8]) -> Vec<Pem> {
    let blocks = Pem::iter_from_buffer(text).map_while(Result::ok);
    blocks.filter(|block| block.label == "CERTIFICATE").collect()
}

/// Those that can be read; that others cannot is found elsewhere.
pub(super) fn certificates(blocks: &[Pem]) -> Vec<X509Certificate<'_>> {
    let parsed = blocks.iter().map_while(|block| X509Certificate::from_der(&block.contents).ok());
    parsed.map(|(_, certificate)| certificate).collect()
}

/// May issue (RFC 5280, 4.2.1.3 and 4.2.1.9).
fn is_authority(certificate: &X509Certificate<'_>) -> bool {
    let usage = certificate.key_usage().ok().flatten();
    certificate.is_ca() && usage.is_none_or(|usage| usage.value.key_cert_sign())
}

/// What a leaf must be and is not (RFC 5280, 4.2.1.12).
fn misused(leaf: &X509Certificate<'_>, row: &Use) -> Option<(&'static str, &'static str)> {
    if leaf.is_ca() {
        return Some(("the certificate of a server or client", "one of an authority"));
    }
    let usage = leaf.extended_key_usage().ok().flatten();
    let serves = usage.as_ref().is_some_and(|usage| usage.value.server_auth || usage.value.any);
    let asks = usage.as_ref().is_some_and(|usage| usage.value.client_auth || usage.value.any);
    match (row.serves && !serves, row.asks && !asks) {
        (true, _) => Some(("the extended key usage serverAuth", "a certificate without it")),
        (_, true) => Some(("the extended key usage clientAuth", "a certificate without it")),
        _ => None,
    }
}

/// Whether a leaf leads to one of the authorities, over what stands behind it in its file.
fn leads(
    leaf: &X509Certificate<'_>,
    above: &[X509Certificate<'_>],
    authorities: &[X509Certificate<'_>],
) -> bool {
    let mut at = leaf;
    // no way is longer than the file
    for _ in 0..=above.len() {
        if authorities.iter().any(|authority| is_authority(authority) && issued(authority, at)) {
            return true;
        }
        let next = above.iter().find(|next| {
            next.tbs_certificate.as_ref() != at.tbs_certificate.as_ref()
                && is_authority(next)
                && issued(next, at)
        });
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}
