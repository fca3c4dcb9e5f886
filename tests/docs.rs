//! docs/spec.md and docs/findings.md are complete, and say what the code says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "reads the documents that it checks")]

mod support;

use sealift::finding::{Class, Id};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use support::repository;

fn document(name: &str) -> String {
    fs::read_to_string(repository(name)).unwrap()
}

/// The cells of every table row whose first cell is one word in backticks, by that word.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let cells = |line: &str| {
        let cells: Vec<String> =
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        let name = cells[0].strip_prefix('`')?.strip_suffix('`')?.to_owned();
        Some((name, cells))
    };
    text.lines().filter(|line| line.starts_with("| `")).filter_map(cells).collect()
}

/// Every name of a field in a JSON Schema.
fn properties(schema: &Value, out: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(fields)) = members.get("properties") {
                out.extend(fields.keys().cloned());
            }
            members.values().for_each(|value| properties(value, out));
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, out)),
        _ => {}
    }
}

#[test]
fn every_field_of_a_spec_is_documented() {
    let mut fields = BTreeSet::new();
    properties(&sealift::spec::schema(), &mut fields);
    assert!(fields.contains("bundleValidity") && fields.contains("tolerate"), "{fields:?}");
    let rows = rows(&document("docs/spec.md"));
    // a row is about the last part of its path
    let last = |path: &str| path.rsplit('.').next().unwrap().to_owned();
    let documented: BTreeSet<String> = rows.iter().map(|(path, _)| last(path)).collect();
    let missing: Vec<_> = fields.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/spec.md lacks {missing:?}");
    let unknown: Vec<_> =
        documented.difference(&fields).filter(|name| *name != "NAME" && *name != "ROLE").collect();
    assert!(unknown.is_empty(), "docs/spec.md has fields that a spec has not: {unknown:?}");
}

#[test]
fn every_finding_is_documented() {
    let documented: BTreeMap<_, _> = rows(&document("docs/findings.md")).into_iter().collect();
    for id in Id::ALL {
        let cells = documented.get(id.name()).unwrap_or_else(|| panic!("docs/findings.md lacks {id}"));
        let class = match id.class() {
            Class::Trust => "trust",
            Class::Machine => "machine",
            Class::Host => "host",
            Class::Revision => "revision",
            Class::Difference => "difference",
            Class::Time => "time",
        };
        assert_eq!(cells[1], class, "{id}");
        assert_eq!(cells[2], id.class().exit().to_string(), "{id}");
        assert_eq!(cells[3], id.meaning().trim(), "{id}");
        assert!(!cells[4].is_empty(), "{id}");
    }
    assert_eq!(documented.len(), Id::ALL.len(), "docs/findings.md has ids that do not exist");
}

/// Nobody reads lines that are longer; tables and the vectors may be.
#[test]
fn lines_are_short() {
    for name in ["README.md", "docs/architecture.md", "docs/security.md", "docs/recipes.md"] {
        for (index, line) in document(name).lines().enumerate() {
            assert!(line.chars().count() <= 110, "{name}:{}", index + 1);
        }
    }
}
