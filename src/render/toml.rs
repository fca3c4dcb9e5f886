//! TOML files: written as a whole from the plan, so that no value can break out of its place.
//!
//! Strings stand on one line each: containerd 1.x refuses some of the longer forms that TOML 1.0 has.

use super::escape::toml_string;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// A table with its keys in byte order, tables within it at last.
///
/// # Errors
/// For what TOML cannot hold: nothing at all, and numbers beyond 64 bits with a sign.
pub(super) fn text(map: &Map<String, Value>) -> Result<String, String> {
    let mut out = String::new();
    table(&mut out, "", map)?;
    Ok(out)
}

fn table(out: &mut String, name: &str, map: &Map<String, Value>) -> Result<(), String> {
    let values = || map.iter().filter(|(_, value)| !value.is_object());
    if !name.is_empty() && (map.is_empty() || values().next().is_some()) {
        if !out.is_empty() {
            out.push('\n');
        }
        // writing to a String cannot fail
        let _ = writeln!(out, "[{name}]");
    }
    for (own, inner) in values() {
        let _ = writeln!(out, "{} = {}", key(own), value(inner)?);
    }
    for (own, inner) in map {
        if let Value::Object(inner) = inner {
            let dot = if name.is_empty() { "" } else { "." };
            table(out, &format!("{name}{dot}{}", key(own)), inner)?;
        }
    }
    Ok(())
}

fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { toml_string(name) }
}

/// A value on one line.
fn value(json: &Value) -> Result<String, String> {
    match json {
        Value::Null => Err("TOML has no null".to_owned()),
        Value::Number(number) if number.is_u64() && number.as_i64().is_none() => {
            Err(format!("TOML has no {number}"))
        }
        Value::Bool(_) | Value::Number(_) => Ok(json.to_string()),
        Value::String(text) => Ok(toml_string(text)),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(value).collect::<Result<_, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        Value::Object(map) => {
            let pair = |(own, inner): (&String, &Value)| Ok(format!("{} = {}", key(own), value(inner)?));
            let pairs: Vec<_> = map.iter().map(pair).collect::<Result<_, String>>()?;
            Ok(format!("{{{}}}", pairs.join(", ")))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::text;
    use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
    use serde_json::{Map, Value, json};

    fn written(value: Value) -> Result<String, String> {
        let Value::Object(map) = value else { unreachable!() };
        text(&map)
    }

    #[test]
    fn sorted_tables_after_values() {
        let value = json!({"b": [1.5, {}], "a": {"d": true, "c": "x\ny", "io.x/y": {"z": [1, "a"]}}, "v": 3});
        let expected =
            "b = [1.5, {}]\nv = 3\n\n[a]\nc = \"x\\u000Ay\"\nd = true\n\n[a.\"io.x/y\"]\nz = [1, \"a\"]\n";
        assert_eq!(written(value).unwrap(), expected);
    }

    #[test]
    fn what_toml_cannot_hold() {
        assert_eq!(written(json!({"a": [null]})), Err("TOML has no null".to_owned()));
        assert_eq!(
            written(json!({"a": 9_223_372_036_854_775_808_u64})),
            Err("TOML has no 9223372036854775808".to_owned())
        );
    }

    /// Anything that TOML can hold.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            prop::num::f64::NORMAL.prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(json!("a\"\"\"\n[x]\nb = '''c\u{0}\u{7f}\u{2028}\\")),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// What is written reads back as itself, whatever keys and values have in them.
        #[test]
        fn no_value_breaks_out(map in prop::collection::btree_map(any::<String>(), anything(), 0..4)) {
            let map: Map<String, Value> = map.into_iter().collect();
            let read: toml::Table = text(&map).unwrap().parse().unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), Value::Object(map));
        }
    }
}
