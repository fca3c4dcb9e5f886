//! The table.

use super::{FileRow, RowSource, When};
use crate::plan::certs::Place;
use crate::plan::{Policy, Step};
use crate::spec::types::{Join, Role};

const ETCD: &[Place] = &[Place::Role(Role::Etcd)];
const STACKED: &[Place] = &[Place::Stacked];
const ETCD_ALONE: &[Place] = &[Place::EtcdAlone];
const CONTROL_PLANE: &[Place] = &[Place::Role(Role::ControlPlane)];
const NODES: &[Place] = &[Place::Role(Role::ControlPlane), Place::Role(Role::Worker)];
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
    run_when: When::Always,
    why: "",
};

/// A patch of kubeadm's.
const PATCH: FileRow = FileRow {
    on: CONTROL_PLANE,
    when: When::Kubeadm,
    source: RowSource::Patch,
    // it writes the manifests anew, and waits for the pods
    run: &[UPGRADE_CONTROL_PLANE],
    run_when: When::Initialized,
    ..ROW
};

/// A file that kubeadm writes.
const KUBEADMS: FileRow =
    FileRow { on: NODES, when: When::Kubeadm, source: RowSource::Foreign, policy: Policy::Foreign, ..ROW };

const UPLOAD: &str = "kubeadm init phase upload-config all --config /etc/kubernetes/kubeadm/init.yaml";
// bundles renew certificates; kubeadm would do it too where a CA's key is
const UPGRADE_CONTROL_PLANE: &str = "kubeadm upgrade node phase control-plane --certificate-renewal=false \
                                     --patches /etc/kubernetes/patches";
const UPGRADE_KUBELET: &str = "kubeadm upgrade node phase kubelet-config --patches /etc/kubernetes/patches";

/// Every file there is, besides certificates and keys.
pub const FILES: &[FileRow] = &[
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
        path: "/etc/kubernetes/kubeadm/init.yaml",
        on: CONTROL_PLANE,
        when: When::Step(Step::Init, Join::Certificates),
        mode: 0o600,
        run: &[UPLOAD, UPGRADE_CONTROL_PLANE],
        run_when: When::Initialized,
        why: "for `kubeadm init --config`; what is uploaded from it every control plane is made from",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/init.yaml",
        on: CONTROL_PLANE,
        when: When::Step(Step::Init, Join::Token),
        mode: 0o600,
        source: RowSource::KubeadmConfiguration,
        run: &[UPLOAD, UPGRADE_CONTROL_PLANE],
        run_when: When::Initialized,
        why: "the same with the bootstrap tokens, which `kubeadm init` makes known to the cluster",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/join.yaml",
        on: NODES,
        when: When::Step(Step::Join, Join::Certificates),
        mode: 0o600,
        // read once: when the node joins
        why: "for `kubeadm join --config`",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/join.yaml",
        on: NODES,
        when: When::Step(Step::Join, Join::Token),
        mode: 0o600,
        source: RowSource::KubeadmConfiguration,
        // whoever wants the token off the disk may remove it when the node has joined
        policy: Policy::Bootstrap,
        why: "the same with a bootstrap token",
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
        path: "/etc/kubernetes/patches/etcd+merge.json",
        on: STACKED,
        why: "the spec's patch of etcd.yaml",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-apiserver+merge.json",
        why: "the spec's patch of kube-apiserver.yaml",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-apiserver+strategic.json",
        why: "what kubeadm has no field for: an image by name, variables before 1.31",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-controller-manager+merge.json",
        why: "the spec's patch of kube-controller-manager.yaml",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-controller-manager+strategic.json",
        why: "what kubeadm has no field for: an image by name, variables before 1.31",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-scheduler+merge.json",
        why: "the spec's patch of kube-scheduler.yaml",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-scheduler+strategic.json",
        why: "what kubeadm has no field for: an image by name, variables before 1.31",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kubeletconfiguration+merge.json",
        on: NODES,
        restart: &["kubelet"],
        run: &[UPGRADE_KUBELET],
        why: "what this host's kubelet has beside the cluster's configuration; whether it renews its certificate",
        ..PATCH
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
    FileRow { path: "/var/lib/kubelet/config.yaml", why: "kubeadm's own", ..KUBEADMS },
    FileRow {
        path: "/var/lib/kubelet/instance-config.yaml",
        why: "kubeadm's own, from 1.34 on by default",
        ..KUBEADMS
    },
    FileRow { path: "/var/lib/kubelet/kubeadm-flags.env", why: "kubeadm's own", ..KUBEADMS },
];
