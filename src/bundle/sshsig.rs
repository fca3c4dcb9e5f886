//! Stub, replaced by the bundle reader.
#![allow(missing_docs)]
use crate::finding::{Finding, Id};

pub fn verify(armored: &[u8], namespace: &str, message: &[u8]) -> Result<[u8; 32], Finding> {
    let malformed = || Finding::new(Id::SignatureMalformed, "SHA256SUMS.sig", "");
    let sig = ssh_key::SshSig::from_pem(armored).map_err(|_| malformed())?;
    let key = sig.public_key().ed25519().ok_or_else(malformed)?.0;
    let public = ssh_key::PublicKey::from(*sig.public_key().ed25519().ok_or_else(malformed)?);
    public
        .verify(namespace, message, &sig)
        .map_err(|_| Finding::new(Id::SignatureWrong, "SHA256SUMS.sig", ""))?;
    Ok(key)
}
