//! What stands on the host in the way of the bundle's paths.

use super::InstallError;
use crate::bundle::manifest::{Manifest, Policy};
use crate::check::{obstacles, record};
use crate::finding::{Finding, Id};
use crate::rootfs::{Kind, Root, WalkError};

/// Links, files where directories must be, and the other way round.
pub(super) fn check(root: &Root, manifest: &Manifest) -> Result<Vec<Finding>, InstallError> {
    let mut findings = Vec::new();
    let listed = manifest.files.iter().map(|file| file.path.as_str());
    for path in listed.filter(|path| record::is_own(path)) {
        let finding = Finding::new(Id::ManifestInconsistent, path, "build the bundle again");
        findings.push(finding.expected("no path that sealift writes itself"));
    }
    let directories = manifest.directories.iter().map(|directory| directory.path.as_str());
    for path in directories.chain([record::DIRECTORY]) {
        findings.extend(obstacle(root.directory(path).map(|_| Kind::Directory), path, Kind::Directory)?);
    }
    let own = [record::HOST_SUMS, record::TRUST];
    let remembered = [record::MANIFEST, record::SUMS, record::SIGNATURE, record::INSTALLED];
    let placed = manifest.files.iter().filter(|file| file.policy != Policy::Foreign);
    for path in placed.map(|file| file.path.as_str()).chain(own).chain(remembered) {
        findings.extend(obstacle(root.metadata(path).map(|metadata| metadata.kind), path, Kind::File)?);
    }
    Ok(findings)
}

fn obstacle(
    found: Result<Kind, WalkError>,
    path: &str,
    wanted: Kind,
) -> Result<Option<Finding>, InstallError> {
    match found {
        Ok(kind) if kind == wanted => Ok(None),
        Ok(kind) => Ok(Some(obstacles::wrong_type(path, wanted, kind))),
        Err(WalkError::NotFound { .. }) => Ok(None),
        Err(error @ WalkError::Io { .. }) => Err(error.into()),
        Err(error) => Ok(Some(obstacles::finding(&error))),
    }
}
