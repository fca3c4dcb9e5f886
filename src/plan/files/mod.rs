//! Every file that sealift can ever put on a host, besides certificates and keys, as one table.
//!
//! Certificates and their keys stand in [`super::certs::CERTS`]; this table has the rest.

mod kinds;
mod table;

use super::certs::{CERTS, CertPlan, CertRow, Form, Kind, Place, exists};
use super::objects::{Object, ObjectsPlan};
use super::releases::Release;
use super::{
    ClusterPlan, Fields, KubeadmPlan, KubeletPlan, PasswordPlan, Policy, Step, pods, registries, restart,
};
use crate::spec::types::{ApiServer, CaName, GateRun, Join, Provisioner, Role, RuntimeKind, Spec};
use serde::Serialize;

pub use table::FILES;

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
    /// How the host is held to it.
    pub policy: Policy,
    /// What must be restarted when it changes; empty when whatever reads it notices by itself.
    pub restart: &'static [&'static str],
    /// Commands that must run when it changes.
    pub run: &'static [&'static str],
    /// On which condition these commands make sense.
    pub run_when: When,
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
    /// When kubeadm makes the control plane.
    Kubeadm,
    /// When nobody but the kubelets makes it.
    StaticPods,
    /// Without kubeadm, on nodes that join with a token.
    Bootstraps,
    /// When the kubelet's unit has variables, and the distribution reads them from this file.
    VariablesIn(&'static str),
    /// When there is a proxy.
    Proxied,
    /// When there is a proxy, and this is the container runtime.
    ProxiedRuntime(RuntimeKind),
    /// When no package brings the kubelet's unit.
    WithoutUnit,
    /// The same, and kubeadm makes the node.
    KubeadmWithoutUnit,
    /// Where kubeadm takes this step, and nodes join in this way.
    Step(Step, Join),
    /// Where kubeadm makes the first control plane.
    Initializes,
    /// Where kubeadm makes any other node.
    Joins,
    /// When the cluster runs already.
    Initialized,
    /// When API servers write an audit log.
    Audit,
    /// When API servers have an `AuthenticationConfiguration`.
    Authentication,
    /// When API servers have an `AdmissionConfiguration`.
    Admission,
    /// When an identity provider has an authority of its own.
    OidcCa,
    /// When the operators have such a thing to apply.
    Applied(Object),
    /// When that container runtime fetches images from mirrors.
    Mirrors(RuntimeKind),
}

/// How a file of the table comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSource {
    /// From the template of the same path.
    Template,
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
    /// The kubeconfig with a bootstrap token.
    BootstrapKubeconfig,
    /// The hashes of the Kubernetes CA's keys by which nodes know it.
    DiscoveryHash,
    /// The one certificate of an authority that signs now.
    SigningCertificate(&'static str),
    /// kubeadm's configuration with bootstrap tokens in it.
    KubeadmConfiguration,
    /// A patch that kubeadm lays over what it writes, on hosts that have it.
    Patch,
    /// Another program writes it; for [`Policy::Foreign`].
    Foreign,
}

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
    /// How the host is held to it.
    #[serde(skip_serializing_if = "Policy::is_managed")]
    pub policy: Policy,
    /// For initial files: what stays checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Fields>,
    /// For private keys: the path of the certificate that they belong to.
    pub certificate: Option<String>,
    /// What of this host must be restarted when it changes.
    pub restart: Vec<&'static str>,
    /// Commands that must run when it changes.
    pub run: Vec<String>,
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
    /// A patch of kubeadm's: JSON of the plan.
    Patch,
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
            | Self::BootstrapKubeconfig
            | Self::KubeadmConfiguration
            | Self::Password(_) => true,
            Self::Certificate(_)
            | Self::PublicKeys(_)
            | Self::Template(_)
            | Self::Patch
            | Self::Pod(_)
            | Self::Manifest
            | Self::Each(..)
            | Self::Foreign
            | Self::DiscoveryHash
            | Self::SigningCertificate(_) => false,
        }
    }
}

