//! Files of etcd members.

use super::{DAEMON_RELOAD, POD, ROW};
use crate::plan::Policy;
use crate::plan::certs::place::{ETCD, ETCD_ALONE, STACKED};
use crate::plan::files::{FileRow, RowSource, When};

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/etcd/etcdctl.env",
        on: ETCD,
        why: "etcdctl's environment: all members, over TLS, with the healthcheck certificate",
        ..ROW
    },
    FileRow {
        path: "/etc/etcd/sealift-etcd-health",
        on: ETCD,
        mode: 0o755,
        why: "says whether etcd is well, to people and to monitoring",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/config.yaml",
        on: ETCD_ALONE,
        when: When::EtcdPod,
        mode: 0o600,
        why: "what `kubeadm init phase etcd local --config` needs to write the same manifest",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubelet/config.yaml",
        on: ETCD_ALONE,
        when: When::EtcdPod,
        restart: &["kubelet"],
        why: "runs the kubelet alone, as etcd's service manager; outside kubelet.service.d, \
              where systemd would read it as a drop-in",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: ETCD_ALONE,
        when: When::EtcdPod,
        mode: 0o600,
        // the kubelet watches the directory and recreates the pod
        why: "the etcd member",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: STACKED,
        when: When::KubeadmEtcd,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own: the member of a control plane",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: STACKED,
        when: When::StaticPodsEtcd,
        why: "the etcd member of a control plane",
        ..POD
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf",
        on: ETCD_ALONE,
        when: When::EtcdPod,
        mode: 0o644,
        restart: &["kubelet"],
        run: DAEMON_RELOAD,
        why: "starts the kubelet with that configuration; above kubeadm's 10-kubeadm.conf",
        ..ROW
    },
];
