//! The index of an output directory: which bundles belong together.
//!
//! `index.json` names every bundle with its digest; `SHA256SUMS` lists it and the bundles in byte
//! order; `SHA256SUMS.sig` signs that list under the namespace `sealift-index`.

use crate::bundle::{
    INDEX_NAMESPACE,
    canonical::{self, CanonicalError},
    items::{ItemState, is_word},
    manifest::{ClusterRef, Revision},
    paths::{is_entry_name, is_hex},
    sshsig,
    sums::{self, Sum, SumsError, sha256_hex},
};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// The index format that this sealift reads and writes.
pub const FORMAT: u32 = 1;
/// The index's file name.
pub const INDEX: &str = "index.json";
/// What every bundle's file name ends in.
pub const BUNDLE_SUFFIX: &str = ".tar.gz";

/// `index.json` of an output directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Index {
    /// Format version, [`FORMAT`].
    pub format: u32,
    /// The cluster that was built.
    pub cluster: ClusterRef,
    /// The public names of the seeds in use, in lower-case hex, by number.
    pub seeds: BTreeMap<String, String>,
    /// SHA-256, in lower-case hex, of everything that the cluster was built from.
    pub cluster_digest: String,
    /// The version of sealift that built this.
    pub sealift: String,
    /// What can be replaced in steps, by name, and the key that signs. Nothing in what sealift 0.1.0 wrote.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub items: BTreeMap<String, ItemState>,
    /// The bundles, in byte order of their hosts.
    pub bundles: Vec<BundleRef>,
}

/// One bundle of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleRef {
    /// The host's name, as in the bundle's manifest.
    pub host: String,
    /// The bundle's file name: the host's name and [`BUNDLE_SUFFIX`].
    pub file: String,
    /// SHA-256, in lower-case hex, of the bundle file.
    pub sha256: String,
    /// The bundle's revision.
    pub revision: Revision,
    /// SHA-256, in lower-case hex, of what the bundle was built from.
    pub inputs: String,
    /// Whether it was kept from an earlier build although its inputs changed since: `items` may say
    /// more than this bundle holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
}

/// The three files that stand for an output directory as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIndex {
    /// `index.json`.
    pub index: Vec<u8>,
    /// `SHA256SUMS`.
    pub sums: String,
    /// `SHA256SUMS.sig`.
    pub signature: String,
}

