//! Files of environment variables, as systemd's `env-file.c` reads them: only the names, since values
//! may be secrets.

use std::collections::BTreeSet;

/// Where the reader is in a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// In front of a name, or of a comment.
    Start,
    Name,
    /// Behind `=`, before anything of the value.
    Before,
    Value,
    Quoted(u8),
    Comment,
}

/// The names of the variables that a file sets.
pub fn names(bytes: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut at, mut name, mut escaped) = (At::Start, Vec::new(), false);
    for byte in bytes.iter().copied() {
        let end = matches!(byte, b'\n' | b'\r');
        if escaped {
            escaped = false;
            at = match at {
                At::Before => At::Value,
                // before systemd 254 the comment went on
                At::Comment if end => At::Start,
                at => at,
            };
            continue;
        }
        at = match (at, byte) {
            (At::Start, b'#' | b';') => At::Comment,
            (At::Start, byte) if !end && !matches!(byte, b' ' | b'\t') => {
                name = vec![byte];
                At::Name
            }
            (At::Name, b'=') => {
                names.insert(String::from_utf8_lossy(&name).trim_end().to_owned());
                At::Before
            }
            (At::Name | At::Before | At::Value | At::Comment, _) if end => At::Start,
            (At::Name, byte) => {
                name.push(byte);
                At::Name
            }
            (At::Before | At::Value | At::Comment | At::Quoted(b'"'), b'\\') => {
                escaped = true;
                at
            }
            (At::Before, b'"' | b'\'') => At::Quoted(byte),
            (At::Before, b' ' | b'\t') => At::Before,
            (At::Before, _) => At::Value,
            (At::Quoted(open), byte) if byte == open => At::Before,
            (at, _) => at,
        };
    }
    names
}
