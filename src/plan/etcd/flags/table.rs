//! Every flag that etcd 3.4, 3.5 or 3.6 knows, in byte order of the names.
//!
//! Sources: `etcdmain/config.go` of 3.4.23 and 3.5.1 (and their `--help`), `embed/config.go` of 3.6 (`AddFlags`),
//! and the changelogs of 3.4 and 3.5 for what came with a patch release. Where no changelog says with which
//! patch release a flag of 3.5 came, the row has the first one after 3.5.1, which has it not.

use super::Kind::{Bool, Duration, Gates, List, Text, Urls};
use super::Place::{Client, Nowhere, Peer, Socket};
use super::{Flag, Kind, NEVER, Owner, Place};

/// `flag.Uint`, of which no setting needs more than 63 bits.
const COUNT: Kind = Kind::Integer { least: 0, most: i64::MAX };
/// `flag.Int`.
const NUMBER: Kind = Kind::Integer { least: i64::MIN, most: i64::MAX };
/// What etcd calls releases of TLS (`tlsutil.GetTLSVersion`).
const TLS: &[&str] = &["TLS1.2", "TLS1.3"];

const MEMBERS: &str = "a member's name, addresses and cluster come from `hosts`";
const CERTIFICATES: &str = "certificates and keys lie where sealift places them";
const NO_MEMBER: &str = "etcd would not run as a member";
const FORCE: &str = "each start would make a cluster of this member alone";

const fn flag(name: &'static str, kind: Kind) -> Flag {
    Flag { name, kind, place: Place::Same, owner: Owner::Anyone, since: [0, 0, 0], now: None }
}

impl Flag {
    const fn since(self, since: [u32; 3]) -> Self {
        Self { since, ..self }
    }

    const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    const fn field(self, field: &'static str) -> Self {
        Self { owner: Owner::Field(field), ..self }
    }

    const fn ours(self, reason: &'static str) -> Self {
        Self { owner: Owner::Ours(reason), ..self }
    }

    const fn now(self, now: &'static str) -> Self {
        Self { now: Some(now), ..self }
    }
}

