//! What becomes of an install that was interrupted: it is taken back, or, when all of it was done,
//! cleaned up.
//!
//! Each step tells by what is on the disk how far it is, so this may itself be interrupted anywhere and
//! be done again. What somebody wrote in the meantime stays. A running install that fails is taken back
//! in the same way.

use super::{InstallError, journal, lock};
use crate::bundle::manifest::Revision;
use crate::check::journal::{Found, JOURNAL, Journal, Phase, Step, read};
use crate::check::obstacles;
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Dir, Root, WalkError, split};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// What an install found of one before it that was interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// The revision that was being installed; none when it had not come so far as to say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// What became of it, or, for a dry run, would.
    pub outcome: Outcome,
}

/// What becomes of an interrupted install.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was taken back: the host is what it was before.
    TakenBack,
    /// All of it was done; what it had left was removed.
    Finished,
}

/// Ends an install that was interrupted, if one was; a dry run only says so.
///
/// `force` gives up what cannot be taken back, because somebody removed what was kept of it.
pub fn recover(root: &Root, dry_run: bool, force: bool) -> Result<Option<Recovered>, InstallError> {
    match lock::existing(root)? {
        Some(_lock) => locked(root, dry_run, force),
        None => Ok(None),
    }
}

/// The same, for who has the lock.
pub(super) fn locked(root: &Root, dry_run: bool, force: bool) -> Result<Option<Recovered>, InstallError> {
    let found = match read(root)? {
        Found::Nothing => return Ok(None),
        Found::Damaged(why) => return Err(InstallError::refused(vec![obstacles::damaged_journal(why)])),
        Found::Begun => None,
        Found::Interrupted(journal) => Some(journal),
    };
    let outcome = match &found {
        Some(Journal { phase: Phase::Committed, .. }) => Outcome::Finished,
        _ => Outcome::TakenBack,
    };
    let recovered = Recovered { revision: found.as_ref().map(|journal| journal.revision), outcome };
    if dry_run {
        return Ok(Some(recovered));
    }
    if let Some(journal) = &found {
        let lost = lost(root, journal)?;
        if !lost.is_empty() && !force {
            return Err(InstallError::refused(lost));
        }
        end(root, journal)?;
    } else {
        journal::remove(root)?;
    }
    Ok(Some(recovered))
}

/// Takes an install back, or, when it is committed, cleans up behind it; the journal goes last.
pub(super) fn end(root: &Root, journal: &Journal) -> Result<(), InstallError> {
    if journal.phase == Phase::Placing {
        take_back(root, journal)?;
    }
    clean(root, journal)?;
    if journal.phase != Phase::Committed {
        unmake(root, journal)?;
    }
    Ok(journal::remove(root)?)
}

/// The directories that a journal's steps are in, opened once; none where they are gone.
struct Places<'a> {
    root: &'a Root,
    beside: BTreeMap<&'a str, &'a str>,
    open: BTreeMap<&'a str, Option<Place>>,
}

/// A directory, and the staging directory in it.
type Place = (Dir, Option<Dir>);
/// The same, and a file's name.
type Named<'a> = (Dir, Option<Dir>, &'a str);

impl<'a> Places<'a> {
    fn new(root: &'a Root, journal: &'a Journal) -> Self {
        Self { root, beside: journal.beside(), open: BTreeMap::new() }
    }

    /// The directory of a file, the staging directory in it, and the file's name.
    fn of(&mut self, path: &'a str) -> Result<Option<Named<'a>>, WalkError> {
        let (above, name) = split(path)?;
        if !self.open.contains_key(above) {
            let directory = there(self.root.directory(above))?;
            let staged = self.beside.get(above).zip(directory.as_ref());
            let staged = match staged {
                Some((name, directory)) => there(directory.enter(name))?,
                None => None,
            };
            self.open.insert(above, directory.map(|directory| (directory, staged)));
        }
        let found = self.open.get(above).cloned().flatten();
        Ok(found.map(|(directory, staged)| (directory, staged, name)))
    }
}

fn there<T>(result: Result<T, WalkError>) -> Result<Option<T>, WalkError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes all steps back, the last first, and none before one that cannot be: a manifest that stays needs
/// the keys that it names.
fn take_back(root: &Root, journal: &Journal) -> Result<(), InstallError> {
    let mut places = Places::new(root, journal);
    let mut steps = journal.steps.iter().enumerate().rev();
    let failed = steps.find_map(|(number, step)| {
        let error = undo(&mut places, number, step).err()?;
        Some(InstallError::HalfDone { paths: vec![step.path().to_owned()], source: Box::new(error.into()) })
    });
    let open = places.open.values().flatten();
    let synced = open.map(|(directory, _)| directory.sync()).fold(Ok(()), Result::and);
    match failed {
        Some(failed) => Err(failed),
        None => Ok(synced?),
    }
}

fn undo<'a>(places: &mut Places<'a>, number: usize, step: &'a Step) -> Result<(), WalkError> {
    let path = step.path();
    if let Step::Set { before, .. } = step {
        let Some(directory) = there(places.root.directory(path))? else { return Ok(()) };
        let before = Attributes::from(*before);
        if Attributes::of(&directory.own_metadata()?) != before {
            directory.set(before)?;
        }
        return directory.sync();
    }
    let Some((directory, Some(staged), name)) = places.of(path)? else { return Ok(()) };
    let (new, old) = (Journal::new_name(number), Journal::old_name(number));
    let now = there(directory.metadata(name))?;
    match step {
        Step::Set { .. } => Ok(()),
        Step::Create { new: mark, .. } => {
            // While the new file is not in its place, what is there is another's.
            let consumed = there(staged.metadata(&new))?.is_none();
            match now {
                Some(now) if consumed && mark.is(&now) => directory.unlink(name),
                _ => Ok(()),
            }
        }
        Step::Replace { new: mark, .. } => {
            if now.is_some_and(|now| !mark.is(&now)) {
                return Ok(());
            }
            if there(staged.metadata(&old))?.is_some() {
                return staged.rename(&old, &directory, name);
            }
            // Exchanged: what was replaced has the new one's name.
            match there(staged.metadata(&new))? {
                Some(found) if !mark.is(&found) => staged.rename(&new, &directory, name),
                _ => Ok(()),
            }
        }
        Step::Remove { .. } => match (now, there(staged.metadata(&old))?) {
            (None, Some(_)) => staged.rename(&old, &directory, name),
            _ => Ok(()),
        },
    }
}

