//! systemd and the gate: what starts a kubelet, and what does not.

use crate::DROP_IN;
use crate::machine::{Machine, program};
use crate::support::SEALIFT;
use crate::support::archive::member;
use crate::support::example::{Built, replaced, spec_of_today};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// What the example says of its gate.
pub(crate) const KUBELET: &str = "kubelet:\n  gate:\n    run: sealift\n";

/// The example of today, with programs that a test may place, and an installed root.
fn installed(gate: &str, more: &str) -> (Built, PathBuf) {
    let kubelet = format!("kubelet: {{program: /opt/kubelet, gate: {{{gate}}}}}\n{more}");
    let built = Built::of(&replaced(&spec_of_today(), KUBELET, &kubelet));
    let root = built.root("infra0");
    let trust = built.out().join("trust");
    let _ = built.install("infra0", &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
    (built, root)
}

/// Every end that a program can have: nothing but 0 starts what is behind the installed gate.
#[test]
fn whatever_is_not_zero_blocks() {
    let (_built, root) = installed("program: /opt/sealift, tolerate: [1, 4, 5, 6, 7]", "");
    let Some(machine) = Machine::new(&root) else { return };
    let gate = fs::read_to_string(root.join(DROP_IN)).unwrap();
    // etcd's unit has a user, and its gate is root's all the same
    let etcd = "  run: systemd\n  version: 3.6.8\n  gate: {program: /opt/sealift}\n";
    let unit = replaced(&replaced(&spec_of_today(), "  run: static-pod\n", etcd), KUBELET, "");
    let unit = Built::of(&unit);
    let etcds =
        member(&unit.bundle("infra0"), "files/etc/systemd/system/etcd.service.d/30-sealift-gate.conf");

    let mut ends: Vec<(String, String)> =
        (0..=255).map(|code| (format!("code-{code}"), format!("#!/bin/sh\nexit {code}\n"))).collect();
    for signal in ["ABRT", "BUS", "HUP", "INT", "KILL", "QUIT", "SEGV", "TERM"] {
        let text = format!("#!/bin/sh\nulimit -c 0\nkill -{signal} $$\nexit 99\n");
        ends.push((format!("signal-{signal}"), text));
    }
    ends.push(("no-program".into(), "no program\0\n".into()));
    ends.push(("not-executable".into(), String::new()));
    ends.push(("missing".into(), String::new()));
    let mut units: Vec<(String, String, String)> = Vec::new();
    for (name, text) in &ends {
        let file = root.join("opt").join(name);
        program(&file, text);
        match name.as_str() {
            "not-executable" => fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap(),
            "missing" => fs::remove_file(&file).unwrap(),
            _ => {}
        }
        for (of, text, user) in [("kubelet", gate.as_str(), ""), ("etcd", etcds.text(), "User=nobody\n")] {
            // of codes, a few are enough the second time
            let few = ["code-0", "code-1", "code-3", "code-6", "code-255"].contains(&name.as_str());
            if of == "etcd" && name.starts_with("code-") && !few {
                continue;
            }
            let drop_in = replaced(text, "/opt/sealift ", &format!("/opt/{name} "));
            // one after the other, or there are more processes at once than some machines have room for
            let after = units.last().map(|(before, ..)| format!("After={before}.service\n"));
            let after = after.unwrap_or_default();
            let mark = format!("{of}-{name}");
            let unit = format!(
                "[Unit]\nDefaultDependencies=no\n{after}[Service]\nType=oneshot\n{user}ExecStart=/bin/touch /ran/{mark}\n"
            );
            units.push((mark, unit, drop_in));
        }
    }
    machine.add(&units);
    let marks = root.join("ran");
    fs::create_dir(&marks).unwrap();
    fs::set_permissions(&marks, fs::Permissions::from_mode(0o777)).unwrap();
    program(&root.join("opt/sealift"), "#!/bin/sh\nexit 0\n");
    let Some(ran) = machine.boot() else { return };
    assert!(ran, "the kubelet starts behind a gate that says 0");
    let mut started: Vec<_> =
        fs::read_dir(marks).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    started.sort();
    assert_eq!(started, ["etcd-code-0", "kubelet-code-0"]);
}

/// sealift itself, on a machine that is what its bundle says, and then is not; and the check by the timer in its
/// sandbox.
#[test]
fn sealift_on_a_machine() {
    let metrics = "verify: {timer: {metrics: /srv/metrics/sealift.prom, program: /opt/sealift}}\n";
    let (_built, root) = installed("program: /opt/sealift", metrics);
    let Some(machine) = Machine::new(&root) else { return };
    machine.with_check();
    fs::copy(SEALIFT, root.join("opt/sealift")).unwrap();
    fs::create_dir_all(root.join("srv/metrics")).unwrap();
    let file = root.join("srv/metrics/sealift.prom");
    let Some(ran) = machine.boot() else { return };
    let said = || fs::read_to_string(&file).unwrap_or_default();
    assert!(ran, "{}", said());
    // the sandbox lets it read everything, see the addresses, and write this file
    assert!(said().contains("\nsealift_verify_exit_code 0\n"), "{}", said());
    assert!(said().contains(
        "\nsealift_certificate_not_after_timestamp_seconds{path=\"/etc/kubernetes/pki/etcd/server.crt\","
    ));
    for (path, id) in [
        ("etc/kubernetes/manifests/.x.yaml.swp", "stray-file"),
        ("etc/systemd/system/kubelet.service.d/99-other.conf", "unit-overridden"),
    ] {
        let text = if id == "unit-overridden" {
            "[Service]\nExecStart=\nExecStart=/opt/kubelet --other\n"
        } else {
            ""
        };
        fs::write(root.join(path), text).unwrap();
        assert_eq!(machine.boot(), Some(false), "{path}");
        assert!(said().contains(&format!("{{id=\"{id}\",exit=\"1\"}} 1\n")), "{}", said());
        fs::remove_file(root.join(path)).unwrap();
    }
    assert_eq!(machine.boot(), Some(true));
    fs::remove_file(root.join("etc/kubernetes/pki/etcd/server.key")).unwrap();
    assert_eq!(machine.boot(), Some(false));
    assert!(said().contains("{id=\"file-missing\",exit=\"1\"}"), "{}", said());
}

/// The variant of coreutils', as systemd runs it.
#[test]
fn sha256sum_on_a_machine() {
    let (_built, root) = installed("run: sha256sum", "");
    let Some(machine) = Machine::new(&root) else { return };
    let Some(ran) = machine.boot() else { return };
    assert!(ran);
    let file = root.join("etc/kubernetes/pki/etcd/server.crt");
    let good = fs::read(&file).unwrap();
    fs::write(&file, "x").unwrap();
    assert_eq!(machine.boot(), Some(false), "changed");
    fs::remove_file(&file).unwrap();
    assert_eq!(machine.boot(), Some(false), "missing");
    fs::write(&file, good).unwrap();
    assert_eq!(machine.boot(), Some(true));
    let list = root.join("etc/sealift/SHA256SUMS");
    let lines = fs::read_to_string(&list).unwrap();
    for (text, why) in
        [("nonsense\n".to_owned() + &lines, "a line that is none"), (String::new(), "an empty list")]
    {
        fs::write(&list, text).unwrap();
        assert_eq!(machine.boot(), Some(false), "{why}");
    }
    fs::remove_file(&list).unwrap();
    assert_eq!(machine.boot(), Some(false), "no list");
}
