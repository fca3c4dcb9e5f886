//! `KubeletConfiguration`.
//!
//! Sources: k8s.io/kubelet `config/v1beta1/types.go` (fields), `pkg/kubelet/apis/config/validation` and
//! `pkg/kubelet/cm` (bounds and words), CHANGELOG-1.30.md to CHANGELOG-1.36.md (when a field came). No
//! field has gone since 1.29.

use super::shared::{LOGGING, TAINT};
use super::{
    BIT, BOOL_MAP, COUNT, DURATION_MAP, Field, INT32, INT64, Kind, OOM_SCORE, PORT, TEXT_LIST, TEXT_MAP,
    field, word,
};

/// The fields at the top.
pub(super) const KUBELET: &[Field] = &[
    field("address", Kind::Text),
    field("allowedUnsafeSysctls", TEXT_LIST),
    field("authentication", Kind::Object(AUTHENTICATION)),
    field("authorization", Kind::Object(AUTHORIZATION)),
    field("cgroupDriver", CGROUP_DRIVER),
    field("cgroupRoot", Kind::Text),
    field("cgroupsPerQOS", Kind::Bool),
    field("clusterDNS", TEXT_LIST),
    field("clusterDomain", Kind::Text),
    field("configMapAndSecretChangeDetectionStrategy", CHANGE_DETECTION),
    field("containerLogMaxFiles", INT32),
    field("containerLogMaxSize", Kind::Text),
    field("containerLogMaxWorkers", INT32).since(30),
    field("containerLogMonitorInterval", Kind::Duration).since(30),
    field("containerRuntimeEndpoint", Kind::Text),
    field("contentType", Kind::Text),
    field("cpuCFSQuota", Kind::Bool),
    field("cpuCFSQuotaPeriod", Kind::Duration),
    field("cpuManagerPolicy", CPU_MANAGER),
    field("cpuManagerPolicyOptions", TEXT_MAP),
    field("cpuManagerReconcilePeriod", Kind::Duration),
    field("crashLoopBackOff", Kind::Object(CRASH_LOOP)).since(32),
    field("enableContentionProfiling", Kind::Bool),
    field("enableControllerAttachDetach", Kind::Bool),
    field("enableDebugFlagsHandler", Kind::Bool),
    field("enableDebuggingHandlers", Kind::Bool),
    field("enableProfilingHandler", Kind::Bool),
    field("enableServer", Kind::Bool),
    field("enableSystemLogHandler", Kind::Bool),
    field("enableSystemLogQuery", Kind::Bool),
    field("enforceNodeAllocatable", Kind::List(&NODE_ALLOCATABLE)),
    field("eventBurst", COUNT),
    field("eventRecordQPS", COUNT),
    field("evictionHard", TEXT_MAP),
    field("evictionMaxPodGracePeriod", INT32),
    field("evictionMinimumReclaim", TEXT_MAP),
    field("evictionPressureTransitionPeriod", Kind::Duration),
    field("evictionSoft", TEXT_MAP),
    field("evictionSoftGracePeriod", DURATION_MAP),
    field("failCgroupV1", Kind::Bool).since(31),
    field("failSwapOn", Kind::Bool),
    field("featureGates", BOOL_MAP),
    field("fileCheckFrequency", Kind::Duration),
    field("hairpinMode", HAIRPIN),
    field("healthzBindAddress", Kind::Text),
    field("healthzPort", PORT),
    field("httpCheckFrequency", Kind::Duration),
    field("imageGCHighThresholdPercent", PERCENT),
    field("imageGCLowThresholdPercent", PERCENT),
    field("imageMaximumGCAge", Kind::Duration),
    field("imageMinimumGCAge", Kind::Duration),
    field("imagePullCredentialsVerificationPolicy", IMAGE_PULL_CREDENTIALS).since(33),
    field("imageServiceEndpoint", Kind::Text),
    field("iptablesDropBit", BIT),
    field("iptablesMasqueradeBit", BIT),
    field("kernelMemcgNotification", Kind::Bool),
    field("kubeAPIBurst", COUNT),
    field("kubeAPIQPS", COUNT),
    field("kubeReserved", TEXT_MAP),
    field("kubeReservedCgroup", Kind::Text),
    field("kubeletCgroups", Kind::Text),
    field("localStorageCapacityIsolation", Kind::Bool),
    field("logging", Kind::Object(LOGGING)),
    field("makeIPTablesUtilChains", Kind::Bool),
    field("maxOpenFiles", OPEN_FILES),
    field("maxParallelImagePulls", PARALLEL),
    field("maxPods", COUNT),
    field("memoryManagerPolicy", MEMORY_MANAGER),
    field("memoryReservationPolicy", MEMORY_RESERVATION).since(36),
    field("memorySwap", Kind::Object(MEMORY_SWAP)),
    field("memoryThrottlingFactor", Kind::Float),
    field("mergeDefaultEvictionSettings", Kind::Bool).since(33),
    field("nodeLeaseDurationSeconds", COUNT),
    field("nodeStatusMaxImages", NODE_IMAGES),
    field("nodeStatusReportFrequency", Kind::Duration),
    field("nodeStatusUpdateFrequency", Kind::Duration),
    field("oomScoreAdj", OOM_SCORE),
    field("podCIDR", Kind::Text),
    field("podLogsDir", Kind::Text).since(30),
    field("podPidsLimit", INT64),
    field("podsPerCore", COUNT),
    field("port", PORT),
    field("preloadedImagesVerificationAllowlist", TEXT_LIST).since(33),
    field("protectKernelDefaults", Kind::Bool),
    field("providerID", Kind::Text),
    field("qosReserved", TEXT_MAP),
    field("readOnlyPort", PORT),
    field("registerNode", Kind::Bool),
    field("registerWithTaints", Kind::List(&Kind::Object(TAINT))),
    field("registryBurst", COUNT),
    field("registryPullQPS", COUNT),
    field("reservedMemory", Kind::List(&Kind::Object(RESERVED_MEMORY))),
    field("reservedSystemCPUs", Kind::Text),
    field("resolvConf", Kind::Text),
    field("rotateCertificates", Kind::Bool),
    field("runOnce", Kind::Bool),
    field("runtimeRequestTimeout", Kind::Duration),
    field("seccompDefault", Kind::Bool),
    field("serializeImagePulls", Kind::Bool),
    field("serverTLSBootstrap", Kind::Bool),
    field("showHiddenMetricsForVersion", Kind::Text),
    field("shutdownGracePeriod", Kind::Duration),
    field("shutdownGracePeriodByPodPriority", Kind::List(&Kind::Object(SHUTDOWN))),
    field("shutdownGracePeriodCriticalPods", Kind::Duration),
    field("singleProcessOOMKill", Kind::Bool).since(32),
    field("staticPodPath", Kind::Text),
    field("staticPodURL", Kind::Text),
    field("staticPodURLHeader", HEADERS),
    field("streamingConnectionIdleTimeout", Kind::Duration),
    field("syncFrequency", Kind::Duration),
    field("systemCgroups", Kind::Text),
    field("systemReserved", TEXT_MAP),
    field("systemReservedCgroup", Kind::Text),
    field("tlsCertFile", Kind::Text),
    field("tlsCipherSuites", TEXT_LIST),
    field("tlsCurvePreferences", Kind::List(&INT32)).since(36),
    field("tlsMinVersion", TLS_VERSION),
    field("tlsPrivateKeyFile", Kind::Text),
    field("topologyManagerPolicy", TOPOLOGY_MANAGER),
    field("topologyManagerPolicyOptions", TEXT_MAP),
    field("topologyManagerScope", TOPOLOGY_SCOPE),
    field("tracing", Kind::Object(TRACING)),
    field("userNamespaces", Kind::Object(USER_NAMESPACES)).since(33),
    field("volumePluginDir", Kind::Text),
    field("volumeStatsAggPeriod", Kind::Duration),
];

