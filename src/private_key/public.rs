//! Public keys: one form for each key, so that comparing bytes compares keys.

use super::{KeyError, rsa};
use p256::pkcs8::der::asn1::{AnyRef, BitStringRef};
use p256::pkcs8::der::{Decode, Encode, pem};
use p256::pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use p256::pkcs8::{LineEnding, ObjectIdentifier};
use sha2::{Digest, Sha256};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ECDSA over NIST P-256.
    EcdsaP256,
    /// ECDSA over NIST P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA of 2048, 3072 or 4096 bits.
    Rsa,
}

/// A public key of one of the four kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    kind: Kind,
    bits: Vec<u8>,
}

impl PublicKey {
    /// Reads a certificate's `SubjectPublicKeyInfo` (DER, RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError`]: another algorithm, another RSA length, or damaged.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| KeyError::Public)?;
        Self::new(kind(&info.algorithm)?, info.subject_public_key.as_bytes().ok_or(KeyError::Public)?)
    }

    /// From the contents of the bit string, which may hold a compressed point.
    pub(super) fn new(kind: Kind, bits: &[u8]) -> Result<Self, KeyError> {
        let bits = match kind {
            Kind::EcdsaP256 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bits).map_err(|_| KeyError::Public)?;
                key.to_sec1_point(false).as_bytes().to_vec()
            }
            Kind::EcdsaP384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(bits).map_err(|_| KeyError::Public)?;
                key.to_sec1_point(false).as_bytes().to_vec()
            }
            Kind::Ed25519 => {
                let bytes = bits.try_into().map_err(|_| KeyError::Public)?;
                ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Public)?;
                bits.to_vec()
            }
            Kind::Rsa => {
                rsa::check_public(bits)?;
                bits.to_vec()
            }
        };
        Ok(Self { kind, bits })
    }

    /// From a private key of this program.
    pub(super) const fn trusted(kind: Kind, bits: Vec<u8>) -> Self {
        Self { kind, bits }
    }

    /// What the key is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The contents of the bit string in `SubjectPublicKeyInfo`: the uncompressed point (RFC 5480
    /// section 2.2), the 32 bytes of Ed25519 (RFC 8410 section 4), or `RSAPublicKey` (RFC 8017).
    pub fn bit_string(&self) -> &[u8] {
        &self.bits
    }

    /// RFC 7093 method 1: the first 20 bytes of SHA-256 over the bit string's contents.
    pub fn key_identifier(&self) -> Vec<u8> {
        Sha256::digest(&self.bits).iter().take(20).copied().collect()
    }

    /// DER of `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`KeyError::Encode`].
    pub fn to_spki(&self) -> Result<Vec<u8>, KeyError> {
        let (oid, parameters) = match &self.kind {
            Kind::EcdsaP256 => (EC, Some(AnyRef::from(&P256))),
            Kind::EcdsaP384 => (EC, Some(AnyRef::from(&P384))),
            Kind::Ed25519 => (ED25519, None),
            Kind::Rsa => (RSA, Some(AnyRef::NULL)),
        };
        let subject_public_key = BitStringRef::from_bytes(&self.bits).map_err(|_| KeyError::Encode)?;
        let algorithm = AlgorithmIdentifierRef { oid, parameters };
        SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().map_err(|_| KeyError::Encode)
    }

    /// `PUBLIC KEY` (RFC 7468 section 13).
    ///
    /// # Errors
    /// [`KeyError::Encode`].
    pub fn to_pem(&self) -> Result<String, KeyError> {
        pem::encode_string("PUBLIC KEY", LineEnding::LF, &self.to_spki()?).map_err(|_| KeyError::Encode)
    }
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Names for people, of what is met in files and is not supported.
const NAMES: &[(&str, &str)] = &[
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.113", "Ed448"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
];

fn name(oid: ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    let known = NAMES.iter().find(|(oid, _)| *oid == dotted);
    known.map_or(format!("OID {dotted}"), |(_, name)| (*name).to_owned())
}

/// What an algorithm identifier means (RFC 5480, RFC 8410, RFC 3279 section 2.3.1).
pub(super) fn kind(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Kind, KeyError> {
    match (algorithm.oid, algorithm.parameters) {
        (EC, Some(parameters)) => curve(parameters),
        (EC, None) => Err(KeyError::NoCurve),
        (ED25519, None) => Ok(Kind::Ed25519),
        (RSA, None) => Ok(Kind::Rsa),
        (RSA, Some(parameters)) if parameters.is_null() => Ok(Kind::Rsa),
        (ED25519 | RSA, Some(_)) => Err(KeyError::Damaged),
        (other, _) => Err(KeyError::Algorithm(name(other))),
    }
}

/// What `ECParameters` mean (RFC 5480 section 2.1.1).
pub(super) fn curve(parameters: AnyRef<'_>) -> Result<Kind, KeyError> {
    match ObjectIdentifier::try_from(parameters) {
        Ok(P256) => Ok(Kind::EcdsaP256),
        Ok(P384) => Ok(Kind::EcdsaP384),
        Ok(other) => Err(KeyError::Curve(name(other))),
        Err(_) => Err(KeyError::Curve("parameters of its own".to_owned())),
    }
}
