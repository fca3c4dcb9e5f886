//! The keyed digest of a sealed file's plaintext, which tells a host that it holds the right secret
//! and tells nobody else anything.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// Where a host's verify key lies: 64 lower-case hex digits and a newline, itself sealed.
pub const VERIFY_KEY_PATH: &str = "/etc/sealift/verify.key";

/// A host's 32-byte key for digests of secrets.
pub struct VerifyKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyKey(..)")
    }
}

impl VerifyKey {
    /// The key of these bytes.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// Reads the file's form: 64 lower-case hex digits and one newline; `None` for anything else.
    pub fn parse(file: &[u8]) -> Option<Self> {
        let digits = file.strip_suffix(b"\n")?;
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(digits, key.as_mut_slice()).ok()?;
        let key = Self(key);
        // upper-case digits decode too, but are not the one form
        (key.to_file().as_bytes() == file).then_some(key)
    }

    /// The file's form, as [`VerifyKey::parse`] reads it.
    pub fn to_file(&self) -> Zeroizing<String> {
        let mut file = Zeroizing::new(String::with_capacity(65));
        for byte in self.0.iter() {
            for nibble in [byte >> 4, byte & 15] {
                file.extend(char::from_digit(nibble.into(), 16));
            }
        }
        file.push('\n');
        file
    }

    /// HMAC-SHA-256 over u64be(path length), path, u64be(plaintext length), plaintext; in
    /// lower-case hex, as `hmac` of the manifest holds it.
    pub fn digest(&self, path: &str, plaintext: &[u8]) -> String {
        hex::encode(self.mac(path, plaintext).finalize().into_bytes())
    }

    /// Whether a manifest's `hmac` is the digest of this plaintext at this path, in constant time.
    pub fn matches(&self, path: &str, plaintext: &[u8], hmac: &str) -> bool {
        let mut expected = [0; 32];
        hex::decode_to_slice(hmac, &mut expected).is_ok()
            && hex::encode(expected) == hmac
            && self.mac(path, plaintext).verify_slice(&expected).is_ok()
    }

    fn mac(&self, path: &str, plaintext: &[u8]) -> Hmac<Sha256> {
        // RFC 2104 pads a short key with zeros to the hash's block.
        let mut block = Zeroizing::new([0; 64]);
        block.iter_mut().zip(self.0.iter()).for_each(|(to, from)| *to = *from);
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
        for part in [path.as_bytes(), plaintext] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::VerifyKey;
    use zeroize::Zeroizing;

    fn key() -> VerifyKey {
        VerifyKey::new(Zeroizing::new(std::array::from_fn(|index| u8::try_from(index * 8).unwrap())))
    }

    /// Computed with Python's hmac module.
    #[test]
    fn known_answer() {
        let digest = key().digest("/a", b"secret");
        assert_eq!(digest, "8db5685f315898384ba758e21b39c5d4d7a64996bdd80be9a00d66a72939ac88");
        assert!(key().matches("/a", b"secret", &digest));
        assert!(!key().matches("/b", b"secret", &digest));
        assert!(!key().matches("/as", b"ecret", &digest));
        assert!(!key().matches("/a", b"secret", &digest.to_uppercase()));
        assert!(!key().matches("/a", b"secret", &digest[2..]));
    }

    #[test]
    fn file_form() {
        let file = key().to_file();
        assert_eq!(file.as_str(), "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8\n");
        assert_eq!(VerifyKey::parse(file.as_bytes()).unwrap().digest("/a", b""), key().digest("/a", b""));
        for bad in ["", "00\n", file.trim_end(), &file.to_uppercase(), &format!("{}\n", file.as_str())] {
            assert!(VerifyKey::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", key()), "VerifyKey(..)");
    }
}