/// Who a caller of the kubelet is.
const AUTHENTICATION: &[Field] = &[
    field("anonymous", Kind::Object(&[field("enabled", Kind::Bool)])),
    field("webhook", Kind::Object(&[field("cacheTTL", Kind::Duration), field("enabled", Kind::Bool)])),
    field("x509", Kind::Object(&[field("clientCAFile", Kind::Text)])),
];

/// What a caller may do.
const AUTHORIZATION: &[Field] =
    &[field("mode", AUTHORIZATION_MODE), field("webhook", Kind::Object(AUTHORIZATION_WEBHOOK))];

/// How long the API server's answers are kept.
const AUTHORIZATION_WEBHOOK: &[Field] =
    &[field("cacheAuthorizedTTL", Kind::Duration), field("cacheUnauthorizedTTL", Kind::Duration)];

/// How long a container that fails waits (k/k, feature gate `KubeletCrashLoopBackOffMax`).
const CRASH_LOOP: &[Field] = &[field("maxContainerRestartPeriod", Kind::Duration)];

/// What containers may swap.
const MEMORY_SWAP: &[Field] = &[field("swapBehavior", SWAP)];

/// Memory of a NUMA node that the kubelet leaves alone.
const RESERVED_MEMORY: &[Field] = &[field("limits", Kind::Map(&Kind::Quantity)), field("numaNode", INT32)];

