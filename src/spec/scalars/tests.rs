//! Tables of good and bad scalars.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::{
    AbsolutePath, ClusterId, ClusterName, FromStr, Generation, HostName, HostRevision, ImageRef,
    ImageRepository, KubernetesVersion, ScalarError, SeedNumber, SocketUrl, Span, Timestamp, ToleratedExit,
    shown,
};
use std::fmt::{Debug, Display};

/// Each good text gives its canonical form, which reads as the same value; each bad text is refused
/// with the message after the `:`.
fn table<T>(good: &[(&str, &str)], bad: &[(&str, &str)])
where
    T: FromStr<Err = ScalarError>
        + Display
        + Debug
        + PartialEq
        + serde::Serialize
        + serde::de::DeserializeOwned,
{
    for (text, canonical) in good {
        let value: T = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(value.to_string(), *canonical);
        assert_eq!(canonical.parse::<T>().unwrap(), value);
        let json = serde_json::to_value(&value).unwrap();
        assert_eq!(serde_json::from_value::<T>(json).unwrap(), value);
    }
    for (text, reason) in bad {
        let error = text.parse::<T>().expect_err(text);
        assert!(error.message.ends_with(&format!(": {reason}")), "{text}: {error}");
        assert!(error.hint.is_some(), "{text}");
        assert!(serde_json::from_value::<T>(serde_json::Value::String((*text).to_owned())).is_err());
    }
}

#[test]
fn cluster_names() {
    let long = "a".repeat(64);
    table::<ClusterName>(
        &[("prod", "prod"), ("a", "a"), ("7", "7"), (&long[1..], &long[1..])],
        &[
            ("", "it is empty"),
            (&long, "it is longer than 63 characters"),
            ("Prod", "upper-case letters are not allowed"),
            ("a.b", "`.` is not allowed"),
            ("a_b", "`_` is not allowed"),
            ("-a", "it begins or ends with `-`"),
            ("a-", "it begins or ends with `-`"),
            ("ä", "`ä` is not allowed"),
            ("a\n", "`\\n` is not allowed"),
        ],
    );
}

#[test]
fn cluster_ids() {
    let id = "00112233445566778899aabbccddeeff";
    table::<ClusterId>(
        &[(id, id)],
        &[
            (&id[1..], "it has 31 digits, not 32"),
            (&format!("{id}0"), "it has 33 digits, not 32"),
            ("", "it has 0 digits, not 32"),
            (&id.to_uppercase(), "it has characters other than the lower-case hex digits 0-9 and a-f"),
            ("xx", "it has characters other than the lower-case hex digits 0-9 and a-f"),
        ],
    );
    assert_eq!(id.parse::<ClusterId>().unwrap().as_bytes()[..2], [0, 0x11]);
}

#[test]
fn host_names() {
    let long = format!("{}.{}", "a".repeat(31), "b".repeat(32));
    table::<HostName>(
        &[
            ("infra0", "infra0"),
            ("a.example.org", "a.example.org"),
            ("1a", "1a"),
            ("1.2.c", "1.2.c"),
            (&long[1..], &long[1..]),
        ],
        &[
            ("", "it is empty"),
            (&long, "it is longer than 63 characters"),
            ("Infra0", "upper-case letters are not allowed"),
            ("a..b", "a part of it is empty"),
            (".a", "a part of it is empty"),
            ("a.", "a part of it is empty"),
            ("a-.b", "it begins or ends with `-`"),
            ("a/b", "`/` is not allowed"),
            ("..", "a part of it is empty"),
            ("operator", "it is reserved"),
            ("index", "it is reserved"),
            ("10.0.0.6", "it would be read as an IP address"),
            ("7", "it would be read as an IP address"),
            ("a.0x7f", "it would be read as an IP address"),
        ],
    );
}

