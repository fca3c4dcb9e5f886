//! ECDSA over NIST P-256.

use super::KeyError;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{DerSignature, SigningKey};
use zeroize::Zeroizing;

/// DER of `ECPrivateKey` (RFC 5915 section 3) up to the scalar: version 1, 32 bytes.
const START: &[u8] = &[0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
/// Between the scalar and the point: `[0]` with the OID of P-256, and `[1]`, a bit string of 65 bytes.
const CURVE: &[u8] =
    &[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00];

/// The private number. It zeroizes itself.
pub(super) struct Secret(SigningKey);

impl Secret {
    pub(super) fn new(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        SigningKey::from_slice(scalar).map(Self).map_err(|_| KeyError::Scalar)
    }

    /// The public point, uncompressed.
    pub(super) fn point(&self) -> Vec<u8> {
        self.0.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// p256's own encoder computes the point again, which takes longer than all the rest.
    pub(super) fn to_der(&self, point: &[u8]) -> Zeroizing<Vec<u8>> {
        let scalar = Zeroizing::new(self.0.to_bytes());
        Zeroizing::new([START, scalar.as_slice(), CURVE, point].concat())
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature: DerSignature = self.0.try_sign(message).map_err(|_| KeyError::Sign)?;
        self.0.verifying_key().verify(message, &signature).map_err(|_| KeyError::Sign)?;
        Ok(signature.as_bytes().to_vec())
    }
}
