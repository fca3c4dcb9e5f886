//! Receipts: what `sealift verify --root DIR --format json` said on a host, as a proof that a build
//! arrived there.
//!
//! A receipt is not signed. It keeps people from going on too early, and nobody from lying.

use crate::bundle::manifest::Revision;
use crate::finding::{Class, Id};
use serde::Deserialize;
use std::fmt;
use thiserror::Error;

/// The member `kind` of what was verified, when that was what a host holds.
pub const ROOT: &str = "root";

/// One host's receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The cluster's id.
    pub cluster: String,
    /// The host's name.
    pub host: String,
    /// The installed revision, as `verify` prints it.
    pub revision: String,
    /// SHA-256 of the installed manifest, lower-case hex.
    pub manifest: String,
    /// Findings other than those of time: ids, each once.
    pub dirt: Vec<String>,
}

/// Why a file is no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// Not what `verify` prints.
    #[error("not the output of `sealift verify --root DIR --format json`")]
    Other,
    /// Of a host with nothing on it that can be believed.
    #[error("nothing that can be believed is installed there")]
    NothingInstalled,
}

#[derive(Deserialize)]
struct Said {
    command: String,
    subjects: Vec<Subject>,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    kind: String,
    cluster_id: Option<String>,
    host: Option<String>,
    revision: Option<String>,
    manifest: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    id: String,
}

impl Receipt {
    /// Reads what `verify` printed.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn parse(json: &[u8]) -> Result<Self, ReceiptError> {
        let said: Said = serde_json::from_slice(json).map_err(|_| ReceiptError::Other)?;
        let [subject] = <[Subject; 1]>::try_from(said.subjects).map_err(|_| ReceiptError::Other)?;
        if said.command != "verify" || subject.kind != ROOT {
            return Err(ReceiptError::Other);
        }
        let Subject {
            cluster_id: Some(cluster),
            host: Some(host),
            revision: Some(revision),
            manifest: Some(manifest),
            ..
        } = subject
        else {
            return Err(ReceiptError::NothingInstalled);
        };
        let mut dirt: Vec<_> =
            said.findings.into_iter().map(|finding| finding.id).filter(|id| !is_time(id)).collect();
        dirt.sort_unstable();
        dirt.dedup();
        // a receipt comes from a host, and its words go to an operator's terminal
        let texts = [&cluster, &host, &revision, &manifest].into_iter().chain(&dirt);
        if texts.into_iter().any(|text| text.chars().any(char::is_control)) {
            return Err(ReceiptError::Other);
        }
        Ok(Self { cluster, host, revision, manifest, dirt })
    }
}

/// A finding that a host may have and still hold what it should: all things end some time.
fn is_time(id: &str) -> bool {
    Id::ALL.iter().any(|known| known.name() == id && known.class() == Class::Time)
}

/// What a host must hold.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The cluster's id.
    pub cluster: &'a str,
    /// The host's name.
    pub host: &'a str,
    /// The bundle's revision.
    pub revision: Revision,
    /// SHA-256 of the bundle's manifest, lower-case hex.
    pub manifest: &'a str,
}

/// Why nothing proves that a host holds a bundle; the later the nearer to a proof.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// No receipt.
    Missing,
    /// A receipt of another cluster.
    OtherCluster,
    /// A receipt of another revision.
    Revision {
        /// What the host has.
        found: String,
        /// What it should have.
        wanted: String,
    },
    /// A receipt of another build of the same revision.
    OtherBuild(String),
    /// The host differs from what it should hold.
    Dirty(Vec<String>),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no receipt"),
            Self::OtherCluster => f.write_str("its receipt is of another cluster"),
            Self::Revision { found, wanted } => write!(f, "it has revision {found}, not {wanted}"),
            Self::OtherBuild(revision) => write!(f, "it has another build of revision {revision}"),
            Self::Dirty(ids) => write!(f, "it is not clean: {}", ids.join(", ")),
        }
    }
}

/// What is missing to prove that a host holds what it should; none when a receipt says so.
pub fn lack(receipts: &[Receipt], wanted: &Wanted<'_>) -> Option<Lack> {
    let mut nearest = Lack::Missing;
    for receipt in receipts.iter().filter(|receipt| receipt.host == wanted.host) {
        nearest = nearest.max(of(receipt, wanted)?);
    }
    Some(nearest)
}

