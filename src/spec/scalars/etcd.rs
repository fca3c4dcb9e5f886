//! Single values of etcd's settings.

use super::name::text_type;
use super::{ScalarError, decimal, text_scalar};
use std::fmt;
use std::str::FromStr;

/// An etcd release, `3.MINOR.PATCH`; a leading `v` is accepted and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EtcdVersion {
    minor: u32,
    patch: u32,
}

/// The minor releases of etcd 3 whose flags sealift knows.
const MINORS: std::ops::RangeInclusive<u32> = 4..=6;

impl EtcdVersion {
    /// A release of etcd 3.
    pub const fn new(minor: u32, patch: u32) -> Self {
        Self { minor, patch }
    }

    /// The second number.
    pub const fn minor(self) -> u32 {
        self.minor
    }

    /// The third number.
    pub const fn patch(self) -> u32 {
        self.patch
    }

    /// The release that an image's tag names, such as `v3.6.8` or `3.6.8-0`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let bare = tag.split(['-', '@']).next().unwrap_or_default();
        bare.parse().ok()
    }
}

impl FromStr for EtcdVersion {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error =
            |reason: &str| ScalarError::new(text, "an etcd release", reason).hint("write it like 3.6.8");
        let bare = text.strip_prefix('v').unwrap_or(text);
        let parts: Vec<&str> = bare.splitn(4, '.').collect();
        let &["3", minor, patch] = parts.as_slice() else {
            return Err(error("it is not 3 and two more numbers"));
        };
        let number = |part: &str| decimal(part).map_err(error);
        let version = Self { minor: number(minor)?, patch: number(patch)? };
        if MINORS.contains(&version.minor) {
            Ok(version)
        } else {
            Err(error("sealift knows 3.4, 3.5 and 3.6"))
        }
    }
}

impl fmt::Display for EtcdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}.{}", self.minor, self.patch)
    }
}

text_scalar!(EtcdVersion, "etcd-version", "A release of etcd, 3.MINOR.PATCH.", "3.6.8");

/// A user's or group's name, as every tool takes it (systemd, `USER_NAMES.md`, the strict form).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoginName(String);
text_type!(LoginName);

/// useradd takes 32, utmp has room for 31 and a terminator.
const LONGEST_LOGIN: usize = 31;

impl FromStr for LoginName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a user's name", reason)
                .hint("use lower-case letters, digits, `_` and `-`, a letter or `_` first")
        };
        let first = |c: char| c.is_ascii_lowercase() || c == '_';
        if !text.starts_with(first) {
            return Err(error("it begins with something else"));
        }
        if !text.chars().all(|c| first(c) || c.is_ascii_digit() || c == '-') {
            return Err(error("a character is not allowed"));
        }
        if text.len() > LONGEST_LOGIN {
            return Err(error("it is longer than 31 characters"));
        }
        if text == "root" {
            return Err(error("it is the administrator's"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(LoginName, "login-name", "The name of a user of the system.", "etcd");
