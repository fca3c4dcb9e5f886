//! Bundles and output directories: validity, what is sealed for whoever can open it, and whether the
//! bundles of a directory belong together.

use super::certificates::{carries_certificates, horizon, inspect, key_matches, rfc3339};
use crate::bundle::index::{BUNDLE_SUFFIX, INDEX, Index};
use crate::bundle::keyed::{VERIFY_KEY_PATH, VerifyKey};
use crate::bundle::manifest::File;
use crate::bundle::open::{Verified, open};
use crate::bundle::paths::entry_name;
use crate::bundle::sums::{self, sha256_hex};
use crate::bundle::trust::{Trust, public_key};
use crate::bundle::{INDEX_NAMESPACE, SIGNATURE, SUMS, sshsig};
use crate::finding::{Finding, Id};
use crate::unseal::{Identities, UnsealError};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use zeroize::Zeroizing;

const REBUILD: &str = "build the bundle again";
const COPY: &str = "copy the whole directory again from where it was built";
/// The trust file that a build writes for people to carry.
const TRUST: &str = "trust";

/// What bundles are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Whose signatures count.
    pub trust: &'a Trust,
    /// The Unix time, in seconds, at which everything must be valid.
    pub at: i64,
    /// How many seconds longer it should be.
    pub within: Option<u64>,
    /// Who opens what is sealed; without any, sealed files are not looked into.
    pub identities: Option<&'a Identities>,
}

/// What a bundle that can be believed still gets wrong: its validity, its certificates' and, for
/// whoever can open them, the secrets in it.
pub fn verify_bundle(bundle: &Verified, options: &Options<'_>) -> Vec<Finding> {
    let mut findings = validity(bundle, options);
    for file in bundle.manifest().files.iter().filter(|file| !file.sealed) {
        let contents = bundle.contents(&file.path).unwrap_or_default();
        if carries_certificates(contents) {
            findings.extend(inspect(contents, &place(bundle, file), options.at, options.within));
        }
    }
    if let Some(identities) = options.identities {
        findings.extend(secrets(bundle, identities));
    }
    findings
}

/// Where a file is, for people: the bundle and the entry.
fn place(bundle: &Verified, file: &File) -> String {
    format!("{}:{}", bundle.name(), entry_name(&file.path, file.sealed))
}

fn validity(bundle: &Verified, options: &Options<'_>) -> Vec<Finding> {
    let (until, at) = (bundle.valid_until(), options.at);
    let id = if until < at {
        Id::BundleExpired
    } else if options.within.is_some_and(|within| until < horizon(at, within)) {
        Id::BundleExpiring
    } else {
        return Vec::new();
    };
    let mend = "raise cluster.epoch and cluster.revision in the spec, build and roll out";
    vec![Finding::new(id, bundle.name(), mend).found(format!("valid until {}", rfc3339(until)))]
}

/// Opens every sealed file and compares it with its keyed digest and its certificate.
fn secrets(bundle: &Verified, identities: &Identities) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut opened: BTreeMap<&str, Zeroizing<Vec<u8>>> = BTreeMap::new();
    for file in bundle.manifest().files.iter().filter(|file| file.sealed) {
        match identities.open(bundle.contents(&file.path).unwrap_or_default()) {
            Ok(plaintext) => drop(opened.insert(&file.path, plaintext)),
            Err(UnsealError::NoMatch) => {
                let mend = "use the identity of the host, or of an operator for the operators' bundle";
                findings.push(Finding::new(Id::NotSealedToIdentity, place(bundle, file), mend));
            }
            Err(_) => findings.push(Finding::new(Id::SealBroken, place(bundle, file), REBUILD)),
        }
    }
    let key = opened.get(VERIFY_KEY_PATH).and_then(|bytes| VerifyKey::parse(bytes));
    for file in &bundle.manifest().files {
        let Some(plaintext) = opened.get(file.path.as_str()) else { continue };
        findings.extend(secret(bundle, file, plaintext, key.as_ref()));
    }
    findings
}

fn secret(bundle: &Verified, file: &File, plaintext: &[u8], key: Option<&VerifyKey>) -> Option<Finding> {
    let hmac = file.hmac.as_deref().unwrap_or_default();
    if !key.is_some_and(|key| key.matches(&file.path, plaintext, hmac)) {
        return Some(
            Finding::new(Id::DigestMismatch, place(bundle, file), REBUILD).expected("its keyed digest"),
        );
    }
    let certificate = file.certificate.as_deref()?;
    let id = match key_matches(bundle.contents(certificate).unwrap_or_default(), plaintext) {
        Ok(true) => return None,
        Ok(false) => Id::KeyCertMismatch,
        Err(id) => id,
    };
    Some(Finding::new(id, place(bundle, file), REBUILD).expected(format!("the key of {certificate}")))
}

