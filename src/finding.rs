//! What a check found: one typed difference between what should be and what is.
//!
//! Ids are kebab-case and stable: scripts and dashboards match on them, so an id never changes
//! its meaning. Each belongs to one [`Class`], which is also the process's exit code.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The outcome classes of `verify` and `install`, with their exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Signature missing, wrong, or by a key that is not trusted (exit 3).
    Trust,
    /// The machine failed: I/O, permissions, no space (exit 7).
    Machine,
    /// The bundle belongs to another host or cluster (exit 4).
    Host,
    /// An older or a reused revision (exit 5).
    Revision,
    /// Drift or damage (exit 1).
    Difference,
    /// Expired, not yet valid, or about to expire (exit 6).
    Time,
}

impl Class {
    /// Which class decides the exit code when several are present, first wins.
    pub const PRECEDENCE: [Class; 6] =
        [Class::Trust, Class::Machine, Class::Host, Class::Revision, Class::Difference, Class::Time];

    /// The process exit code of this class.
    pub const fn exit(self) -> u8 {
        match self {
            Class::Difference => 1,
            Class::Trust => 3,
            Class::Host => 4,
            Class::Revision => 5,
            Class::Time => 6,
            Class::Machine => 7,
        }
    }
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $class:ident;)+) => {
        /// The stable name of a kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Id { $($(#[doc = $doc])+ $variant,)+ }

        impl Id {
            /// Every id there is, in the order of the documentation.
            pub const ALL: &'static [Id] = &[$(Id::$variant,)+];

            /// The kebab-case name, as printed and as in JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Id::$variant => $name,)+ }
            }

            /// The outcome class, which decides the exit code.
            pub const fn class(self) -> Class {
                match self { $(Id::$variant => Class::$class,)+ }
            }

            /// What this kind of finding means, one or two sentences, as in the documentation.
            pub const fn meaning(self) -> &'static str {
                match self { $(Id::$variant => concat!($($doc),+),)+ }
            }
        }
    };
}

