//! Every file that sealift can ever put on a host, besides certificates and keys, as one table.
//!
//! Certificates and their keys stand in [`super::certs::CERTS`]; this table has the rest.

use super::certs::{CERTS, CertPlan, CertRow, Form, Kind, Place, exists};
use super::{ClusterPlan, PasswordPlan, restart};
use crate::spec::types::{CaName, GateRun, Role, Spec};
use serde::Serialize;

/// One kind of file.
#[derive(Debug)]
pub struct FileRow {
    /// Where it lies on a host. The template of a rendered file has the same path.
    pub path: &'static str,
    /// Where it is placed.
    pub on: &'static [Place],
    /// On which condition beyond its place.
    pub when: When,
    /// Octal mode.
    pub mode: u32,
    /// How its contents come about.
    pub source: RowSource,
    /// What must be restarted when it changes; empty when whatever reads it notices by itself.
    pub restart: &'static [&'static str],
    /// Commands that must run when it changes.
    pub run: &'static [&'static str],
    /// Why it exists.
    pub why: &'static str,
}

/// On which condition a file exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// When something checks the host before the kubelet starts.
    Gated,
    /// When the cluster has a Kubernetes control plane.
    Kubernetes,
    /// When the API servers encrypt what they write.
    Encrypted,
    /// When there are bootstrap tokens.
    Tokens,
    /// When the key of the Kubernetes CA is placed on control planes.
    SigningOnHosts,
    /// While something of this host is replaced in steps.
    Rotating,
}

/// How a file of the table comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSource {
    /// From the template of the same path.
    Template,
    /// The key of the keyed digests that stand for this host's secrets.
    VerifyKey,
    /// The API server's `EncryptionConfiguration`.
    EncryptionConfig,
    /// The Secrets of the bootstrap tokens.
    BootstrapTokens,
    /// The hashes of the Kubernetes CA's keys by which nodes know it.
    DiscoveryHash,
    /// The one certificate of an authority that signs now.
    SigningCertificate(&'static str),
}

const ETCD: &[Place] = &[Place::Role(Role::Etcd)];
const ETCD_ALONE: &[Place] = &[Place::EtcdAlone];
const CONTROL_PLANE: &[Place] = &[Place::Role(Role::ControlPlane)];
const HOSTS: &[Place] =
    &[Place::Role(Role::Etcd), Place::Role(Role::ControlPlane), Place::Role(Role::Worker)];
const EVERYWHERE: &[Place] =
    &[Place::Role(Role::Etcd), Place::Role(Role::ControlPlane), Place::Role(Role::Worker), Place::Operator];
const OPERATOR: &[Place] = &[Place::Operator];
const DAEMON_RELOAD: &[&str] = &["systemctl daemon-reload"];

