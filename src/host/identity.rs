//! Whether this bundle belongs on this machine, now.

use super::{InstallError, Options};
use crate::bundle::manifest::{Manifest, Revision};
use crate::bundle::open::Verified;
use crate::check::certificates::{bundle_validity, carries_certificates, inspect};
use crate::check::record::{self, INSTALLED, Installed, Memory};
use crate::finding::{Finding, Id};
use crate::rootfs::Root;
use std::cmp::Ordering;

/// The revision installed before, and what speaks against the bundle.
pub(super) fn check(
    root: &Root,
    bundle: &Verified,
    options: &Options<'_>,
) -> Result<(Option<Revision>, Vec<Finding>), InstallError> {
    let mut findings = Vec::new();
    let previous = match record::recall(root)? {
        // an install that was interrupted, or a record that somebody removed: what lies beside it
        // is still no newer than this bundle
        Memory::Nothing => {
            let floor = record::stored(root)?;
            findings.extend(floor.and_then(|floor| contradiction(&floor, bundle, options.allow_rollback)));
            None
        }
        Memory::Damaged => {
            let mend = "find out who changed it; --force installs as if nothing had been";
            let damaged =
                Finding::new(Id::RecordMismatch, INSTALLED, mend).expected("a record that install wrote");
            findings.extend((!options.force).then_some(damaged));
            None
        }
        Memory::Installed(installed) => {
            findings.extend(contradiction(&installed, bundle, options.allow_rollback));
            Some(installed.revision)
        }
    };
    findings.extend(other_machine(root, bundle.manifest(), options)?);
    findings.extend(other_id(root, bundle.manifest(), options)?);
    findings.extend(expired(bundle, options));
    findings.extend(not_begun(bundle, options));
    Ok((previous, findings))
}

fn contradiction(installed: &Installed, bundle: &Verified, allow_rollback: bool) -> Option<Finding> {
    let new = Installed::of(bundle);
    let of = |id, mend: &str, expected: &str, found: &str| {
        Some(Finding::new(id, INSTALLED, mend).expected(expected).found(found))
    };
    if new.cluster != installed.cluster {
        let mend = "take this cluster's bundle; to reuse the machine in another cluster, reset it and remove /var/lib/sealift";
        return of(Id::WrongCluster, mend, &installed.cluster, &new.cluster);
    }
    if new.host != installed.host {
        let mend = "take this host's bundle; to reuse the machine as another host, reset it and remove /var/lib/sealift";
        return of(Id::WrongHost, mend, &installed.host, &new.host);
    }
    if allow_rollback {
        return None;
    }
    match new.revision.cmp(&installed.revision) {
        Ordering::Greater => None,
        Ordering::Equal if new.manifest == installed.manifest => None,
        Ordering::Equal => {
            let mend = "raise the revision in the spec and build again, or install with --allow-rollback";
            of(Id::RevisionReused, mend, &installed.manifest, &new.manifest)
        }
        Ordering::Less => {
            let mend = "install a newer bundle, or go back with --allow-rollback";
            let at_least = format!("at least {}", installed.revision);
            of(Id::RevisionOlder, mend, &at_least, &new.revision.to_string())
        }
    }
}

fn other_machine(
    root: &Root,
    manifest: &Manifest,
    options: &Options<'_>,
) -> Result<Option<Finding>, InstallError> {
    if options.force {
        return Ok(None);
    }
    let of =
        |mend: &str| Finding::new(Id::WrongHost, "/etc/hostname", mend).found(manifest.host.name.as_str());
    if manifest.host.name == record::OPERATOR {
        let mend = "unpack the operators' bundle elsewhere with --root DIR, or insist with --force";
        let is_machine = root.is_system() || record::hostname(root)?.is_some();
        return Ok(is_machine.then(|| of(mend).expected("a host's bundle")));
    }
    let name = record::machine_name(root, options.hostname.as_deref())?;
    Ok(name.filter(|name| !record::is_host(&manifest.host.name, name)).map(|name| {
        of("take this machine's bundle, correct its name, or insist with --force")
            .expected(format!("a bundle for {}", name.escape_debug()))
    }))
}

/// A bundle that names its machine goes onto no other. A root without an id is an image, or a machine
/// before its first boot: verify tells when the id that it gets is another.
fn other_id(
    root: &Root,
    manifest: &Manifest,
    options: &Options<'_>,
) -> Result<Option<Finding>, InstallError> {
    let Some(wanted) = manifest.host.machine_id.as_deref().filter(|_| !options.force) else {
        return Ok(None);
    };
    let found = record::machine_id(root)?.filter(|id| !matches!(id.as_str(), "" | "uninitialized"));
    Ok(found.filter(|id| id != wanted).map(|id| {
        let mend = "take this machine's bundle, correct `machineId` in the spec, or insist with --force";
        Finding::new(Id::WrongHost, record::MACHINE_ID, mend)
            .expected(id.escape_debug().to_string())
            .found(wanted)
    }))
}

/// Certificates that begin later: what is restarted with them would fail until then.
fn not_begun(bundle: &Verified, options: &Options<'_>) -> Vec<Finding> {
    if options.allow_expired {
        return Vec::new();
    }
    let public = bundle.manifest().files.iter().filter(|file| !file.sealed);
    let texts = public.filter_map(|file| Some((bundle.place(&file.path), bundle.contents(&file.path)?)));
    let certificates = texts.filter(|(_, bytes)| carries_certificates(bytes));
    let all = certificates.flat_map(|(place, bytes)| inspect(bytes, &place, options.now, None));
    let mend = "install it when they have begun, check this machine's clock, or use --allow-expired";
    all.filter(|finding| finding.id == Id::CertificateNotYetValid)
        .map(|finding| Finding { mend: mend.to_owned(), ..finding })
        .collect()
}

fn expired(bundle: &Verified, options: &Options<'_>) -> Option<Finding> {
    if options.allow_expired {
        return None;
    }
    let finding = bundle_validity(bundle.valid_until(), bundle.name(), options.now, None)?;
    let mend = "build with a later `cluster.epoch`, check this machine's clock, or use --allow-expired";
    Some(Finding { mend: mend.to_owned(), ..finding })
}
