//! Names that people choose: of passwords and tokens, of API resources, in a certificate's subject.

use super::label::label_flaw;
use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;

macro_rules! text_type {
    ($type:ident) => {
        impl $type {
            /// The text; empty only in a default value.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

pub(super) use text_type;

/// The name of a password or a token: a DNS-1123 label of at most 63 characters. Part of what it is
/// derived from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemName(String);
text_type!(ItemName);

impl FromStr for ItemName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "a name", reason).hint("use lower-case letters, digits and `-`")
        };
        match label_flaw(text) {
            Some(_) if text.is_empty() => Err(error("it is empty".into())),
            Some(reason) => Err(error(reason)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

text_scalar!(ItemName, "item-name", "A DNS-1123 label of at most 63 characters.", "haproxy-stats");

/// A resource of the Kubernetes API as the encryption configuration names it: `secrets`,
/// `deployments.apps`, `*.apps`, `*.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceName(String);
text_type!(ResourceName);

impl FromStr for ResourceName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "an API resource", reason)
                .hint("write it like secrets, configmaps, deployments.apps or *.apps")
        };
        let (resource, group) =
            text.split_once('.').map_or((text, None), |(name, group)| (name, Some(group)));
        let part = |part: &str| if part == "*" { None } else { part.split('.').find_map(label_flaw) };
        if resource == "*" && group.is_none() {
            return Err(error("it names no API group; `*.` is the core group's".into()));
        }
        // `*.` is every resource of the core group
        let flaw = part(resource).or_else(|| group.filter(|group| !group.is_empty()).and_then(part));
        if let Some(reason) = flaw {
            return Err(error(reason));
        }
        if group == Some("") && resource != "*" {
            return Err(error("a part of it is empty".into()));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(ResourceName, "resource-name", "A resource of the Kubernetes API.", "secrets");

/// A country in a certificate's subject: two capital letters (X.520, a `PrintableString` of length 2).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Country(String);
text_type!(Country);

impl FromStr for Country {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Ok(Self(text.to_owned()));
        }
        Err(ScalarError::new(text, "a country", "it is not two capital letters")
            .hint("write its ISO 3166 code, such as DE"))
    }
}

text_scalar!(Country, "country", "Two capital letters, ISO 3166.", "DE");

/// The longest organization that X.509 allows (RFC 5280 appendix A.1, ub-organization-name).
const LONGEST: usize = 64;

/// Text in a certificate's subject: 1 to 64 characters, without control characters and without
/// spaces at its ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubjectText(String);
text_type!(SubjectText);

impl FromStr for SubjectText {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "text of a subject", reason).hint("write it like Example Bank AG")
        };
        if super::looks_secret(text) {
            return Err(ScalarError::secret(text));
        }
        if text.is_empty() {
            return Err(error("it is empty".into()));
        }
        if text.chars().count() > LONGEST {
            return Err(error(format!("it is longer than {LONGEST} characters")));
        }
        if text.chars().any(|c| !super::is_plain(c)) {
            return Err(error("it has control characters".into()));
        }
        if text.trim() != text {
            return Err(error("it begins or ends with a space".into()));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(SubjectText, "subject-text", "At most 64 characters.", "Example Bank AG");
