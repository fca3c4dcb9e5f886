//! `tuning` of the spec as flags, and what etcd would refuse of it or suffer from.
//!
//! Sources: etcd's `embed/config.go` (`Validate`), `etcdserver/server.go` (`NewServer`),
//! `storage/quota.go`, and the tuning guide and system limits of its documentation.

use super::flags::{self, Flag};
use super::{EtcdFlags, EtcdPlan, MetricsListener, MetricsPlan};
use crate::plan::settings::Tuned;
use crate::spec::Problem;
use crate::spec::scalars::{EtcdVersion, Length, Retention};
use crate::spec::types::{CipherSuite, CompactionMode, MetricsListen, TlsVersion, Tuning};

/// "We suggest a maximum size of 8 GiB" (`storage/quota.go`, `MaxQuotaBytes`); it warns above it.
const LARGE_QUOTA: u64 = 8 << 30;
/// `recommendedMaxRequestBytes`: etcd warns above it.
const LARGE_REQUEST: u64 = 10 << 20;
/// What a message of gRPC has room for, with what etcd adds to a request (`grpcOverheadBytes`).
const LARGEST_REQUEST: u64 = (i32::MAX as u64) - (512 << 10);
/// `maxElectionMs`.
const LONGEST_ELECTION: u64 = 50_000;
/// etcd's own heartbeat and election, in milliseconds.
const DEFAULT_BEATS: (u64, u64) = (100, 1000);

/// A member's tuning.
pub(super) struct Tuner<'a> {
    pub(super) tuned: &'a Tuned,
    pub(super) version: EtcdVersion,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Tuner<'_> {
    /// Fields as flags.
    pub(super) fn flags(&mut self) -> EtcdFlags {
        let of = &self.tuned.values;
        let mut flags = EtcdFlags::new();
        let mut set = |name: &str, value: Option<String>| {
            flags.extend(value.map(|value| (name.to_owned(), vec![value])));
        };
        let retention = of.auto_compaction_retention;
        set("auto-compaction-mode", mode(of).map(|mode| mode.name().to_owned()));
        set("auto-compaction-retention", retention.map(|kept| kept.to_string()));
        set("quota-backend-bytes", of.quota_backend_bytes.map(|size| size.bytes().to_string()));
        set("max-request-bytes", of.max_request_bytes.map(|size| size.bytes().to_string()));
        set("heartbeat-interval", of.heartbeat_interval.map(|length| length.milliseconds().to_string()));
        set("election-timeout", of.election_timeout.map(|length| length.milliseconds().to_string()));
        set("snapshot-count", of.snapshot_count.map(|count| count.to_string()));
        set("max-snapshots", of.max_snapshots.map(|count| count.to_string()));
        set("max-wals", of.max_wals.map(|count| count.to_string()));
        set("metrics", of.metrics.level.map(|level| level.name().to_owned()));
        set("tls-min-version", of.tls_min_version.map(|version| version.name().to_owned()));
        set("tls-max-version", of.tls_max_version.map(|version| version.name().to_owned()));
        set("log-level", of.log_level.map(|level| level.name().to_owned()));
        if let Some(suites) = &of.cipher_suites {
            let names = suites.iter().map(|suite| suite.name().to_owned()).collect();
            flags.insert("cipher-suites".to_owned(), names);
        }
        self.check();
        flags
    }

    fn check(&mut self) {
        self.known();
        self.compaction();
        self.sizes();
        self.beats();
        self.tls();
    }

    fn error(&mut self, field: &str, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::error(self.tuned.path(field), message).hint(hint));
    }

    fn warning(&mut self, field: &str, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::warning(self.tuned.path(field), message).hint(hint));
    }

    /// Fields whose flags this release does not know.
    fn known(&mut self) {
        let unknown = flags::FLAGS.iter().filter(|flag| !flag.is_of(self.version)).filter_map(|flag| {
            let path = self.tuned.paths.get(flag.tuning_field()?)?;
            Some(unknown(flag, self.version, path))
        });
        let unknown: Vec<_> = unknown.collect();
        self.problems.extend(unknown);
    }

    fn compaction(&mut self) {
        let of = &self.tuned.values;
        match (of.auto_compaction_mode, of.auto_compaction_retention) {
            (Some(mode), None) => self.error(
                "autoCompactionMode",
                format!("`{}` says how history is forgotten, and nothing says how much is kept", mode.name()),
                "write `autoCompactionRetention: 8h`, or a number of revisions",
            ),
            (Some(CompactionMode::Periodic), Some(Retention::Revisions(count))) => self.error(
                "autoCompactionRetention",
                format!("{count} is a number of revisions, and the mode is `periodic`"),
                "write it with its unit, such as 8h, or `autoCompactionMode: revision`",
            ),
            (Some(CompactionMode::Revision), Some(Retention::Period(length))) => self.error(
                "autoCompactionRetention",
                format!("{length} is a length of time, and the mode is `revision`"),
                "write a number of revisions, such as 1000, or `autoCompactionMode: periodic`",
            ),
            _ => {}
        }
    }

    fn sizes(&mut self) {
        let of = &self.tuned.values;
        if let Some(size) = of.quota_backend_bytes.filter(|size| size.bytes() > LARGE_QUOTA) {
            self.warning(
                "quotaBackendBytes",
                format!("etcd advises against databases larger than 8GiB, and this is {size}"),
                "write 8GiB or less: a new member copies all of it, and a start reads all of it",
            );
        }
        match of.max_request_bytes {
            Some(size) if size.bytes() > LARGEST_REQUEST => self.error(
                "maxRequestBytes",
                format!("{size} is more than a message of gRPC has room for"),
                "write 10MiB or less",
            ),
            Some(size) if size.bytes() > LARGE_REQUEST => self.warning(
                "maxRequestBytes",
                format!("etcd advises against requests larger than 10MiB, and this is {size}"),
                "write 10MiB or less: a large request holds up all others",
            ),
            _ => {}
        }
    }

    fn beats(&mut self) {
        let of = &self.tuned.values;
        let milliseconds = |length: Option<Length>, other| length.map_or(other, Length::milliseconds);
        let heartbeat = milliseconds(of.heartbeat_interval, DEFAULT_BEATS.0);
        let election = milliseconds(of.election_timeout, DEFAULT_BEATS.1);
        if of.heartbeat_interval.is_none() && of.election_timeout.is_none() {
            return;
        }
        let field = if of.election_timeout.is_some() { "electionTimeout" } else { "heartbeatInterval" };
        let (beat, wait) = (told(heartbeat), told(election));
        if election > LONGEST_ELECTION {
            self.error(
                field,
                format!("etcd refuses an election timeout above 50s, and this is {wait}"),
                "write 50s or less: until then a cluster without a leader stands still",
            );
        } else if election < heartbeat.saturating_mul(5) {
            self.error(
                field,
                format!("etcd refuses an election timeout ({wait}) below five heartbeats ({beat} each)"),
                "write an `electionTimeout` of about ten times the `heartbeatInterval`",
            );
        } else if election < heartbeat.saturating_mul(10) {
            self.warning(
                field,
                format!("an election timeout ({wait}) below ten heartbeats ({beat} each) has members elect for little"),
                "write an `electionTimeout` of about ten times the `heartbeatInterval`",
            );
        }
    }

    fn tls(&mut self) {
        let of = &self.tuned.values;
        let least = of.tls_min_version.unwrap_or_default();
        if of.tls_max_version.is_some_and(|most| most < least) {
            self.error(
                "tlsMaxVersion",
                "etcd refuses a greatest TLS below the least one",
                "write `tlsMaxVersion: TLS1.3`, or remove it",
            );
        }
        let Some(suites) = of.cipher_suites.as_ref() else { return };
        if least == TlsVersion::Tls13 {
            self.error(
                "cipherSuites",
                "etcd refuses cipher suites without TLS 1.2: those of TLS 1.3 are fixed",
                "remove it, or write `tlsMinVersion: TLS1.2`",
            );
        } else if !suites.iter().any(|suite| suite.is_ecdsa()) {
            self.error(
                "cipherSuites",
                "no suite is for the keys that bundles have, so nobody could speak TLS 1.2 to a member",
                "add TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: no key of a bundle is RSA",
            );
        } else if !suites.iter().copied().any(CipherSuite::is_http2s) {
            self.warning(
                "cipherSuites",
                "HTTP/2, and so etcd's gRPC, demands a suite that is not listed (RFC 9113, 9.2.2)",
                "add TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            );
        }
    }
}