/// Verifies an output directory: its list and index, that it holds these bundles and no others, and
/// every bundle. `names` is its listing; `read` reads a file of it, one bundle at a time.
pub fn verify_output(
    directory: &str,
    names: &[String],
    read: impl Fn(&str) -> io::Result<Vec<u8>>,
    options: &Options<'_>,
) -> Vec<Finding> {
    let output = Output { directory, names: names.iter().map(String::as_str).collect(), read: &read };
    let index = match output.index(options) {
        Ok(index) => index,
        Err(findings) => return findings,
    };
    let mut findings = output.strangers(&index);
    for entry in &index.bundles {
        match output.bytes(&entry.file) {
            Err(finding) => findings.push(finding),
            Ok(bytes) if sha256_hex(&bytes) != entry.sha256 => {
                let finding = Finding::new(Id::IndexMismatch, output.at(&entry.file), COPY);
                findings.push(finding.expected(&entry.sha256).found(sha256_hex(&bytes)));
            }
            Ok(bytes) => findings.extend(output.bundle(&bytes, entry, &index, options)),
        }
    }
    findings
}

/// An output directory under verification.
struct Output<'a> {
    directory: &'a str,
    names: BTreeSet<&'a str>,
    read: &'a dyn Fn(&str) -> io::Result<Vec<u8>>,
}

impl Output<'_> {
    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.directory.trim_end_matches('/'))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Finding> {
        if !self.names.contains(name) {
            let id = if name == SIGNATURE { Id::SignatureMissing } else { Id::EntryMissing };
            return Err(Finding::new(id, self.at(name), COPY));
        }
        (self.read)(name).map_err(|error| {
            Finding::new(Id::Unreadable, self.at(name), "run as a user who may read it")
                .found(error.to_string())
        })
    }

    /// The signed list first, then the index that it lists.
    fn index(&self, options: &Options<'_>) -> Result<Index, Vec<Finding>> {
        let one = |finding: Finding| vec![finding];
        let list = self.bytes(SUMS).map_err(one)?;
        let signature = self.bytes(SIGNATURE).map_err(one)?;
        let key = sshsig::verify(&signature, INDEX_NAMESPACE, &list)
            .map_err(|error| one(error.finding(&self.at(SIGNATURE))))?;
        let json = self.bytes(INDEX).map_err(one)?;
        let index = Index::parse(&json).map_err(|error| {
            one(Finding::new(Id::IndexMismatch, self.at(INDEX), COPY).found(error.to_string()))
        })?;
        if !options.trust.accepts(&index.cluster.id, INDEX_NAMESPACE, &key, options.at) {
            let mend = "compare the key with the cluster's, by another way than this directory came";
            let finding = Finding::new(Id::NotTrusted, self.at(SIGNATURE), mend);
            let expected = format!("a key of cluster {}", index.cluster.id);
            return Err(one(finding.expected(expected).found(public_key(&key))));
        }
        let listed = sums::write(&index.sums(&json)).unwrap_or_default();
        if listed.as_bytes() != list {
            let finding = Finding::new(Id::IndexMismatch, self.at(SUMS), COPY);
            return Err(one(finding.expected("the digests of the index and of its bundles")));
        }
        Ok(index)
    }

    /// Files that no build of this index made.
    fn strangers(&self, index: &Index) -> Vec<Finding> {
        let own = [INDEX, SUMS, SIGNATURE, TRUST];
        let listed: BTreeSet<&str> = index.bundles.iter().map(|bundle| bundle.file.as_str()).collect();
        let stranger = |name: &&&str| !own.contains(*name) && !listed.contains(**name);
        self.names
            .iter()
            .filter(stranger)
            .map(|name| {
                let id = if name.ends_with(BUNDLE_SUFFIX) { Id::IndexMismatch } else { Id::EntryExtra };
                Finding::new(id, self.at(name), "remove it, or build again").expected("nothing")
            })
            .collect()
    }

    fn bundle(
        &self,
        bytes: &[u8],
        entry: &crate::bundle::index::BundleRef,
        index: &Index,
        options: &Options<'_>,
    ) -> Vec<Finding> {
        let bundle = match open(bytes, &self.at(&entry.file), options.trust, options.at) {
            Ok(bundle) => bundle,
            Err(findings) => return findings,
        };
        let manifest = bundle.manifest();
        let mut findings = Vec::new();
        let same = manifest.host.name == entry.host
            && manifest.cluster == index.cluster
            && manifest.revision == entry.revision
            && manifest.inputs == entry.inputs;
        if !same {
            let finding = Finding::new(Id::IndexMismatch, self.at(&entry.file), COPY);
            findings.push(finding.expected(format!("the bundle of {} in the index", entry.host)));
        }
        // an identity opens its own bundle; that it opens no other is as it should be
        let own = verify_bundle(&bundle, options);
        let closed = |finding: &Finding| finding.id == Id::NotSealedToIdentity;
        let foreign = !own.is_empty() && own.iter().any(closed);
        findings.extend(own.into_iter().filter(|finding| !(foreign && closed(finding))));
        findings
    }
}
