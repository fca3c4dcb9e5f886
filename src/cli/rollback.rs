//! `sealift rollback`: back to the bundle that the host kept.

use super::args::Rollback;
use super::failure::Failure;
use super::install::{Placing, open_root, recover};
use super::output::Output;
use super::world;
use crate::check::obstacles;
use crate::check::record::{self, PREVIOUS};
use crate::finding::{Finding, Id};
use crate::host::Options;
use crate::rootfs::Root;
use std::path::Path;

pub(super) fn run(arguments: &Rollback, output: &mut Output<'_>) -> Result<u8, Failure> {
    let root = open_root(&arguments.host.root)?;
    let trusted = world::trust(arguments.host.trust.file.as_deref(), &arguments.host.root)?;
    let placing = Placing {
        command: "rollback",
        bundle: Path::new(PREVIOUS),
        bytes: &[],
        root: &arguments.host.root,
        trusted: &trusted,
        identities: &arguments.host.identities,
    };
    let options = Options {
        dry_run: arguments.host.dry_run,
        force: arguments.force,
        allow_expired: arguments.allow_expired,
        // the way back is one on purpose
        allow_rollback: true,
        rollback: true,
        ..placing.options(&root)
    };
    // before the kept bundle is read: an install that was interrupted may have moved it
    let recovered = match recover(&root, &options, output) {
        Ok(recovered) => recovered,
        Err(error) => return placing.failed(None, error, options.dry_run, output),
    };
    match kept(&root) {
        Ok(bytes) => {
            let options = Options { archive: &bytes, ..options };
            Placing { bytes: &bytes, ..placing }.place(&root, recovered, &options, output)
        }
        Err(finding) => {
            let findings = std::slice::from_ref(&finding);
            Ok(placing.refused(recovered.as_ref(), findings, options.dry_run, output))
        }
    }
}

/// The bundle that was installed before, where what is installed allows to go back to it.
fn kept(root: &Root) -> Result<Vec<u8>, Finding> {
    let unreadable = |error| obstacles::finding(&error);
    let Some(installed) = record::stored_manifest(root).map_err(unreadable)? else {
        let mend = "install this host's bundle with `sealift install`";
        return Err(Finding::new(Id::NotInstalled, record::INSTALLED, mend));
    };
    if !installed.keep_previous {
        let mend = "install the earlier bundle itself: `sealift install BUNDLE --allow-rollback`; set `keepPrevious` in the spec for the next time";
        return Err(Finding::new(Id::RollbackNotAllowed, record::MANIFEST, mend)
            .expected("`keepPrevious`")
            .found("a manifest without it"));
    }
    let archive = record::kept(root, PREVIOUS).map_err(unreadable)?;
    archive.map(|bytes| bytes.to_vec()).ok_or_else(|| {
        let mend = "install the earlier bundle itself: `sealift install BUNDLE --allow-rollback`";
        Finding::new(Id::RollbackUnavailable, PREVIOUS, mend)
    })
}
