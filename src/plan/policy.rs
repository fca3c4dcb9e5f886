//! How a host is held to a file.

use serde::Serialize;
use std::collections::BTreeMap;

/// How a host is held to a file; docs/formats.md has the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Policy {
    /// The host must hold exactly this.
    #[default]
    Managed,
    /// A component rewrites it afterwards; named fields must hold.
    Initial,
    /// Needed once; its absence is no drift.
    Bootstrap,
    /// Another program writes it; nothing is placed.
    Foreign,
    /// Lines between two marks in a file that is not ours.
    Block,
}

impl Policy {
    /// Left out of a plan's digest, so that plans from before there were others keep theirs.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn is_managed(&self) -> bool {
        *self == Self::Managed
    }
}

/// What stays checked of an initial file, or of one that another program writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    /// A format that `check` reads: `kubeconfig` or `kubelet-configuration`.
    pub format: &'static str,
    /// Expected values by field; docs/formats.md names the fields of each format.
    pub values: BTreeMap<String, String>,
}
