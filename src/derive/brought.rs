//! Certificates of an authority that was made elsewhere.
//!
//! rcgen writes names in its own way, and an issuer's name must be the authority's subject byte by
//! byte (RFC 5280 section 4.1.2.4): so the certificate is put together here from rcgen's parts.

use super::certificate::{CertificateError, params, serial, to_be_signed};
use super::key::PrivateKey;
use crate::imports::Issuer;
use crate::plan::CertPlan;
use p256::pkcs8::LineEnding;
use p256::pkcs8::der::asn1::{AnyRef, BitStringRef};
use p256::pkcs8::der::{self, Decode, Encode, Reader, SliceReader, Tag, pem};
use rcgen::{CertificateParams, KeyIdMethod};

/// Issues a leaf certificate, in PEM, without its chain.
pub(super) fn issue(
    issuer: &Issuer,
    signer: &PrivateKey,
    serial_key: &[u8; 32],
    plan: &CertPlan,
    key: &PrivateKey,
) -> Result<String, CertificateError> {
    let mut params = params(plan, key)?;
    let draft = unsigned(issuer, signer, &params, plan, key)?;
    params.serial_number = Some(serial(serial_key, &draft)?);
    let tbs = unsigned(issuer, signer, &params, plan, key)?;
    let signature = signer.sign(&tbs).map_err(CertificateError::Sign)?;
    assemble(&tbs, &signature).map_err(|_| CertificateError::Encode { row: plan.row.id })
}

/// The certificate to be signed.
fn unsigned(
    issuer: &Issuer,
    signer: &PrivateKey,
    params: &CertificateParams,
    plan: &CertPlan,
    key: &PrivateKey,
) -> Result<Vec<u8>, CertificateError> {
    let mut above = CertificateParams::default();
    let identifier = issuer.key_identifier.clone().unwrap_or_else(|| signer.key_identifier());
    above.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    let tbs = to_be_signed(
        signer,
        |recorder| params.signed_by(key, &rcgen::Issuer::from_params(&above, recorder)).map(drop),
        plan,
    )?;
    with_issuer(&tbs, &issuer.subject).map_err(|_| CertificateError::Encode { row: plan.row.id })
}

/// The parts of a `TBSCertificate` (RFC 5280 section 4.1), each whole: version, serial number,
/// signature, issuer, validity, subject and more.
fn parts(tbs: &[u8]) -> der::Result<Vec<&[u8]>> {
    let mut reader = SliceReader::new(AnyRef::from_der(tbs)?.value())?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        parts.push(reader.tlv_bytes()?);
    }
    Ok(parts)
}

const SIGNATURE: usize = 2;
const ISSUER: usize = 3;

fn with_issuer(tbs: &[u8], name: &[u8]) -> der::Result<Vec<u8>> {
    let mut parts = parts(tbs)?;
    let place = parts.get_mut(ISSUER).ok_or_else(|| Tag::Sequence.value_error())?;
    *place = name;
    AnyRef::new(Tag::Sequence, &parts.concat())?.to_der()
}

fn assemble(tbs: &[u8], signature: &[u8]) -> der::Result<String> {
    let parts = parts(tbs)?;
    let algorithm = parts.get(SIGNATURE).ok_or_else(|| Tag::Sequence.value_error())?;
    let signature = BitStringRef::from_bytes(signature)?.to_der()?;
    let whole = [tbs, algorithm, signature.as_slice()].concat();
    let der = AnyRef::new(Tag::Sequence, &whole)?.to_der()?;
    Ok(pem::encode_string("CERTIFICATE", LineEnding::LF, &der)?)
}
