//! The output directory of a build: staged beside its place, published by one rename.

use super::failure::{Failure, MACHINE, USAGE};
use super::world;
use crate::bundle::index::{BUNDLE_SUFFIX, BundleRef, INDEX, Index};
use crate::bundle::{INDEX_NAMESPACE, SIGNATURE, SUMS, sshsig, sums};
use crate::derive::Cluster;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What the output directory holds from the build before.
pub(super) struct Previous {
    directory: PathBuf,
    index: Option<Index>,
}

impl Previous {
    /// Reads what is there. An index is believed only when this cluster's own key signed it.
    pub(super) fn read(directory: &Path, cluster_id: &str, cluster: &Cluster<'_>) -> Result<Self, Failure> {
        refuse_foreign(directory)?;
        let read = |name: &str| fs::read(directory.join(name)).ok();
        let index = (|| {
            let (json, list, signature) = (read(INDEX)?, read(SUMS)?, read(SIGNATURE)?);
            let key = sshsig::verify(&signature, INDEX_NAMESPACE, &list).ok()?;
            let own = key == cluster.signer().key().verifying_key().to_bytes();
            let index = Index::parse(&json).ok()?;
            let same =
                sums::write(&index.sums(&json)).ok()?.as_bytes() == list && index.cluster.id == cluster_id;
            (own && same).then_some(index)
        })();
        Ok(Self { directory: directory.to_path_buf(), index })
    }

    /// The bundle of a host.
    pub(super) fn entry(&self, host: &str) -> Option<&BundleRef> {
        self.index.as_ref()?.bundles.iter().find(|bundle| bundle.host == host)
    }
}

/// Publishing replaces the whole directory: what is not a build's must not be lost.
fn refuse_foreign(directory: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Failure::new(USAGE, format!("{} is not a directory", directory.display()))
                .hint("name another place with -o, or move that file"));
        }
        Err(error) => return Err(world::unreadable(directory, &error)),
    };
    for entry in entries {
        let name = entry.map_err(|error| world::unreadable(directory, &error))?.file_name();
        let name = name.to_string_lossy();
        let ours = [INDEX, SUMS, SIGNATURE, "trust"].contains(&name.as_ref());
        if !ours && !name.ends_with(BUNDLE_SUFFIX) {
            return Err(Failure::new(
                USAGE,
                format!("{} holds {name}, which no build makes", directory.display()),
            )
            .hint("a build replaces the whole directory: name another one with -o, or move that file"));
        }
    }
    Ok(())
}

/// A directory beside the output that becomes it, or vanishes.
pub(super) struct Staged {
    path: PathBuf,
}

impl Staged {
    pub(super) fn new(out: &Path) -> Result<Self, Failure> {
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|error| world::unwritable(parent, &error))?;
        let name = out
            .file_name()
            .ok_or_else(|| Failure::new(USAGE, format!("{} cannot be an output directory", out.display())))?;
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::new(MACHINE, format!("no randomness from the system: {error}")))?;
        let path = parent.join(format!(".{}.{}", name.to_string_lossy(), hex::encode(random)));
        fs::create_dir(&path).map_err(|error| world::unwritable(out, &error))?;
        Ok(Self { path })
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(name);
        let write = || {
            let mut file = fs::File::create_new(&path)?;
            file.write_all(bytes)
        };
        write().map_err(|error| world::unwritable(&path, &error))
    }

    /// Takes over a bundle of the build before, if it is still what the index says.
    pub(super) fn keep(&self, previous: &Previous, entry: &BundleRef) -> Result<bool, Failure> {
        let old = previous.directory.join(&entry.file);
        let Ok(bytes) = fs::read(&old) else { return Ok(false) };
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
    }
}
