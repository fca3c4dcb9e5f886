//! What a person writes: `sealift.yaml` with positions, and all its problems at once.
//!
//! Text → tree (`tree`) → structural check against the schema (`structure`) → [`Spec`] → rules
//! (`rules`). What is wrong is reported and left out at each step, and the next sees the rest.

mod elsewhere;
mod engines;
mod front;
mod holes;
pub(crate) mod layers;
mod path;
mod problem;
mod rules;
pub mod scalars;
mod source;
mod structure;
pub(crate) mod suggest;
mod tree;
pub mod types;
pub mod yaml;

pub use front::Front;
pub use path::Path;
pub use problem::{Position, Problem, Severity};
pub use types::Spec;

use holes::Holes;
use path::{Step, steps};
use serde_json::Value;
use source::Source;
use tree::{Kind, Mark, Node};

/// How many problems are reported; of more only the number, so that no spec makes endless output.
const MOST_PROBLEMS: usize = 200;

/// What a text says, and everything that is wrong with it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The spec; where something is wrong, its default stands. Only without errors is it what was meant.
    pub spec: Spec,
    /// All problems in the order of the text.
    pub problems: Vec<Problem>,
    tree: Option<Node>,
    holes: Holes,
    source: Source,
}

impl Loaded {
    /// Whether a problem stops a build.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Whether something was wrong at a path, below it or around it, so that what later stages say
    /// about it would only repeat that.
    pub fn left_out(&self, path: &str) -> bool {
        self.holes.touch(&Path::of(path))
    }

    /// The same problem with the place and the source line of its path, or of the nearest value around it.
    #[must_use]
    pub fn locate(&self, mut problem: Problem) -> Problem {
        let mark = self.tree.as_ref().map_or(Mark::START, |root| find(root, &problem.path));
        self.source.place(&mut problem, mark);
        problem
    }
}

/// Reads a spec. Never fails: what is wrong is among the problems.
pub fn load(text: &str) -> Loaded {
    let mut source = Source::new(text);
    let tree::Tree { root, mut problems, refused, secrets } = tree::read(text);
    for mark in secrets {
        source.hide(mark.line..=mark.last);
    }
    let mut holes = Holes::default();
    for path in refused {
        holes.insert(path);
    }
    let mut loaded = Loaded::default();
    let mut found = Vec::new();
    if let Some(root) = root {
        let checked = structure::check_tree(&root, &schema(), &mut holes);
        problems.extend(checked.problems);
        match serde_json::from_value(checked.value) {
            Ok(spec) => {
                loaded.spec = spec;
                found = rules::check(&loaded.spec, &holes);
            }
            // a test shows that this cannot happen
            Err(error) => found.push(Problem::error("", format!("the spec cannot be read: {error}"))),
        }
        loaded.tree = Some(root);
    } else {
        // nothing was read, so nothing more is to be said about it
        holes.insert(Path::root());
        if source.has_secrets() {
            // without a tree nobody knows where a secret ends
            source.hide_all();
        }
    }
    loaded.source = source;
    loaded.holes = holes;
    let placed = problems.into_iter().map(|(mut problem, mark)| {
        loaded.source.place(&mut problem, mark);
        problem
    });
    let mut all: Vec<Problem> =
        placed.chain(found.into_iter().map(|problem| loaded.locate(problem))).collect();
    all.extend(secrets_in_comments(&loaded.source, &all));
    all.sort_by_key(|problem| problem.position);
    loaded.problems = limit(all);
    loaded
}

/// Private keys that no value holds, so that nothing else complains about them.
fn secrets_in_comments(source: &Source, found: &[Problem]) -> Vec<Problem> {
    let told = |line: usize| {
        let at = |problem: &Problem| problem.position.is_some_and(|position| position.line == line);
        found.iter().any(|problem| problem.severity == Severity::Error && at(problem))
    };
    let problem = |line| {
        let problem = Problem::error("", "a private key or token stands in a comment")
            .hint("take it out, and make a new one: this one was shown to all who read the spec");
        Problem { secret: true, position: Some(Position { line, column: 1 }), ..problem }
    };
    source.secret_starts().filter(|line| !told(*line)).map(problem).collect()
}

/// The first problems, and a count of the others.
fn limit(mut problems: Vec<Problem>) -> Vec<Problem> {
    let rest = problems.split_off(problems.len().min(MOST_PROBLEMS));
    if let Some(severity) = rest.iter().map(|problem| problem.severity).min() {
        let message = format!("{} more problems are not shown", rest.len());
        let last = Problem::error("", message).hint("mend these first");
        problems.push(Problem { severity, ..last });
    }
    problems
}

/// The JSON Schema of a spec (draft 2020-12), for editors and for the structural check.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Spec);
    schema.insert("$id".into(), "urn:sealift:schema:v1".into());
    schema.insert("title".into(), "sealift.yaml".into());
    let mut schema = schema.to_value();
    without_needless_defaults(&mut schema);
    schema
}

/// Removes the defaults of required fields, which exist in the program only, and null, which says nothing.
fn without_needless_defaults(schema: &mut Value) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let required = |name: &str| required.as_array().is_some_and(|all| all.iter().any(|field| field == name));
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, field) in fields {
            if let Some(field) = field.as_object_mut()
                && (required(name) || field.get("default").is_some_and(Value::is_null))
            {
                field.remove("default");
            }
        }
    }
    let definitions = schema.get_mut("$defs").and_then(Value::as_object_mut);
    definitions.into_iter().flat_map(|all| all.values_mut()).for_each(without_needless_defaults);
}

/// Where a path is shown: a collection at its key, what does not exist at what is around it.
fn find(root: &Node, path: &str) -> Mark {
    let (mut node, mut mark) = (root, Mark::START);
    for step in steps(path) {
        match (&node.kind, step) {
            (Kind::Map(entries), Step::Key(key)) => {
                let Some(entry) = entries.iter().find(|entry| *entry.key == *key) else { break };
                node = &entry.value;
                let scalar = matches!(node.kind, Kind::Scalar { .. });
                mark = if scalar { node.mark } else { entry.key_mark };
            }
            (Kind::Seq(items), Step::Index(index)) => {
                let Some(item) = items.get(index) else { break };
                (node, mark) = (item, item.mark);
            }
            _ => break,
        }
    }
    mark
}

#[cfg(test)]
mod tests;
