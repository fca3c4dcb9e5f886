//! What the kernel of a node is told by default, as two tables.
//!
//! Sources: kubeadm's preflight checks, the kubelet's `setupKernelTunables`
//! (`pkg/kubelet/cm/container_manager_linux.go`), kube-proxy's `GetRequiredIPVSModules`, Documentation/admin-guide/sysctl
//! of the kernel.

/// Where a default holds; everywhere a kubelet runs, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// Where a kubelet runs.
    Kubelet,
    /// The same, and `hostPrep.swap` turns swap off.
    NoSwap,
    /// On nodes of Kubernetes.
    Node,
    /// On nodes whose pods have IPv6.
    Ipv6,
    /// On nodes whose kube-proxy uses IPVS.
    Ipvs,
    /// On nodes whose kube-proxy uses nftables.
    Nftables,
}

impl Where {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Kubelet => "with a kubelet",
            Self::NoSwap => "with a kubelet, and swap that is turned off here",
            Self::Node => "nodes",
            Self::Ipv6 => "nodes whose pods have IPv6",
            Self::Ipvs => "nodes with kube-proxy's `ipvs`",
            Self::Nftables => "nodes with kube-proxy's `nftables`",
        }
    }
}

/// A module of the kernel.
#[derive(Debug)]
pub struct DefaultModule {
    /// As `lsmod` shows it.
    pub name: &'static str,
    /// Where it is loaded.
    pub on: Where,
    /// What for.
    pub why: &'static str,
}

/// A setting of the kernel.
#[derive(Debug)]
pub struct DefaultSetting {
    /// With dots.
    pub key: &'static str,
    /// Its value.
    pub value: &'static str,
    /// Where it is set.
    pub on: Where,
    /// The module that has it; none of what each kernel has.
    pub module: Option<&'static str>,
    /// What for.
    pub why: &'static str,
}

const fn module(name: &'static str, on: Where, why: &'static str) -> DefaultModule {
    DefaultModule { name, on, why }
}

/// In byte order of their names.
pub const MODULES: &[DefaultModule] = &[
    module("br_netfilter", Where::Node, "packets that cross a bridge pass iptables, and so reach services"),
    module("ip_vs", Where::Ipvs, "kube-proxy's IPVS"),
    module("ip_vs_rr", Where::Ipvs, "kube-proxy's default scheduler, round robin"),
    module("ip_vs_sh", Where::Ipvs, "kube-proxy asks for it: source hashing"),
    module("ip_vs_wrr", Where::Ipvs, "kube-proxy asks for it: weighted round robin"),
    module("nf_conntrack", Where::Node, "translation of services' addresses"),
    module("nf_tables", Where::Nftables, "kube-proxy's nftables; its parts come as rules need them"),
    module("overlay", Where::Kubelet, "the file system of containers' layers"),
];

const fn setting(key: &'static str, value: &'static str, on: Where, why: &'static str) -> DefaultSetting {
    DefaultSetting { key, value, on, module: None, why }
}

const fn of_bridges(key: &'static str, why: &'static str) -> DefaultSetting {
    DefaultSetting { key, value: "1", on: Where::Node, module: Some("br_netfilter"), why }
}

/// In byte order of their keys.
pub const SETTINGS: &[DefaultSetting] = &[
    setting(
        "fs.inotify.max_user_instances",
        "8192",
        Where::Kubelet,
        "kubelet, runtime and pods watch files; 128 of one user are soon used up",
    ),
    setting(
        "fs.inotify.max_user_watches",
        "1048576",
        Where::Kubelet,
        "the same; small machines have fewer by default",
    ),
    setting(
        "kernel.keys.root_maxbytes",
        "25000000",
        Where::Kubelet,
        "what the kubelet sets, and demands with protectKernelDefaults",
    ),
    setting(
        "kernel.keys.root_maxkeys",
        "1000000",
        Where::Kubelet,
        "what the kubelet sets, and demands with protectKernelDefaults: each container has a keyring",
    ),
    setting(
        "kernel.panic",
        "10",
        Where::Kubelet,
        "what the kubelet sets, and demands with protectKernelDefaults: 10 seconds after a panic, it boots",
    ),
    setting(
        "kernel.panic_on_oops",
        "1",
        Where::Kubelet,
        "what the kubelet sets, and demands with protectKernelDefaults: a kernel with a fault does not go on",
    ),
    of_bridges(
        "net.bridge.bridge-nf-call-ip6tables",
        "packets of pods on a bridge reach services, over IPv6",
    ),
    of_bridges("net.bridge.bridge-nf-call-iptables", "packets of pods on a bridge reach services"),
    setting("net.ipv4.ip_forward", "1", Where::Node, "a node is its pods' router; kubeadm demands it"),
    setting(
        "net.ipv4.neigh.default.gc_thresh1",
        "1024",
        Where::Node,
        "neighbours that are kept in any case: pods are neighbours, too",
    ),
    setting(
        "net.ipv4.neigh.default.gc_thresh2",
        "4096",
        Where::Node,
        "neighbours above which old ones are forgotten sooner",
    ),
    setting(
        "net.ipv4.neigh.default.gc_thresh3",
        "8192",
        Where::Node,
        "neighbours at most; packets are lost above",
    ),
    setting(
        "net.ipv6.conf.all.forwarding",
        "1",
        Where::Ipv6,
        "a node is its pods' router; kubeadm demands it",
    ),
    setting(
        "net.ipv6.neigh.default.gc_thresh1",
        "1024",
        Where::Ipv6,
        "neighbours that are kept in any case: pods are neighbours, too",
    ),
    setting(
        "net.ipv6.neigh.default.gc_thresh2",
        "4096",
        Where::Ipv6,
        "neighbours above which old ones are forgotten sooner",
    ),
    setting(
        "net.ipv6.neigh.default.gc_thresh3",
        "8192",
        Where::Ipv6,
        "neighbours at most; packets are lost above",
    ),
    setting(
        "vm.overcommit_memory",
        "1",
        Where::Kubelet,
        "what the kubelet sets, and demands with protectKernelDefaults: limits of pods hold memory, not this",
    ),
    setting(
        "vm.panic_on_oom",
        "0",
        Where::Kubelet,
        "what the kubelet sets, and demands with protectKernelDefaults: a pod that takes too much ends, not the host",
    ),
    setting("vm.swappiness", "0", Where::NoSwap, "nothing is swapped out before swap is off"),
];

/// A setting that kernels do not have any more.
#[derive(Debug)]
pub struct RemovedSetting {
    /// With dots.
    pub key: &'static str,
    /// The first release without it.
    pub since: &'static str,
}

const fn removed(key: &'static str, since: &'static str) -> RemovedSetting {
    RemovedSetting { key, since }
}

/// What old instructions have. In byte order of their keys.
pub const REMOVED: &[RemovedSetting] = &[
    removed("kernel.sched_latency_ns", "5.13"),
    removed("kernel.sched_migration_cost_ns", "5.13"),
    removed("kernel.sched_min_granularity_ns", "5.13"),
    removed("kernel.sched_nr_migrate", "5.13"),
    removed("kernel.sched_tunable_scaling", "5.13"),
    removed("kernel.sched_wakeup_granularity_ns", "5.13"),
    removed("net.ipv4.ip_conntrack_max", "4.9"),
    removed("net.ipv4.netfilter.ip_conntrack_max", "4.9"),
    removed("net.ipv4.tcp_tw_recycle", "4.12"),
    removed("vm.block_dump", "5.13"),
];
