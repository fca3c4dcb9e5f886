//! Every file that sealift can ever put on a host, besides certificates and keys, as one table.
//!
//! Certificates and their keys stand in [`super::certs::CERTS`]; this table has the rest.

mod site;
mod source;
mod table;
mod when;

#[cfg(test)]
mod tests;

use super::certs::{CERTS, Kind, Place, exists};
use super::objects::ObjectsPlan;
use super::{Fields, Owner, PasswordPlan, Policy, kubeadm, registries, restart};
use serde::Serialize;

pub(super) use site::Site;
pub use source::{RowSource, Source};
pub use table::rows;
pub use when::When;

/// One kind of file.
#[derive(Debug)]
pub struct FileRow {
    /// Where it lies on a host. The template of a rendered file has the same path, unless its source says another.
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

/// One file that will exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilePlan {
    /// Absolute path on the host.
    pub path: String,
    /// Octal mode.
    pub mode: u32,
    /// Whom it belongs to.
    #[serde(skip_serializing_if = "Owner::is_root")]
    pub owner: Owner,
    /// How its contents come about.
    pub source: Source,
    /// How the host is held to it.
    #[serde(skip_serializing_if = "Policy::is_managed")]
    pub policy: Policy,
    /// For initial files and other programs': what stays checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Fields>,
    /// For private keys: the path of the certificate that they belong to.
    pub certificate: Option<String>,
    /// What of this host must be restarted when it changes.
    pub restart: Vec<&'static str>,
    /// Commands that must run when it changes.
    pub run: Vec<String>,
}

/// The files of one host, in byte order of their paths.
pub(super) fn plan(site: &Site<'_>) -> Vec<FilePlan> {
    let rows = rows().filter(|row| site.has(row)).flat_map(|row| from_row(row, site));
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
    let restart =
        if reloads { Vec::new() } else { restart::targets(row.restart, site.here, site.spec.etcd.run) };
    let kubeadms = site.kubeadm.filter(|_| row.policy == Policy::Foreign);
    let file = |path: String, source| FilePlan {
        path,
        mode: row.mode,
        owner: Owner::default(),
        source,
        policy: row.policy,
        fields: kubeadms.and_then(|plan| kubeadm::fields(plan, row.path)),
        certificate: None,
        restart: restart.clone(),
        run: row.run.iter().filter(|_| site.holds(row.run_when)).map(ToString::to_string).collect(),
    };
    let source = match row.source {
        RowSource::Template => Source::Template(row.path),
        RowSource::TemplateOf(path) => Source::Template(path),
        RowSource::EachRegistry => {
            let all = registries::plan(site.spec).into_iter();
            let path = |name: &str| row.path.replace(registries::PLACEHOLDER, &registries::directory(name));
            return all.map(|each| file(path(&each.name), Source::Each(row.path, each.name))).collect();
        }
        RowSource::VerifyKey => Source::VerifyKey,
        RowSource::EncryptionConfig => Source::EncryptionConfig,
        RowSource::BootstrapTokens => Source::BootstrapTokens,
        RowSource::EtcdSecrets => Source::EtcdSecrets,
        RowSource::BootstrapKubeconfig => Source::BootstrapKubeconfig,
        RowSource::KubeadmConfiguration => Source::KubeadmConfiguration,
        RowSource::VrrpPassword => Source::VrrpPassword,
        RowSource::Patch => Source::Patch,
        RowSource::Configuration => Source::Configuration,
        RowSource::Pod => Source::Pod(row.path),
        RowSource::DiscoveryHash => Source::DiscoveryHash,
        RowSource::Authority(id) => Source::Certificate(id),
        RowSource::SigningCertificate(id) => Source::SigningCertificate(id),
        RowSource::Foreign => Source::Foreign,
    };
    vec![file(row.path.to_owned(), source)]
}

fn password(password: &PasswordPlan) -> FilePlan {
    FilePlan {
        path: password.path(),
        mode: 0o600,
        owner: Owner::default(),
        source: Source::Password(password.name.clone()),
        policy: Policy::Managed,
        fields: None,
        certificate: None,
        restart: Vec::new(),
        run: Vec::new(),
    }
}
