//! A whole output directory: the index, its signature, and that exactly its bundles are there.

use crate::bundle::{
    INDEX_NAMESPACE, SIGNATURE, SUMS,
    index::{BUNDLE_SUFFIX, BundleRef, INDEX, Index},
    open::{Verified, open_signed},
    sshsig,
    sums::{self, sha256_hex},
    trust::{Signers, Trust},
};
use crate::check::bundle::verify_times;
use crate::check::{contents, fields, sealed};
use crate::finding::{Finding, Id};
use crate::unseal::Identities;
use std::io;

const COPY: &str = "copy the whole directory again from where it was built";
const MIXED: &str = "copy the whole directory again: its files come from different builds";

/// An output directory, read a file at a time so that memory holds one bundle only.
pub trait OutputDirectory {
    /// The names of what lies in it, in any order.
    fn names(&self) -> io::Result<Vec<String>>;
    /// One file's bytes; [`io::ErrorKind::NotFound`] when it is not there.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
}

/// What an output directory is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Whom to believe.
    pub trust: &'a Trust,
    /// The time, in seconds since 1970.
    pub at: i64,
    /// Also find what ends within so many seconds.
    pub within: Option<u64>,
    /// Keys to open sealed files with. Bundles of which they open nothing are another host's and
    /// are passed over, as long as there is one that they open.
    pub identities: Option<&'a Identities>,
}

/// Checks a directory, and every bundle in it once the index is trusted. `name` stands for the
/// directory in findings.
pub fn verify_output(directory: &dyn OutputDirectory, name: &str, terms: Terms<'_>) -> Vec<Finding> {
    let (mut opened, mut unmatched) = (0, Vec::new());
    let mut findings = each_bundle(directory, name, terms.trust, terms.at, |verified, findings| {
        findings.extend(verify_times(verified, terms.at, terms.within));
        findings.extend(fields::of_bundle(verified));
        findings.extend(contents::of_bundle(verified));
        if let Some(identities) = terms.identities {
            let sealed = sealed::open(verified, identities);
            opened += sealed.plaintexts.len();
            findings.extend(sealed.check(verified));
            findings.extend(contents::of_sealed(verified, &sealed));
            findings.extend(sealed.broken);
            if sealed.plaintexts.is_empty() {
                unmatched.extend(sealed.unmatched.into_iter().next());
            } else {
                findings.extend(sealed.unmatched);
            }
        }
    });
    if opened == 0 {
        findings.extend(unmatched);
    }
    findings
}

/// Opens every bundle of a directory once its index is trusted, one after the other, and passes
/// each that holds to `visit`. What is wrong with the directory itself comes back, with what
/// `visit` adds.
pub fn each_bundle(
    directory: &dyn OutputDirectory,
    name: &str,
    trust: &Trust,
    at: i64,
    mut visit: impl FnMut(&Verified, &mut Vec<Finding>),
) -> Vec<Finding> {
    let output = Output { directory, name, signers: Signers::Trusted(trust, at) };
    let index = match output.index() {
        Ok((index, _)) => index,
        Err(findings) => return findings,
    };
    let mut findings = output.strays(&index);
    for bundle in &index.bundles {
        if let Some(verified) = output.bundle(&index, bundle, &mut findings) {
            visit(&verified, &mut findings);
        }
    }
    findings
}

/// A directory, the name that stands for it in findings, and who may have signed it.
pub(super) struct Output<'a> {
    pub(super) directory: &'a dyn OutputDirectory,
    pub(super) name: &'a str,
    pub(super) signers: Signers<'a>,
}

