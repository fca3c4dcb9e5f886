//! What lies in the operators' bundle alone.

use super::ROW;
use crate::plan::certs::place::OPERATOR;
use crate::plan::files::{FileRow, RowSource, When};
use crate::plan::objects::Object;

// kube-proxy does not notice a change of its ConfigMap, CoreDNS does
const RESTART_KUBE_PROXY: &str = "kubectl -n kube-system rollout restart daemonset kube-proxy";

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/kubernetes/cluster/10-cluster-admins.yaml",
        on: OPERATOR,
        when: When::Applied(Object::Rbac),
        run: &["kubectl --kubeconfig ../super-admin.conf apply -f 10-cluster-admins.yaml"],
        why: "binds the group of admin.conf; applied first, and with super-admin.conf",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/20-rbac.yaml",
        on: OPERATOR,
        when: When::Applied(Object::Rbac),
        run: &["kubectl apply -f 20-rbac.yaml"],
        why: "the other bindings that `kubeadm init` makes",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/30-kube-proxy.yaml",
        on: OPERATOR,
        when: When::Applied(Object::KubeProxy),
        run: &["kubectl apply -f 30-kube-proxy.yaml", RESTART_KUBE_PROXY],
        why: "kube-proxy, as kubeadm's addon",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/40-coredns.yaml",
        on: OPERATOR,
        when: When::Applied(Object::CoreDns),
        // it reloads its Corefile by itself
        run: &["kubectl apply -f 40-coredns.yaml"],
        why: "CoreDNS, as kubeadm's addon",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/90-nodes.yaml",
        on: OPERATOR,
        when: When::Applied(Object::Nodes),
        run: &["kubectl apply --server-side --field-manager=sealift -f 90-nodes.yaml"],
        why: "labels of nodes that no kubelet may set itself",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/README.md",
        on: OPERATOR,
        when: When::Applied(Object::Any),
        why: "what to apply, in which order",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/bootstrap-tokens.yaml",
        on: OPERATOR,
        when: When::Tokens,
        mode: 0o600,
        source: RowSource::BootstrapTokens,
        run: &["kubectl apply -f bootstrap-tokens.yaml"],
        why: "what `kubectl apply` makes the cluster know its bootstrap tokens with",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/discovery-hash",
        on: OPERATOR,
        when: When::Kubernetes,
        mode: 0o644,
        source: RowSource::DiscoveryHash,
        why: "for `kubeadm join --discovery-token-ca-cert-hash`",
        ..ROW
    },
];
