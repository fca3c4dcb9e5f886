//! etcd's tuning: what its documentation has units and limits for.

use super::super::scalars::{ByteSize, Length, Port, Retention};
use schemars::JsonSchema;
use serde::Deserialize;

/// Tuning of members; what is not written is as etcd, or kubeadm, has it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Tuning {
    /// How `autoCompactionRetention` is meant; by default as it is written.
    pub auto_compaction_mode: Option<CompactionMode>,
    /// How much history is kept: a length of time, or a number of revisions.
    pub auto_compaction_retention: Option<Retention>,
    /// How large the database may grow before etcd refuses to write; 2 GiB by default.
    pub quota_backend_bytes: Option<ByteSize>,
    /// The largest request; 1.5 MiB by default.
    pub max_request_bytes: Option<ByteSize>,
    /// How often the leader says that it is there; 100 ms by default.
    pub heartbeat_interval: Option<Length>,
    /// How long a member waits for the leader before it elects another; 1 s by default.
    pub election_timeout: Option<Length>,
    /// After how many changes a member writes a snapshot; kubeadm's 10000 by default.
    #[schemars(range(min = 1))]
    pub snapshot_count: Option<u32>,
    /// How many snapshot files are kept, 0 for all; 5 by default.
    pub max_snapshots: Option<u32>,
    /// How many files of the write-ahead log are kept, 0 for all; 5 by default.
    pub max_wals: Option<u32>,
    /// Where members say how they are, and what.
    pub metrics: Metrics,
    /// The suites of TLS 1.2 that members agree to, by Go's names; Go's choice by default.
    #[schemars(length(min = 1))]
    pub cipher_suites: Option<Vec<CipherSuite>>,
    /// The least TLS that members agree to; TLS 1.2 by default.
    pub tls_min_version: Option<TlsVersion>,
    /// The greatest TLS that members agree to; the greatest of Go's by default.
    pub tls_max_version: Option<TlsVersion>,
    /// What members log; `info` by default.
    pub log_level: Option<LogLevel>,
}

/// When etcd forgets history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CompactionMode {
    /// When it is older than a time.
    #[default]
    Periodic,
    /// When it is more than some revisions.
    Revision,
}

impl CompactionMode {
    /// etcd's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Revision => "revision",
        }
    }
}

/// Where members say how they are, over plain http and without any authentication.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Metrics {
    /// On which addresses; `loopback` by default.
    pub listen: Option<MetricsListen>,
    /// The port; 2381 by default.
    pub port: Option<Port>,
    /// How much is told; `basic` by default.
    pub level: Option<MetricsLevel>,
}

/// On which addresses they say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetricsListen {
    /// Loopback.
    #[default]
    Loopback,
    /// Loopback, and where the member listens.
    Host,
    /// Every address of the host.
    All,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetricsLevel {
    /// Counters and gauges.
    #[default]
    Basic,
    /// And histograms of requests.
    Extensive,
}

impl MetricsLevel {
    /// etcd's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Extensive => "extensive",
        }
    }
}

/// A release of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "TLS1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLS1.3")]
    Tls13,
}

impl TlsVersion {
    /// etcd's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLS1.2",
            Self::Tls13 => "TLS1.3",
        }
    }
}

/// What is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// All.
    Debug,
    /// What etcd logs by default.
    #[default]
    Info,
    /// What may need attention.
    Warn,
    /// What failed.
    Error,
    /// What etcd does not survive.
    Fatal,
}

impl LogLevel {
    /// etcd's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// A cipher suite of TLS 1.2, among those that Go calls secure (`crypto/tls`, `CipherSuites`): a lost key
/// tells nothing of what was said before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
pub enum CipherSuite {
    #[serde(rename = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA")]
    /// `TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA`.
    EcdsaAes128CbcSha,
    #[default]
    #[serde(rename = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
    /// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
    EcdsaAes128GcmSha256,
    #[serde(rename = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA")]
    /// `TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA`.
    EcdsaAes256CbcSha,
    #[serde(rename = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")]
    /// `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384`.
    EcdsaAes256GcmSha384,
    #[serde(rename = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256")]
    /// `TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256`.
    EcdsaChacha20Poly1305Sha256,
    #[serde(rename = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")]
    /// `TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA`.
    RsaAes128CbcSha,
    #[serde(rename = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")]
    /// `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`.
    RsaAes128GcmSha256,
    #[serde(rename = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")]
    /// `TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA`.
    RsaAes256CbcSha,
    #[serde(rename = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")]
    /// `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`.
    RsaAes256GcmSha384,
    #[serde(rename = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")]
    /// `TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256`.
    RsaChacha20Poly1305Sha256,
}

impl CipherSuite {
    /// Go's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaAes128CbcSha => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
            Self::EcdsaAes128GcmSha256 => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            Self::EcdsaAes256CbcSha => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            Self::EcdsaAes256GcmSha384 => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            Self::EcdsaChacha20Poly1305Sha256 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            Self::RsaAes128CbcSha => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            Self::RsaAes128GcmSha256 => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            Self::RsaAes256CbcSha => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
            Self::RsaAes256GcmSha384 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            Self::RsaChacha20Poly1305Sha256 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        }
    }

    /// Whether it is for servers with a certificate of an ECDSA key, else RSA.
    pub fn is_ecdsa(self) -> bool {
        self.name().starts_with("TLS_ECDHE_ECDSA_")
    }

    /// Whether HTTP/2, and so gRPC, demands one like it (RFC 9113, 9.2.2).
    pub const fn is_http2s(self) -> bool {
        matches!(self, Self::EcdsaAes128GcmSha256 | Self::RsaAes128GcmSha256)
    }
}
