//! From a manifest and its files to the signed archive of one host.

use crate::bundle::{
    BUNDLE_NAMESPACE, MANIFEST, SIGNATURE, SUMS,
    archive::{self, ArchiveError, Entry},
    block::{self, BEGIN, END},
    canonical::{self, CanonicalError},
    consistency::{self, Inconsistency, text_time},
    manifest::{FORMAT, File, Manifest, Policy},
    paths::{entry_name, parse_mode},
    sshsig,
    sums::{self, Sum, SumsError, sha256_hex},
};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use thiserror::Error;

/// The mode of the archive's own three entries.
pub const OWN_MODE: u32 = 0o644;

/// How every age v1 file starts.
const AGE: &[u8] = b"age-encryption.org/v1\n";

/// A bundle that was written.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The bundle file.
    pub bytes: Vec<u8>,
    /// SHA-256 of it, in lower-case hex.
    pub sha256: String,
    /// The manifest with sizes and digests filled in, files in byte order.
    pub manifest: Manifest,
}

/// Why a bundle cannot be written. Each is a mistake of the caller.
#[derive(Debug, Error)]
pub enum PackError {
    /// The manifest lists a file whose contents were not given.
    #[error("no contents for {0}")]
    NoContents(String),
    /// Contents were given that the manifest does not list, or lists as another program's.
    #[error("{0} is foreign or not in the manifest")]
    NotListed(String),
    /// A file that must be sealed is not an age file: it would be published in the clear.
    #[error("{0} is to be sealed but its contents are not an age file")]
    NotSealed(String),
    /// A block is not between its marks.
    #[error("{0} is no block: from `{BEGIN}` to `{END}`, a line feed after each and no such line between")]
    NotABlock(String),
    /// Another format than the one that is written.
    #[error("manifest format {0} cannot be written")]
    Format(u32),
    /// The manifest breaks rules of the format.
    #[error("the manifest contradicts itself: {}", list(.0))]
    Inconsistent(Vec<Inconsistency>),
    /// The manifest has no canonical form.
    #[error("the manifest cannot be written")]
    Canonical(#[from] CanonicalError),
    /// The list of digests cannot be written.
    #[error("SHA256SUMS cannot be written")]
    Sums(#[from] SumsError),
    /// The signature cannot be made.
    #[error("the bundle cannot be signed")]
    Signature(#[from] ssh_key::Error),
    /// A modification time that RFC 3339 cannot write.
    #[error("{0} s after 1970 is no time that can be written")]
    Epoch(u64),
    /// The archive cannot be written.
    #[error("the archive cannot be written")]
    Archive(#[from] ArchiveError),
}

fn list(problems: &[Inconsistency]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Writes a bundle: a pure function of its arguments.
///
/// `contents` holds, by host path, the bytes that the bundle shall hold (ciphertext for sealed
/// files), one for each file of the manifest that is not foreign. Epoch, sizes and digests of the
/// manifest are filled in and its lists sorted. `epoch` is the archive's modification time in seconds since 1970.
pub fn pack(
    mut manifest: Manifest,
    contents: &BTreeMap<String, Vec<u8>>,
    epoch: u64,
    key: &SigningKey,
) -> Result<Packed, PackError> {
    manifest.epoch = text_time(epoch).ok_or(PackError::Epoch(epoch))?;
    fill_in(&mut manifest, contents)?;
    let manifest_bytes = canonical::to_bytes(&manifest)?;
    let mut entries = vec![Entry { name: MANIFEST, mode: OWN_MODE, contents: &manifest_bytes }];
    let held: Vec<_> = manifest.files.iter().filter(|file| is_held(file)).collect();
    let names: Vec<_> = held.iter().map(|file| entry_name(&file.path, file.sealed)).collect();
    for (file, name) in held.iter().zip(&names) {
        let contents = contents.get(&file.path).ok_or_else(|| PackError::NoContents(file.path.clone()))?;
        entries.push(Entry { name, mode: parse_mode(&file.mode).unwrap_or_default(), contents });
    }
    // The suffix of sealed files can change the order, so it is not the manifest's.
    entries.sort_unstable_by_key(|entry| archive::rank(entry.name));
    let sums = sums::write(&list_sums(&entries, &manifest, &manifest_bytes))?;
    let signature = sshsig::sign(key, BUNDLE_NAMESPACE, sums.as_bytes())?;
    let own = [(SUMS, &sums), (SIGNATURE, &signature)];
    let own = own.map(|(name, text)| Entry { name, mode: OWN_MODE, contents: text.as_bytes() });
    let bytes = archive::write(&[own.as_slice(), entries.as_slice()].concat(), epoch)?;
    Ok(Packed { sha256: sha256_hex(&bytes), bytes, manifest })
}

/// Whether the archive has an entry for it.
fn is_held(file: &File) -> bool {
    file.policy != Policy::Foreign
}

fn fill_in(manifest: &mut Manifest, contents: &BTreeMap<String, Vec<u8>>) -> Result<(), PackError> {
    if manifest.format != FORMAT {
        return Err(PackError::Format(manifest.format));
    }
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    manifest.directories.sort_by(|a, b| a.path.cmp(&b.path));
    for file in manifest.files.iter_mut().filter(|file| is_held(file)) {
        let bytes = contents.get(&file.path).ok_or_else(|| PackError::NoContents(file.path.clone()))?;
        if file.sealed && !bytes.starts_with(AGE) {
            return Err(PackError::NotSealed(file.path.clone()));
        }
        if file.policy == Policy::Block && !block::is_block(bytes) {
            return Err(PackError::NotABlock(file.path.clone()));
        }
        file.size = bytes.len() as u64;
        file.sha256 = sha256_hex(bytes);
    }
    let listed = |path: &String| {
        let found = manifest.files.binary_search_by(|file| file.path.cmp(path)).ok();
        found.and_then(|at| manifest.files.get(at)).is_some_and(is_held)
    };
    if let Some(path) = contents.keys().find(|path| !listed(path)) {
        return Err(PackError::NotListed(path.clone()));
    }
    let problems = consistency::check(manifest);
    if problems.is_empty() { Ok(()) } else { Err(PackError::Inconsistent(problems)) }
}

/// One line for each entry, in the archive's order; the files' digests are the manifest's.
fn list_sums(entries: &[Entry<'_>], manifest: &Manifest, manifest_bytes: &[u8]) -> Vec<Sum> {
    let digests: BTreeMap<_, _> = manifest
        .files
        .iter()
        .filter(|file| is_held(file))
        .map(|file| (entry_name(&file.path, file.sealed), file.sha256.clone()))
        .chain([(MANIFEST.to_owned(), sha256_hex(manifest_bytes))])
        .collect();
    let sum = |entry: &Entry<'_>| {
        digests.get(entry.name).map(|sha256| Sum { name: entry.name.into(), sha256: sha256.clone() })
    };
    entries.iter().filter_map(sum).collect()
}
