//! The tree of a YAML text, each node with its place.
//!
//! YAML 1.2 without its traps: one document, string keys, no tags, no merge keys, no duplicate
//! keys; anchors and aliases within a budget. A node that is refused is reported and stays in
//! the tree as [`Kind::Broken`], so that nobody reports it twice.

use super::path::Path;
use super::problem::Problem;
use super::scalars::{ScalarError, looks_secret, shown};
use super::yaml::plain;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The largest text, in bytes.
const MOST_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MOST_DEPTH: usize = 64;
/// The most nodes, counting what aliases repeat.
const MOST_NODES: usize = 200_000;
/// The most bytes in scalars, counting what aliases repeat.
const MOST_TEXT: usize = 8 << 20;

/// A place in the text: line and column from 1, and how many characters to underline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
    /// The last line that the node touches.
    pub(crate) last: usize,
}

impl Mark {
    /// The beginning of the text.
    pub(crate) const START: Self = Self { line: 1, column: 1, width: 1, last: 1 };

    fn new(span: Span) -> Self {
        let (start, end) = (span.start, span.end);
        // to the end of its line, if it goes on in another
        let width = if start.line() == end.line() { span.len().max(1) } else { usize::MAX };
        Self { line: start.line(), column: start.col() + 1, width, last: end.line() }
    }
}

/// A node with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mark: Mark,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A text; only a plain (unquoted) one can mean a number, a boolean or null.
    Scalar { text: Rc<str>, plain: bool },
    /// A list.
    Seq(Vec<Node>),
    /// A mapping, in the order of the text, with distinct keys.
    Map(Vec<Entry>),
    /// Already reported.
    Broken,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Rc<str>,
    pub(crate) key_mark: Mark,
    pub(crate) value: Node,
}

/// What a text holds, or why it cannot be read at all.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The document; `None` when there is none, which is then among the problems.
    pub(crate) root: Option<Node>,
    /// What was refused, each with its place.
    pub(crate) problems: Vec<(Problem, Mark)>,
    /// Paths of what was refused.
    pub(crate) refused: Vec<Path>,
    /// Marks of scalars that are private keys.
    pub(crate) secrets: Vec<Mark>,
}

/// Reads a spec into a tree.
pub(crate) fn read(text: &str) -> Tree {
    build(text, Builder::default())
}

/// Reads a text that is no spec: what looks like a private key, such as a digest, may stand in it.
pub(crate) fn read_foreign(text: &str) -> Tree {
    build(text, Builder { foreign: true, ..Builder::default() })
}

fn build(text: &str, mut builder: Builder) -> Tree {
    if let Err(stop) = builder.run(text) {
        builder.tree.root = None;
        builder.tree.problems = vec![*stop];
    }
    builder.tree
}

/// Why reading stops: a problem at a place.
type Stop = Box<(Problem, Mark)>;

fn stop(mark: Mark, message: impl Into<String>) -> Stop {
    Box::new((Problem::error("", message), mark))
}

/// The key that the next value belongs to.
enum Key {
    Good(Rc<str>, Mark),
    /// Reported; its value is dropped. The text is fit to be shown in a path.
    Bad(String),
}

/// A collection that is not complete.
struct Frame {
    mark: Mark,
    anchor: usize,
    /// Reported: children are read, and then dropped.
    broken: bool,
    body: Body,
}

enum Body {
    Seq(Vec<Node>),
    Map { entries: Vec<Entry>, pending: Option<Key>, seen: BTreeMap<Rc<str>, Mark> },
}

#[derive(Default)]
struct Builder {
    tree: Tree,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    bytes: usize,
    /// Whether the text is no spec.
    foreign: bool,
}

