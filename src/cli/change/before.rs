//! The output of the build before.

use crate::bundle::index::{BundleRef, INDEX, Index};
use crate::bundle::open::{Verified, open};
use crate::bundle::trust::Trust;
use crate::cli::failure::{Failure, USAGE};
use crate::cli::world;
use std::path::Path;

/// An index with the bundles that it lists.
pub(super) struct Before<'a> {
    directory: &'a Path,
    pub(super) index: Index,
    trust: Trust,
}

impl<'a> Before<'a> {
    pub(super) fn read(directory: &'a Path) -> Result<Self, Failure> {
        let index = world::read(&directory.join(INDEX))
            .map_err(|error| error.hint(format!("{} must be the output of a build", directory.display())))?;
        let index = Index::parse(&index).map_err(|error| {
            Failure::from_error(USAGE, &error)
                .hint(format!("{} is not the output of a build", directory.display()))
        })?;
        // comparing needs integrity only: whose build this was is what `verify` says
        let trust = world::read(&directory.join("trust"))?;
        let trust = Trust::parse(&String::from_utf8_lossy(&trust))
            .map_err(|error| Failure::from_error(USAGE, &error))?;
        Ok(Self { directory, index, trust })
    }

    pub(super) fn entry(&self, host: &str) -> Option<&BundleRef> {
        self.index.bundles.iter().find(|entry| entry.host == host)
    }

    pub(super) fn bundle(&self, host: &str) -> Result<Option<Verified>, Failure> {
        let Some(entry) = self.entry(host) else { return Ok(None) };
        let path = self.directory.join(&entry.file);
        let name = path.display().to_string();
        open(&world::read(&path)?, &name, &self.trust, 0).map(Some).map_err(|findings| {
            let ids: Vec<_> = findings.iter().map(|finding| finding.id.name()).collect();
            Failure::new(USAGE, format!("{name} is damaged: {}", ids.join(", "))).hint("see `sealift verify`")
        })
    }
}
