//! Steps that can be taken back.

use super::InstallError;
use super::wanted::Base;
use crate::rootfs::{Attributes, Dir, Root, WalkError, split};
use std::collections::BTreeMap;

/// How one step is taken back.
enum Undo {
    /// Remove a file, if it is still there.
    Unlink { directory: Dir, name: String },
    /// Give a file its name back.
    Rename { directory: Dir, from: String, to: String },
    /// Remove a directory that was made.
    RemoveDirectory { parent: Dir, name: String },
    /// Give a directory its owner and mode back.
    Set { directory: Dir, before: Attributes },
}

/// A file that is whole under a temporary name.
pub(super) struct Staged {
    directory: Dir,
    temporary: String,
    name: String,
    /// A second name of the file that stands in its place now.
    kept: Option<String>,
    /// What its contents were made from.
    base: Base,
}

/// What stands where a file is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Free,
    /// A file that is replaced.
    Taken,
    /// The same file, of which only the contents change: extended attributes stay.
    Same,
}

/// A row of steps in a root, each of which can be taken back.
pub(super) struct Transaction<'r> {
    root: &'r Root,
    steps: Vec<Undo>,
    open: BTreeMap<String, Dir>,
    touched: BTreeMap<String, Dir>,
    obsolete: Vec<(Dir, String)>,
}

impl<'r> Transaction<'r> {
    pub(super) fn new(root: &'r Root) -> Self {
        let (steps, obsolete) = (Vec::new(), Vec::new());
        Self { root, steps, open: BTreeMap::new(), touched: BTreeMap::new(), obsolete }
    }

    /// The directory at a path, made if it is not there, as are those above it, with 0755.
    pub(super) fn directory(&mut self, path: &str) -> Result<Dir, WalkError> {
        if let Some(directory) = self.open.get(path) {
            return Ok(directory.clone());
        }
        let directory = match self.root.directory(path) {
            Err(WalkError::NotFound { .. }) => self.make(path, Attributes::on(self.root, 0o755, 0, 0))?,
            other => other?,
        };
        self.open.insert(path.to_owned(), directory.clone());
        Ok(directory)
    }

    /// Makes a directory.
    pub(super) fn make(&mut self, path: &str, attributes: Attributes) -> Result<Dir, WalkError> {
        let (above, name) = split(path)?;
        let parent = self.directory(above)?;
        let made = parent.make(name, attributes)?;
        self.touched.insert(above.to_owned(), parent.clone());
        self.steps.push(Undo::RemoveDirectory { parent, name: name.to_owned() });
        self.open.insert(path.to_owned(), made.clone());
        Ok(made)
    }

    /// Sets a directory's owner and mode.
    pub(super) fn set(&mut self, path: &str, attributes: Attributes) -> Result<(), WalkError> {
        let directory = self.directory(path)?;
        let before = Attributes::of(&directory.own_metadata()?);
        self.steps.push(Undo::Set { directory: directory.clone(), before });
        directory.set(attributes)
    }

    /// Writes a file beside its target, and gives what it will replace a second name.
    pub(super) fn stage(
        &mut self,
        path: &str,
        contents: &[u8],
        attributes: Attributes,
        place: Place,
        base: Base,
    ) -> Result<Staged, WalkError> {
        let (above, name) = split(path)?;
        let directory = self.directory(above)?;
        let temporary = match place {
            Place::Same => directory.stage_anew(name, contents, attributes)?,
            Place::Free | Place::Taken => directory.stage(contents, attributes)?,
        };
        self.steps.push(Undo::Unlink { directory: directory.clone(), name: temporary.clone() });
        let kept = if place == Place::Free { None } else { Some(directory.keep(name)?) };
        if let Some(kept) = &kept {
            self.steps.push(Undo::Unlink { directory: directory.clone(), name: kept.clone() });
        }
        Ok(Staged { directory, temporary, name: name.to_owned(), kept, base })
    }

    /// Puts a staged file in its place, unless what it was made from has changed since.
    pub(super) fn place(&mut self, path: &str, staged: Staged) -> Result<(), WalkError> {
        let Staged { directory, temporary, name, kept, base } = staged;
        base.check(self.root, path)?;
        directory.rename(&temporary, &name)?;
        self.touch(path, &directory);
        self.steps.push(match &kept {
            Some(kept) => Undo::Rename { directory: directory.clone(), from: kept.clone(), to: name },
            None => Undo::Unlink { directory: directory.clone(), name },
        });
        self.obsolete.extend(kept.map(|kept| (directory, kept)));
        Ok(())
    }

    /// Takes a file out of its place.
    pub(super) fn remove(&mut self, path: &str) -> Result<(), WalkError> {
        let (above, name) = split(path)?;
        let directory = self.root.directory(above)?;
        let kept = directory.set_aside(name)?;
        self.touch(path, &directory);
        let (from, to) = (kept.clone(), name.to_owned());
        self.steps.push(Undo::Rename { directory: directory.clone(), from, to });
        self.obsolete.push((directory, kept));
        Ok(())
    }

    fn touch(&mut self, path: &str, directory: &Dir) {
        if let Ok((above, _)) = split(path) {
            self.touched.insert(above.to_owned(), directory.clone());
        }
    }

    /// Forces all that was placed so far to the disk.
    pub(super) fn sync(&mut self) -> Result<(), WalkError> {
        while let Some((_, directory)) = self.touched.pop_first() {
            directory.sync()?;
        }
        Ok(())
    }

    /// Drops what was replaced and removed. From here on nothing can be taken back.
    pub(super) fn finish(self) -> Result<(), InstallError> {
        let mut left = Vec::new();
        let mut cause = None;
        for (directory, name) in &self.obsolete {
            if let Err(error) = directory.unlink(name) {
                left.push(directory.at(name));
                cause.get_or_insert(error);
            }
        }
        cause.map_or(Ok(()), |cause| {
            Err(InstallError::HalfDone { paths: left, source: Box::new(cause.into()) })
        })
    }

    /// Takes all steps back, the last first.
    pub(super) fn undo(self, cause: InstallError) -> InstallError {
        let failed: Vec<String> =
            self.steps.into_iter().rev().filter_map(|step| step.take_back().err()).collect();
        if failed.is_empty() {
            cause
        } else {
            InstallError::HalfDone { paths: failed, source: Box::new(cause) }
        }
    }
}

impl Undo {
    /// The path that could not be put back, on failure.
    fn take_back(self) -> Result<(), String> {
        let (path, outcome) = match self {
            Self::Unlink { directory, name } => {
                // Gone when the file took its place, or its old place.
                let gone = directory.metadata(&name).is_err_and(|error| error.is_not_found());
                (directory.at(&name), if gone { Ok(()) } else { directory.unlink(&name) })
            }
            Self::Rename { directory, from, to } => (directory.at(&to), directory.rename(&from, &to)),
            Self::RemoveDirectory { parent, name } => (parent.at(&name), parent.remove_directory(&name)),
            Self::Set { directory, before } => (directory.own_path().to_owned(), directory.set(before)),
        };
        outcome.map_err(|_| path)
    }
}
