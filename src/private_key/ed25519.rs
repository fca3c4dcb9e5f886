//! Ed25519.

use super::KeyError;
use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

/// DER of `OneAsymmetricKey` version 1 up to the 32 bytes (RFC 8410 section 7).
const START: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The private key of RFC 8032. It zeroizes itself.
pub(super) struct Secret(SigningKey);

impl Secret {
    pub(super) fn new(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    /// The public point, compressed.
    pub(super) fn point(&self) -> Vec<u8> {
        self.0.verifying_key().to_bytes().to_vec()
    }

    pub(super) fn to_der(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([START, self.0.as_bytes()].concat())
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.0.try_sign(message).map_err(|_| KeyError::Sign)?;
        self.0.verifying_key().verify_strict(message, &signature).map_err(|_| KeyError::Sign)?;
        Ok(signature.to_vec())
    }
}
