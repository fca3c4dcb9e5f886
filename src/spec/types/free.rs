//! What is passed on to a component in its own words.

use super::super::scalars::{FlagName, PlainText};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The keyword of our schemas for what JSON Schema's own words would not let the structural check read.
pub(crate) const KEYWORD: &str = "x-sealift";
/// A mapping with anything in it.
pub(crate) const FREE: &str = "free";
/// A single value of any kind, or a list of such.
pub(crate) const VALUES: &str = "values";
/// A text or a number, read as the text that it is written with.
pub(crate) const SCALAR: &str = "scalar";

/// A mapping in the words of a component: kept as it is written, in byte order of its keys. Copies
/// share it: a fleet has one, not one each.
///
/// It serialises as one text of JSON, because canonical JSON has no fractions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FreeForm(Arc<Map<String, Value>>);

impl FreeForm {
    /// What is in it.
    pub fn map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Map<String, Value>> for FreeForm {
    fn from(map: Map<String, Value>) -> Self {
        Self(Arc::new(map))
    }
}

impl<'de> Deserialize<'de> for FreeForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for FreeForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(self.map()).map_err(S::Error::custom)?)
    }
}

impl JsonSchema for FreeForm {
    fn schema_name() -> Cow<'static, str> {
        "FreeForm".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "In the component's own words; what it does not know is an error.",
            KEYWORD: FREE,
        })
    }
}

/// The values of one flag, in order: most flags take one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagValues(Vec<PlainText>);

impl FlagValues {
    /// The values, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(PlainText::as_str)
    }
}

impl<'de> Deserialize<'de> for FlagValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<String>::deserialize(deserializer)?;
        let values = values.into_iter().map(|value| value.parse().map_err(D::Error::custom));
        values.collect::<Result<_, _>>().map(Self)
    }
}

impl JsonSchema for FlagValues {
    fn schema_name() -> Cow<'static, str> {
        "FlagValues".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number", "boolean", "array"],
            "items": { "type": ["string", "number", "boolean"], "format": "plain-text" },
            "minItems": 1,
            "description": "A text, a number or a boolean, or a list of them for a flag that is given several times.",
            KEYWORD: VALUES,
        })
    }
}

/// Flags of a component by name, without dashes.
pub type Flags = BTreeMap<FlagName, FlagValues>;
