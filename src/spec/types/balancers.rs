//! What leads to the API servers: balancers and virtual addresses.

use super::super::scalars::{
    AbsolutePath, AsNumber, Generation, HostName, ImageRef, InterfaceName, Length, Port, SeedNumber,
    VrrpPriority, Weight,
};
use super::{ContainerEngine, Host, Role, map_schema};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Something that leads to the API servers, or a part of it. Each kind has fields of its own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["kind"]))]
pub struct LoadBalancer {
    /// What it is.
    pub kind: BalancerKind,
    /// Which hosts have it: of keepalived, nginx and haproxy. kube-vip is on control planes.
    pub on: Option<BalancerPlace>,
    /// Under what it runs; `service` by default. kube-vip is a static pod.
    pub run: Option<BalancerRun>,
    /// The image, with tag or digest, where it runs in a container.
    pub image: Option<ImageRef>,
    /// What runs its container with `run: container`; `podman` by default.
    pub engine: Option<ContainerEngine>,
    /// The engine's program.
    pub program: Option<AbsolutePath>,
    /// The virtual addresses, of keepalived and kube-vip.
    pub vips: Vec<IpAddr>,
    /// The network interface of the virtual addresses; `roles` and `hosts` can say otherwise.
    pub interface: Option<InterfaceName>,
    /// Of keepalived: what tells its instances from others of the same network (`virtual_router_id`).
    #[schemars(range(min = 1, max = 255))]
    pub virtual_router_id: Option<u32>,
    /// Of keepalived: whether a host that comes back takes the virtual addresses back; it does by default.
    pub preempt: Option<bool>,
    /// Of keepalived: priorities by host, all or none; by default 101 for the first by name, and one less
    /// for each that follows.
    #[schemars(schema_with = "map_schema::<HostName, VrrpPriority>")]
    pub priorities: BTreeMap<HostName, VrrpPriority>,
    /// Of keepalived: advertise to a multicast group instead of to each other host by its address.
    pub multicast: bool,
    /// Of keepalived: a derived password of eight characters, which anybody on the network can read.
    pub password: Option<BalancerPassword>,
    /// Of keepalived: how often the host that has the addresses says so; `1s` by default.
    pub advertisement_interval: Option<Length>,
    /// Of keepalived and haproxy: how health is checked.
    pub check: BalancerCheck,
    /// Of nginx and haproxy: where it listens; `loopback` by default on every node, else `all`.
    pub listen: Option<Listen>,
    /// Of nginx, haproxy and external: the port; the endpoint's by default.
    pub port: Option<Port>,
    /// Of nginx and haproxy: whether API servers are reached by address or by name.
    pub backends: Option<BackendNames>,
    /// Of nginx and haproxy: how connections are spread; `least-connections` by default.
    pub balance: Option<Balance>,
    /// Of nginx and haproxy: shares of control planes by host, 1 by default.
    #[schemars(schema_with = "map_schema::<HostName, Weight>")]
    pub weights: BTreeMap<HostName, Weight>,
    /// Of nginx: after how many failures in `failTimeout` a backend is left alone; 3 by default.
    #[schemars(range(min = 1, max = 1000))]
    pub max_fails: Option<u32>,
    /// Of nginx: that time, and for how long it is left alone; `10s` by default.
    pub fail_timeout: Option<Length>,
    /// Of nginx and haproxy: how long a connection to a backend may take to be made; `3s` by default.
    pub connect_timeout: Option<Length>,
    /// Of nginx and haproxy: after which silence a connection is closed; `10m` by default.
    pub idle_timeout: Option<Length>,
    /// Of nginx and haproxy: how many connections at most, of a worker process or in all: each takes two
    /// open files, of 1048576 (`fs.nr_open`).
    #[schemars(range(min = 64, max = 500_000))]
    pub max_connections: Option<u32>,
    /// Of nginx: whether each worker process has a listening socket of its own (`reuseport`).
    pub reuse_port: Option<bool>,
    /// Of kube-vip: how the network learns where the virtual addresses are; `arp` by default.
    pub announce: Option<Announce>,
    /// Of kube-vip: its routers, with `announce: bgp`.
    pub bgp: Option<Bgp>,
    /// Of external: names that lead to the API servers, besides the endpoint's.
    pub names: Vec<HostName>,
    /// Of external: addresses that lead to the API servers.
    pub addresses: Vec<IpAddr>,
}

