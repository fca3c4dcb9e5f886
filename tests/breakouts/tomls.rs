//! TOML.

use serde_json::Value;

pub(crate) fn read(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap();
    serde_json::to_value(table).unwrap()
}
