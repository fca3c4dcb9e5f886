//! The Kubernetes cluster as a whole.

use super::super::scalars::{
    ClusterDomain, Endpoint, FeatureGate, FilePath, HostName, ImageRepository, ItemName, KubernetesVersion,
    Port, Subnet,
};
use super::components::{
    ApiServer, ControllerManager, CoreDns, FeatureGates, Images, KubeProxy, Proxy, Scheduler,
};
use super::{BootstrapToken, map_schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Kubernetes release, who provisions it, and its addresses.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["version", "provisioner"]))]
pub struct Kubernetes {
    /// The release, such as `1.36.2`.
    pub version: KubernetesVersion,
    /// Who makes the control plane: `none` for hosts that run etcd alone.
    pub provisioner: Provisioner,
    /// Where images come from when they are not named one by one.
    pub image_repository: ImageRepository,
    /// Where the API servers are reached together, `NAME:PORT` or `ADDRESS:PORT`.
    pub endpoint: Option<Endpoint>,
    /// The port of each API server; 6443 by default.
    pub api_port: Port,
    /// Addresses of services, one range of each family; `[10.96.0.0/12]` by default, as kubeadm.
    pub service_subnets: Vec<Subnet>,
    /// Addresses of pods, one range of each family.
    pub pod_subnets: Vec<Subnet>,
    /// The cluster's DNS domain; `cluster.local` by default.
    pub cluster_domain: ClusterDomain,
    /// The control plane that the others join; the first by name by default.
    pub first_control_plane: Option<HostName>,
    /// Whether the cluster runs already: then super-admin.conf leaves the first control plane.
    pub initialized: bool,
    /// How nodes join: with certificates from here, or with a token and certificates that the cluster signs.
    pub join: Join,
    /// Tokens with which nodes join, by name.
    #[schemars(schema_with = "map_schema::<ItemName, BootstrapToken>")]
    pub bootstrap_tokens: BTreeMap<ItemName, BootstrapToken>,
    /// Feature gates of all components.
    #[schemars(schema_with = "map_schema::<FeatureGate, bool>")]
    pub feature_gates: FeatureGates,
    /// How long the prefix of each node's pods is.
    pub node_cidr_mask: NodeCidrMask,
    /// Allow nodes with cgroup v1, which the kubelet refuses from 1.35 on.
    pub cgroup_v1: bool,
    /// Let any pod run on control planes: they register without their taint.
    pub untaint_control_planes: bool,
    /// Images one by one.
    pub images: Images,
    /// The API server.
    pub api_server: ApiServer,
    /// The controller manager.
    pub controller_manager: ControllerManager,
    /// The scheduler.
    pub scheduler: Scheduler,
    /// kube-proxy.
    pub kube_proxy: KubeProxy,
    /// The cluster's DNS server.
    pub core_dns: CoreDns,
    /// The proxy through which components, kubelets and container runtimes reach the world.
    pub proxy: Option<Proxy>,
    /// More manifests for the operators' bundle, such as a network's: files of YAML.
    pub manifests: Vec<FilePath>,
}

/// The prefix length of each node's range of pods (--node-cidr-mask-size of the controller manager).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NodeCidrMask {
    /// Of IPv4; 24 by default.
    #[schemars(range(min = 8, max = 30))]
    pub ipv4: Option<u32>,
    /// Of IPv6; 64 by default.
    #[schemars(range(min = 16, max = 126))]
    pub ipv6: Option<u32>,
}

impl Kubernetes {
    /// Addresses of services, written or not.
    pub fn service_subnets(&self) -> Vec<Subnet> {
        if self.service_subnets.is_empty() { vec![Subnet::SERVICES] } else { self.service_subnets.clone() }
    }

    /// The address of the cluster's DNS server: the tenth of the first range of services, with two ranges
    /// too (kubeadm's `GetDNSIP`).
    pub fn dns_address(&self) -> Option<IpAddr> {
        self.service_subnets().first().and_then(|subnet| subnet.nth(10))
    }
}

/// Who makes the control plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provisioner {
    /// Nobody: the hosts run etcd alone.
    #[default]
    None,
    /// kubeadm, over certificates and kubeconfigs that are there already.
    Kubeadm,
    /// Nobody but the kubelets: static pods.
    StaticPods,
}

/// How nodes join.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Join {
    /// Every node has its kubelet.conf from its bundle.
    #[default]
    Certificates,
    /// Nodes have the cluster sign their certificates (TLS bootstrap). Needs the Kubernetes CA's key on control planes.
    Token,
}
