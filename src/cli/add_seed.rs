//! `sealift init --add-seed`: one more seed in a cluster's keyring.

use super::args::Init;
use super::check::counted;
use super::failure::{Failure, MACHINE, USAGE};
use super::keyring::{self, encrypt, random};
use super::output::Output;
use super::world::{self, Issued};
use crate::derive::keyring::Keyring;
use rustix::fs::{CWD, FlockOperation, Gid, Mode, OFlags, Uid, fchmod, fchown, flock, openat};
use rustix::io::Errno;
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Added<'a> {
    command: &'static str,
    exit: u8,
    keyring: String,
    cluster: &'a str,
    /// The new seed's number.
    seed: u32,
    /// Its public id, as a build's index has it.
    seed_id: &'a str,
    /// How many operators of the spec may open the keyring now.
    operators: usize,
}

pub(super) fn run(arguments: &Init, output: &mut Output<'_>) -> Result<u8, Failure> {
    let directory = arguments.dir.clone().unwrap_or_default();
    let spec = world::spec(&directory.join("sealift.yaml"), Issued::NotYet)?;
    if !super::check::report(&spec, "init", output) {
        return Ok(USAGE);
    }
    let cluster = &spec.plan.cluster.id;
    let named = arguments.seed.clone().unwrap_or_else(|| directory.join(keyring::FILE));
    // a link stays a link: what it leads to is replaced
    let path = fs::canonicalize(&named).unwrap_or_else(|_| named.clone());
    let lock = Lock::of(&path, &named)?;
    let text = keyring::open(&named, &world::identities(&arguments.identities)?)?;
    let failed = |error| keyring::failure(&error).about(&named);
    Keyring::read(&text).and_then(|keyring| keyring.belongs_to(cluster)).map_err(failed)?;
    let (text, number) = Keyring::append(&text, &*random::<32>()?).map_err(failed)?;
    let id = Keyring::read(text.as_bytes()).and_then(|keyring| keyring.seed_id(number)).map_err(failed)?;
    let operators: Vec<_> = spec.loaded.spec.cluster.operators.iter().map(ToString::to_string).collect();
    let sealed = encrypt(&text, &operators)?;
    replace(&path, &sealed).map_err(|error| world::unwritable(&named, &error))?;
    drop(lock);
    output.json(&Added {
        command: "init",
        exit: 0,
        keyring: named.display().to_string(),
        cluster,
        seed: number,
        seed_id: &id,
        operators: operators.len(),
    });
    let (name, who) = (named.display(), counted(operators.len(), "operator"));
    output.good("added", format_args!("seed {number} to {name}, which opens for {who} of {} now", spec.name));
    output.line(format_args!("  its public id: {id}"));
    output.note(format_args!("next: keep copies of the new {name}; older copies have no seed {number}"));
    output.note(format_args!(
        "then: write `seed: {number}` at an item of {} to walk it over; CAs, the service-account key and the key at rest go through `rotation: stage`",
        spec.name
    ));
    Ok(0)
}

/// Held while the keyring is read and replaced, so that two runs do not give one number twice.
struct Lock {
    _directory: Option<OwnedFd>,
}

impl Lock {
    fn of(path: &Path, named: &Path) -> Result<Self, Failure> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // what cannot be opened is told better by who reads or writes there
        let Ok(directory) = openat(CWD, parent(path), flags, Mode::empty()) else {
            return Ok(Self { _directory: None });
        };
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                Err(Failure::new(MACHINE, format!("another sealift is changing {}", named.display()))
                    .hint("run again when it is done; nothing was changed"))
            }
            // some network file systems lock no directories
            _ => Ok(Self { _directory: Some(directory) }),
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file beside another, removed unless it took that one's place.
struct Beside(Option<PathBuf>);

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            drop(fs::remove_file(path));
        }
    }
}

/// Replaces a file whole or not at all, with its mode and its owner.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let old = fs::metadata(path)?;
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staged = path.with_file_name(format!(".{name}.{}", hex::encode(random)));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = fs::File::from(openat(CWD, &staged, flags, Mode::from_raw_mode(0o600))?);
    let mut beside = Beside(Some(staged.clone()));
    file.write_all(bytes)?;
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(&file, Some(Uid::from_raw(old.uid())), Some(Gid::from_raw(old.gid())))?;
    }
    fchmod(&file, Mode::from_raw_mode(old.mode() & 0o7777))?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    beside.0 = None;
    // the rename holds already; a directory that cannot be synced makes it no failure
    drop(fs::File::open(parent(path)).and_then(|directory| directory.sync_all()));
    Ok(())
}
