//! The bundles that a host keeps so that it can go back: the installed one and the one before.

use super::before::Before;
use super::removals::Removal;
use super::wanted::{Base, Contents, Phase, Wanted};
use super::{InstallError, Options};
use crate::bundle::manifest::{File, Policy};
use crate::bundle::open::Verified;
use crate::check::record::{self, BUNDLE, FILE_MODE, PREVIOUS};
use crate::rootfs::{Attributes, Root, WalkError};
use zeroize::Zeroizing;

/// What becomes of the kept bundles.
#[derive(Default)]
pub(super) struct Kept<'a> {
    pub(super) files: Vec<Wanted<'a>>,
    pub(super) removals: Vec<Removal>,
}

/// Keeps this bundle and the one that is installed, or neither where the manifest does not say so. The
/// way back leaves nothing to go back to: what it came from was given up.
pub(super) fn keep<'a>(
    root: &Root,
    bundle: &Verified,
    before: &Before,
    options: &Options<'a>,
) -> Result<Kept<'a>, InstallError> {
    if options.rollback && read(root, PREVIOUS)?.is_none_or(|kept| kept.as_slice() != options.archive) {
        // another install was faster
        return Err(WalkError::Changed { at: PREVIOUS.to_owned() }.into());
    }
    let mut kept = Kept::default();
    let own = |path, contents| Wanted {
        path,
        contents,
        attributes: Attributes::on(root, FILE_MODE, 0, 0),
        phase: Phase::Record,
        kept: false,
        base: Base::Bundle,
    };
    if bundle.manifest().keep_previous {
        kept.files.push(own(BUNDLE, Contents::Public(options.archive)));
        if before.is_complete(bundle) {
            return Ok(kept);
        }
        let installed = if options.rollback { None } else { read(root, BUNDLE)? };
        // what is not the installed bundle is no way back
        match installed.filter(|bytes| before.is_of(record::manifest_of(bytes).as_deref())) {
            Some(bytes) => kept.files.push(own(PREVIOUS, Contents::Own(bytes))),
            None => kept.removals.extend(gone(root, PREVIOUS)?),
        }
    } else {
        kept.removals.extend(gone(root, BUNDLE)?);
        kept.removals.extend(gone(root, PREVIOUS)?);
    }
    Ok(kept)
}

/// A kept bundle; none when there is no such file.
fn read(root: &Root, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, InstallError> {
    record::kept(root, path).map_err(InstallError::from)
}

fn gone(root: &Root, path: &str) -> Result<Option<Removal>, InstallError> {
    match root.metadata(path) {
        Ok(_) => Ok(Some(Removal { file: own(path), rest: None })),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// As a manifest would list it, if it could.
fn own(path: &str) -> File {
    File {
        path: path.to_owned(),
        mode: format!("{FILE_MODE:04o}"),
        uid: 0,
        gid: 0,
        policy: Policy::Managed,
        fields: None,
        size: 0,
        sha256: String::new(),
        sealed: false,
        hmac: None,
        certificate: None,
        origin: None,
        inputs: None,
        restart: Vec::new(),
        run: Vec::new(),
    }
}
