//! `sealift-etcd-health` as installed, run on a machine of a test.

use super::etcd::{Machine, below};
use super::{Ran, run};
use std::fs;
use std::path::{Path, PathBuf};

/// The script of a root directory, with paths below it: where it can be run.
pub(crate) fn script(root: &Path) -> PathBuf {
    let own = root.join("health");
    fs::create_dir_all(&own).unwrap();
    for name in ["sealift-etcd-health", "etcdctl.env"] {
        let text = fs::read_to_string(root.join("etc/etcd").join(name)).unwrap();
        let text = text.replace("/etc/etcd/etcdctl.env", own.join("etcdctl.env").to_str().unwrap());
        fs::write(own.join(name), below(root, &text)).unwrap();
    }
    own.join("sealift-etcd-health")
}

impl Machine {
    /// Runs the installed check with a shell and an etcdctl.
    pub(crate) fn health(&self, shell: &[&str], etcdctl: &Path) -> Ran {
        let mut command = self.inside(shell[0]);
        command.args(&shell[1..]).arg(script(&self.root)).env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin");
        run(command.env("ETCDCTL", etcdctl))
    }
}
