//! What an earlier install left, as far as its record can be read.

use super::InstallError;
use crate::bundle::manifest::{File, Manifest, Policy};
use crate::bundle::open::Verified;
use crate::bundle::sums::sha256_hex;
use crate::check::record::{self, Memory};
use crate::rootfs::{Root, WalkError};
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};

/// The manifest of the last install, and the key to its secrets' digests.
///
/// The record's signature is not judged: whoever can change it can change every file of the host.
pub(super) struct Before {
    manifest: Option<Manifest>,
    key: Option<VerifyKey>,
    /// SHA-256 of the manifest of the last install that was finished.
    complete: Option<String>,
}

impl Before {
    /// Reads the record. One that cannot be read as such says nothing.
    pub(super) fn read(root: &Root) -> Result<Self, InstallError> {
        let key = tolerated(record::contents(root, VERIFY_KEY_PATH))?.flatten();
        let stored = tolerated(record::stored(root))?.flatten();
        let installed = match tolerated(record::recall(root))? {
            Some(Memory::Installed(installed)) => Some(installed),
            _ => None,
        };
        Ok(Self {
            manifest: tolerated(record::stored_manifest(root))?.flatten(),
            key: key.and_then(|bytes| VerifyKey::parse(&bytes)),
            complete: installed.filter(|it| stored.as_ref() == Some(it)).map(|it| it.manifest),
        })
    }

    /// The manifest of the last install.
    pub(super) fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// The files that the last install placed.
    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        let files = self.manifest.iter().flat_map(|manifest| &manifest.files);
        files.filter(|file| file.policy != Policy::Foreign)
    }

    /// One of [`Before::files`].
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files().find(|file| file.path == path)
    }

    /// Whether an install of this very bundle was finished, and nothing was begun after it.
    pub(super) fn is_complete(&self, bundle: &Verified) -> bool {
        self.complete.as_deref() == Some(bundle.manifest_sha256())
    }

    /// Whether a manifest of this digest is the one whose install was finished last.
    pub(super) fn is_of(&self, manifest: Option<&str>) -> bool {
        manifest.is_some() && self.complete.as_deref() == manifest
    }

    /// Whether these bytes are what the last install placed.
    pub(super) fn placed(&self, file: &File, bytes: &[u8]) -> bool {
        if file.sealed {
            let hmac = file.hmac.as_deref();
            self.key.as_ref().zip(hmac).is_some_and(|(key, hmac)| key.matches(&file.path, bytes, hmac))
        } else {
            sha256_hex(bytes) == file.sha256
        }
    }
}

/// Only the machine's failures count; what else stands in the way is told by other checks.
fn tolerated<T>(result: Result<T, WalkError>) -> Result<Option<T>, InstallError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error @ WalkError::Io { .. }) => Err(error.into()),
        Err(_) => Ok(None),
    }
}
