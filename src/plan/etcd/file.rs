//! Settings of a member as etcd's configuration file (`server/embed/config.go`): mostly by the names of
//! the flags, but of other types, and those of TLS below two keys. What the file has no name for, etcd
//! would ignore without a word.

use crate::spec::Problem;
use crate::spec::types::FreeForm;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How a setting is written; names without `experimental-`.
const TEXTS: &[&str] = &[
    "advertise-client-urls",
    "auth-token",
    "auto-compaction-mode",
    "auto-compaction-retention",
    "backend-bbolt-freelist-type",
    "cors",
    "data-dir",
    "discovery-srv",
    "discovery-srv-name",
    "distributed-tracing-address",
    "distributed-tracing-instance-id",
    "distributed-tracing-service-name",
    "feature-gates",
    "host-whitelist",
    "initial-advertise-peer-urls",
    "initial-cluster",
    "initial-cluster-state",
    "initial-cluster-token",
    "listen-client-http-urls",
    "listen-client-urls",
    "listen-metrics-urls",
    "listen-peer-urls",
    "log-format",
    "log-level",
    "log-rotation-config-json",
    "logger",
    "metrics",
    "name",
    "tls-max-version",
    "tls-min-version",
    "wal-dir",
];
const NUMBERS: &[&str] = &[
    "auth-token-ttl",
    "backend-batch-limit",
    "bcrypt-cost",
    "bootstrap-defrag-threshold-megabytes",
    "compaction-batch-limit",
    "distributed-tracing-sampling-rate",
    "election-timeout",
    "heartbeat-interval",
    "max-concurrent-streams",
    "max-learners",
    "max-request-bytes",
    "max-txn-ops",
    "max-wals",
    "quota-backend-bytes",
    "self-signed-cert-validity",
    "snapshot-catchup-entries",
    "snapshot-count",
];
const SWITCHES: &[&str] = &[
    "compact-hash-check-enabled",
    "disable-log-sampling",
    "enable-distributed-tracing",
    "enable-grpc-gateway",
    "enable-lease-checkpoint",
    "enable-lease-checkpoint-persist",
    "enable-log-rotation",
    "enable-pprof",
    "force-new-cluster",
    "initial-corrupt-check",
    "initial-election-tick-advance",
    "memory-mlock",
    "pre-vote",
    "stop-grpc-service-on-defrag",
    "strict-reconfig-check",
    "txn-mode-write-with-shared-buffer",
    "unsafe-no-fsync",
];
/// Whole nanoseconds: Go's `time.Duration` in JSON.
const TIMES: &[&str] = &[
    "backend-batch-interval",
    "compact-hash-check-time",
    "compaction-sleep-interval",
    "corrupt-check-time",
    "downgrade-check-time",
    "grpc-keepalive-interval",
    "grpc-keepalive-min-time",
    "grpc-keepalive-timeout",
    "warning-apply-duration",
    "warning-unary-request-duration",
    "watch-progress-notify-interval",
];
const LISTS: &[&str] = &["cipher-suites", "log-outputs"];
/// Below `client-transport-security`, and with `peer-` before them below `peer-transport-security`.
const SECURITY: &[&str] = &["auto-tls", "cert-file", "client-cert-auth", "key-file", "trusted-ca-file"];

/// The file; what it cannot hold becomes a problem.
pub(super) fn of(settings: &BTreeMap<String, String>, problems: &mut Vec<Problem>) -> FreeForm {
    let mut file = Map::new();
    for (flag, value) in settings {
        let (section, name) = place(flag);
        let Some(value) = written(name, value) else {
            let message = format!("etcd's configuration file cannot hold --{flag}={value}");
            problems.push(
                Problem::error("etcd.config", message)
                    .hint("write `config: environment`, or leave the flag out of `extraArgs`"),
            );
            continue;
        };
        let into = match section {
            None => &mut file,
            Some(section) => match file.entry(section).or_insert_with(|| Value::Object(Map::new())) {
                Value::Object(map) => map,
                _ => continue,
            },
        };
        into.insert(name.to_owned(), value);
    }
    file.into()
}

/// The section of a flag, and its name there.
fn place(flag: &str) -> (Option<&'static str>, &str) {
    if SECURITY.contains(&flag) {
        return (Some("client-transport-security"), flag);
    }
    match flag.strip_prefix("peer-").filter(|name| SECURITY.contains(name)) {
        Some(name) => (Some("peer-transport-security"), name),
        None => (None, flag),
    }
}

fn written(name: &str, value: &str) -> Option<Value> {
    let of = |names: &[&str]| names.contains(&name.strip_prefix("experimental-").unwrap_or(name));
    if of(TEXTS) {
        return Some(value.into());
    }
    if of(NUMBERS) {
        return value.parse::<i64>().ok().map(Value::from);
    }
    if of(TIMES) {
        return nanoseconds(value).map(Value::from);
    }
    if of(LISTS) {
        return Some(value.split(',').map(str::to_owned).collect());
    }
    match name {
        _ if of(SWITCHES) => value.parse::<bool>().ok().map(Value::from),
        "auto-tls" | "client-cert-auth" => value.parse::<bool>().ok().map(Value::from),
        "cert-file" | "key-file" | "trusted-ca-file" => Some(value.into()),
        _ => None,
    }
}

/// A duration as Go's flags take it: numbers with units, such as `1h30m` or `500ms`; whole numbers alone.
fn nanoseconds(text: &str) -> Option<u64> {
    const UNITS: &[(&str, u64)] = &[
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut sum) = (text, 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::{LISTS, NUMBERS, SWITCHES, TEXTS, TIMES, nanoseconds, of};
    use serde_json::json;

    #[test]
    fn names_are_of_one_kind() {
        let all = [TEXTS, NUMBERS, SWITCHES, TIMES, LISTS].concat();
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn durations() {
        let cases = [("5s", Some(5_000_000_000)), ("1h30m", Some(5_400_000_000_000)), ("0", Some(0))];
        let cases =
            cases.into_iter().chain([("250ms", Some(250_000_000)), ("5", None), ("", None), ("s", None)]);
        for (text, expected) in cases.chain([("1d", None), ("-1s", None), ("99999999999h", None)]) {
            assert_eq!(nanoseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn each_in_its_place_and_type() {
        let settings = [
            ("cert-file", "/a"),
            ("cipher-suites", "A,B"),
            ("client-cert-auth", "true"),
            ("experimental-initial-corrupt-check", "true"),
            ("experimental-watch-progress-notify-interval", "5s"),
            ("name", "1"),
            ("peer-client-cert-auth", "true"),
            ("peer-key-file", "/b"),
            ("peer-skip-client-san-verification", "true"),
            ("snapshot-count", "many"),
            ("snapshot-count-x", "1"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut problems = Vec::new();
        let file = serde_json::Value::Object(of(&settings, &mut problems).map().clone());
        let expected = json!({
            "cipher-suites": ["A", "B"],
            "client-transport-security": {"cert-file": "/a", "client-cert-auth": true},
            "experimental-initial-corrupt-check": true,
            "experimental-watch-progress-notify-interval": 5_000_000_000_u64,
            "name": "1",
            "peer-transport-security": {"client-cert-auth": true, "key-file": "/b"},
        });
        assert_eq!(file, expected);
        let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "etcd's configuration file cannot hold --peer-skip-client-san-verification=true",
                "etcd's configuration file cannot hold --snapshot-count=many",
                "etcd's configuration file cannot hold --snapshot-count-x=1",
            ]
        );
    }
}
