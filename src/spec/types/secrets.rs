//! Secrets that are no certificates: the at-rest key, bootstrap tokens, passwords.

use super::super::scalars::{Generation, PasswordLength, ResourceName, SeedNumber, Span};
use super::{Role, Rotation};
use schemars::JsonSchema;
use serde::Deserialize;

/// How the API servers encrypt what they write into etcd.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["provider"]))]
pub struct EncryptionAtRest {
    /// The cipher.
    pub provider: EncryptionProvider,
    /// What is encrypted; `[secrets]` by default.
    pub resources: Vec<ResourceName>,
    /// The generation of the key; a new one is rolled out in steps, see `rotation`.
    pub generation: Generation,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
    /// The step of its rotation.
    pub rotation: Option<Rotation>,
    /// What it replaces; by default the generation before, with everything else the same.
    pub previous: Option<PreviousEncryption>,
    /// Refuse to read what was written before encryption was turned on: no `identity` provider.
    /// Only when everything was written anew since.
    pub refuse_plaintext: bool,
}

/// A cipher of the API server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EncryptionProvider {
    /// `XSalsa20` and Poly1305, authenticated.
    #[default]
    Secretbox,
    /// AES in CBC mode, not authenticated; where rules demand AES.
    Aescbc,
}

impl EncryptionProvider {
    /// The word in a spec and in the API server's configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secretbox => "secretbox",
            Self::Aescbc => "aescbc",
        }
    }
}

/// The key that a rotation replaces. What is not written is as in its successor.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PreviousEncryption {
    /// Its generation; by default the one before.
    pub generation: Option<Generation>,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
    /// The cipher.
    pub provider: Option<EncryptionProvider>,
}

/// The key that signs bundles.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Signing {
    /// Raise it for a new key; hosts learn it in steps, see `rotation`.
    pub generation: Generation,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
    /// The step of its rotation. Bundles then say which keys hosts trust, and install writes that down.
    pub rotation: Option<Rotation>,
    /// What it replaces; by default the generation before, of the spec's seed.
    pub previous: Option<PreviousSigning>,
}

/// The signing key that a rotation replaces.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PreviousSigning {
    /// Its generation; by default the one before.
    pub generation: Option<Generation>,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
}

/// A token with which a node joins.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BootstrapToken {
    /// How long after the epoch it can be used; 24 hours by default, as kubeadm.
    pub expires: Option<Span>,
    /// Raise it for a new token.
    pub generation: Generation,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
}

/// A password that the hosts of some roles share.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Password {
    /// How many letters and digits it has; 24 by default.
    pub length: PasswordLength,
    /// The roles whose hosts get it, beside the operators.
    pub roles: Vec<Role>,
    /// Raise it for a new password.
    pub generation: Generation,
    /// The seed it comes from.
    pub seed: Option<SeedNumber>,
}
