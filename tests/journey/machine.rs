//! Whose machine a host is, and which units it would start, in what `verify` and `install` say.

use super::{INFRA0, TRUST, VERIFY, compare, install, installed, said};
use crate::support::example::{Built, replaced, spec_of_today};
use crate::support::{SEALIFT, is_root, need_working, run, skip};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

/// What somebody does to units behind our back.
#[test]
fn units_that_are_not_what_they_seem() {
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n");
    let later = "etc/systemd/system/kubelet.service.d/99-local.conf";
    write(later, "[Service]\nExecStartPre=/bin/true\nMemoryHigh=1G\n");
    let _ = said(&built, &VERIFY, 0);
    let mut story = String::new();
    write(later, "[Service]\nExecStartPre=\nExecStart=\nExecStart=/usr/bin/kubelet --anonymous-auth\n");
    let _ = write!(story, "# a drop-in behind ours\n{}", said(&built, &VERIFY, 1));
    fs::remove_file(root.join(later)).unwrap();

    // what would let a gate pass that fails, or run it on other files, and what is somebody's own business
    for (name, text) in [
        ("exit codes that count as success", "SuccessExitStatus=1 2 3 4 5 7"),
        ("another program in the place of ours", "BindReadOnlyPaths=/opt/other:/usr/local/bin/sealift"),
        ("another command line", "Environment=KUBELET_EXTRA_ARGS=--anonymous-auth"),
    ] {
        write(later, &format!("[Service]\n{text}\n"));
        let _ = write!(story, "# {name}\n{}", said(&built, &VERIFY, 1));
    }
    write("etc/default/proxy", "HTTPS_PROXY=http://proxy.example:3128\n");
    write(later, "[Service]\nEnvironmentFile=/etc/default/proxy\nEnvironment=NO_PROXY=10.0.0.0/8\n");
    let _ = said(&built, &VERIFY, 0);
    write("etc/default/proxy", "LD_PRELOAD=/opt/other.so\n");
    let _ = write!(story, "# a library in a file of variables\n{}", said(&built, &VERIFY, 1));
    fs::remove_file(root.join(later)).unwrap();

    let gate = "run/systemd/system.control/kubelet.service.d/30-sealift-gate.conf";
    write(gate, "[Service]\nMemoryHigh=1G\n");
    let _ = write!(story, "# a drop-in in the place of ours\n{}", said(&built, &VERIFY, 1));
    fs::remove_file(root.join(gate)).unwrap();

    let mask = root.join("etc/systemd/system/kubelet.service");
    symlink("/dev/null", &mask).unwrap();
    let _ = write!(story, "# a mask\n{}", said(&built, &VERIFY, 1));
    fs::remove_file(mask).unwrap();
    let _ = said(&built, &VERIFY, 0);
    compare("units", &story);
}

const ID: &str = "8b2f3a5c9d014e6fa7b8c9d0e1f20314";

#[test]
fn a_machine_that_the_spec_pins() {
    let pinned = replaced(
        &spec_of_today(),
        "addresses: [10.0.0.6]",
        &format!("addresses: [10.0.0.6]\n    machineId: {ID}"),
    );
    let built = Built::of(&pinned);
    let id = built.root("infra0").join("etc/machine-id");
    let mut story = String::new();
    fs::write(&id, "8b2f3a5c9d014e6fa7b8c9d0e1f20315\n").unwrap();
    story += &said(&built, &install(INFRA0, &TRUST), 4);
    fs::write(&id, format!("{ID}\n")).unwrap();
    let _ = said(&built, &install(INFRA0, &TRUST), 0);
    let _ = said(&built, &VERIFY, 0);
    fs::write(&id, "8b2f3a5c9d014e6fa7b8c9d0e1f20315\n").unwrap();
    story += &said(&built, &VERIFY, 4);
    compare("machine-id", &story);
}

/// `verify` on a machine whose `/` has this host's files, with a network of its own.
#[test]
fn addresses_of_a_machine() {
    if !is_root() {
        return skip("another /etc takes root");
    }
    let Some(unshare) = need_working("unshare", &["--net", "--mount", "mount", "--bind", "/etc", "/etc"])
    else {
        return;
    };
    let Some(_) = need_working("ip", &["-V"]) else { return };
    let built = installed(&spec_of_today());
    let root = built.path("roots/infra0");
    let on = |addresses: &str| {
        let lines = ["etc", "var"].map(|name| format!("mount --bind {}/{name} /{name}", root.display()));
        let verify = format!("exec {SEALIFT} verify --root /");
        let script = format!("set -e\n{addresses}\n{}\n{verify}", lines.join("\n"));
        run(Command::new(&unshare).args(["--net", "--mount", "sh", "-c", &script]))
    };
    let expected = "address-missing /var/lib/sealift/manifest.json: expected an interface with 10.0.0.6, found interfaces with 10.0.0.7\n  mend: bring up the interface that has it, or correct the host's addresses in the spec, build and install\n";
    assert_eq!(on("ip address add 10.0.0.7/32 dev lo").expect_code(4).stdout, expected);
    for addresses in
        ["ip address add 10.0.0.6/32 dev lo; ip address add 10.0.0.7/32 dev lo", "# no network yet"]
    {
        let there = on(addresses).expect_code(0);
        assert!(!there.stdout.contains("mend") && there.stderr.is_empty(), "{there:?}");
    }
}
