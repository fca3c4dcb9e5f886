//! etcd in a cluster that exists: what operators apply.

use super::ROW;
use crate::plan::certs::place::OPERATOR;
use crate::plan::etcd::stateful_set::Part;
use crate::plan::files::{FileRow, RowSource, When};

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/kubernetes/etcd/00-namespace.yaml",
        on: OPERATOR,
        when: When::StatefulSet(Part::Namespace),
        run: &["kubectl apply -f 00-namespace.yaml"],
        why: "the namespace, where the cluster does not have it",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/etcd/10-certificates.yaml",
        on: OPERATOR,
        when: When::StatefulSet(Part::CertManager),
        run: &["kubectl apply -f 10-certificates.yaml"],
        why: "what cert-manager issues",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/etcd/10-secrets.yaml",
        on: OPERATOR,
        when: When::StatefulSet(Part::Secrets),
        mode: 0o600,
        source: RowSource::EtcdSecrets,
        // else keys would stand in an annotation too
        run: &["kubectl apply --server-side -f 10-secrets.yaml"],
        why: "the pods' certificates and keys",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/etcd/15-members.yaml",
        on: OPERATOR,
        when: When::StatefulSet(Part::Any),
        // apart from the template, so that a member more restarts none of the others
        run: &["kubectl apply -f 15-members.yaml"],
        why: "what a pod with an empty volume begins with",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/etcd/20-services.yaml",
        on: OPERATOR,
        when: When::StatefulSet(Part::Any),
        run: &["kubectl apply -f 20-services.yaml"],
        why: "the names of the pods, and the clients' way in",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/etcd/30-statefulset.yaml",
        on: OPERATOR,
        when: When::StatefulSet(Part::Any),
        // pods read authorities at their start only: an annotation changes with them
        source: RowSource::Pod,
        run: &["kubectl apply -f 30-statefulset.yaml"],
        why: "the members",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/etcd/40-disruption-budget.yaml",
        on: OPERATOR,
        when: When::StatefulSet(Part::Any),
        run: &["kubectl apply -f 40-disruption-budget.yaml"],
        why: "drains take one member at a time",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/etcd/README.md",
        on: OPERATOR,
        when: When::StatefulSet(Part::Any),
        why: "what to apply, in which order; how members come and go",
        ..ROW
    },
];
