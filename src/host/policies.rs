//! Files that are not simply what the bundle holds: those that a component rewrites, those that are
//! needed once, and blocks in files that are not ours.

use super::before::Before;
use super::blocks;
use super::wanted::{Contents, Wanted};
use super::{InstallError, Options};
use crate::bundle::manifest::{Fields, Policy};
use crate::bundle::open::Verified;
use crate::check::{fields, obstacles, record};
use crate::finding::{Finding, Id};
use crate::rootfs::{Root, WalkError};
use zeroize::Zeroizing;

const MEND: &str =
    "find out who changed it; then move it out of the way and run again, or replace it with --force";

/// What the host shall hold of each file, and what speaks against it.
pub(super) fn settle<'a>(
    root: &Root,
    bundle: &Verified,
    before: &Before,
    options: &Options<'_>,
    wanted: Vec<Wanted<'a>>,
) -> Result<(Vec<Wanted<'a>>, Vec<Finding>), InstallError> {
    let settle = Settle { root, bundle, before, force: options.force };
    let (mut settled, mut findings) = (Vec::new(), Vec::new());
    for mut file in wanted {
        let listed = bundle.file(file.path);
        match listed.map(|listed| (listed.policy, &listed.fields)) {
            // Placed by this very bundle, and removed by somebody who was done with it.
            Some((Policy::Bootstrap, _)) if before.is_complete(bundle) && is_absent(root, file.path)? => {
                continue;
            }
            Some((Policy::Initial, Some(fields))) => match settle.initial(&file, fields)? {
                Decision::Place => {}
                Decision::Keep(bytes) => {
                    file.contents = Contents::Secret(bytes);
                    file.kept = true;
                }
                Decision::Refuse(more) => findings.extend(more),
            },
            Some((Policy::Block, _)) => findings.extend(blocks::place(root, before, &mut file)?),
            _ => {}
        }
        settled.push(file);
    }
    Ok((settled, findings))
}

fn is_absent(root: &Root, path: &str) -> Result<bool, InstallError> {
    match root.metadata(path) {
        Err(error @ WalkError::Io { .. }) => Err(error.into()),
        other => Ok(other.is_err_and(|error| error.is_not_found())),
    }
}

struct Settle<'s> {
    root: &'s Root,
    bundle: &'s Verified,
    before: &'s Before,
    force: bool,
}

/// What becomes of an initial file.
enum Decision {
    /// The host shall hold what the bundle does.
    Place,
    /// The host's own contents stay.
    Keep(Zeroizing<Vec<u8>>),
    Refuse(Vec<Finding>),
}

impl Settle<'_> {
    fn initial(&self, wanted: &Wanted<'_>, fields: &Fields) -> Result<Decision, InstallError> {
        let bytes = match record::contents(self.root, wanted.path) {
            Ok(Some(bytes)) => bytes,
            Err(error @ WalkError::Io { .. }) => return Err(error.into()),
            Err(error @ WalkError::Changed { .. }) => {
                return Ok(Decision::Refuse(vec![obstacles::finding(&error)]));
            }
            Err(WalkError::TooLarge { .. }) if !self.force => {
                return Ok(Decision::Refuse(fields::findings(
                    Id::InitialDiffers,
                    wanted.path,
                    fields::too_large(),
                    MEND,
                )));
            }
            // Not there; or in the way, which is told with all else that is.
            Ok(None) | Err(_) => return Ok(Decision::Place),
        };
        let earlier = self.before.file(wanted.path);
        if bytes.as_slice() == wanted.contents.bytes()
            || earlier.is_some_and(|earlier| self.before.placed(earlier, &bytes))
        {
            return Ok(Decision::Place);
        }
        let soon = |path: &str, link| self.soon(path, link);
        let differences = fields::differences(fields, &bytes, &soon);
        if differences.is_empty() {
            return Ok(Decision::Keep(bytes));
        }
        // Nobody but a component changed it since: the difference is this revision's.
        let now = |path: &str, link| fields::on_host(self.root, path, link);
        let held = |earlier: &Fields| fields::differences(earlier, &bytes, &now).is_empty();
        if self.force || earlier.and_then(|earlier| earlier.fields.as_ref()).is_some_and(held) {
            return Ok(Decision::Place);
        }
        Ok(Decision::Refuse(fields::findings(Id::InitialDiffers, wanted.path, differences, MEND)))
    }

    /// A file that the checked one names, as it will be after this install.
    fn soon(&self, path: &str, link: bool) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let managed = self.bundle.file(path).filter(|file| file.policy == Policy::Managed && !file.sealed);
        match managed.and_then(|_| self.bundle.contents(path)) {
            Some(bytes) => Ok(Some(Zeroizing::new(bytes.to_vec()))),
            None => fields::on_host(self.root, path, link),
        }
    }
}
