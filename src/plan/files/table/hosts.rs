//! Names in `/etc/hosts`.

use super::ROW;
use crate::plan::Policy;
use crate::plan::certs::place::HOSTS;
use crate::plan::files::{FileRow, When};
use crate::plan::preparation::Part;

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[FileRow {
    path: "/etc/hosts",
    on: HOSTS,
    when: When::Prepared(Part::Hosts),
    policy: Policy::Block,
    // the C library and Go's resolver read it anew by themselves; who began with a copy is told in the docs
    why: "names of control planes, members, balancers and the endpoint where no DNS has them, or is up yet",
    ..ROW
}];
