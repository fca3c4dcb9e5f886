//! Which files make a unit, in the order in which they are read (systemd's `unit-file.c`, `dropin.c`).

use super::environment;
use super::name::{LOAD_PATH, drop_in_directories, is_drop_in, unit_type};
use super::syntax::{self, UnitFile};
use super::tree::{self, Held};
use crate::rootfs::{Entry, Kind, Root, WalkError};
use std::collections::{BTreeMap, BTreeSet};

/// The most drop-ins of one unit, and the most entries of a directory of drop-ins.
const MOST_DROP_INS: usize = 1024;
/// The most aliases in a row (systemd's `FOLLOW_MAX`).
const MOST_HOPS: usize = 8;

/// The load path of a tree, looked at once.
pub struct LoadPath<'a> {
    root: &'a Root,
    held: Contents<'a>,
    /// Of each directory of [`LOAD_PATH`] that is there: the names below it.
    directories: Vec<Directory>,
}

#[derive(Debug)]
struct Directory {
    path: &'static str,
    entries: BTreeMap<String, Kind>,
    /// Links between units: where each leads, as text.
    links: BTreeMap<String, String>,
}

/// The contents of files that were read already, by path without links: they are not opened again, so that
/// what was hashed is what is parsed.
pub type Contents<'a> = &'a dyn Fn(&str) -> Option<&'a [u8]>;

/// What stands for a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// The file that the unit's name leads to; none when only drop-ins are there.
    pub fragment: Option<Part>,
    /// Its drop-ins, in the order in which they are read.
    pub drop_ins: Vec<Part>,
    /// Drop-ins that are not read, each with the one of the same name that stands in its place.
    pub hidden: BTreeMap<String, String>,
}

/// One file of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it stands in the load path; a link's own path.
    pub path: String,
    /// What it says; none of a mask.
    pub file: Option<UnitFile>,
}

/// Why a unit cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or directory cannot be read.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// More than a unit ever has.
    #[error("{at}: more than {MOST_DROP_INS} entries")]
    TooMany {
        /// The directory.
        at: String,
    },
    /// A drop-in's name is not plain text, so that it cannot be read here; systemd does read it.
    #[error("{at}: a name that is not plain text")]
    Name {
        /// The drop-in.
        at: String,
    },
}

