//! The manifest: every file of a bundle, and what the host must hold.
//!
//! Stored as RFC 8785 canonical JSON with integers only, so one manifest has one byte form.

mod wire;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The manifest format that this sealift reads and writes.
pub const FORMAT: u32 = 1;

/// `manifest.json` of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Manifest {
    /// Format version, [`FORMAT`].
    pub format: u32,
    /// The cluster this bundle belongs to.
    pub cluster: ClusterRef,
    /// The host this bundle belongs to; its name is `operator` for the operators' bundle.
    pub host: HostRef,
    /// Whether install leaves the bundle before this one on the host, so that it can go back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_previous: bool,
    /// Compared in order, so that one host's change touches one bundle.
    pub revision: Revision,
    /// The version of sealift that built this.
    pub sealift: String,
    /// SHA-256, in lower-case hex, of everything that this host's bundle was built from.
    pub inputs: String,
    /// RFC 3339 UTC: the modification time of every entry of the archive. Filled in by packing.
    pub epoch: String,
    /// RFC 3339 UTC: the earlier of the first certificate's expiry and the spec's bundle validity.
    pub valid_until: String,
    /// While the signing key is replaced: the keys that hosts of this cluster trust once this is installed,
    /// as OpenSSH writes them. One of them signed this. Left out otherwise: then hosts keep what they trust.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust: Vec<String>,
    /// Directories that install makes, and those in which anything unlisted is a finding.
    /// In byte order of their paths.
    pub directories: Vec<Directory>,
    /// Files, in byte order of their paths.
    pub files: Vec<File>,
}

/// A cluster's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterRef {
    /// 32 lower-case hex digits; the principal in the trust file.
    pub id: String,
    /// For people.
    pub name: String,
}

/// A host's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRef {
    /// The node name.
    pub name: String,
    /// IP addresses in the spec's order.
    pub addresses: Vec<String>,
    /// What `/etc/machine-id` says on the one machine that this bundle is for: 32 lower-case hex digits.
    #[serde(default, rename = "machineId", skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
    /// The generation of the host's own keys.
    pub generation: u32,
    /// Whom the sealed files are sealed to: `age1…` or `ssh-ed25519 …`, sorted by wire form.
    pub recipients: Vec<String>,
}

/// (cluster revision, host revision).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// `cluster.revision` of the spec.
    pub cluster: u32,
    /// `hosts.NAME.revision` of the spec.
    pub host: u32,
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.cluster, self.host)
    }
}

/// A directory on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Absolute path.
    pub path: String,
    /// Octal, four digits, such as `0755`. Applied when install makes the directory, and checked.
    pub mode: String,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Whether every unlisted entry in it is a finding.
    pub owned: bool,
    /// Absolute paths under an owned directory that are allowed all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
}

/// A file on the host. A [`Policy::Foreign`] one has path, mode, owner, group and perhaps fields only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "wire::File", into = "wire::File")]
pub struct File {
    /// Absolute path on the host. The archive holds it at `files` + path (+ `.age` when sealed).
    pub path: String,
    /// Octal, four digits, such as `0600`.
    pub mode: String,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// How the host is held to it.
    pub policy: Policy,
    /// Of [`Policy::Initial`] files: what stays checked when something has rewritten them. Of
    /// [`Policy::Foreign`] ones, where it is known: what the other program writes.
    pub fields: Option<Fields>,
    /// Bytes of what the bundle holds (the ciphertext of a sealed file); 0 of a foreign file.
    pub size: u64,
    /// SHA-256, lower-case hex, of what the bundle holds; empty of a foreign file.
    pub sha256: String,
    /// Whether the bundle holds an age file.
    pub sealed: bool,
    /// For sealed files: HMAC-SHA-256, lower-case hex, under the host's verify key, over
    /// u64be(path length), path, u64be(plaintext length), plaintext.
    pub hmac: Option<String>,
    /// For private keys: the path of the certificate that holds this key's public half.
    pub certificate: Option<String>,
    /// For certificates and secrets: where the key comes from.
    pub origin: Option<Origin>,
    /// For sealed files that are composed of several parts: SHA-256, lower-case hex, of the plan of
    /// those parts, which tells a change without opening the file. Says nothing of a secret.
    pub inputs: Option<String>,
    /// What must be restarted when this file changes (such as `unit/nginx`);
    /// empty when whatever reads it notices by itself.
    pub restart: Vec<String>,
    /// Commands that must run when this file changes, before the restarts.
    pub run: Vec<String>,
}

/// Where a derived key comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The number of the seed in the keyring.
    pub seed: u32,
    /// Decimal; of a leaf certificate the generations of pki, CA and host, joined by commas.
    pub generation: String,
}

/// How a host is held to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The host must hold exactly this.
    Managed,
    /// Placed when absent, and again while it still is what was placed last. A component rewrites
    /// it afterwards; its [`Fields`] must hold all the same.
    Initial,
    /// As managed while it is there; needed once, so its absence is no drift.
    Bootstrap,
    /// Another program writes it: allowed, of this mode and owner, and never touched. Its [`Fields`],
    /// if it has any, must hold while it is there.
    Foreign,
    /// Lines between two marks ([`crate::bundle::block`]) in a file that is not ours: the host must hold
    /// exactly these. Mode and owner are those of a file that install makes.
    Block,
}

/// The values that a file must have, however else it was rewritten. They are public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// What reads the values out of the file: a name that `check` knows.
    pub format: String,
    /// The expected value of each field; an empty one for a field that must be absent or empty.
    pub values: BTreeMap<String, String>,
}
