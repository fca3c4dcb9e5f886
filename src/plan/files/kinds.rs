//! What rows of the table have in common: places, commands, and whole kinds of rows.

use super::{FileRow, RowSource, When};
use crate::plan::Policy;
use crate::plan::certs::Place;
use crate::spec::types::Role;

pub(super) const ETCD: &[Place] = &[Place::Role(Role::Etcd)];
pub(super) const STACKED: &[Place] = &[Place::Stacked];
pub(super) const ETCD_ALONE: &[Place] = &[Place::EtcdAlone];
pub(super) const CONTROL_PLANE: &[Place] = &[Place::Role(Role::ControlPlane)];
pub(super) const NODES: &[Place] = &[Place::Role(Role::ControlPlane), Place::Role(Role::Worker)];
pub(super) const HOSTS: &[Place] =
    &[Place::Role(Role::Etcd), Place::Role(Role::ControlPlane), Place::Role(Role::Worker)];
pub(super) const EVERYWHERE: &[Place] =
    &[Place::Role(Role::Etcd), Place::Role(Role::ControlPlane), Place::Role(Role::Worker), Place::Operator];
pub(super) const OPERATOR: &[Place] = &[Place::Operator];
pub(super) const DAEMON_RELOAD: &[&str] = &["systemctl daemon-reload"];
pub(super) const KUBELET: &[&str] = &["kubelet"];

/// What most rows have: a template's file, held to exactly.
pub(super) const ROW: FileRow = FileRow {
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
pub(super) const PATCH: FileRow = FileRow {
    on: CONTROL_PLANE,
    when: When::Kubeadm,
    source: RowSource::Patch,
    // it writes the manifests anew, and waits for the pods
    run: &[UPGRADE_CONTROL_PLANE],
    run_when: When::Initialized,
    ..ROW
};

/// The release of a node.
pub(super) const VERSION: FileRow = FileRow {
    on: NODES,
    restart: KUBELET,
    run_when: When::Initialized,
    why: "the release that the node runs: another one takes other packages, and a kubelet from them",
    ..ROW
};

/// A file that kubeadm writes.
pub(super) const KUBEADMS: FileRow =
    FileRow { on: NODES, when: When::Kubeadm, source: RowSource::Foreign, policy: Policy::Foreign, ..ROW };

pub(super) const UPLOAD: &str =
    "kubeadm init phase upload-config all --config /etc/kubernetes/kubeadm/init.yaml";
// bundles renew certificates; kubeadm would do it too where a CA's key is
pub(super) const UPGRADE_CONTROL_PLANE: &str = "kubeadm upgrade node phase control-plane --certificate-renewal=false \
                                     --patches /etc/kubernetes/patches";
// kube-proxy does not notice a change of its ConfigMap, CoreDNS does
pub(super) const RESTART_KUBE_PROXY: &str = "kubectl -n kube-system rollout restart daemonset kube-proxy";
pub(super) const ADDONS: &str = "kubeadm init phase addon all --config /etc/kubernetes/kubeadm/init.yaml";
// with packages of that release; both restart nothing but static pods
pub(super) const UPGRADE_APPLY: &str = "kubeadm upgrade apply \"$(cat /etc/sealift/kubernetes-version)\" --yes \
                             --certificate-renewal=false --patches /etc/kubernetes/patches";
pub(super) const UPGRADE_NODE: &str =
    "kubeadm upgrade node --certificate-renewal=false --patches /etc/kubernetes/patches";
pub(super) const UPGRADE_KUBELET: &str =
    "kubeadm upgrade node phase kubelet-config --patches /etc/kubernetes/patches";
/// What the API server's own configuration files have.
pub(super) const APISERVER: FileRow =
    FileRow { on: CONTROL_PLANE, mode: 0o600, restart: &["static-pod/kube-apiserver"], ..ROW };

/// What the manifests of a control plane's static pods have. The kubelet watches the directory and makes
/// a pod anew whose manifest changes, so nobody restarts anything.
pub(super) const POD: FileRow =
    FileRow { on: CONTROL_PLANE, when: When::StaticPods, mode: 0o600, source: RowSource::Pod, ..ROW };
