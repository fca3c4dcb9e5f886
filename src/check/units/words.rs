//! Words of a value, as systemd's `extract_first_word` takes them with quotes and escapes.

use std::iter::Peekable;
use std::str::Chars;

/// The words of a value, up to the first that cannot be read.
pub fn split(value: &str) -> Vec<String> {
    let mut chars = value.chars().peekable();
    let mut words = Vec::new();
    loop {
        while chars.next_if(|char| is_blank(*char)).is_some() {}
        if chars.peek().is_none() {
            return words;
        }
        let Some(word) = word(&mut chars) else { return words };
        words.push(word);
    }
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

fn word(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let (mut word, mut quote) = (String::new(), None);
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\\', _) => word.push(escape(chars)?),
            ('"' | '\'', None) => quote = Some(char),
            (char, Some(open)) if char == open => quote = None,
            (char, None) if is_blank(char) => break,
            (char, _) => word.push(char),
        }
    }
    quote.is_none().then_some(word)
}

/// What follows a backslash (systemd's `cunescape_one`).
fn escape(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    Some(match chars.next()? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        's' => ' ',
        same @ ('\\' | '"' | '\'') => same,
        'x' => number(chars, 2, 16, 0)?,
        'u' => number(chars, 4, 16, 0)?,
        'U' => number(chars, 8, 16, 0)?,
        octal => number(chars, 2, 8, octal.to_digit(8)?)?,
    })
}

fn number(chars: &mut Peekable<Chars<'_>>, digits: usize, radix: u32, start: u32) -> Option<char> {
    let mut value = start;
    for _ in 0..digits {
        value = value.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?)?;
    }
    char::from_u32(value).filter(|char| *char != '\0')
}

/// The environment variables that a command line of a unit refers to: `$NAME` and `${NAME}`.
pub fn variables(command: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = command;
    while let Some((_, after)) = rest.split_once('$') {
        if let Some(behind) = after.strip_prefix('$') {
            rest = behind;
            continue;
        }
        let name = after.strip_prefix('{').unwrap_or(after);
        let end = name.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(name.len());
        let (name, behind) = name.split_at_checked(end).unwrap_or_default();
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        rest = behind;
    }
    names
}
