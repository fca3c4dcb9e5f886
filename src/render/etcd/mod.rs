//! Contexts of etcd's files, in every way to run it; its static pod is in `pod`.

pub(super) mod container;
pub(super) mod health;
pub(super) mod stateful_set;
pub(super) mod unit;
