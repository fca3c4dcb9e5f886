//! A small, strict reader of YAML that a component wrote on a host.
//!
//! `spec` reads what a person writes, and says where each mistake stands; here a text is as expected
//! or it is not, and no part of it may end up in a message. So what two readers could understand in
//! two ways is refused: anchors, tags, merge keys, duplicate keys, a second document. Texts are wiped
//! when dropped: some of them are secrets.

use saphyr_parser::{Event, Parser, ScalarStyle};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The largest text, in bytes.
const MOST_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MOST_DEPTH: usize = 32;
/// The most scalars, lists and mappings.
const MOST_NODES: usize = 50_000;

/// Why a text is refused. Never says what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// More bytes than any file that components write.
    #[error("more than 1 MiB")]
    TooLarge,
    /// No text.
    #[error("bytes that are not UTF-8")]
    NotUtf8,
    /// No YAML, or more of it than is needed.
    #[error("{what} in line {line}")]
    Refused {
        /// What stands there.
        what: &'static str,
        /// From 1.
        line: usize,
    },
}

/// In YAML 1.1, which go-yaml reads, these end lines and comments (section 4.2 there); in YAML 1.2 they do
/// not. What components write has them escaped.
pub(crate) const DISPUTED: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// A text that is wiped when dropped, and not shown by `{:?}`.
#[derive(PartialEq, Eq)]
pub(super) struct Text(Zeroizing<String>);

impl Text {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text(..)")
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a text holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    Scalar(Text),
    /// `null`, `~` and nothing at all, when they are not quoted.
    Null,
    List(Vec<Node>),
    Mapping(BTreeMap<Text, Node>),
}

impl Node {
    /// The value of a key; none of what is no mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Mapping(entries) => entries.get(key),
            _ => None,
        }
    }

    /// The items of a list, and of nothing at all; none of what is no list.
    pub(super) fn items(node: Option<&Self>) -> Option<&[Self]> {
        match node {
            None | Some(Self::Null) => Some(&[]),
            Some(Self::List(items)) => Some(items),
            Some(Self::Scalar(_) | Self::Mapping(_)) => None,
        }
    }

    /// A scalar's text, empty for nothing at all; none of a list or mapping.
    pub(super) fn text(node: Option<&Self>) -> Option<&str> {
        match node {
            None | Some(Self::Null) => Some(""),
            Some(Self::Scalar(text)) => Some(text.as_str()),
            Some(Self::List(_) | Self::Mapping(_)) => None,
        }
    }
}

/// Reads the one document of a text; none when there is none, or says what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Node>, YamlError> {
    if bytes.len() > MOST_BYTES {
        return Err(YamlError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| YamlError::NotUtf8)?;
    if let Some(at) = text.find(DISPUTED) {
        let line = text.get(..at).unwrap_or_default().split('\n').count();
        return Err(YamlError::Refused {
            what: "a line break that readers disagree on (U+0085, U+2028, U+2029)",
            line,
        });
    }
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let refused = |what, line| YamlError::Refused { what, line };
        let (event, span) = event.map_err(|error| refused("text that is not YAML", error.marker().line()))?;
        reader.event(event).map_err(|what| refused(what, span.start.line()))?;
    }
    Ok(reader.root)
}

/// A collection that is not complete.
enum Open {
    List(Vec<Node>),
    Mapping { entries: BTreeMap<Text, Node>, key: Option<Text> },
}