/// Every file there is, besides certificates and keys.
pub const FILES: &[FileRow] = &[
    FileRow {
        path: "/etc/etcd/etcdctl.env",
        on: ETCD,
        when: When::Always,
        mode: 0o644,
        source: RowSource::Template,
        restart: &[],
        run: &[],
        why: "etcdctl's environment: all members, over TLS, with the healthcheck certificate",
    },
    FileRow {
        path: "/etc/kubernetes/cluster/bootstrap-tokens.yaml",
        on: OPERATOR,
        when: When::Tokens,
        mode: 0o600,
        source: RowSource::BootstrapTokens,
        restart: &[],
        run: &[],
        why: "what `kubectl apply` makes the cluster know its bootstrap tokens with",
    },
    FileRow {
        path: "/etc/kubernetes/discovery-hash",
        on: OPERATOR,
        when: When::Kubernetes,
        mode: 0o644,
        source: RowSource::DiscoveryHash,
        restart: &[],
        run: &[],
        why: "for `kubeadm join --discovery-token-ca-cert-hash`",
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/config.yaml",
        on: ETCD_ALONE,
        when: When::Always,
        mode: 0o600,
        source: RowSource::Template,
        restart: &[],
        run: &[],
        why: "what `kubeadm init phase etcd local --config` needs to write the same manifest",
    },
    FileRow {
        path: "/etc/kubernetes/kubelet/config.yaml",
        on: ETCD_ALONE,
        when: When::Always,
        mode: 0o644,
        source: RowSource::Template,
        restart: &["kubelet"],
        run: &[],
        why: "runs the kubelet alone, as etcd's service manager; outside kubelet.service.d, \
              where systemd would read it as a drop-in",
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: ETCD_ALONE,
        when: When::Always,
        mode: 0o600,
        source: RowSource::Template,
        // the kubelet watches the directory and recreates the pod
        restart: &[],
        run: &[],
        why: "the etcd member",
    },
    FileRow {
        path: "/etc/kubernetes/pki/ca-signing.crt",
        on: CONTROL_PLANE,
        when: When::SigningOnHosts,
        mode: 0o644,
        source: RowSource::SigningCertificate("ca"),
        restart: &["static-pod/kube-controller-manager"],
        run: &[],
        why: "for --cluster-signing-cert-file: the controller manager dies of a file with two certificates, \
              which ca.crt is while the CA is rotated",
    },
    FileRow {
        path: "/etc/kubernetes/pki/encryption-config.yaml",
        on: CONTROL_PLANE,
        when: When::Encrypted,
        mode: 0o600,
        source: RowSource::EncryptionConfig,
        restart: &["static-pod/kube-apiserver"],
        run: &[],
        why: "for --encryption-provider-config; below pki, which the API server's pod mounts already",
    },
    FileRow {
        path: "/etc/sealift/RUNBOOK.md",
        on: EVERYWHERE,
        when: When::Rotating,
        mode: 0o644,
        source: RowSource::Template,
        restart: &[],
        run: &[],
        why: "what to restart, wait for and check in this step of a rotation",
    },
    FileRow {
        path: "/etc/sealift/verify.key",
        on: EVERYWHERE,
        when: When::Always,
        mode: 0o600,
        source: RowSource::VerifyKey,
        restart: &[],
        run: &[],
        why: "lets the host check its secrets without publishing their digests",
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf",
        on: ETCD_ALONE,
        when: When::Always,
        mode: 0o644,
        source: RowSource::Template,
        restart: &["kubelet"],
        run: DAEMON_RELOAD,
        why: "starts the kubelet with that configuration; above kubeadm's 10-kubeadm.conf",
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf",
        on: HOSTS,
        when: When::Gated,
        mode: 0o644,
        source: RowSource::Template,
        // the gate speaks at the next start; restarting the kubelet for it would be noise
        restart: &[],
        run: DAEMON_RELOAD,
        why: "the kubelet does not start on a host that drifted",
    },
];

/// One file that will exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilePlan {
    /// Absolute path on the host.
    pub path: String,
    /// Octal mode.
    pub mode: u32,
    /// How its contents come about.
    pub source: Source,
    /// For private keys: the path of the certificate that they belong to.
    pub certificate: Option<String>,
    /// What of this host must be restarted when it changes.
    pub restart: Vec<&'static str>,
    /// Commands that must run when it changes.
    pub run: &'static [&'static str],
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
    /// The host's verify key, sealed.
    VerifyKey,
    /// The API server's `EncryptionConfiguration`, sealed.
    EncryptionConfig,
    /// The Secrets of the bootstrap tokens, sealed.
    BootstrapTokens,
    /// A password of that name, sealed.
    Password(String),
    /// The hashes of the Kubernetes CA's keys.
    DiscoveryHash,
    /// The one certificate of an authority that signs now.
    SigningCertificate(&'static str),
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
            | Self::Password(_) => true,
            Self::Certificate(_)
            | Self::PublicKeys(_)
            | Self::Template(_)
            | Self::DiscoveryHash
            | Self::SigningCertificate(_) => false,
        }
    }
}

/// For what files are planned.
pub(super) struct Site<'a> {
    pub(super) spec: &'a Spec,
    pub(super) cluster: &'a ClusterPlan,
    pub(super) here: &'a [Place],
    pub(super) certificates: &'a [CertPlan],
    pub(super) gate: GateRun,
    pub(super) rotating: bool,
}

impl Site<'_> {
    fn holds(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Gated => self.gate != GateRun::None,
            When::Kubernetes => self.cluster.service_account.is_some(),
            When::Encrypted => self.cluster.encryption.is_some(),
            When::Tokens => !self.cluster.tokens.is_empty(),
            When::SigningOnHosts => self.spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes),
            When::Rotating => self.rotating,
        }
    }

    /// Whether the key of an authority lies here.
    fn has_key(&self, ca: CaName, row: &CertRow) -> bool {
        let asked = self.spec.pki.ca_keys_on_hosts.contains(&ca) && Place::any(self.here, row.key_on_request);
        let external = self.cluster.authority(ca).is_some_and(|plan| plan.certificates.active.is_external());
        (asked || Place::any(self.here, row.key_on)) && !external
    }
}