#[test]
fn timestamps() {
    table::<Timestamp>(
        &[
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2026-11-20T12:34:56Z", "2026-11-20T12:34:56Z"),
            ("2028-02-29T23:59:59Z", "2028-02-29T23:59:59Z"),
            ("2100-12-31T23:59:59Z", "2100-12-31T23:59:59Z"),
        ],
        &[
            ("2026-11-20", "it is not RFC 3339 in UTC with whole seconds"),
            ("2026-11-20T00:00:00", "it is not RFC 3339 in UTC with whole seconds"),
            ("2026-11-20 00:00:00Z", "it is not RFC 3339 in UTC with whole seconds"),
            ("2026-11-20t00:00:00z", "it is not RFC 3339 in UTC with whole seconds"),
            ("2026-11-20T00:00:00.0Z", "it is not RFC 3339 in UTC with whole seconds"),
            ("2026-11-20T00:00:00+00:00", "it is not RFC 3339 in UTC with whole seconds"),
            ("+026-11-20T00:00:00Z", "it is not RFC 3339 in UTC with whole seconds"),
            ("2026-13-01T00:00:00Z", "no calendar has it"),
            ("2027-02-29T00:00:00Z", "no calendar has it"),
            ("2026-11-20T24:00:00Z", "no calendar has it"),
            ("2026-12-31T23:59:60Z", "no calendar has it"),
            ("1969-12-31T23:59:59Z", "its year is not from 1970 to 2100"),
            ("2101-01-01T00:00:00Z", "its year is not from 1970 to 2100"),
        ],
    );
    assert_eq!("2001-09-09T01:46:40Z".parse::<Timestamp>().unwrap().unix(), 1_000_000_000);
    assert_eq!(Timestamp::from_unix(1_000_000_000).unwrap().to_string(), "2001-09-09T01:46:40Z");
    assert_eq!(Timestamp::from_unix(-1), None);
    assert_eq!(Timestamp::from_unix(i64::MAX), None);
}

#[test]
fn spans() {
    table::<Span>(
        &[
            ("10y", "10y"),
            ("30d", "30d"),
            ("12h", "12h"),
            ("90m", "1h30m"),
            ("45s", "45s"),
            ("1y6h", "1y6h"),
            ("365d", "1y"),
            ("100y", "100y"),
            ("0y1s", "1s"),
        ],
        &[
            ("", "it has no length"),
            ("0s", "it has no length"),
            ("10", "a number has no unit"),
            ("y", "a number is missing or malformed"),
            ("-1y", "a number is missing or malformed"),
            ("1y 6h", "a number is missing or malformed"),
            ("01y", "a number is missing or malformed"),
            ("1.5y", "units are y, d, h, m and s, each at most once, in this order"),
            ("1w", "units are y, d, h, m and s, each at most once, in this order"),
            ("6h1y", "units are y, d, h, m and s, each at most once, in this order"),
            ("1h1h", "units are y, d, h, m and s, each at most once, in this order"),
            ("1Y", "units are y, d, h, m and s, each at most once, in this order"),
            ("1ä", "units are y, d, h, m and s, each at most once, in this order"),
            ("100y1s", "it is longer than a hundred years"),
            ("4294967295y4294967295d", "it is longer than a hundred years"),
            ("9999999999s", "a number is missing or malformed"),
        ],
    );
    assert_eq!("1y6h".parse::<Span>().unwrap().seconds(), 365 * 86_400 + 6 * 3_600);
    assert_eq!(Span::TEN_YEARS.to_string(), "10y");
}

#[test]
fn kubernetes_versions() {
    table::<KubernetesVersion>(
        &[("1.36.2", "1.36.2"), ("v1.36.2", "1.36.2"), ("1.0.0", "1.0.0")],
        &[
            ("1.36", "it does not have three numbers"),
            ("1.36.2.3", "it does not have three numbers"),
            ("", "it does not have three numbers"),
            ("1.036.2", "it has a leading zero"),
            ("1..2", "it is not made of decimal digits alone"),
            ("vv1.2.3", "it is not made of decimal digits alone"),
            ("1.36.99999999999", "it is larger than 4294967295"),
            ("1.37.0-rc.1", "pre-releases and builds are not supported"),
        ],
    );
    let version: KubernetesVersion = "1.9.10".parse().unwrap();
    assert_eq!((version.major(), version.minor(), version.patch()), (1, 9, 10));
    assert!(version < "1.10.0".parse().unwrap());
}

#[test]
fn counters() {
    assert_eq!("1".parse::<Generation>().unwrap(), Generation::default());
    assert_eq!("0".parse::<HostRevision>().unwrap(), HostRevision::default());
    assert_eq!("4294967295".parse::<SeedNumber>().unwrap().get(), u32::MAX);
    for bad in ["0", "", "+1", "-1", "1 ", "01", "4294967296"] {
        let error = bad.parse::<Generation>().unwrap_err();
        assert_eq!(error.hint.unwrap(), "write a whole number from 1 to 4294967295");
    }
    assert!(serde_json::from_str::<Generation>("0").is_err());
    assert_eq!(serde_json::from_str::<HostRevision>("0").unwrap().get(), 0);
}