impl Builder {
    fn run(&mut self, text: &str) -> Result<(), Stop> {
        if text.len() > MOST_BYTES {
            let what = if self.foreign { "the document" } else { "the spec" };
            return Err(stop(Mark::START, format!("{what} has {} bytes, more than 1 MiB", text.len())));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                let at = error.marker();
                let mark = Mark { line: at.line(), column: at.col() + 1, width: 1, last: at.line() };
                let problem = Problem::error("", format!("not YAML: {}", shown(error.info())));
                Box::new((
                    problem.hint("look here and above for a quote, bracket or indentation that is off"),
                    mark,
                ))
            })?;
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    let problem = Problem::error("", "a second YAML document begins here")
                        .hint("a spec is one document; give each cluster its own file");
                    return Err(Box::new((problem, Mark::new(span))));
                }
            }
            self.event(event, span)?;
        }
        if self.tree.root.is_none() {
            let problem =
                Problem::error("", "the spec is empty").hint("`sealift init NAME` writes one to start from");
            return Err(Box::new((problem, Mark::START)));
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let mark = Mark::new(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), mark)?;
                self.complete(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(mark, anchor, tag.as_deref(), Body::Seq(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let body = Body::Map { entries: Vec::new(), pending: None, seen: BTreeMap::new() };
                self.open(mark, anchor, tag.as_deref(), body)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(id) => self.alias(id, mark),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        mark: Mark,
    ) -> Result<Node, Stop> {
        self.spend(1, text.len(), mark)?;
        let kind = if !self.foreign && looks_secret(text) {
            self.tree.secrets.push(mark);
            let ScalarError { message, hint, .. } = ScalarError::secret(text);
            let message = format!("{}: {message}", self.path().subject());
            let mut problem = Problem::error("", message).hint(hint.unwrap_or_default());
            problem.secret = true;
            self.refuse(problem, mark);
            Kind::Broken
        } else if self.tagged(tag, mark) {
            Kind::Broken
        } else {
            Kind::Scalar { text: text.into(), plain: style == ScalarStyle::Plain }
        };
        Ok(Node { kind, mark })
    }

    /// Reports a tag; says whether there was one.
    fn tagged(&mut self, tag: Option<&Tag>, mark: Mark) -> bool {
        let Some(_) = tag else { return false };
        let message = format!("{}: YAML tags (`!…`) are not supported", self.path().subject());
        let problem = Problem::error("", message);
        self.refuse(problem.hint("remove the tag; put a value that must be a string in quotes"), mark);
        true
    }

    fn open(&mut self, mark: Mark, anchor: usize, tag: Option<&Tag>, body: Body) -> Result<(), Stop> {
        self.spend(1, 0, mark)?;
        if self.stack.len() >= MOST_DEPTH {
            return Err(stop(mark, format!("nested more than {MOST_DEPTH} levels deep")));
        }
        let broken = self.tagged(tag, mark);
        self.stack.push(Frame { mark, anchor, broken, body });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(Frame { mark, anchor, broken, body }) = self.stack.pop() else { return Ok(()) };
        let kind = match body {
            _ if broken => Kind::Broken,
            Body::Seq(items) => Kind::Seq(items),
            Body::Map { entries, .. } => Kind::Map(entries),
        };
        self.complete(Node { kind, mark }, anchor)
    }

    fn alias(&mut self, id: usize, mark: Mark) -> Result<(), Stop> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            let message = format!("{}: this alias stands inside of what it names", self.path().subject());
            let problem = Problem::error("", message);
            self.refuse(problem.hint("write the value out"), mark);
            return self.complete(Node { kind: Kind::Broken, mark }, 0);
        };
        let (nodes, bytes, height) = measure(&node);
        self.spend(nodes, bytes, mark)?;
        if self.stack.len() + height > MOST_DEPTH {
            return Err(stop(mark, format!("nested more than {MOST_DEPTH} levels deep")));
        }
        self.complete(Node { mark, ..node }, 0)
    }

    fn spend(&mut self, nodes: usize, bytes: usize, mark: Mark) -> Result<(), Stop> {
        self.nodes += nodes;
        self.bytes += bytes;
        if self.nodes > MOST_NODES || self.bytes > MOST_TEXT {
            return Err(stop(mark, format!("more than {MOST_NODES} values, counting what aliases repeat")));
        }
        Ok(())
    }

    /// Puts a finished node where it belongs: document, list, key or value.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        if anchor != 0 {
            // the copy that is kept for aliases counts too
            let (nodes, bytes, _) = measure(&node);
            self.spend(nodes, bytes, node.mark)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|frame| &mut frame.body) {
            None => self.tree.root = Some(node),
            Some(Body::Seq(items)) => items.push(node),
            Some(Body::Map { entries, pending, .. }) => match pending.take() {
                Some(Key::Good(key, key_mark)) => entries.push(Entry { key, key_mark, value: node }),
                Some(Key::Bad(_)) => {}
                None => {
                    let key = self.key(&node);
                    if let Some(Body::Map { pending, .. }) =
                        self.stack.last_mut().map(|frame| &mut frame.body)
                    {
                        *pending = Some(key);
                    }
                }
            },
        }
        Ok(())
    }

    /// Judges a node in the place of a key.
    fn key(&mut self, node: &Node) -> Key {
        let place = self.path().within();
        let (text, is_plain) = match &node.kind {
            Kind::Broken => return Key::Bad("?".into()),
            Kind::Seq(_) | Kind::Map(_) => {
                self.refuse(Problem::error("", format!("a key{place} is not a string")), node.mark);
                return Key::Bad("?".into());
            }
            Kind::Scalar { text, plain } => (Rc::clone(text), *plain),
        };
        let problem = if is_plain && &*text == "<<" {
            Some(
                Problem::error("", format!("merge keys (`<<`) are not supported{place}"))
                    .hint("write the settings out, or set them for all hosts or for a role"),
            )
        } else if let (true, Some(what)) = (is_plain, plain(&text).name()) {
            let message =
                format!("a key{place} must be a string, but YAML reads `{}` as {what}", shown(&text));
            Some(Problem::error("", message).hint("put it in quotes"))
        } else {
            self.first(&text, node.mark).map(|first| {
                let (line, column) = (first.line, first.column);
                let message = format!("duplicate key `{}`{place}", shown(&text));
                Problem::error("", message)
                    .hint(format!("it is first at line {line}, column {column}; remove one of the two"))
            })
        };
        let Some(problem) = problem else { return Key::Good(text, node.mark) };
        self.tree.refused.push(self.path().key(&text));
        self.refuse(problem, node.mark);
        Key::Bad(text.to_string())
    }

    /// Where the open mapping has this key already; else notes it.
    fn first(&mut self, key: &Rc<str>, mark: Mark) -> Option<Mark> {
        let Some(Body::Map { seen, .. }) = self.stack.last_mut().map(|frame| &mut frame.body) else {
            return None;
        };
        if let Some(first) = seen.get(key) {
            return Some(*first);
        }
        seen.insert(Rc::clone(key), mark);
        None
    }

    /// Records a problem at the path that is being read.
    fn refuse(&mut self, mut problem: Problem, mark: Mark) {
        let path = self.path();
        self.tree.refused.push(path.clone());
        problem.path = path.into();
        self.tree.problems.push((problem, mark));
    }

    /// The path of the value that is being read; of a key, the path of its mapping.
    fn path(&self) -> Path {
        self.stack.iter().fold(Path::root(), |path, frame| match &frame.body {
            Body::Seq(items) => path.index(items.len()),
            Body::Map { pending: Some(Key::Good(key, _)), .. } => path.key(key),
            Body::Map { pending: Some(Key::Bad(key)), .. } => path.key(key),
            Body::Map { pending: None, .. } => path,
        })
    }
}

/// How many nodes and bytes of text a node has, and how many levels.
fn measure(node: &Node) -> (usize, usize, usize) {
    let add = |sum: (usize, usize, usize), key: usize, value: &Node| {
        let (nodes, bytes, height) = measure(value);
        (sum.0 + nodes, sum.1 + key + bytes, sum.2.max(height + 1))
    };
    match &node.kind {
        Kind::Scalar { text, .. } => (1, text.len(), 0),
        Kind::Broken => (1, 0, 0),
        Kind::Seq(items) => items.iter().fold((1, 0, 1), |sum, item| add(sum, 0, item)),
        Kind::Map(entries) => {
            entries.iter().fold((1, 0, 1), |sum, entry| add(sum, entry.key.len(), &entry.value))
        }
    }
}
