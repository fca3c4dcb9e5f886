//! ECDSA over NIST P-384.

use super::KeyError;
use p384::ecdsa::signature::{Signer, Verifier};
use p384::ecdsa::{DerSignature, SigningKey};
use zeroize::Zeroizing;

/// DER of `ECPrivateKey` (RFC 5915 section 3) up to the scalar: version 1, 48 bytes.
const START: &[u8] = &[0x30, 0x81, 0xa4, 0x02, 0x01, 0x01, 0x04, 0x30];
/// Between the scalar and the point: `[0]` with the OID of P-384, and `[1]`, a bit string of 97 bytes.
const CURVE: &[u8] = &[0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0xa1, 0x64, 0x03, 0x62, 0x00];

/// The private number. It zeroizes itself.
pub(super) struct Secret(SigningKey);

impl Secret {
    pub(super) fn new(scalar: &[u8; 48]) -> Result<Self, KeyError> {
        SigningKey::from_slice(scalar).map(Self).map_err(|_| KeyError::Scalar)
    }

    /// The public point, uncompressed.
    pub(super) fn point(&self) -> Vec<u8> {
        self.0.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

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
