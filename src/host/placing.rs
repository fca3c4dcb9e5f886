//! Staging files, and putting them in their places.

use super::InstallError;
use super::steps::{Change, Over, Plan, Step};
use super::wanted::Phase;
use crate::check::journal::{self, Journal, Mark, Owned};
use crate::rootfs::{Attributes, Dir, Root, WalkError, split};
use std::collections::BTreeMap;

/// The directories of a plan, each with its staging directory.
pub(super) struct Staged<'a> {
    open: BTreeMap<&'a str, (Dir, Dir)>,
    /// Of each step, whether what it replaces has a second name.
    kept: Vec<bool>,
}

impl<'a> Staged<'a> {
    /// Makes directories and staging directories, writes all files, and forces them to the disk. The
    /// journal gets its steps.
    pub(super) fn prepare(root: &Root, plan: &Plan<'a>, journal: &mut Journal) -> Result<Self, InstallError> {
        for (path, attributes) in &plan.made {
            let (above, name) = split(path)?;
            let parent = root.directory(above)?;
            drop(parent.make(name, *attributes)?);
            parent.sync()?;
        }
        let mut staged = Self { open: BTreeMap::new(), kept: Vec::new() };
        let beside = journal.beside();
        for directory in &plan.changed {
            let Some(name) = beside.get(directory) else { continue };
            let open = root.directory(directory)?;
            let staging = open.make_private(name)?;
            staged.open.insert(*directory, (open, staging));
        }
        let mut steps = Vec::new();
        for (number, step) in plan.steps.iter().enumerate() {
            let (noted, kept) = staged.stage(root, number, step)?;
            steps.push(noted);
            staged.kept.push(kept);
        }
        for (directory, staging) in staged.open.values() {
            staging.sync()?;
            directory.sync()?;
        }
        journal.steps = steps;
        Ok(staged)
    }

    fn of(&self, path: &'a str) -> Result<(&Dir, &Dir, &'a str), WalkError> {
        let (above, name) = split(path)?;
        match self.open.get(above) {
            Some((directory, staging)) => Ok((directory, staging, name)),
            None => Err(WalkError::NotFound { at: above.to_owned() }),
        }
    }

    /// Writes the file of one step, and gives what it replaces a second name where that can be.
    fn stage(
        &self,
        root: &Root,
        number: usize,
        step: &Step<'a>,
    ) -> Result<(journal::Step, bool), InstallError> {
        let path = step.path.to_owned();
        Ok(match &step.change {
            Change::Set { before, .. } => (journal::Step::Set { path, before: *before }, false),
            Change::Remove => (journal::Step::Remove { path }, false),
            Change::Place { contents, attributes, base, over } => {
                base.check(root, step.path)?;
                let (directory, staging, name) = self.of(step.path)?;
                let like = (*over == Over::Itself).then_some((directory, name));
                let new = Journal::new_name(number);
                let mark = Mark::of(&staging.write_new(&new, contents, *attributes, like)?);
                if *over == Over::Nothing {
                    (journal::Step::Create { path, new: mark }, false)
                } else {
                    let kept = directory.keep(name, staging, &Journal::old_name(number))?;
                    (journal::Step::Replace { path, new: mark }, kept)
                }
            }
        })
    }

    /// Goes through the steps; each phase is on the disk before the next begins.
    pub(super) fn place(&self, root: &Root, plan: &Plan<'a>) -> Result<(), InstallError> {
        let mut touched = BTreeMap::new();
        let mut now: Option<Phase> = None;
        for (number, step) in plan.steps.iter().enumerate() {
            if now.replace(step.phase).is_some_and(|before| before != step.phase) {
                sync(&mut touched)?;
            }
            let changed = self.step(root, number, step)?;
            touched.insert(changed.own_path().to_owned(), changed);
        }
        Ok(sync(&mut touched)?)
    }

    /// Takes one step; the directory that it changed.
    fn step(&self, root: &Root, number: usize, step: &Step<'a>) -> Result<Dir, WalkError> {
        match &step.change {
            Change::Set { attributes, before } => {
                let directory = root.directory(step.path)?;
                if Owned::from(Attributes::of(&directory.own_metadata()?)) != *before {
                    return Err(WalkError::Changed { at: step.path.to_owned() });
                }
                directory.set(*attributes)?;
                Ok(directory)
            }
            Change::Remove => {
                let (directory, staging, name) = self.of(step.path)?;
                directory.set_aside(name, staging, &Journal::old_name(number))?;
                Ok(directory.clone())
            }
            Change::Place { base, over, .. } => {
                // Unless what it was made from has changed since.
                base.check(root, step.path)?;
                let (directory, staging, name) = self.of(step.path)?;
                let (new, old) = (Journal::new_name(number), Journal::old_name(number));
                let kept = self.kept.get(number).is_some_and(|kept| *kept);
                if *over == Over::Nothing {
                    staging.place_anew(&new, directory, name)?;
                } else if kept {
                    staging.rename(&new, directory, name)?;
                } else if staging.exchange(&new, directory, name)? {
                    staging.rename(&new, staging, &old)?;
                } else {
                    // Neither second names nor exchange: for a moment there is no file.
                    directory.set_aside(name, staging, &old)?;
                    staging.rename(&new, directory, name)?;
                }
                Ok(directory.clone())
            }
        }
    }
}

fn sync(touched: &mut BTreeMap<String, Dir>) -> Result<(), WalkError> {
    while let Some((_, directory)) = touched.pop_first() {
        directory.sync()?;
    }
    Ok(())
}