/// All of them.
#[rustfmt::skip]
pub(in crate::plan::etcd) const FLAGS: &[Flag] = &[
    flag("advertise-client-urls", Urls).ours(MEMBERS),
    flag("auth-token", Text),
    flag("auth-token-ttl", COUNT).since([10, 0, 0]),
    flag("auto-compaction-mode", Kind::Words(&["periodic", "revision"])).field("etcd.tuning.autoCompactionMode"),
    flag("auto-compaction-retention", Text).field("etcd.tuning.autoCompactionRetention"),
    flag("auto-tls", Bool).at(Client("auto-tls")).ours(CERTIFICATES),
    flag("backend-batch-interval", Duration),
    flag("backend-batch-limit", NUMBER),
    flag("backend-bbolt-freelist-type", Kind::Words(&["array", "map"])).since([NEVER, 0, 0]),
    flag("bcrypt-cost", Kind::Integer { least: 4, most: 31 }),
    flag("bootstrap-defrag-threshold-megabytes", COUNT).since([NEVER, NEVER, 0]),
    flag("cert-file", Text).at(Client("cert-file")).ours(CERTIFICATES),
    flag("cipher-suites", List).field("etcd.tuning.cipherSuites"),
    flag("client-cert-allowed-hostname", List).at(Nowhere),
    flag("client-cert-auth", Bool).at(Client("client-cert-auth")).ours(CERTIFICATES),
    flag("client-cert-file", Text).since([NEVER, 0, 0]).at(Client("client-cert-file")).ours(CERTIFICATES),
    flag("client-crl-file", Text).at(Nowhere),
    flag("client-key-file", Text).since([NEVER, 0, 0]).at(Client("client-key-file")).ours(CERTIFICATES),
    flag("compact-hash-check-time", Duration).since([NEVER, NEVER, 0]),
    flag("compaction-batch-limit", NUMBER).since([NEVER, NEVER, 0]),
    flag("compaction-sleep-interval", Duration).since([NEVER, NEVER, 0]),
    flag("config-file", Text).at(Nowhere).field("etcd.config"),
    flag("corrupt-check-time", Duration).since([NEVER, NEVER, 0]),
    flag("cors", Text),
    flag("data-dir", Text).field("etcd.dataDir"),
    flag("debug", Bool).since([0, NEVER, NEVER]),
    flag("discovery", Text).ours(MEMBERS),
    flag("discovery-cacert", Text).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-cert", Text).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-dial-timeout", Duration).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-endpoints", Text).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-fallback", Text).ours(MEMBERS),
    flag("discovery-insecure-skip-tls-verify", Bool).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-insecure-transport", Bool).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-keepalive-time", Duration).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-keepalive-timeout", Duration).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-key", Text).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-password", Text).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-proxy", Text).ours(MEMBERS),
    flag("discovery-request-timeout", Duration).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-srv", Text).ours(MEMBERS),
    flag("discovery-srv-name", Text).ours(MEMBERS),
    flag("discovery-token", Text).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("discovery-user", Text).since([NEVER, NEVER, 0]).at(Nowhere).ours(MEMBERS),
    flag("distributed-tracing-address", Text).since([NEVER, NEVER, 0]),
    flag("distributed-tracing-instance-id", Text).since([NEVER, NEVER, 0]),
    flag("distributed-tracing-sampling-rate", NUMBER).since([NEVER, NEVER, 0]),
    flag("distributed-tracing-service-name", Text).since([NEVER, NEVER, 0]),
    flag("downgrade-check-time", Duration).since([NEVER, NEVER, 0]),
    flag("election-timeout", COUNT).field("etcd.tuning.electionTimeout"),
    flag("enable-distributed-tracing", Bool).since([NEVER, NEVER, 0]),
    flag("enable-grpc-gateway", Bool),
    flag("enable-log-rotation", Bool).since([NEVER, 0, 0]),
    flag("enable-pprof", Bool),
    flag("enable-v2", Bool).since([0, 0, NEVER]),
    flag("experimental-backend-bbolt-freelist-type", Kind::Words(&["array", "map"])).since([0, NEVER, NEVER]).now("backend-bbolt-freelist-type"),
    flag("experimental-bootstrap-defrag-threshold-megabytes", COUNT).since([NEVER, 0, 0]).now("bootstrap-defrag-threshold-megabytes"),
    flag("experimental-compact-hash-check-enabled", Bool).since([NEVER, 5, 0]).now("feature-gates=CompactHashCheck=true"),
    flag("experimental-compact-hash-check-time", Duration).since([NEVER, 5, 0]).now("compact-hash-check-time"),
    flag("experimental-compaction-batch-limit", NUMBER).now("compaction-batch-limit"),
    flag("experimental-compaction-sleep-interval", Duration).since([NEVER, 16, 0]).now("compaction-sleep-interval"),
    flag("experimental-corrupt-check-time", Duration).now("corrupt-check-time"),
    flag("experimental-distributed-tracing-address", Text).since([NEVER, 0, 0]).now("distributed-tracing-address"),
    flag("experimental-distributed-tracing-instance-id", Text).since([NEVER, 0, 0]).now("distributed-tracing-instance-id"),
    flag("experimental-distributed-tracing-sampling-rate", NUMBER).since([NEVER, 11, 0]).now("distributed-tracing-sampling-rate"),
    flag("experimental-distributed-tracing-service-name", Text).since([NEVER, 0, 0]).now("distributed-tracing-service-name"),
    flag("experimental-downgrade-check-time", Duration).since([NEVER, 0, 0]).now("downgrade-check-time"),
    flag("experimental-enable-distributed-tracing", Bool).since([NEVER, 0, 0]).now("enable-distributed-tracing"),
    flag("experimental-enable-lease-checkpoint", Bool).now("feature-gates=LeaseCheckpoint=true"),
    flag("experimental-enable-lease-checkpoint-persist", Bool).since([20, 2, 0]).now("feature-gates=LeaseCheckpointPersist=true"),
    flag("experimental-enable-v2v3", Text).since([0, 0, NEVER]),
    flag("experimental-initial-corrupt-check", Bool).now("feature-gates=InitialCorruptCheck=true"),
    flag("experimental-memory-mlock", Bool).since([NEVER, 0, 0]).now("memory-mlock"),
    flag("experimental-peer-skip-client-san-verification", Bool).now("peer-skip-client-san-verification"),
    flag("experimental-snapshot-catchup-entries", COUNT).since([NEVER, 2, 0]).now("snapshot-catchup-entries"),
    flag("experimental-stop-grpc-service-on-defrag", Bool).since([NEVER, 14, 0]).now("feature-gates=StopGRPCServiceOnDefrag=true"),
    flag("experimental-txn-mode-write-with-shared-buffer", Bool).since([NEVER, 0, 0]).now("feature-gates=TxnModeWriteWithSharedBuffer=true"),
    flag("experimental-warning-apply-duration", Duration).since([16, 0, 0]).now("warning-apply-duration"),
    flag("experimental-warning-unary-request-duration", Duration).since([NEVER, 2, 0]).now("warning-unary-request-duration"),
    flag("experimental-watch-progress-notify-interval", Duration).since([11, 0, 0]).now("watch-progress-notify-interval"),
    flag("feature-gates", Gates).since([NEVER, NEVER, 0]),
    flag("force-new-cluster", Bool).ours(FORCE),
    flag("grpc-keepalive-interval", Duration),
    flag("grpc-keepalive-min-time", Duration),
    flag("grpc-keepalive-timeout", Duration),
    flag("heartbeat-interval", COUNT).field("etcd.tuning.heartbeatInterval"),
    flag("host-whitelist", Text),
    flag("initial-advertise-peer-urls", Urls).ours(MEMBERS),
    flag("initial-cluster", Text).ours(MEMBERS),
    flag("initial-cluster-state", Kind::Words(&["new", "existing"])).field("hosts.NAME.etcd.state"),
    flag("initial-cluster-token", Text).field("etcd.token"),
    flag("initial-election-tick-advance", Bool),
    flag("key-file", Text).at(Client("key-file")).ours(CERTIFICATES),
    flag("listen-client-http-urls", Urls).since([25, 8, 0]).ours(MEMBERS),
    flag("listen-client-urls", Urls).ours(MEMBERS),
    flag("listen-metrics-urls", Urls).field("etcd.tuning.metrics"),
    flag("listen-peer-urls", Urls).ours(MEMBERS),
    flag("log-format", Kind::Words(&["json", "console"])).since([NEVER, NEVER, 0]),
    flag("log-level", Kind::Words(&["debug", "info", "warn", "error", "panic", "fatal"])).field("etcd.tuning.logLevel"),
    flag("log-output", Text).since([0, NEVER, NEVER]).now("log-outputs"),
    flag("log-outputs", List),
    flag("log-package-levels", Text).since([0, NEVER, NEVER]),
    flag("log-rotation-config-json", Text).since([NEVER, 0, 0]),
    flag("logger", Kind::Words(&["zap", "capnslog"])),
    flag("max-concurrent-streams", Kind::Integer { least: 0, most: 4_294_967_295 }).since([20, 5, 0]),
    flag("max-learners", NUMBER).since([NEVER, NEVER, 0]),
    flag("max-request-bytes", COUNT).field("etcd.tuning.maxRequestBytes"),
    flag("max-snapshots", COUNT).field("etcd.tuning.maxSnapshots"),
    flag("max-txn-ops", COUNT),
    flag("max-wals", COUNT).field("etcd.tuning.maxWals"),
    flag("memory-mlock", Bool).since([NEVER, NEVER, 0]),
    flag("metrics", Kind::Words(&["basic", "extensive"])).field("etcd.tuning.metrics.level"),
    flag("name", Text).ours(MEMBERS),
    flag("peer-auto-tls", Bool).at(Peer("auto-tls")).ours(CERTIFICATES),
    flag("peer-cert-allowed-cn", List).at(Nowhere),
    flag("peer-cert-allowed-hostname", List).at(Nowhere),
    flag("peer-cert-file", Text).at(Peer("cert-file")).ours(CERTIFICATES),
    flag("peer-client-cert-auth", Bool).at(Peer("client-cert-auth")).ours(CERTIFICATES),
    flag("peer-client-cert-file", Text).since([NEVER, 0, 0]).at(Peer("client-cert-file")).ours(CERTIFICATES),
    flag("peer-client-key-file", Text).since([NEVER, 0, 0]).at(Peer("client-key-file")).ours(CERTIFICATES),
    flag("peer-crl-file", Text).at(Nowhere),
    flag("peer-key-file", Text).at(Peer("key-file")).ours(CERTIFICATES),
    flag("peer-skip-client-san-verification", Bool).since([NEVER, NEVER, 0]).at(Peer("skip-client-san-verification")),
    flag("peer-trusted-ca-file", Text).at(Peer("trusted-ca-file")).ours(CERTIFICATES),
    flag("pre-vote", Bool),
    flag("proxy", Text).since([0, 0, NEVER]).ours(MEMBERS),
    flag("proxy-dial-timeout", COUNT).since([0, 0, NEVER]).ours(MEMBERS),
    flag("proxy-failure-wait", COUNT).since([0, 0, NEVER]).ours(MEMBERS),
    flag("proxy-read-timeout", COUNT).since([0, 0, NEVER]).ours(MEMBERS),
    flag("proxy-refresh-interval", COUNT).since([0, 0, NEVER]).ours(MEMBERS),
    flag("proxy-write-timeout", COUNT).since([0, 0, NEVER]).ours(MEMBERS),
    flag("quota-backend-bytes", NUMBER).field("etcd.tuning.quotaBackendBytes"),
    flag("raft-read-timeout", Duration).since([NEVER, 0, 0]).at(Nowhere),
    flag("raft-write-timeout", Duration).since([NEVER, 0, 0]).at(Nowhere),
    flag("self-signed-cert-validity", COUNT).since([NEVER, 0, 0]).ours(CERTIFICATES),
    flag("snapshot-catchup-entries", COUNT).since([NEVER, NEVER, 0]),
    flag("snapshot-count", COUNT).field("etcd.tuning.snapshotCount"),
    flag("socket-reuse-address", Bool).since([NEVER, 0, 0]).at(Socket("reuse-address")),
    flag("socket-reuse-port", Bool).since([NEVER, 0, 0]).at(Socket("reuse-port")),
    flag("strict-reconfig-check", Bool),
    flag("tls-max-version", Kind::Words(TLS)).since([25, 8, 0]).field("etcd.tuning.tlsMaxVersion"),
    flag("tls-min-version", Kind::Words(TLS)).since([25, 8, 0]).field("etcd.tuning.tlsMinVersion"),
    flag("trusted-ca-file", Text).at(Client("trusted-ca-file")).ours(CERTIFICATES),
    flag("unsafe-no-fsync", Bool).since([10, 0, 0]),
    flag("v2-deprecation", Kind::Words(&["not-yet", "write-only", "write-only-drop-data", "gone"])).since([NEVER, 0, 0]),
    flag("version", Bool).at(Nowhere).ours(NO_MEMBER),
    flag("wal-dir", Text).field("etcd.walDir"),
    flag("warning-apply-duration", Duration).since([NEVER, NEVER, 0]),
    flag("warning-unary-request-duration", Duration).since([NEVER, NEVER, 0]),
    flag("watch-progress-notify-interval", Duration).since([NEVER, NEVER, 0]),
];
