//! RFC 8785 canonical JSON for types that hold integers, strings, booleans, lists and objects.
//!
//! Object keys are ASCII (so UTF-16 order is byte order) and numbers are integers that every JSON
//! reader holds exactly (RFC 7493, section 2.2), which leaves one byte form for each value.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

/// The largest magnitude of an integer that IEEE 754 doubles hold exactly: 2^53 - 1.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a value has no canonical form, or why bytes are not one.
#[derive(Debug, Error)]
pub enum CanonicalError {
    /// Not JSON, or not JSON of the expected shape.
    #[error("not JSON of the expected shape")]
    Json(#[from] serde_json::Error),
    /// A number with a fraction or exponent, or beyond [`MAX_INTEGER`].
    #[error("number {0} is not an integer within 2^53 - 1")]
    Number(String),
    /// An object key with a character outside ASCII.
    #[error("object key {0:?} is not ASCII")]
    Key(String),
    /// Readable, but white space, key order, a duplicate key, an escape or a default differs.
    #[error("not in canonical form from byte {0} on")]
    Form(usize),
}

/// The canonical bytes of a value, without a final newline.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write(&serde_json::to_value(value)?, &mut out)?;
    Ok(out)
}

/// Reads a value and refuses any bytes but its canonical form, so duplicate keys, unknown fields
/// and floats never pass.
pub fn from_bytes<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_slice(bytes)?;
    let canonical = to_bytes(&value)?;
    if canonical == bytes {
        return Ok(value);
    }
    let same = canonical.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(CanonicalError::Form(same))
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if magnitude.is_none_or(|magnitude| magnitude > MAX_INTEGER) {
                return Err(CanonicalError::Number(number.to_string()));
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::Array(items) => list(out, b'[', items, b']', write)?,
        Value::Object(members) => {
            // Sorted here: another crate may turn on serde_json's preserve_order.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| key.as_bytes());
            list(out, b'{', members, b'}', |(key, value), out| {
                if !key.is_ascii() {
                    return Err(CanonicalError::Key(key.clone()));
                }
                serde_json::to_writer(&mut *out, key)?;
                out.push(b':');
                write(value, out)
            })?;
        }
        // serde_json escapes strings exactly as RFC 8785, section 3.2.2.2 asks.
        Value::Null | Value::Bool(_) | Value::String(_) => serde_json::to_writer(out, value)?,
    }
    Ok(())
}

fn list<I: IntoIterator>(
    out: &mut Vec<u8>,
    open: u8,
    items: I,
    close: u8,
    mut item: impl FnMut(I::Item, &mut Vec<u8>) -> Result<(), CanonicalError>,
) -> Result<(), CanonicalError> {
    out.push(open);
    for (position, value) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        item(value, out)?;
    }
    out.push(close);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::{CanonicalError, MAX_INTEGER, from_bytes, to_bytes};
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    /// RFC 8785, section 3.2.2.2 and 3.2.3: escapes and key order, ASCII keys and integers only.
    #[test]
    fn writes_the_rfc_form() {
        let value = json!({
            "string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{8}\u{c}\t\r\u{7f}\u{1f600}",
            "numbers": [0, -1, MAX_INTEGER, -9_007_199_254_740_991_i64],
            "literals": [null, true, false],
            "1": {"b": [], "B": {}},
            "\r": 1,
        });
        let expected = "{\"\\r\":1,\"1\":{\"B\":{},\"b\":[]},\"literals\":[null,true,false],\
            \"numbers\":[0,-1,9007199254740991,-9007199254740991],\
            \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\f\\t\\r\u{7f}\u{1f600}\"}";
        assert_eq!(String::from_utf8(to_bytes(&value).unwrap()).unwrap(), expected);
        assert_eq!(from_bytes::<Value>(expected.as_bytes()).unwrap(), value);
    }

    #[test]
    fn refuses_what_has_no_canonical_form() {
        assert!(matches!(to_bytes(&1.5), Err(CanonicalError::Number(n)) if n == "1.5"));
        assert!(matches!(to_bytes(&(MAX_INTEGER + 1)), Err(CanonicalError::Number(_))));
        assert!(matches!(to_bytes(&i64::MIN), Err(CanonicalError::Number(_))));
        assert!(matches!(to_bytes(&json!({"\u{e9}": 1})), Err(CanonicalError::Key(k)) if k == "\u{e9}"));
    }

    #[test]
    fn refuses_every_other_form_of_a_value() {
        for (bytes, at) in [
            (r#"{"a":1,"a":1}"#, 6),
            (r#"{"b":1,"a":2}"#, 2),
            (r#"{"a": 1}"#, 5),
            ("{\"a\":1}\n", 7),
            (r#"{"\u0061":1}"#, 2),
        ] {
            let read = from_bytes::<BTreeMap<String, u32>>(bytes.as_bytes());
            assert!(matches!(read, Err(CanonicalError::Form(found)) if found == at), "{bytes}: {read:?}");
        }
        for bytes in ["{\"a\":1}x", "{\"a\":1.0}", "{\"a\":1e0}", "{\"a\":-0}", "", "\u{feff}{}"] {
            assert!(from_bytes::<BTreeMap<String, u32>>(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reads_only_what_it_would_write(bytes in ".{0,40}") {
            if let Ok(value) = from_bytes::<Value>(bytes.as_bytes()) {
                proptest::prop_assert_eq!(to_bytes(&value).unwrap(), bytes.as_bytes());
            }
        }

        #[test]
        fn round_trips(map: BTreeMap<u32, (String, i32, bool)>) {
            let map: BTreeMap<String, _> = map.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
            let bytes = to_bytes(&map).unwrap();
            proptest::prop_assert_eq!(from_bytes::<BTreeMap<String, (String, i32, bool)>>(&bytes).unwrap(), map);
        }
    }
}
