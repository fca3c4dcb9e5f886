//! Every file that sealift can ever put on a host, besides certificates and keys, as one table.
//!
//! Certificates and their keys stand in [`super::certs::CERTS`]; this table has the rest.

use super::certs::{CERTS, CertPlan, Place};
use crate::spec::types::{GateRun, Role};
use serde::Serialize;
use std::collections::BTreeMap;

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
}

/// How a file of the table comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSource {
    /// From the template of the same path.
    Template,
    /// The key of the keyed digests that stand for this host's secrets.
    VerifyKey,
    /// Another program writes it; for [`Policy::Foreign`].
    Foreign,
}

/// How a host is held to a file; docs/formats.md has the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Policy {
    /// The host must hold exactly this.
    #[default]
    Managed,
    /// A component rewrites it afterwards; named fields must hold.
    Initial,
    /// Needed once; its absence is no drift.
    Bootstrap,
    /// Another program writes it; nothing is placed.
    Foreign,
}

impl Policy {
    /// Left out of a plan's digest, so that plans from before there were others keep theirs.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_managed(&self) -> bool {
        *self == Self::Managed
    }
}

/// What stays checked of an initial file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    /// A format that `check` reads: `kubeconfig` or `kubelet-configuration`.
    pub format: &'static str,
    /// Expected values by field; docs/formats.md names the fields of each format.
    pub values: BTreeMap<String, String>,
}

const ETCD: &[Place] = &[Place::Role(Role::Etcd)];
const EVERYWHERE: &[Place] = &[Place::Role(Role::Etcd), Place::Operator];
const DAEMON_RELOAD: &[&str] = &["systemctl daemon-reload"];

/// Every file there is, besides certificates and keys.
pub const FILES: &[FileRow] = &[
    FileRow {
        path: "/etc/etcd/etcdctl.env",
        on: ETCD,
        when: When::Always,
        mode: 0o644,
        source: RowSource::Template,
        policy: Policy::Managed,
        restart: &[],
        run: &[],
        why: "etcdctl's environment: all members, over TLS, with the healthcheck certificate",
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/config.yaml",
        on: ETCD,
        when: When::Always,
        mode: 0o600,
        source: RowSource::Template,
        policy: Policy::Managed,
        restart: &[],
        run: &[],
        why: "what `kubeadm init phase etcd local --config` needs to write the same manifest",
    },
    FileRow {
        path: "/etc/kubernetes/kubelet/config.yaml",
        on: ETCD,
        when: When::Always,
        mode: 0o644,
        source: RowSource::Template,
        policy: Policy::Managed,
        restart: &["kubelet"],
        run: &[],
        why: "runs the kubelet alone, as etcd's service manager; outside kubelet.service.d, \
              where systemd would read it as a drop-in",
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: ETCD,
        when: When::Always,
        mode: 0o600,
        source: RowSource::Template,
        policy: Policy::Managed,
        // the kubelet watches the directory and recreates the pod
        restart: &[],
        run: &[],
        why: "the etcd member",
    },
    FileRow {
        path: "/etc/sealift/verify.key",
        on: EVERYWHERE,
        when: When::Always,
        mode: 0o600,
        source: RowSource::VerifyKey,
        policy: Policy::Managed,
        restart: &[],
        run: &[],
        why: "lets the host check its secrets without publishing their digests",
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf",
        on: ETCD,
        when: When::Always,
        mode: 0o644,
        source: RowSource::Template,
        policy: Policy::Managed,
        restart: &["kubelet"],
        run: DAEMON_RELOAD,
        why: "starts the kubelet with that configuration; above kubeadm's 10-kubeadm.conf",
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf",
        on: ETCD,
        when: When::Gated,
        mode: 0o644,
        source: RowSource::Template,
        policy: Policy::Managed,
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
    /// How the host is held to it.
    #[serde(skip_serializing_if = "Policy::is_managed")]
    pub policy: Policy,
    /// For initial files: what stays checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Fields>,
    /// For private keys: the path of the certificate that they belong to.
    pub certificate: Option<String>,
    /// What must be restarted when it changes.
    pub restart: &'static [&'static str],
    /// Commands that must run when it changes.
    pub run: &'static [&'static str],
}

/// How a planned file comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The certificate of that row.
    Certificate(&'static str),
    /// The private key of that row, sealed.
    Key(&'static str),
    /// From the template of that path.
    Template(&'static str),
    /// The host's verify key, sealed.
    VerifyKey,
    /// Another program's: nothing is placed.
    Foreign,
}

/// The files of one host, in byte order of their paths.
pub(super) fn plan(here: &[Place], certificates: &[CertPlan], gate: GateRun) -> Vec<FilePlan> {
    let rows = FILES
        .iter()
        .filter(|row| Place::any(here, row.on))
        .filter(|row| row.when == When::Always || gate != GateRun::None)
        .map(from_row);
    let authorities = CERTS
        .iter()
        .filter(|row| matches!(row.kind, super::certs::Kind::Authority(_)) && Place::any(here, row.on))
        .flat_map(|row| pair(row, Place::any(here, row.key_on)));
    let leaves = certificates.iter().flat_map(|planned| pair(planned.row, planned.with_key));
    let mut files: Vec<FilePlan> = rows.chain(authorities).chain(leaves).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn from_row(row: &'static FileRow) -> FilePlan {
    FilePlan {
        path: row.path.to_owned(),
        mode: row.mode,
        source: match row.source {
            RowSource::Template => Source::Template(row.path),
            RowSource::VerifyKey => Source::VerifyKey,
            RowSource::Foreign => Source::Foreign,
        },
        policy: row.policy,
        fields: None,
        certificate: None,
        restart: row.restart,
        run: row.run,
    }
}

/// A certificate, 0644, and its key, 0600: kubeadm's modes.
fn pair(row: &'static super::certs::CertRow, with_key: bool) -> impl Iterator<Item = FilePlan> {
    let file = |path, mode, source| FilePlan {
        path,
        mode,
        source,
        policy: Policy::Managed,
        fields: None,
        certificate: None,
        restart: row.restart,
        run: &[],
    };
    let certificate = file(row.certificate_path(), 0o644, Source::Certificate(row.id));
    let key = with_key.then(|| FilePlan {
        certificate: Some(row.certificate_path()),
        ..file(row.key_path(), 0o600, Source::Key(row.id))
    });
    std::iter::once(certificate).chain(key)
}

#[cfg(test)]
mod tests {
    use super::{FILES, Policy, RowSource};
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
            for suffix in ["crt", "key"] {
                let path = format!("/etc/kubernetes/pki/{}.{suffix}", row.file);
                assert!(FILES.iter().all(|file| file.path != path), "{path} stands in both tables");
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
        for row in FILES.iter().filter(|row| row.source == RowSource::VerifyKey) {
            assert_eq!(row.mode, 0o600, "{}", row.path);
        }
    }
}
