//! Sizes and lengths of etcd's settings. Each is a number, or a text with a unit.

use super::ScalarError;
use std::fmt;
use std::str::FromStr;

/// The impls of a scalar that is written as a number or as a text.
macro_rules! scalar {
    ($type:ident, $format:literal, $meaning:literal, $example:literal) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": ["string", "integer"],
                    "format": $format,
                    "description": $meaning,
                    "examples": [$example],
                    "x-sealift": "scalar",
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Decimal digits, without a sign or leading zeros.
fn whole(digits: &str) -> Result<u64, &'static str> {
    if digits.is_empty() || digits.bytes().any(|byte| !byte.is_ascii_digit()) {
        return Err("it does not begin with a whole number");
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Err("it has a leading zero");
    }
    digits.parse().map_err(|_| "it is too large")
}

/// A number and what follows it.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// Units of sizes with their bytes, from large to small.
const SIZES: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A size: a number of bytes, or with a unit, `8GiB`. etcd keeps sizes in 63 bits, none is 0 here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// The size of this many bytes; `None` for none at all and for what etcd has no room for.
    pub const fn new(bytes: u64) -> Option<Self> {
        if bytes == 0 || bytes > i64::MAX as u64 { None } else { Some(Self(bytes)) }
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl Default for ByteSize {
    fn default() -> Self {
        Self(1)
    }
}

impl FromStr for ByteSize {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a size", reason)
                .hint("write a number of bytes, or a whole number with KiB, MiB, GiB or TiB, such as 8GiB")
        };
        let (digits, unit) = split(text);
        let count = whole(digits).map_err(error)?;
        let scale = match unit {
            "" => 1,
            unit => SIZES
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, scale)| *scale)
                .ok_or_else(|| error("its unit is not KiB, MiB, GiB or TiB"))?,
        };
        let bytes = count.checked_mul(scale).ok_or_else(|| error("it is too large"))?;
        if bytes == 0 {
            return Err(error("it is none at all"));
        }
        Self::new(bytes).ok_or_else(|| error("it is too large"))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SIZES.iter().find(|(_, scale)| self.0.is_multiple_of(*scale)) {
            Some((unit, scale)) => write!(f, "{}{unit}", self.0 / scale),
            None => self.0.fmt(f),
        }
    }
}

scalar!(ByteSize, "byte-size", "Bytes, or a number with KiB, MiB, GiB or TiB.", "8GiB");

/// Units of lengths with their milliseconds, from large to small.
const LENGTHS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest length: a year, more than any compaction waits for.
const LONGEST: u64 = 365 * 24 * 3_600_000;

/// A length of time in milliseconds, such as `100ms`, `1s` or `1h30m`, as Go reads it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(u64);

impl Length {
    /// The length of this many milliseconds; `None` for none and for more than a year.
    pub const fn new(milliseconds: u64) -> Option<Self> {
        if milliseconds == 0 || milliseconds > LONGEST { None } else { Some(Self(milliseconds)) }
    }

    /// In milliseconds.
    pub const fn milliseconds(self) -> u64 {
        self.0
    }
}

impl Default for Length {
    fn default() -> Self {
        Self(1)
    }
}

impl FromStr for Length {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a length of time", reason)
                .hint("write a whole number with its unit, such as 100ms, 1s, 5m or 8h")
        };
        let mut units = LENGTHS.iter();
        let mut total: u64 = 0;
        let mut rest = text;
        while !rest.is_empty() || total == 0 {
            let (digits, tail) = split(rest);
            let count = whole(digits).map_err(error)?;
            if tail.is_empty() {
                return Err(error("a number has no unit"));
            }
            let (unit, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
            let scale = units
                .find(|(name, _)| *name == unit)
                .map(|(_, scale)| *scale)
                .ok_or_else(|| error("units are h, m, s and ms, each at most once, in this order"))?;
            total = total.saturating_add(count.saturating_mul(scale));
            rest = tail;
            if total == 0 && rest.is_empty() {
                return Err(error("it has no length"));
            }
        }
        Self::new(total).ok_or_else(|| error("it is longer than a year"))
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (name, scale) in LENGTHS {
            let count = rest / scale;
            rest %= scale;
            if count > 0 {
                write!(f, "{count}{name}")?;
            }
        }
        Ok(())
    }
}

scalar!(Length, "length", "A length of time in h, m, s and ms.", "100ms");

/// How much history etcd keeps: a number of revisions, or a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retention {
    /// That many revisions, more than none.
    Revisions(u64),
    /// That long.
    Period(Length),
}

impl Default for Retention {
    fn default() -> Self {
        Self::Revisions(1)
    }
}

impl FromStr for Retention {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "how much history to keep", reason)
                .hint("write a length of time such as 8h, or a number of revisions such as 1000")
        };
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match whole(text).map_err(error)? {
                0 => Err(error("it keeps nothing; leave it out to keep all")),
                // etcd reads it with strconv.ParseInt
                count if count > i64::MAX.unsigned_abs() => Err(error("it is too large")),
                count => Ok(Self::Revisions(count)),
            };
        }
        text.parse().map(Self::Period).map_err(|length: ScalarError| {
            let reason = length.message.rsplit_once(": ").map_or("", |(_, reason)| reason).to_owned();
            error(&reason)
        })
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revisions(count) => count.fmt(f),
            Self::Period(length) => length.fmt(f),
        }
    }
}

scalar!(Retention, "retention", "A length of time, or a number of revisions.", "8h");

#[cfg(test)]
mod tests;
