//! sealift's own.

use super::{DAEMON_RELOAD, KUBELET, ROW};
use crate::plan::certs::place::{EVERYWHERE, HOSTS, NODES};
use crate::plan::files::{FileRow, RowSource, When};

// with packages of that release; both restart nothing but static pods
const UPGRADE_APPLY: &str = "kubeadm upgrade apply \"$(cat /etc/sealift/kubernetes-version)\" --yes \
                             --certificate-renewal=false --patches /etc/kubernetes/patches";
const UPGRADE_NODE: &str =
    "kubeadm upgrade node --certificate-renewal=false --patches /etc/kubernetes/patches";

/// The release of a node.
const VERSION: FileRow = FileRow {
    path: "/etc/sealift/kubernetes-version",
    on: NODES,
    restart: KUBELET,
    run_when: When::Initialized,
    why: "the release that the node runs: another one takes other packages, and a kubelet from them",
    ..ROW
};

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/sealift/RUNBOOK.md",
        on: EVERYWHERE,
        when: When::Told,
        mode: 0o644,
        why: "what to do, wait for and check in this step of a rotation, or while etcd's members come and go",
        ..ROW
    },
    FileRow { when: When::Initializes, run: &[UPGRADE_APPLY], ..VERSION },
    FileRow { when: When::Joins, run: &[UPGRADE_NODE], ..VERSION },
    FileRow { when: When::StaticPods, ..VERSION },
    FileRow {
        path: "/etc/sealift/verify.key",
        on: EVERYWHERE,
        mode: 0o600,
        source: RowSource::VerifyKey,
        why: "lets the host check its secrets without publishing their digests",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/sealift-verify.service",
        on: HOSTS,
        when: When::Timed,
        run: DAEMON_RELOAD,
        why: "verifies the host, and writes what it finds as metrics",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/sealift-verify.timer",
        on: HOSTS,
        when: When::Timed,
        run: &["systemctl daemon-reload", "systemctl enable --now sealift-verify.timer"],
        why: "when the host is verified, beside the gates",
        ..ROW
    },
];
