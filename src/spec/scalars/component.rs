//! What components and nodes are told: flags, variables, feature gates, labels.

use super::name::text_type;
use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;

/// A flag of a component without its dashes: `max-requests-inflight`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlagName(String);
text_type!(FlagName);

impl FromStr for FlagName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| ScalarError::new(text, "a flag", reason);
        if text.starts_with('-') {
            return Err(error("it begins with `-`").hint("write its name without the dashes"));
        }
        let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        // etcd and klog have a few with `_` and capitals
        let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !starts || !rest || text.len() > 100 {
            return Err(error("it is not letters, digits and `-`")
                .hint("write it like max-requests-inflight, and its value behind the colon"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(FlagName, "flag-name", "A flag without its dashes.", "max-requests-inflight");

/// The longest value of a flag or a variable, in bytes.
const LONGEST_VALUE: usize = 8192;

/// The value of a flag or a variable: any text without control characters, which no argument of a
/// manifest, no unit and no environment file needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlainText(String);
text_type!(PlainText);

impl FromStr for PlainText {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if super::looks_secret(text) {
            return Err(ScalarError::secret(text));
        }
        let error = |reason: &str| ScalarError::new(text, "a value", reason);
        if text.chars().any(|c| !super::is_plain(c)) {
            return Err(error("it has control characters").hint("write it on one line"));
        }
        if text.len() > LONGEST_VALUE {
            return Err(error("it is longer than 8192 bytes"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(PlainText, "plain-text", "A text on one line.", "1500");

/// The name of an environment variable (POSIX.1-2017, 8.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariableName(String);
text_type!(VariableName);

impl FromStr for VariableName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !starts || !rest || text.len() > 255 {
            return Err(ScalarError::new(text, "a variable", "it is not letters, digits and `_`")
                .hint("write it like GODEBUG"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(VariableName, "variable-name", "An environment variable.", "GODEBUG");

/// A feature gate of Kubernetes: `NodeSwap`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeatureGate(String);
text_type!(FeatureGate);

impl FromStr for FeatureGate {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
        let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !starts || !rest || text.len() > 100 {
            return Err(ScalarError::new(
                text,
                "a feature gate",
                "it is not a capital letter and letters or digits",
            )
            .hint("write it like NodeSwap, and true or false behind the colon"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(FeatureGate, "feature-gate", "A feature gate of Kubernetes.", "NodeSwap");

/// A label's or taint's key: `[PREFIX/]NAME` (apimachinery's `IsQualifiedName`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelKey(String);
text_type!(LabelKey);

impl LabelKey {
    /// What stands before the `/`.
    pub fn prefix(&self) -> Option<&str> {
        self.0.split_once('/').map(|(prefix, _)| prefix)
    }
}

impl FromStr for LabelKey {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a key of a label", reason).hint("write it like example.com/rack")
        };
        let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
        if let Some(prefix) = prefix {
            let labels = prefix.split('.').all(|label| super::label::label_flaw(label).is_none());
            if !labels || prefix.len() > 253 {
                return Err(error("what stands before the `/` is no DNS name"));
            }
        }
        if name.is_empty() || !is_label_value(name) {
            return Err(error("its name is not at most 63 letters, digits, `-`, `_` and `.`"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(LabelKey, "label-key", "A key of a label or taint.", "example.com/rack");

/// A label's or taint's value: at most 63 characters, empty allowed (apimachinery's `IsValidLabelValue`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelValue(String);
text_type!(LabelValue);

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at each end.
fn is_label_value(text: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= 63 && ends(text.bytes().next()) && ends(text.bytes().last()) && text.bytes().all(inner)
}

impl FromStr for LabelValue {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if !is_label_value(text) {
            return Err(ScalarError::new(
                text,
                "a value of a label",
                "it is not at most 63 letters, digits, `-`, `_` and `.` between letters or digits",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(LabelValue, "label-value", "A value of a label or taint.", "r12");

/// A proxy: `http://NAME:PORT`, or https. No user and no password: they would be readable by all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProxyUrl(String);
text_type!(ProxyUrl);

impl ProxyUrl {
    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("https", |(scheme, _)| scheme)
    }

    fn rest(&self) -> (&str, &str) {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split_once('/').unwrap_or((rest, ""))
    }

    /// The server, with its port where one is written.
    pub fn authority(&self) -> &str {
        self.rest().0
    }

    /// Of a registry: what stands before the names of its images, without slashes around it and without
    /// the API's `v2`; empty for the registry itself.
    pub fn repository(&self) -> &str {
        let path = self.rest().1.trim_matches('/');
        match path.strip_prefix("v2") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest.trim_matches('/'),
            _ => path,
        }
    }
}

impl FromStr for ProxyUrl {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let what = "a URL of a server";
        let hint = "write it like http://proxy.example:3128";
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let Some(rest) = rest else {
            return Err(
                ScalarError::new(text, what, "it begins neither with http:// nor https://").hint(hint)
            );
        };
        if rest.contains('@') {
            return Err(ScalarError {
                message: "this URL has a user or a password, which everybody on the host could read".into(),
                hint: Some("let the proxy know its clients by their addresses, and take it out".into()),
                secret: true,
            });
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]/_~".contains(&byte);
        if rest.is_empty() || rest.starts_with('/') || !rest.bytes().all(plain) || text.len() > 255 {
            return Err(ScalarError::new(text, what, "what follows is not NAME[:PORT][/PATH]").hint(hint));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(ProxyUrl, "server-url", "A URL, http:// or https://.", "http://proxy.example:3128");
