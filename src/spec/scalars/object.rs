//! Names and amounts in objects of a cluster.

use super::label::label_flaw;
use super::name::text_type;
use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;

/// The name of a `StatefulSet` and of its service: a DNS-1035 label of at most 52 characters, because the
/// label `controller-revision-hash` of its pods has the name and eleven characters more
/// (`pkg/controller/history`, `ControllerRevisionName`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatefulSetName(String);
text_type!(StatefulSetName);

/// The longest of them.
const LONGEST_SET: usize = 52;

/// `etcd`.
impl Default for StatefulSetName {
    fn default() -> Self {
        Self("etcd".to_owned())
    }
}

impl FromStr for StatefulSetName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "the name of a StatefulSet", reason)
                .hint("use lower-case letters, digits and `-`, a letter first, at most 52 of them")
        };
        if let Some(reason) = label_flaw(text) {
            return Err(error(reason));
        }
        if text.len() > LONGEST_SET {
            return Err(error(format!("it is longer than {LONGEST_SET} characters")));
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(error("it begins with a digit, which the name of a service may not".into()));
        }
        // templates write it as a part of other names
        if crate::spec::yaml::scalar(text) != text {
            return Err(error("YAML takes it for something else than a text".into()));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(StatefulSetName, "stateful-set-name", "A DNS-1035 label of at most 52 characters.", "etcd");

/// A namespace: a DNS-1123 label of at most 63 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Namespace(String);
text_type!(Namespace);

/// `default`.
impl Default for Namespace {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl FromStr for Namespace {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        match label_flaw(text) {
            Some(reason) => Err(ScalarError::new(text, "a namespace", reason)
                .hint("use lower-case letters, digits and `-`, at most 63 of them")),
            None => Ok(Self(text.to_owned())),
        }
    }
}

text_scalar!(Namespace, "namespace", "A DNS-1123 label of at most 63 characters.", "etcd");

/// The name of an object: a DNS-1123 subdomain of at most 253 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName(String);
text_type!(ObjectName);

/// The longest of them.
const LONGEST_OBJECT: usize = 253;

impl FromStr for ObjectName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "the name of an object", reason)
                .hint("use lower-case letters, digits, `-` and `.`")
        };
        if text.len() > LONGEST_OBJECT {
            return Err(error(format!("it is longer than {LONGEST_OBJECT} characters")));
        }
        match text.split('.').find_map(label_flaw) {
            Some(reason) => Err(error(reason)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

text_scalar!(ObjectName, "object-name", "A DNS-1123 subdomain.", "fast-ssd");

/// An amount of a resource above zero, as Kubernetes writes it (`apimachinery`, `api/resource`): `8Gi`, `500m`,
/// `1.5`. Exponents are not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantity {
    text: String,
    thousandths: u128,
}

/// Suffixes, and how many thousandths one of them is.
const SUFFIXES: &[(&str, u128)] = &[
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("Pi", 1000 << 50),
    ("Ei", 1000 << 60),
    ("m", 1),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000),
];
/// Digits before and behind the point: nobody needs more, and no product of them overflows.
const DIGITS: usize = 12;

impl Quantity {
    /// The text; empty only in a default value.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The amount in thousandths, so that amounts compare.
    pub const fn thousandths(&self) -> u128 {
        self.thousandths
    }
}

impl FromStr for Quantity {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "an amount", reason).hint("write it like 8Gi, 512Mi, 2 or 500m")
        };
        let suffix = SUFFIXES.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)));
        let (number, unit) = suffix.unwrap_or((text, 1000));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| {
            let fits = !part.is_empty() && part.len() <= DIGITS && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<u128>().ok().filter(|_| fits)
        };
        let (Some(whole_number), Some(parts)) = (digits(whole), digits(fraction)) else {
            return Err(error("it is not a number with or without a suffix"));
        };
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(error("it has a leading zero"));
        }
        let scale = fraction.bytes().fold(1, |scale: u128, _| scale.saturating_mul(10));
        let thousandths = whole_number
            .saturating_mul(unit)
            .saturating_add(parts.saturating_mul(unit).checked_div(scale).unwrap_or_default());
        if thousandths == 0 {
            return Err(error("it is nothing"));
        }
        Ok(Self { text: text.to_owned(), thousandths })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

text_scalar!(Quantity, "quantity", "An amount of a resource, as Kubernetes writes it.", "8Gi");

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{Namespace, ObjectName, Quantity, StatefulSetName};

    #[test]
    fn amounts_compare() {
        let of = |text: &str| text.parse::<Quantity>().unwrap().thousandths();
        assert_eq!(of("1"), 1000);
        assert_eq!(of("1000m"), of("1"));
        assert_eq!(of("1.5Gi"), of("1536Mi"));
        assert!(of("1G") < of("1Gi"));
        assert_eq!(of("0.1"), of("100m"));
        assert_eq!(of("16Ei"), 16000 << 60);
    }

    #[test]
    fn what_is_no_amount() {
        for (text, reason) in [
            ("", "it is not a number with or without a suffix"),
            ("Gi", "it is not a number with or without a suffix"),
            ("8GB", "it is not a number with or without a suffix"),
            ("8 Gi", "it is not a number with or without a suffix"),
            ("-8Gi", "it is not a number with or without a suffix"),
            ("1e3", "it is not a number with or without a suffix"),
            ("1.", "it is not a number with or without a suffix"),
            ("0x10", "it is not a number with or without a suffix"),
            ("010", "it has a leading zero"),
            ("0", "it is nothing"),
            ("0.0Gi", "it is nothing"),
        ] {
            let error = text.parse::<Quantity>().unwrap_err();
            assert_eq!(error.message, format!("`{text}` is not an amount: {reason}"));
        }
    }

    #[test]
    fn names() {
        let long = "a".repeat(52);
        assert_eq!(long.parse::<StatefulSetName>().unwrap().as_str(), long);
        for text in ["", "1etcd", "Etcd", "etcd.a", &"a".repeat(53)] {
            assert!(text.parse::<StatefulSetName>().is_err(), "{text}");
        }
        assert_eq!(StatefulSetName::default().as_str(), "etcd");
        assert_eq!("1".parse::<Namespace>().unwrap().as_str(), "1");
        assert!("a.b".parse::<Namespace>().is_err());
        assert_eq!("a.b-c".parse::<ObjectName>().unwrap().as_str(), "a.b-c");
        for text in ["", "a..b", "a_b", &"a.".repeat(127)] {
            assert!(text.parse::<ObjectName>().is_err(), "{text}");
        }
    }
}
