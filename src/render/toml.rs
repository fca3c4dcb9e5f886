//! TOML files: written as a whole from the plan, so that no value can break out of its place.

use serde_json::{Map, Value};
use toml::Table;

/// A table with its keys in byte order.
///
/// # Errors
/// For what TOML cannot hold: nothing at all, and numbers beyond 64 bits with a sign.
pub(super) fn text(map: &Map<String, Value>) -> Result<String, String> {
    table(map).map(|table| table.to_string())
}

fn table(map: &Map<String, Value>) -> Result<Table, String> {
    map.iter().map(|(key, inner)| Ok((key.clone(), value(inner)?))).collect()
}

fn value(json: &Value) -> Result<toml::Value, String> {
    Ok(match json {
        Value::Null => return Err("TOML has no null".to_owned()),
        Value::Bool(flag) => toml::Value::Boolean(*flag),
        Value::Number(number) => {
            let float = || number.as_f64().filter(|_| number.is_f64()).map(toml::Value::Float);
            let whole = number.as_i64().map(toml::Value::Integer);
            whole.or_else(float).ok_or_else(|| format!("TOML has no {number}"))?
        }
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(items) => toml::Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        Value::Object(map) => toml::Value::Table(table(map)?),
    })
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
        let expected = "b = [1.5, {}]\nv = 3\n\n[a]\nc = \"\"\"\nx\ny\"\"\"\nd = true\n\n[a.\"io.x/y\"]\nz = [1, \"a\"]\n";
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