/// A kind of balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BalancerKind {
    /// Somebody else's.
    #[default]
    External,
    /// keepalived: virtual addresses by VRRP.
    Keepalived,
    /// nginx, as a proxy of TCP.
    Nginx,
    /// haproxy, as a proxy of TCP.
    Haproxy,
    /// kube-vip: virtual addresses by ARP and NDP or by BGP.
    KubeVip,
}

impl BalancerKind {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Keepalived => "keepalived",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::KubeVip => "kube-vip",
        }
    }

    /// Whether it passes connections on, and so has a port of its own.
    pub const fn is_proxy(self) -> bool {
        matches!(self, Self::Nginx | Self::Haproxy)
    }

    /// Whether it brings virtual addresses.
    pub const fn has_vips(self) -> bool {
        matches!(self, Self::Keepalived | Self::KubeVip)
    }
}

/// Which hosts have a balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BalancerPlace {
    /// All control planes.
    ControlPlane,
    /// All hosts of the role `load-balancer`.
    LoadBalancer,
    /// All nodes: control planes and workers.
    Node,
}

impl BalancerPlace {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::LoadBalancer => "load-balancer",
            Self::Node => "node",
        }
    }
}

/// Under what a balancer runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BalancerRun {
    /// The service of the distribution's package.
    #[default]
    Service,
    /// A container on the host's network, as a service of systemd.
    Container,
    /// A static pod under the kubelet.
    StaticPod,
}

impl BalancerRun {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Container => "container",
            Self::StaticPod => "static-pod",
        }
    }
}

/// A derived password.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BalancerPassword {
    /// Raise it for a new password.
    pub generation: Generation,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
}

/// How health is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BalancerCheck {
    /// How often; `3s` by default.
    pub interval: Option<Length>,
    /// How long an answer may take; `2s` by default.
    pub timeout: Option<Length>,
    /// After how many good answers it is well again; 2 by default.
    #[schemars(range(min = 1, max = 100))]
    pub rise: Option<u32>,
    /// After how many bad ones it is not well; 3 by default.
    #[schemars(range(min = 1, max = 100))]
    pub fall: Option<u32>,
    /// Of keepalived: by how much the priority falls instead of the host giving the addresses up.
    #[schemars(range(min = 1, max = 253))]
    pub weight: Option<u32>,
}

/// Where a proxy listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Listen {
    /// On 127.0.0.1, and `::1` where services have IPv6, for its own host.
    Loopback,
    /// On all addresses.
    #[default]
    All,
    /// On the host's own addresses, but on no virtual one.
    Host,
}

impl Listen {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::All => "all",
            Self::Host => "host",
        }
    }
}

/// What a proxy reaches API servers by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackendNames {
    /// The address.
    #[default]
    Address,
    /// The host's name, which every host with the proxy must resolve.
    Name,
}

/// How connections are spread over API servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// To the one with the fewest.
    #[default]
    LeastConnections,
    /// To each in turn.
    RoundRobin,
    /// By the client's address, with consistent hashing.
    SourceAddress,
}

impl Balance {
    /// The word in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeastConnections => "least-connections",
            Self::RoundRobin => "round-robin",
            Self::SourceAddress => "source-address",
        }
    }
}

/// How the network learns where virtual addresses are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Announce {
    /// By gratuitous ARP, and NDP for IPv6.
    #[default]
    Arp,
    /// By BGP.
    Bgp,
}

/// How kube-vip speaks BGP.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["as", "peers"]))]
pub struct Bgp {
    /// The autonomous system of the control planes.
    #[serde(rename = "as")]
    pub autonomous_system: AsNumber,
    /// The routers.
    #[schemars(length(min = 1))]
    pub peers: Vec<BgpPeer>,
}

/// A router.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["address", "as"]))]
pub struct BgpPeer {
    /// Its address.
    pub address: IpAddr,
    /// Its autonomous system.
    #[serde(rename = "as")]
    pub autonomous_system: AsNumber,
    /// Whether it is more than one hop away.
    pub multihop: bool,
}

impl Default for BgpPeer {
    fn default() -> Self {
        let address = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        Self { address, autonomous_system: AsNumber::default(), multihop: false }
    }
}

impl LoadBalancer {
    /// Whether a host has it.
    pub fn is_on(&self, host: &Host) -> bool {
        let place = match self.kind {
            BalancerKind::External => return false,
            BalancerKind::KubeVip => Some(BalancerPlace::ControlPlane),
            _ => self.on,
        };
        place.is_some_and(|place| match place {
            BalancerPlace::ControlPlane => host.has(Role::ControlPlane),
            BalancerPlace::LoadBalancer => host.has(Role::LoadBalancer),
            BalancerPlace::Node => host.is_node(),
        })
    }
}
