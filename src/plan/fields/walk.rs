//! A value against a table: unknown fields, fields of other releases, wrong types, wrong forms.
//!
//! The words are those of the spec's own structural check (`spec::structure`).

use super::nearest;
use super::notation::{is_duration, is_quantity};
use super::{Configuration, Field, Kind, Word};
use crate::spec::scalars::shown;
use crate::spec::suggest::{one_of, similar};
use crate::spec::{Path, Problem};
use serde_json::{Map, Number, Value};

/// What sealift writes itself at the top of every configuration.
const OURS: &[&str] = &["apiVersion", "kind"];

/// Checks a value against a configuration of one release.
pub(super) fn check(configuration: Configuration, minor: u32, value: &Value, path: &Path) -> Vec<Problem> {
    let mut walk = Walk { configuration, minor, problems: Vec::new() };
    let mut rest = value.clone();
    if let Some(object) = rest.as_object_mut() {
        for name in OURS {
            if object.remove(*name).is_some() {
                walk.ours(name, path);
            }
        }
    }
    walk.value(&rest, Kind::Object(configuration.fields()), path);
    walk.problems
}

struct Walk {
    configuration: Configuration,
    minor: u32,
    problems: Vec<Problem>,
}

impl Walk {
    fn ours(&mut self, name: &str, path: &Path) {
        let message = format!("`{name}`{} is written by sealift", path.within());
        self.problems.push(Problem::error(path.key(name), message).hint("remove it"));
    }

    fn value(&mut self, value: &Value, kind: Kind, path: &Path) {
        match (kind, value) {
            (Kind::Object(fields), Value::Object(object)) => self.object(object, fields, path),
            (Kind::Map(of), Value::Object(object)) => {
                for (key, value) in object {
                    self.value(value, *of, &path.key(key));
                }
            }
            (Kind::List(of), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, *of, &path.index(index));
                }
            }
            (Kind::Bool, Value::Bool(_))
            | (Kind::Float | Kind::Quantity, Value::Number(_))
            | (Kind::Text | Kind::Secret, Value::String(_)) => {}
            (Kind::Integer { least, most }, Value::Number(number)) => {
                self.integer(number, least, most, path);
            }
            (Kind::DurationOrNanoseconds, Value::Number(number)) => {
                self.integer(number, i64::MIN, i64::MAX, path);
            }
            (Kind::Word(words), Value::String(text)) => self.word(text, words, path),
            (Kind::Duration | Kind::DurationOrNanoseconds, Value::String(text)) => {
                let hint = "write numbers with h, m, s or ms after each, such as 1h30m";
                self.form(text, is_duration(text), "a Go duration", hint, path);
            }
            (Kind::Quantity, Value::String(text)) => {
                let hint = "write a number, with m, k, M, G, Ki, Mi or Gi after it where needed";
                self.form(text, is_quantity(text), "a quantity", hint, path);
            }
            _ => self.wrong_type(value, kind, path),
        }
    }

    fn object(&mut self, object: &Map<String, Value>, fields: &'static [Field], path: &Path) {
        for (name, value) in object {
            let rows = || fields.iter().filter(|field| field.name == name);
            let Some(field) = rows().find(|field| field.is_of(self.minor)) else {
                match rows().next() {
                    Some(other) => self.other_release(other, path),
                    None => self.unknown(name, object, fields, path),
                }
                continue;
            };
            if value.is_null() {
                continue;
            }
            let path = path.key(name);
            // a field whose type changed is the likeliest mistake of who comes from the other release
            match rows().find(|other| !other.is_of(self.minor) && is_of_type(value, other.kind)) {
                Some(other) if !is_of_type(value, field.kind) => {
                    self.changed_type(value, field, other, &path);
                }
                _ => self.value(value, field.kind, &path),
            }
        }
    }

    fn unknown(&mut self, name: &str, object: &Map<String, Value>, fields: &'static [Field], path: &Path) {
        let known: Vec<&str> =
            fields.iter().filter(|field| field.is_of(self.minor)).map(|field| field.name).collect();
        let absent: Vec<&str> = known.iter().copied().filter(|name| !object.contains_key(*name)).collect();
        let message = format!("unknown field `{}`{}", shown(name), path.within());
        let hint = nearest::hint(name, &known, &absent);
        self.problems.push(Problem::error(path.key(name), message).hint(hint));
    }

    fn other_release(&mut self, field: &Field, path: &Path) {
        let (kind, minor) = (self.configuration.kind(), self.minor);
        let when = came_or_went(minor, field.from, field.until);
        let message = format!("{kind} of 1.{minor} has no `{}`{}; it {when}", field.name, path.within());
        let hint = match field.instead.filter(|_| field.until < minor) {
            Some(other) => format!("write `{other}` instead"),
            None => "remove it, or change `kubernetes.version`".to_owned(),
        };
        self.problems.push(Problem::error(path.key(field.name), message).hint(hint));
    }

    fn changed_type(&mut self, value: &Value, field: &Field, other: &Field, path: &Path) {
        let (now, before) = (named(field.kind), named(other.kind));
        let hint = if other.until < self.minor {
            format!("{before} up to 1.{}, {now} from 1.{} on", other.until, field.from)
        } else {
            format!("{now} up to 1.{}, {before} from 1.{} on", field.until, other.from)
        };
        self.bad(path, &format!("expected {now}, found {}", found(value)), &hint);
    }

    fn word(&mut self, text: &str, words: &[Word], path: &Path) {
        let known: Vec<&str> =
            words.iter().filter(|word| word.is_of(self.minor)).map(|word| word.text).collect();
        if text.is_empty() || known.contains(&text) {
            return;
        }
        let hint = match similar(text, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("write {}", one_of(&known, "or")),
        };
        let reason = match words.iter().find(|word| word.text == text) {
            Some(word) => {
                let when = came_or_went(self.minor, word.from, word.until);
                format!("`{text}` is not known in 1.{}; it {when}", self.minor)
            }
            None => format!("`{}` is not known", shown(text)),
        };
        self.bad(path, &reason, &hint);
    }

    fn integer(&mut self, number: &Number, least: i64, most: i64, path: &Path) {
        if number.is_f64() {
            let reason = format!("expected a whole number, found a number, {number}");
            self.bad(path, &reason, "write decimal digits alone");
        } else if !number.as_i64().is_some_and(|number| (least..=most).contains(&number)) {
            let reason = format!("`{number}` is not a whole number from {least} to {most}");
            self.bad(path, &reason, "write a number within these bounds");
        }
    }

    fn form(&mut self, text: &str, is_right: bool, name: &str, hint: &str, path: &Path) {
        if !is_right {
            self.bad(path, &format!("`{}` is not {name}", shown(text)), hint);
        }
    }

    fn wrong_type(&mut self, value: &Value, kind: Kind, path: &Path) {
        let secret = matches!(kind, Kind::Secret);
        let found = if secret { found_unseen(value).to_owned() } else { found(value) };
        self.bad(path, &format!("expected {}, found {found}", named(kind)), &remedy(value, kind));
        if let Some(problem) = self.problems.last_mut() {
            problem.secret = secret;
        }
    }

    fn bad(&mut self, path: &Path, reason: &str, hint: &str) {
        let message = format!("{}: {reason}", path.subject());
        self.problems.push(Problem::error(path.clone(), message).hint(hint));
    }
}

