//! What one certificate says, read as strictly as an authority's must be.

use crate::private_key::{PublicKey, public};
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as ParsedKey;

/// One certificate, and nothing behind it.
pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    // an extension twice, or one that cannot be read, is no certificate (RFC 5280 section 4.2)
    let broken = certificate.extensions_map().is_err()
        || certificate
            .extensions()
            .iter()
            .any(|extension| matches!(extension.parsed_extension(), ParsedExtension::ParseError { .. }));
    (rest.is_empty() && !broken).then_some(certificate)
}

/// What tells an authority from others: SHA-256 over its subject and its key, both in DER.
pub(super) fn identity(certificate: &X509Certificate<'_>) -> String {
    let hash = Sha256::new().chain_update(certificate.subject().as_raw());
    hex::encode(hash.chain_update(certificate.public_key().raw).finalize())
}

pub(super) fn is_self_issued(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
}

/// Whether the signature is the parent's.
pub(super) fn signature(
    certificate: &X509Certificate<'_>,
    parent: &X509Certificate<'_>,
) -> Result<(), X509Error> {
    // the algorithm is named twice, and once where nothing is signed (RFC 5280 section 4.1.1.2)
    if certificate.signature_algorithm != certificate.signature {
        return Err(X509Error::SignatureVerificationError);
    }
    certificate.verify_signature(Some(parent.public_key()))
}

/// `sha1WithRSAEncryption` (RFC 3279, and its older name), `ecdsa-with-SHA1`, and what MD5 signed.
const SHA1: &[&str] = &["1.2.840.113549.1.1.5", "1.3.14.3.2.29", "1.2.840.10045.4.1", "1.2.840.113549.1.1.4"];

pub(super) fn is_sha1(certificate: &X509Certificate<'_>) -> bool {
    SHA1.contains(&certificate.signature_algorithm.algorithm.to_id_string().as_str())
}

pub(super) fn subject_key_identifier(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    })
}

/// For people.
pub(super) fn algorithm(certificate: &X509Certificate<'_>) -> String {
    let kind = PublicKey::from_spki(certificate.public_key().raw).map(|key| key.kind());
    match kind {
        Ok(public::Kind::EcdsaP256) => "ECDSA P-256".to_owned(),
        Ok(public::Kind::EcdsaP384) => "ECDSA P-384".to_owned(),
        Ok(public::Kind::Ed25519) => "Ed25519".to_owned(),
        Ok(public::Kind::Rsa) => match certificate.public_key().parsed() {
            Ok(ParsedKey::RSA(key)) => format!("RSA {}", key.key_size()),
            _ => "RSA".to_owned(),
        },
        Err(_) => "unknown".to_owned(),
    }
}
