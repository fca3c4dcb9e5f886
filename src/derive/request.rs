//! Requests to an authority whose key stays elsewhere (PKCS #10, RFC 2986).

use super::certificate::{CertificateError, library, params};
use super::key::PrivateKey;
use crate::plan::CertPlan;

/// The request for a leaf certificate in PEM: its subject, its key, and as requested extensions
/// (RFC 2985 section 5.4.2) its names and usages. Signed with the leaf's key, so always the same.
pub(super) fn request(plan: &CertPlan, key: &PrivateKey) -> Result<String, CertificateError> {
    let mut params = params(plan, key)?;
    // what the authority decides
    params.serial_number = None;
    params.use_authority_key_identifier_extension = false;
    let request = params.serialize_request(key).and_then(|request| request.pem());
    request.map_err(|source| library(plan, source))
}
