//! From the DER of a private key to the key.

use super::pem::{Block, Form};
use super::public::{self, Kind, PublicKey};
use super::{KeyError, PrivateKey};
use p256::pkcs8::PrivateKeyInfoRef;
use p256::pkcs8::der::asn1::{AnyRef, BitStringRef, ContextSpecific, OctetStringRef};
use p256::pkcs8::der::{self, Decode, Reader, SliceReader, TagNumber};
use zeroize::Zeroizing;

/// The key of a PEM block.
pub(super) fn from_block(block: Block) -> Result<PrivateKey, KeyError> {
    match block.form {
        Form::Sec1 => {
            let parts = Sec1::read(&block.der)?;
            let kind = public::curve(parts.curve.ok_or(KeyError::NoCurve)?)?;
            parts.key(kind)
        }
        Form::Pkcs1 => PrivateKey::rsa(block.der),
        Form::Pkcs8 => pkcs8(&block.der),
    }
}

fn pkcs8(der: &[u8]) -> Result<PrivateKey, KeyError> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyError::Damaged)?;
    let kind = public::kind(&info.algorithm)?;
    let inner = info.private_key.as_bytes();
    let key = match kind {
        Kind::EcdsaP256 | Kind::EcdsaP384 => {
            let parts = Sec1::read(inner)?;
            if parts.curve.map(public::curve).transpose()?.is_some_and(|inside| inside != kind) {
                return Err(KeyError::Damaged);
            }
            parts.key(kind)?
        }
        Kind::Ed25519 => {
            // CurvePrivateKey, RFC 8410 section 7
            let bytes = <&OctetStringRef>::from_der(inner).map_err(|_| KeyError::Damaged)?;
            PrivateKey::ed25519(bytes.as_bytes().try_into().map_err(|_| KeyError::Damaged)?)
        }
        Kind::Rsa => PrivateKey::rsa(Zeroizing::new(inner.to_vec()))?,
    };
    match info.public_key {
        Some(bits) => belongs(key, bits.as_bytes().ok_or(KeyError::Damaged)?),
        None => Ok(key),
    }
}

/// `ECPrivateKey`, RFC 5915 section 3.
struct Sec1<'a> {
    scalar: &'a [u8],
    curve: Option<AnyRef<'a>>,
    point: Option<&'a [u8]>,
}

impl<'a> Sec1<'a> {
    fn read(der: &'a [u8]) -> Result<Self, KeyError> {
        let read = || -> der::Result<Self> {
            let mut reader = SliceReader::new(der)?;
            let parts = reader.sequence(Self::parts)?;
            reader.finish()?;
            Ok(parts)
        };
        read().map_err(|_| KeyError::Damaged)
    }

    fn parts(reader: &mut SliceReader<'a>) -> der::Result<Self> {
        if u8::decode(reader)? != 1 {
            return Err(der::Tag::Integer.value_error().into());
        }
        let scalar = <&OctetStringRef>::decode(reader)?.as_bytes();
        let curve = ContextSpecific::<AnyRef<'a>>::decode_explicit(reader, TagNumber(0))?;
        let point = ContextSpecific::<BitStringRef<'a>>::decode_explicit(reader, TagNumber(1))?;
        let point = point.map(|bits| bits.value.as_bytes().ok_or_else(|| der::Tag::BitString.value_error()));
        Ok(Self { scalar, curve: curve.map(|curve| curve.value), point: point.transpose()? })
    }

    fn key(&self, kind: Kind) -> Result<PrivateKey, KeyError> {
        let key = match kind {
            Kind::EcdsaP256 => PrivateKey::p256(self.scalar.try_into().map_err(|_| KeyError::Damaged)?)?,
            _ => PrivateKey::p384(self.scalar.try_into().map_err(|_| KeyError::Damaged)?)?,
        };
        match self.point {
            Some(point) => belongs(key, point),
            None => Ok(key),
        }
    }
}

/// The key, if a public key from the same file is its own. Who else reads the file may take that one.
fn belongs(key: PrivateKey, bits: &[u8]) -> Result<PrivateKey, KeyError> {
    let embedded = PublicKey::new(key.public.kind(), bits);
    if embedded.is_ok_and(|embedded| embedded == key.public) { Ok(key) } else { Err(KeyError::Mismatch) }
}