/// Why an index cannot be written or read.
#[derive(Debug, Error)]
pub enum IndexError {
    /// Not canonical JSON of an index.
    #[error("not an index in canonical form")]
    Canonical(#[from] CanonicalError),
    /// Another format version.
    #[error("index format {0}, this sealift reads {FORMAT}")]
    Format(u32),
    /// A field that breaks the format's rules.
    #[error("{0} is not as the format asks")]
    Field(&'static str),
    /// The list of digests cannot be written.
    #[error("SHA256SUMS cannot be written")]
    Sums(#[from] SumsError),
    /// The signature cannot be made.
    #[error("the index cannot be signed")]
    Signature(#[from] ssh_key::Error),
}

impl Index {
    /// Reads `index.json`: canonical, of a known format, bundles sorted and each once.
    pub fn parse(bytes: &[u8]) -> Result<Self, IndexError> {
        let index: Self = canonical::from_bytes(bytes)?;
        index.check()?;
        Ok(index)
    }

    /// Writes the index, the list of digests and the signature over that list; bundles are sorted
    /// first.
    pub fn sign(mut self, key: &SigningKey) -> Result<SignedIndex, IndexError> {
        self.bundles.sort_by(|a, b| a.host.cmp(&b.host));
        self.check()?;
        let index = canonical::to_bytes(&self)?;
        let sums = sums::write(&self.sums(&index))?;
        let signature = sshsig::sign(key, INDEX_NAMESPACE, sums.as_bytes())?;
        Ok(SignedIndex { index, sums, signature })
    }

    /// The lines of the output directory's `SHA256SUMS`: the index, whose bytes are given, and every
    /// bundle, in byte order of the names.
    pub fn sums(&self, index: &[u8]) -> Vec<Sum> {
        let own = Sum { name: INDEX.into(), sha256: sha256_hex(index) };
        let bundles = self.bundles.iter();
        let bundles = bundles.map(|bundle| Sum { name: bundle.file.clone(), sha256: bundle.sha256.clone() });
        let mut sums: Vec<_> = bundles.chain([own]).collect();
        sums.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        sums
    }

    fn check(&self) -> Result<(), IndexError> {
        let require = |holds: bool, field| if holds { Ok(()) } else { Err(IndexError::Field(field)) };
        if self.format != FORMAT {
            return Err(IndexError::Format(self.format));
        }
        require(is_hex(&self.cluster.id, 32), "cluster.id")?;
        require(self.seeds.values().all(|id| is_hex(id, 32)), "seeds")?;
        require(is_hex(&self.cluster_digest, 64), "clusterDigest")?;
        require(self.items.keys().all(|name| is_word(name)), "items: name")?;
        require(self.items.values().all(ItemState::is_sound), "items: state")?;
        require(self.bundles.is_sorted_by(|a, b| a.host < b.host), "bundles: order")?;
        for bundle in &self.bundles {
            let host = &bundle.host;
            require(is_entry_name(host) && !host.contains('/'), "bundles: host")?;
            require(bundle.file == format!("{host}{BUNDLE_SUFFIX}"), "bundles: file")?;
            require(is_hex(&bundle.sha256, 64), "bundles: sha256")?;
            require(is_hex(&bundle.inputs, 64), "bundles: inputs")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::{BundleRef, FORMAT, Index, IndexError};
    use crate::bundle::{
        INDEX_NAMESPACE, canonical,
        items::{Brought, Derived, ItemId, ItemState, Step},
        manifest::{ClusterRef, Revision},
        sshsig,
        sums::sha256_hex,
    };
    use ed25519_dalek::SigningKey;

    fn bundle(host: &str) -> BundleRef {
        BundleRef {
            host: host.into(),
            file: format!("{host}.tar.gz"),
            sha256: sha256_hex(host.as_bytes()),
            revision: Revision { cluster: 2, host: 1 },
            inputs: sha256_hex(b"inputs"),
            stale: false,
        }
    }

    fn derived(generation: u32) -> ItemId {
        ItemId::Derived(Derived { seed: 1, generation, algorithm: "ecdsa-p256".into() })
    }

    fn staged() -> ItemState {
        let (active, beside) = (derived(1), Some(derived(2)));
        ItemState { active, beside, step: Some(Step::Stage), refuse_plaintext: false }
    }

    fn item(index: &mut Index) -> &mut ItemState {
        index.items.get_mut("ca").unwrap()
    }

    /// Changes what the one item's active version comes from.
    fn origin(index: &mut Index, change: fn(&mut Derived)) {
        let ItemId::Derived(derived) = &mut item(index).active else { panic!("it is derived") };
        change(derived);
    }

    fn index() -> Index {
        Index {
            format: FORMAT,
            cluster: ClusterRef { id: "0123456789abcdef0123456789abcdef".into(), name: "prod".into() },
            seeds: [("1".to_owned(), "00ff".repeat(8))].into(),
            cluster_digest: sha256_hex(b"cluster"),
            sealift: "0.1.0".into(),
            items: [("ca".to_owned(), staged())].into(),
            bundles: vec![bundle("operator"), bundle("infra1"), bundle("infra0")],
        }
    }

    #[test]
    fn signs_a_sorted_list_of_everything() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let signed = index().sign(&key).unwrap();
        let read = Index::parse(&signed.index).unwrap();
        let hosts: Vec<_> = read.bundles.iter().map(|bundle| bundle.host.as_str()).collect();
        assert_eq!(hosts, ["infra0", "infra1", "operator"]);
        let line = |bytes: &[u8], name: &str| format!("{}  {name}\n", sha256_hex(bytes));
        let expected = [
            line(&signed.index, "index.json"),
            line(b"infra0", "infra0.tar.gz"),
            line(b"infra1", "infra1.tar.gz"),
            line(b"operator", "operator.tar.gz"),
        ];
        // "ind" sorts before "inf".
        assert_eq!(signed.sums, expected.concat());
        let by = sshsig::verify(signed.signature.as_bytes(), INDEX_NAMESPACE, signed.sums.as_bytes());
        assert_eq!(by, Ok(key.verifying_key().to_bytes()));
    }

    #[test]
    fn refuses_what_breaks_the_rules() {
        type Change = fn(&mut Index);
        let refused = |change: fn(&mut Index)| {
            let mut changed = index();
            changed.bundles.sort_by(|a, b| a.host.cmp(&b.host));
            change(&mut changed);
            Index::parse(&canonical::to_bytes(&changed).unwrap()).map_err(|error| error.to_string())
        };
        assert!(refused(|_| {}).is_ok());
        let cases: [(Change, &str); 19] = [
            (|i| i.format = 2, "index format 2, this sealift reads 1"),
            (|i| i.cluster.id.push('0'), "cluster.id is not as the format asks"),
            (|i| i.seeds = [("1".to_owned(), "x".to_owned())].into(), "seeds is not as the format asks"),
            (|i| i.cluster_digest.clear(), "clusterDigest is not as the format asks"),
            (|i| drop(i.items.insert("C A".into(), staged())), "items: name is not as the format asks"),
            (|i| drop(i.items.insert(String::new(), staged())), "items: name is not as the format asks"),
            (|i| item(i).step = None, "items: state is not as the format asks"),
            (|i| item(i).step = Some(Step::Retire), "items: state is not as the format asks"),
            (|i| item(i).beside = None, "items: state is not as the format asks"),
            (|i| item(i).beside = Some(derived(1)), "items: state is not as the format asks"),
            (|i| origin(i, |d| d.seed = 0), "items: state is not as the format asks"),
            (|i| origin(i, |d| d.generation = 0), "items: state is not as the format asks"),
            (|i| origin(i, |d| d.algorithm.clear()), "items: state is not as the format asks"),
            (
                |i| item(i).active = ItemId::Brought(Brought { sha256: "AB".repeat(32) }),
                "items: state is not as the format asks",
            ),
            (|i| i.bundles.swap(0, 1), "bundles: order is not as the format asks"),
            (|i| i.bundles.push(i.bundles[2].clone()), "bundles: order is not as the format asks"),
            (|i| i.bundles[0].host = "../x".into(), "bundles: host is not as the format asks"),
            (|i| i.bundles[0].file = "infra1.tar.gz".into(), "bundles: file is not as the format asks"),
            (|i| i.bundles[0].inputs.clear(), "bundles: inputs is not as the format asks"),
        ];
        for (change, message) in cases {
            assert_eq!(refused(change), Err(message.into()));
        }
        assert!(matches!(Index::parse(b"{}"), Err(IndexError::Canonical(_))));
    }

    /// One form: nothing unknown, nothing that says what is so anyway.
    #[test]
    fn items_have_one_form() {
        let mut good = index();
        good.bundles.sort_by(|a, b| a.host.cmp(&b.host));
        let text = String::from_utf8(canonical::to_bytes(&good).unwrap()).unwrap();
        let staged = r#""items":{"ca":{"active":{"algorithm":"ecdsa-p256","generation":1,"seed":1},"beside":{"algorithm":"ecdsa-p256","generation":2,"seed":1},"step":"stage"}}"#;
        let brought = format!(r#""items":{{"ca":{{"active":{{"sha256":"{}"}}}}}}"#, "0".repeat(64));
        let step = |with: &str| staged.replace(r#""step":"stage""#, with);
        let last = r#"}],"cluster""#;
        let forged = [
            (staged, r#""items":{}"#.to_owned(), false),
            (staged, brought.clone(), true),
            (staged, step(r#""refusePlaintext":true,"step":"stage""#), true),
            (staged, step(r#""refusePlaintext":false,"step":"stage""#), false),
            (staged, step(r#""step":"Stage""#), false),
            (staged, step(r#""step":"stage","why":1"#), false),
            (staged, brought.replace(r#""sha256""#, r#""generation":1,"sha256""#), false),
            (staged, brought.replace("}}}", r#"},"beside":null}}"#), false),
            (last, r#","stale":true}],"cluster""#.to_owned(), true),
            (last, r#","stale":false}],"cluster""#.to_owned(), false),
        ];
        assert!(Index::parse(text.as_bytes()).is_ok());
        for (from, to, good) in forged {
            assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
            assert_eq!(Index::parse(text.replace(from, &to).as_bytes()).is_ok(), good, "{to}");
        }
        let without = text.replace(&format!("{staged},"), "");
        assert!(Index::parse(without.as_bytes()).is_ok());
    }
}
