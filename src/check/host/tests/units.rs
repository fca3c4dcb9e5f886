//! Units as systemd would have them: what masks, hides or overrides the manifest's files.

use super::{PLAIN, verify};
use crate::bundle::manifest::Policy;
use crate::finding::{Finding, Id};
use crate::host::testkit::{Draft, Host};
use std::fs;
use std::os::unix::fs::symlink;

const GATE: &str = "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf";
const PROXY: &str = "/etc/systemd/system/kubelet.service.d/10-sealift-proxy.conf";
const ETCD: &str = "/etc/systemd/system/etcd.service";
const MEND: &str =
    "remove it, or say in the spec what it should say, build and install; then run `systemctl daemon-reload`";

/// A host with a package's kubelet under our drop-ins, and our own etcd.
fn host() -> Host {
    let mut draft = Draft::new();
    draft.add(GATE, b"[Service]\nExecStartPre=/usr/local/bin/sealift verify --root / --quiet\n", false);
    draft.add(PROXY, b"[Service]\nEnvironment=\"HTTPS_PROXY=http://user:secret@p.example\"\n", false);
    draft.add(ETCD, b"[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/usr/bin/etcd\n", false);
    draft.add("/etc/sysctl.d/90-x.conf", b"a = 1\n", false);
    draft.add("/etc/default/kubelet", b"", false);
    draft.plain.remove("/etc/default/kubelet");
    draft.file("/etc/default/kubelet").policy = Policy::Foreign;
    draft.manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    let (host, _) = Host::with(&draft);
    host.write(
        "/usr/lib/systemd/system/kubelet.service",
        b"[Service]\nExecStart=/usr/bin/kubelet\nExecStartPre=\nRestart=always\n",
    );
    host.write(
        "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
        b"[Service]\nEnvironmentFile=-/etc/default/kubelet\nExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_EXTRA_ARGS\n",
    );
    host.write("/etc/default/kubelet", b"KUBELET_EXTRA_ARGS=--v=4\n");
    host.chmod("/etc/default/kubelet", 0o644);
    host
}

fn finding(id: Id, path: &str, expected: &str, found: &str) -> Finding {
    Finding::new(id, path, MEND).expected(expected).found(found)
}

fn only(prepare: impl Fn(&Host), expected: &[Finding]) {
    let host = host();
    prepare(&host);
    assert_eq!(verify(&host, &PLAIN).findings, expected);
}

#[test]
fn packages_units_and_harmless_drop_ins_are_no_finding() {
    only(|_| {}, &[]);
    // a file of another program that the manifest lists
    only(|host| host.write("/etc/default/kubelet", b"HTTPS_PROXY=x\n"), &[]);
    only(
        |host| {
            let below = "/etc/systemd/system/kubelet.service.d";
            host.write(
                &format!("{below}/99-more.conf"),
                b"[Service]\nExecStartPre=/bin/true\nRestartSec=1\nEnvironment=A=1\n",
            );
            host.write(&format!("{below}/99-not-read.conf.bak"), b"[Service]\nExecStartPre=\n");
            host.write(&format!("{below}/.99-hidden.conf"), b"[Service]\nExecStartPre=\n");
            // before ours, and below ours
            host.write(&format!("{below}/00-early.conf"), b"[Service]\nExecStartPre=\nEnvironment=\n");
            host.write(
                "/usr/lib/systemd/system/kubelet.service.d/30-sealift-gate.conf",
                b"[Service]\nExecStartPre=\n",
            );
            host.write("/usr/lib/systemd/system/etcd.service", b"[Service]\nExecStart=/usr/bin/other\n");
            host.write("/run/systemd/system/other.service.d/99.conf", b"[Service]\nExecStartPre=\n");
            symlink("/dev/null", host.path("/etc/systemd/system/other.service")).unwrap();
        },
        &[],
    );
}