ids! {
    /// The gzip stream cannot be decoded: truncated, corrupt, or not gzip at all.
    GzipInvalid = "gzip-invalid", Difference;
    /// The gzip header carries a name, time, comment or system that sealift never writes.
    GzipHeader = "gzip-header", Difference;
    /// Bytes follow the one gzip member.
    GzipTrailing = "gzip-trailing", Difference;
    /// More decompressed bytes, entries or path length than any bundle may have.
    ArchiveTooLarge = "archive-too-large", Difference;
    /// The tar stream cannot be read: bad checksum, bad field, or a header type that is refused.
    ArchiveInvalid = "archive-invalid", Difference;
    /// An entry is not a regular file.
    EntryType = "entry-type", Difference;
    /// An entry's path is absolute, climbs, or has empty or dot components.
    EntryPath = "entry-path", Difference;
    /// Two entries have one path.
    EntryDuplicate = "entry-duplicate", Difference;
    /// Entries stand in another order than the format's.
    EntryOrder = "entry-order", Difference;
    /// An entry that must be there is missing.
    EntryMissing = "entry-missing", Difference;
    /// An entry that nothing lists.
    EntryExtra = "entry-extra", Difference;
    /// An entry's mode is not the one that its manifest states.
    EntryMode = "entry-mode", Difference;
    /// The archive is readable but differs from the one form that the format allows.
    ArchiveNotCanonical = "archive-not-canonical", Difference;
    /// There is no signature.
    SignatureMissing = "signature-missing", Trust;
    /// The signature file cannot be read as SSHSIG, or names another namespace or hash.
    SignatureMalformed = "signature-malformed", Trust;
    /// The signature does not fit the signed bytes.
    SignatureWrong = "signature-wrong", Trust;
    /// The signing key is not in the trust file for this cluster and namespace.
    NotTrusted = "not-trusted", Trust;
    /// The signing key is in the trust file, and its line has ended (`valid-before`).
    SigningKeyExpired = "signing-key-expired", Trust;
    /// The host's trust file names other keys of this cluster than the manifest does.
    TrustDiffers = "trust-differs", Difference;
    /// SHA256SUMS is not in the one form that the format allows.
    SumsMalformed = "sums-malformed", Difference;
    /// Contents differ from their SHA-256 digest or, for a secret, from its keyed digest.
    DigestMismatch = "digest-mismatch", Difference;
    /// The manifest is not canonical JSON of a format version that this sealift knows.
    ManifestMalformed = "manifest-malformed", Difference;
    /// The manifest contradicts itself or the archive.
    ManifestInconsistent = "manifest-inconsistent", Difference;
    /// The index is malformed or lists other bundles than the directory holds.
    IndexMismatch = "index-mismatch", Difference;
    /// The bundle belongs to another host.
    WrongHost = "wrong-host", Host;
    /// None of the host's addresses, by its manifest, is on an interface of this machine, and others are.
    AddressMissing = "address-missing", Host;
    /// The bundle belongs to another cluster.
    WrongCluster = "wrong-cluster", Host;
    /// None of the given identities opens a sealed file.
    NotSealedToIdentity = "not-sealed-to-identity", Host;
    /// A sealed file is damaged or is not an age file.
    SealBroken = "seal-broken", Difference;
    /// The revision is lower than the installed one.
    RevisionOlder = "revision-older", Revision;
    /// The revision is the installed one, but the contents differ.
    RevisionReused = "revision-reused", Revision;
    /// What is installed does not allow to go back: its spec does not say `keepPrevious`.
    RollbackNotAllowed = "rollback-not-allowed", Revision;
    /// There is no earlier bundle on this host to go back to.
    RollbackUnavailable = "rollback-unavailable", Revision;
    /// Nothing is installed in this root.
    NotInstalled = "not-installed", Difference;
    /// An install was interrupted, or is at work right now: files may be of two revisions.
    Interrupted = "interrupted", Difference;
    /// The record of what is installed contradicts the stored manifest.
    RecordMismatch = "record-mismatch", Difference;
    /// A file of the manifest, or one that a kubeconfig names, is not on the host.
    FileMissing = "file-missing", Difference;
    /// Something other than a regular file or directory stands at a path of the manifest.
    TypeMismatch = "type-mismatch", Difference;
    /// A symbolic link stands on the way to a path of the manifest.
    SymlinkInPath = "symlink-in-path", Difference;
    /// Mode bits differ.
    ModeMismatch = "mode-mismatch", Difference;
    /// Owner or group differ.
    OwnerMismatch = "owner-mismatch", Difference;
    /// An access list (POSIX ACL) grants or takes more than mode bits say, or new entries of a directory begin with one.
    AclPresent = "acl-present", Difference;
    /// A file carries capabilities, which whoever executes it gets.
    CapabilityPresent = "capability-present", Difference;
    /// A file or directory has extended attributes that are no labels: `user.*` or `trusted.*`.
    XattrUnexpected = "xattr-unexpected", Difference;
    /// A file has more than one name: by another, it can be changed behind the one that is checked.
    HardLinked = "hard-linked", Difference;
    /// Another file is mounted over one of the manifest.
    MountedOver = "mounted-over", Difference;
    /// A directory above a file of the manifest, which the manifest does not list, is not root's, or others can write it.
    ParentWritable = "parent-writable", Difference;
    /// A file or directory in an owned directory that no manifest lists.
    StrayFile = "stray-file", Difference;
    /// A unit of which the manifest lists a file is masked, so that it does not start.
    UnitMasked = "unit-masked", Difference;
    /// A unit file or drop-in of the manifest is not read: one of its name stands in a directory that counts more.
    UnitHidden = "unit-hidden", Difference;
    /// Another unit file, drop-in or file of variables takes back or changes what a unit file of the manifest sets,
    /// or sets what runs in a service that the manifest gates.
    UnitOverridden = "unit-overridden", Difference;
    /// A file that a component may rewrite differs in a field that may not change.
    InitialDiffers = "initial-differs", Difference;
    /// A file that another program writes differs in a field whose value is known.
    ForeignDiffers = "foreign-differs", Difference;
    /// The lines of a managed block differ.
    BlockDiffers = "block-differs", Difference;
    /// A file has no managed block.
    BlockMissing = "block-missing", Difference;
    /// Marks that make no block: not one beginning and one end after it; or the file is too large.
    BlockDamaged = "block-damaged", Difference;
    /// A file was changed while it was being read.
    ChangedWhileReading = "changed-while-reading", Difference;
    /// A file that an earlier revision placed was changed since, so it was not removed.
    RemovedFileChanged = "removed-file-changed", Difference;
    /// A certificate cannot be parsed.
    CertificateMalformed = "certificate-malformed", Difference;
    /// A kubeconfig cannot be parsed.
    KubeconfigMalformed = "kubeconfig-malformed", Difference;
    /// A private key cannot be parsed.
    KeyMalformed = "key-malformed", Difference;
    /// A private key does not belong to the certificate beside it.
    KeyCertMismatch = "key-cert-mismatch", Difference;
    /// A certificate was not issued by the authority that its file must come from.
    CertificateChain = "certificate-chain", Difference;
    /// A certificate is for another purpose than its file: its extended key usage lacks one, or it is an authority's and must not be, or is none's and must be.
    CertificatePurpose = "certificate-purpose", Difference;
    /// A server's certificate lacks a name or address that its host is reached by.
    CertificateNames = "certificate-names", Difference;
    /// A kubeconfig trusts other certificates than the cluster's authority.
    KubeconfigAuthority = "kubeconfig-authority", Difference;
    /// A YAML or JSON file cannot be parsed.
    YamlMalformed = "yaml-malformed", Difference;
    /// A unit of systemd or Quadlet, or what is laid over one, cannot be parsed.
    UnitMalformed = "unit-malformed", Difference;
    /// A certificate's validity has ended.
    CertificateExpired = "certificate-expired", Time;
    /// A certificate's validity has not begun, or this machine's clock is slow.
    CertificateNotYetValid = "certificate-not-yet-valid", Time;
    /// A certificate's validity ends within the asked time.
    CertificateExpiring = "certificate-expiring", Time;
    /// The bundle's validity has ended.
    BundleExpired = "bundle-expired", Time;
    /// The bundle's validity ends within the asked time.
    BundleExpiring = "bundle-expiring", Time;
    /// A file or directory cannot be read.
    Unreadable = "unreadable", Machine;
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Every id with what it means.
impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = |id: &Id| {
            json_schema!({
                "const": id.name(),
                "description": id.meaning().trim(),
                "exit": id.class().exit(),
            })
        };
        let all: Vec<Schema> = Id::ALL.iter().map(one).collect();
        json_schema!({ "description": "The stable name of a kind of finding.", "oneOf": all })
    }
}

