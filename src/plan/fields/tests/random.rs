//! Random configurations: nothing panics, and every problem has a place, a hint and one line.

use super::{ALL, objects};
use crate::plan::fields::check;
use crate::spec::Path;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Map, Value, json};

/// A name: of a table more often than not.
fn name() -> impl Strategy<Value = String> {
    let mut known: Vec<&str> =
        objects().into_iter().flat_map(|(_, fields)| fields.iter().map(|field| field.name)).collect();
    known.extend(["apiVersion", "kind", "", "a.b", "MaxPods", "max-pods"]);
    prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => any::<String>()]
}

fn leaf() -> impl Strategy<Value = Value> {
    let words = ["", "10s", "1h30m", "9999999h", "-", "1Gi", ".", "1..2", "none", "true", "12", "\u{1b}[31m"];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::vec((name(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value(value in value(), minor in any::<u32>(), which in 0..ALL.len()) {
        let path = Path::root().key("kubelet").key("config");
        let problems = check(ALL[which], minor, &value, &path);
        for problem in &problems {
            prop_assert!(problem.is_error());
            prop_assert!(problem.path.starts_with("kubelet.config"), "{:?}", problem);
            prop_assert!(problem.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{:?}", problem);
            let text = format!("{}{}", problem.message, problem.hint.as_deref().unwrap_or_default());
            prop_assert!(!text.chars().any(char::is_control), "{:?}", text);
        }
        prop_assert_eq!(problems, check(ALL[which], minor, &value, &path));
    }

    #[test]
    fn any_scalar_in_any_field(field in name(), value in leaf(), which in 0..ALL.len()) {
        let mut object = Map::new();
        object.insert(field, value);
        let problems = check(ALL[which], 36, &Value::Object(object), &Path::root());
        prop_assert!(problems.len() <= 1, "{:?}", problems);
    }
}
