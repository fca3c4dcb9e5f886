//! What the templates of kubeadm's configurations see.

use crate::plan::{FreeForm, KubeadmPlan};
use serde::Serialize;
use serde_json::{Map, Value};

/// The configuration of a node.
#[derive(Serialize)]
pub(super) struct Node {
    documents: Vec<Document>,
}

/// One document, what it is apart from the rest.
#[derive(Serialize)]
struct Document {
    api_version: String,
    kind: String,
    body: Map<String, Value>,
}

pub(super) fn node(plan: &KubeadmPlan) -> Node {
    documents(&plan.documents)
}

/// What all control planes are made from, where one joins.
pub(super) fn cluster(plan: &KubeadmPlan) -> Option<Node> {
    plan.cluster.as_ref().map(|cluster| documents(std::slice::from_ref(cluster)))
}

fn documents(forms: &[FreeForm]) -> Node {
    let document = |map: &Map<String, Value>| {
        let mut body = map.clone();
        let mut take = |key: &str| match body.remove(key) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let (api_version, kind) = (take("apiVersion"), take("kind"));
        Document { api_version, kind, body }
    };
    Node { documents: forms.iter().map(|form| document(form.map())).collect() }
}
