//! RSA through ring, for keys that come from elsewhere. The `rsa` crate leaks through timing
//! (RUSTSEC-2023-0071).

use super::KeyError;
use p256::pkcs8::der::asn1::UintRef;
use p256::pkcs8::der::{self, Decode, Reader, SliceReader};
use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use zeroize::Zeroizing;

/// The lengths in bits that ring signs with: primes of whole 512 bits.
const BITS: [usize; 3] = [2048, 3072, 4096];

const INCONSISTENT: &str = "its parts do not belong together";

/// A key pair, and the DER that it came as. What ring holds of it is not zeroized.
pub(super) struct Secret {
    pair: KeyPair,
    der: Zeroizing<Vec<u8>>,
}

impl Secret {
    pub(super) fn new(der: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        check_bits(private_modulus(&der).map_err(|_| KeyError::Damaged)?)?;
        let pair = KeyPair::from_der(&der).map_err(|error| rejected(&error))?;
        let key = Self { pair, der };
        // ring looks at two of the parts when it signs, and never before
        key.sign(b"").map_err(|_| KeyError::RsaParts(INCONSISTENT.to_owned()))?;
        Ok(key)
    }

    /// DER of `RSAPublicKey` (RFC 8017 appendix A.1.1).
    pub(super) fn public(&self) -> Vec<u8> {
        self.pair.public().as_ref().to_vec()
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// ring verifies what it signed. PKCS #1 v1.5 asks no random source for anything.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).map_err(|_| KeyError::Sign)
    }
}

/// ring's words, which are the names of its checks, in ours.
fn rejected(error: &KeyRejected) -> KeyError {
    let word = error.to_string();
    KeyError::RsaParts(match word.as_str() {
        "InvalidEncoding" => return KeyError::Damaged,
        "InconsistentComponents" => INCONSISTENT.to_owned(),
        "VersionNotSupported" => "more than two primes".to_owned(),
        // the modulus has the right length by now
        "TooSmall" => "a public exponent below 65537".to_owned(),
        "TooLarge" => "a public exponent beyond 33 bits".to_owned(),
        _ => word,
    })
}

/// Whether bytes are DER of an `RSAPublicKey` of one of the lengths.
pub(super) fn check_public(der: &[u8]) -> Result<(), KeyError> {
    let read = || -> der::Result<usize> {
        let mut reader = SliceReader::new(der)?;
        let bits = reader.sequence(|reader| {
            let bits = bits(UintRef::decode(reader)?);
            UintRef::decode(reader)?;
            der::Result::Ok(bits)
        })?;
        reader.finish()?;
        Ok(bits)
    };
    check_bits(read().map_err(|_| KeyError::Public)?)
}

fn check_bits(bits: usize) -> Result<(), KeyError> {
    if BITS.contains(&bits) { Ok(()) } else { Err(KeyError::RsaBits(bits)) }
}

/// The length of the modulus, the second part of `RSAPrivateKey`.
fn private_modulus(der: &[u8]) -> der::Result<usize> {
    let mut reader = SliceReader::new(der)?;
    reader.sequence(|reader| {
        u8::decode(reader)?;
        let bits = bits(UintRef::decode(reader)?);
        // ring reads the others
        reader.read_slice(reader.remaining_len())?;
        Ok(bits)
    })
}

fn bits(number: UintRef<'_>) -> usize {
    let bytes = number.as_bytes();
    let zeros = bytes.first().map_or(0, |first| first.leading_zeros());
    (bytes.len() * 8).saturating_sub(zeros as usize)
}
