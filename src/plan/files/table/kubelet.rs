//! What a node's kubelet reads, and its unit.

use super::{DAEMON_RELOAD, KUBELET, ROW};
use crate::plan::Policy;
use crate::plan::certs::place::{HOSTS, NODES};
use crate::plan::files::{FileRow, RowSource, When};

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/default/kubelet",
        on: HOSTS,
        when: When::VariablesIn("/etc/default/kubelet"),
        restart: KUBELET,
        why: "variables of the kubelet's unit, where kubeadm's 10-kubeadm.conf reads them, too",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/bootstrap-kubelet.conf",
        on: NODES,
        when: When::Bootstraps,
        mode: 0o600,
        source: RowSource::BootstrapKubeconfig,
        policy: Policy::Bootstrap,
        restart: KUBELET,
        why: "with what the kubelet asks the cluster for its first certificate; it leaves the file where it is",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubelet.conf",
        on: NODES,
        when: When::Bootstraps,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "the kubelet's own: it names the certificate that the cluster signed",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubelet/config.yaml",
        on: NODES,
        when: When::StaticPods,
        restart: KUBELET,
        why: "configures the kubelet of a node that kubeadm does not make",
        ..ROW
    },
    FileRow {
        path: "/etc/sysconfig/kubelet",
        on: HOSTS,
        when: When::VariablesIn("/etc/sysconfig/kubelet"),
        restart: KUBELET,
        why: "variables of the kubelet's unit, where kubeadm's 10-kubeadm.conf reads them, too, from rpm packages",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service",
        on: HOSTS,
        when: When::WithoutUnit,
        restart: KUBELET,
        run: &["systemctl daemon-reload", "systemctl enable kubelet"],
        why: "the kubelet's unit, as packages have it, where there is no package",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
        on: NODES,
        when: When::KubeadmWithoutUnit,
        restart: KUBELET,
        run: DAEMON_RELOAD,
        why: "starts the kubelet with what kubeadm writes, as packages do, where there is no package",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/10-sealift-proxy.conf",
        on: HOSTS,
        when: When::Proxied,
        restart: KUBELET,
        run: DAEMON_RELOAD,
        why: "the kubelet finds the proxy",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/20-sealift-kubelet.conf",
        on: NODES,
        when: When::StaticPods,
        restart: KUBELET,
        run: DAEMON_RELOAD,
        why: "starts the kubelet of a node that kubeadm does not make; above a 10-kubeadm.conf that is there",
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
