//! JSON files: written as a whole from the plan, so that no value can break out of its place.

use super::RenderError;
use crate::plan::HostPlan;
use crate::spec::yaml::must_escape;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// A patch of kubeadm's.
pub(super) fn patch(path: &str, host: &HostPlan) -> Result<String, RenderError> {
    let planned = host.kubeadm.as_ref().and_then(|kubeadm| kubeadm.patches.get(path));
    planned.map(|planned| text(planned.map())).ok_or_else(|| RenderError::Unknown(path.to_owned()))
}

/// Keys in byte order, two spaces for each level, one line feed at the end. What JSON readers and
/// JavaScript's take for line breaks is escaped, too, and what go-yaml's reader refuses.
pub(super) fn text(map: &Map<String, Value>) -> String {
    let plain = format!("{:#}\n", Value::Object(map.clone()));
    let mut text = String::with_capacity(plain.len());
    for char in plain.chars() {
        // line feeds are the writer's own: those of values stand escaped already
        if char != '\n' && must_escape(char) {
            // writing to a String cannot fail
            let _ = write!(text, "\\u{:04x}", u32::from(char));
        } else {
            text.push(char);
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::text;
    use crate::spec::yaml;
    use proptest::prelude::{any, prop, proptest};
    use serde_json::{Map, Value, json};

    #[test]
    fn sorted_with_a_line_feed_at_the_end() {
        let Value::Object(map) = json!({"b": [1.5, {}], "a": {"d": null, "c": "x\ny"}}) else {
            unreachable!()
        };
        let expected = "{\n  \"a\": {\n    \"c\": \"x\\ny\",\n    \"d\": null\n  },\n  \"b\": [\n    1.5,\n    {}\n  ]\n}\n";
        assert_eq!(text(&map), expected);
    }

    proptest! {
        /// kubeadm reads patches as YAML: what is written means the same to both, and adds no document.
        #[test]
        fn no_value_breaks_out(map in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4)) {
            let map: Map<String, Value> = map.into_iter().map(|(key, value)| (key, json!([value]))).collect();
            let written = text(&map);
            assert_eq!(serde_json::from_str::<Map<String, Value>>(&written).unwrap(), map);
            assert_eq!(yaml::documents(&written).count(), 1);
            assert!(written.lines().all(|line| line.chars().all(|char| !char.is_control())));
        }
    }
}
