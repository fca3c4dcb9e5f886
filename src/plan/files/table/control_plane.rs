//! What the pods of a control plane read, and their manifests where kubeadm writes none.

use super::{POD, ROW};
use crate::plan::certs::place::CONTROL_PLANE;
use crate::plan::files::{FileRow, RowSource, When};

/// One of the API server's own configuration files.
const APISERVER: FileRow =
    FileRow { on: CONTROL_PLANE, mode: 0o600, restart: &["static-pod/kube-apiserver"], ..ROW };

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/kubernetes/apiserver/admission.yaml",
        when: When::Admission,
        why: "for --admission-control-config-file",
        ..APISERVER
    },
    FileRow {
        path: "/etc/kubernetes/apiserver/audit-policy.yaml",
        when: When::Audit,
        why: "for --audit-policy-file",
        ..APISERVER
    },
    FileRow {
        path: "/etc/kubernetes/apiserver/authentication.yaml",
        when: When::Authentication,
        // read again when it changes from 1.30 on: nothing restarts there
        why: "for --authentication-config",
        ..APISERVER
    },
    FileRow {
        path: "/etc/kubernetes/apiserver/oidc-ca.crt",
        when: When::OidcCa,
        why: "for --oidc-ca-file",
        ..APISERVER
    },
    FileRow { path: "/etc/kubernetes/manifests/kube-apiserver.yaml", why: "the API's server", ..POD },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-controller-manager.yaml",
        why: "runs the cluster's controllers",
        ..POD
    },
    FileRow { path: "/etc/kubernetes/manifests/kube-scheduler.yaml", why: "places pods on nodes", ..POD },
    FileRow {
        path: "/etc/kubernetes/pki/ca-signing.crt",
        on: CONTROL_PLANE,
        when: When::SigningOnHosts,
        mode: 0o644,
        source: RowSource::SigningCertificate("ca"),
        restart: &["static-pod/kube-controller-manager"],
        why: "for --cluster-signing-cert-file: the controller manager dies of a file with two certificates, \
              which ca.crt is while the CA is rotated",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/pki/encryption-config.yaml",
        on: CONTROL_PLANE,
        when: When::Encrypted,
        mode: 0o600,
        source: RowSource::EncryptionConfig,
        restart: &["static-pod/kube-apiserver"],
        why: "for --encryption-provider-config; below pki, which the API server's pod mounts already",
        ..ROW
    },
];
