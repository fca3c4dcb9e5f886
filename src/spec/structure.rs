//! The structural check: a tree against the JSON Schema of [`super::Spec`].
//!
//! What does not fit is reported and left out, so that what remains always deserialises.
//! Understood is what schemars makes of our types: `$ref`, `type`, `properties`,
//! `additionalProperties`, `propertyNames`, `required`, `items`, `minItems`, `enum`, `const`,
//! `oneOf`, `anyOf` with null, `minimum`, `maximum`, and `format` by [`super::scalars::check`].

use super::elsewhere::elsewhere;
use super::holes::Holes;
use super::path::Path;
use super::problem::Problem;
use super::scalars::{ScalarError, check, decimal, shown};
use super::suggest::{one_of, similar};
use super::tree::{Entry, Kind, Mark, Node};
use super::types::free::{FREE, KEYWORD, SCALAR, VALUES};
use super::yaml::{Plain, plain, value};
use serde_json::{Map, Value};

/// What remained of a tree, and what was wrong with the rest.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The spec without what was wrong.
    pub(crate) value: Value,
    /// What was wrong.
    pub(crate) problems: Vec<(Problem, Mark)>,
}

/// Checks a tree against a root schema; paths of what is left out go to `holes`.
pub(crate) fn check_tree(root: &Node, schema: &Value, holes: &mut Holes) -> Checked {
    let mut walk = Walk { definitions: schema.get("$defs"), problems: Vec::new(), holes };
    let at = Place { path: Path::root(), mark: Mark::START };
    let value = walk.node(root, schema, &at).unwrap_or_else(|| Value::Object(Map::new()));
    Checked { value, problems: walk.problems }
}

/// A node's path, and where problems of the node as a whole are shown: at its key, if it has one.
struct Place {
    path: Path,
    mark: Mark,
}

struct Walk<'s> {
    definitions: Option<&'s Value>,
    problems: Vec<(Problem, Mark)>,
    holes: &'s mut Holes,
}

impl<'s> Walk<'s> {
    /// The node as JSON, without what does not fit; `None` when nothing of it does.
    fn node(&mut self, node: &Node, schema: &'s Value, at: &Place) -> Option<Value> {
        let (schema, nullable) = self.resolve(schema);
        let value = match &node.kind {
            Kind::Broken => None,
            Kind::Scalar { text, plain: true } if nullable && plain(text) == Plain::Null => Some(Value::Null),
            _ => self.typed(node, schema, at),
        };
        if value.is_none() {
            self.holes.insert(at.path.clone());
        }
        value
    }

