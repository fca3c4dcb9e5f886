//! `KubeProxyConfiguration`.
//!
//! Sources: k8s.io/kube-proxy `config/v1alpha1/types.go`, `pkg/proxy/apis/config/validation`,
//! CHANGELOG-1.31.md (`windowsRunAsService`). All else is there since 1.29: `conntrack.tcpBeLiberal`
//! (k/k#120354), `conntrack.udpTimeout` (k/k#120808) and `nftables` (k/k#121046) came with it.

use super::shared::LOGGING;
use super::{BIT, BOOL_MAP, COUNT, Field, Kind, OOM_SCORE, TEXT_LIST, field, word};

/// The fields at the top.
pub(super) const KUBE_PROXY: &[Field] = &[
    field("bindAddress", Kind::Text),
    field("bindAddressHardFail", Kind::Bool),
    field("clientConnection", Kind::Object(CLIENT_CONNECTION)),
    field("clusterCIDR", Kind::Text),
    field("configSyncPeriod", Kind::Duration),
    field("conntrack", Kind::Object(CONNTRACK)),
    field("detectLocal", Kind::Object(DETECT_LOCAL)),
    field("detectLocalMode", DETECT_LOCAL_MODE),
    field("enableProfiling", Kind::Bool),
    field("featureGates", BOOL_MAP),
    field("healthzBindAddress", Kind::Text),
    field("hostnameOverride", Kind::Text),
    field("iptables", Kind::Object(IPTABLES)),
    field("ipvs", Kind::Object(IPVS)),
    field("logging", Kind::Object(LOGGING)),
    field("metricsBindAddress", Kind::Text),
    field("mode", MODE),
    field("nftables", Kind::Object(NFTABLES)),
    field("nodePortAddresses", TEXT_LIST),
    field("oomScoreAdj", OOM_SCORE),
    field("portRange", Kind::Text),
    field("showHiddenMetricsForVersion", Kind::Text),
    field("windowsRunAsService", Kind::Bool).since(31),
    field("winkernel", Kind::Object(WINKERNEL)),
];

/// component-base, `config/v1alpha1/types.go`.
const CLIENT_CONNECTION: &[Field] = &[
    field("acceptContentTypes", Kind::Text),
    field("burst", COUNT),
    field("contentType", Kind::Text),
    field("kubeconfig", Kind::Text),
    field("qps", Kind::Float),
];

/// What kube-proxy writes to `nf_conntrack`.
const CONNTRACK: &[Field] = &[
    field("maxPerCore", COUNT),
    field("min", COUNT),
    field("tcpBeLiberal", Kind::Bool),
    field("tcpCloseWaitTimeout", Kind::Duration),
    field("tcpEstablishedTimeout", Kind::Duration),
    field("udpStreamTimeout", Kind::Duration),
    field("udpTimeout", Kind::Duration),
];

/// Which traffic comes from this node.
const DETECT_LOCAL: &[Field] =
    &[field("bridgeInterface", Kind::Text), field("interfaceNamePrefix", Kind::Text)];

/// The iptables mode.
const IPTABLES: &[Field] = &[
    field("localhostNodePorts", Kind::Bool),
    field("masqueradeAll", Kind::Bool),
    field("masqueradeBit", BIT),
    field("minSyncPeriod", Kind::Duration),
    field("syncPeriod", Kind::Duration),
];

/// The ipvs mode.
const IPVS: &[Field] = &[
    field("excludeCIDRs", TEXT_LIST),
    field("minSyncPeriod", Kind::Duration),
    field("scheduler", Kind::Text),
    field("strictARP", Kind::Bool),
    field("syncPeriod", Kind::Duration),
    field("tcpFinTimeout", Kind::Duration),
    field("tcpTimeout", Kind::Duration),
    field("udpTimeout", Kind::Duration),
];

/// The nftables mode.
const NFTABLES: &[Field] = &[
    field("masqueradeAll", Kind::Bool),
    field("masqueradeBit", BIT),
    field("minSyncPeriod", Kind::Duration),
    field("syncPeriod", Kind::Duration),
];

/// Windows alone; Linux carries the fields.
const WINKERNEL: &[Field] = &[
    field("enableDSR", Kind::Bool),
    field("forwardHealthCheckVip", Kind::Bool),
    field("networkName", Kind::Text),
    field("rootHnsEndpointName", Kind::Text),
    field("sourceVip", Kind::Text),
];

/// Others keep kube-proxy from starting.
const DETECT_LOCAL_MODE: Kind = Kind::Word(&[
    word("ClusterCIDR"),
    word("NodeCIDR"),
    word("BridgeInterface"),
    word("InterfaceNamePrefix"),
]);

/// On Linux, where kubeadm's `DaemonSet` runs; nftables is behind a feature gate in 1.29 and 1.30.
const MODE: Kind = Kind::Word(&[word("iptables"), word("ipvs"), word("nftables")]);
