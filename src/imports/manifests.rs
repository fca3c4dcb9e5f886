//! Manifests for the operators: files of Kubernetes objects that a spec names.
//!
//! They land in the operators' bundle as they are, and in the open: so they may hold no secret.

use super::Read;
use crate::plan::Manifest;
use crate::plan::objects::MOST_MANIFESTS;
use crate::spec::scalars::holds_private_key;
use crate::spec::types::Spec;
use crate::spec::yaml;
use crate::spec::{Path, Problem};
use serde_json::Value;

/// The manifests that a spec names, with where it says so.
pub fn manifests(spec: &Spec) -> Vec<(Path, &str)> {
    let at = Path::root().key("kubernetes").key("manifests");
    let all = spec.kubernetes.manifests.iter().enumerate();
    all.map(|(index, file)| (at.index(index), file.as_str())).collect()
}

/// What is read of manifests, and what is wrong with them.
pub(super) fn read(files: Vec<(Path, &str, Read)>) -> (Vec<Manifest>, Vec<Problem>) {
    let (mut manifests, mut problems) = (Vec::<Manifest>::new(), Vec::new());
    for (index, (at, path, bytes)) in files.into_iter().enumerate() {
        let name = path.rsplit('/').next().unwrap_or(path);
        let found = if index >= MOST_MANIFESTS {
            Err((format!("there are more than {MOST_MANIFESTS} manifests"), "put several into one file"))
        } else if manifests.iter().any(|other| other.name == name) {
            Err((format!("{path}: another manifest has this name too"), "rename one of the files"))
        } else {
            one(path, name, bytes)
        };
        match found {
            Ok(text) => manifests.push(Manifest { name: name.to_owned(), text }),
            Err((message, hint)) => problems.push(Problem::error(at, message).hint(hint)),
        }
    }
    (manifests, problems)
}

type Wrong = (String, &'static str);

fn one(path: &str, name: &str, bytes: Read) -> Result<String, Wrong> {
    if !is_name(name) {
        let hint =
            "name it like calico.yaml: letters, digits, `.`, `-` and `_`, with .yaml or .yml at its end";
        return Err((format!("{path}: no name for a manifest"), hint));
    }
    let bytes = bytes.map_err(|reason| {
        (format!("{path}: {reason}"), "name a regular file that you may read, from the spec's directory")
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| (format!("{path}: it is not UTF-8"), "save it as UTF-8 text"))?;
    let mut any = false;
    for (line, document) in documents(&text) {
        any = true;
        check(document).map_err(|(fault, hint)| (format!("{path}, {}", place(&fault, line)), hint))?;
    }
    if !any {
        return Err((format!("{path}: there is nothing in it"), "remove it from the spec"));
    }
    Ok(text)
}

/// kubectl reads such files only; and it is the name of a file in a bundle.
fn is_name(name: &str) -> bool {
    let known = std::path::Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    known && name.len() <= 200 && !name.starts_with(['.', '-']) && name.bytes().all(plain)
}

/// What is wrong with a document: its line in it, and in words.
struct Fault {
    line: usize,
    message: String,
}

impl Fault {
    const fn at_first(message: String) -> Self {
        Self { line: 1, message }
    }
}

/// Where a fault is in the file, and what it is.
fn place(fault: &Fault, first: usize) -> String {
    format!("line {}: {}", first + fault.line - 1, fault.message)
}

/// The documents of a file, each with its first line; those of comments alone are none.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let (mut all, mut begin, mut offset, mut first) = (Vec::new(), 0, 0, 1);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if is_separator(line) {
            all.push((first, text.get(begin..offset).unwrap_or_default()));
            (begin, first) = (offset + line.len(), index + 2);
        }
        offset += line.len();
    }
    all.push((first, text.get(begin..).unwrap_or_default()));
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    all.retain(|(_, document)| !document.lines().all(blank));
    all
}

/// `---`, with nothing but a comment behind it.
fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| {
        let comment = rest.trim_start();
        comment.is_empty() || (comment.starts_with('#') && comment.len() < rest.len())
    })
}

fn check(document: &str) -> Result<(), (Fault, &'static str)> {
    if let Some(line) = document.lines().position(holds_private_key) {
        return Err((Fault { line: line + 1, message: PRIVATE.to_owned() }, NO_SECRETS));
    }
    let value = yaml::foreign(document).map_err(|(line, message)| {
        (Fault { line, message }, "sealift reads it strictly: no tags, no key twice")
    })?;
    // one that is broken over several lines
    if any_text(&value, &holds_private_key) {
        return Err((Fault::at_first(PRIVATE.to_owned()), NO_SECRETS));
    }
    object(&value)
}

/// Whether a text in a value, or a key, is such.
fn any_text(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, is)),
        Value::Object(map) => map.iter().any(|(key, value)| is(key) || any_text(value, is)),
        _ => false,
    }
}

