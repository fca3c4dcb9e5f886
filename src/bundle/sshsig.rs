//! Detached signatures as `ssh-keygen -Y sign` makes them (OpenSSH's PROTOCOL.sshsig): Ed25519 over
//! SHA-512 of the message, bound to a namespace, armored.

use crate::finding::{Finding, Id};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ssh_key::{
    Algorithm, HashAlg, LineEnding, Signature, SshSig,
    public::{Ed25519PublicKey, KeyData},
};
use thiserror::Error;

/// Why a signature does not hold.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// Not SSHSIG, or not in the one form that `ssh-keygen` writes.
    #[error("not an armored ssh signature as ssh-keygen writes it")]
    Malformed,
    /// Made for another purpose.
    #[error("namespace {found:?} where {expected:?} belongs")]
    Namespace {
        /// The namespace asked for.
        expected: String,
        /// The signature's.
        found: String,
    },
    /// Another kind of key or hash than Ed25519 with SHA-512.
    #[error("{0}, where only ssh-ed25519 with sha512 is read")]
    Algorithm(String),
    /// The signature does not fit these bytes.
    #[error("signature does not fit the signed bytes")]
    Wrong,
}

impl SignatureError {
    /// The finding that says so of a signature file.
    pub fn finding(&self, path: &str) -> Finding {
        let id = if *self == Self::Wrong { Id::SignatureWrong } else { Id::SignatureMalformed };
        Finding::new(id, path, "do not use it: get the files again from where they were built")
            .found(self.to_string())
    }
}

/// Signs a message; the armored text that `ssh-keygen -Y sign -n NAMESPACE` writes.
/// Fails only for an empty namespace.
pub fn sign(key: &SigningKey, namespace: &str, message: &[u8]) -> Result<String, ssh_key::Error> {
    let data = SshSig::signed_data(namespace, HashAlg::Sha512, message)?;
    let signature = Signature::new(Algorithm::Ed25519, key.sign(&data).to_bytes())?;
    let public = KeyData::Ed25519(Ed25519PublicKey(key.verifying_key().to_bytes()));
    SshSig::new(public, namespace, HashAlg::Sha512, signature)?.to_pem(LineEnding::LF)
}

/// Verifies a signature and gives the Ed25519 public key that made it. Whether that key is trusted
/// is another question: [`crate::bundle::trust::Trust`].
pub fn verify(armored: &[u8], namespace: &str, message: &[u8]) -> Result<[u8; 32], SignatureError> {
    let signature = SshSig::from_pem(armored).map_err(|_| SignatureError::Malformed)?;
    let KeyData::Ed25519(Ed25519PublicKey(public)) = signature.public_key() else {
        return Err(SignatureError::Algorithm(signature.public_key().algorithm().to_string()));
    };
    if signature.hash_alg() != HashAlg::Sha512 {
        return Err(SignatureError::Algorithm(signature.hash_alg().to_string()));
    }
    if signature.namespace() != namespace {
        let found = signature.namespace().into();
        return Err(SignatureError::Namespace { expected: namespace.into(), found });
    }
    // One signature has one text: nothing may hide in line breaks, padding or reserved fields.
    let text = signature.to_pem(LineEnding::LF).map_err(|_| SignatureError::Malformed)?;
    let bytes = <[u8; 64]>::try_from(signature.signature_bytes()).map_err(|_| SignatureError::Malformed)?;
    if text.as_bytes() != armored || !signature.reserved().is_empty() {
        return Err(SignatureError::Malformed);
    }
    let data =
        SshSig::signed_data(namespace, HashAlg::Sha512, message).map_err(|_| SignatureError::Malformed)?;
    VerifyingKey::from_bytes(public)
        .and_then(|key| key.verify_strict(&data, &ed25519_dalek::Signature::from_bytes(&bytes)))
        .map_err(|_| SignatureError::Wrong)?;
    Ok(*public)
}
