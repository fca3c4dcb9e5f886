//! Every file as it shall be: opened, checked, with its place in the order.

use crate::bundle::manifest::{File, Manifest, Policy};
use crate::bundle::open::{REBUILD, Verified};
use crate::bundle::paths::parse_mode;
use crate::bundle::{canonical, sums};
use crate::check::record::{self, Installed};
use crate::check::{contents, fields, sealed};
use crate::finding::{Finding, Id};
use crate::rootfs::{Attributes, Metadata, Root, WalkError, split};
use crate::unseal::Identities;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// When a file takes its place; within one phase the manifest's order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Mode and owner of directories.
    Directories,
    /// What lies beside pairs of keys and certificates: the authorities by which others judge them.
    Authorities,
    /// Pairs of keys and certificates, the two of each next to each other.
    Pairs,
    /// All else that others read when they start.
    First,
    /// In owned directories without secrets, where something may react as soon as a file appears:
    /// by then the keys that it names are in place.
    Watched,
    /// What an earlier manifest placed goes.
    Gone,
    /// Sealift's lists, after what they list.
    Lists,
    /// The record.
    Record,
    /// `installed.json`: the install is complete.
    Complete,
}

/// A file's bytes, which wipe themselves when they are secret.
pub(super) enum Contents<'a> {
    Public(&'a [u8]),
    Secret(Zeroizing<Vec<u8>>),
    /// Of the host itself, with or without changes.
    Own(Zeroizing<Vec<u8>>),
}

impl Contents<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Public(bytes) => bytes,
            Self::Secret(bytes) | Self::Own(bytes) => bytes,
        }
    }
}

/// A file as it shall be.
pub(super) struct Wanted<'a> {
    pub(super) path: &'a str,
    pub(super) contents: Contents<'a>,
    pub(super) attributes: Attributes,
    pub(super) phase: Phase,
    /// The contents are the host's own, which a component wrote; they stay.
    pub(super) kept: bool,
    /// What the contents were made from.
    pub(super) base: Base,
}

/// What of the host the contents of a file were made from: while it is another, they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// Nothing of it.
    Bundle,
    /// That nothing was there.
    Absent,
    /// A file that was read when it was this.
    File(Metadata),
}

impl Base {
    /// Whether what stands at the path now is still that.
    pub(super) fn still(&self, now: Option<&Metadata>) -> bool {
        match (self, now) {
            (Self::Bundle, _) | (Self::Absent, None) => true,
            // a second name, which the way back takes, changes links and change time
            (Self::File(then), Some(now)) => {
                then.identity == now.identity
                    && then.size == now.size
                    && then.times.first() == now.times.first()
            }
            _ => false,
        }
    }

    /// Refuses when what stands at the path is not that any more.
    pub(super) fn check(&self, root: &Root, path: &str) -> Result<(), WalkError> {
        if *self == Self::Bundle {
            return Ok(());
        }
        let now = match root.metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        if self.still(now.as_ref()) { Ok(()) } else { Err(WalkError::Changed { at: path.to_owned() }) }
    }
}

/// Opens and checks everything in a bundle; without findings, the files are all that the host shall
/// hold, sealift's own included.
pub(super) fn files<'a>(
    root: &Root,
    bundle: &'a Verified,
    identities: &Identities,
    trust_text: Option<&'a [u8]>,
) -> (Vec<Wanted<'a>>, Vec<Finding>) {
    let manifest = bundle.manifest();
    let (plain, mut findings) = open(bundle, identities);
    if !findings.is_empty() {
        return (Vec::new(), findings);
    }
    let list = host_sums(manifest, &plain);
    let pairs = Pairs::of(manifest);
    let mut wanted = Vec::new();
    for (file, contents) in plain {
        let Some(mode) = parse_mode(&file.mode).filter(|_| file.uid != u32::MAX && file.gid != u32::MAX)
        else {
            let finding = Finding::new(Id::ManifestInconsistent, file.path.as_str(), REBUILD);
            findings.push(finding.expected("a mode of four octal digits and a numeric owner"));
            continue;
        };
        wanted.push(Wanted {
            path: &file.path,
            contents,
            attributes: Attributes::on(root, mode, file.uid, file.gid),
            phase: pairs.phase(manifest, file),
            kept: false,
            base: Base::Bundle,
        });
    }
    let own = |path, contents, mode, phase| {
        let attributes = Attributes::on(root, mode, 0, 0);
        Wanted { path, contents, attributes, phase, kept: false, base: Base::Bundle }
    };
    wanted.push(own(record::HOST_SUMS, list, record::FILE_MODE, Phase::Lists));
    if let Some(text) = trust_text {
        wanted.push(own(record::TRUST, Contents::Public(text), record::TRUST_MODE, Phase::Lists));
    }
    let remembered = [
        (record::MANIFEST, bundle.manifest_bytes()),
        (record::SUMS, bundle.sums()),
        (record::SIGNATURE, bundle.signature()),
    ];
    for (path, bytes) in remembered {
        wanted.push(own(path, Contents::Public(bytes), record::FILE_MODE, Phase::Record));
    }
    match canonical::to_bytes(&Installed::of(bundle)) {
        Ok(bytes) => {
            let bytes = Contents::Secret(Zeroizing::new(bytes));
            wanted.push(own(record::INSTALLED, bytes, record::FILE_MODE, Phase::Complete));
        }
        Err(error) => findings.push(
            Finding::new(Id::ManifestInconsistent, record::INSTALLED, REBUILD).found(error.to_string()),
        ),
    }
    // Stable: keeps the manifest's order within a phase.
    wanted.sort_by_key(|file| (file.phase, pairs.certificates.get(file.path).copied()));
    (wanted, findings)
}

