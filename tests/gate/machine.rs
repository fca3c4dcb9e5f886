//! An installed root as a machine of its own: systemd is its first process, in namespaces of its own.

use crate::support::{is_root, need, need_working, run, skip};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What prepares the machine and becomes its first process. `/usr` is this machine's, all else is the root's.
const BOOT: &str = r#"set -eu
root=$1 name=$2 address=$3
mount --bind "$root" "$root"
cd "$root"
for dir in usr proc sys dev run; do mkdir -p "$dir"; done
mount --rbind /usr usr
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs sysfs sys || mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs none run
mkdir -p run/systemd/system
cp -r units/. run/systemd/system/
mount -t tmpfs none sys/fs/cgroup
mkdir sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd none sys/fs/cgroup/systemd 2>/dev/null || {
  umount sys/fs/cgroup
  mount -t cgroup2 none sys/fs/cgroup
}
hostname "$name"
ip link set lo up
ip address add "$address/32" dev lo
export container=sealift-test
exec chroot . /lib/systemd/systemd --system --unit=end.target --show-status=no --log-target=null
"#;

/// What is started: everything once, then the machine ends.
const END: &str = "[Unit]
DefaultDependencies=no
Wants=kubelet.service sealift-verify.service
After=kubelet.service sealift-verify.service
Requires=end.service
";
const END_SERVICE: &str = "[Unit]
DefaultDependencies=no
After=kubelet.service sealift-verify.service
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
# the kubelet's stub has been executed by now if it is ever, and needs a moment to say so
ExecStart=/bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do test -e /kubelet-ran || sleep 0.1; done; touch /ended'
";
/// The package's unit, with what its own drop-ins take over.
const KUBELET: &str = "[Unit]
DefaultDependencies=no
[Service]
Type=exec
ExecStart=/opt/kubelet
";
/// For the time of a test.
const UNORDERED: &str = "[Unit]
DefaultDependencies=no
After=kubelet.service
";

/// A machine whose files are an installed root.
pub(crate) struct Machine {
    root: PathBuf,
    unshare: PathBuf,
}

impl Machine {
    /// None, with a skip, where this cannot be.
    pub(crate) fn new(root: &Path) -> Option<Self> {
        if !is_root() {
            skip("only root can start systemd in namespaces");
            return None;
        }
        need("ip")?;
        if !Path::new("/lib/systemd/systemd").is_file() {
            skip("/lib/systemd/systemd is not here");
            return None;
        }
        let unshare = need_working("unshare", &["-p", "-f", "-m", "-u", "-i", "-n", "true"])?;
        for link in ["bin", "sbin", "lib", "lib64"] {
            if fs::read_link(Path::new("/").join(link)).is_ok() {
                symlink(format!("usr/{link}"), root.join(link)).unwrap();
            }
        }
        let units = root.join("units");
        fs::create_dir_all(units.join("../opt")).unwrap();
        fs::create_dir_all(&units).unwrap();
        fs::write(units.join("end.target"), END).unwrap();
        fs::write(units.join("end.service"), END_SERVICE).unwrap();
        fs::write(units.join("kubelet.service"), KUBELET).unwrap();
        program(&root.join("opt/kubelet"), "#!/bin/sh\ntouch /kubelet-ran\n");
        Some(Self { root: root.to_path_buf(), unshare })
    }

    /// Lets the check by the timer start without what a whole system has.
    pub(crate) fn with_check(&self) {
        let directory = self.root.join("etc/systemd/system/sealift-verify.service.d");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("test.conf"), UNORDERED).unwrap();
    }

    /// Adds units that the machine starts before it ends, each with one drop-in: their names without kind, and
    /// both texts.
    pub(crate) fn add(&self, all: &[(String, String, String)]) {
        let units = self.root.join("units");
        let mut names = String::new();
        for (name, unit, drop_in) in all {
            fs::write(units.join(format!("{name}.service")), unit).unwrap();
            let directory = units.join(format!("{name}.service.d"));
            fs::create_dir(&directory).unwrap();
            fs::write(directory.join("30-sealift-gate.conf"), drop_in).unwrap();
            names.extend([" ", name, ".service"]);
        }
        for (unit, text) in [
            ("end.target", format!("Wants={names}\nAfter={names}")),
            ("end.service", format!("After={names}")),
        ] {
            let directory = units.join(format!("{unit}.d"));
            fs::create_dir(&directory).unwrap();
            fs::write(directory.join("more.conf"), format!("[Unit]\n{text}\n")).unwrap();
        }
    }

    /// Starts the machine, waits for its end, and says whether the kubelet ran. None, with a skip, when systemd
    /// does not start here at all.
    pub(crate) fn boot(&self) -> Option<bool> {
        for mark in ["ended", "kubelet-ran"] {
            let _ = fs::remove_file(self.root.join(mark));
        }
        let ran = run(Command::new("timeout")
            .args(["-s", "KILL", "300"])
            .arg(&self.unshare)
            .args(["-p", "-f", "-m", "-u", "-i", "-n", "sh", "-c", BOOT, "sh"])
            .arg(&self.root)
            .args(["infra0", "10.0.0.6"]));
        if !self.root.join("ended").exists() {
            skip(&format!("systemd does not start in namespaces here: {} {}", ran.code, ran.stderr.trim()));
            return None;
        }
        Some(self.root.join("kubelet-ran").exists())
    }
}

/// Places a program.
pub(crate) fn program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