impl<'a> LoadPath<'a> {
    /// Lists the load path of a tree. Directories that are not there are no error.
    pub fn read(root: &'a Root, held: Contents<'a>) -> Result<LoadPath<'a>, LoadError> {
        let mut directories = Vec::new();
        for path in LOAD_PATH {
            // where /lib is a link to /usr/lib, one directory of the two is enough
            let open = if path.starts_with("/lib/") {
                root.directory(path).ok()
            } else {
                tree::directory(root, path)?
            };
            let Some(open) = open else { continue };
            let mut directory = Directory { path, entries: BTreeMap::new(), links: BTreeMap::new() };
            for Entry { name, kind } in open.list()? {
                if kind == Kind::Symlink && unit_type(&name).is_some() {
                    match open.link_target(&name) {
                        Ok(target) => {
                            directory.links.insert(name.clone(), tree::lexical(path, &target));
                        }
                        // it leads to no text, so to no unit
                        Err(WalkError::Symlink { .. } | WalkError::NotAFile { .. }) => {}
                        Err(error) if error.is_not_found() => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
                directory.entries.insert(name, kind);
            }
            directories.push(directory);
        }
        Ok(LoadPath { root, held, directories })
    }

    /// The path of the file or link that a unit's name stands for: the first on the load path.
    pub fn entry(&self, name: &str) -> Option<String> {
        let directory = self.first(name)?;
        Some(format!("{}/{name}", directory.path))
    }

    /// Whether the file that a unit's name stands for hides no other of that name.
    pub fn is_alone(&self, name: &str) -> bool {
        self.directories.iter().filter(|directory| directory.entries.contains_key(name)).count() == 1
    }

    fn first(&self, name: &str) -> Option<&Directory> {
        let is = |directory: &&Directory| match directory.entries.get(name) {
            None | Some(Kind::Directory) => false,
            Some(Kind::Symlink) => directory.alias(name).is_none_or(|alias| alias.is_ok()),
            Some(_) => true,
        };
        self.directories.iter().find(is)
    }

    /// Where the links between units lead from a name: itself, when it is no alias.
    fn id(&self, name: &str) -> Option<String> {
        let mut name = name.to_owned();
        for _ in 0..MOST_HOPS {
            match self.first(&name).and_then(|directory| directory.alias(&name)) {
                Some(Ok(next)) => next.clone_into(&mut name),
                _ => return Some(name),
            }
        }
        None
    }

    /// A unit's files. `name` may be an alias.
    pub fn unit(&self, name: &str) -> Result<Unit, LoadError> {
        let id = self.id(name).unwrap_or_else(|| name.to_owned());
        let fragment = match self.entry(&id) {
            Some(path) => self.part(path)?,
            None => None,
        };
        let (chosen, hidden) = self.drop_ins(&id)?;
        let mut drop_ins = Vec::new();
        for path in chosen {
            drop_ins.extend(self.part(path)?);
        }
        Ok(Unit { fragment, drop_ins, hidden })
    }

    /// The names that a file of variables sets; none when it cannot be read.
    pub fn variables(&self, path: &str) -> Option<BTreeSet<String>> {
        match tree::read(self.root, self.held, path).ok()? {
            Held::Nothing | Held::Mask | Held::Directory => Some(BTreeSet::new()),
            Held::File(bytes) => Some(environment::names(&bytes)),
        }
    }

    fn part(&self, path: String) -> Result<Option<Part>, LoadError> {
        Ok(match tree::read(self.root, self.held, &path)? {
            Held::Nothing | Held::Directory => None,
            Held::Mask => Some(Part { path, file: None }),
            Held::File(bytes) => Some(Part { path, file: Some(syntax::read(&bytes)) }),
        })
    }

    /// All names of a unit: its id first, then its aliases.
    fn names(&self, id: &str) -> Vec<String> {
        let all: BTreeSet<&String> = self.directories.iter().flat_map(|it| it.links.keys()).collect();
        let aliases = all.into_iter().filter(|name| *name != id && self.id(name).as_deref() == Some(id));
        std::iter::once(id.to_owned()).chain(aliases.cloned()).collect()
    }

    /// The drop-ins that are read, in order, and those that others hide.
    fn drop_ins(&self, id: &str) -> Result<(Vec<String>, BTreeMap<String, String>), LoadError> {
        let mut directories = Vec::new();
        for name in self.names(id) {
            for parent in &self.directories {
                directories.extend(drop_in_directories(&name).into_iter().map(|below| (parent, below)));
            }
        }
        let of_type = unit_type(id).map(|kind| format!("{kind}.d"));
        directories.extend(
            of_type.iter().flat_map(|below| self.directories.iter().map(|parent| (parent, below.clone()))),
        );
        let mut chosen: BTreeMap<String, String> = BTreeMap::new();
        let mut hidden = BTreeMap::new();
        for (parent, below) in directories {
            if !matches!(parent.entries.get(&below), Some(Kind::Directory | Kind::Symlink)) {
                continue;
            }
            let at = format!("{}/{below}", parent.path);
            let entries = tree::list(self.root, &at)?;
            if entries.len() + chosen.len() > MOST_DROP_INS {
                return Err(LoadError::TooMany { at });
            }
            for Entry { name, .. } in entries.into_iter().filter(|entry| is_drop_in(&entry.name)) {
                let path = format!("{at}/{name}");
                if name.contains('\\') {
                    return Err(LoadError::Name { at: path });
                }
                match chosen.get(&name) {
                    Some(first) => {
                        hidden.extend((*first != path).then(|| (path, first.clone())));
                    }
                    None => {
                        chosen.insert(name, path);
                    }
                }
            }
        }
        Ok((chosen.into_values().collect(), hidden))
    }
}

impl Directory {
    /// The unit that a link in here is another name of; an error when it can be none, and is not read;
    /// none of what is no link, or one to a file elsewhere.
    fn alias(&self, name: &str) -> Option<Result<&str, ()>> {
        let target = self.links.get(name)?;
        let (parent, unit) = target.rsplit_once('/')?;
        if !LOAD_PATH.contains(&parent) || unit == name {
            return None;
        }
        Some(if unit_type(unit).is_some_and(|kind| unit_type(name) == Some(kind)) {
            Ok(unit)
        } else {
            Err(())
        })
    }
}
