//! Labels: what a derived secret is for, encoded so that no two of them meet.
//!
//! Scheme `sealift/v1`: HKDF-SHA-256 (RFC 5869). `prk = Extract("sealift/v1", seed)`,
//! `K_purpose = Expand(prk, purpose, 32)`, `secret = Expand(K_purpose, info, n)`.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The scheme's name: HKDF's salt, and the start of every `info`.
pub const SCHEME: &str = "sealift/v1";

/// What a secret is for. Purposes have keys of their own, so none can stand in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Private keys of certificates.
    Key,
    /// Serial numbers of certificates.
    Serial,
    /// File keys, nonces and ephemeral keys of sealed files.
    Seal,
    /// The key that signs bundles.
    Sign,
    /// The key of the keyed digests of a host's secrets.
    Hmac,
    /// The public name of a seed.
    SeedId,
    /// Keys with which API servers encrypt what they write.
    AtRest,
    /// Bootstrap tokens.
    Token,
    /// Passwords that hosts share.
    Password,
}

impl Purpose {
    /// The word in the derivation, which never changes.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Serial => "serial",
            Self::Seal => "seal",
            Self::Sign => "sign",
            Self::Hmac => "hmac",
            Self::SeedId => "seed-id",
            Self::AtRest => "at-rest",
            Self::Token => "token",
            Self::Password => "password",
        }
    }
}

/// The full name of one derived secret. An absent part is the empty string.
#[derive(Clone, Copy, Debug, Default)]
pub struct Label<'a> {
    /// The cluster's id, 32 lower-case hex digits.
    pub cluster: &'a str,
    /// The id of the table's row.
    pub row: &'a str,
    /// Which of several on one host.
    pub instance: &'a str,
    /// The host's name.
    pub host: &'a str,
    /// The algorithm's word.
    pub algorithm: &'a str,
    /// Decimal; leaves: pki, CA and host, joined by commas.
    pub generation: &'a str,
}

impl Label<'_> {
    fn info(&self, purpose: Purpose) -> Info {
        [self.cluster, self.row, self.instance, self.host, self.algorithm, self.generation]
            .into_iter()
            .fold(Info::new(purpose), |info, part| info.part(part.as_bytes()))
    }
}

/// HKDF's `info`: the scheme, a zero byte, then each part with its length as big-endian u32 first.
#[derive(Clone)]
pub(super) struct Info(Vec<u8>);

impl Info {
    pub(super) fn new(purpose: Purpose) -> Self {
        let mut bytes = SCHEME.as_bytes().to_vec();
        bytes.push(0);
        Self(bytes).part(purpose.word().as_bytes())
    }

    /// Appends one part. Parts longer than 4 GiB do not occur; a length that did not fit would
    /// be cut to `u32::MAX`, still followed by all the bytes.
    #[must_use]
    pub(super) fn part(mut self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }
}

/// A seed, ready to derive from. Prints nothing.
pub struct Deriver {
    prk: Hkdf<Sha256>,
}

impl Deriver {
    /// Starts from the 32 bytes of a seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self { prk: Hkdf::<Sha256>::new(Some(SCHEME.as_bytes()), seed) }
    }

    /// The secret of a label, `N` bytes.
    pub fn secret<const N: usize>(&self, purpose: Purpose, label: &Label<'_>) -> Zeroizing<[u8; N]> {
        self.expand(purpose, &label.info(purpose))
    }

    /// The key of a purpose, for what is keyed by contents rather than by a label.
    pub(super) fn purpose_key(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        fill(&self.prk, purpose.word().as_bytes(), key.as_mut());
        key
    }

    pub(super) fn expand<const N: usize>(&self, purpose: Purpose, info: &Info) -> Zeroizing<[u8; N]> {
        expand_from(&self.purpose_key(purpose), info)
    }
}

/// Expands a purpose's key.
pub(super) fn expand_from<const N: usize>(key: &[u8; 32], info: &Info) -> Zeroizing<[u8; N]> {
    let mut secret = Zeroizing::new([0; N]);
    if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(key) {
        fill(&hkdf, &info.0, secret.as_mut());
    }
    secret
}

/// HKDF refuses only outputs of more than 255 hashes (8160 bytes); ours have at most 72.
fn fill(hkdf: &Hkdf<Sha256>, info: &[u8], output: &mut [u8]) {
    debug_assert!(output.len() <= 255 * 32);
    let expanded = hkdf.expand(info, output);
    debug_assert!(expanded.is_ok());
}

impl std::fmt::Debug for Deriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deriver(..)")
    }
}
