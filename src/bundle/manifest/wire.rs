//! The members that a file has in the manifest: which may be absent depends on its policy.

use super::{Fields, Origin, Policy};
use serde::{Deserialize, Serialize};

/// A file as the manifest writes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    path: String,
    mode: String,
    uid: u32,
    gid: u32,
    policy: Policy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fields: Option<Fields>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hmac: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inputs: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    restart: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    run: Vec<String>,
}

/// Why a file of a manifest is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The bundle holds it, but this does not say what.
    #[error("{0} lacks size, sha256 or sealed")]
    Contents(String),
    /// The bundle does not hold it, but this says what.
    #[error("{0} is foreign, and has a size, sha256 or sealed")]
    Foreign(String),
}

impl From<super::File> for File {
    fn from(file: super::File) -> Self {
        let held = file.policy != Policy::Foreign;
        Self {
            path: file.path,
            mode: file.mode,
            uid: file.uid,
            gid: file.gid,
            policy: file.policy,
            fields: file.fields,
            size: held.then_some(file.size),
            sha256: held.then_some(file.sha256),
            sealed: held.then_some(file.sealed),
            hmac: file.hmac,
            certificate: file.certificate,
            origin: file.origin,
            inputs: file.inputs,
            restart: file.restart,
            run: file.run,
        }
    }
}

impl TryFrom<File> for super::File {
    type Error = FileError;

    fn try_from(file: File) -> Result<Self, FileError> {
        let (size, sha256, sealed) = match (file.policy, file.size, file.sha256, file.sealed) {
            (Policy::Foreign, None, None, None) => (0, String::new(), false),
            (Policy::Foreign, ..) => return Err(FileError::Foreign(file.path)),
            (_, Some(size), Some(sha256), Some(sealed)) => (size, sha256, sealed),
            _ => return Err(FileError::Contents(file.path)),
        };
        Ok(Self {
            path: file.path,
            mode: file.mode,
            uid: file.uid,
            gid: file.gid,
            policy: file.policy,
            fields: file.fields,
            size,
            sha256,
            sealed,
            hmac: file.hmac,
            certificate: file.certificate,
            origin: file.origin,
            inputs: file.inputs,
            restart: file.restart,
            run: file.run,
        })
    }
}