const PRIVATE: &str = "it holds a private key";
const NO_SECRETS: &str =
    "manifests lie open in the operators' bundle: apply a Secret by other means, or have the cluster make it";

fn object(value: &Value) -> Result<(), (Fault, &'static str)> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        let message = "no Kubernetes object: it has no `apiVersion` or no `kind`".to_owned();
        return Err((Fault::at_first(message), "a manifest is what `kubectl apply -f` takes"));
    };
    let filled = |key: &str| value.get(key).and_then(Value::as_object).is_some_and(|data| !data.is_empty());
    if version == "v1" && kind == "Secret" && (filled("data") || filled("stringData")) {
        let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let message = format!("a Secret with data: {}", yaml::scalar(name));
        return Err((Fault::at_first(message), NO_SECRETS));
    }
    let items = value.get("items").and_then(Value::as_array).filter(|_| kind.ends_with("List"));
    items.into_iter().flatten().try_for_each(object)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{Path, documents, read};

    fn problem(name: &str, text: &str) -> Option<String> {
        let (_, problems) = read(vec![(Path::root().key("m"), name, Ok(text.as_bytes().to_vec()))]);
        problems.into_iter().next().map(|problem| problem.message)
    }

    #[test]
    fn ordinary_manifests_pass() {
        for text in [
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n",
            "---\n# Source: chart/x.yaml\n\n---\napiVersion: v1\nkind: A\n--- # two\napiVersion: v1\nkind: B\n---\n",
            "apiVersion: v1\r\nkind: A\r\n---\r\napiVersion: v1\r\nkind: B\r\n",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ntype: kubernetes.io/service-account-token\n",
            "apiVersion: v1\nkind: A\nspec: {d: The private key of a pair., e: \"=\", f: =, n: 0777, x: &a [1], y: *a}\n",
            "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: A}]\n",
        ] {
            assert_eq!(problem("x.yaml", text), None, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let good = "apiVersion: v1\nkind: A\n---\n";
        for (text, wrong) in [
            (String::new(), "x.yaml: there is nothing in it"),
            ("---\n# nothing\n".to_owned(), "x.yaml: there is nothing in it"),
            (
                format!("{good}kind: B\n"),
                "x.yaml, line 4: no Kubernetes object: it has no `apiVersion` or no `kind`",
            ),
            (
                format!("{good}- 1\n"),
                "x.yaml, line 4: no Kubernetes object: it has no `apiVersion` or no `kind`",
            ),
            (format!("{good}a: 1\na: 2\n"), "x.yaml, line 5: duplicate key `a`"),
            (
                format!("{good}apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{a: b}}\n"),
                "x.yaml, line 4: a Secret with data: s",
            ),
            (
                format!(
                    "{good}apiVersion: v1\nkind: SecretList\nitems: [{{apiVersion: v1, kind: Secret, data: {{a: Yg==}}}}]\n"
                ),
                "x.yaml, line 4: a Secret with data: \"\"",
            ),
            (
                format!("{good}apiVersion: v1\nkind: A\nkey: |\n  -----BEGIN EC PRIVATE KEY-----\n"),
                "x.yaml, line 7: it holds a private key",
            ),
            (
                format!("{good}apiVersion: v1\nkind: A\nkey: \"-----BEGIN EC PRIV\\\n  ATE KEY-----\"\n"),
                "x.yaml, line 4: it holds a private key",
            ),
            (
                format!(
                    "{good}apiVersion: v1\nkind: A\nclient-key-data: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==\n"
                ),
                "x.yaml, line 6: it holds a private key",
            ),
        ] {
            assert_eq!(problem("x.yaml", &text).as_deref(), Some(wrong), "{text}");
        }
        for name in ["x.json", ".x.yaml", "a b.yaml", "x", "x\u{e4}.yaml"] {
            assert_eq!(problem(name, good), Some(format!("{name}: no name for a manifest")));
        }
    }

    #[test]
    fn one_name_once() {
        let one = || Ok(b"apiVersion: v1\nkind: A\n".to_vec());
        let at = |index| Path::root().index(index);
        let (manifests, problems) = read(vec![
            (at(0), "a/x.yaml", one()),
            (at(1), "b/x.yaml", one()),
            (at(2), "y.yaml", Err("gone".to_owned())),
        ]);
        assert_eq!(manifests.len(), 1);
        let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, ["b/x.yaml: another manifest has this name too", "y.yaml: gone"]);
        let (_, problems) = read((0..41).map(|index| (at(index), "x.yaml", one())).collect());
        assert_eq!(problems.last().unwrap().message, "there are more than 40 manifests");
    }

    #[test]
    fn lines_count_from_the_file() {
        assert_eq!(documents("a\n---\nb\n--- # c\nc"), [(1, "a\n"), (3, "b\n"), (5, "c")]);
        assert_eq!(documents("---\n---x\n"), [(2, "---x\n")]);
    }
}
