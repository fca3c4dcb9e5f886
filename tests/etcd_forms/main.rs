//! Real etcd clusters from installed bundles, in every form that runs on hosts, under each release that
//! the tests have; members with names instead of addresses; and the check of health: see
//! `support/etcd.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run programs and wait for them"
)]

#[path = "../support/mod.rs"]
mod support;

mod forms;
mod health;
mod names;
mod script;
mod urls;
