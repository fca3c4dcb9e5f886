//! From labels to keys, certificates and sealed files.
//!
//! Secrets exist inside this stage only. What leaves it is public ([`public::Public`]) or sealed
//! ([`Sealed`]); the signing key leaves as an opaque [`Signer`].

mod brought;
pub mod certificate;
mod contents;
mod derived;
pub mod key;
pub mod keyring;
mod kubeadm;
mod kubeconfig;
pub mod label;
mod letters;
pub mod public;
mod request;
pub mod seal;
mod secrets;
mod tls_secret;

use crate::imports::Material as Imported;
use crate::plan::brought::Version;
use crate::plan::certs::Kind;
use crate::plan::{CertPlan, ClusterPlan, FilePlan, HostPlan, Rotated};
use crate::spec::types::CaName;
use crate::verify_key::VerifyKey;
use certificate::{Authority, CertificateError};
use derived::{certificate_key, service_account_key, signer};
use key::{KeyError, PrivateKey};
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
    /// A token's expiry is a date that cannot be written.
    #[error("a bootstrap token expires after the year 2100")]
    Expiry,
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

    /// Its public half.
    fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// What all hosts of a cluster share: authorities, the service-account keys and the signing key.
#[derive(Debug)]
pub struct Cluster<'a> {
    keyring: &'a Keyring,
    plan: &'a ClusterPlan,
    imported: &'a Imported,
    authorities: BTreeMap<CaName, Versions<Authority<'a>>>,
    service_account: Option<Versions<PrivateKey>>,
    signer: Signer,
    /// The public half of the other signing key that hosts trust, while it is replaced.
    beside: Option<[u8; 32]>,
}

/// The one that is used, then the one that is trusted beside it.
#[derive(Debug)]
struct Versions<T> {
    active: T,
    beside: Option<T>,
}

impl<T> Versions<T> {
    fn of<P>(
        plan: &Rotated<P>,
        make: impl Fn(&P, Version) -> Result<T, DeriveError>,
    ) -> Result<Self, DeriveError> {
        let beside = plan.beside.as_ref().map(|beside| make(beside, plan.beside_version()));
        Ok(Self { active: make(&plan.active, plan.active_version())?, beside: beside.transpose()? })
    }

    fn all(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.active).chain(&self.beside)
    }
}

/// The certificate and key of one leaf.
struct Leaf<'p> {
    plan: &'p CertPlan,
    certificate: String,
    key: PrivateKey,
}

/// What an external authority must sign.
#[derive(Clone, Debug)]
pub struct Request {
    /// The authority.
    pub ca: CaName,
    /// The table's id of the certificate.
    pub id: &'static str,
    /// DER of the key's `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    /// The request in PEM (PKCS #10, RFC 2986).
    pub pem: String,
}

type Leaves<'p> = BTreeMap<&'static str, Leaf<'p>>;

impl<'a> Cluster<'a> {
    /// Derives what all hosts share; `imported` is what was made elsewhere.
    ///
    /// # Errors
    /// [`DeriveError`], such as a keyring of another cluster.
    pub fn new(
        plan: &'a ClusterPlan,
        keyring: &'a Keyring,
        imported: &'a Imported,
    ) -> Result<Self, DeriveError> {
        keyring.belongs_to(&plan.id)?;
        let mut authorities = BTreeMap::new();
        for authority in &plan.authorities {
            let versions = Versions::of(&authority.certificates, |planned, version| {
                let deriver = keyring.seed(planned.seed)?;
                if planned.brought.is_some() {
                    let issuer = imported.authority(authority.ca, version);
                    let issuer = issuer.ok_or(DeriveError::Table(planned.row.id))?;
                    return Ok(Authority::brought(issuer, deriver));
                }
                let key = certificate_key(keyring, plan, planned)?;
                Ok(Authority::new(planned, key, deriver)?)
            })?;
            authorities.insert(authority.ca, versions);
        }
        let service_account = plan.service_account.as_ref();
        let service_account = service_account
            .map(|keys| Versions::of(keys, |key, _| service_account_key(keyring, plan, key)))
            .transpose()?;
        let signing = signer(keyring, plan, plan.signing.active)?;
        let other = plan.signing.beside.map(|beside| signer(keyring, plan, beside)).transpose()?;
        let beside = other.map(|signer| signer.public());
        Ok(Self { keyring, plan, imported, authorities, service_account, signer: signing, beside })
    }

    /// The public keys whose bundles hosts trust: the one that signs, then the one beside it.
    pub fn signers(&self) -> Vec<[u8; 32]> {
        std::iter::once(self.signer.public()).chain(self.beside).collect()
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
        let mut leaves = Leaves::new();
        for plan in &host.certificates {
            let key = certificate_key(self.keyring, self.plan, plan)?;
            let certificate = self.certificate(host, plan, &key)?;
            leaves.insert(plan.row.id, Leaf { plan, certificate, key });
        }
        let mut material = Material::default();
        for file in host.files.iter() {
            if file.source.is_secret() {
                let plaintext = self.secret(host, file, &leaves, &verify_key)?;
                let sealed = self.seal(host, file, &verify_key, plaintext.as_bytes())?;
                material.sealed.insert(file.path.clone(), sealed);
            } else if let Some(text) = self.public(&file.source, &leaves)? {
                material.public.insert(file.path.clone(), text);
            }
        }
        Ok(material)
    }

    fn certificate(&self, host: &HostPlan, plan: &CertPlan, key: &PrivateKey) -> Result<String, DeriveError> {
        let authority = &self.authority_of(plan.row)?.active;
        if plan.brought.is_none() {
            return Ok(authority.issue(plan, key)?);
        }
        let issued = self.imported.issued(&host.name, plan.row.id);
        Ok(issued.ok_or(DeriveError::Table(plan.row.id))?.to_owned() + authority.chain())
    }

    /// What the external authorities must sign for one host.
    ///
    /// # Errors
    /// [`DeriveError`].
    pub fn requests(&self, host: &HostPlan) -> Result<Vec<Request>, DeriveError> {
        let mut requests = Vec::new();
        for plan in &host.certificates {
            let Kind::IssuedBy(ca) = plan.row.kind else { continue };
            let authority = self.plan.authority(ca);
            if !authority.is_some_and(|authority| authority.certificates.active.is_external()) {
                continue;
            }
            let key = certificate_key(self.keyring, self.plan, plan)?;
            let (id, spki) = (plan.row.id, key.spki_der()?);
            requests.push(Request { ca, id, spki, pem: request::request(plan, &key)? });
        }
        Ok(requests)
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
