//! The table.

use super::{FileRow, RowSource, When};
use crate::plan::Policy;
use crate::plan::certs::Place;
use crate::spec::types::{Role, RuntimeKind};

const ETCD: &[Place] = &[Place::Role(Role::Etcd)];
const STACKED: &[Place] = &[Place::Stacked];
const ETCD_ALONE: &[Place] = &[Place::EtcdAlone];
const CONTROL_PLANE: &[Place] = &[Place::Role(Role::ControlPlane)];
const HOSTS: &[Place] =
    &[Place::Role(Role::Etcd), Place::Role(Role::ControlPlane), Place::Role(Role::Worker)];
const EVERYWHERE: &[Place] =
    &[Place::Role(Role::Etcd), Place::Role(Role::ControlPlane), Place::Role(Role::Worker), Place::Operator];
const OPERATOR: &[Place] = &[Place::Operator];
const DAEMON_RELOAD: &[&str] = &["systemctl daemon-reload"];

/// What most rows have: a template's file, held to exactly.
const ROW: FileRow = FileRow {
    path: "",
    on: &[],
    when: When::Always,
    mode: 0o644,
    source: RowSource::Template,
    policy: Policy::Managed,
    restart: &[],
    run: &[],
    why: "",
};

/// Every file there is, besides certificates and keys.
pub const FILES: &[FileRow] = &[
    FileRow {
        path: "/etc/containerd/certs.d/REGISTRY/hosts.toml",
        on: HOSTS,
        when: When::Mirrors(RuntimeKind::Containerd),
        source: RowSource::EachRegistry,
        // read at each pull
        why: "where containerd fetches images of a registry instead",
        ..ROW
    },
    FileRow {
        path: "/etc/containers/registries.conf.d/10-sealift.conf",
        on: HOSTS,
        when: When::Mirrors(RuntimeKind::Crio),
        // SIGHUP makes CRI-O read it anew, containers run on
        run: &["systemctl reload crio"],
        why: "where CRI-O fetches images of registries instead",
        ..ROW
    },
    FileRow {
        path: "/etc/etcd/etcdctl.env",
        on: ETCD,
        mode: 0o644,
        why: "etcdctl's environment: all members, over TLS, with the healthcheck certificate",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/bootstrap-tokens.yaml",
        on: OPERATOR,
        when: When::Tokens,
        mode: 0o600,
        source: RowSource::BootstrapTokens,
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
    FileRow {
        path: "/etc/kubernetes/kubeadm/config.yaml",
        on: ETCD_ALONE,
        mode: 0o600,
        why: "what `kubeadm init phase etcd local --config` needs to write the same manifest",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubelet/config.yaml",
        on: ETCD_ALONE,
        mode: 0o644,
        restart: &["kubelet"],
        why: "runs the kubelet alone, as etcd's service manager; outside kubelet.service.d, \
              where systemd would read it as a drop-in",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: ETCD_ALONE,
        mode: 0o600,
        // the kubelet watches the directory and recreates the pod
        why: "the etcd member",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: STACKED,
        when: When::Kubeadm,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own: the member of a control plane",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-apiserver.yaml",
        on: CONTROL_PLANE,
        when: When::Kubeadm,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-controller-manager.yaml",
        on: CONTROL_PLANE,
        when: When::Kubeadm,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-scheduler.yaml",
        on: CONTROL_PLANE,
        when: When::Kubeadm,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own",
        ..ROW
    },
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
    FileRow {
        path: "/etc/sealift/RUNBOOK.md",
        on: EVERYWHERE,
        when: When::Rotating,
        mode: 0o644,
        why: "what to restart, wait for and check in this step of a rotation",
        ..ROW
    },
    FileRow {
        path: "/etc/sealift/verify.key",
        on: EVERYWHERE,
        mode: 0o600,
        source: RowSource::VerifyKey,
        why: "lets the host check its secrets without publishing their digests",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf",
        on: ETCD_ALONE,
        mode: 0o644,
        restart: &["kubelet"],
        run: DAEMON_RELOAD,
        why: "starts the kubelet with that configuration; above kubeadm's 10-kubeadm.conf",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf",
        on: HOSTS,
        when: When::Gated,
        mode: 0o644,
        // the gate speaks at the next start; restarting the kubelet for it would be noise
        run: DAEMON_RELOAD,
        why: "the kubelet does not start on a host that drifted",
        ..ROW
    },
];