fn of(receipt: &Receipt, wanted: &Wanted<'_>) -> Option<Lack> {
    let revision = wanted.revision.to_string();
    if receipt.cluster != wanted.cluster {
        Some(Lack::OtherCluster)
    } else if receipt.revision != revision {
        Some(Lack::Revision { found: receipt.revision.clone(), wanted: revision })
    } else if receipt.manifest != wanted.manifest {
        Some(Lack::OtherBuild(revision))
    } else if !receipt.dirt.is_empty() {
        Some(Lack::Dirty(receipt.dirt.clone()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::{Lack, Receipt, ReceiptError, Wanted, lack};
    use crate::bundle::manifest::Revision;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({
            "command": "verify",
            "exit": 6,
            "subjects": [{
                "path": "/",
                "kind": "root",
                "cluster": "prod",
                "clusterId": "id",
                "host": "infra0",
                "revision": "2.0",
                "manifest": "digest",
                "count": 5
            }],
            "findings": [{"id": "certificate-expiring", "path": "/a", "mend": "x"}]
        })
    }

    fn parse(change: impl FnOnce(&mut Value)) -> Result<Receipt, ReceiptError> {
        let mut value = good();
        change(&mut value);
        Receipt::parse(value.to_string().as_bytes())
    }

    fn finding(id: &str) -> Value {
        json!({"id": id, "path": "/a", "mend": "x"})
    }

    #[test]
    fn what_verify_says_of_a_root() {
        let expected = Receipt {
            cluster: "id".into(),
            host: "infra0".into(),
            revision: "2.0".into(),
            manifest: "digest".into(),
            dirt: Vec::new(),
        };
        assert_eq!(parse(|_| ()), Ok(expected.clone()));
        // of any class but time, and what no version of this program knows
        let ids = ["stray-file", "never-heard-of", "bundle-expired", "stray-file", "not-trusted"];
        let dirty = parse(|value| value["findings"] = ids.map(finding).to_vec().into());
        let dirt = ["never-heard-of", "not-trusted", "stray-file"].map(str::to_owned).to_vec();
        assert_eq!(dirty, Ok(Receipt { dirt, ..expected }));
    }

    #[test]
    fn a_host_writes_nothing_but_words_to_terminals() {
        let clear = "\u{1b}[2J\nerror: all is lost";
        for member in ["clusterId", "host", "revision", "manifest"] {
            let said = parse(|value| value["subjects"][0][member] = clear.into());
            assert_eq!(said, Err(ReceiptError::Other), "{member}");
        }
        assert_eq!(parse(|value| value["findings"] = json!([finding(clear)])), Err(ReceiptError::Other));
    }

    #[test]
    fn what_is_no_receipt() {
        assert_eq!(Receipt::parse(b""), Err(ReceiptError::Other));
        assert_eq!(
            Receipt::parse(b"{\"command\":\"verify\",\"exit\":3,\"error\":\"x\"}"),
            Err(ReceiptError::Other)
        );
        assert_eq!(parse(|value| value["command"] = "install".into()), Err(ReceiptError::Other));
        for kind in ["bundle", "directory", ""] {
            assert_eq!(
                parse(|value| value["subjects"][0]["kind"] = kind.into()),
                Err(ReceiptError::Other),
                "{kind}"
            );
        }
        assert_eq!(parse(|value| value["subjects"] = json!([])), Err(ReceiptError::Other));
        let twice =
            |value: &mut Value| value["subjects"] = json!([value["subjects"][0], value["subjects"][0]]);
        assert_eq!(parse(twice), Err(ReceiptError::Other));
        for member in ["clusterId", "host", "revision", "manifest"] {
            let without =
                |value: &mut Value| drop(value["subjects"][0].as_object_mut().unwrap().remove(member));
            assert_eq!(parse(without), Err(ReceiptError::NothingInstalled), "{member}");
        }
        assert_eq!(
            parse(|value| drop(value.as_object_mut().unwrap().remove("findings"))),
            Err(ReceiptError::Other)
        );
    }

    #[test]
    fn the_nearest_reason_is_told() {
        let wanted = Wanted {
            cluster: "id",
            host: "infra0",
            revision: Revision { cluster: 2, host: 0 },
            manifest: "digest",
        };
        let with = |change: &dyn Fn(&mut Receipt)| {
            let mut receipt = parse(|_| ()).unwrap();
            change(&mut receipt);
            receipt
        };
        let cases = [
            (with(&|receipt| receipt.host = "infra1".into()), "no receipt"),
            (with(&|receipt| receipt.cluster = "other".into()), "its receipt is of another cluster"),
            (with(&|receipt| receipt.revision = "1.9".into()), "it has revision 1.9, not 2.0"),
            (with(&|receipt| receipt.manifest = "other".into()), "it has another build of revision 2.0"),
            (with(&|receipt| receipt.dirt = vec!["a".into(), "b".into()]), "it is not clean: a, b"),
        ];
        assert_eq!(lack(&[], &wanted), Some(Lack::Missing));
        for count in 1..=cases.len() {
            let (receipts, reasons): (Vec<_>, Vec<_>) = cases[..count].iter().cloned().unzip();
            let told = lack(&receipts, &wanted).map(|lack| lack.to_string());
            assert_eq!(told.as_deref(), reasons.last().copied());
        }
        // one that counts is enough, wherever it stands
        let mut all: Vec<_> = cases.iter().map(|(receipt, _)| receipt.clone()).collect();
        all.insert(2, with(&|_| ()));
        assert_eq!(lack(&all, &wanted), None);
    }
}