    /// Numbers in a component's own words: what JSON has no number for would reach it as a text, or as
    /// another number.
    fn numbers(&mut self, node: &Node, path: &Path) {
        match &node.kind {
            Kind::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.numbers(item, &path.index(index));
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    self.numbers(&entry.value, &path.key(&entry.key));
                }
            }
            Kind::Scalar { text, plain: true } if plain(text) == Plain::Number && !is_json_number(text) => {
                let reason = format!("readers of YAML take `{}` for different numbers", shown(text));
                let hint = "write a number in decimal digits, or put it in quotes if it is a text";
                self.bad(
                    &Place { path: path.clone(), mark: node.mark },
                    &reason,
                    Some(hint.into()),
                    node.mark,
                );
            }
            Kind::Scalar { .. } | Kind::Broken => {}
        }
    }

    fn typed(&mut self, node: &Node, schema: &'s Value, at: &Place) -> Option<Value> {
        match schema.get(KEYWORD).and_then(Value::as_str) {
            Some(FREE) if matches!(node.kind, Kind::Map(_)) => {
                self.numbers(node, &at.path);
                return Some(value(node));
            }
            Some(VALUES) => return self.values(node, schema, at),
            Some(SCALAR) => return self.scalar(node, schema, at),
            _ => {}
        }
        if let Some(choices) = choices(schema).filter(|_| kind(schema) == Some("string")) {
            return self.choice(node, &choices, at);
        }
        match (kind(schema), &node.kind) {
            (Some("object"), Kind::Map(entries)) => Some(self.object(entries, schema, at)),
            (Some("array"), Kind::Seq(items)) => Some(self.array(items, schema, at)),
            (Some("string"), Kind::Scalar { text, plain }) => self.string(text, *plain, schema, node, at),
            (Some("integer"), Kind::Scalar { text, plain: true }) => self.integer(text, schema, node, at),
            (Some("boolean"), Kind::Scalar { text, plain: true }) if matches!(&**text, "true" | "false") => {
                Some(Value::Bool(&**text == "true"))
            }
            (expected, _) => {
                self.wrong_type(expected.unwrap_or_default(), node, at);
                if matches!(node.kind, Kind::Scalar { .. }) {
                    self.show_form(schema);
                }
                None
            }
        }
    }

    /// In the problem that came last: names the fields that a mapping must have.
    fn show_form(&mut self, schema: &Value) {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let fields: Vec<_> = required.filter_map(Value::as_str).map(|name| format!("{name}: …")).collect();
        if let Some((problem, _)) = self.problems.last_mut().filter(|_| !fields.is_empty()) {
            problem.hint = Some(format!("write it as {{{}}}", fields.join(", ")));
        }
    }

    /// Follows `$ref` and takes null out of a union; says whether null is allowed.
    fn resolve(&self, mut schema: &'s Value) -> (&'s Value, bool) {
        let mut nullable = false;
        // definitions are never nested this deep; a cycle of references ends here
        for _ in 0..16 {
            if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
                let name = name.rsplit('/').next().unwrap_or_default();
                let Some(found) = self.definitions.and_then(|all| all.get(name)) else { break };
                schema = found;
            } else if let Some(union) = schema.get("anyOf").and_then(Value::as_array) {
                let is_null = |branch: &&Value| kind(branch) == Some("null");
                nullable |= union.iter().any(|branch| is_null(&branch));
                let Some(branch) = union.iter().find(|branch| !is_null(branch)) else { break };
                schema = branch;
            } else {
                break;
            }
        }
        let types = schema.get("type").and_then(Value::as_array);
        (schema, nullable || types.is_some_and(|types| types.iter().any(|t| t == "null")))
    }

    fn object(&mut self, entries: &[Entry], schema: &'s Value, at: &Place) -> Value {
        let mut object = Map::new();
        let fields = schema.get("properties").and_then(Value::as_object);
        let absent = absent(entries, fields);
        for entry in entries {
            let path = at.path.key(&entry.key);
            let field = fields.and_then(|fields| fields.get(&*entry.key));
            let other = schema.get("additionalProperties").filter(|other| other.is_object());
            let Some(expected) = field.or(other) else {
                self.unknown(entry, fields, &absent, at);
                continue;
            };
            let named = field.is_some() || self.key(entry, schema, &path);
            if !named {
                self.holes.insert(path.clone());
            }
            let scalar = matches!(entry.value.kind, Kind::Scalar { .. });
            let mark = if scalar && !is_empty(&entry.value) { entry.value.mark } else { entry.key_mark };
            if let Some(value) = self.node(&entry.value, expected, &Place { path, mark }).filter(|_| named) {
                object.insert(entry.key.to_string(), value);
            }
        }
        self.missing(entries, schema, fields, at);
        Value::Object(object)
    }

    /// Whether a free key fits the schema of keys.
    fn key(&mut self, entry: &Entry, schema: &'s Value, path: &Path) -> bool {
        let Some(names) = schema.get("propertyNames") else { return true };
        let kind = Kind::Scalar { text: entry.key.clone(), plain: false };
        let node = Node { kind, mark: entry.key_mark };
        let (names, _) = self.resolve(names);
        self.typed(&node, names, &Place { path: path.clone(), mark: entry.key_mark }).is_some()
    }

    fn unknown(&mut self, entry: &Entry, fields: Option<&Map<String, Value>>, absent: &[&str], at: &Place) {
        let hint = if let Some(name) = similar(&entry.key, absent.iter().copied()) {
            // so that it is not called missing too
            self.holes.insert(at.path.key(name));
            format!("did you mean `{name}`?")
        } else if let Some(hint) = elsewhere(at.path.as_str(), &entry.key) {
            hint.to_owned()
        } else {
            let known: Vec<&str> = fields.into_iter().flat_map(Map::keys).map(String::as_str).collect();
            format!("known here: {}", one_of(&known, "and"))
        };
        let message = format!("unknown field `{}`{}", shown(&entry.key), at.path.within());
        let problem = Problem::error(at.path.key(&entry.key), message).hint(hint);
        self.problems.push((problem, entry.key_mark));
    }

    fn missing(
        &mut self,
        entries: &[Entry],
        schema: &Value,
        fields: Option<&Map<String, Value>>,
        at: &Place,
    ) {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            let path = at.path.key(name);
            if entries.iter().any(|entry| &*entry.key == name) || self.holes.has(&path) {
                continue;
            }
            let description = fields.and_then(|fields| fields.get(name)?.get("description")?.as_str());
            let meaning = description.unwrap_or_default().replace('\n', " ");
            let problem = Problem::error(path.clone(), format!("missing field `{name}`{}", at.path.within()));
            let hint = format!("add `{name}`: {}", lower_first(meaning.trim_end_matches('.')));
            self.problems.push((problem.hint(hint), at.mark));
            self.holes.insert(path);
        }
    }

    fn array(&mut self, items: &[Node], schema: &'s Value, at: &Place) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or_default();
        if u64::try_from(items.len()).is_ok_and(|count| count < least) {
            let problem = Problem::error(at.path.clone(), format!("{} is empty", at.path.subject()));
            self.problems.push((problem.hint("write at least one item"), at.mark));
            self.holes.insert(at.path.clone());
        }
        let Some(expected) = schema.get("items") else { return Value::Array(Vec::new()) };
        let (mut array, mut kept) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            let place = Place { path: at.path.index(index), mark: item.mark };
            if let Some(value) = self.node(item, expected, &place) {
                array.push(value);
                kept.push(index);
            }
        }
        if kept.len() < items.len() {
            self.holes.shift(&at.path, kept);
        }
        Value::Array(array)
    }

    /// One value of any kind, or a list of such: a list of texts.
    fn values(&mut self, node: &Node, schema: &'s Value, at: &Place) -> Option<Value> {
        let Kind::Seq(items) = &node.kind else {
            return self.any_scalar(node, at).map(|text| Value::Array(vec![text]));
        };
        let place = |index| Place { path: at.path.index(index), mark: at.mark };
        let texts = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.any_scalar(item, &Place { mark: item.mark, ..place(index) }));
        let texts: Option<Vec<Value>> = texts.collect();
        texts.filter(|texts| !texts.is_empty()).map(Value::Array).or_else(|| {
            if items.is_empty() {
                self.array(items, schema, at);
            }
            None
        })
    }

    /// A text or a number as a text of the schema's format.
    fn scalar(&mut self, node: &Node, schema: &'s Value, at: &Place) -> Option<Value> {
        let Kind::Scalar { text, plain: is_plain } = &node.kind else {
            self.wrong_type("string", node, at);
            return None;
        };
        if *is_plain && plain(text) == Plain::Null {
            self.wrong_type("string", node, at);
            return None;
        }
        let check = schema.get("format").and_then(Value::as_str).and_then(check);
        let result = check.map_or(Ok(()), |check| check(text));
        self.accept(result, at).then(|| Value::String(text.to_string()))
    }

    /// A text, number or boolean as a text.
    fn any_scalar(&mut self, node: &Node, at: &Place) -> Option<Value> {
        let Kind::Scalar { text, plain: is_plain } = &node.kind else {
            self.wrong_type("string", node, at);
            return None;
        };
        if *is_plain && plain(text) == Plain::Null {
            self.wrong_type("string", node, at);
            return None;
        }
        let result = check("plain-text").map_or(Ok(()), |check| check(text));
        self.accept(result, at).then(|| Value::String(text.to_string()))
    }

    fn choice(&mut self, node: &Node, choices: &[&str], at: &Place) -> Option<Value> {
        let Kind::Scalar { text, plain: is_plain } = &node.kind else {
            self.wrong_type("string", node, at);
            return None;
        };
        if choices.contains(&&**text) {
            return Some(Value::String(text.to_string()));
        }
        if *is_plain && plain(text) == Plain::Null {
            self.wrong_type("string", node, at);
            return None;
        }
        let hint = match similar(text, choices.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("write {}", one_of(choices, "or")),
        };
        self.bad(at, &format!("`{}` is not known", shown(text)), Some(hint), at.mark);
        None
    }

    fn string(
        &mut self,
        text: &str,
        is_plain: bool,
        schema: &Value,
        node: &Node,
        at: &Place,
    ) -> Option<Value> {
        let check = schema.get("format").and_then(Value::as_str).and_then(check);
        let result = check.map_or(Ok(()), |check| check(text));
        if is_plain && plain(text) != Plain::Text {
            // quotes help only when the text itself is right
            let hint = match (plain(text), result) {
                (Plain::Null, _) => Some("write a value, or remove the key".into()),
                (_, Ok(())) => Some(format!("put it in quotes: \"{}\"", shown(text))),
                (_, Err(error)) => error.hint,
            };
            self.bad(at, &format!("expected a string, found {}", found(node)), hint, at.mark);
            return None;
        }
        self.accept(result, at).then(|| Value::String(text.to_owned()))
    }

    fn integer(&mut self, text: &str, schema: &Value, node: &Node, at: &Place) -> Option<Value> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || digits.bytes().any(|b| !b.is_ascii_digit()) {
            self.wrong_type("integer", node, at);
            return None;
        }
        let check = schema.get("format").and_then(Value::as_str).and_then(check);
        if !self.accept(check.map_or(Ok(()), |check| check(text)), at) {
            return None;
        }
        let bound = |name: &str, other: u64| schema.get(name).and_then(Value::as_u64).unwrap_or(other);
        let (least, most) = (bound("minimum", 0), bound("maximum", u64::from(u32::MAX)));
        match decimal(text).map(u64::from) {
            Ok(number) if (least..=most).contains(&number) => Some(number.into()),
            _ => {
                let reason = format!("`{}` is not a whole number from {least} to {most}", shown(text));
                self.bad(at, &reason, Some("write decimal digits alone".into()), at.mark);
                None
            }
        }
    }

    /// Reports what a scalar's own check said; `true` when it said nothing.
    fn accept(&mut self, result: Result<(), ScalarError>, at: &Place) -> bool {
        let Err(ScalarError { message, hint, secret }) = result else { return true };
        self.bad(at, &message, hint, at.mark);
        if let Some((problem, _)) = self.problems.last_mut() {
            problem.secret = secret;
        }
        false
    }

    fn wrong_type(&mut self, expected: &str, node: &Node, at: &Place) {
        let (name, form) = match expected {
            "object" => ("a mapping", "write `key: value` lines below it"),
            "array" => ("a list", "write it as [a, b], or with `- ` before each item"),
            "integer" => ("a whole number", "write decimal digits alone"),
            "boolean" => ("a boolean", "write true or false"),
            _ => ("a string", "write a single value"),
        };
        let hint = match &node.kind {
            Kind::Scalar { plain: false, .. } if expected == "integer" => "remove the quotes",
            Kind::Scalar { plain: true, text } if plain(text) == Plain::Null => {
                "write a value, or remove the key"
            }
            _ => form,
        };
        self.bad(at, &format!("expected {name}, found {}", found(node)), Some(hint.into()), at.mark);
    }

    fn bad(&mut self, at: &Place, reason: &str, hint: Option<String>, mark: Mark) {
        let mut problem = Problem::error(at.path.clone(), format!("{}: {reason}", at.path.subject()));
        problem.hint = hint;
        self.problems.push((problem, mark));
    }
}

