//! Which certificate issued which.

use super::Issuer;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::ParsedExtension;
use x509_parser::x509::X509Version;

/// For each certificate, who issued it. Never leads in a circle, cross-signed CAs included.
pub(super) fn issuers(certificates: &[X509Certificate<'_>]) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::with_capacity(certificates.len());
    for (index, certificate) in certificates.iter().enumerate() {
        issuers.push(if issued(certificate, certificate) {
            Issuer::Itself
        } else {
            let candidates = certificates.iter().enumerate().filter(|(other, candidate)| {
                *other != index && !leads_to(&issuers, *other, index) && may_issue(candidate)
            });
            // of a CA that was renewed with the same key, the certificate that lasts longest
            let best = candidates
                .filter(|(_, candidate)| issued(candidate, certificate))
                .max_by_key(|(_, candidate)| candidate.validity().not_after.timestamp());
            best.map_or(Issuer::NotFound, |(other, _)| Issuer::Held(other))
        });
    }
    issuers
}

/// Whether the issuers found so far lead from one certificate to another.
fn leads_to(issuers: &[Issuer], from: usize, to: usize) -> bool {
    let mut at = from;
    // no way is longer than there are certificates
    for _ in 0..=issuers.len() {
        match issuers.get(at) {
            Some(Issuer::Held(next)) if *next == to => return true,
            Some(Issuer::Held(next)) => at = *next,
            _ => return false,
        }
    }
    true
}

/// CAs by their basic constraints; X.509 version 1 has none (RFC 5280 section 6.1.4 (k)).
fn may_issue(certificate: &X509Certificate<'_>) -> bool {
    certificate.is_ca() || certificate.version() == X509Version::V1
}

/// Whether a certificate's key signed another: names and key ids fit, and the signature holds. A
/// signature in an algorithm that cannot be verified here counts as one that holds.
pub(in crate::check) fn issued(issuer: &X509Certificate<'_>, certificate: &X509Certificate<'_>) -> bool {
    if issuer.subject().as_raw() != certificate.issuer().as_raw() {
        return false;
    }
    let (wanted, own) = (authority_key_id(certificate), subject_key_id(issuer));
    if wanted.zip(own).is_some_and(|(wanted, own)| wanted != own) {
        return false;
    }
    match certificate.verify_signature(Some(issuer.public_key())) {
        Ok(()) => true,
        Err(X509Error::SignatureUnsupportedAlgorithm) => own.is_some() && wanted == own,
        Err(_) => false,
    }
}

fn authority_key_id<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    })
}

fn subject_key_id<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    })
}
