//! etcd as a `StatefulSet`: specs of it, and its pods as a cluster would start them.

use super::archive::members;
use super::example::Built;
use super::opened::{Files, open, operator};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where its objects lie in the operators' bundle.
pub(crate) const DIRECTORY: &str = "/etc/kubernetes/etcd";

/// A spec with these lines in `etcd.statefulSet`, in flow style, and these at its end.
pub(crate) fn spec(version: &str, of: &str, kubernetes: &str, rest: &str) -> String {
    format!(
        "apiVersion: sealift/v1
cluster:
  name: prod
  id: \"7e570000000000000000000000000001\"
  epoch: 2026-11-20T00:00:00Z
  revision: 1
  operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]
kubernetes:
  version: {version}
  provisioner: none
{kubernetes}etcd:
  run: statefulset
  statefulSet: {{{of}}}
{rest}hosts: {{}}
"
    )
}

/// The operators' files, opened: there is no other bundle.
#[track_caller]
pub(crate) fn files(built: &Built) -> Files {
    open(&built.bundle("operator"), &operator())
}

/// The names of everything in the bundle.
pub(crate) fn names(built: &Built) -> Vec<String> {
    members(&built.bundle("operator")).into_iter().map(|member| member.name).collect()
}

/// The objects of one file below [`DIRECTORY`].
#[track_caller]
pub(crate) fn objects(files: &Files, name: &str) -> Vec<Value> {
    let file = files.get(&format!("{DIRECTORY}/{name}")).unwrap_or_else(|| panic!("no {name}"));
    let documents = sealift::spec::yaml::documents(file.text());
    documents.map(|text| sealift::spec::yaml::foreign(text).unwrap()).collect()
}

/// The `StatefulSet`.
pub(crate) fn stateful_set(files: &Files) -> Value {
    objects(files, "30-statefulset.yaml").remove(0)
}

/// The text at a pointer.
#[track_caller]
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

/// One pod as a cluster makes it of the `StatefulSet`.
pub(crate) struct Pod {
    /// Its name.
    pub(crate) name: String,
    /// Its variables.
    pub(crate) environment: BTreeMap<String, String>,
    /// etcd's arguments, expanded.
    pub(crate) arguments: Vec<String>,
}

impl Pod {
    /// The value of a flag.
    #[track_caller]
    pub(crate) fn flag(&self, name: &str) -> &str {
        let start = format!("--{name}=");
        let mut found = self.arguments.iter().filter_map(|argument| argument.strip_prefix(&start));
        found.next().unwrap_or_else(|| panic!("no {name} in {:?}", self.arguments))
    }
}

/// All pods.
pub(crate) fn pods(files: &Files) -> Vec<Pod> {
    let set = stateful_set(files);
    let members = objects(files, "15-members.yaml").remove(0);
    let replicas = set["spec"]["replicas"].as_u64().unwrap();
    (0..replicas).map(|number| pod(&set, &members, number)).collect()
}

fn pod(set: &Value, members: &Value, number: u64) -> Pod {
    let name = format!("{}-{number}", text(set, "/metadata/name"));
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    let mut environment = BTreeMap::new();
    for variable in container["env"].as_array().unwrap() {
        let value = match (variable.get("value"), variable.get("valueFrom")) {
            (Some(value), None) => value.as_str().unwrap().to_owned(),
            (None, Some(from)) => downward(set, members, &name, from),
            _ => panic!("{variable}"),
        };
        environment.insert(text(variable, "/name").to_owned(), value);
    }
    let arguments = container["args"].as_array().unwrap().iter();
    let arguments = arguments.map(|argument| expanded(argument.as_str().unwrap(), &environment)).collect();
    Pod { name, environment, arguments }
}

/// A variable from a field of the pod, or from the `ConfigMap`.
fn downward(set: &Value, members: &Value, pod: &str, from: &Value) -> String {
    if let Some(key) = from.get("configMapKeyRef") {
        assert_eq!(key["name"], members["metadata"]["name"]);
        assert_eq!(set["metadata"]["namespace"], members["metadata"]["namespace"]);
        return members["data"][text(key, "/key")].as_str().unwrap().to_owned();
    }
    match text(from, "/fieldRef/fieldPath") {
        "metadata.name" => pod.to_owned(),
        "metadata.namespace" => text(set, "/metadata/namespace").to_owned(),
        path => {
            let key = path.strip_prefix("metadata.annotations['").unwrap().strip_suffix("']").unwrap();
            set["spec"]["template"]["metadata"]["annotations"][key].as_str().unwrap().to_owned()
        }
    }
}

/// As the kubelet expands arguments (`third_party/forked/golang/expansion`): `$(NAME)`, and `$$` for `$`.
fn expanded(argument: &str, environment: &BTreeMap<String, String>) -> String {
    let (mut out, mut rest) = (String::new(), argument);
    while let Some(at) = rest.find('$') {
        out += &rest[..at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            out += environment.get(name).unwrap_or_else(|| panic!("no variable {name}"));
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

/// The hosts of all URLs in a text.
pub(crate) fn hosts(text: &str) -> Vec<String> {
    let urls = text.split(',').filter_map(|part| part.split_once("://").map(|(_, rest)| rest));
    urls.map(|rest| rest.rsplit_once(':').unwrap().0.to_owned()).collect()
}