/// The known fields that a mapping does not have: only these can have been meant by another name.
fn absent<'f>(entries: &[Entry], fields: Option<&'f Map<String, Value>>) -> Vec<&'f str> {
    let known = fields.into_iter().flat_map(Map::keys).map(String::as_str);
    known.filter(|name| entries.iter().all(|entry| &*entry.key != *name)).collect()
}

/// The type that a schema wants, null aside.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        // what schemars makes of an enum whose variants are documented
        _ => schema.get("oneOf").map(|_| "string"),
    }
}

/// The texts that an enumeration allows.
fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().filter_map(Value::as_str).collect());
    }
    if let Some(value) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![value]);
    }
    let variants = schema.get("oneOf")?.as_array()?;
    Some(variants.iter().filter_map(choices).flatten().collect())
}

/// What a node is, as a message says it.
fn found(node: &Node) -> String {
    match &node.kind {
        Kind::Seq(_) => "a list".into(),
        Kind::Map(_) => "a mapping".into(),
        Kind::Broken => "nothing".into(),
        Kind::Scalar { text, plain: is_plain } => match plain(text).name().filter(|_| *is_plain) {
            Some(name) if plain(text) == Plain::Null => name.into(),
            Some(name) => format!("{name}, {}", shown(text)),
            None => format!("a string, \"{}\"", shown(text)),
        },
    }
}

/// Whether nothing is written where a value should be, so that only its key can be shown.
fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, plain: true } if text.is_empty())
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next();
    // "IP addresses" and "RFC 3339" stay as they are
    if chars.clone().next().is_some_and(char::is_uppercase) {
        return text.to_owned();
    }
    first.into_iter().flat_map(char::to_lowercase).chain(chars).collect()
}

/// Whether a number is one of JSON's, and an integer one that JSON's readers keep whole.
fn is_json_number(text: &str) -> bool {
    let whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    serde_json::from_str::<serde_json::Number>(text)
        .is_ok_and(|number| !whole || number.is_i64() || number.is_u64() || text == "-0")
}
