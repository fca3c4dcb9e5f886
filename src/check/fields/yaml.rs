//! A small, strict reader of YAML that a component wrote on a host.
//!
//! `spec` reads what a person writes, and says where each mistake stands; here a text is as expected
//! or it is not, and no part of it may end up in a message. So what two readers could understand in
//! two ways is refused: anchors, tags, merge keys, duplicate keys, a second document.

use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::BTreeMap;

/// The largest text, in bytes.
const MOST_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MOST_DEPTH: usize = 64;

/// What a text holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A scalar's text; null, `~` and nothing at all are [`Node::Null`] when they are not quoted.
    Scalar(String),
    Null,
    Seq(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

impl Node {
    /// The value of a key; none of what is no mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.get(key),
            _ => None,
        }
    }

    /// The items of a list, and of nothing at all.
    pub(super) fn items(node: Option<&Self>) -> &[Self] {
        match node {
            Some(Self::Seq(items)) => items,
            _ => &[],
        }
    }

    /// A scalar's text, empty for nothing at all; none of a list or mapping.
    pub(super) fn text(node: Option<&Self>) -> Option<&str> {
        match node {
            None | Some(Self::Null) => Some(""),
            Some(Self::Scalar(text)) => Some(text),
            Some(Self::Seq(_) | Self::Map(_)) => None,
        }
    }
}

/// Reads one document, or says what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Node, String> {
    if bytes.len() > MOST_BYTES {
        return Err("more than 1 MiB".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "bytes that are not UTF-8".to_owned())?;
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let (event, span) =
            event.map_err(|error| format!("text that is not YAML in line {}", error.marker().line()))?;
        reader.event(event).map_err(|problem| format!("{problem} in line {}", span.start.line()))?;
    }
    reader.root.ok_or_else(|| "nothing".to_owned())
}

/// A collection that is not complete.
enum Frame {
    Seq(Vec<Node>),
    Map { entries: BTreeMap<String, Node>, key: Option<String> },
}

#[derive(Default)]
struct Reader {
    root: Option<Node>,
    stack: Vec<Frame>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(_, _, anchor, tag) if anchor != 0 || tag.is_some() => Err("a YAML anchor or tag"),
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                self.complete(match &*text {
                    "" | "~" | "null" | "Null" | "NULL" if plain => Node::Null,
                    text => Node::Scalar(text.to_owned()),
                })
            }
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag)
                if anchor != 0 || tag.is_some() =>
            {
                Err("a YAML anchor or tag")
            }
            Event::SequenceStart(..) => self.open(Frame::Seq(Vec::new())),
            Event::MappingStart(..) => self.open(Frame::Map { entries: BTreeMap::new(), key: None }),
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Frame::Seq(items)) => self.complete(Node::Seq(items)),
                Some(Frame::Map { entries, .. }) => self.complete(Node::Map(entries)),
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

    fn open(&mut self, frame: Frame) -> Result<(), &'static str> {
        if self.stack.len() >= MOST_DEPTH {
            return Err("too deep a nesting");
        }
        self.stack.push(frame);
        Ok(())
    }

    /// Puts a finished node where it belongs: document, list, key or value.
    fn complete(&mut self, node: Node) -> Result<(), &'static str> {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::Seq(items)) => items.push(node),
            Some(Frame::Map { entries, key }) => match key.take() {
                Some(key) => drop(entries.insert(key, node)),
                None => match node {
                    Node::Scalar(text) if text == "<<" => return Err("a YAML merge key"),
                    Node::Scalar(text) if entries.contains_key(&text) => {
                        return Err("a key that stands twice");
                    }
                    Node::Scalar(text) => *key = Some(text),
                    _ => return Err("a key that is no text"),
                },
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{MOST_BYTES, Node, read};

    fn problem(text: &str) -> String {
        read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn reads_what_components_write() {
        let text = "a: 1\nb:\n- x\n- 'null'\n- null\nc: {\"d\": \"~\", e: ~, f: }\ng: |\n  two\n  lines\n";
        let node = read(text.as_bytes()).unwrap();
        let scalar = |text: &str| Node::Scalar(text.to_owned());
        assert_eq!(Node::text(node.get("a")), Some("1"));
        assert_eq!(Node::items(node.get("b")), [scalar("x"), scalar("null"), Node::Null]);
        let c = node.get("c").unwrap();
        let texts = ["d", "e", "f", "none"].map(|key| Node::text(c.get(key)));
        assert_eq!(texts, [Some("~"), Some(""), Some(""), Some("")]);
        assert_eq!((Node::text(node.get("c")), Node::text(node.get("b"))), (None, None));
        assert_eq!(Node::text(node.get("g")), Some("two\nlines\n"));
        assert!(node.get("a").unwrap().get("x").is_none() && Node::items(node.get("a")).is_empty());
        assert_eq!(read(br#"{"a": "b"}"#).unwrap(), Node::Map([("a".into(), scalar("b"))].into()));
    }

    #[test]
    fn refuses_what_could_mean_two_things() {
        for (text, expected) in [
            ("", "nothing"),
            ("# none\n", "nothing"),
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
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
        assert_eq!(read(b"\xff").unwrap_err(), "bytes that are not UTF-8");
        assert_eq!(problem(&"[".repeat(65)), "too deep a nesting in line 1");
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
