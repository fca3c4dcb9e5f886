//! What a host remembers of its last install, outside of every path that a bundle may name.
//!
//! `/var/lib/sealift/` (0700) holds `manifest.json`, `SHA256SUMS` and `SHA256SUMS.sig` as they
//! stood in the bundle, and `installed.json`, which is written last: while the four disagree, an
//! install was interrupted.

use crate::bundle::archive::{self, MAX_BYTES};
use crate::bundle::canonical;
use crate::bundle::manifest::{File, Manifest, Revision};
use crate::bundle::open::Verified;
use crate::bundle::sums::sha256_hex;
use crate::rootfs::{Root, WalkError};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The directory of the record.
pub const DIRECTORY: &str = "/var/lib/sealift";
/// The bundle's manifest.
pub const MANIFEST: &str = "/var/lib/sealift/manifest.json";
/// The bundle's list of digests.
pub const SUMS: &str = "/var/lib/sealift/SHA256SUMS";
/// The signature over [`SUMS`].
pub const SIGNATURE: &str = "/var/lib/sealift/SHA256SUMS.sig";
/// What was installed, written last.
pub const INSTALLED: &str = "/var/lib/sealift/installed.json";
/// The installed bundle, where its manifest says `keepPrevious`.
pub const BUNDLE: &str = "/var/lib/sealift/bundle.tar.gz";
/// The bundle that was installed before, for `sealift rollback`.
pub const PREVIOUS: &str = "/var/lib/sealift/previous.tar.gz";
/// Digests of the managed files as they are on the host, for `sha256sum -c --strict`.
pub const HOST_SUMS: &str = "/etc/sealift/SHA256SUMS";
/// The trust file that a host uses by default.
pub const TRUST: &str = "/etc/sealift/trust";

/// What a bundle brings while something is rotated: what to do, in which order.
pub const RUNBOOK: &str = "/etc/sealift/RUNBOOK.md";

/// The reserved host name of the operators' bundle.
pub const OPERATOR: &str = "operator";

/// Mode of [`DIRECTORY`].
pub const DIRECTORY_MODE: u32 = 0o700;
/// Mode of every file of the record and of [`HOST_SUMS`].
pub const FILE_MODE: u32 = 0o600;
/// Mode of [`TRUST`] as install writes it.
pub const TRUST_MODE: u32 = 0o644;

/// Whether a path is one that sealift itself writes, so no manifest may list it.
pub fn is_own(path: &str) -> bool {
    matches!(path, HOST_SUMS | TRUST | DIRECTORY)
        || path.strip_prefix(DIRECTORY).is_some_and(|rest| rest.starts_with('/'))
}

/// `installed.json`, as canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    /// The cluster's id.
    pub cluster: String,
    /// The host's name.
    pub host: String,
    /// The bundle's revision.
    pub revision: Revision,
    /// SHA-256 of `manifest.json`, lower-case hex.
    pub manifest: String,
}

impl Installed {
    /// What is remembered of a bundle.
    pub fn of(bundle: &Verified) -> Self {
        let manifest = bundle.manifest();
        Self {
            cluster: manifest.cluster.id.clone(),
            host: manifest.host.name.clone(),
            revision: manifest.revision,
            manifest: bundle.manifest_sha256().to_owned(),
        }
    }
}

/// What `installed.json` says.
#[derive(Debug)]
pub enum Memory {
    /// Nothing was ever installed here.
    Nothing,
    /// There is a file, but it is not one that an install writes.
    Damaged,
    /// The last finished install.
    Installed(Installed),
}

/// Reads `installed.json`.
pub fn recall(root: &Root) -> Result<Memory, WalkError> {
    match contents(root, INSTALLED)? {
        None => Ok(Memory::Nothing),
        Some(bytes) => Ok(canonical::from_bytes(&bytes).map_or(Memory::Damaged, Memory::Installed)),
    }
}

