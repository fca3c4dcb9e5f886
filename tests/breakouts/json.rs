//! JSON.

use serde_json::Value;

pub(crate) fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