/// One finding: what, where, what was expected and found, and how to mend it.
///
/// Never holds a secret: values are digests, modes, names and dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The kind of finding.
    pub id: Id,
    /// The path it is about: a host path, an archive entry, or a bundle file.
    pub path: String,
    /// What should be there, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What to do about it.
    pub mend: String,
}

impl Finding {
    /// A finding without expected and found values.
    pub fn new(id: Id, path: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { id, path: path.into(), expected: None, found: None, mend: mend.into() }
    }

    /// The same finding with what was expected.
    #[must_use]
    pub fn expected(mut self, value: impl Into<String>) -> Self {
        self.expected = Some(value.into());
        self
    }

    /// The same finding with what was found.
    #[must_use]
    pub fn found(mut self, value: impl Into<String>) -> Self {
        self.found = Some(value.into());
        self
    }

    /// What was expected and found, as it follows the path in a line for people; empty without either.
    pub fn values(&self) -> String {
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => format!(": expected {expected}, found {found}"),
            (Some(expected), None) => format!(": expected {expected}"),
            (None, Some(found)) => format!(": {found}"),
            (None, None) => String::new(),
        }
    }

    /// All but what to do, in one line.
    pub fn line(&self) -> String {
        format!("{} {}{}", self.id, self.path, self.values())
    }
}

/// Whether a terminal shows a character as itself: no controls, no invisible or reordering marks.
pub fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Findings in the order of reports: by path, then by id; each once.
pub fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| (&a.path, a.id.name()).cmp(&(&b.path, b.id.name())));
    findings.dedup();
    findings
}

/// The exit code of a set of findings: 0 when there are none, else by [`Class::PRECEDENCE`].
pub fn exit_code<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> u8 {
    let found: BTreeSet<Class> = findings.into_iter().map(|finding| finding.id.class()).collect();
    Class::PRECEDENCE.into_iter().find(|class| found.contains(class)).map_or(0, Class::exit)
}
