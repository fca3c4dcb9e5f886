//! How files come about.

use serde::Serialize;

/// How a file of the table comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSource {
    /// From the template of the same path.
    Template,
    /// From the template of that other path: one path has several.
    TemplateOf(&'static str),
    /// The manifest of a static pod, from the template of the same path.
    Pod,
    /// From the template of the same path, in which `REGISTRY` stands for each registry with mirrors.
    EachRegistry,
    /// The key of the keyed digests that stand for this host's secrets.
    VerifyKey,
    /// The API server's `EncryptionConfiguration`.
    EncryptionConfig,
    /// The Secrets of the bootstrap tokens.
    BootstrapTokens,
    /// The Secrets of the certificates of etcd's `StatefulSet`.
    EtcdSecrets,
    /// The kubeconfig with a bootstrap token.
    BootstrapKubeconfig,
    /// The hashes of the Kubernetes CA's keys by which nodes know it.
    DiscoveryHash,
    /// A copy of all trusted certificates of the authority of that row, where another program reads them.
    Authority(&'static str),
    /// The one certificate of an authority that signs now.
    SigningCertificate(&'static str),
    /// kubeadm's configuration with bootstrap tokens in it.
    KubeadmConfiguration,
    /// keepalived's password.
    VrrpPassword,
    /// A patch that kubeadm lays over what it writes, on hosts that have it.
    Patch,
    /// A configuration of the plan, written whole in the format of its path.
    Configuration,
    /// Another program writes it; for [`crate::plan::Policy::Foreign`].
    Foreign,
}

/// How a planned file comes about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The certificate of that row; of an authority, all that are trusted.
    Certificate(&'static str),
    /// The private key of that row, sealed.
    Key(&'static str),
    /// The public keys of that row.
    PublicKeys(&'static str),
    /// The kubeconfig of that row, sealed.
    Kubeconfig(&'static str),
    /// From the template of that path.
    Template(&'static str),
    /// The manifest of a static pod from the template of that path, with a digest of the files that the
    /// pod reads at its start only.
    Pod(&'static str),
    /// From the template of that path, for one of several: the registry of that name.
    Each(&'static str, String),
    /// The host's verify key, sealed.
    VerifyKey,
    /// The API server's `EncryptionConfiguration`, sealed.
    EncryptionConfig,
    /// The Secrets of the bootstrap tokens, sealed.
    BootstrapTokens,
    /// The Secrets of the certificates of etcd's `StatefulSet`, sealed.
    EtcdSecrets,
    /// The kubeconfig with a bootstrap token, sealed.
    BootstrapKubeconfig,
    /// A password of that name, sealed.
    Password(String),
    /// The hashes of the Kubernetes CA's keys.
    DiscoveryHash,
    /// The one certificate of an authority that signs now.
    SigningCertificate(&'static str),
    /// kubeadm's configuration with bootstrap tokens in it, sealed.
    KubeadmConfiguration,
    /// keepalived's password, sealed.
    VrrpPassword,
    /// A patch of kubeadm's: JSON of the plan.
    Patch,
    /// A configuration of the plan, written whole in the format of its path.
    Configuration,
    /// A manifest that the spec names, as it is.
    Manifest,
    /// Another program's: nothing is placed.
    Foreign,
}

impl Source {
    /// Whether it is sealed: composed in `derive`, never seen by a template.
    pub const fn is_secret(&self) -> bool {
        match self {
            Self::Key(_)
            | Self::Kubeconfig(_)
            | Self::VerifyKey
            | Self::EncryptionConfig
            | Self::BootstrapTokens
            | Self::EtcdSecrets
            | Self::BootstrapKubeconfig
            | Self::KubeadmConfiguration
            | Self::VrrpPassword
            | Self::Password(_) => true,
            Self::Certificate(_)
            | Self::PublicKeys(_)
            | Self::Template(_)
            | Self::Patch
            | Self::Configuration
            | Self::Pod(_)
            | Self::Manifest
            | Self::Each(..)
            | Self::Foreign
            | Self::DiscoveryHash
            | Self::SigningCertificate(_) => false,
        }
    }
}