/// Files that were replaced, and of which nothing was kept.
fn lost(root: &Root, journal: &Journal) -> Result<Vec<Finding>, InstallError> {
    let mut findings = Vec::new();
    if journal.phase != Phase::Placing {
        return Ok(findings);
    }
    let mut places = Places::new(root, journal);
    for (number, step) in journal.steps.iter().enumerate() {
        let Step::Replace { path, new: mark } = step else { continue };
        let Some((directory, staged, name)) = places.of(path)? else { continue };
        let is_new = there(directory.metadata(name))?.is_some_and(|now| mark.is(&now));
        let kept = match &staged {
            Some(staged) => {
                there(staged.metadata(&Journal::old_name(number)))?.is_some()
                    || there(staged.metadata(&Journal::new_name(number)))?.is_some()
            }
            None => false,
        };
        if is_new && !kept {
            findings.push(
                Finding::new(
                    Id::Interrupted,
                    path.as_str(),
                    "put it back yourself, or give it up with `sealift install --force`",
                )
                .expected("what was there before, kept in a staging directory")
                .found("the new file, and nothing kept"),
            );
        }
    }
    Ok(findings)
}

/// Removes the staging directories.
fn clean(root: &Root, journal: &Journal) -> Result<(), InstallError> {
    let (mut changed, mut foreign) = (Vec::new(), Vec::new());
    for path in &journal.staging {
        let (above, name) = split(path)?;
        let Some(directory) = there(root.directory(above))? else { continue };
        if there(directory.metadata(name))?.is_some() {
            foreign.extend(remove_staging(&directory, name)?);
        }
        changed.push(directory);
    }
    // Gone for good before the journal is.
    changed.iter().try_for_each(Dir::sync)?;
    if foreign.is_empty() { Ok(()) } else { Err(InstallError::refused(foreign)) }
}

/// Removes one staging directory, with what steps have in it; what somebody else put there stays, and so
/// does the directory.
pub(super) fn remove_staging(directory: &Dir, name: &str) -> Result<Vec<Finding>, WalkError> {
    let staged = directory.enter(name)?;
    let (ours, foreign): (Vec<_>, Vec<_>) =
        staged.list()?.into_iter().partition(|entry| Journal::is_of_a_step(&entry.name));
    for entry in ours {
        staged.unlink(&entry.name)?;
    }
    if foreign.is_empty() {
        directory.remove_directory(name)?;
    }
    let mend = "move it out of the way, or remove it, and run again";
    let told = foreign.into_iter().map(|entry| {
        Finding::new(Id::Interrupted, staged.at(&entry.name), mend)
            .expected("nothing but what install stages")
            .found(entry.kind.name())
    });
    Ok(told.collect())
}

/// Removes the directories that were made, where nobody put anything into them.
fn unmake(root: &Root, journal: &Journal) -> Result<(), InstallError> {
    for path in journal.made.iter().rev() {
        let (above, name) = split(path)?;
        let Some(directory) = there(root.directory(above))? else { continue };
        match there(directory.metadata(name))? {
            None => continue,
            Some(_) => match directory.remove_directory(name) {
                Err(WalkError::Io { source, .. }) if source.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                other => other?,
            },
        }
        directory.sync()?;
    }
    Ok(())
}

/// The journal's path, for errors.
pub(super) fn unfinished(cause: InstallError) -> InstallError {
    InstallError::HalfDone { paths: vec![JOURNAL.to_owned()], source: Box::new(cause) }
}
