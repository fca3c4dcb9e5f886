//! kubeadm's configuration of one host, where kubeadm makes the nodes: what `kubeadm init` or `kubeadm
//! join` reads with `--config`, and the patches that it lays over what it writes.
//!
//! Sources: `cmd/kubeadm/app/apis/kubeadm/v1beta3` and `v1beta4` (types, defaults, validation),
//! `app/util/patches` (names of patch files).

mod checked;
mod cluster;
mod kubelet;
mod node;
mod patches;
mod problems;

use super::EtcdPlan;
use super::certs::Place;
use super::host::Shared;
use super::kubelet::KubeletPlan;
use super::objects;
use super::releases::{KubeadmApi, Release};
use super::settings::Settings;
use crate::spec::scalars::HostName;
use crate::spec::types::{FreeForm, Host, Join, Provisioner, Role};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) use checked::fields;
pub(super) use patches::patches_of;
pub(super) use problems::{of_host as host_problems, problems};

/// Where patches lie.
pub const PATCHES: &str = "/etc/kubernetes/patches";

/// kubeadm's configuration of one host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeadmPlan {
    /// What the host does with it.
    pub step: Step,
    /// How nodes join: with a token, the file is secret.
    pub join: Join,
    /// The documents of its file, in order, each with `apiVersion` and `kind`. Without tokens: what they
    /// are is known to `derive` alone.
    pub documents: Vec<FreeForm>,
    /// Of a control plane that joins: what all control planes are made from, as the first one has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<FreeForm>,
    /// Patches by path: of a `+merge.json` as RFC 7386 has it, of a `+strategic.json` as Kubernetes.
    pub patches: BTreeMap<String, FreeForm>,
    /// The names of the bootstrap tokens that its file shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<String>,
}

/// What a host does with kubeadm on its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// `kubeadm init`: the first control plane.
    Init,
    /// `kubeadm join`: everybody else.
    Join,
}

/// What the documents of one host come from.
struct Subject<'a> {
    shared: &'a Shared<'a>,
    release: &'static Release,
    name: &'a HostName,
    host: &'a Host,
    settings: &'a Settings,
    kubelet: &'a KubeletPlan,
    etcd: Option<&'a EtcdPlan>,
}

impl Subject<'_> {
    fn is_control_plane(&self) -> bool {
        self.host.has(Role::ControlPlane)
    }

    fn v1beta4(&self) -> bool {
        self.release.kubeadm_api == KubeadmApi::V1beta4
    }

    /// `apiVersion` of kubeadm's own documents.
    fn api_version(&self) -> &'static str {
        if self.v1beta4() { "kubeadm.k8s.io/v1beta4" } else { "kubeadm.k8s.io/v1beta3" }
    }

    /// Flags in the form of the API: a map in v1beta3, a list, in which a flag may stand twice, in v1beta4.
    fn flags(&self, flags: &BTreeMap<String, Vec<String>>) -> Value {
        let each = flags
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name.as_str(), value.as_str())));
        if self.v1beta4() {
            named(each)
        } else {
            each.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
        }
    }
}

/// A list of `{name, value}`.
fn named<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    pairs.map(|(name, value)| serde_json::json!({ "name": name, "value": value })).collect()
}

/// The configuration of one host; none where kubeadm makes no node.
pub(super) fn plan(
    shared: &Shared<'_>,
    name: &HostName,
    host: &Host,
    settings: &Settings,
    etcd: Option<&EtcdPlan>,
    kubelet: Option<&KubeletPlan>,
) -> Option<KubeadmPlan> {
    let spec = shared.spec;
    if spec.kubernetes.provisioner != Provisioner::Kubeadm || !host.is_node() {
        return None;
    }
    let subject = Subject { shared, release: shared.release?, name, host, settings, kubelet: kubelet?, etcd };
    let first = Place::of_host(spec, name, host).contains(&Place::FirstControlPlane);
    let documents = if first {
        vec![
            node::init(&subject),
            cluster::configuration(&subject),
            kubelet::configuration(spec, subject.release),
            objects::kube_proxy_configuration(spec),
        ]
    } else {
        vec![node::join(&subject)]
    };
    let join = spec.kubernetes.join;
    let shown = match (join, first) {
        (Join::Certificates, _) => 0,
        (Join::Token, true) => usize::MAX,
        (Join::Token, false) => 1,
    };
    Some(KubeadmPlan {
        step: if first { Step::Init } else { Step::Join },
        join,
        documents,
        cluster: (!first && subject.is_control_plane()).then(|| cluster::configuration(&subject)),
        patches: patches::plan(&subject),
        tokens: shared.cluster.tokens.iter().take(shown).map(|token| token.name.clone()).collect(),
    })
}

/// A JSON object as a document; anything else is none.
fn form(value: Value) -> FreeForm {
    match value {
        Value::Object(map) => map.into(),
        _ => FreeForm::default(),
    }
}

/// Sets what is there.
fn set(target: &mut Value, key: &str, value: impl Into<Value>) {
    if let Value::Object(map) = target {
        map.insert(key.to_owned(), value.into());
    }
}