#[derive(Default)]
struct Reader {
    root: Option<Node>,
    stack: Vec<Open>,
    nodes: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(anchor, tag)
            | Event::MappingStart(anchor, tag)
                if anchor != 0 || tag.is_some() =>
            {
                Err("a YAML anchor or tag")
            }
            Event::Scalar(text, style, ..) => {
                self.count()?;
                let text = Text(Zeroizing::new(text.into_owned()));
                let plain = style == ScalarStyle::Plain;
                let null = plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
                self.complete(if null { Node::Null } else { Node::Scalar(text) })
            }
            Event::SequenceStart(..) => self.open(Open::List(Vec::new())),
            Event::MappingStart(..) => self.open(Open::Mapping { entries: BTreeMap::new(), key: None }),
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Open::List(items)) => self.complete(Node::List(items)),
                Some(Open::Mapping { entries, .. }) => self.complete(Node::Mapping(entries)),
                None => Ok(()),
            },
            Event::Alias(_) => Err("a YAML alias"),
            Event::DocumentStart(_) if self.root.is_some() => Err("a second document"),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self) -> Result<(), &'static str> {
        self.nodes += 1;
        if self.nodes > MOST_NODES { Err("too many values") } else { Ok(()) }
    }

    fn open(&mut self, collection: Open) -> Result<(), &'static str> {
        self.count()?;
        if self.stack.len() >= MOST_DEPTH {
            return Err("too deep a nesting");
        }
        self.stack.push(collection);
        Ok(())
    }

    /// Puts a finished node where it belongs: document, list, key or value.
    fn complete(&mut self, node: Node) -> Result<(), &'static str> {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Mapping { entries, key }) => match (key.take(), node) {
                (Some(key), node) => drop(entries.insert(key, node)),
                (None, Node::Scalar(text)) => match text.as_str() {
                    "<<" => return Err("a YAML merge key"),
                    name if entries.contains_key(name) => return Err("a key that stands twice"),
                    _ => *key = Some(text),
                },
                (None, _) => return Err("a key that is no text"),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{MOST_BYTES, MOST_NODES, Node, Text, YamlError, read};
    use zeroize::Zeroizing;

    fn problem(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn reads_what_components_write() {
        let text = "a: 1\nb:\n- x\n- 'null'\n- null\nc: {\"d\": \"~\", e: ~, f: }\ng: |\n  two\n  lines\n";
        let node = read(text.as_bytes()).unwrap().unwrap();
        let text_of = |text: &str| Text(Zeroizing::new(text.to_owned()));
        let scalar = |text: &str| Node::Scalar(text_of(text));
        assert_eq!(Node::text(node.get("a")), Some("1"));
        assert_eq!(Node::items(node.get("b")), Some(&[scalar("x"), scalar("null"), Node::Null][..]));
        let c = node.get("c").unwrap();
        let texts = ["d", "e", "f", "none"].map(|key| Node::text(c.get(key)));
        assert_eq!(texts, [Some("~"), Some(""), Some(""), Some("")]);
        assert_eq!((Node::text(node.get("c")), Node::text(node.get("b"))), (None, None));
        assert_eq!(Node::text(node.get("g")), Some("two\nlines\n"));
        let items = [Node::items(node.get("a")), Node::items(c.get("e")), Node::items(None)];
        assert_eq!(items, [None, Some(&[][..]), Some(&[][..])]);
        assert!(node.get("a").unwrap().get("x").is_none());
        let json = Node::Mapping([(text_of("a"), scalar("b"))].into());
        assert_eq!(read(br#"{"a": "b"}"#), Ok(Some(json)));
        for none in ["", "# none\n"] {
            assert_eq!(read(none.as_bytes()), Ok(None));
        }
        assert_eq!(read(b"~"), Ok(Some(Node::Null)));
    }

    #[test]
    fn texts_are_not_shown() {
        let node = read(b"token: secret-4711").unwrap();
        assert_eq!(format!("{node:?}"), "Some(Mapping({Text(..): Scalar(Text(..))}))");
    }

    #[test]
    fn refuses_what_could_mean_two_things() {
        for (text, expected) in [
            ("a: b\na: c\n", "a key that stands twice in line 2"),
            ("a: &x b\n", "a YAML anchor or tag in line 1"),
            ("a: &x [b]\n", "a YAML anchor or tag in line 1"),
            ("a: !!str b\n", "a YAML anchor or tag in line 1"),
            ("a: !x {}\n", "a YAML anchor or tag in line 1"),
            ("a: *x\n", "text that is not YAML in line 1"),
            ("<<: {a: b}\n", "a YAML merge key in line 1"),
            ("~: a\n", "a key that is no text in line 1"),
            ("[a]: b\n", "a key that is no text in line 1"),
            ("a: b\n---\na: c\n", "a second document in line 2"),
            ("a: [b\nsecret: c\n", "text that is not YAML in line 2"),
            (
                "x: 1\na: b #\u{2028}a: c\n",
                "a line break that readers disagree on (U+0085, U+2028, U+2029) in line 2",
            ),
            ("a: \"b\u{85}\"\n", "a line break that readers disagree on (U+0085, U+2028, U+2029) in line 1"),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
        assert_eq!(read(b"\xff"), Err(YamlError::NotUtf8));
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(nested(32).as_bytes()).is_ok());
        assert_eq!(problem(&nested(33)), "too deep a nesting in line 1");
        let list = |items| format!("[{}]", "1,".repeat(items));
        assert!(read(list(MOST_NODES - 1).as_bytes()).is_ok());
        assert_eq!(problem(&list(MOST_NODES)), "too many values in line 1");
        assert_eq!(problem(&"a".repeat(MOST_BYTES + 1)), "more than 1 MiB");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, text in "[\\[\\]{}:,&*!|>'\"a\\-\\n #~<]{0,80}") {
            let _ = read(&bytes);
            let _ = read(text.as_bytes());
        }
    }
}
