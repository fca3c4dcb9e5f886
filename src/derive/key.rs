//! Private keys from derived bytes, and signatures without randomness.

use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::elliptic_curve::bigint::{NonZero, U384};
use p256::pkcs8::LineEnding;
use p256::pkcs8::der::pem;
use rcgen::{PublicKeyData, SignatureAlgorithm};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// How many derived bytes a P-256 key takes.
pub(super) const P256_BYTES: usize = 48;

/// Why a key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The scalar is out of range: impossible for reduced input.
    #[error("a derived scalar is out of range")]
    Scalar,
    /// The key cannot be written as PEM.
    #[error("a private key cannot be encoded")]
    Encode,
}

/// DER of `ECPrivateKey` (RFC 5915 section 3) up to the scalar: version 1, 32 bytes.
const RFC_5915_START: &[u8] = &[0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
/// Between the scalar and the point: `[0]` with the OID of P-256, and `[1]`, a bit string of 65 bytes.
const RFC_5915_CURVE: &[u8] =
    &[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00];

/// An ECDSA P-256 key pair. Prints nothing.
pub struct P256Key {
    signing: SigningKey,
    verifying: VerifyingKey,
    point: [u8; 65],
}

impl P256Key {
    /// FIPS 186-5 A.2.1 (extra random bits): 48 bytes modulo n − 1, plus 1.
    ///
    /// # Errors
    /// [`KeyError::Scalar`], which reduced input cannot cause.
    pub fn from_bytes(bytes: &[u8; P256_BYTES]) -> Result<Self, KeyError> {
        let scalar = reduce(bytes);
        let signing = SigningKey::from_slice(scalar.as_slice()).map_err(|_| KeyError::Scalar)?;
        let verifying = *signing.verifying_key();
        let encoded = verifying.to_sec1_point(false);
        let point = encoded.as_bytes().try_into().map_err(|_| KeyError::Scalar)?;
        Ok(Self { signing, verifying, point })
    }

    /// `EC PRIVATE KEY` (RFC 5915), as kubeadm, Go and openssl write it.
    ///
    /// # Errors
    /// [`KeyError::Encode`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let scalar = Zeroizing::new(self.signing.to_bytes());
        // p256's own encoder computes the point again, which takes longer than all the rest
        let der = Zeroizing::new([RFC_5915_START, scalar.as_slice(), RFC_5915_CURVE, &self.point].concat());
        let text = pem::encode_string("EC PRIVATE KEY", LineEnding::LF, &der);
        text.map(Zeroizing::new).map_err(|_| KeyError::Encode)
    }

    /// RFC 7093 method 1: the first 20 bytes of SHA-256 over the public key's bit string.
    pub fn key_identifier(&self) -> Vec<u8> {
        Sha256::digest(self.point).iter().take(20).copied().collect()
    }
}

/// n − 1, where n is the order of P-256's group (SP 800-186 section 3.2.1.3).
const ORDER_MINUS_ONE: NonZero<U384> = NonZero::<U384>::new_unwrap(U384::from_be_hex(
    "00000000000000000000000000000000ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
));

/// 384 bits modulo n − 1, plus 1, as 32 big-endian bytes.
fn reduce(bytes: &[u8; P256_BYTES]) -> Zeroizing<[u8; 32]> {
    let wide = Zeroizing::new(U384::from_be_slice(bytes));
    let scalar = Zeroizing::new(wide.rem(&ORDER_MINUS_ONE).wrapping_add(&U384::ONE));
    let mut output = Zeroizing::new([0; 32]);
    let encoded = Zeroizing::new(scalar.to_be_bytes());
    // the value is below 2^256: the first 16 of 48 bytes are zero
    output.iter_mut().zip(encoded.iter().skip(16)).for_each(|(out, byte)| *out = *byte);
    output
}

impl PublicKeyData for P256Key {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for P256Key {
    /// RFC 6979, SHA-256; checked before it leaves, against faults in the machine.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: DerSignature =
            self.signing.try_sign(message).map_err(|_| rcgen::Error::RemoteKeyError)?;
        self.verifying.verify(message, &signature).map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature.as_bytes().to_vec())
    }
}

impl std::fmt::Debug for P256Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("P256Key(..)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{P256Key, reduce};

    #[test]
    fn reduction_covers_one_to_n_minus_one() {
        let n_minus_1 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
        let mut bytes = [0_u8; 48];
        assert_eq!(hex::encode(*reduce(&bytes)), format!("{:064x}", 1));
        hex::decode_to_slice(n_minus_1, &mut bytes[16..]).unwrap();
        assert_eq!(hex::encode(*reduce(&bytes)), format!("{:064x}", 1), "n-1 wraps to 0, plus 1");
        bytes[47] -= 1;
        assert_eq!(hex::encode(*reduce(&bytes)), n_minus_1);
        // 2^384 - 1 mod (n - 1) + 1, computed with Python's integers
        assert_eq!(
            hex::encode(*reduce(&[0xff; 48])),
            "431905529c0166ce652e96b7ccca0a9a679b73e29ad16947f01cf012fc632550"
        );
    }

    /// RFC 6979 appendix A.2.5: P-256, SHA-256, message "sample".
    #[test]
    fn signs_as_rfc_6979() {
        let mut bytes = [0_u8; 48];
        hex::decode_to_slice(
            "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6720",
            &mut bytes[16..],
        )
        .unwrap();
        let key = P256Key::from_bytes(&bytes).unwrap();
        let signature = rcgen::SigningKey::sign(&key, b"sample").unwrap();
        let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
        let s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
        assert_eq!(hex::encode(signature), format!("3046022100{r}022100{s}"));
    }

    #[test]
    fn writes_the_pem_that_p256_writes() {
        for byte in 0..=255 {
            let key = P256Key::from_bytes(&[byte; 48]).unwrap();
            let expected = p256::SecretKey::from(&key.signing).to_sec1_pem(super::LineEnding::LF).unwrap();
            assert_eq!(*key.to_pem().unwrap(), *expected);
        }
    }

    #[test]
    fn debug_says_nothing() {
        let key = P256Key::from_bytes(&[7; 48]).unwrap();
        assert_eq!(format!("{key:?}"), "P256Key(..)");
    }
}
