//! What the files of a host say: certificates and public keys in the open, secrets before they are sealed.

use super::certificate::Authority;
use super::key::PrivateKey;
use super::kubeconfig::{Credential, Kubeconfig};
use super::tls_secret::TlsSecret;
use super::{Cluster, DeriveError, Leaves, Versions, kubeadm, secrets};
use crate::plan::certs::{CertRow, Kind, When};
use crate::plan::{BootstrapPlan, FilePlan, HostPlan, Source};
use crate::verify_key::VerifyKey;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use zeroize::Zeroizing;

impl Cluster<'_> {
    /// A public file that comes from keys; none for what templates render.
    pub(super) fn public(&self, source: &Source, leaves: &Leaves<'_>) -> Result<Option<String>, DeriveError> {
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
    pub(super) fn secret(
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
            Source::EtcdSecrets => self.etcd_secrets(host, leaves),
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
            Source::VrrpPassword => {
                let password = host.vrrp_password().ok_or(DeriveError::Table("vrrp-password"))?;
                Ok(secrets::vrrp_authentication(keyring, &plan.id, password)?)
            }
            Source::Certificate(id) | Source::PublicKeys(id) | Source::SigningCertificate(id) => {
                Err(DeriveError::Table(id))
            }
            Source::Template(path) | Source::Each(path, _) | Source::Pod(path) => {
                Err(DeriveError::Table(path))
            }
            Source::DiscoveryHash
            | Source::Manifest
            | Source::Patch
            | Source::Configuration
            | Source::Foreign => Err(DeriveError::Table("no secret")),
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

    /// Secrets of type `kubernetes.io/tls`, with the authorities beside each pair, as cert-manager makes them.
    fn etcd_secrets(&self, host: &HostPlan, leaves: &Leaves<'_>) -> Result<Zeroizing<String>, DeriveError> {
        let set = host.stateful_set.as_ref().ok_or(DeriveError::Table("etcd-statefulset"))?;
        let authorities = self.trusted("etcd-ca")?;
        let mut text = Zeroizing::new(String::with_capacity(64 * 1024));
        for (id, leaf) in leaves.iter().filter(|(_, leaf)| leaf.plan.row.when == When::StatefulSet) {
            let secret = TlsSecret {
                name: &set.secret(id),
                namespace: &set.namespace,
                instance: &set.name,
                authorities: &authorities,
                certificate: &leaf.certificate,
                key: &leaf.key.to_pem()?,
            };
            if !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(&secret.write());
        }
        Ok(text)
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
    pub(super) fn authority_of(&self, row: &CertRow) -> Result<&Versions<Authority<'_>>, DeriveError> {
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
}
