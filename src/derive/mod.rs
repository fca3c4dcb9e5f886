//! From labels to keys, certificates and sealed files.
//!
//! Secrets exist inside this stage only. What leaves it is public ([`public::Public`]) or sealed
//! ([`Sealed`]); the signing key leaves as an opaque [`Signer`].

mod brought;
pub mod certificate;
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

use crate::imports::Material as Imported;
use crate::plan::brought::Version;
use crate::plan::certs::{CertRow, Kind};
use crate::plan::{BootstrapPlan, CertPlan, ClusterPlan, FilePlan, HostPlan, KeyPlan, Rotated, Source};
use crate::spec::types::CaName;
use crate::verify_key::VerifyKey;
use certificate::{Authority, CertificateError};
use key::{KeyError, PrivateKey};
use keyring::{Keyring, KeyringError};
use kubeconfig::{Credential, Kubeconfig};
use label::{Label, Purpose};
use public::Public;
use seal::SealError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use zeroize::Zeroizing;

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
        Ok(Self { keyring, plan, imported, authorities, service_account, signer: signer(plan, keyring)? })
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

    /// A public file that comes from keys; none for what templates render.
    fn public(&self, source: &Source, leaves: &Leaves<'_>) -> Result<Option<String>, DeriveError> {
        let text = match source {
            Source::Certificate(id) => match leaves.get(id) {
                Some(leaf) => leaf.certificate.clone(),
                None => self.trusted(id)?,
            },
            Source::SigningCertificate(id) => self.authority(id)?.active.pem().to_owned(),
            Source::PublicKeys(id) => {
                let keys = self.service_account.as_ref().ok_or(DeriveError::Table(id))?;
                keys.all().map(PrivateKey::public_pem).collect::<Result<String, _>>()?
            }
            Source::DiscoveryHash => self.discovery_hashes()?,
            _ => return Ok(None),
        };
        Ok(Some(text))
    }

    /// A secret file's plaintext.
    fn secret(
        &self,
        host: &HostPlan,
        file: &FilePlan,
        leaves: &Leaves<'_>,
        verify_key: &VerifyKey,
    ) -> Result<Zeroizing<String>, DeriveError> {
        let (keyring, plan) = (self.keyring, self.plan);
        match &file.source {
            Source::Key(id) => Ok(self.private_key(id, leaves)?.to_pem()?),
            Source::Kubeconfig(id) => self.kubeconfig(id, leaves),
            Source::VerifyKey => Ok(verify_key.to_file()),
            Source::EncryptionConfig => {
                let encryption = plan.encryption.as_ref().ok_or(DeriveError::Table("encryption-at-rest"))?;
                Ok(secrets::encryption_config(keyring, &plan.id, encryption)?)
            }
            Source::BootstrapTokens => secrets::bootstrap_tokens(keyring, plan)?.ok_or(DeriveError::Expiry),
            Source::BootstrapKubeconfig => {
                let bootstrap = host.bootstrap().ok_or(DeriveError::Table("bootstrap-token"))?;
                self.bootstrap_kubeconfig(bootstrap)
            }
            Source::KubeadmConfiguration => {
                let kubeadm = host.kubeadm.as_ref().ok_or(DeriveError::Table("kubeadm"))?;
                let text = kubeadm::configuration(keyring, plan, kubeadm, &self.discovery_hashes()?)?;
                text.ok_or(DeriveError::Expiry)
            }
            Source::Password(name) => {
                let planned = plan.passwords.iter().find(|password| password.name == *name);
                let planned = planned.ok_or(DeriveError::Table("password"))?;
                Ok(secrets::password(keyring, &plan.id, planned)?)
            }
            Source::Certificate(id) | Source::PublicKeys(id) | Source::SigningCertificate(id) => {
                Err(DeriveError::Table(id))
            }
            Source::Template(path) | Source::Each(path, _) | Source::Pod(path) => {
                Err(DeriveError::Table(path))
            }
            Source::DiscoveryHash | Source::Manifest | Source::Patch | Source::Foreign => {
                Err(DeriveError::Table("no secret"))
            }
        }
    }

    fn kubeconfig(&self, id: &'static str, leaves: &Leaves<'_>) -> Result<Zeroizing<String>, DeriveError> {
        let leaf = leaves.get(id).ok_or(DeriveError::Table(id))?;
        let server = leaf.plan.server.as_ref().ok_or(DeriveError::Table(id))?;
        let key = leaf.key.to_pem()?;
        let kubeconfig = Kubeconfig {
            cluster: &self.plan.name,
            server,
            authorities: &self.trusted("ca")?,
            user: &leaf.plan.cn,
            credential: Credential::Certificate { certificate: &leaf.certificate, key: &key },
        };
        Ok(kubeconfig.write())
    }

    /// With kubeadm's name of the user (`phases/kubeconfig`, `util/kubeconfig`).
    fn bootstrap_kubeconfig(&self, bootstrap: &BootstrapPlan) -> Result<Zeroizing<String>, DeriveError> {
        let planned = self.plan.tokens.iter().find(|token| token.name == bootstrap.token);
        let planned = planned.ok_or(DeriveError::Table("bootstrap-token"))?;
        let kubeconfig = Kubeconfig {
            cluster: &self.plan.name,
            server: &bootstrap.server,
            authorities: &self.trusted("ca")?,
            user: "tls-bootstrap-token-user",
            credential: Credential::Token(&secrets::whole_token(self.keyring, &self.plan.id, planned)?),
        };
        Ok(kubeconfig.write())
    }

    /// The hashes by which `kubeadm join` knows the API server's authority: of each that is trusted,
    /// SHA-256 over its `SubjectPublicKeyInfo` (kubeadm's `util/pubkeypin`).
    fn discovery_hashes(&self) -> Result<String, DeriveError> {
        let mut text = String::new();
        for authority in self.authority("ca")?.all() {
            // writing to a String cannot fail
            let _ = writeln!(text, "sha256:{}", hex::encode(Sha256::digest(authority.spki()?)));
        }
        Ok(text)
    }

    /// All certificates of an authority that are trusted, the one that signs first.
    fn trusted(&self, id: &'static str) -> Result<String, DeriveError> {
        Ok(self.authority(id)?.all().map(Authority::pem).collect())
    }

    fn authority(&self, id: &'static str) -> Result<&Versions<Authority<'_>>, DeriveError> {
        let row = CertRow::find(id).filter(|row| matches!(row.kind, Kind::Authority(_)));
        self.authority_of(row.ok_or(DeriveError::Table(id))?)
    }

    /// The authority that a row is, or that issues it.
    fn authority_of(&self, row: &CertRow) -> Result<&Versions<Authority<'_>>, DeriveError> {
        let (Kind::Authority(ca) | Kind::IssuedBy(ca)) = row.kind else {
            return Err(DeriveError::Table(row.id));
        };
        self.authorities.get(&ca).ok_or(DeriveError::Table(row.id))
    }

    fn private_key<'k>(
        &'k self,
        id: &'static str,
        leaves: &'k Leaves<'_>,
    ) -> Result<&'k PrivateKey, DeriveError> {
        if let Some(leaf) = leaves.get(id) {
            return Ok(&leaf.key);
        }
        let row = CertRow::find(id).ok_or(DeriveError::Table(id))?;
        let key = match row.kind {
            Kind::KeyPair => self.service_account.as_ref().map(|keys| &keys.active),
            Kind::Authority(ca) => self.authorities.get(&ca).and_then(|authority| authority.active.key()),
            Kind::IssuedBy(_) => None,
        };
        key.ok_or(DeriveError::Table(id))
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
) -> Result<PrivateKey, DeriveError> {
    let label = Label {
        cluster: &cluster.id,
        row: plan.row.id,
        host: plan.host.as_deref().unwrap_or_default(),
        algorithm: plan.algorithm.label(),
        generation: &plan.generation,
        ..Label::default()
    };
    Ok(PrivateKey::derived(plan.algorithm, keyring.seed(plan.seed)?, &label)?)
}

/// The key that signs service-account tokens, one for all hosts.
fn service_account_key(
    keyring: &Keyring,
    cluster: &ClusterPlan,
    plan: &KeyPlan,
) -> Result<PrivateKey, DeriveError> {
    let generation = plan.generation.to_string();
    let label = Label {
        cluster: &cluster.id,
        row: "sa",
        algorithm: plan.algorithm.label(),
        generation: &generation,
        ..Label::default()
    };
    Ok(PrivateKey::derived(plan.algorithm, keyring.seed(plan.seed)?, &label)?)
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
