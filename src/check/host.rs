//! What a host holds, against the signed manifest that it remembers.
//!
//! Only reads; follows no link; opens every file of the manifest once, and hashes the very bytes that it parses.

mod directories;
mod files;
mod interrupted;
mod look;
mod machine;
mod parents;
mod remembered;
mod rights;
mod sealifts_own;
mod strays;
mod units;

#[cfg(test)]
mod tests;

use crate::bundle::consistency::unix_time;
use crate::bundle::manifest::{Manifest, Revision};
use crate::bundle::open::Verified;
use crate::bundle::trust::Trust;
use crate::finding::{Finding, sorted};
use crate::rootfs::Root;
use interrupted::Told;
use serde::Serialize;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What to check against.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whose signatures count.
    pub trust: &'a Trust,
    /// The Unix time, in seconds, at which certificates and the bundle must be valid.
    pub at: i64,
    /// How many seconds longer they should be.
    pub within: Option<u64>,
    /// The bundle that should be installed, when the caller has it.
    pub expected: Option<&'a Verified>,
    /// The machine's name, used when the root has no `/etc/hostname`.
    pub hostname: Option<&'a str>,
    /// The addresses of this machine's interfaces; `None` of a root that is not the running system's, whose
    /// addresses nobody knows.
    pub addresses: Option<&'a BTreeSet<IpAddr>>,
}

/// The outcome of [`verify_host`].
#[derive(Debug, Serialize)]
pub struct HostCheck {
    /// What is wrong, sorted by path, then by id; empty when all is well.
    pub findings: Vec<Finding>,
    /// What is installed; `None` when nothing that can be believed is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<Summary>,
    /// How many files of the manifest were checked.
    pub files: usize,
}

/// What a host's manifest says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The host's name.
    pub host: String,
    /// The cluster's name.
    pub cluster: String,
    /// The cluster's id.
    pub cluster_id: String,
    /// The revision.
    pub revision: Revision,
    /// SHA-256 of the manifest, lower-case hex.
    pub manifest: String,
    /// Until when the bundle is valid, seconds since 1970.
    #[serde(skip)]
    pub valid_until: Option<i64>,
}

impl Summary {
    /// That of a manifest with this digest.
    fn of(manifest: &Manifest, sha256: &str) -> Self {
        Self {
            host: manifest.host.name.clone(),
            cluster: manifest.cluster.name.clone(),
            cluster_id: manifest.cluster.id.clone(),
            revision: manifest.revision,
            manifest: sha256.to_owned(),
            valid_until: unix_time(&manifest.valid_until),
        }
    }
}

/// Checks everything that a manifest says about a host, and reports all differences at once.
///
/// A record whose signature does not hold is not believed: then nothing else is looked at. Nor is it while
/// there is the journal of an install that did not end.
pub fn verify_host(root: &Root, options: &Options<'_>) -> HostCheck {
    let mut findings = match interrupted::check(root) {
        // What else differs is half of one revision and half of another.
        Some(Told::Alone(finding)) => {
            return HostCheck { findings: vec![finding], installed: None, files: 0 };
        }
        Some(Told::Beside(finding)) => vec![finding],
        None => Vec::new(),
    };
    let remembered = remembered::manifest(root, options, &mut findings);
    if let Some((manifest, sha256)) = &remembered {
        let (digests, kept) = files::check(root, manifest, options, &mut findings);
        findings.extend(directories::check(root, manifest));
        findings.extend(parents::check(root, manifest));
        findings.extend(interrupted::leftovers(root, manifest));
        findings.extend(sealifts_own::check(root, manifest, sha256, &digests));
        findings.extend(units::check(root, manifest, &kept));
    }
    HostCheck {
        findings: sorted(findings),
        installed: remembered.as_ref().map(|(manifest, sha256)| Summary::of(manifest, sha256)),
        files: remembered.as_ref().map_or(0, |(manifest, _)| manifest.files.len()),
    }
}
