//! Files in a known format, as their readers read them: YAML, JSON, units of systemd.

use super::REBUILD;
use crate::finding::{Finding, Id};
use saphyr_parser::{Event, Parser};
use std::collections::BTreeSet;

/// The deepest nesting of YAML.
const MOST_DEPTH: usize = 64;
/// Where systemd and Quadlet look for units and what is laid over them (systemd.unit(5),
/// podman-systemd.unit(5)).
const UNITS: [&str; 3] = ["/etc/systemd/system/", "/etc/systemd/network/", "/etc/containers/systemd/"];

/// What is wrong with a file, by what its name says that it is: YAML, JSON or a unit of systemd. The finding
/// says the line and never what stands there: it may be a secret.
pub fn check(path: &str, contents: &[u8], place: &str) -> Option<Finding> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ends = |end: &str| name.ends_with(end);
    let (id, expected, broken) = if ends(".yaml") || ends(".yml") {
        (Id::YamlMalformed, "YAML without tags and duplicate keys", yaml(contents))
    } else if ends(".json") {
        (Id::YamlMalformed, "JSON", json(contents))
    } else if UNITS.iter().any(|directory| path.starts_with(directory)) {
        (Id::UnitMalformed, "sections with `Name=value` lines", unit(contents))
    } else {
        return None;
    };
    broken.err().map(|found| Finding::new(id, place, REBUILD).expected(expected).found(found))
}

fn text(contents: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(contents).map_err(|_| "bytes that are not UTF-8".to_owned())
}

fn json(contents: &[u8]) -> Result<(), String> {
    let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(contents);
    parsed.map(drop).map_err(|error| format!("no JSON in line {}", error.line()))
}

/// A collection that is not complete: the keys of a mapping, and whether a key comes next.
enum Open {
    List,
    Mapping { keys: BTreeSet<String>, key: bool },
}

/// Every document of a file. Never says what stands in it: it may be a secret.
fn yaml(contents: &[u8]) -> Result<(), String> {
    let text = text(contents)?;
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| format!("text that is not YAML in line {}", error.marker().line()))?;
        let said = |what: &str| Err(format!("{what} in line {}", span.start.line()));
        let key = match &event {
            Event::Scalar(_, _, _, tag) | Event::SequenceStart(_, tag) | Event::MappingStart(_, tag)
                if tag.is_some() =>
            {
                return said("a tag");
            }
            Event::Scalar(text, ..) => Some(text.as_ref()),
            Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..) => None,
            Event::SequenceEnd | Event::MappingEnd => {
                drop(open.pop());
                continue;
            }
            _ => continue,
        };
        if let Some(Open::Mapping { keys, key: next }) = open.last_mut() {
            let is_key = std::mem::replace(next, !*next);
            match (is_key, key) {
                (true, Some(key)) if !keys.insert(key.to_owned()) => return said("a key that stands twice"),
                (true, None) => return said("a key that is no text"),
                _ => {}
            }
        }
        match event {
            Event::SequenceStart(..) => open.push(Open::List),
            Event::MappingStart(..) => open.push(Open::Mapping { keys: BTreeSet::new(), key: true }),
            _ => {}
        }
        if open.len() > MOST_DEPTH {
            return said("too deep a nesting");
        }
    }
    Ok(())
}

/// The form of systemd.syntax(7). systemd itself passes over lines that it cannot read, with a warning.
fn unit(contents: &[u8]) -> Result<(), String> {
    let text = text(contents)?;
    let (mut section, mut goes_on) = (false, false);
    for (index, line) in text.lines().enumerate() {
        let said = |what: &str| Err(format!("{what} in line {}", index + 1));
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return said("a control character");
        }
        let comment = line.trim_start().starts_with(['#', ';']);
        if comment || (line.trim().is_empty() && !goes_on) {
            continue;
        }
        let begins = !std::mem::replace(&mut goes_on, line.ends_with('\\'));
        if !begins {
            continue;
        }
        let line = line.trim();
        if let Some(rest) = line.strip_prefix('[') {
            match rest.strip_suffix(']') {
                Some(name) if !name.is_empty() && !name.contains(['[', ']']) => section = true,
                _ => return said("a section without end"),
            }
            continue;
        }
        let name = line.split_once('=').map(|(name, _)| name.trim());
        match name {
            _ if !section => return said("a line before the first section"),
            Some(name)
                if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {}
            _ => return said("no `Name=value`"),
        }
    }
    if goes_on { Err("an end within a line that goes on".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{unit, yaml};

    #[test]
    fn yaml_of_one_meaning() {
        for good in ["", "a: 1\n---\na: 2\n", "- {a: 1}\n- {a: 2}\n", "a: &x {b: 1}\nc: *x\n", "# nothing\n"]
        {
            assert_eq!(yaml(good.as_bytes()), Ok(()), "{good}");
        }
        for (bad, said) in [
            ("a: 1\nb: 2\na: 3\n", "a key that stands twice in line 3"),
            ("a: [1\n", "text that is not YAML in line 2"),
            ("a: !x 1\n", "a tag in line 1"),
            ("{a: 1}: 2\n", "a key that is no text in line 1"),
        ] {
            assert_eq!(yaml(bad.as_bytes()), Err(said.to_owned()), "{bad}");
        }
        assert_eq!(yaml("[".repeat(100).as_bytes()), Err("too deep a nesting in line 1".to_owned()));
        assert_eq!(yaml(b"\xff"), Err("bytes that are not UTF-8".to_owned()));
    }

    #[test]
    fn units_of_sections_and_settings() {
        for good in
            ["", "# a\n[Service]\nExecStart=\nExecStart=/bin/x \\\n  # b\n  --c\n", "[A]\n\nX-B = c\n"]
        {
            assert_eq!(unit(good.as_bytes()), Ok(()), "{good}");
        }
        for (bad, said) in [
            ("A=b\n", "a line before the first section in line 1"),
            ("[A\nB=c\n", "a section without end in line 1"),
            ("[A]\nB\n", "no `Name=value` in line 2"),
            ("[A]\nB c=d\n", "no `Name=value` in line 2"),
            ("[A]\nB=c\\", "an end within a line that goes on"),
            ("[A]\nB=\u{1b}c\n", "a control character in line 2"),
        ] {
            assert_eq!(unit(bad.as_bytes()), Err(said.to_owned()), "{bad}");
        }
    }
}
