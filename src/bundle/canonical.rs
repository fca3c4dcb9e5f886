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
            if !magnitude.is_some_and(|magnitude| magnitude <= MAX_INTEGER) {
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
