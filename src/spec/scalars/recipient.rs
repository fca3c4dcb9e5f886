//! Whom a secret is sealed to.

use super::{ScalarError, looks_secret, shown, text_scalar};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use curve25519_dalek::edwards::CompressedEdwardsY;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An age recipient that secrets can be sealed to without randomness.
///
/// Written as `age1…` (X25519; the age v1 format, C2SP.org/age) or as the line of an OpenSSH
/// public key file, `ssh-ed25519 AAAA… [comment]`; the comment is dropped. Encodings other than
/// the canonical one and points of small order are refused, so equal keys have equal texts.
/// Ordered by [`Recipient::wire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// An age key: the u-coordinate of RFC 7748.
    X25519([u8; 32]),
    /// An OpenSSH host or user key: the compressed point of RFC 8032.
    SshEd25519([u8; 32]),
}

const WHAT: &str = "a recipient";
const ED25519: &str = "ssh-ed25519";
const FORMS: &str = "write age1… (`age-keygen -y KEYFILE` prints it) or ssh-ed25519 … \
                     (/etc/ssh/ssh_host_ed25519_key.pub)";

impl Recipient {
    /// The canonical bytes: two SSH strings (RFC 4251 section 5), the kind (`X25519` or
    /// `ssh-ed25519`) and the 32 bytes of the key. For OpenSSH keys this is their own wire form.
    pub fn wire(&self) -> Vec<u8> {
        let (kind, key) = match self {
            Self::X25519(key) => ("X25519", key),
            Self::SshEd25519(key) => (ED25519, key),
        };
        let mut out = Vec::with_capacity(8 + kind.len() + key.len());
        for part in [kind.as_bytes(), key.as_slice()] {
            // both lengths are far below 2^32
            out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend(part);
        }
        out
    }

    /// The X25519 key that sealing really uses: one key given in both forms is the same here.
    pub fn montgomery(&self) -> [u8; 32] {
        match self {
            Self::X25519(key) => *key,
            // the constructor has seen that the point decompresses
            Self::SshEd25519(key) => {
                CompressedEdwardsY(*key).decompress().map_or(*key, |point| point.to_montgomery().to_bytes())
            }
        }
    }
}

impl FromStr for Recipient {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if looks_secret(text) {
            return Err(ScalarError::secret(text));
        }
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.contains(['\n', '\r']) {
            return Err(
                ScalarError::new(text, WHAT, "it has several lines").hint("make each an item of the list")
            );
        }
        let first = text.split([' ', '\t']).next().unwrap_or_default();
        if first == ED25519 {
            return ssh_ed25519(text);
        }
        if let Some(error) = refused_ssh(text, first) {
            return Err(error);
        }
        if text.to_ascii_lowercase().starts_with("age1") {
            return age(text);
        }
        Err(ScalarError::new(text, WHAT, "it is neither an age nor an OpenSSH key").hint(FORMS))
    }
}

/// OpenSSH keys that exist but cannot be used, each by its name and reason.
fn refused_ssh(text: &str, kind: &str) -> Option<ScalarError> {
    let error = |reason: &str, hint: &str| Some(ScalarError::new(text, WHAT, reason).hint(hint));
    match kind {
        "ssh-rsa" => error(
            "sealing to ssh-rsa needs randomness, which builds do not have",
            "give the host's ed25519 key (ssh-keygen -t ed25519) or an age1… key",
        ),
        "ssh-dss" => error("DSA keys can only sign", "give an ssh-ed25519 or age1… key"),
        kind if kind.starts_with("sk-ssh-") || kind.starts_with("sk-ecdsa-") => error(
            "a security key can only sign, it cannot open what is sealed to it",
            "give an ssh-ed25519 key without sk-, or an age1… key",
        ),
        kind if kind.starts_with("ecdsa-sha2-") => {
            error("age cannot seal to ECDSA keys", "give the host's ssh-ed25519 key or an age1… key")
        }
        kind if kind.contains("-cert-v01@openssh.com") => {
            error("it is a certificate", "give the plain ssh-ed25519 key")
        }
        _ => None,
    }
}

/// Reads `ssh-ed25519 BASE64 [comment]`; the blob as RFC 8709 section 4.
fn ssh_ed25519(text: &str) -> Result<Recipient, ScalarError> {
    let error = |reason: &str| {
        ScalarError::new(text, WHAT, reason).hint(
            "copy the whole line of the .pub file, such as \
                                                    /etc/ssh/ssh_host_ed25519_key.pub",
        )
    };
    let encoded = text.split([' ', '\t']).filter(|word| !word.is_empty()).nth(1);
    let encoded = encoded.ok_or_else(|| error("the key after ssh-ed25519 is missing"))?;
    let blob = STANDARD.decode(encoded).map_err(|_| error("its key is not base64, or it is cut off"))?;
    let rest = blob.strip_prefix(b"\0\0\0\x0bssh-ed25519\0\0\0\x20".as_slice());
    let key: [u8; 32] = rest
        .and_then(|key| key.try_into().ok())
        .ok_or_else(|| error("its key is not an ed25519 key, or it is cut off"))?;
    match ed25519_flaw(key) {
        Some(reason) => Err(error(reason)),
        None => Ok(Recipient::SshEd25519(key)),
    }
}