#[test]
fn tolerated_exits() {
    let good: Vec<u8> =
        (0..=255).filter(|code: &u8| code.to_string().parse::<ToleratedExit>().is_ok()).collect();
    assert_eq!(good, ToleratedExit::ALLOWED);
    let trust = "3".parse::<ToleratedExit>().unwrap_err();
    assert!(trust.message.ends_with("what is not trusted must never start"));
    assert!(serde_json::from_str::<ToleratedExit>("3").is_err());
}

#[test]
fn paths() {
    table::<AbsolutePath>(
        &[("/var/lib/etcd", "/var/lib/etcd"), ("/a", "/a"), ("/a.b/..c/@:+-_", "/a.b/..c/@:+-_")],
        &[
            ("", "it does not begin with `/`"),
            ("var", "it does not begin with `/`"),
            ("/", "it is the root directory"),
            ("/var/", "it ends with `/`"),
            ("/var//lib", "it has `//` in it"),
            ("//var", "it has `//` in it"),
            ("/var/./lib", "it has `.` in it"),
            ("/var/../lib", "it has `..` in it"),
            ("/..", "it has `..` in it"),
            ("/a b", "` ` is not allowed"),
            ("/a$b", "`$` is not allowed"),
            ("/ä", "`ä` is not allowed"),
            ("/a\nb", "`\\n` is not allowed"),
            ("/a\0", "`\\u{0}` is not allowed"),
            (&format!("/{}", "a".repeat(255)), "it is longer than 255 characters"),
        ],
    );
    table::<SocketUrl>(
        &[("unix:///run/containerd/containerd.sock", "unix:///run/containerd/containerd.sock")],
        &[
            ("/run/x.sock", "it does not begin with `unix://`"),
            ("unix://run/x.sock", "of its path, it does not begin with `/`"),
            ("unix:///run/../x", "of its path, it has `..` in it"),
            ("tcp://127.0.0.1:1", "it does not begin with `unix://`"),
        ],
    );
}

#[test]
fn images() {
    let digest = format!("@sha256:{}", "0a".repeat(32));
    let pinned = format!("registry.k8s.io/etcd:3.6.6-0{digest}");
    let bare = format!("etcd{digest}");
    let same = |text| (text, text);
    table::<ImageRef>(
        &[
            same("registry.k8s.io/etcd:3.6.6-0"),
            same(&pinned),
            same(&bare),
            same("localhost/etcd:1"),
            same("localhost:5000/a/b:1"),
            same("a__b/c-d--e.f_g:V1_x.y-z"),
            same("etcd:1"),
        ],
        &[
            ("", "it has no name"),
            (":1", "it has no name"),
            (&digest, "it has no name"),
            ("registry.k8s.io/etcd", "it has neither tag nor digest"),
            ("localhost:5000/etcd", "it has neither tag nor digest"),
            ("etcd:", "`` is not a tag"),
            ("etcd:-1", "`-1` is not a tag"),
            ("etcd:a b", "`a b` is not a tag"),
            ("Etcd:1", "upper-case letters are not allowed in a name"),
            ("a//b:1", "a part of its name is empty"),
            ("/b:1", "a part of its name is empty"),
            ("a/.b:1", "`.b` has misplaced separators"),
            ("a/b..c:1", "`b..c` has misplaced separators"),
            ("a/b___c:1", "`b___c` has misplaced separators"),
            ("-a.b/c:1", "`-a.b` is not a registry's name"),
            ("a.b:0/c:1", "`0` is not a port"),
            ("a.b:65536/c:1", "`65536` is not a port"),
            ("a.b:x/c:1", "`x` is not a port"),
            ("etcd@sha256:00", "its digest is not `sha256:` and 64 lower-case hex digits"),
            ("etcd@md5:00", "its digest is not `sha256:` and 64 lower-case hex digits"),
            ("etcd@a@b", "its digest is not `sha256:` and 64 lower-case hex digits"),
            ("a/b\n:1", "`\\n` is not allowed in a name"),
            (&format!("{}:1", "a".repeat(256)), "its name is longer than 255 characters"),
        ],
    );
    table::<ImageRepository>(
        &[same("registry.k8s.io"), same("localhost:5000"), same("r.example:5000/mirror/k8s"), same("mirror")],
        &[
            ("", "a part of its name is empty"),
            ("registry.k8s.io/", "a part of its name is empty"),
            ("https://registry.k8s.io", "`` is not a port"),
            ("a/b:1", "`:` is not allowed in a name"),
        ],
    );
    assert!(pinned.parse::<ImageRef>().is_ok());
}

#[test]
fn texts_are_shown_harmless_and_short() {
    assert_eq!(shown("a\u{1b}[0m\u{202e}é"), "a\\u{1b}[0m\\u{202e}é");
    assert_eq!(shown(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
}

mod recipients;