/// For what files are planned.
pub(super) struct Site<'a> {
    pub(super) spec: &'a Spec,
    pub(super) release: Option<&'static Release>,
    pub(super) cluster: &'a ClusterPlan,
    pub(super) here: &'a [Place],
    pub(super) certificates: &'a [CertPlan],
    pub(super) kubelet: Option<&'a KubeletPlan>,
    pub(super) kubeadm: Option<&'a KubeadmPlan>,
    pub(super) rotating: bool,
    /// What the operators apply; in their bundle alone.
    pub(super) objects: Option<&'a ObjectsPlan>,
}

impl Site<'_> {
    fn holds(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Gated => self.kubelet.is_some_and(|kubelet| kubelet.gate.run != GateRun::None),
            When::Kubernetes => self.cluster.service_account.is_some(),
            When::Encrypted => self.cluster.encryption.is_some(),
            When::Tokens => !self.cluster.tokens.is_empty(),
            When::SigningOnHosts => self.spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes),
            When::Rotating => self.rotating,
            When::Mirrors(kind) => {
                let of = &self.spec.container_runtime;
                of.kind == kind && of.registry_mirrors.values().any(|mirrors| !mirrors.is_empty())
            }
            When::Kubeadm => self.spec.kubernetes.provisioner == Provisioner::Kubeadm,
            When::StaticPods => self.spec.kubernetes.provisioner == Provisioner::StaticPods,
            When::Bootstraps => {
                let node = self.kubelet.and_then(|kubelet| kubelet.node.as_ref());
                node.is_some_and(|node| node.bootstrap.is_some())
            }
            When::VariablesIn(file) => {
                let variables = self.kubelet.and_then(|kubelet| kubelet.environment.as_ref());
                variables.is_some_and(|variables| variables.file == file)
            }
            When::Proxied => self.kubelet.is_some_and(|kubelet| !kubelet.proxy.is_empty()),
            When::ProxiedRuntime(kind) => {
                self.holds(When::Proxied) && self.spec.container_runtime.kind == kind
            }
            When::WithoutUnit => self.kubelet.is_some_and(|kubelet| kubelet.without_unit),
            When::KubeadmWithoutUnit => self.holds(When::Kubeadm) && self.holds(When::WithoutUnit),
            When::Step(step, join) => self.kubeadm.is_some_and(|plan| (plan.step, plan.join) == (step, join)),
            When::Initializes => self.kubeadm.is_some_and(|plan| plan.step == Step::Init),
            When::Joins => self.kubeadm.is_some_and(|plan| plan.step == Step::Join),
            When::Initialized => self.spec.kubernetes.initialized,
            When::Audit => self.api_server().is_some_and(|own| own.audit.is_some()),
            When::Authentication => self.api_server().is_some_and(|own| own.authentication.is_some()),
            When::Admission => self.api_server().is_some_and(|own| own.admission.is_some()),
            When::OidcCa => {
                self.api_server().and_then(|own| own.oidc.as_ref()).is_some_and(|oidc| oidc.ca.is_some())
            }
            When::Applied(object) => self.objects.is_some_and(|objects| objects.has(object)),
        }
    }

    /// Whether a row has a file here.
    fn has(&self, row: &FileRow) -> bool {
        let patch = || self.kubeadm.is_some_and(|plan| plan.patches.contains_key(row.path));
        Place::any(self.here, row.on) && self.holds(row.when) && (row.source != RowSource::Patch || patch())
    }

    /// The settings of the API servers, where there are any.
    fn api_server(&self) -> Option<&ApiServer> {
        Some(&self.spec.kubernetes.api_server).filter(|_| self.holds(When::Kubernetes))
    }

    /// What of this host restarts when a certificate changes.
    fn restarts(&self, row: &CertRow) -> Vec<&'static str> {
        let mut targets = restart::targets(row.restart, self.here);
        // --kubelet-certificate-authority is read at start, unlike --client-ca-file
        if row.kind == Kind::Authority(CaName::Kubernetes)
            && pods::checks_kubelets(self.spec)
            && Place::any(self.here, &[Place::Role(Role::ControlPlane)])
        {
            targets.insert(0, "static-pod/kube-apiserver");
        }
        targets
    }

    /// How the host is held to a row's files: kubeadm makes the kubelet rotate its certificate where
    /// the cluster signs, and points its kubeconfig to it.
    fn policy(&self, row: &CertRow) -> Policy {
        let operator = self.here.contains(&Place::Operator);
        let signed = self.holds(When::Kubeadm) && self.holds(When::SigningOnHosts);
        match row.policy {
            _ if operator => Policy::Managed,
            Policy::Initial if !signed => Policy::Managed,
            policy => policy,
        }
    }

    /// The files of a certificate or a key pair, with kubeadm's modes: certificates 0644, all else 0600.
    fn of_row(&self, row: &'static CertRow, with_key: bool) -> Vec<FilePlan> {
        let file = |path, mode, source| FilePlan {
            path,
            mode,
            source,
            policy: self.policy(row),
            fields: None,
            certificate: None,
            restart: self.restarts(row),
            run: Vec::new(),
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

    /// Whether the key of an authority lies here.
    fn has_key(&self, ca: CaName, row: &CertRow) -> bool {
        let asked = self.spec.pki.ca_keys_on_hosts.contains(&ca) && Place::any(self.here, row.key_on_request);
        let external = self.cluster.authority(ca).is_some_and(|plan| plan.certificates.active.is_external());
        (asked || Place::any(self.here, row.key_on)) && !external
    }
}

/// The files of one host, in byte order of their paths.
pub(super) fn plan(site: &Site<'_>) -> Vec<FilePlan> {
    let rows = FILES.iter().filter(|row| site.has(row)).flat_map(|row| from_row(row, site));
    let authorities = site.cluster.authorities.iter().flat_map(|authority| {
        let row = authority.certificates.active.row;
        let placed = Place::any(site.here, row.on) && exists(site.spec, row, site.here);
        let with_key = site.has_key(authority.ca, row);
        placed.then(|| site.of_row(row, with_key)).into_iter().flatten()
    });
    let leaves = site.certificates.iter().flat_map(|planned| site.of_row(planned.row, planned.with_key));
    let pairs = CERTS.iter().filter(|row| row.kind == Kind::KeyPair && Place::any(site.here, row.on));
    let pairs = pairs.filter(|_| site.cluster.service_account.is_some());
    let pairs = pairs.flat_map(|row| site.of_row(row, true));
    let passwords = site.cluster.passwords.iter().filter(|password| password.is_on(site.here)).map(password);
    let manifests = site.objects.into_iter().flat_map(ObjectsPlan::files);
    let mut files: Vec<FilePlan> =
        rows.chain(authorities).chain(leaves).chain(pairs).chain(passwords).chain(manifests).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The file of a row; of one for each registry, all of them.
fn from_row(row: &'static FileRow, site: &Site<'_>) -> Vec<FilePlan> {
    let reloads = row.when == When::Authentication
        && site.release.is_some_and(|release| release.authentication_reloads);
    let restart = if reloads { Vec::new() } else { restart::targets(row.restart, site.here) };
    let file = |path: String, source| FilePlan {
        path,
        mode: row.mode,
        source,
        policy: row.policy,
        fields: None,
        certificate: None,
        restart: restart.clone(),
        run: row.run.iter().filter(|_| site.holds(row.run_when)).map(ToString::to_string).collect(),
    };
    let source = match row.source {
        RowSource::Template => Source::Template(row.path),
        RowSource::EachRegistry => {
            let all = registries::plan(site.spec).into_iter();
            let path = |name: &str| row.path.replace(registries::PLACEHOLDER, &registries::directory(name));
            return all.map(|each| file(path(&each.name), Source::Each(row.path, each.name))).collect();
        }
        RowSource::VerifyKey => Source::VerifyKey,
        RowSource::EncryptionConfig => Source::EncryptionConfig,
        RowSource::BootstrapTokens => Source::BootstrapTokens,
        RowSource::BootstrapKubeconfig => Source::BootstrapKubeconfig,
        RowSource::KubeadmConfiguration => Source::KubeadmConfiguration,
        RowSource::Patch => Source::Patch,
        RowSource::Pod => Source::Pod(row.path),
        RowSource::DiscoveryHash => Source::DiscoveryHash,
        RowSource::SigningCertificate(id) => Source::SigningCertificate(id),
        RowSource::Foreign => Source::Foreign,
    };
    vec![file(row.path.to_owned(), source)]
}

fn password(password: &PasswordPlan) -> FilePlan {
    FilePlan {
        path: password.path(),
        mode: 0o600,
        source: Source::Password(password.name.clone()),
        policy: Policy::Managed,
        fields: None,
        certificate: None,
        restart: Vec::new(),
        run: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, Join, Place, Policy, RowSource, When};
    use crate::spec::types::Role;
    use std::collections::BTreeSet;

    #[test]
    fn paths_are_absolute_and_sorted_and_no_host_has_one_twice() {
        let paths: Vec<_> = FILES.iter().map(|row| row.path).collect();
        assert!(paths.is_sorted());
        assert!(paths.iter().all(|path| path.starts_with("/etc/") || path.starts_with("/var/lib/kubelet/")));
        let places = |path: &str| -> Vec<_> {
            FILES.iter().filter(|row| row.path == path).flat_map(|row| row.on).collect()
        };
        for path in paths.iter().collect::<BTreeSet<_>>() {
            // a member lies on a control plane or alone, never both, and a host that it is alone on is no node
            let node_or_alone =
                [&Place::EtcdAlone, &Place::Role(Role::ControlPlane), &Place::Role(Role::Worker)];
            let one = places(path).len()
                == FILES.iter().find(|row| row.path == *path).map_or(0, |row| row.on.len());
            let member = [&Place::EtcdAlone, &Place::Stacked];
            // of kubeadm's configurations, one is a secret and the other one is not
            let steps = FILES.iter().filter(|row| row.path == *path);
            let mut steps =
                steps.filter_map(|row| if let When::Step(_, join) = row.when { Some(join) } else { None });
            let by_join = (steps.next(), steps.next(), steps.next());
            let apart = by_join == (Some(Join::Certificates), Some(Join::Token), None);
            let places = places(path);
            // kubeadm's manifest or ours
            let whens: Vec<_> = FILES.iter().filter(|row| row.path == *path).map(|row| row.when).collect();
            let either = whens.ends_with(&[When::Kubeadm, When::StaticPods])
                || whens == [When::Initializes, When::Joins, When::StaticPods];
            assert!(one || apart || either || places == member || places == node_or_alone, "{path}");
        }
    }

    #[test]
    fn no_file_of_this_table_collides_with_a_certificate() {
        for row in super::CERTS {
            for path in [Some(row.public_path()), row.key_path()].into_iter().flatten() {
                // a node has a kubelet.conf of ours or its kubelet's own
                let other = |file: &super::FileRow| file.path != path || file.policy == Policy::Foreign;
                assert!(FILES.iter().all(other), "{path} stands in both tables");
            }
        }
    }

    #[test]
    fn what_others_write_is_foreign_and_the_verify_key_is_managed() {
        for row in FILES {
            assert_eq!(row.policy == Policy::Foreign, row.source == RowSource::Foreign, "{}", row.path);
            assert!(row.source != RowSource::VerifyKey || row.policy == Policy::Managed, "{}", row.path);
        }
    }

    #[test]
    fn secrets_are_for_their_owner_alone() {
        let secret = |source| {
            matches!(
                source,
                RowSource::VerifyKey
                    | RowSource::EncryptionConfig
                    | RowSource::BootstrapTokens
                    | RowSource::BootstrapKubeconfig
                    | RowSource::KubeadmConfiguration
            )
        };
        for row in FILES.iter().filter(|row| secret(row.source)) {
            assert_eq!(row.mode, 0o600, "{}", row.path);
        }
    }
}
