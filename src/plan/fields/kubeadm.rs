//! kubeadm's `InitConfiguration`, `JoinConfiguration` and `ClusterConfiguration`.
//!
//! Sources: `cmd/kubeadm/app/apis/kubeadm/v1beta3/types.go` (for 1.29 and 1.30) and `v1beta4/types.go`
//! (from 1.31 on), `apis/bootstraptoken/v1/types.go`, and core/v1 for taints and variables.

use super::shared::{ENVIRONMENT, TAINT};
use super::{BOOL_MAP, Field, Kind, PORT, TEXT_LIST, TEXT_MAP, field, word};

/// `InitConfiguration`.
pub(super) const INIT: &[Field] = &[
    field("bootstrapTokens", Kind::List(&Kind::Object(BOOTSTRAP_TOKEN))),
    field("certificateKey", Kind::Secret),
    field("dryRun", Kind::Bool).since(31),
    field("localAPIEndpoint", Kind::Object(API_ENDPOINT)),
    field("nodeRegistration", Kind::Object(NODE_REGISTRATION)),
    field("patches", Kind::Object(PATCHES)),
    field("skipPhases", TEXT_LIST),
    field("timeouts", Kind::Object(TIMEOUTS)).since(31),
];

/// `JoinConfiguration`.
pub(super) const JOIN: &[Field] = &[
    field("caCertPath", Kind::Text),
    field("controlPlane", Kind::Object(JOIN_CONTROL_PLANE)),
    field("discovery", Kind::Object(DISCOVERY)),
    field("dryRun", Kind::Bool).since(31),
    field("nodeRegistration", Kind::Object(NODE_REGISTRATION)),
    field("patches", Kind::Object(PATCHES)),
    field("skipPhases", TEXT_LIST),
    field("timeouts", Kind::Object(TIMEOUTS)).since(31),
];

/// `ClusterConfiguration`.
pub(super) const CLUSTER: &[Field] = &[
    field("apiServer", Kind::Object(API_SERVER)),
    field("caCertificateValidityPeriod", Kind::Duration).since(31),
    field("certificateValidityPeriod", Kind::Duration).since(31),
    field("certificatesDir", Kind::Text),
    field("clusterName", Kind::Text),
    field("controlPlaneEndpoint", Kind::Text),
    field("controllerManager", Kind::Object(CONTROL_PLANE_COMPONENT)),
    field("dns", Kind::Object(DNS)),
    field("encryptionAlgorithm", ENCRYPTION_ALGORITHM).since(31),
    field("etcd", Kind::Object(ETCD)),
    field("featureGates", BOOL_MAP),
    field("imageRepository", Kind::Text),
    field("kubernetesVersion", Kind::Text),
    field("networking", Kind::Object(NETWORKING)),
    field("proxy", Kind::Object(&[field("disabled", Kind::Bool)])).since(31),
    field("scheduler", Kind::Object(CONTROL_PLANE_COMPONENT)),
];

/// Where this host's API server listens.
const API_ENDPOINT: &[Field] = &[field("advertiseAddress", Kind::Text), field("bindPort", PORT)];

/// The API server: [`CONTROL_PLANE_COMPONENT`] and more.
const API_SERVER: &[Field] = &[
    field("certSANs", TEXT_LIST),
    field("extraArgs", TEXT_MAP).last(30),
    field("extraArgs", ARGUMENTS).since(31),
    field("extraEnvs", Kind::List(&Kind::Object(ENVIRONMENT))).since(31),
    field("extraVolumes", Kind::List(&Kind::Object(VOLUME))),
    field("timeoutForControlPlane", Kind::Duration)
        .last(30)
        .instead("InitConfiguration.timeouts.controlPlaneComponentHealthCheck"),
];

/// A flag; several may have one name.
const ARGUMENT: &[Field] = &[field("name", Kind::Text), field("value", Kind::Text)];

/// A bootstrap token that kubeadm makes.
const BOOTSTRAP_TOKEN: &[Field] = &[
    field("description", Kind::Text),
    field("expires", Kind::Text),
    field("groups", TEXT_LIST),
    field("token", Kind::Secret),
    field("ttl", Kind::Duration),
    field("usages", TEXT_LIST),
];

/// A component of the control plane.
const CONTROL_PLANE_COMPONENT: &[Field] = &[
    field("extraArgs", TEXT_MAP).last(30),
    field("extraArgs", ARGUMENTS).since(31),
    field("extraEnvs", Kind::List(&Kind::Object(ENVIRONMENT))).since(31),
    field("extraVolumes", Kind::List(&Kind::Object(VOLUME))),
];

