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
            if let Err(problem) = self.check(flag, values, path) {
                self.problems.push(problem);
                continue;
            }
            flags.insert(name.clone(), values.clone());
        }
        flags
    }

    fn check(&mut self, flag: &Flag, values: &[String], path: &str) -> Result<(), Problem> {
        let error = |message: String, hint: String| Err(Problem::error(path, message).hint(hint));
        match flag.owner {
            Owner::Field(field) => {
                return error(
                    format!("{path}: the spec has a field for this flag"),
                    format!("write `{field}` instead"),
                );
            }
            Owner::Ours(reason) => {
                return error(format!("{path}: this flag is sealift's"), format!("remove it: {reason}"));
            }
            Owner::Anyone => {}
        }
        if !flag.is_of(self.version) {
            return Err(unknown(flag, self.version, path));
        }
        if let Some(now) = flag.now.filter(|_| self.version.minor() >= 6) {
            if self.feature_gates && now.starts_with("feature-gates=") {
                return error(
                    format!("{path}: etcd 3.6 refuses it beside --feature-gates"),
                    format!("write `{}` instead", now.replacen('=', ": ", 1)),
                );
            }
            self.problems.push(
                Problem::warning(
                    path,
                    format!("{path}: etcd 3.6 has a new name for this flag, 3.7 no longer the old"),
                )
                .hint(format!("write `{now}` instead")),
            );
        }
        if self.in_file && flag.place == Place::Nowhere {
            return error(
                format!("{path}: etcd's configuration file has no word for this flag"),
                "write `config: environment` under `etcd`".to_owned(),
            );
        }
        if flag.kind != Kind::List && values.len() > 1 {
            return error(
                format!("{path}: etcd takes one value of this flag"),
                "write one value, joined by commas where it is a list".to_owned(),
            );
        }
        if flag.name == "unsafe-no-fsync" {
            self.problems.push(
                Problem::warning(
                    path,
                    format!("{path}: a member that loses power loses what it has promised to keep"),
                )
                .hint("remove it"),
            );
        }
        values.iter().try_for_each(|value| {
            fits(flag.kind, value)
                .or_else(|(what, hint)| error(format!("{path}: `{}` is not {what}", shown(value)), hint))
        })
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
            let is = value.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number));
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
