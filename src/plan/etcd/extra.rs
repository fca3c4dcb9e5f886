//! `extraArgs` of a member: flags that its release knows, and that nothing else of the spec says.

use super::EtcdFlags;
use super::flags::{self, FLAGS, Flag, Kind, Owner, Place};
use super::tuning::unknown;
use crate::plan::settings::Layered;
use crate::spec::Problem;
use crate::spec::scalars::{EtcdVersion, shown};
use crate::spec::suggest::{one_of, similar};
use std::collections::BTreeMap;

/// What a member's own flags are checked against.
pub(super) struct Extra<'a> {
    pub(super) version: EtcdVersion,
    /// Whether the member has `--feature-gates`.
    pub(super) feature_gates: bool,
    /// Whether its settings stand in etcd's configuration file.
    pub(super) in_file: bool,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Extra<'_> {
    /// The flags that can be given.
    pub(super) fn flags(&mut self, written: &BTreeMap<String, Layered<Vec<String>>>) -> EtcdFlags {
        let mut flags = EtcdFlags::new();
        for (name, Layered { value: values, path }) in written {
            let Some(flag) = flags::find(name) else {
                self.problems.push(nameless(name, self.version, path));
                continue;
            };
            let refused = owned(flag, path)
                .or_else(|| self.released(flag, path))
                .or_else(|| self.valued(flag, values, path));
            match refused {
                Some(problem) => self.problems.push(problem),
                None => {
                    flags.insert(name.clone(), values.clone());
                }
            }
        }
        flags
    }

    /// Whether this release does not know it, or not for long.
    fn released(&mut self, flag: &Flag, path: &str) -> Option<Problem> {
        if !flag.is_of(self.version) {
            return Some(unknown(flag, self.version, path));
        }
        let now = flag.now.filter(|_| self.version.minor() >= 6)?;
        if self.feature_gates && now.starts_with("feature-gates=") {
            return Some(
                Problem::error(path, format!("{path}: etcd 3.6 refuses it beside --feature-gates"))
                    .hint(format!("write `{}` instead", now.replacen('=', ": ", 1))),
            );
        }
        let message = format!("{path}: etcd 3.6 has a new name for this flag, 3.7 no longer the old");
        self.problems.push(Problem::warning(path, message).hint(format!("write `{now}` instead")));
        None
    }

    /// Whether its value cannot be given, or should not.
    fn valued(&mut self, flag: &Flag, values: &[String], path: &str) -> Option<Problem> {
        if self.in_file && flag.place == Place::Nowhere {
            return Some(
                Problem::error(path, format!("{path}: etcd's configuration file has no word for this flag"))
                    .hint("write `config: environment` under `etcd`"),
            );
        }
        if flag.kind != Kind::List && values.len() > 1 {
            return Some(
                Problem::error(path, format!("{path}: etcd takes one value of this flag"))
                    .hint("write one value, joined by commas where it is a list"),
            );
        }
        if flag.name == "unsafe-no-fsync" {
            let message = format!("{path}: a member that loses power loses what it has promised to keep");
            self.problems.push(Problem::warning(path, message).hint("remove it"));
        }
        let mut fitted = values.iter().map(|value| (value, fits(flag.kind, value)));
        let (value, (what, hint)) = fitted.find_map(|(value, fitted)| Some((value, fitted.err()?)))?;
        Some(Problem::error(path, format!("{path}: `{}` is not {what}", shown(value))).hint(hint))
    }
}

/// Whether something else of the spec says it.
fn owned(flag: &Flag, path: &str) -> Option<Problem> {
    match flag.owner {
        Owner::Anyone => None,
        Owner::Field(field) => Some(
            Problem::error(path, format!("{path}: the spec has a field for this flag"))
                .hint(format!("write `{field}` instead")),
        ),
        Owner::Ours(reason) => Some(
            Problem::error(path, format!("{path}: this flag is sealift's"))
                .hint(format!("remove it: {reason}")),
        ),
    }
}

/// Whether a flag's value is of its kind; else what it is not, and what to write.
fn fits(kind: Kind, value: &str) -> Result<(), (&'static str, String)> {
    let fit =
        |is: bool, what: &'static str, hint: &str| if is { Ok(()) } else { Err((what, hint.to_owned())) };
    match kind {
        Kind::Bool => fit(flags::parse_bool(value).is_some(), "a boolean", "write true or false"),
        Kind::Integer { least, most } => {
            let bounds = match (least, most) {
                (0, i64::MAX) => "write a whole number, not below 0".to_owned(),
                (i64::MIN, i64::MAX) => "write a whole number".to_owned(),
                (least, most) => format!("write a whole number from {least} to {most}"),
            };
            // Go takes 010 for 8, and `+` not everywhere
            let plain = |number: i64| number.to_string() == value;
            let is = value.parse().is_ok_and(|number| (least..=most).contains(&number) && plain(number));
            fit(is, "a number that it takes", &bounds)
        }
        Kind::Duration => fit(
            flags::nanoseconds(value).is_some(),
            "a Go duration",
            "write numbers with h, m, s or ms after each, such as 1h30m",
        ),
        Kind::Words(words) => {
            fit(words.contains(&value), "a word that it takes", &format!("write {}", one_of(words, "or")))
        }
        Kind::Gates => fit(
            !value.is_empty() && value.split(',').all(is_gate),
            "a list of feature gates",
            "write them like InitialCorruptCheck=true,CompactHashCheck=true",
        ),
        Kind::Text | Kind::Urls | Kind::List => Ok(()),
    }
}

fn is_gate(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| !name.is_empty() && flags::parse_bool(value).is_some())
}

/// A flag that no release knows.
fn nameless(name: &str, version: EtcdVersion, path: &str) -> Problem {
    let known = FLAGS.iter().filter(|flag| flag.is_of(version) && flag.owner == Owner::Anyone);
    let hint = match similar(name, known.map(|flag| flag.name)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("remove it; `etcd --help` of {version} lists what it knows"),
    };
    Problem::error(path, format!("etcd {version} does not know --{}", shown(name))).hint(hint)
}