/// Since when it is there, or until when it was: a release has it not.
fn came_or_went(minor: u32, from: u32, until: u32) -> String {
    if minor < from { format!("came with 1.{from}") } else { format!("was last in 1.{until}") }
}

/// What a kind is, with an article.
const fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Object(_) | Kind::Map(_) => "a mapping",
        Kind::List(_) => "a list",
        Kind::Integer { .. } => "a whole number",
        Kind::Float => "a number",
        Kind::Bool => "a boolean",
        Kind::Duration | Kind::DurationOrNanoseconds => "a duration",
        Kind::Quantity => "a quantity",
        Kind::Text | Kind::Secret | Kind::Word(_) => "a string",
    }
}

/// What to do about a value of a wrong type.
fn remedy(value: &Value, kind: Kind) -> String {
    let form = match kind {
        _ if value.is_null() => "write a value, or remove the key",
        Kind::Object(_) | Kind::Map(_) => "write `key: value` lines below it",
        Kind::List(_) => "write it as [a, b], or with `- ` before each item",
        Kind::Integer { .. } | Kind::Float => match value.as_str().map(str::parse::<f64>) {
            Some(Ok(_)) => "remove the quotes",
            _ => "write decimal digits alone",
        },
        Kind::Bool => match value.as_str() {
            Some("true" | "false") => "remove the quotes",
            _ => "write true or false",
        },
        Kind::Duration | Kind::DurationOrNanoseconds => "write it with its unit, such as 10s or 1h30m",
        Kind::Text | Kind::Word(_) if value.is_boolean() || value.is_number() => {
            return format!("put it in quotes: \"{}\"", shown(&value.to_string()));
        }
        Kind::Secret if value.is_boolean() || value.is_number() => "put it in quotes",
        Kind::Quantity | Kind::Text | Kind::Secret | Kind::Word(_) => "write a single value",
    };
    form.to_owned()
}

/// What a value is, as a message says it.
fn found(value: &Value) -> String {
    let name = found_unseen(value);
    match value {
        Value::Bool(_) | Value::Number(_) => format!("{name}, {}", shown(&value.to_string())),
        Value::String(text) => format!("{name}, \"{}\"", shown(text)),
        Value::Null | Value::Array(_) | Value::Object(_) => name.to_owned(),
    }
}

const fn found_unseen(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Whether a value is a list or a mapping where the kind is one.
fn is_of_type(value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::Object(_) | Kind::Map(_) => value.is_object(),
        Kind::List(_) => value.is_array(),
        _ => false,
    }
}