#[test]
fn later_drop_ins() {
    let [later, runtime, of_type, dash] = [
        "/etc/systemd/system/kubelet.service.d/99-x.conf",
        "/run/systemd/system/kubelet.service.d/40-x.conf",
        "/etc/systemd/system/service.d/50-x.conf",
        "/etc/systemd/system.control/etcd.service.d/50-x.conf",
    ];
    let gate = format!("ExecStartPre as {GATE} has it");
    for path in [later, runtime, of_type] {
        let expected = [finding(Id::UnitOverridden, path, &gate, "emptied in line 2")];
        only(|host| host.write(path, b"[Service]\nExecStartPre=\n"), &expected);
    }
    only(
        |host| host.write(later, b"[Service]\nEnvironment=HTTPS_PROXY=http://canary-5d4 A=1\n"),
        &[finding(
            Id::UnitOverridden,
            later,
            &format!("Environment=HTTPS_PROXY as {PROXY} has it"),
            "set again in line 2",
        )],
    );
    only(
        |host| {
            host.write("/opt/env", b"# c\nHTTPS_PROXY=canary-5d4\n");
            host.write(later, b"[Service]\nEnvironmentFile=/opt/env\n");
        },
        &[finding(
            Id::UnitOverridden,
            later,
            &format!("Environment=HTTPS_PROXY as {PROXY} has it"),
            "set by /opt/env, which line 2 names",
        )],
    );
    only(
        |host| {
            host.write(
                dash,
                b"[Unit]\nStartLimitIntervalSec=9\n[Service]\nExecStart=\nExecStart=/bin/other\n",
            );
        },
        &[
            finding(
                Id::UnitOverridden,
                dash,
                &format!("StartLimitIntervalSec as {ETCD} has it"),
                "set again in line 2",
            ),
            finding(Id::UnitOverridden, dash, &format!("ExecStart as {ETCD} has it"), "emptied in line 4"),
        ],
    );
}

#[test]
fn links_are_followed_beneath_the_root_only() {
    let later = "/etc/systemd/system/kubelet.service.d/99-x.conf";
    let gate = format!("ExecStartPre as {GATE} has it");
    for target in ["/opt/x", "../../../../opt/x", "../../../../../../../../../../opt/x", "/opt/link"] {
        only(
            |host| {
                host.write("/opt/x", b"[Service]\nExecStartPre=\n");
                symlink("x", host.path("/opt/link")).unwrap();
                symlink(target, host.path(later)).unwrap();
            },
            &[finding(Id::UnitOverridden, later, &gate, "emptied in line 2")],
        );
    }
    // nowhere, round and round, and to nothing
    for target in ["/opt/none", "99-x.conf", "/dev/null"] {
        only(|host| symlink(target, host.path(later)).unwrap(), &[]);
    }
    // a directory of drop-ins behind a link, and one of an alias
    only(
        |host| {
            host.write("/opt/d/99-x.conf", b"[Service]\nExecStartPre=\n");
            fs::create_dir_all(host.path("/run/systemd/system")).unwrap();
            symlink("/opt/d", host.path("/run/systemd/system/kubelet.service.d")).unwrap();
        },
        &[finding(
            Id::UnitOverridden,
            "/run/systemd/system/kubelet.service.d/99-x.conf",
            &gate,
            "emptied in line 2",
        )],
    );
    only(
        |host| {
            symlink("/usr/lib/systemd/system/kubelet.service", host.path("/etc/systemd/system/node.service"))
                .unwrap();
            host.write("/etc/systemd/system/node.service.d/99-x.conf", b"[Service]\nExecStartPre=\n");
        },
        &[finding(
            Id::UnitOverridden,
            "/etc/systemd/system/node.service.d/99-x.conf",
            &gate,
            "emptied in line 2",
        )],
    );
}

