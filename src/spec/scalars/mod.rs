//! The single values of a spec: each a type that cannot hold anything else.
//!
//! A scalar's [`FromStr`] is its one definition: the JSON Schema names it by `format`, the
//! structural check finds it by that name in `check`, and serde uses it too.

mod calendar;
mod certificates;
mod component;
mod etcd;
mod image;
mod label;
mod name;
mod network;
mod number;
mod object;
mod path;
mod recipient;
mod secret;
mod system;
mod time;
mod tuning;

pub(crate) use crate::finding::is_plain;
pub use calendar::Calendar;
pub use certificates::Certificates;
pub use component::{FeatureGate, FlagName, LabelKey, LabelValue, PlainText, ProxyUrl, VariableName};
pub use etcd::{EtcdVersion, LoginName};
pub use image::{ImageRef, ImageRepository, RegistryName};
pub use label::{ClusterId, ClusterName, HostName};
pub use name::{Country, ItemName, ResourceName, SubjectText};
pub use network::{ClusterDomain, Endpoint, EndpointHost, San, Subnet};
pub(crate) use number::decimal;
pub use number::{
    AsNumber, Generation, HostRevision, KubernetesVersion, MemberCount, PasswordLength, Port, SeedNumber,
    SystemId, ToleratedExit, VrrpPriority, Weight,
};
pub use object::{Namespace, ObjectName, Quantity, StatefulSetName};
pub use path::{AbsolutePath, FilePath, LogPattern, SocketUrl};
pub use recipient::Recipient;
pub(crate) use secret::{holds_private_key, looks_secret};
pub use system::{
    HostAddress, InterfaceName, MachineId, ModuleName, NtpServer, SysctlKey, SysctlValue, TimezoneName,
};
pub use time::{Span, Timestamp};
pub use tuning::{ByteSize, Length, Retention};

use std::fmt::Write as _;
use std::net::IpAddr;
use std::str::FromStr;

/// Why a text is not the scalar that it should be, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScalarError {
    /// What is wrong, with the text (unless it is a secret).
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The text is or may be a secret: neither it nor the line it stands on may be shown.
    pub secret: bool,
}

impl ScalarError {
    /// `text` is not `what` (with its article, such as "a host name") because of `reason`.
    pub(crate) fn new(text: &str, what: &str, reason: impl AsRef<str>) -> Self {
        let message = format!("`{}` is not {what}: {}", shown(text), reason.as_ref());
        Self { message, hint: None, secret: false }
    }

    /// The same error with a way out.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// How many characters of a foreign text a message repeats.
const SHOWN: usize = 80;

/// A foreign text as a message may repeat it: cut, and with nothing that a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == SHOWN {
            out.push('…');
            break;
        }
        if is_plain(c) {
            out.push(c);
        } else {
            // writing to a String cannot fail
            let _ = write!(out, "{}", c.escape_default());
        }
    }
    out
}

/// Tests one text against the definition of a scalar.
pub(crate) type Check = fn(&str) -> Result<(), ScalarError>;

/// The check of a JSON Schema `format`; `None` for a format that is only a note.
pub(crate) fn check(format: &str) -> Option<Check> {
    CHECKS.iter().find(|(name, _)| *name == format).map(|(_, check)| *check)
}

/// Every format and its check. A test looks for each in the schema, and the other way round.
const CHECKS: &[(&str, Check)] = &[
    ("absolute-path", parses::<AbsolutePath>),
    ("log-pattern", parses::<LogPattern>),
    ("byte-size", parses::<ByteSize>),
    ("calendar", parses::<Calendar>),
    ("cluster-domain", parses::<ClusterDomain>),
    ("cluster-id", parses::<ClusterId>),
    ("cluster-name", parses::<ClusterName>),
    ("country", parses::<Country>),
    ("endpoint", parses::<Endpoint>),
    ("etcd-version", parses::<EtcdVersion>),
    ("feature-gate", parses::<FeatureGate>),
    ("file-path", parses::<FilePath>),
    ("flag-name", parses::<FlagName>),
    ("generation", parses::<Generation>),
    ("host-name", parses::<HostName>),
    ("host-revision", parses::<HostRevision>),
    ("image-ref", parses::<ImageRef>),
    ("image-repository", parses::<ImageRepository>),
    // schemars' own name for IpAddr
    ("ip", ip),
    ("item-name", parses::<ItemName>),
    ("kubernetes-version", parses::<KubernetesVersion>),
    ("label-key", parses::<LabelKey>),
    ("label-value", parses::<LabelValue>),
    ("length", parses::<Length>),
    ("login-name", parses::<LoginName>),
    ("member-count", parses::<MemberCount>),
    ("namespace", parses::<Namespace>),
    ("object-name", parses::<ObjectName>),
    ("password-length", parses::<PasswordLength>),
    ("plain-text", parses::<PlainText>),
    ("certificates", parses::<Certificates>),
    ("port", parses::<Port>),
    ("quantity", parses::<Quantity>),
    ("recipient", parses::<Recipient>),
    ("registry-name", parses::<RegistryName>),
    ("resource-name", parses::<ResourceName>),
    ("retention", parses::<Retention>),
    ("san", parses::<San>),
    ("seed-number", parses::<SeedNumber>),
    ("server-url", parses::<ProxyUrl>),
    ("socket-url", parses::<SocketUrl>),
    ("span", parses::<Span>),
    ("stateful-set-name", parses::<StatefulSetName>),
    ("subject-text", parses::<SubjectText>),
    ("subnet", parses::<Subnet>),
    ("system-id", parses::<SystemId>),
    ("timestamp", parses::<Timestamp>),
    ("tolerated-exit", parses::<ToleratedExit>),
    ("variable-name", parses::<VariableName>),
    ("as-number", parses::<AsNumber>),
    ("vrrp-priority", parses::<VrrpPriority>),
    ("weight", parses::<Weight>),
    ("host-address", parses::<HostAddress>),
    ("interface-name", parses::<InterfaceName>),
    ("machine-id", parses::<MachineId>),
    ("module-name", parses::<ModuleName>),
    ("ntp-server", parses::<NtpServer>),
    ("sysctl-key", parses::<SysctlKey>),
    ("sysctl-value", parses::<SysctlValue>),
    ("timezone-name", parses::<TimezoneName>),
];

/// The names of all formats.
#[cfg(test)]
pub(crate) fn formats() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, _)| *name)
}

fn parses<T: FromStr<Err = ScalarError>>(text: &str) -> Result<(), ScalarError> {
    text.parse::<T>().map(|_| ())
}

fn ip(text: &str) -> Result<(), ScalarError> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let error = ScalarError::new(text, "an IP address", "it is neither IPv4 nor IPv6");
    Err(if text.contains('/') {
        error.hint("write the address alone, without a prefix length")
    } else if text.contains('%') {
        error.hint("write the address alone, without a zone")
    } else {
        error.hint("write it like 10.0.0.6 or fd00::6")
    })
}

/// The impls that every scalar written as a string shares.
macro_rules! text_scalar {
    ($type:ident, $format:literal, $meaning:literal, $example:literal) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "format": $format,
                    "description": $meaning,
                    "examples": [$example],
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}
use text_scalar;

#[cfg(test)]
mod tests;