/// How history is forgotten: as the spec says, else by what is kept; a length of time needs no word.
fn mode(of: &Tuning) -> Option<CompactionMode> {
    let revisions = matches!(of.auto_compaction_retention, Some(Retention::Revisions(_)));
    of.auto_compaction_mode.or_else(|| revisions.then_some(CompactionMode::Revision))
}

fn told(milliseconds: u64) -> String {
    Length::new(milliseconds).unwrap_or_default().to_string()
}

/// Where a member says how it is.
pub(super) fn metrics(of: &Tuning) -> MetricsPlan {
    let default = MetricsPlan::default();
    let port = of.metrics.port.and_then(|port| u16::try_from(port.get()).ok());
    MetricsPlan {
        listen: of.metrics.listen.map_or(default.listen, |listen| match listen {
            MetricsListen::Loopback => MetricsListener::Loopback,
            MetricsListen::Host => MetricsListener::Host,
            MetricsListen::All => MetricsListener::All,
        }),
        port: port.unwrap_or(default.port),
    }
}

/// A flag that a release does not know, at a path.
pub(super) fn unknown(flag: &Flag, version: EtcdVersion, path: &str) -> Problem {
    let message = format!("etcd {version} does not know --{}", flag.name);
    let hint = match (flag.first_of(version.minor()), flag.now.filter(|_| version.minor() >= 6)) {
        (_, Some(now)) => format!("write `{now}` instead"),
        (Some(first), None) => format!("it came with 3.{}.{first}: run that, or remove it", version.minor()),
        (None, None) => match flags::older_name(flag.name, version) {
            Some(older) => format!("write `{older}` instead, its name in 3.{}", version.minor()),
            None => match (version.minor() + 1..=6).find(|minor| flag.first_of(*minor).is_some()) {
                Some(minor) => format!("it came with 3.{minor}: run that, or remove it"),
                None => "remove it: it is gone".to_owned(),
            },
        },
    };
    Problem::error(path, message).hint(hint)
}

/// Heartbeats and elections that differ between members: one would elect while others wait.
pub(in crate::plan) fn unlike<'p>(members: impl Iterator<Item = (&'p str, &'p EtcdPlan)>) -> Vec<Problem> {
    let members: Vec<_> = members.collect();
    let Some((first, like)) = members.first() else { return Vec::new() };
    let mut problems = Vec::new();
    for (flag, field) in
        [("heartbeat-interval", "heartbeatInterval"), ("election-timeout", "electionTimeout")]
    {
        let other = members.iter().find(|(_, member)| member.flags.get(flag) != like.flags.get(flag));
        if let Some((other, _)) = other {
            let message =
                format!("{first} and {other} have different `{field}`, and etcd wants all members alike");
            problems.push(
                Problem::error(format!("etcd.tuning.{field}"), message)
                    .hint("write it under `etcd.tuning`, for all members"),
            );
        }
    }
    problems
}
