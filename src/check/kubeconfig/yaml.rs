//! YAML as kubeconfigs need it: one document, no aliases, no key twice, bounded.

use super::KubeconfigError;
use saphyr_parser::{Event, Parser};
use zeroize::Zeroizing;

/// The largest text, in bytes.
const MOST_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MOST_DEPTH: usize = 32;
/// The most scalars, lists and mappings.
const MOST_NODES: usize = 50_000;

/// A value. Texts are wiped when dropped: some of them are secrets.
pub(super) enum Yaml {
    /// Text, and whether it stood without quotes.
    Scalar(Zeroizing<String>, bool),
    List(Vec<Yaml>),
    Mapping(Vec<(Zeroizing<String>, Yaml)>),
    Null,
}

impl Yaml {
    /// What a missing value is.
    pub(super) const NULL: Self = Self::Null;

    /// The value of a key, when this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Mapping(entries) = self else { return None };
        entries.iter().find(|(name, _)| name.as_str() == key).map(|(_, value)| value)
    }

    pub(super) fn items(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self, Self::Mapping(_))
    }

    pub(super) fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Scalar(text, plain) => *plain && matches!(text.as_str(), "" | "~" | "null"),
            _ => false,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Scalar(text, _) = self { Some(text) } else { None }
    }
}

/// A list or mapping that is not complete, with the key that waits for its value.
enum Open {
    List(Vec<Yaml>),
    Mapping(Vec<(Zeroizing<String>, Yaml)>, Option<Zeroizing<String>>),
}

/// Reads the one document of a text.
pub(super) fn read(text: &[u8]) -> Result<Yaml, KubeconfigError> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MOST_BYTES);
    let text = text.ok_or(KubeconfigError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut stack: Vec<Open> = Vec::new();
    let mut root = None;
    let mut nodes = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| KubeconfigError::NotYaml { line: error.marker().line() })?;
        let line = span.start.line();
        nodes += 1;
        if nodes > MOST_NODES || stack.len() > MOST_DEPTH {
            return Err(KubeconfigError::NotYaml { line });
        }
        let complete = match event {
            Event::Alias(_) => return Err(KubeconfigError::Alias { line }),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return Err(KubeconfigError::Alias { line });
            }
            Event::Scalar(text, style, ..) => {
                let plain = style == saphyr_parser::ScalarStyle::Plain;
                Yaml::Scalar(Zeroizing::new(text.into_owned()), plain)
            }
            Event::SequenceStart(..) => {
                stack.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                stack.push(Open::Mapping(Vec::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match stack.pop() {
                Some(Open::List(items)) => Yaml::List(items),
                Some(Open::Mapping(entries, _)) => Yaml::Mapping(entries),
                None => return Err(KubeconfigError::NotYaml { line }),
            },
            Event::DocumentStart(_) if root.is_some() => return Err(KubeconfigError::NotYaml { line }),
            _ => continue,
        };
        if let Some(document) = place(&mut stack, complete, line)? {
            root = Some(document);
        }
    }
    Ok(root.unwrap_or(Yaml::NULL))
}

/// Puts a complete value where it belongs; gives it back when it is the document.
fn place(stack: &mut [Open], value: Yaml, line: usize) -> Result<Option<Yaml>, KubeconfigError> {
    match stack.last_mut() {
        None => return Ok(Some(value)),
        Some(Open::List(items)) => items.push(value),
        Some(Open::Mapping(entries, waiting)) => match (waiting.take(), value) {
            (Some(key), value) => entries.push((key, value)),
            (None, Yaml::Scalar(key, _)) => {
                if entries.iter().any(|(other, _)| *other == key) {
                    return Err(KubeconfigError::Repeated { line });
                }
                *waiting = Some(key);
            }
            (None, _) => return Err(KubeconfigError::NotYaml { line }),
        },
    }
    Ok(None)
}