/// What the manifest that is stored says of itself, whether or not an install was finished.
pub fn stored(root: &Root) -> Result<Option<Installed>, WalkError> {
    let Some(bytes) = contents(root, MANIFEST)? else { return Ok(None) };
    let manifest = canonical::from_bytes::<Manifest>(&bytes).ok();
    Ok(manifest.map(|manifest| Installed {
        cluster: manifest.cluster.id,
        host: manifest.host.name,
        revision: manifest.revision,
        manifest: sha256_hex(&bytes),
    }))
}

/// The manifest of the last install, when there is a readable one. Not checked against anything.
pub fn stored_manifest(root: &Root) -> Result<Option<Manifest>, WalkError> {
    Ok(contents(root, MANIFEST)?.and_then(|bytes| canonical::from_bytes(&bytes).ok()))
}

/// A whole file, `None` when it does not exist.
pub fn contents(root: &Root, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, WalkError> {
    match root.file(path).and_then(crate::rootfs::OpenFile::contents) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A bundle that the host keeps, whole; `None` when it does not exist, [`WalkError::TooLarge`] above 256 MiB.
pub fn kept(root: &Root, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, WalkError> {
    let file = match root.file(path) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let size = usize::try_from(file.metadata().size).unwrap_or(usize::MAX);
    if size > MAX_BYTES {
        return Err(WalkError::TooLarge { at: path.to_owned() });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    file.stream(|piece| bytes.extend_from_slice(piece))?;
    Ok(Some(bytes))
}

/// SHA-256, in lower-case hex, of the manifest in a bundle file; `None` when it is no bundle. Says nothing of
/// who signed it.
pub fn manifest_of(bundle: &[u8]) -> Option<String> {
    let (archive, problems) = archive::read(bundle, BUNDLE).ok()?;
    let manifest = archive.entry(crate::bundle::MANIFEST).filter(|_| problems.is_empty())?;
    Some(sha256_hex(manifest.contents))
}

/// One line of [`HOST_SUMS`], without its end.
pub fn host_sums_line(file: &File, sha256: &str) -> String {
    format!("{sha256}  {}", file.path)
}

/// The host's name by `/etc/hostname` of this root: the first line that is not empty or a comment
/// (hostname(5)). `None` when there is no such regular file, links included.
pub fn hostname(root: &Root) -> Result<Option<String>, WalkError> {
    let Some(text) = plain_file(root, "/etc/hostname")? else { return Ok(None) };
    let mut lines = text.lines().map(str::trim);
    Ok(lines.find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned))
}

/// Where systemd has the machine's id (machine-id(5)).
pub const MACHINE_ID: &str = "/etc/machine-id";

/// The machine's id by this root: the first line of `/etc/machine-id`. `None` when there is no such
/// regular file, links included.
pub fn machine_id(root: &Root) -> Result<Option<String>, WalkError> {
    let Some(text) = plain_file(root, MACHINE_ID)? else { return Ok(None) };
    Ok(text.lines().next().map(|line| line.trim().chars().take(64).collect()))
}

/// The text of a regular file; `None` when there is none, and where a link stands in the way.
fn plain_file(root: &Root, path: &str) -> Result<Option<String>, WalkError> {
    match contents(root, path) {
        Ok(bytes) => Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())),
        Err(WalkError::Symlink { .. } | WalkError::NotAFile { .. } | WalkError::NotADirectory { .. }) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The name to compare a manifest's with: that of the root, else the one that was given.
pub fn machine_name(root: &Root, given: Option<&str>) -> Result<Option<String>, WalkError> {
    Ok(hostname(root)?.or_else(|| given.map(str::to_owned)))
}

/// Whether a machine's host name is the one of a manifest: equal, or, when the manifest's has no
/// dot, equal in its first label; capitals do not matter.
pub fn is_host(manifest: &str, machine: &str) -> bool {
    let first = machine.split('.').next().unwrap_or(machine);
    manifest.eq_ignore_ascii_case(machine)
        || (!manifest.contains('.') && manifest.eq_ignore_ascii_case(first))
}
