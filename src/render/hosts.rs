//! Names of the cluster, in a block of `/etc/hosts`.

use crate::plan::preparation::HostsPlan;
use serde::Serialize;

/// The context of the block: one line for each address.
#[derive(Serialize)]
pub(super) struct Hosts {
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    address: String,
    names: Vec<String>,
}

/// The lines of a host.
pub(super) fn context(plan: &HostsPlan) -> Hosts {
    let line = |line: &crate::plan::preparation::HostsLine| Line {
        address: line.address.to_string(),
        names: line.names.clone(),
    };
    Hosts { lines: plan.lines.iter().map(line).collect() }
}