/// The files of one host, in byte order of their paths.
pub(super) fn plan(site: &Site<'_>) -> Vec<FilePlan> {
    let rows = FILES
        .iter()
        .filter(|row| Place::any(site.here, row.on) && site.holds(row.when))
        .map(|row| from_row(row, site.here));
    let authorities = site.cluster.authorities.iter().flat_map(|authority| {
        let row = authority.certificates.active.row;
        let placed = Place::any(site.here, row.on) && exists(site.spec, row, site.here);
        let with_key = site.has_key(authority.ca, row);
        placed.then(|| of_row(row, with_key, site.here)).into_iter().flatten()
    });
    let leaves =
        site.certificates.iter().flat_map(|planned| of_row(planned.row, planned.with_key, site.here));
    let pairs = CERTS.iter().filter(|row| row.kind == Kind::KeyPair && Place::any(site.here, row.on));
    let pairs =
        pairs.filter(|_| site.cluster.service_account.is_some()).flat_map(|row| of_row(row, true, site.here));
    let passwords = site.cluster.passwords.iter().filter(|password| password.is_on(site.here)).map(password);
    let mut files: Vec<FilePlan> =
        rows.chain(authorities).chain(leaves).chain(pairs).chain(passwords).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn from_row(row: &'static FileRow, here: &[Place]) -> FilePlan {
    FilePlan {
        path: row.path.to_owned(),
        mode: row.mode,
        source: match row.source {
            RowSource::Template => Source::Template(row.path),
            RowSource::VerifyKey => Source::VerifyKey,
            RowSource::EncryptionConfig => Source::EncryptionConfig,
            RowSource::BootstrapTokens => Source::BootstrapTokens,
            RowSource::DiscoveryHash => Source::DiscoveryHash,
            RowSource::SigningCertificate(id) => Source::SigningCertificate(id),
        },
        certificate: None,
        restart: restart::targets(row.restart, here),
        run: row.run,
    }
}

fn password(password: &PasswordPlan) -> FilePlan {
    FilePlan {
        path: password.path(),
        mode: 0o600,
        source: Source::Password(password.name.clone()),
        certificate: None,
        restart: Vec::new(),
        run: &[],
    }
}

/// The files of a certificate or a key pair, with kubeadm's modes: certificates 0644, all else 0600.
fn of_row(row: &'static CertRow, with_key: bool, here: &[Place]) -> Vec<FilePlan> {
    let file = |path, mode, source| FilePlan {
        path,
        mode,
        source,
        certificate: None,
        restart: restart::targets(row.restart, here),
        run: &[],
    };
    let public = row.public_path();
    let mut files = match row.form {
        Form::Pair(_) => vec![file(public, 0o644, Source::Certificate(row.id))],
        Form::PublicKey(_) => vec![file(public, 0o600, Source::PublicKeys(row.id))],
        Form::Kubeconfig(..) => vec![file(public, 0o600, Source::Kubeconfig(row.id))],
    };
    if let Some(path) = row.key_path().filter(|_| with_key) {
        let key = file(path, 0o600, Source::Key(row.id));
        files.push(FilePlan { certificate: row.certificate_path(), ..key });
    }
    files
}

#[cfg(test)]
mod tests {
    use super::{FILES, RowSource};
    use std::collections::BTreeSet;

    #[test]
    fn paths_are_absolute_unique_and_sorted() {
        let paths: Vec<_> = FILES.iter().map(|row| row.path).collect();
        let sorted: BTreeSet<_> = paths.iter().copied().collect();
        assert_eq!(paths, sorted.into_iter().collect::<Vec<_>>());
        assert!(paths.iter().all(|path| path.starts_with("/etc/")));
    }

    #[test]
    fn no_file_of_this_table_collides_with_a_certificate() {
        for row in super::CERTS {
            for path in [Some(row.public_path()), row.key_path()].into_iter().flatten() {
                assert!(FILES.iter().all(|file| file.path != path), "{path} stands in both tables");
            }
        }
    }

    #[test]
    fn secrets_are_for_their_owner_alone() {
        let secret = |source| {
            matches!(source, RowSource::VerifyKey | RowSource::EncryptionConfig | RowSource::BootstrapTokens)
        };
        for row in FILES.iter().filter(|row| secret(row.source)) {
            assert_eq!(row.mode, 0o600, "{}", row.path);
        }
    }
}