/// How a host that joins finds its cluster.
const DISCOVERY: &[Field] = &[
    field("bootstrapToken", Kind::Object(TOKEN_DISCOVERY)),
    field("file", Kind::Object(&[field("kubeConfigPath", Kind::Text)])),
    field("timeout", Kind::Duration).last(30).instead("timeouts.discovery"),
    field("tlsBootstrapToken", Kind::Secret),
];

/// The DNS add-on.
const DNS: &[Field] = &[
    field("disabled", Kind::Bool).since(31),
    field("imageRepository", Kind::Text),
    field("imageTag", Kind::Text),
];

/// etcd of the cluster.
const ETCD: &[Field] =
    &[field("external", Kind::Object(EXTERNAL_ETCD)), field("local", Kind::Object(LOCAL_ETCD))];

/// etcd that kubeadm does not run; `httpEndpoints` came with k/k#134890.
const EXTERNAL_ETCD: &[Field] = &[
    field("caFile", Kind::Text),
    field("certFile", Kind::Text),
    field("endpoints", TEXT_LIST),
    field("httpEndpoints", TEXT_LIST).since(35),
    field("keyFile", Kind::Text),
];

/// A further host of the control plane.
const JOIN_CONTROL_PLANE: &[Field] =
    &[field("certificateKey", Kind::Secret), field("localAPIEndpoint", Kind::Object(API_ENDPOINT))];

/// etcd that kubeadm runs.
const LOCAL_ETCD: &[Field] = &[
    field("dataDir", Kind::Text),
    field("extraArgs", TEXT_MAP).last(30),
    field("extraArgs", ARGUMENTS).since(31),
    field("extraEnvs", Kind::List(&Kind::Object(ENVIRONMENT))).since(31),
    field("imageRepository", Kind::Text),
    field("imageTag", Kind::Text),
    field("peerCertSANs", TEXT_LIST),
    field("serverCertSANs", TEXT_LIST),
];

/// The networks of the cluster.
const NETWORKING: &[Field] =
    &[field("dnsDomain", Kind::Text), field("podSubnet", Kind::Text), field("serviceSubnet", Kind::Text)];

/// What the node says of itself.
const NODE_REGISTRATION: &[Field] = &[
    field("criSocket", Kind::Text),
    field("ignorePreflightErrors", TEXT_LIST),
    field("imagePullPolicy", IMAGE_PULL_POLICY),
    field("imagePullSerial", Kind::Bool).since(31),
    field("kubeletExtraArgs", TEXT_MAP).last(30),
    field("kubeletExtraArgs", ARGUMENTS).since(31),
    field("name", Kind::Text),
    field("taints", Kind::List(&Kind::Object(TAINT))),
];

/// Patches of what kubeadm writes.
const PATCHES: &[Field] = &[field("directory", Kind::Text)];

/// How long kubeadm waits.
const TIMEOUTS: &[Field] = &[
    field("controlPlaneComponentHealthCheck", Kind::Duration),
    field("discovery", Kind::Duration),
    field("etcdAPICall", Kind::Duration),
    field("kubeletHealthCheck", Kind::Duration),
    field("kubernetesAPICall", Kind::Duration),
    field("tlsBootstrap", Kind::Duration),
    field("upgradeManifests", Kind::Duration),
];

/// Discovery with a bootstrap token.
const TOKEN_DISCOVERY: &[Field] = &[
    field("apiServerEndpoint", Kind::Text),
    field("caCertHashes", TEXT_LIST),
    field("token", Kind::Secret),
    field("unsafeSkipCAVerification", Kind::Bool),
];

/// A path of the host in a static pod.
const VOLUME: &[Field] = &[
    field("hostPath", Kind::Text),
    field("mountPath", Kind::Text),
    field("name", Kind::Text),
    field("pathType", PATH_TYPE),
    field("readOnly", Kind::Bool),
];

/// Flags, from v1beta4 on.
const ARGUMENTS: Kind = Kind::List(&Kind::Object(ARGUMENT));

/// `ECDSA-P384` came with k/k#131677.
const ENCRYPTION_ALGORITHM: Kind = Kind::Word(&[
    word("RSA-2048"),
    word("RSA-3072"),
    word("RSA-4096"),
    word("ECDSA-P256"),
    word("ECDSA-P384").since(34),
]);

/// core/v1 `PullPolicy`.
const IMAGE_PULL_POLICY: Kind = Kind::Word(&[word("Always"), word("IfNotPresent"), word("Never")]);

/// core/v1 `HostPathType`.
const PATH_TYPE: Kind = Kind::Word(&[
    word("DirectoryOrCreate"),
    word("Directory"),
    word("FileOrCreate"),
    word("File"),
    word("Socket"),
    word("CharDevice"),
    word("BlockDevice"),
]);
