//! What is written, held against another table: every field is there, with the type or the value of it.

/// Fields of `written` that `known` has not, or has with another type.
pub(crate) fn unknown(written: &toml::Table, known: &toml::Table) -> Vec<String> {
    compare(written, known, "", &|one, other| one.same_type(other))
}

/// Fields of `written` that `read` has not, or has with another value.
pub(crate) fn lost(written: &toml::Table, read: &toml::Table) -> Vec<String> {
    compare(written, read, "", &|one, other| one == other)
}

fn compare(
    one: &toml::Table,
    other: &toml::Table,
    path: &str,
    alike: &dyn Fn(&toml::Value, &toml::Value) -> bool,
) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in one {
        let path = format!("{path}/{key}");
        match (value, other.get(key)) {
            (toml::Value::Table(one), Some(toml::Value::Table(other))) => {
                all.extend(compare(one, other, &path, alike));
            }
            (one, Some(other)) if alike(one, other) => {}
            (one, other) => all.push(format!("{path}: {one:?}, and there {other:?}")),
        }
    }
    all
}

#[test]
fn what_differs_is_found() {
    let [one, other] =
        ["a = 1\n[b]\nc = true\nd = 1", "a = 2\n[b]\nc = \"\""].map(|text| text.parse().unwrap());
    assert_eq!(
        unknown(&one, &other),
        ["/b/c: Boolean(true), and there Some(String(\"\"))", "/b/d: Integer(1), and there None"]
    );
    assert_eq!(lost(&one, &other).len(), 3);
    assert_eq!(lost(&one, &one), [""; 0]);
}
