//! The table.

mod control_plane;
mod etcd;
mod hosts;
mod keepalived;
mod kube_vip;
mod kubeadm;
mod kubelet;
mod operators;
mod proxies;
mod runtime;
mod sealift;
mod stateful_set;
mod system;

use super::{FileRow, RowSource, When};
use crate::plan::Policy;
use crate::plan::certs::place::CONTROL_PLANE;

/// Every file there is, besides certificates and keys, by what it belongs to.
const ROOMS: &[&[FileRow]] = &[
    etcd::ROWS,
    hosts::ROWS,
    keepalived::ROWS,
    kube_vip::ROWS,
    kubeadm::ROWS,
    control_plane::ROWS,
    kubelet::ROWS,
    operators::ROWS,
    proxies::ROWS,
    runtime::ROWS,
    sealift::ROWS,
    stateful_set::ROWS,
    system::ROWS,
];

/// Every file there is, besides certificates and keys.
pub fn rows() -> impl Iterator<Item = &'static FileRow> {
    ROOMS.iter().copied().flatten()
}

const DAEMON_RELOAD: &[&str] = &["systemctl daemon-reload"];
const KUBELET: &[&str] = &["kubelet"];

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

/// The manifest of a control plane's static pod. The kubelet watches the directory and makes a pod anew
/// whose manifest changes, so nobody restarts anything.
const POD: FileRow =
    FileRow { on: CONTROL_PLANE, when: When::StaticPods, mode: 0o600, source: RowSource::Pod, ..ROW };

#[cfg(test)]
mod tests {
    #[test]
    fn rooms_are_sorted() {
        for room in super::ROOMS {
            assert!(room.is_sorted_by_key(|row| row.path), "{:?}", room.first());
        }
    }
}
