//! From the record on the host to a manifest that can be believed.

use super::{Options, machine};
use crate::bundle::manifest::{FORMAT, Manifest};
use crate::bundle::open::Verified;
use crate::bundle::{BUNDLE_NAMESPACE, canonical, consistency, sshsig, sums};
use crate::check::certificates::bundle_validity;
use crate::check::obstacles::{self, REINSTALL};
use crate::check::record::{self, Installed, Memory};
use crate::finding::{Finding, Id};
use crate::rootfs::Root;
use std::cmp::Ordering;

/// The manifest of the record and its digest, once its signature holds; what speaks against it goes
/// to `findings`.
pub(super) fn manifest(
    root: &Root,
    options: &Options<'_>,
    findings: &mut Vec<Finding>,
) -> Option<(Manifest, String)> {
    let installed = match record::recall(root) {
        Ok(Memory::Installed(installed)) => Some(installed),
        Ok(Memory::Damaged) => {
            findings.push(mismatch(record::INSTALLED, "a record that install wrote", "something else"));
            None
        }
        Ok(Memory::Nothing) => {
            let mend = "install this host's bundle with `sealift install`";
            findings.push(Finding::new(Id::NotInstalled, record::INSTALLED, mend));
            return None;
        }
        Err(error) => {
            findings.push(obstacles::finding(&error));
            return None;
        }
    };
    let (manifest, sha256) = authentic(root, options, findings)?;
    if let Some(installed) = installed {
        findings.extend(contradiction(&installed, &manifest, &sha256));
    }
    findings.extend(options.expected.and_then(|bundle| other_bundle(&manifest, &sha256, bundle)));
    findings.extend(machine::check(root, &manifest, options));
    findings.extend(validity(&manifest, options));
    Some((manifest, sha256))
}

/// The stored manifest and its digest, if a trusted key signed it.
fn authentic(root: &Root, options: &Options<'_>, findings: &mut Vec<Finding>) -> Option<(Manifest, String)> {
    let mut read = |path: &str, missing: Id| match record::contents(root, path) {
        Ok(Some(bytes)) => Some(bytes),
        Ok(None) => {
            findings.push(Finding::new(missing, path, REINSTALL));
            None
        }
        Err(error) => {
            findings.push(obstacles::finding(&error));
            None
        }
    };
    let stored = read(record::MANIFEST, Id::RecordMismatch);
    let listed = read(record::SUMS, Id::RecordMismatch);
    let signature = read(record::SIGNATURE, Id::SignatureMissing);
    let (stored, listed, signature) = (stored?, listed?, signature?);

    let key = match sshsig::verify(&signature, BUNDLE_NAMESPACE, &listed) {
        Ok(key) => key,
        Err(error) => {
            let mut finding = error.finding(record::SIGNATURE);
            REINSTALL.clone_into(&mut finding.mend);
            findings.push(finding);
            return None;
        }
    };
    let sha256 = sums::sha256_hex(&stored);
    let signed = sums::parse(&listed).ok().and_then(|lines| {
        lines.into_iter().find(|line| line.name == crate::bundle::MANIFEST).map(|line| line.sha256)
    });
    if signed.as_ref() != Some(&sha256) {
        let signed = signed.unwrap_or_else(|| "a digest of manifest.json".to_owned());
        findings.push(mismatch(record::MANIFEST, &signed, &sha256));
        return None;
    }
    let known = canonical::from_bytes(&stored)
        .ok()
        .filter(|manifest: &Manifest| manifest.format == FORMAT && consistency::check(manifest).is_empty());
    let Some(manifest) = known else {
        let mend = "verify with the sealift version that built this bundle";
        findings.push(
            Finding::new(Id::ManifestMalformed, record::MANIFEST, mend)
                .expected(format!("a consistent manifest of format {FORMAT}, in canonical JSON")),
        );
        return None;
    };
    let mend = "give the trust file that holds this cluster's signing key with --trust, or install a bundle signed by a trusted key";
    let cluster = manifest.cluster.id.as_str();
    let standing = options.trust.standing(Some(cluster), BUNDLE_NAMESPACE, &key, options.at);
    let expected = format!("a signing key of cluster {cluster}");
    match standing.finding(record::SIGNATURE, &expected, &key, mend) {
        None => Some((manifest, sha256)),
        Some(finding) => {
            findings.push(finding);
            None
        }
    }
}

fn mismatch(path: &str, expected: &str, found: &str) -> Finding {
    Finding::new(Id::RecordMismatch, path, REINSTALL).expected(expected).found(found)
}

fn contradiction(installed: &Installed, manifest: &Manifest, sha256: &str) -> Option<Finding> {
    let of_manifest = Installed {
        cluster: manifest.cluster.id.clone(),
        host: manifest.host.name.clone(),
        revision: manifest.revision,
        manifest: sha256.to_owned(),
    };
    let say = |it: &Installed| {
        format!(
            "cluster {}, host {}, revision {}, manifest {}",
            it.cluster, it.host, it.revision, it.manifest
        )
    };
    (*installed != of_manifest).then(|| mismatch(record::INSTALLED, &say(&of_manifest), &say(installed)))
}

/// What is installed against the bundle that should be.
fn other_bundle(manifest: &Manifest, sha256: &str, bundle: &Verified) -> Option<Finding> {
    let wanted = bundle.manifest();
    if bundle.manifest_sha256() == sha256 {
        return None;
    }
    let of = |id, mend: &str| Finding::new(id, record::MANIFEST, mend);
    let give = "give the bundle that belongs to this host";
    if wanted.cluster.id != manifest.cluster.id {
        let finding = of(Id::WrongCluster, give);
        return Some(finding.expected(wanted.cluster.id.as_str()).found(manifest.cluster.id.as_str()));
    }
    if wanted.host.name != manifest.host.name {
        let finding = of(Id::WrongHost, give);
        return Some(finding.expected(wanted.host.name.as_str()).found(manifest.host.name.as_str()));
    }
    let (id, mend) = match wanted.revision.cmp(&manifest.revision) {
        Ordering::Less => (Id::RevisionOlder, "give the bundle that was installed last; this one is older"),
        Ordering::Equal => (Id::RevisionReused, "raise the revision in the spec, build and install again"),
        Ordering::Greater => (Id::RecordMismatch, "run `sealift install` with this bundle; it is newer"),
    };
    let say = |revision, digest| format!("revision {revision}, manifest {digest}");
    let finding = of(id, mend).expected(say(wanted.revision, bundle.manifest_sha256()));
    Some(finding.found(say(manifest.revision, sha256)))
}

fn validity(manifest: &Manifest, options: &Options<'_>) -> Option<Finding> {
    let text = &manifest.valid_until;
    let Some(until) = consistency::unix_time(text) else {
        let finding = Finding::new(Id::ManifestInconsistent, record::MANIFEST, "build the bundle again");
        return Some(
            finding.expected("an RFC 3339 time in validUntil").found(text.escape_debug().to_string()),
        );
    };
    bundle_validity(until, record::MANIFEST, options.at, options.within)
}
