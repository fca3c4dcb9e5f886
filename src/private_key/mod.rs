//! Private keys: read from PEM, written as kubeadm writes them, and signatures without randomness.
//!
//! ECDSA over P-256 and P-384, Ed25519, and RSA, which is only read and never made. Keys that are
//! derived from a seed come from [`mod@crate::derive`].

mod ed25519;
mod error;
mod p256;
mod p384;
mod pem;
pub mod public;
mod read;
mod rsa;

pub use error::KeyError;
pub use public::{Kind, PublicKey};

use zeroize::Zeroizing;

/// A key pair. Prints nothing.
pub struct PrivateKey {
    secret: Secret,
    public: PublicKey,
}

enum Secret {
    P256(p256::Secret),
    P384(p384::Secret),
    Ed25519(ed25519::Secret),
    Rsa(rsa::Secret),
}

impl PrivateKey {
    /// ECDSA over P-256 from its private number, big-endian.
    ///
    /// # Errors
    /// [`KeyError::Scalar`]: zero, or not below the curve's order.
    pub fn p256(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = p256::Secret::new(scalar)?;
        let public = PublicKey::trusted(Kind::EcdsaP256, secret.point());
        Ok(Self { secret: Secret::P256(secret), public })
    }

    /// ECDSA over P-384 from its private number, big-endian.
    ///
    /// # Errors
    /// [`KeyError::Scalar`]: zero, or not below the curve's order.
    pub fn p384(scalar: &[u8; 48]) -> Result<Self, KeyError> {
        let secret = p384::Secret::new(scalar)?;
        let public = PublicKey::trusted(Kind::EcdsaP384, secret.point());
        Ok(Self { secret: Secret::P384(secret), public })
    }

    /// Ed25519 from the private key of RFC 8032 section 5.1.5, which is any 32 bytes.
    pub fn ed25519(bytes: &[u8; 32]) -> Self {
        let secret = ed25519::Secret::new(bytes);
        let public = PublicKey::trusted(Kind::Ed25519, secret.point());
        Self { secret: Secret::Ed25519(secret), public }
    }

    /// RSA from the DER of `RSAPrivateKey` (RFC 8017 appendix A.1.2).
    fn rsa(der: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let secret = rsa::Secret::new(der)?;
        let public = PublicKey::trusted(Kind::Rsa, secret.public());
        Ok(Self { secret: Secret::Rsa(secret), public })
    }

    /// Reads the one key of a PEM text: `EC PRIVATE KEY` (RFC 5915, after `EC PARAMETERS` too, which
    /// openssl writes), `PRIVATE KEY` (PKCS #8, RFC 5958) or `RSA PRIVATE KEY` (PKCS #1, RFC 8017).
    ///
    /// White space may surround the key; nothing else may. A public key inside the file must be the
    /// private key's.
    ///
    /// # Errors
    /// [`KeyError`], which repeats nothing of the key.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        read::from_block(pem::read(text)?)
    }

    /// As kubeadm writes it: `EC PRIVATE KEY` (RFC 5915), `RSA PRIVATE KEY` (PKCS #1), and Ed25519 as
    /// `PRIVATE KEY` in version 1 (RFC 8410 section 7): OpenSSL 3.0 cannot read version 2.
    ///
    /// # Errors
    /// [`KeyError::Encode`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        match &self.secret {
            Secret::P256(secret) => pem::write("EC PRIVATE KEY", &secret.to_der(self.public.bit_string())),
            Secret::P384(secret) => pem::write("EC PRIVATE KEY", &secret.to_der(self.public.bit_string())),
            Secret::Ed25519(secret) => pem::write("PRIVATE KEY", &secret.to_der()),
            Secret::Rsa(secret) => pem::write("RSA PRIVATE KEY", secret.der()),
        }
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs; the same message always gives the same signature, and it is verified before it leaves,
    /// against faults in the machine.
    ///
    /// P-256 with SHA-256 and P-384 with SHA-384 by RFC 6979, in DER; Ed25519 by RFC 8032; RSA by PKCS #1
    /// v1.5 with SHA-256 (RFC 8017 section 8.2).
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.secret {
            Secret::P256(secret) => secret.sign(message),
            Secret::P384(secret) => secret.sign(message),
            Secret::Ed25519(secret) => secret.sign(message),
            Secret::Rsa(secret) => secret.sign(message),
        }
    }

    /// `PUBLIC KEY` (RFC 7468 section 13), as kubeadm's sa.pub.
    ///
    /// # Errors
    /// [`KeyError::Encode`].
    pub fn public_pem(&self) -> Result<String, KeyError> {
        self.public.to_pem()
    }

    /// DER of the public key's `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError::Encode`].
    pub fn spki_der(&self) -> Result<Vec<u8>, KeyError> {
        self.public.to_spki()
    }

    /// See [`PublicKey::key_identifier`].
    pub fn key_identifier(&self) -> Vec<u8> {
        self.public.key_identifier()
    }

    /// Whether a certificate's `SubjectPublicKeyInfo` (DER) holds this key; one that cannot be read
    /// does not.
    pub fn matches_spki(&self, der: &[u8]) -> bool {
        PublicKey::from_spki(der).is_ok_and(|public| public == self.public)
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

#[cfg(test)]
mod tests;
