//! From labels to keys, certificates and sealed files.
//!
//! Secrets exist inside this stage only. What leaves it is public ([`public::Public`]) or sealed
//! ([`Sealed`]); the signing key leaves as an opaque [`Signer`].

pub mod certificate;
pub mod key;
pub mod keyring;
pub mod label;
pub mod public;
pub mod seal;

use crate::plan::certs::Kind;
use crate::plan::{CertPlan, ClusterPlan, FilePlan, HostPlan, Source};
use crate::verify_key::VerifyKey;
use certificate::{Authority, CertificateError};
use key::{KeyError, P256Key};
use keyring::{Keyring, KeyringError};
use label::{Label, Purpose};
use public::Public;
use seal::SealError;
use std::collections::BTreeMap;

/// Why material cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// The keyring lacks a seed or is another cluster's.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A file cannot be sealed.
    #[error("{path}: {source}")]
    Seal {
        /// The path on the host.
        path: String,
        /// Why.
        source: SealError,
    },
    /// A row names a CA or a certificate that the plan does not have: a fault in the tables.
    #[error("the tables contradict each other at {0}")]
    Table(&'static str),
}

/// A sealed file with the keyed digest of its plaintext.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The age file.
    pub bytes: Vec<u8>,
    /// HMAC-SHA-256 over path and plaintext, lower-case hex.
    pub hmac: String,
}

/// What exists for one host: public certificates, and secrets sealed.
#[derive(Clone, Debug, Default)]
pub struct Material {
    /// Certificates.
    pub public: Public,
    /// Sealed files by host path.
    pub sealed: BTreeMap<String, Sealed>,
}

/// The key that signs bundles. Prints nothing.
pub struct Signer(ed25519_dalek::SigningKey);

impl Signer {
    /// The key, for the one place that signs.
    pub fn key(&self) -> &ed25519_dalek::SigningKey {
        &self.0
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// What all hosts of a cluster share: the authorities and the signing key.
#[derive(Debug)]
pub struct Cluster<'a> {
    keyring: &'a Keyring,
    plan: &'a ClusterPlan,
    authorities: BTreeMap<&'static str, Authority>,
    signer: Signer,
}

impl<'a> Cluster<'a> {
    /// Derives what all hosts share.
    ///
    /// # Errors
    /// [`DeriveError`], such as a keyring of another cluster.
    pub fn new(plan: &'a ClusterPlan, keyring: &'a Keyring) -> Result<Self, DeriveError> {
        keyring.belongs_to(&plan.id)?;
        let mut authorities = BTreeMap::new();
        for authority in &plan.authorities {
            let deriver = keyring.seed(authority.seed)?;
            let key = certificate_key(keyring, plan, authority)?;
            authorities.insert(authority.row.id, Authority::new(authority, key, deriver)?);
        }
        Ok(Self { keyring, plan, authorities, signer: signer(plan, keyring)? })
    }

    /// The key that signs bundles.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Derives, issues and seals everything of one host.
    ///
    /// # Errors
    /// [`DeriveError`].
    pub fn host(&self, host: &HostPlan) -> Result<Material, DeriveError> {
        let verify_key = self.verify_key(host)?;
        let mut keys: BTreeMap<&'static str, P256Key> = BTreeMap::new();
        let mut material = Material::default();
        for leaf in &host.certificates {
            let key = certificate_key(self.keyring, self.plan, leaf)?;
            material.public.insert(leaf.row.certificate_path(), self.issuer(leaf)?.issue(leaf, &key)?);
            keys.insert(leaf.row.id, key);
        }
        for file in host.files.iter() {
            let plaintext = match file.source {
                Source::Template(_) | Source::Foreign => continue,
                Source::Certificate(id) => {
                    if let Some(authority) = self.authorities.get(id) {
                        material.public.insert(file.path.clone(), authority.pem().to_owned());
                    }
                    continue;
                }
                Source::Key(id) => self.private_key(id, &keys)?.to_pem()?,
                Source::VerifyKey => verify_key.to_file(),
            };
            let sealed = self.seal(host, file, &verify_key, plaintext.as_bytes())?;
            material.sealed.insert(file.path.clone(), sealed);
        }
        Ok(material)
    }

    fn issuer(&self, leaf: &CertPlan) -> Result<&Authority, DeriveError> {
        let Kind::IssuedBy(wanted) = leaf.row.kind else { return Err(DeriveError::Table(leaf.row.id)) };
        let row =
            self.plan.authorities.iter().find(|authority| authority.row.kind == Kind::Authority(wanted));
        row.and_then(|authority| self.authorities.get(authority.row.id))
            .ok_or(DeriveError::Table(leaf.row.id))
    }

    fn private_key<'k>(
        &'k self,
        id: &'static str,
        leaves: &'k BTreeMap<&'static str, P256Key>,
    ) -> Result<&'k P256Key, DeriveError> {
        let authority = self.authorities.get(id).map(Authority::key);
        leaves.get(id).or(authority).ok_or(DeriveError::Table(id))
    }

    /// The key of the keyed digests of one host's secrets.
    fn verify_key(&self, host: &HostPlan) -> Result<VerifyKey, DeriveError> {
        let generation = host.item.generation.to_string();
        let label = Label {
            cluster: &self.plan.id,
            row: "verify-key",
            host: &host.name,
            algorithm: "hmac-sha256",
            generation: &generation,
            ..Label::default()
        };
        Ok(VerifyKey::new(self.keyring.seed(host.item.seed)?.secret(Purpose::Hmac, &label)))
    }

    fn seal(
        &self,
        host: &HostPlan,
        file: &FilePlan,
        verify_key: &VerifyKey,
        plaintext: &[u8],
    ) -> Result<Sealed, DeriveError> {
        let generation = host.item.generation.to_string();
        let place = seal::Place {
            cluster: &self.plan.id,
            host: &host.name,
            path: &file.path,
            generation: &generation,
        };
        let deriver = self.keyring.seed(host.item.seed)?;
        let bytes = seal::seal(deriver, place, &host.recipients, plaintext)
            .map_err(|source| DeriveError::Seal { path: file.path.clone(), source })?;
        Ok(Sealed { bytes, hmac: verify_key.digest(&file.path, plaintext) })
    }
}

/// The key of a certificate: any host's, or an authority's.
fn certificate_key(
    keyring: &Keyring,
    cluster: &ClusterPlan,
    plan: &CertPlan,
) -> Result<P256Key, DeriveError> {
    let label = Label {
        cluster: &cluster.id,
        row: plan.row.id,
        host: plan.host.as_deref().unwrap_or_default(),
        algorithm: plan.algorithm.label(),
        generation: &plan.generation,
        ..Label::default()
    };
    Ok(P256Key::from_bytes(&keyring.seed(plan.seed)?.secret(Purpose::Key, &label))?)
}

fn signer(plan: &ClusterPlan, keyring: &Keyring) -> Result<Signer, DeriveError> {
    let generation = plan.signing.generation.to_string();
    let label = Label {
        cluster: &plan.id,
        row: "signing",
        algorithm: "ed25519",
        generation: &generation,
        ..Label::default()
    };
    let secret = keyring.seed(plan.signing.seed)?.secret::<32>(Purpose::Sign, &label);
    Ok(Signer(ed25519_dalek::SigningKey::from_bytes(&secret)))
}