impl Output<'_> {
    fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.name)
    }

    fn mismatch(&self, file: &str, expected: impl Into<String>, found: impl Into<String>) -> Finding {
        Finding::new(Id::IndexMismatch, self.path(file), MIXED).expected(expected).found(found)
    }

    fn read(&self, file: &str, missing: Id) -> Result<Vec<u8>, Finding> {
        self.directory.read(file).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Finding::new(missing, self.path(file), COPY).found("no such file"),
            _ => Finding::new(Id::Unreadable, self.path(file), "make it readable").found(error.to_string()),
        })
    }

    /// The index, after signature, trust and digests, and the Ed25519 key that signed.
    pub(super) fn index(&self) -> Result<(Index, [u8; 32]), Vec<Finding>> {
        let (sums, signature) =
            (self.read(SUMS, Id::EntryMissing), self.read(SIGNATURE, Id::SignatureMissing));
        let (sums, signature) = match (sums, signature) {
            (Ok(sums), Ok(signature)) => (sums, signature),
            (sums, signature) => return Err(sums.err().into_iter().chain(signature.err()).collect()),
        };
        let key = self.signer(&sums, &signature).map_err(|finding| vec![finding])?;
        self.trusted_index(&sums, &key).map(|index| (index, key)).map_err(|finding| vec![finding])
    }

    fn signer(&self, sums: &[u8], signature: &[u8]) -> Result<[u8; 32], Finding> {
        let key = sshsig::verify(signature, INDEX_NAMESPACE, sums)
            .map_err(|error| error.finding(&self.path(SIGNATURE)))?;
        self.trusted(None, &key).map(|()| key)
    }

    fn trusted(&self, cluster: Option<&str>, key: &[u8; 32]) -> Result<(), Finding> {
        let mend = "compare the key with the cluster's, by another way than these files came; then add its line to the trust file, or give a file that has it with --trust";
        let expected = cluster.map_or("a trusted key".to_owned(), |id| format!("a key of cluster {id}"));
        let standing = self.signers.standing(cluster, INDEX_NAMESPACE, key);
        standing.finding(&self.path(SIGNATURE), &expected, key, mend).map_or(Ok(()), Err)
    }

    fn trusted_index(&self, sums: &[u8], key: &[u8; 32]) -> Result<Index, Finding> {
        let list = sums::parse(sums).map_err(|error| {
            Finding::new(Id::SumsMalformed, self.path(SUMS), COPY).found(error.to_string())
        })?;
        let bytes = self.read(INDEX, Id::EntryMissing)?;
        let index = match list.iter().find(|sum| sum.name == INDEX) {
            Some(sum) if sum.sha256 == sha256_hex(&bytes) => Index::parse(&bytes),
            Some(sum) => return Err(self.mismatch(INDEX, sum.sha256.clone(), sha256_hex(&bytes))),
            None => return Err(self.mismatch(SUMS, "a line for index.json", "none")),
        };
        let index = index.map_err(|error| self.mismatch(INDEX, "an index", error.to_string()))?;
        self.trusted(Some(&index.cluster.id), key)?;
        if list != index.sums(&bytes) {
            return Err(self.mismatch(SUMS, "index.json and the bundles that it lists", "other lines"));
        }
        Ok(index)
    }

    /// Bundles in the directory that the index does not list.
    pub(super) fn strays(&self, index: &Index) -> Vec<Finding> {
        let mut names = match self.directory.names() {
            Ok(names) => names,
            Err(error) => {
                let finding = Finding::new(Id::Unreadable, self.name, "make it readable");
                return vec![finding.found(error.to_string())];
            }
        };
        names.sort_unstable();
        let listed = |name: &String| index.bundles.iter().any(|bundle| bundle.file == *name);
        let strays = names.into_iter().filter(|name| name.ends_with(BUNDLE_SUFFIX) && !listed(name));
        strays
            .map(|name| self.mismatch(&name, "only bundles of the index", "a bundle that it does not list"))
            .collect()
    }

    /// One bundle, if it opens; what differs from the index is added to the findings.
    pub(super) fn bundle(
        &self,
        index: &Index,
        listed: &BundleRef,
        findings: &mut Vec<Finding>,
    ) -> Option<Verified> {
        let bytes = match self.read(&listed.file, Id::IndexMismatch) {
            Ok(bytes) => bytes,
            Err(finding) => {
                findings.push(finding);
                return None;
            }
        };
        let sha256 = sha256_hex(&bytes);
        let same = sha256 == listed.sha256;
        if !same {
            findings.push(self.mismatch(&listed.file, listed.sha256.clone(), sha256));
        }
        match open_signed(&bytes, &self.path(&listed.file), self.signers) {
            Ok(verified) => {
                if same {
                    findings.extend(self.contradictions(index, listed, &verified));
                }
                Some(verified)
            }
            Err(more) => {
                findings.extend(more);
                None
            }
        }
    }

    /// Where the index says other than the manifest of a bundle that it pins.
    fn contradictions(&self, index: &Index, listed: &BundleRef, verified: &Verified) -> Vec<Finding> {
        let manifest = verified.manifest();
        [
            ("cluster", &index.cluster.id, &manifest.cluster.id),
            ("cluster name", &index.cluster.name, &manifest.cluster.name),
            ("host", &listed.host, &manifest.host.name),
            ("revision", &listed.revision.to_string(), &manifest.revision.to_string()),
            ("inputs", &listed.inputs, &manifest.inputs),
        ]
        .into_iter()
        .filter(|(_, expected, found)| expected != found)
        .map(|(field, expected, found)| {
            self.mismatch(&listed.file, format!("{field} {expected}"), format!("{field} {found}"))
        })
        .collect()
    }
}
