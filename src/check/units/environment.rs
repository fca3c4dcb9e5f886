//! Files of environment variables, as systemd's `env-file.c` reads them.

use std::collections::BTreeSet;
use zeroize::Zeroizing;

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
    variables(bytes).into_iter().map(|variable| variable.name).collect()
}

/// One assignment. Its value may be a secret: it is wiped when dropped.
pub struct Variable {
    /// The name, without blanks behind it.
    pub name: String,
    /// The value without quotes and escapes; of one that is not quoted, blanks behind it stay.
    pub value: Zeroizing<Vec<u8>>,
}

/// The assignments of a file, in its order: of several of one name the last holds.
pub fn variables(bytes: &[u8]) -> Vec<Variable> {
    let mut found: Vec<Variable> = Vec::new();
    let (mut at, mut name, mut escaped) = (At::Start, Vec::new(), false);
    for byte in bytes.iter().copied() {
        let end = matches!(byte, b'\n' | b'\r');
        let mut add = |bytes: &[u8]| {
            if let Some(variable) = found.last_mut() {
                variable.value.extend_from_slice(bytes);
            }
        };
        if escaped {
            escaped = false;
            match at {
                // within double quotes a backslash is one, but before these
                At::Quoted(_) if byte != b'\n' && !b"\"\\`$".contains(&byte) => add(&[b'\\', byte]),
                At::Before | At::Value | At::Quoted(_) if byte != b'\n' => add(&[byte]),
                _ => {}
            }
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
                let name = String::from_utf8_lossy(&name).trim_end().to_owned();
                found.push(Variable { name, value: Zeroizing::default() });
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
            (At::Quoted(open), byte) if byte == open => At::Before,
            (At::Before, byte) => {
                add(&[byte]);
                At::Value
            }
            (At::Value | At::Quoted(_), byte) => {
                add(&[byte]);
                at
            }
            (at, _) => at,
        };
    }
    found
}
