//! What the check of etcd's health may say.

use crate::plan::EtcdPlan;
use serde::Serialize;

/// The context of `/etc/etcd/sealift-etcd-health`.
#[derive(Serialize)]
pub(in crate::render) struct EtcdHealth {
    /// As `--initial-cluster` has them.
    members: String,
    /// Bytes that a database may have.
    quota: u64,
    /// What runs the member's container, by name or path; empty where there is none.
    engine: String,
}

pub(in crate::render) fn context(etcd: &EtcdPlan) -> EtcdHealth {
    EtcdHealth {
        members: etcd.listed.initial_cluster.to_string(),
        quota: etcd.quota(),
        engine: etcd.engine().unwrap_or_default().to_owned(),
    }
}