#[test]
fn masks_and_files_that_count_more() {
    let mask = |path: &str| finding(Id::UnitMasked, path, "a unit that can start", "a mask");
    let kubelet = "/etc/systemd/system/kubelet.service";
    only(|host| symlink("/dev/null", host.path(kubelet)).unwrap(), &[mask(kubelet)]);
    only(
        |host| host.write("/run/systemd/transient/etcd.service", b""),
        &[mask("/run/systemd/transient/etcd.service")],
    );
    let hides = |by: &str, of: &str, found| finding(Id::UnitHidden, by, &format!("only {of}"), found);
    let other = "another file, which is read instead";
    let control = "/etc/systemd/system.control/etcd.service";
    only(|host| host.write(control, b"[Service]\nExecStart=/bin/other\n"), &[hides(control, ETCD, other)]);
    let gate = "/etc/systemd/system.control/kubelet.service.d/30-sealift-gate.conf";
    only(|host| host.write(gate, b"[Service]\nRestartSec=1\n"), &[hides(gate, GATE, other)]);
    only(
        |host| {
            host.write(gate, b"");
            fs::remove_file(host.path(gate)).unwrap();
            symlink("/dev/null", host.path(gate)).unwrap();
        },
        &[hides(gate, GATE, "a mask")],
    );
    // another unit under the name of ours
    only(
        |host| {
            host.write("/usr/lib/systemd/system/evil.service", b"[Service]\nExecStart=/bin/other\n");
            host.write("/etc/systemd/system.control/x", b"");
            symlink("/usr/lib/systemd/system/evil.service", host.path(control)).unwrap();
        },
        &[hides(control, ETCD, other)],
    );
}

/// podman's generator makes `etcd.service` of `etcd.container`.
#[test]
fn quadlets() {
    let container = "/etc/containers/systemd/etcd.container";
    let generated = "/run/systemd/generator/etcd.service";
    let of = |prepare: &dyn Fn(&Host)| {
        let mut draft = Draft::new();
        draft.add(container, b"[Container]\nImage=a.example/etcd:1\n", false);
        draft.manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
        let (host, _) = Host::with(&draft);
        host.write(generated, b"[Service]\nExecStart=/usr/bin/podman run etcd\n");
        prepare(&host);
        verify(&host, &PLAIN).findings
    };
    assert_eq!(of(&|_| {}), []);
    let found = "another file, which is read instead";
    let hides = |path: &str, of: &str| finding(Id::UnitHidden, path, &format!("only {of}"), found);
    let temporary = "/run/containers/systemd/etcd.container";
    assert_eq!(of(&|host| host.write(temporary, b"[Container]\n")), [hides(temporary, container)]);
    let unit = "/etc/systemd/system/etcd.service";
    assert_eq!(of(&|host| host.write(unit, b"[Service]\nExecStart=/b\n")), [hides(unit, generated)]);
    let later = "/etc/systemd/system/etcd.service.d/9.conf";
    let expected =
        finding(Id::UnitOverridden, later, &format!("ExecStart as {generated} has it"), "emptied in line 2");
    assert_eq!(of(&|host| host.write(later, b"[Service]\nExecStart=\nExecStart=/b\n")), [expected]);
}

#[test]
fn damaged_units() {
    let later = "/etc/systemd/system/kubelet.service.d/99-x.conf";
    let unreadable = |path: &str, found| Finding::new(Id::Unreadable, path, MEND).found(found);
    // systemd stops there
    only(|host| host.write(later, b"[Service]\nRestartSec=\xff\nExecStartPre=\n"), &[]);
    only(|host| host.write(later, &vec![b'#'; (1 << 20) + 1]), &[unreadable(later, "more than 1 MiB")]);
    let odd = "/etc/systemd/system/kubelet.service.d/99-\\x.conf";
    only(
        |host| host.write(odd, b"[Service]\nExecStartPre=\n"),
        &[unreadable("/etc/systemd/system/kubelet.service.d/99-\\\\x.conf", "a name that is not plain text")],
    );
    only(
        |host| {
            for number in 0..1025 {
                host.write(&format!("/etc/systemd/system/kubelet.service.d/{number}.conf"), b"");
            }
        },
        &[unreadable("/etc/systemd/system/kubelet.service.d", "more drop-ins than any unit has")],
    );
}
