//! The files that a spec names: authorities that were made elsewhere, and manifests.

use super::build::derive_failure;
use super::failure::Failure;
use super::world::{self, SpecFile, cannot_be_read};
use crate::derive::Cluster;
use crate::derive::keyring::Keyring;
use crate::imports::{Files, Imports, IssuedFiles, KeyFile, Read, Source, manifests, sources};
use crate::spec::{Loaded, Problem};
use crate::unseal::{Identities, UnsealError, is_age_file};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// No certificate or key is larger.
const LIMIT: u64 = 1024 * 1024;

/// No file of manifests is larger.
const MANIFEST_LIMIT: u64 = 8 * 1024 * 1024;

/// Reads what a spec names, from the directory in which the spec lies.
pub(super) fn read(loaded: &Loaded, directory: &Path) -> (Imports, Vec<Problem>) {
    let all = sources(&loaded.spec).into_iter().filter(|source| !loaded.left_out(source.path.as_str()));
    let files = all.map(|source| {
        let files = files(&source, directory);
        (source, files)
    });
    let (mut imports, mut problems) = Imports::read(files.collect(), loaded.spec.cluster.epoch.unix());
    let named = manifests(&loaded.spec).into_iter().filter(|(at, _)| !loaded.left_out(at.as_str()));
    let read = named.map(|(at, file)| {
        let bytes = world::regular(&directory.join(file), MANIFEST_LIMIT).map(|bytes| bytes.to_vec());
        (at, file, bytes)
    });
    problems.extend(imports.add_manifests(read.collect()));
    (imports, problems)
}

fn files(source: &Source<'_>, directory: &Path) -> Files {
    Files {
        certificate: public(&directory.join(source.certificate)),
        key: source.key.map(|key| match world::regular(&directory.join(key), LIMIT) {
            Ok(bytes) if is_age_file(&bytes) => KeyFile::Sealed(bytes.to_vec()),
            Ok(bytes) => KeyFile::Open(bytes),
            Err(reason) => KeyFile::Unreadable(reason),
        }),
        issued: source.issued.map(|issued| issued_files(&directory.join(issued))),
    }
}

fn public(path: &Path) -> Read {
    world::regular(path, LIMIT).map(|bytes| bytes.to_vec())
}

/// What lies in a directory and in those directly in it. The requests may lie beside the certificates.
fn issued_files(directory: &Path) -> IssuedFiles {
    let mut all = BTreeMap::new();
    for (name, is_directory) in entries(directory).map_err(|error| cannot_be_read(&error))? {
        if !is_directory {
            all.insert(name.clone(), public(&directory.join(&name)));
            continue;
        }
        let inner = directory.join(&name);
        for (file, _) in entries(&inner).map_err(|error| format!("{name} {}", cannot_be_read(&error)))? {
            all.insert(format!("{name}/{file}"), public(&inner.join(&file)));
        }
    }
    all.retain(|name, _| !name.contains('/') || name.strip_suffix(".csr").is_none());
    Ok(all)
}

/// Names, and whether they are directories.
fn entries(directory: &Path) -> io::Result<Vec<(String, bool)>> {
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        let is_directory = fs::metadata(entry.path()).is_ok_and(|found| found.is_dir());
        Ok((entry.file_name().to_string_lossy().into_owned(), is_directory))
    };
    fs::read_dir(directory)?.map(entry).collect()
}

/// Opens encrypted keys, and compares what external authorities signed with the keys of the seed.
pub(super) fn open(
    spec: &mut SpecFile,
    identities: &Identities,
    keyring: &Keyring,
) -> Result<Vec<Problem>, Failure> {
    let mut problems = spec.imports.open_keys(|sealed| {
        identities.open(sealed).map_err(|error| match error {
            UnsealError::NoMatch => "none of the identities opens it".to_owned(),
            _ => "it is not an intact age file".to_owned(),
        })
    });
    if spec.imports.has_issued() {
        problems.extend(public_keys(spec, keyring)?);
    }
    Ok(problems)
}

fn public_keys(spec: &SpecFile, keyring: &Keyring) -> Result<Vec<Problem>, Failure> {
    let (plan, imports) = (&spec.plan, &spec.imports);
    let cluster =
        Cluster::new(&plan.cluster, keyring, imports.material()).map_err(|error| derive_failure(&error))?;
    let mut derived: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for host in plan.hosts.values().chain([&plan.operator]) {
        for request in cluster.requests(host).map_err(|error| derive_failure(&error))? {
            derived.entry(request.ca).or_default().push((host.name.clone(), request.id, request.spki));
        }
    }
    Ok(derived.iter().flat_map(|(ca, keys)| imports.check_public_keys(*ca, keys)).collect())
}
