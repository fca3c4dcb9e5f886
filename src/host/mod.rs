//! Install: the only writer of a host.
//!
//! All checks come first. Then everything is staged in private directories beside its place, and
//! only when the last byte is on the disk do files take their places by rename, in an order that
//! never shows a reader a manifest before the keys it names. A journal says beforehand what is done:
//! a failure takes it back, and what a power cut left, the next install takes back.

mod apply;
mod before;
mod blocks;
mod compare;
mod error;
mod generations;
mod identity;
mod journal;
mod lock;
mod paths;
mod placing;
mod policies;
mod preview;
mod recovery;
mod removals;
mod report;
mod steps;
mod wanted;

#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;

pub use error::InstallError;
pub use preview::{Preview, Withheld};
pub use recovery::{Outcome, Recovered, recover};
pub use report::{Action, Change, Report};

use crate::bundle::open::Verified;
use crate::finding::{Finding, Id};
use crate::rootfs::Root;
use crate::unseal::Identities;
use before::Before;

/// What the caller asks for, one field per flag of the command line.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)]
pub struct Options<'a> {
    /// Only report what would change.
    pub dry_run: bool,
    /// Accept a lower revision, or the installed one with other contents.
    pub allow_rollback: bool,
    /// Accept a machine of another name, a damaged record, and the loss of files that somebody
    /// changed and an earlier revision placed, or that are initial and differ in their fields; accept
    /// the operators' bundle on `/`.
    pub force: bool,
    /// Accept a bundle past its `validUntil`, and certificates that begin later.
    pub allow_expired: bool,
    /// The Unix time in seconds.
    pub now: i64,
    /// The machine's name, used when the root has no `/etc/hostname`; without either, the bundle's
    /// host is not compared.
    pub hostname: Option<String>,
    /// A trust file to place at `/etc/sealift/trust`.
    pub trust_text: Option<&'a [u8]>,
    /// The bundle as it was read, which stays on the host when its manifest says so.
    pub archive: &'a [u8],
    /// Whether this is the way back to the bundle that the host kept.
    pub rollback: bool,
}

/// Makes a root hold what a bundle says, or changes nothing and says why.
///
/// Installing what is installed touches no file; where the host drifted, it repairs. An install that
/// was interrupted is ended first, as by [`recover`], also when this one is then refused.
pub fn install(
    root: &Root,
    bundle: &Verified,
    identities: &Identities,
    options: &Options<'_>,
) -> Result<Report, InstallError> {
    let lock = lock::existing(root)?;
    let recovered = match &lock {
        Some(_) => recovery::locked(root, options.dry_run, options.force)?,
        None => None,
    };
    let (previous, mut findings) = identity::check(root, bundle, options)?;
    findings.extend(paths::check(root, bundle.manifest())?);
    // Another host's secrets do not open here; that would only be told twice.
    let elsewhere = |finding: &Finding| matches!(finding.id, Id::WrongHost | Id::WrongCluster);
    let before = Before::read(root)?;
    let kept = generations::keep(root, bundle, &before, options)?;
    let files = if findings.iter().any(elsewhere) {
        Vec::new()
    } else {
        let (files, more) = wanted::files(root, bundle, identities, options.trust_text);
        findings.extend(more);
        let (mut files, more) = policies::settle(root, bundle, &before, options, files)?;
        findings.extend(more);
        files.extend(kept.files);
        // stable: the order within a phase stays
        files.sort_by_key(|file| file.phase);
        files
    };
    let (mut removals, more) = removals::find(root, bundle.manifest(), &before, options.force)?;
    removals.extend(kept.removals);
    findings.extend(more);
    if !findings.is_empty() {
        return Err(InstallError::refused(findings));
    }

    let directories = compare::directories(root, bundle.manifest())?;
    let files = compare::files(root, files)?;
    let mut report =
        report::of(bundle.manifest(), before.manifest(), previous, &directories, &files, &removals);
    report.recovered = recovered;
    if options.dry_run {
        preview::add(root, &before, &files, &removals, &mut report)?;
    } else {
        apply::apply(root, lock, bundle.manifest(), &directories, &files, &removals)?;
    }
    Ok(report)
}
