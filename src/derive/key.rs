//! Private keys from a seed, and as rcgen wants them.

use super::label::{Deriver, Label, Purpose};
use crate::private_key::Kind;
pub use crate::private_key::{KeyError, PrivateKey};
use crate::spec::types::Algorithm;
use p256::elliptic_curve::bigint::{NonZero, U384, U576};
use rcgen::{PublicKeyData, SignatureAlgorithm};
use zeroize::Zeroizing;

impl PrivateKey {
    /// The key of a label, by scheme sealift/v1 (docs/formats.md).
    ///
    /// ECDSA: 48 bytes for P-256 and 72 for P-384, modulo n − 1, plus 1 (FIPS 186-5 A.2.1, extra random
    /// bits). Ed25519: 32 bytes, as they are.
    ///
    /// # Errors
    /// [`KeyError::Scalar`], which reduced input cannot cause.
    pub fn derived(algorithm: Algorithm, deriver: &Deriver, label: &Label<'_>) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::EcdsaP256 => Self::p256(&p256_scalar(&deriver.secret(Purpose::Key, label))),
            Algorithm::EcdsaP384 => Self::p384(&p384_scalar(&deriver.secret(Purpose::Key, label))),
            Algorithm::Ed25519 => Ok(Self::ed25519(&deriver.secret(Purpose::Key, label))),
        }
    }
}

/// n − 1, where n is the order of P-256's group (SP 800-186 section 3.2.1.3).
const P256_ORDER_MINUS_ONE: NonZero<U384> = NonZero::<U384>::new_unwrap(U384::from_be_hex(
    "00000000000000000000000000000000ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
));

/// n − 1, where n is the order of P-384's group (SP 800-186 section 3.2.1.4).
const P384_ORDER_MINUS_ONE: NonZero<U576> = NonZero::<U576>::new_unwrap(U576::from_be_hex(
    "000000000000000000000000000000000000000000000000\
     ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52972",
));

/// 384 bits modulo n − 1, plus 1, as 32 big-endian bytes.
fn p256_scalar(bytes: &[u8; 48]) -> Zeroizing<[u8; 32]> {
    let wide = Zeroizing::new(U384::from_be_slice(bytes));
    let scalar = Zeroizing::new(wide.rem(&P256_ORDER_MINUS_ONE).wrapping_add(&U384::ONE));
    let encoded = Zeroizing::new(scalar.to_be_bytes());
    let mut output = Zeroizing::new([0; 32]);
    // the value is below 2^256: the first 16 of 48 bytes are zero
    output.iter_mut().zip(encoded.iter().skip(16)).for_each(|(out, byte)| *out = *byte);
    output
}

/// 576 bits modulo n − 1, plus 1, as 48 big-endian bytes.
fn p384_scalar(bytes: &[u8; 72]) -> Zeroizing<[u8; 48]> {
    let wide = Zeroizing::new(U576::from_be_slice(bytes));
    let scalar = Zeroizing::new(wide.rem(&P384_ORDER_MINUS_ONE).wrapping_add(&U576::ONE));
    let encoded = Zeroizing::new(scalar.to_be_bytes());
    let mut output = Zeroizing::new([0; 48]);
    // the value is below 2^384: the first 24 of 72 bytes are zero
    output.iter_mut().zip(encoded.iter().skip(24)).for_each(|(out, byte)| *out = *byte);
    output
}

impl PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.public().bit_string()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.public().kind() {
            Kind::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Kind::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Kind::Ed25519 => &rcgen::PKCS_ED25519,
            Kind::Rsa => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

impl rcgen::SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{p256_scalar, p384_scalar};

    #[test]
    fn p256_covers_one_to_n_minus_one() {
        let n_minus_1 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
        let mut bytes = [0_u8; 48];
        assert_eq!(hex::encode(*p256_scalar(&bytes)), format!("{:064x}", 1));
        hex::decode_to_slice(n_minus_1, &mut bytes[16..]).unwrap();
        assert_eq!(hex::encode(*p256_scalar(&bytes)), format!("{:064x}", 1), "n-1 wraps to 0, plus 1");
        bytes[47] -= 1;
        assert_eq!(hex::encode(*p256_scalar(&bytes)), n_minus_1);
        // 2^384 - 1 mod (n - 1) + 1, computed with Python's integers
        assert_eq!(
            hex::encode(*p256_scalar(&[0xff; 48])),
            "431905529c0166ce652e96b7ccca0a9a679b73e29ad16947f01cf012fc632550"
        );
    }

    #[test]
    fn p384_covers_one_to_n_minus_one() {
        let n_minus_1 = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52972";
        let mut bytes = [0_u8; 72];
        assert_eq!(hex::encode(*p384_scalar(&bytes)), format!("{:096x}", 1));
        hex::decode_to_slice(n_minus_1, &mut bytes[24..]).unwrap();
        assert_eq!(hex::encode(*p384_scalar(&bytes)), format!("{:096x}", 1), "n-1 wraps to 0, plus 1");
        bytes[71] -= 1;
        assert_eq!(hex::encode(*p384_scalar(&bytes)), n_minus_1);
        // 2^576 - 1 mod (n - 1) + 1, computed with Python's integers
        assert_eq!(
            hex::encode(*p384_scalar(&[0xff; 72])),
            "389cb27e0bc8d220a7e5f24db74f58851313e695333ad68e000000000000000000000000000000000000000000000000"
        );
    }
}
