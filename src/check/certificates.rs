//! Certificates against time, and private keys against certificates.

use crate::finding::{Finding, Id, is_plain};
use crate::private_key::{PrivateKey, PublicKey};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::x509::AttributeTypeAndValue;

const LABEL: &str = "CERTIFICATE";

/// Whether a text carries at least one PEM certificate (RFC 7468).
pub fn carries_certificates(text: &[u8]) -> bool {
    let marker = b"-----BEGIN CERTIFICATE-----";
    text.split(|byte| *byte == b'\n').any(|line| line.starts_with(marker))
}

/// The validity of every certificate in a PEM text, at a Unix time in seconds.
///
/// Blocks with another label are skipped; a text without any certificate, and a block that is not
/// one DER certificate (RFC 5280) and nothing more, is [`Id::CertificateMalformed`]. The last
/// second of the validity counts as valid. With `within` seconds, a certificate whose validity
/// ends before `at + within` is [`Id::CertificateExpiring`].
pub fn inspect(pem: &[u8], path: &str, at: i64, within: Option<u64>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = false;
    for block in Pem::iter_from_buffer(pem) {
        let Ok(block) = block else {
            return malformed(path, "a damaged PEM block");
        };
        if block.label != LABEL {
            continue;
        }
        seen = true;
        let Some(certificate) = parse(&block) else {
            return malformed(path, "a block that is not one X.509 certificate");
        };
        findings.extend(validity(&certificate, path, at, within));
    }
    if seen { findings } else { malformed(path, "no PEM certificate") }
}

/// What [`key_matches`] reads as a private key.
pub const PRIVATE_KEY: &str = "a private key in PEM: ECDSA P-256 or P-384, Ed25519, or RSA 2048 to 4096";

/// What [`key_matches`] reads as a certificate.
pub const CERTIFICATE: &str = "a certificate in PEM: ECDSA P-256 or P-384, Ed25519, or RSA 2048 to 4096";

/// Whether a private key is the one that the first certificate of a PEM text is for.
///
/// The public key is computed from the private part. What [`PrivateKey::from_pem`] refuses is
/// [`Id::KeyMalformed`]. A certificate that cannot be read, or is for another algorithm, is
/// [`Id::CertificateMalformed`].
pub fn key_matches(cert_pem: &[u8], key_pem: &[u8]) -> Result<bool, Id> {
    let certified = certified_key(cert_pem).ok_or(Id::CertificateMalformed)?;
    let key = PrivateKey::from_pem(key_pem).map_err(|_| Id::KeyMalformed)?;
    Ok(*key.public() == certified)
}

/// The subject of the first certificate of a PEM text, such as `O=system:nodes, CN=system:node:cp1`:
/// attributes in the certificate's order, as x509-parser prints them.
///
/// None for a certificate that cannot be read, and for a subject that this text would not tell apart
/// from another: commas, plus signs and control characters in values are not escaped.
pub fn subject(pem: &[u8]) -> Option<String> {
    let block = Pem::iter_from_buffer(pem).map_while(Result::ok).find(|block| block.label == LABEL)?;
    let certificate = parse(&block)?;
    let subject = certificate.subject();
    let plain = |value: &str| value.chars().all(|c| is_plain(c) && !matches!(c, ',' | '+'));
    let mut values = subject.iter_attributes().map(AttributeTypeAndValue::as_str);
    values.all(|value| value.is_ok_and(plain)).then(|| subject.to_string())
}

/// The validity of a bundle that ends at `until`; parameters as in [`inspect`].
pub fn bundle_validity(until: i64, path: &str, at: i64, within: Option<u64>) -> Option<Finding> {
    let (id, moment) =
        if at > until { (Id::BundleExpired, at) } else { (Id::BundleExpiring, horizon(at, within?)) };
    (moment > until).then(|| {
        let mend =
            "build with a later `cluster.epoch` and install the new bundle; check this machine's clock too";
        Finding::new(id, path, mend)
            .expected(format!("valid at {}", rfc3339(moment)))
            .found(format!("valid until {}", rfc3339(until)))
    })
}

/// A Unix time as RFC 3339 in UTC, or the bare number outside the years that RFC 3339 can write.
pub fn rfc3339(at: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{at} s after 1970"))
}

/// `at + within`, at most the largest number.
pub fn horizon(at: i64, within: u64) -> i64 {
    at.saturating_add_unsigned(within)
}

fn parse(block: &Pem) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(&block.contents).ok()?;
    rest.is_empty().then_some(certificate)
}

fn certified_key(cert_pem: &[u8]) -> Option<PublicKey> {
    let block = Pem::iter_from_buffer(cert_pem).map_while(Result::ok).find(|block| block.label == LABEL)?;
    let certificate = parse(&block)?;
    PublicKey::from_spki(certificate.public_key().raw).ok()
}

fn malformed(path: &str, found: &str) -> Vec<Finding> {
    let mend = "build the bundle again, or install the one at hand again if only the host's file is damaged";
    vec![Finding::new(Id::CertificateMalformed, path, mend).expected("PEM certificates").found(found)]
}

fn validity(certificate: &X509Certificate<'_>, path: &str, at: i64, within: Option<u64>) -> Option<Finding> {
    let begins = certificate.validity().not_before.timestamp();
    let ends = certificate.validity().not_after.timestamp();
    let subject = printable(&certificate.subject().to_string());
    let until = format!("not after {} ({subject})", rfc3339(ends));
    if at < begins {
        return Some(
            Finding::new(Id::CertificateNotYetValid, path, "check this machine's clock, or wait until then")
                .expected(format!("valid at {}", rfc3339(at)))
                .found(format!("not before {} ({subject})", rfc3339(begins))),
        );
    }
    if at > ends {
        let mend =
            "build with a later `cluster.epoch` and install the new bundle; check this machine's clock too";
        let finding = Finding::new(Id::CertificateExpired, path, mend);
        return Some(finding.expected(format!("valid at {}", rfc3339(at))).found(until));
    }
    let horizon = horizon(at, within?);
    (ends < horizon).then(|| {
        let mend = "build with a later `cluster.epoch` and install the new bundle before then";
        Finding::new(Id::CertificateExpiring, path, mend)
            .expected(format!("valid at {}", rfc3339(horizon)))
            .found(until)
    })
}

// A subject comes from a file that anyone may have written; terminals obey control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests;
