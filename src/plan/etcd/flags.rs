//! etcd's flags: what their values are, in which releases, and what the configuration file calls them.

mod table;
mod value;

pub(super) use table::FLAGS;
pub(super) use value::{nanoseconds, parse_bool};

use crate::spec::scalars::EtcdVersion;

/// What the value of a flag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number, not below 0 (but for a few).
    Integer {
        /// The least.
        least: i64,
        /// The greatest.
        most: i64,
    },
    /// A Go duration.
    Duration,
    /// Any text.
    Text,
    /// One of some words.
    Words(&'static [&'static str]),
    /// URLs joined by commas; one text in the configuration file too.
    Urls,
    /// Feature gates, `Name=true`, joined by commas; one text in the configuration file too.
    Gates,
    /// Texts: joined by commas in a flag, a list in the configuration file.
    List,
}

/// Where the configuration file has a flag's value (`embed.Config`, `securityConfig`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the top, by the flag's name.
    Same,
    /// In `client-transport-security`.
    Client(&'static str),
    /// In `peer-transport-security`.
    Peer(&'static str),
    /// In `socket-options`.
    Socket(&'static str),
    /// Nowhere.
    Nowhere,
}

/// Who says what a flag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// `extraArgs`.
    Anyone,
    /// A field of the spec.
    Field(&'static str),
    /// What sealift places, or what a member of its clusters cannot be: the reason.
    Ours(&'static str),
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    /// The name without dashes.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) place: Place,
    pub(super) owner: Owner,
    /// The first patch release of 3.4, 3.5 and 3.6 that knows it; [`NEVER`] when none does.
    since: [u32; 3],
    /// From 3.6 on: what its name there is.
    pub(super) now: Option<&'static str>,
}

/// No patch release.
const NEVER: u32 = u32::MAX;

impl Flag {
    /// Whether a release knows it.
    pub(super) fn is_of(&self, version: EtcdVersion) -> bool {
        self.first_of(version.minor()).is_some_and(|patch| version.patch() >= patch)
    }

    /// The field below `tuning` that says it.
    pub(super) fn tuning_field(&self) -> Option<&'static str> {
        match self.owner {
            Owner::Field(field) => field.strip_prefix("etcd.tuning."),
            Owner::Anyone | Owner::Ours(_) => None,
        }
    }

    /// The first patch release of a minor one that knows it.
    pub(super) fn first_of(&self, minor: u32) -> Option<u32> {
        let index = usize::try_from(minor.checked_sub(4)?).ok()?;
        self.since.get(index).copied().filter(|patch| *patch != NEVER)
    }
}

/// A flag by its name, of whichever release.
pub(super) fn find(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

/// What a flag of 3.6 is called in an older release that has it under its old name.
pub(super) fn older_name(name: &str, version: EtcdVersion) -> Option<&'static str> {
    FLAGS.iter().find(|flag| flag.now == Some(name) && flag.is_of(version)).map(|flag| flag.name)
}

/// The field below `tuning` that says what a flag does.
pub(in crate::plan) fn field_of(name: &str) -> Option<&'static str> {
    find(name)?.tuning_field()
}
