//! How a key stands with a trust file, and what is said of one that does not count.

use super::{Signers, Trust, public_key};
use crate::bundle::consistency::text_time;
use crate::finding::{Finding, Id};

/// How a key stands for a cluster and a namespace, at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its signatures count.
    Trusted,
    /// They counted until then, seconds since 1970: `valid-before`.
    Ended(i64),
    /// They will count from then on: `valid-after`.
    NotYet(i64),
    /// No line names it for this.
    Unknown,
}

impl Trust {
    /// How a key stands at a time in seconds since 1970; without a cluster, with any of them: all that can be
    /// asked before the signed bytes that name the cluster are believed.
    pub fn standing(&self, cluster_id: Option<&str>, namespace: &str, key: &[u8; 32], at: i64) -> Standing {
        let lines = || {
            let cluster =
                |clusters: &[String]| cluster_id.is_none_or(|wanted| clusters.iter().any(|id| id == wanted));
            self.signers.iter().filter(move |line| line.is_for(namespace, key) && cluster(&line.clusters))
        };
        if lines().any(|line| line.covers(namespace, key, at)) {
            return Standing::Trusted;
        }
        let ended = lines().filter_map(|line| line.valid_before).filter(|before| *before < at).max();
        let begins = lines().filter_map(|line| line.valid_after).filter(|after| *after > at).min();
        match (ended, begins) {
            (Some(ended), _) => Standing::Ended(ended),
            (None, Some(begins)) => Standing::NotYet(begins),
            (None, None) => Standing::Unknown,
        }
    }
}

impl Signers<'_> {
    /// As [`Trust::standing`].
    pub fn standing(&self, cluster_id: Option<&str>, namespace: &str, key: &[u8; 32]) -> Standing {
        match self {
            Self::Trusted(trust, at) => trust.standing(cluster_id, namespace, key, *at),
            Self::Anyone => Standing::Trusted,
        }
    }
}

impl Standing {
    /// What is wrong with a signature by this key; nothing when it is trusted. `mend` is for a key that no line
    /// names.
    pub fn finding(self, path: &str, expected: &str, key: &[u8; 32], mend: &str) -> Option<Finding> {
        let time = |seconds: i64| u64::try_from(seconds).ok().and_then(text_time).unwrap_or_default();
        let of = |id, found: String, mend: &str| {
            Some(Finding::new(id, path, mend).expected(expected).found(public_key(key) + &found))
        };
        match self {
            Self::Trusted => None,
            Self::Unknown => of(Id::NotTrusted, String::new(), mend),
            Self::Ended(until) => {
                let mend = "check this machine's clock; else take a bundle that the cluster's present key signed, or give the key's line in the trust file a later valid-before";
                of(Id::SigningKeyExpired, format!(", trusted until {}", time(until)), mend)
            }
            Self::NotYet(from) => {
                let mend = "check this machine's clock, and valid-after of the key's line in the trust file";
                of(Id::NotTrusted, format!(", trusted from {} on", time(from)), mend)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Standing, Trust, public_key};

    const KEY: [u8; 32] = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
        0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ];
    /// 2026-01-01.
    const NEW_YEAR: i64 = 1_767_225_600;

    fn standing(lines: &[&str], cluster: Option<&str>) -> Standing {
        let text: String = lines.iter().map(|line| format!("{line} {}\n", public_key(&KEY))).collect();
        Trust::parse(&text).unwrap().standing(cluster, "sealift-bundle", &KEY, NEW_YEAR)
    }

    #[test]
    fn what_counts_goes_before_what_does_not() {
        let ended = r#"a valid-before="20251231Z""#;
        let earlier = r#"a valid-before="20241231Z""#;
        let later = r#"a valid-after="20260102Z""#;
        let of = |lines: &[&str]| standing(lines, Some("a"));
        assert_eq!(of(&["a"]), Standing::Trusted);
        assert_eq!(of(&[ended, "a", later]), Standing::Trusted);
        assert_eq!(of(&[ended, earlier, later]), Standing::Ended(NEW_YEAR - 86_400));
        assert_eq!(of(&[later]), Standing::NotYet(NEW_YEAR + 86_400));
        assert_eq!(of(&[]), Standing::Unknown);
        assert_eq!(of(&["b", r#"a namespaces="sealift-index""#]), Standing::Unknown);
        assert_eq!(standing(&["b"], None), Standing::Trusted);
        assert_eq!(standing(&[ended], None), Standing::Ended(NEW_YEAR - 86_400));
    }

    #[test]
    fn what_is_said() {
        let said = |standing: Standing| {
            let finding = standing.finding("x", "a trusted key", &KEY, "ask").unwrap();
            let found = finding.found.unwrap().replace(&public_key(&KEY), "KEY");
            (finding.id.name(), found, finding.mend.split(';').next().unwrap_or_default().to_owned())
        };
        assert_eq!(said(Standing::Unknown), ("not-trusted", "KEY".into(), "ask".into()));
        let ended = (
            "signing-key-expired",
            "KEY, trusted until 2026-01-01T00:00:00Z".into(),
            "check this machine's clock".into(),
        );
        assert_eq!(said(Standing::Ended(NEW_YEAR)), ended);
        let (id, found, _) = said(Standing::NotYet(NEW_YEAR));
        assert_eq!((id, found.as_str()), ("not-trusted", "KEY, trusted from 2026-01-01T00:00:00Z on"));
        assert_eq!(Standing::Trusted.finding("x", "y", &KEY, "z"), None);
    }
}
