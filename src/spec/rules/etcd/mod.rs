//! Rules of etcd and of its members, in every way to run it.

pub(super) mod containers;
pub(super) mod count;
pub(super) mod membership;
pub(super) mod names;
pub(super) mod pointless;
pub(super) mod run;
pub(super) mod stateful_set;

use super::{Holes, Path, Problem, Spec, hosts};

fn etcd() -> Path {
    Path::root().key("etcd")
}