/// Keys and their certificates.
struct Pairs<'a> {
    /// The certificate of each file of a pair.
    certificates: BTreeMap<&'a str, &'a str>,
    /// Where they lie.
    directories: BTreeSet<&'a str>,
}

impl<'a> Pairs<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        let keys = manifest.files.iter().filter_map(|key| Some((key, key.certificate.as_deref()?)));
        let both =
            keys.flat_map(|(key, certificate)| [key.path.as_str(), certificate].map(|it| (it, certificate)));
        let certificates: BTreeMap<&str, &str> = both.collect();
        let above = certificates.keys().filter_map(|path| split(path).ok());
        let directories = above.map(|(directory, _)| directory).collect();
        Self { certificates, directories }
    }

    fn phase(&self, manifest: &Manifest, file: &File) -> Phase {
        let path = file.path.as_str();
        let beside = split(path).is_ok_and(|(above, _)| self.directories.contains(above));
        if self.certificates.contains_key(path) {
            Phase::Pairs
        } else if is_watched(manifest, path) {
            Phase::Watched
        } else if beside && !file.sealed {
            Phase::Authorities
        } else {
            Phase::First
        }
    }
}

fn is_watched(manifest: &Manifest, path: &str) -> bool {
    let inside =
        |path: &str, directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    let holds_secrets =
        |directory: &str| manifest.files.iter().any(|file| file.sealed && inside(&file.path, directory));
    let mut owned = manifest.directories.iter().filter(|directory| directory.owned);
    owned.any(|directory| inside(path, &directory.path) && !holds_secrets(&directory.path))
}

type Plain<'a> = Vec<(&'a File, Contents<'a>)>;

/// Every file's contents, and what is wrong with them. That no identity fits is told once, however many
/// files it is true of.
fn open<'a>(bundle: &'a Verified, identities: &Identities) -> (Plain<'a>, Vec<Finding>) {
    let sealed = sealed::open(bundle, identities);
    let mut findings = sealed.check(bundle);
    findings.extend(fields::of_bundle(bundle));
    findings.extend(contents::of_bundle(bundle));
    findings.extend(contents::of_sealed(bundle, &sealed));
    if !sealed.unmatched.is_empty() {
        let closed = sealed.unmatched.len();
        let all = sealed.plaintexts.len() + sealed.broken.len() + closed;
        let mend = "give this host's age or SSH host key with -i, or build with its recipient in the spec";
        findings.push(
            Finding::new(Id::NotSealedToIdentity, bundle.name(), mend)
                .expected("an identity that opens every sealed file")
                .found(format!("none for {closed} of {all} sealed files")),
        );
    }
    findings.extend(sealed.broken);
    let secrets = sealed.plaintexts.into_iter().map(|(file, bytes)| (file, Contents::Secret(bytes)));
    let mut plain: Plain<'_> = secrets.collect();
    let public = |file: &&File| !file.sealed && file.policy != Policy::Foreign;
    for file in bundle.manifest().files.iter().filter(public) {
        match bundle.contents(&file.path) {
            Some(bytes) => plain.push((file, Contents::Public(bytes))),
            None => findings.push(Finding::new(Id::EntryMissing, bundle.place(&file.path), REBUILD)),
        }
    }
    // the manifest's order
    plain.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
    (plain, findings)
}

fn find<'p>(plain: &'p Plain<'_>, path: &str) -> Option<&'p [u8]> {
    plain.iter().find(|(file, _)| file.path == path).map(|(_, contents)| contents.bytes())
}

/// The list for `sha256sum -c --strict`. It holds digests of secrets, so it is one.
fn host_sums<'a>(manifest: &Manifest, plain: &Plain<'_>) -> Contents<'a> {
    let managed = manifest.files.iter().filter(|file| file.policy == Policy::Managed);
    let lines = managed.filter_map(|file| {
        let digest = sums::sha256_hex(find(plain, &file.path)?);
        Some(record::host_sums_line(file, &digest) + "\n")
    });
    Contents::Secret(Zeroizing::new(lines.collect::<String>().into_bytes()))
}
