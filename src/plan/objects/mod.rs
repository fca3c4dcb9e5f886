//! What the operators apply to a cluster: objects that kubeadm would make, labels that a kubelet may
//! not set itself, and manifests of the spec.

mod kube_proxy;
#[cfg(test)]
mod tests;

use super::certs::has_control_plane;
use super::host::Shared;
use super::{Facts, FreeForm, Owner, Policy, Source, node, proxy, settings};
use crate::plan::FilePlan;
use crate::spec::types::{CaName, Join, Provisioner, Role, Spec};
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) use kube_proxy::configuration as kube_proxy_configuration;

/// Where the operators have what they apply.
pub const DIRECTORY: &str = "/etc/kubernetes/cluster";
/// The number in the name of the spec's first manifest; the second has the next one.
const FIRST_MANIFEST: usize = 50;
/// How many manifests a spec may have: then come the nodes, with number 90.
pub const MOST_MANIFESTS: usize = 40;

/// What the operators apply to a cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectsPlan {
    /// What kubeadm would make; none where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterObjects>,
    /// Labels by node: those that a kubelet may not set itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, BTreeMap<String, String>>,
    /// The spec's manifests, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<Manifest>,
    /// Whether there are bootstrap tokens to apply.
    pub tokens: bool,
}

/// What kubeadm would make of a cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterObjects {
    /// Whether nodes join with a token.
    pub token_join: bool,
    /// Whether the cluster signs the kubelets' certificates, and so renews them.
    pub signing: bool,
    /// kube-proxy, unless the network does its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_proxy: Option<KubeProxyObjects>,
    /// `CoreDNS`, unless another server does its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core_dns: Option<CoreDnsObjects>,
}

/// kube-proxy.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeProxyObjects {
    /// Its image.
    pub image: String,
    /// The URL of the API servers.
    pub server: String,
    /// Its `KubeProxyConfiguration`.
    pub configuration: FreeForm,
    /// Variables that name a proxy.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// `CoreDNS`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CoreDnsObjects {
    /// Its image.
    pub image: String,
    /// The cluster's domain.
    pub domain: String,
    /// The address of its service: the tenth of the first range of services (kubeadm's `GetDNSIP`).
    pub address: String,
}

/// A manifest that a spec names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The file's name, without its directories.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// A file of [`DIRECTORY`] that not every cluster has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// Anything.
    Any,
    /// Bindings of groups and users.
    Rbac,
    /// kube-proxy.
    KubeProxy,
    /// `CoreDNS`.
    CoreDns,
    /// Labels of nodes.
    Nodes,
}

impl ObjectsPlan {
    /// Whether there is something of that kind.
    pub fn has(&self, object: Object) -> bool {
        let cluster = self.cluster.as_ref();
        match object {
            Object::Any => true,
            Object::Rbac => cluster.is_some(),
            Object::KubeProxy => cluster.is_some_and(|cluster| cluster.kube_proxy.is_some()),
            Object::CoreDns => cluster.is_some_and(|cluster| cluster.core_dns.is_some()),
            Object::Nodes => !self.nodes.is_empty(),
        }
    }

    /// Where the spec's manifests land, in its order.
    pub fn paths(&self) -> impl Iterator<Item = (String, &Manifest)> {
        self.manifests.iter().enumerate().map(|(index, manifest)| {
            (format!("{DIRECTORY}/{}-{}", FIRST_MANIFEST + index, manifest.name), manifest)
        })
    }

    /// The files of the spec's manifests.
    pub(super) fn files(&self) -> impl Iterator<Item = FilePlan> {
        self.paths().map(|(path, _)| FilePlan {
            run: vec![format!(
                "kubectl apply --server-side -f {}",
                path.rsplit('/').next().unwrap_or_default()
            )],
            path,
            mode: 0o644,
            owner: Owner::default(),
            source: Source::Manifest,
            policy: Policy::Managed,
            fields: None,
            certificate: None,
            restart: Vec::new(),
        })
    }
}

/// The objects; none without a control plane, or when there is nothing but what kubeadm makes.
pub(super) fn plan(shared: &Shared<'_>) -> Option<ObjectsPlan> {
    let spec = shared.spec;
    if !has_control_plane(spec) {
        return None;
    }
    let plan = ObjectsPlan {
        cluster: cluster(shared),
        nodes: nodes(spec),
        manifests: manifests(shared.facts),
        tokens: !shared.cluster.tokens.is_empty(),
    };
    let any = plan.cluster.is_some() || !plan.nodes.is_empty() || !plan.manifests.is_empty();
    any.then_some(plan)
}

fn manifests(facts: &Facts) -> Vec<Manifest> {
    facts.manifests.iter().take(MOST_MANIFESTS).cloned().collect()
}

fn cluster(shared: &Shared<'_>) -> Option<ClusterObjects> {
    let spec = shared.spec;
    let of = &spec.kubernetes;
    if of.provisioner != Provisioner::StaticPods {
        return None;
    }
    let images = shared.images.as_ref();
    let kube_proxy = images.filter(|_| !of.kube_proxy.disabled).map(|images| KubeProxyObjects {
        image: images.kube_proxy.clone(),
        server: of.endpoint.as_ref().map(|endpoint| format!("https://{endpoint}")).unwrap_or_default(),
        configuration: kube_proxy_configuration(spec),
        environment: proxy::variables(spec),
    });
    let core_dns = images.filter(|_| !of.core_dns.disabled).map(|images| CoreDnsObjects {
        image: images.coredns.clone(),
        domain: of.cluster_domain.to_string(),
        address: of.dns_address().map(|address| address.to_string()).unwrap_or_default(),
    });
    Some(ClusterObjects {
        token_join: of.join == Join::Token,
        signing: spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes),
        kube_proxy,
        core_dns,
    })
}

fn nodes(spec: &Spec) -> BTreeMap<String, BTreeMap<String, String>> {
    let by_kubeadm = spec.kubernetes.provisioner == Provisioner::Kubeadm;
    let nodes = spec.hosts.iter().filter(|(_, host)| host.is_node());
    let labelled = nodes.filter_map(|(name, host)| {
        let mut labels = BTreeMap::new();
        if host.has(Role::ControlPlane) && !by_kubeadm {
            labels
                .extend([node::CONTROL_PLANE, node::EXCLUDE].map(|label| (label.to_owned(), String::new())));
        }
        let written = settings::labels(spec, host);
        labels.extend(written.into_iter().filter(|(key, _)| !super::labels::kubelet_may_set(key)));
        (!labels.is_empty()).then(|| (name.to_string(), labels))
    });
    labelled.collect()
}
