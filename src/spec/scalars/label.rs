//! Names: of the cluster, of hosts, and the cluster's id.

use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;

/// The longest name that X.509 allows as a common name is 64 characters (RFC 5280, ub-common-name);
/// 63 is also the longest DNS label and what the kernel takes as a host name.
pub(super) const LONGEST: usize = 63;

/// Names in OUT that a host's bundle would collide with.
const RESERVED: [&str; 2] = ["operator", "index"];

/// Says what is wrong with a DNS-1123 label, `None` when nothing is.
pub(super) fn label_flaw(label: &str) -> Option<String> {
    if label.is_empty() {
        return Some("a part of it is empty".into());
    }
    if label.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} characters"));
    }
    if let Some(c) = label.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return Some(match c {
            'A'..='Z' => "upper-case letters are not allowed".into(),
            c => format!("`{}` is not allowed", super::shown(&c.to_string())),
        });
    }
    (label.starts_with('-') || label.ends_with('-')).then(|| "it begins or ends with `-`".into())
}

/// The cluster's name, for people: a DNS-1123 label of at most 63 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterName(String);

impl ClusterName {
    /// The name; empty only in a default value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClusterName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let hint = "use lower-case letters, digits and `-`";
        let error = |reason: String| ScalarError::new(text, "a cluster name", reason).hint(hint);
        match label_flaw(text) {
            Some(_) if text.is_empty() => Err(error("it is empty".into())),
            Some(reason) => Err(error(reason)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_scalar!(ClusterName, "cluster-name", "A DNS-1123 label of at most 63 characters.", "prod");

/// The cluster's id: 16 random bytes as 32 lower-case hex digits, written by `sealift init`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterId([u8; 16]);

impl ClusterId {
    /// The id of these 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for ClusterId {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let hint = "copy the id that `sealift init` wrote; it cannot be chosen";
        let error = |reason: &str| ScalarError::new(text, "a cluster id", reason).hint(hint);
        if text.bytes().any(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(error("it has characters other than the lower-case hex digits 0-9 and a-f"));
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| error(&format!("it has {} digits, not 32", text.len())))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

text_scalar!(ClusterId, "cluster-id", "32 lower-case hex digits.", "5f1c0e6a94d2b7830f1e2d3c4b5a6978");

/// A host's node name: a DNS-1123 subdomain of at most 63 characters, and a certificate's common name.
///
/// `operator` and `index` are reserved. A name that resolvers would take for an IPv4 address
/// (its last label is a number) is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostName(String);

impl HostName {
    /// The name; empty only in a default value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| ScalarError::new(text, "a host name", reason);
        if text.is_empty() {
            return Err(error("it is empty".into()).hint("write the name that the node has in the cluster"));
        }
        if text.len() > LONGEST {
            return Err(error(format!("it is longer than {LONGEST} characters"))
                .hint("a certificate's common name takes no more; use a shorter name"));
        }
        if let Some(reason) = text.split('.').find_map(label_flaw) {
            return Err(error(reason).hint("use lower-case letters, digits, `-`, and `.` between labels"));
        }
        if RESERVED.contains(&text) {
            return Err(error("it is reserved".into())
                .hint("sealift writes a file of that name beside the hosts' bundles; choose another"));
        }
        if text.rsplit('.').next().is_some_and(is_number) {
            return Err(error("it would be read as an IP address".into())
                .hint("let its last label have a letter, such as host-1"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether `inet_aton` and browsers read a label as a number (WHATWG URL, "ends in a number").
pub(super) fn is_number(label: &str) -> bool {
    let (digits, hex) = label.strip_prefix("0x").map_or((label, false), |rest| (rest, true));
    digits.bytes().all(|b| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() })
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for HostName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

text_scalar!(HostName, "host-name", "A DNS-1123 subdomain of at most 63 characters.", "infra0");
