//! What kubeadm reads, and what it writes.

use super::ROW;
use crate::plan::certs::place::{CONTROL_PLANE, NODES, STACKED};
use crate::plan::files::{FileRow, RowSource, When};
use crate::plan::{Policy, Step};
use crate::spec::types::Join;

const UPLOAD: &str = "kubeadm init phase upload-config all --config /etc/kubernetes/kubeadm/init.yaml";
// bundles renew certificates; kubeadm would do it too where a CA's key is
const UPGRADE_CONTROL_PLANE: &str = "kubeadm upgrade node phase control-plane --certificate-renewal=false \
                                     --patches /etc/kubernetes/patches";
const ADDONS: &str = "kubeadm init phase addon all --config /etc/kubernetes/kubeadm/init.yaml";
const UPGRADE_KUBELET: &str = "kubeadm upgrade node phase kubelet-config --patches /etc/kubernetes/patches";

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

/// A manifest that kubeadm writes.
const MANIFEST: FileRow = FileRow { on: CONTROL_PLANE, mode: 0o600, ..KUBEADMS };

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/kubernetes/kubeadm/cluster.yaml",
        on: CONTROL_PLANE,
        when: When::Joins,
        mode: 0o600,
        // when the first control plane has uploaded it
        run: &[UPGRADE_CONTROL_PLANE],
        run_when: When::Initialized,
        why: "what every control plane is made from: says when this one is to be made anew, and is there when \
              the first one is gone",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/init.yaml",
        on: CONTROL_PLANE,
        when: When::Step(Step::Init, Join::Certificates),
        mode: 0o600,
        run: &[UPLOAD, UPGRADE_CONTROL_PLANE, ADDONS],
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
        run: &[UPLOAD, UPGRADE_CONTROL_PLANE, ADDONS],
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
    FileRow { path: "/etc/kubernetes/manifests/kube-apiserver.yaml", why: "kubeadm's own", ..MANIFEST },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-controller-manager.yaml",
        why: "kubeadm's own",
        ..MANIFEST
    },
    FileRow { path: "/etc/kubernetes/manifests/kube-scheduler.yaml", why: "kubeadm's own", ..MANIFEST },
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
    FileRow { path: "/var/lib/kubelet/config.yaml", why: "kubeadm's own", ..KUBEADMS },
    FileRow {
        path: "/var/lib/kubelet/instance-config.yaml",
        why: "kubeadm's own, from 1.34 on by default",
        ..KUBEADMS
    },
    FileRow { path: "/var/lib/kubelet/kubeadm-flags.env", why: "kubeadm's own", ..KUBEADMS },
];