fn ed25519_flaw(key: [u8; 32]) -> Option<&'static str> {
    let Some(point) = CompressedEdwardsY(key).decompress() else {
        return Some("its key is not a point of the curve");
    };
    if point.compress().0 != key {
        return Some("its key is not in canonical form");
    }
    (point.is_small_order() || !point.is_torsion_free())
        .then_some("its key is not in the group of prime order")
}

/// Reads `age1…`: Bech32 (BIP 173) with the prefix `age`, lower case, of exactly 32 bytes.
fn age(text: &str) -> Result<Recipient, ScalarError> {
    let error = |reason: &str| ScalarError::new(text, WHAT, reason);
    if let Some(plugin) = plugin(text) {
        return Err(refused_plugin(text, plugin));
    }
    let typo = "copy it whole; `age-keygen -y KEYFILE` prints it";
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(error("it has upper-case letters").hint(typo));
    }
    if text.len() != 62 {
        return Err(error(&format!("it has {} characters, not 62", text.chars().count())).hint(typo));
    }
    let parsed = CheckedHrpstring::new::<Bech32>(text);
    let parsed = parsed.map_err(|_| error("its checksum is wrong, so a character is").hint(typo))?;
    let bytes: Vec<u8> = parsed.byte_iter().collect();
    let key: [u8; 32] = bytes.try_into().map_err(|_| error("it does not hold 32 bytes").hint(typo))?;
    let recipient = Recipient::X25519(key);
    if recipient.to_string() != text {
        return Err(error("it is not in canonical form").hint(typo));
    }
    match x25519_flaw(key) {
        Some(reason) => Err(error(reason).hint("no key generator makes such a key; do not trust its source")),
        None => Ok(recipient),
    }
}

/// The plugin's name in `age1NAME1…`; a stray `1` in a text of an age key's length is a typing error.
fn plugin(text: &str) -> Option<&str> {
    let name = text.get("age1".len()..text.rfind('1')?)?;
    (!name.is_empty() && text.len() != 62).then_some(name)
}

fn refused_plugin(text: &str, plugin: &str) -> ScalarError {
    let reason = match plugin {
        "pq" => "sealing to post-quantum recipients is not implemented yet".to_owned(),
        name => format!(
            "sealing by the plugin age-plugin-{} needs randomness, which builds do not have",
            shown(name)
        ),
    };
    ScalarError::new(text, WHAT, reason)
        .hint("give an age1… key from plain age-keygen, or an ssh-ed25519 key")
}

/// The u-coordinates below p of order 1, 2, 4 and 8, on the curve and its twist (cr.yp.to/ecdh.html).
///
/// A table, because X25519 itself would cost more than all the rest of reading a host.
const SMALL: [[u8; 32]; 5] = {
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    let eight = *b"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\
                   \xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00";
    let other = *b"\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b\
                   \x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57";
    [[0; 32], one, minus_one, eight, other]
};

/// RFC 7748 keys must be below p = 2^255 - 19 and must not have small order.
fn x25519_flaw(key: [u8; 32]) -> Option<&'static str> {
    let [first, middle @ .., last] = key;
    if last > 0x7f || (last == 0x7f && first >= 0xed && middle.iter().all(|b| *b == 0xff)) {
        return Some("its key is not in canonical form");
    }
    SMALL.contains(&key).then_some("its key has small order")
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X25519(key) => {
                let hrp = Hrp::parse("age").map_err(|_| fmt::Error)?;
                let text = bech32::encode::<Bech32>(hrp, key).map_err(|_| fmt::Error)?;
                f.write_str(&text)
            }
            Self::SshEd25519(_) => write!(f, "{ED25519} {}", STANDARD.encode(self.wire())),
        }
    }
}

impl Ord for Recipient {
    fn cmp(&self, other: &Self) -> Ordering {
        self.wire().cmp(&other.wire())
    }
}

impl PartialOrd for Recipient {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

text_scalar!(
    Recipient,
    "recipient",
    "An age recipient (age1…) or an OpenSSH public key (ssh-ed25519 …).",
    "age1722sn843ns8njx5r3n9d6wydu72psm4c3ec77ve9pzm4xj22qesqmfezvr"
);
