//! Files of etcd members.

use super::{DAEMON_RELOAD, POD, ROW};
use crate::plan::Policy;
use crate::plan::certs::place::{ETCD, ETCD_ALONE, STACKED};
use crate::plan::files::{FileRow, RowSource, When};

/// etcd's unit, whoever makes it.
const UNIT: &[&str] = &["unit/etcd"];

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/containers/systemd/etcd.container",
        on: ETCD,
        when: When::EtcdQuadlet,
        restart: UNIT,
        // its generator makes etcd.service, and starts it at boot: there is nothing to enable
        run: DAEMON_RELOAD,
        why: "the etcd member: podman's Quadlet makes etcd.service of it",
        ..ROW
    },
    FileRow {
        path: "/etc/etcd/etcd.env",
        on: ETCD,
        when: When::EtcdVariables,
        restart: UNIT,
        why: "the settings of the member whose unit is etcd.service",
        ..ROW
    },
    FileRow {
        path: "/etc/etcd/etcd.yaml",
        on: ETCD,
        when: When::EtcdFile,
        restart: UNIT,
        why: "the same as etcd's configuration file; etcd looks at no variable beside it",
        ..ROW
    },
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
        path: "/etc/systemd/system/etcd.service",
        on: ETCD,
        when: When::EtcdService,
        restart: UNIT,
        run: &["systemctl daemon-reload", "systemctl enable etcd.service"],
        why: "runs the member",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/etcd.service",
        on: ETCD,
        when: When::EtcdContainer,
        source: RowSource::TemplateOf("/etc/systemd/system/etcd-container.service"),
        restart: UNIT,
        run: &["systemctl daemon-reload", "systemctl enable etcd.service"],
        why: "the etcd member, in a container of docker's or nerdctl's",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/etcd.service.d/30-sealift-gate.conf",
        on: ETCD,
        when: When::EtcdGated,
        // the gate speaks at the next start
        run: DAEMON_RELOAD,
        why: "etcd does not start on a host that drifted",
        ..ROW
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
    FileRow {
        path: "/etc/sysusers.d/etcd.conf",
        on: ETCD,
        when: When::EtcdService,
        run: &["systemd-sysusers /etc/sysusers.d/etcd.conf"],
        why: "the user of etcd's service",
        ..ROW
    },
    FileRow {
        path: "/etc/tmpfiles.d/etcd.conf",
        on: ETCD,
        when: When::EtcdService,
        run: &["systemd-tmpfiles --create /etc/tmpfiles.d/etcd.conf"],
        why: "the directories of data, whenever they are not there at boot",
        ..ROW
    },
];