/// How long pods from a priority on have when the node shuts down.
const SHUTDOWN: &[Field] = &[field("priority", INT32), field("shutdownGracePeriodSeconds", INT64)];

/// component-base, `tracing/api/v1/types.go`.
const TRACING: &[Field] = &[
    field("endpoint", Kind::Text),
    field("samplingRatePerMillion", Kind::Integer { least: 0, most: 1_000_000 }),
];

/// User namespaces of pods.
const USER_NAMESPACES: &[Field] = &[field("idsPerPod", INT64)];

/// HTTP headers: they may hold a password.
const HEADERS: Kind = Kind::Map(&Kind::List(&Kind::Secret));

/// A percentage.
const PERCENT: Kind = Kind::Integer { least: 0, most: 100 };

/// How many images a node tells of; -1 for all.
const NODE_IMAGES: Kind = Kind::Integer { least: -1, most: i32::MAX as i64 };

/// How many files the kubelet may open.
const OPEN_FILES: Kind = Kind::Integer { least: 0, most: i64::MAX };

/// How many images are pulled at once.
const PARALLEL: Kind = Kind::Integer { least: 1, most: i32::MAX as i64 };

/// Others keep the kubelet from starting, as all words here.
const AUTHORIZATION_MODE: Kind = Kind::Word(&[word("AlwaysAllow"), word("Webhook")]);

/// The kubelet takes every other word for cgroupfs, which is never meant.
const CGROUP_DRIVER: Kind = Kind::Word(&[word("cgroupfs"), word("systemd")]);

/// How the kubelet learns of changed `ConfigMaps` and `Secrets`.
const CHANGE_DETECTION: Kind = Kind::Word(&[word("Get"), word("Cache"), word("Watch")]);

/// `pkg/kubelet/cm/cpumanager`.
const CPU_MANAGER: Kind = Kind::Word(&[word("none"), word("static")]);

/// How a pod reaches itself through a Service.
const HAIRPIN: Kind = Kind::Word(&[word("promiscuous-bridge"), word("hairpin-veth"), word("none")]);

/// When a pod must prove that it may use an image that is there.
const IMAGE_PULL_CREDENTIALS: Kind = Kind::Word(&[
    word("NeverVerify"),
    word("NeverVerifyPreloadedImages"),
    word("NeverVerifyAllowlistedImages"),
    word("AlwaysVerify"),
]);

/// `pkg/kubelet/cm/memorymanager`, on Linux.
const MEMORY_MANAGER: Kind = Kind::Word(&[word("None"), word("Static")]);

/// k/k#137584.
const MEMORY_RESERVATION: Kind = Kind::Word(&[word("None"), word("TieredReservation")]);

/// What is enforced; the compressible ones came with 1.32.
const NODE_ALLOCATABLE: Kind = Kind::Word(&[
    word("none"),
    word("pods"),
    word("system-reserved"),
    word("kube-reserved"),
    word("system-reserved-compressible").since(32),
    word("kube-reserved-compressible").since(32),
]);

/// `NoSwap` replaced `UnlimitedSwap` (k/k#122745).
const SWAP: Kind =
    Kind::Word(&[word("LimitedSwap"), word("NoSwap").since(30), word("UnlimitedSwap").last(29)]);

/// component-base, `cli/flag/ciphersuites_flag.go`.
const TLS_VERSION: Kind =
    Kind::Word(&[word("VersionTLS10"), word("VersionTLS11"), word("VersionTLS12"), word("VersionTLS13")]);

/// `pkg/kubelet/cm/topologymanager`.
const TOPOLOGY_MANAGER: Kind =
    Kind::Word(&[word("none"), word("best-effort"), word("restricted"), word("single-numa-node")]);

/// Of what one NUMA node is sought.
const TOPOLOGY_SCOPE: Kind = Kind::Word(&[word("container"), word("pod")]);
