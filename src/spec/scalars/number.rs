//! Counters, exit codes and releases.

use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;

/// Reads decimal digits without sign or leading zeros, the one form that YAML 1.1 and 1.2 agree on.
pub(crate) fn decimal(text: &str) -> Result<u32, &'static str> {
    if text.is_empty() || text.bytes().any(|b| !b.is_ascii_digit()) {
        return Err("it is not made of decimal digits alone");
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err("it has a leading zero");
    }
    text.parse().map_err(|_| "it is larger than 4294967295")
}

macro_rules! counter {
    ($(#[doc = $doc:literal])+ $type:ident, $format:literal, $what:literal, $least:literal) => {
        counter! { $(#[doc = $doc])+ $type, $format, $what, $least, 4_294_967_295, $least }
    };
    ($(#[doc = $doc:literal])+ $type:ident, $format:literal, $what:literal, $least:literal, $most:literal, $default:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(u32);

        impl $type {
            /// The least value.
            pub const LEAST: Self = Self($least);

            /// The number, or `None` below the least and above the greatest.
            pub const fn new(number: u32) -> Option<Self> {
                match (number.checked_sub($least), u32::checked_sub($most, number)) {
                    (Some(_), Some(_)) => Some(Self(number)),
                    _ => None,
                }
            }

            /// The number.
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl Default for $type {
            fn default() -> Self {
                Self($default)
            }
        }

        impl FromStr for $type {
            type Err = ScalarError;

            fn from_str(text: &str) -> Result<Self, ScalarError> {
                let (least, most): (u32, u32) = ($least, $most);
                let error = |reason: &str| {
                    ScalarError::new(text, $what, reason)
                        .hint(format!("write a whole number from {least} to {most}"))
                };
                let number = decimal(text).map_err(error)?;
                Self::new(number).ok_or_else(|| match number < Self::LEAST.0 {
                    true => error(concat!("it is less than ", $least)),
                    false => error(concat!("it is more than ", stringify!($most))),
                })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "integer",
                    "format": $format,
                    "minimum": $least,
                    "maximum": u32::from(Self($most).0),
                    "default": $default,
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = u32::deserialize(deserializer)?;
                Self::new(number).ok_or_else(|| serde::de::Error::custom(concat!("not ", $what)))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u32(self.0)
            }
        }
    };
}

counter! {
    /// How often something was replaced: 1 at first, raised to derive a new one.
    Generation, "generation", "a generation", 1
}
counter! {
    /// How often one host was rolled out by itself: 0 at first.
    HostRevision, "host-revision", "a host's revision", 0
}
counter! {
    /// The number of a seed in the keyring, from 1.
    SeedNumber, "seed-number", "a seed's number", 1
}
counter! {
    /// A TCP port; by default the API server's.
    Port, "port", "a port", 1, 65535, 6443
}
counter! {
    /// The number of a user or group of the system: not root's, and none that systemd gives to units or
    /// that means nobody (systemd, `UIDS-GIDS.md`).
    SystemId, "system-id", "the number of a system user", 1, 59999, 379
}
counter! {
    /// How many members an etcd cluster in a `StatefulSet` has.
    MemberCount, "member-count", "a number of members", 1, 9, 3
}
counter! {
    /// How many letters and digits a password has. Twenty-two are more than 128 bits; 8 are all that
    /// VRRP passwords have room for.
    PasswordLength, "password-length", "a password's length", 8, 64, 24
}

counter! {
    /// A priority of VRRP: 255 is the owner's of the address, which no virtual one has (RFC 5798, 5.2.4).
    VrrpPriority, "vrrp-priority", "a priority", 1, 254, 100
}
counter! {
    /// The share of a backend, as nginx and haproxy both take it.
    Weight, "weight", "a weight", 1, 256, 1
}
counter! {
    /// The number of an autonomous system (RFC 6793).
    AsNumber, "as-number", "the number of an autonomous system", 1
}

/// An exit code of `sealift verify` that may not stop the kubelet: 1, 4, 5, 6 or 7.
///
/// 3 (not trusted) and 2 (wrong use, so nothing was checked) always stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToleratedExit(u8);

impl ToleratedExit {
    /// Every code that may be tolerated.
    pub const ALLOWED: [u8; 5] = [1, 4, 5, 6, 7];

    /// The exit code, or `None` for one that must stop the kubelet.
    pub fn new(code: u8) -> Option<Self> {
        Self::ALLOWED.contains(&code).then_some(Self(code))
    }

    /// The exit code.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// 6, expired or not yet valid: a clock may be wrong at boot.
impl Default for ToleratedExit {
    fn default() -> Self {
        Self(6)
    }
}

impl FromStr for ToleratedExit {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "an exit code that can be tolerated", reason)
                .hint("write some of 1, 4, 5, 6 and 7")
        };
        match decimal(text).map_err(error)? {
            0 => Err(error("it means success")),
            2 => Err(error("after wrong use nothing was checked")),
            3 => Err(error("what is not trusted must never start")),
            number => u8::try_from(number)
                .ok()
                .and_then(Self::new)
                .ok_or_else(|| error("sealift has no such exit code")),
        }
    }
}

impl fmt::Display for ToleratedExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl schemars::JsonSchema for ToleratedExit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ToleratedExit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "format": "tolerated-exit", "enum": Self::ALLOWED })
    }
}

impl<'de> serde::Deserialize<'de> for ToleratedExit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u8::deserialize(deserializer)?;
        Self::new(code).ok_or_else(|| serde::de::Error::custom("not an exit code that can be tolerated"))
    }
}

impl serde::Serialize for ToleratedExit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

/// A Kubernetes release, `MAJOR.MINOR.PATCH`; a leading `v` is accepted and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubernetesVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

impl KubernetesVersion {
    /// The first number.
    pub const fn major(self) -> u32 {
        self.major
    }

    /// The second number.
    pub const fn minor(self) -> u32 {
        self.minor
    }

    /// The third number.
    pub const fn patch(self) -> u32 {
        self.patch
    }
}

impl FromStr for KubernetesVersion {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a Kubernetes release", reason).hint("write it like 1.36.2")
        };
        let bare = text.strip_prefix('v').unwrap_or(text);
        if bare.contains(['-', '+']) {
            return Err(error("pre-releases and builds are not supported"));
        }
        let parts: Vec<&str> = bare.splitn(4, '.').collect();
        let &[major, minor, patch] = parts.as_slice() else {
            return Err(error("it does not have three numbers"));
        };
        let number = |part: &str| decimal(part).map_err(error);
        Ok(Self { major: number(major)?, minor: number(minor)?, patch: number(patch)? })
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

text_scalar!(KubernetesVersion, "kubernetes-version", "A release, MAJOR.MINOR.PATCH.", "1.36.2");
