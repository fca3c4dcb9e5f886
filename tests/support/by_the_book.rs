//! Follows a runbook to the letter: its blocks run on a machine as if the machine's root directory and
//! network were all there is. What the machine's service manager would do, the caller does.

use super::etcd::{Cluster, Machine};
use super::{Ran, SEALIFT, blocks, run_with_input};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Enters a machine's root directory in namespaces of its own: programs come from this system, all
/// other files from the machine.
const ENTER: &str = r#"set -e
cd "$1"; name=$2; sealift=$3; etcdctl=$4
hostname "$name"
mkdir -p dev proc root run tmp usr etc/alternatives opt/test
touch opt/test/sealift opt/test/etcdctl
for directory in bin sbin lib lib64; do
  if test -L /$directory; then
    test -L $directory || cp -P /$directory $directory
  elif test -d /$directory; then
    mkdir -p $directory; mount --rbind /$directory $directory
  fi
done
for directory in dev proc usr etc/alternatives; do mount --rbind /$directory $directory; done
mount --bind "$sealift" opt/test/sealift
mount --bind "$etcdctl" opt/test/etcdctl
exec chroot . /usr/bin/env -i PATH=/opt/test:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -c 'cd /root; . /dev/fd/3' 3<&0
"#;

/// A stand-in for systemctl: notes what it is told, for [`Cluster::obey`].
const SYSTEMCTL: &str = "#!/bin/sh\necho \"$*\" >> /run/systemctl\n";

impl Machine {
    /// Runs shell text on this machine, which must succeed.
    #[track_caller]
    pub(crate) fn sh(&self, etcdctl: &Path, text: &str) -> Ran {
        let stub = self.root.join("opt/test/systemctl");
        if !stub.exists() {
            fs::create_dir_all(stub.parent().unwrap()).unwrap();
            fs::write(&stub, SYSTEMCTL).unwrap();
            fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut command = self.inside("unshare");
        command.args(["--mount", "--uts", "sh", "-c", ENTER, "sh"]).arg(&self.root);
        command.args([self.name, SEALIFT]).arg(etcdctl);
        // its last command decides, as for a person who looks at the screen
        let ran = run_with_input(&mut command, format!("{text}\n").as_bytes());
        assert_eq!(ran.code, 0, "on {}:\n{text}\n{ran:#?}", self.name);
        ran
    }
}

impl Cluster {
    /// The machine of a name.
    pub(crate) fn number(&self, name: &str) -> usize {
        self.machines.iter().position(|machine| machine.name == name).unwrap()
    }

    /// Does what a machine's service manager was told, and what a kubelet does by itself.
    fn obey(&mut self, number: usize) {
        let root = self.machines[number].root.clone();
        let words = fs::read_to_string(root.join("run/systemctl")).unwrap_or_default();
        let _ = fs::remove_file(root.join("run/systemctl"));
        for line in words.lines() {
            let runs = self.machines[number].etcd.is_some();
            match line {
                "restart kubelet" | "enable --now etcd" | "start etcd" if !runs => self.start_one(number),
                "stop etcd" | "disable --now etcd" if runs => self.machines[number].stop(),
                "daemon-reload"
                | "restart kubelet"
                | "enable --now etcd"
                | "start etcd"
                | "stop etcd"
                | "disable --now etcd"
                | "enable etcd"
                | "enable etcd.service" => {}
                other => panic!("systemctl {other}"),
            }
        }
        let pod = root.join("etc/kubernetes/manifests/etcd.yaml");
        let unit = root.join("etc/etcd/etcd.env").exists() || root.join("etc/etcd/etcd.yaml").exists();
        if !unit && !pod.exists() && self.machines[number].etcd.is_some() {
            self.machines[number].stop();
        }
    }

    /// One block on one machine.
    #[track_caller]
    pub(crate) fn block(&mut self, number: usize, session: &str, block: &str) -> Ran {
        let ran = self.machines[number].sh(&self.etcdctl, &format!("{session}{block}"));
        self.obey(number);
        ran
    }

    /// Hands a machine what an operator brings: bundles, trust, and the identity.
    pub(crate) fn bring(&self, number: usize, identity: Option<&str>) {
        let machine = &self.machines[number];
        let home = machine.root.join("root");
        fs::create_dir_all(home.join("OUT")).unwrap();
        for entry in fs::read_dir(self.bundles.out()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, home.join("OUT").join(path.file_name().unwrap())).unwrap();
            }
        }
        fs::copy(self.bundles.out().join("trust"), home.join("TRUST")).unwrap();
        let _ = fs::copy(self.bundles.bundle(machine.name), home.join(format!("{}.tar.gz", machine.name)));
        if let Some(identity) = identity {
            fs::write(home.join("IDENTITY"), identity).unwrap();
        }
    }

    /// Follows the operators' runbook on the host of member `at`, and each host's own where it sends to.
    #[track_caller]
    pub(crate) fn follow(&mut self, runbook: &str, at: usize) {
        let mut sections = runbook.split("\n### ");
        let session = blocks(sections.next().unwrap()).concat();
        let _ = self.block(at, &session, "");
        for section in sections {
            let name = section.split_whitespace().next().unwrap().to_owned();
            let leaves = section.starts_with(&format!("{name} leaves\n"));
            for (index, block) in blocks(section).iter().enumerate() {
                if leaves && index == 1 {
                    let number = self.number(&name);
                    let _ = self.block(number, "", block);
                    continue;
                }
                let ran = self.block(at, &session, block);
                if block.starts_with("tar -xzOf ") {
                    let number = self.number(&name);
                    for block in blocks(&ran.stdout) {
                        let _ = self.block(number, "", &block);
                    }
                }
            }
        }
    }
}
