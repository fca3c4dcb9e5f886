//! Certificates in PEM: their validity, and whether a private key is theirs.

use crate::finding::{Finding, Id};
use p256::{SecretKey, elliptic_curve::sec1::ToSec1Point, pkcs8::DecodePrivateKey};
use x509_parser::{certificate::X509Certificate, pem::Pem};

/// What is wrong with the validity of the certificates in a PEM file, at a time in seconds since
/// 1970, or with `within` seconds added to it.
pub fn inspect(pem: &[u8], path: &str, at: i64, within: Option<u64>) -> Vec<Finding> {
    let malformed = || Finding::new(Id::CertificateMalformed, path, "rebuild the bundle with sealift");
    let mut findings = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let Ok(block) = block else { return vec![malformed()] };
        match block.parse_x509() {
            Ok(certificate) => findings.extend(validity(&certificate, path, at, within)),
            Err(_) => findings.push(malformed()),
        }
    }
    findings
}

fn validity(certificate: &X509Certificate<'_>, path: &str, at: i64, within: Option<u64>) -> Option<Finding> {
    let (from, to) = (certificate.validity().not_before, certificate.validity().not_after);
    let later = at.saturating_add_unsigned(within.unwrap_or(0));
    let finding = |id, mend: &str, bound: x509_parser::time::ASN1Time| {
        Some(Finding::new(id, path, mend).found(bound.to_string()))
    };
    if at < from.timestamp() {
        finding(Id::CertificateNotYetValid, "compare this machine's clock", from)
    } else if at > to.timestamp() {
        finding(Id::CertificateExpired, "rebuild with a later epoch and install", to)
    } else if later > to.timestamp() {
        finding(Id::CertificateExpiring, "rebuild with a later epoch and install soon", to)
    } else {
        None
    }
}

/// Whether a P-256 private key in PEM (SEC 1 or PKCS #8) belongs to the first certificate in PEM.
/// Fails with what cannot be parsed: `certificate-malformed` or `key-malformed`.
pub fn key_matches(cert_pem: &[u8], key_pem: &[u8]) -> Result<bool, Id> {
    let text = std::str::from_utf8(key_pem).map_err(|_| Id::KeyMalformed)?;
    let key = SecretKey::from_sec1_pem(text)
        .ok()
        .or_else(|| SecretKey::from_pkcs8_pem(text).ok())
        .ok_or(Id::KeyMalformed)?;
    let block =
        Pem::iter_from_buffer(cert_pem).next().and_then(Result::ok).ok_or(Id::CertificateMalformed)?;
    let certificate = block.parse_x509().map_err(|_| Id::CertificateMalformed)?;
    let public = key.public_key().to_sec1_point(false);
    Ok(certificate.public_key().subject_public_key.data.as_ref() == public.as_bytes())
}
