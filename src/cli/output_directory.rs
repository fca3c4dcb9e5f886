//! The output directory of a build: staged beside its place, published by one rename.

use super::failure::{Failure, MACHINE, USAGE};
use super::world;
use crate::bundle::index::{BundleRef, INDEX, Index};
use crate::bundle::{INDEX_NAMESPACE, SIGNATURE, SUMS, sshsig, sums};
use crate::derive::Cluster;
use crate::plan::ClusterPlan;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What the output directory holds from the build before.
pub(super) struct Previous {
    directory: PathBuf,
    /// Whether there is anything at all.
    exists: bool,
    /// The index, when this cluster's own key signed it.
    index: Option<Index>,
}

impl Previous {
    /// Reads what is there. An index is believed only when this cluster's own key signed it.
    ///
    /// Publishing replaces the whole directory, so whatever no build of this cluster made is an error.
    pub(super) fn read(directory: &Path, plan: &ClusterPlan, cluster: &Cluster<'_>) -> Result<Self, Failure> {
        let names = names(directory)?;
        let mut previous =
            Self { directory: directory.to_path_buf(), exists: !names.is_empty(), index: None };
        if !previous.exists {
            return Ok(previous);
        }
        let json = previous.file(INDEX)?;
        let index = json.as_deref().and_then(|json| Index::parse(json).ok());
        let index = index.filter(|index| index.cluster.id == plan.id);
        refuse_foreign(directory, &names, index.as_ref())?;
        if let (Some(index), Some(json)) = (index, json)
            && index.cluster.name == plan.name
            && previous.is_own(&index, &json, cluster)?
        {
            previous.index = Some(index);
        }
        Ok(previous)
    }

    fn is_own(&self, index: &Index, json: &[u8], cluster: &Cluster<'_>) -> Result<bool, Failure> {
        let (Some(list), Some(signature)) = (self.file(SUMS)?, self.file(SIGNATURE)?) else {
            return Ok(false);
        };
        let own = cluster.signer().key().verifying_key().to_bytes();
        let signed = sshsig::verify(&signature, INDEX_NAMESPACE, &list).is_ok_and(|key| key == own);
        Ok(signed && sums::write(&index.sums(json)).is_ok_and(|text| text.as_bytes() == list))
    }

    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.directory.join(name);
        match world::read_bounded(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(world::unreadable(&path, &error)),
        }
    }

    /// The bundle of a host.
    pub(super) fn entry(&self, host: &str) -> Option<&BundleRef> {
        self.index.as_ref()?.bundles.iter().find(|bundle| bundle.host == host)
    }

    /// A host that shall stay as it is, and cannot: fails when there was a build that had it, or may
    /// have had it.
    pub(super) fn leave_out(&self, host: &str) -> Result<(), Failure> {
        let had = match &self.index {
            Some(_) => self.entry(host).is_some(),
            None => self.exists,
        };
        if !had {
            return Ok(());
        }
        let message =
            format!("{} does not hold a bundle of {host} that can be kept", self.directory.display());
        Err(Failure::new(USAGE, message).hint("build without --host, or name another directory with -o"))
    }
}

/// The directory's listing, sorted; empty when it is not there.
pub(super) fn names(directory: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: &io::Error| world::unreadable(directory, error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Failure::new(USAGE, format!("{} is not a directory", directory.display()))
                .hint("name another place with -o, or move that file"));
        }
        Err(error) => return Err(unreadable(&error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(|error| unreadable(&error))?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn refuse_foreign(directory: &Path, names: &[String], index: Option<&Index>) -> Result<(), Failure> {
    let listed =
        |name: &str| index.is_some_and(|index| index.bundles.iter().any(|bundle| bundle.file == name));
    let own = |name: &str| index.is_some() && [INDEX, SUMS, SIGNATURE, "trust"].contains(&name);
    let Some(foreign) = names.iter().find(|name| !own(name) && !listed(name)) else { return Ok(()) };
    let message = format!("{} holds {foreign}, which no build of this cluster made", directory.display());
    Err(Failure::new(USAGE, message)
        .hint("a build replaces the whole directory: name another one with -o, or move that file"))
}

/// A directory beside the output that becomes it, or vanishes.
pub(super) struct Staged {
    path: PathBuf,
    /// What it becomes; what errors name.
    out: PathBuf,
    /// Directories that were made to hold it, the innermost first.
    made: Vec<PathBuf>,
}

impl Staged {
    pub(super) fn new(out: &Path) -> Result<Self, Failure> {
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = out
            .file_name()
            .ok_or_else(|| Failure::new(USAGE, format!("{} cannot be an output directory", out.display())))?;
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::new(MACHINE, format!("no randomness from the system: {error}")))?;
        let path = parent.join(format!(".{}.{}", name.to_string_lossy(), hex::encode(random)));
        let missing = |ancestor: &&Path| !ancestor.as_os_str().is_empty() && !ancestor.exists();
        let made = parent.ancestors().take_while(missing).map(Path::to_path_buf).collect();
        let staged = Self { path, out: out.to_path_buf(), made };
        fs::create_dir_all(parent).map_err(|error| world::unwritable(parent, &error))?;
        fs::create_dir(&staged.path).map_err(|error| world::unwritable(out, &error))?;
        Ok(staged)
    }

    /// Makes a directory below it.
    pub(super) fn directory(&self, name: &str) -> Result<(), Failure> {
        fs::create_dir(self.path.join(name)).map_err(|error| world::unwritable(&self.out.join(name), &error))
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(name);
        let write = || {
            let mut file = fs::File::create_new(&path)?;
            file.write_all(bytes)
        };
        write().map_err(|error| world::unwritable(&self.out.join(name), &error))
    }

    /// Takes over a bundle of the build before, if it is still what the index says.
    pub(super) fn keep(&self, previous: &Previous, entry: &BundleRef) -> Result<bool, Failure> {
        let old = previous.directory.join(&entry.file);
        let Ok(bytes) = world::read_bounded(&old) else { return Ok(false) };
        if hex::encode(Sha256::digest(&bytes)) != entry.sha256 {
            return Ok(false);
        }
        if fs::hard_link(&old, self.path.join(&entry.file)).is_err() {
            self.write(&entry.file, &bytes)?;
        }
        Ok(true)
    }

    /// Takes the output's place, in one step where there is one already.
    pub(super) fn publish(self, out: &Path) -> Result<(), Failure> {
        let failed = |error: io::Error| world::unwritable(out, &error);
        match renameat_with(CWD, &self.path, CWD, out, RenameFlags::EXCHANGE) {
            // what was there before now has the staged name, and goes with it
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::NOENT) => fs::rename(&self.path, out).map_err(failed),
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                let aside = self.path.with_extension("old");
                fs::rename(out, &aside).map_err(failed)?;
                fs::rename(&self.path, out).map_err(|error| {
                    drop(fs::rename(&aside, out));
                    failed(error)
                })?;
                fs::remove_dir_all(&aside).map_err(failed)
            }
            Err(error) => Err(failed(error.into())),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
        // those that hold something by now stay
        for directory in &self.made {
            drop(fs::remove_dir(directory));
        }
    }
}
