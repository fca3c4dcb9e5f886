//! What an install will do, in its order: pairs of keys and certificates, all else that others read
//! when they start, manifests that name it, what goes, sealift's lists, the record.

use super::InstallError;
use super::compare::{DirectoryChange, FileChange};
use super::removals::Removal;
use super::report::Action;
use super::wanted::{Base, Phase};
use crate::bundle::manifest::Manifest;
use crate::check::journal::{FORMAT, Journal, Owned, Phase as Progress};
use crate::rootfs::{Attributes, Root, WalkError, split, temporary_name};
use std::collections::{BTreeMap, BTreeSet};

/// One step.
pub(super) struct Step<'a> {
    pub(super) path: &'a str,
    pub(super) phase: Phase,
    pub(super) change: Change<'a>,
}

/// What a step changes.
pub(super) enum Change<'a> {
    /// Mode and owner of a directory.
    Set { before: Owned, attributes: Attributes },
    /// A file that is placed.
    Place { contents: &'a [u8], attributes: Attributes, base: Base, over: Over },
    /// A file that goes.
    Remove,
}

/// What stands where a file is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Nothing.
    Nothing,
    /// A file that is replaced.
    Another,
    /// The same file, of which only the contents change: extended attributes stay.
    Itself,
}

/// All that an install will do.
pub(super) struct Plan<'a> {
    /// Directories that are made, those above first.
    pub(super) made: BTreeMap<&'a str, Attributes>,
    /// Directories of files that change.
    pub(super) changed: BTreeSet<&'a str>,
    pub(super) steps: Vec<Step<'a>>,
}

impl<'a> Plan<'a> {
    /// What these changes take; reads only. The record's directory is there.
    pub(super) fn new(
        root: &Root,
        directories: &'a [DirectoryChange<'_>],
        files: &'a [FileChange<'_>],
        removals: &'a [Removal],
    ) -> Result<Self, InstallError> {
        let mut plan = Self { made: BTreeMap::new(), changed: BTreeSet::new(), steps: Vec::new() };
        for directory in directories {
            plan.directory(root, directory)?;
        }
        let changed = || files.iter().filter(|file| file.action != Action::Unchanged);
        plan.steps.extend(changed().filter(|file| file.wanted.phase < Phase::Lists).map(place));
        for removal in removals.iter().filter(|removal| removal.rest.is_some()) {
            plan.steps.extend(rest(removal));
        }
        for removal in removals.iter().filter(|removal| removal.rest.is_none()) {
            let path = removal.file.path.as_str();
            plan.steps.push(Step { path, phase: Phase::Gone, change: Change::Remove });
        }
        plan.steps.extend(changed().filter(|file| file.wanted.phase >= Phase::Lists).map(place));
        let beside = plan.steps.iter().filter(|step| !matches!(step.change, Change::Set { .. }));
        for path in beside.map(|step| step.path).collect::<Vec<_>>() {
            let (above, _) = split(path)?;
            plan.make(root, above, Attributes::on(root, 0o755, 0, 0))?;
            plan.changed.insert(above);
        }
        Ok(plan)
    }

    fn directory(&mut self, root: &Root, directory: &'a DirectoryChange<'_>) -> Result<(), InstallError> {
        let (path, attributes) = (directory.path, directory.attributes);
        if directory.action == Action::Unchanged {
            return Ok(());
        }
        match root.directory(path) {
            // Also one that was made since it was compared: the record's, and those above it.
            Ok(open) => {
                let before = Attributes::of(&open.own_metadata()?);
                if before != attributes || !open.own_extras()?.is_empty() {
                    let change = Change::Set { before: before.into(), attributes };
                    self.steps.push(Step { path, phase: Phase::Directories, change });
                }
            }
            Err(WalkError::NotFound { .. }) => {
                self.made.insert(path, attributes);
                self.make(root, split(path)?.0, Attributes::on(root, 0o755, 0, 0))?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Lists a directory, and those above it, if they are not there.
    fn make(&mut self, root: &Root, path: &'a str, attributes: Attributes) -> Result<(), InstallError> {
        let mut path = path;
        while path != "/" && !self.made.contains_key(path) {
            match root.directory(path) {
                Ok(_) => break,
                Err(WalkError::NotFound { .. }) => self.made.insert(path, attributes),
                Err(error) => return Err(error.into()),
            };
            path = split(path)?.0;
        }
        Ok(())
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.made.is_empty() && self.steps.is_empty()
    }

    /// Its journal, before anything is done.
    pub(super) fn journal(&self, manifest: &Manifest) -> Result<Journal, InstallError> {
        let beside = |directory: &&str| {
            let name = temporary_name().map_err(|source| WalkError::Io {
                doing: "choose a temporary name in",
                at: (*directory).to_owned(),
                source,
            })?;
            let directory = if *directory == "/" { "" } else { directory };
            Ok(format!("{directory}/{name}"))
        };
        let staging: Result<_, WalkError> = self.changed.iter().map(beside).collect();
        Ok(Journal {
            format: FORMAT,
            host: manifest.host.name.clone(),
            revision: manifest.revision,
            phase: Progress::Staging,
            made: self.made.keys().map(|path| (*path).to_owned()).collect(),
            staging: staging?,
            steps: Vec::new(),
        })
    }
}

fn place<'a>(file: &'a FileChange<'_>) -> Step<'a> {
    let wanted = &file.wanted;
    let over = match (file.action, wanted.base) {
        (Action::Created, _) => Over::Nothing,
        (_, Base::File(_)) => Over::Itself,
        _ => Over::Another,
    };
    let (attributes, base) = (wanted.attributes, wanted.base);
    let change = Change::Place { contents: wanted.contents.bytes(), attributes, base, over };
    Step { path: wanted.path, phase: wanted.phase, change }
}

/// The file that loses its block.
fn rest(removal: &Removal) -> Option<Step<'_>> {
    let rest = removal.rest.as_ref()?;
    let (contents, attributes, base) = (rest.bytes.as_slice(), rest.attributes, rest.base);
    let change = Change::Place { contents, attributes, base, over: Over::Itself };
    Some(Step { path: &removal.file.path, phase: Phase::Gone, change })
}
