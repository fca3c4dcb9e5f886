//! What the templates below `/etc/kubernetes/cluster` may say.

use crate::plan::ObjectsPlan;
use crate::plan::objects::{CoreDnsObjects, KubeProxyObjects, Object};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) use crate::plan::objects::DIRECTORY;

/// The context of each of them.
#[allow(clippy::struct_excessive_bools, reason = "one per question of the templates")]
#[derive(Serialize)]
pub(super) struct Objects {
    rbac: bool,
    token_join: bool,
    signing: bool,
    tokens: bool,
    kube_proxy: Option<KubeProxy>,
    core_dns: Option<CoreDns>,
    nodes: Vec<Node>,
    /// File names of the spec's manifests.
    manifests: Vec<String>,
}

#[derive(Serialize)]
struct KubeProxy {
    image: String,
    server: String,
    configuration: Map<String, Value>,
    environment: Vec<Variable>,
}

#[derive(Serialize)]
struct Variable {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct CoreDns {
    image: String,
    corefile: String,
    address: String,
}

#[derive(Serialize)]
struct Node {
    name: String,
    labels: BTreeMap<String, String>,
}

/// The context.
pub(super) fn context(plan: &ObjectsPlan) -> Objects {
    let cluster = plan.cluster.as_ref();
    let file_name = |path: String| path.rsplit('/').next().map(str::to_owned).unwrap_or_default();
    Objects {
        rbac: plan.has(Object::Rbac),
        token_join: cluster.is_some_and(|cluster| cluster.token_join),
        signing: cluster.is_some_and(|cluster| cluster.signing),
        tokens: plan.tokens,
        kube_proxy: cluster.and_then(|cluster| cluster.kube_proxy.as_ref()).map(kube_proxy),
        core_dns: cluster.and_then(|cluster| cluster.core_dns.as_ref()).map(core_dns),
        nodes: plan
            .nodes
            .iter()
            .map(|(name, labels)| Node { name: name.clone(), labels: labels.clone() })
            .collect(),
        manifests: plan.paths().map(|(path, _)| file_name(path)).collect(),
    }
}

fn kube_proxy(plan: &KubeProxyObjects) -> KubeProxy {
    let variable = |(name, value): (&String, &String)| Variable { name: name.clone(), value: value.clone() };
    KubeProxy {
        image: plan.image.clone(),
        server: plan.server.clone(),
        configuration: plan.configuration.map().clone(),
        environment: plan.environment.iter().map(variable).collect(),
    }
}

fn core_dns(plan: &CoreDnsObjects) -> CoreDns {
    CoreDns { image: plan.image.clone(), corefile: corefile(&plan.domain), address: plan.address.clone() }
}

/// kubeadm's Corefile (`app/phases/addons/dns/manifests.go`), in every release that of the newest: it
/// does not cache the cluster's own names (k/k#128359), which `CoreDNS` 1.9.4 and later can.
fn corefile(domain: &str) -> String {
    format!(
        ".:53 {{
    errors
    health {{
       lameduck 5s
    }}
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }}
    prometheus :9153
    forward . /etc/resolv.conf {{
       max_concurrent 1000
    }}
    cache 30 {{
       disable success {domain}
       disable denial {domain}
    }}
    loop
    reload
    loadbalance
}}
"
    )
}
