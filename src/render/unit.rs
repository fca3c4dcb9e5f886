//! How systemd reads words of a command line, assignments and variables: quoted so that each value stays
//! one word of its own (systemd.syntax(7), systemd.service(5), systemd.exec(5)).

use super::escape::{Format, is_plain};
use crate::plan::etcd::is_bare;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, State};

/// Adds the filters to an environment.
pub(super) fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("argument", |state: &State<'_, '_>, text: &str| safe(state, text, argument));
    environment.add_filter("assignment", |state: &State<'_, '_>, text: &str| safe(state, text, assignment));
    environment.add_filter("bare", bare);
    environment.add_filter("line", |state: &State<'_, '_>, text: &str| safe(state, text, str::to_owned));
    environment.add_filter("pattern", pattern);
    environment.add_filter("words", words);
    environment.add_filter("variable", |state: &State<'_, '_>, text: &str| safe(state, text, variable));
}

fn safe(state: &State<'_, '_>, text: &str, quote: fn(&str) -> String) -> Result<Value, Error> {
    let refuse = |message: &str| Err(Error::new(ErrorKind::BadEscape, message.to_owned()));
    if !matches!(Format::of(state.name()), Format::Plain) {
        return refuse("this filter is for units and environment files");
    }
    // nothing reads control characters the same way everywhere, and a line feed ends a line
    if text.chars().any(char::is_control) {
        return refuse("a value has control characters");
    }
    Ok(Value::from_safe_string(quote(text)))
}

/// A value in a file that systemd, podman and docker read, each in its own way: unquoted, of characters
/// that mean themselves to all of them.
fn bare(state: &State<'_, '_>, text: &str) -> Result<Value, Error> {
    if is_bare(text) {
        return safe(state, text, str::to_owned);
    }
    Err(Error::new(ErrorKind::BadEscape, "a value has characters that this file format cannot hold"))
}

/// A pattern of logrotate's: plain, and `*`.
fn pattern(state: &State<'_, '_>, text: &str) -> Result<Value, Error> {
    if is_plain(&text.replace('*', "x")) {
        return safe(state, text, str::to_owned);
    }
    Err(Error::new(ErrorKind::BadEscape, "a pattern has characters that mean something else"))
}

/// Words of a command line that mean themselves to systemd and to podman's Quadlet.
#[allow(clippy::needless_pass_by_value, reason = "minijinja's signature")]
fn words(state: &State<'_, '_>, words: Vec<String>) -> Result<Value, Error> {
    if words.iter().all(|word| is_plain(word)) {
        return safe(state, &words.join(" "), str::to_owned);
    }
    Err(Error::new(ErrorKind::BadEscape, "a value has characters that this file format cannot hold"))
}

/// A word of `ExecStart=` behind the first: `%` and `$` are doubled, backslash and quotes escaped.
fn argument(text: &str) -> String {
    quoted(text, |c| match c {
        '\\' | '"' => Some('\\'),
        '%' | '$' => Some(c),
        _ => None,
    })
}

/// `NAME=VALUE` of `Environment=`: as there, but `$` means nothing.
fn assignment(text: &str) -> String {
    quoted(text, |c| match c {
        '\\' | '"' => Some('\\'),
        '%' => Some('%'),
        _ => None,
    })
}

/// A value in a file of `EnvironmentFile=`: a shell's rules of double quotes, and no expansion.
fn variable(text: &str) -> String {
    quoted(text, |c| matches!(c, '\\' | '"' | '`' | '$').then_some('\\'))
}

/// In double quotes where it is not plain; `before` says what is put before a character.
fn quoted(text: &str, before: impl Fn(char) -> Option<char>) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let inner: String = text.chars().flat_map(|c| before(c).into_iter().chain([c])).collect();
    format!("\"{inner}\"")
}

#[cfg(test)]
mod tests;
