//! JSON merge patches (RFC 7386) of rendered YAML.

use crate::spec::yaml;
use serde_json::{Map, Value};

/// The text with a patch applied. A file of several documents takes the patch where `kind` is the
/// patch's. Comments stay only at the top of the file.
///
/// # Errors
/// Why it cannot be applied.
pub(super) fn apply(text: &str, patch: &Map<String, Value>) -> Result<String, String> {
    let mut documents = Vec::new();
    for document in yaml::documents(text) {
        let read = yaml::foreign(document);
        documents.push(read.map_err(|(line, message)| format!("line {line}: {message}"))?);
    }
    let kind = patch.get("kind");
    let wanted = |document: &&mut Value| kind.is_none_or(|kind| document.get("kind") == Some(kind));
    if documents.len() > 1 && kind.is_none() {
        return Err("the file has several documents: name one of them by `kind` in the patch".to_owned());
    }
    let mut targets: Vec<&mut Value> = documents.iter_mut().filter(wanted).collect();
    if targets.is_empty() {
        return Err("no document of the file has the patch's `kind`".to_owned());
    }
    for target in &mut targets {
        merge(target, &Value::Object(patch.clone()));
    }
    let comments = text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n"));
    let documents: Vec<_> = documents.iter().map(|document| yaml::block(document, 0)).collect();
    Ok(comments.collect::<String>() + &documents.join("---\n"))
}

/// RFC 7386, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{apply, merge};
    use serde_json::{Map, Value, json};

    fn patch(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    /// The test cases of RFC 7386, appendix A.
    #[test]
    fn as_the_rfc_has_it() {
        for (original, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut target = original.clone();
            merge(&mut target, &patch);
            assert_eq!(target, result, "{original} {patch}");
        }
    }

    #[test]
    fn a_digest_stays_a_digest() {
        let text = format!("digest: {}\n", "0a".repeat(32));
        assert_eq!(
            apply(&text, &patch(json!({"x": 1}))),
            Ok(format!("{}x: 1\n", text.replace(&"0a".repeat(32), &format!("\"{}\"", "0a".repeat(32)))))
        );
    }

    #[test]
    fn one_document_of_several_by_its_kind() {
        let text = "# first\nkind: A\nx: 1\n---\nkind: B\nx: 1\n";
        let patched = apply(text, &patch(json!({"kind": "B", "x": 2, "w": {"z": null}})));
        assert_eq!(patched.unwrap(), "# first\nkind: A\nx: 1\n---\nkind: B\nw: {}\nx: 2\n");
        let error = apply(text, &patch(json!({"x": 2}))).unwrap_err();
        assert_eq!(error, "the file has several documents: name one of them by `kind` in the patch");
        let error = apply(text, &patch(json!({"kind": "C"}))).unwrap_err();
        assert_eq!(error, "no document of the file has the patch's `kind`");
    }
}
