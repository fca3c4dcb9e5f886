//! Files of kube-vip.

use super::POD;
use crate::plan::files::{FileRow, When};
use crate::spec::types::BalancerKind::KubeVip;
use crate::spec::types::BalancerRun::StaticPod;

pub(super) const ROWS: &[FileRow] = &[FileRow {
    path: "/etc/kubernetes/manifests/kube-vip.yaml",
    when: When::Balanced(KubeVip, StaticPod),
    why: "kube-vip: the virtual addresses, under either provisioner",
    ..POD
}];
