//! YAML, of one document or several.

use sealift::spec::yaml;
use serde_json::Value;

#[track_caller]
pub(crate) fn read(path: &str, text: &str) -> Value {
    let documents = yaml::documents(text)
        .map(|document| yaml::foreign(document).unwrap_or_else(|error| panic!("{path}: {error:?}\n{text}")));
    documents.collect()
}
