//! What an upgrade would change, and the way back from it.

use super::{INFRA0, TRUST, VERIFY, compare, install, installed, rebuild, refused, said};
use crate::support::example::{Built, replaced, spec_of_today};
use crate::support::transcript::no_secrets;
use crate::support::{SEALIFT, run, tree};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const BACK: [&str; 5] = ["rollback", "-i", "test-only/infra0.age.key", "--root", "roots/infra0"];

/// The example's spec of today at a revision, with more at its top level.
fn spec(revision: u32, more: &str) -> String {
    let spec = replaced(&spec_of_today(), "revision: 1", &format!("revision: {revision}"));
    format!("{more}{spec}")
}

/// Another manifest and another kubelet configuration.
fn changed(spec: &str) -> String {
    replaced(spec, "kubelet:\n", "kubelet:\n  cgroupDriver: cgroupfs\n")
}

#[test]
fn a_dry_run_shows_texts_and_no_secret() {
    let built = installed(&spec(1, ""));
    let root = built.path("roots/infra0");
    // new keys on the host, other settings, and drift that is not to be shown
    let second = changed(&spec(2, ""));
    let second = replaced(&second, "  infra0:\n", "  infra0:\n    generation: 2\n");
    rebuild(&built, &second);
    let env = root.join("etc/etcd/etcdctl.env");
    fs::write(&env, "ETCDCTL_PASSWORD=nobody-shall-see-this\n").unwrap();
    fs::set_permissions(&env, fs::Permissions::from_mode(0o600)).unwrap();
    let unit = root.join("etc/systemd/system/kubelet.service.d/30-sealift-gate.conf");
    fs::set_permissions(unit, fs::Permissions::from_mode(0o666)).unwrap();
    let before = tree(&root);
    let text = said(&built, &install(INFRA0, &["--dry-run"]), 0);
    assert_eq!(tree(&root), before, "a dry run wrote");
    no_secrets(&text);
    assert!(!text.contains("nobody-shall-see-this"), "{text}");
    compare("dry-run-of-a-change", &text);

    let mut command = Command::new(SEALIFT);
    let words = install(INFRA0, &["--dry-run", "--format", "json"]);
    let json = run(command.args(words).current_dir(built.path(""))).expect_code(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let of = |path: &str| {
        let changes = json["report"]["changes"].as_array().unwrap();
        changes.iter().find(|change| change["path"] == path).unwrap().clone()
    };
    assert_eq!(of("/etc/kubernetes/pki/etcd/server.key")["withheld"], "secret");
    assert_eq!(of("/etc/etcd/etcdctl.env")["withheld"], "private");
    assert_eq!(of("/etc/kubernetes/pki/etcd/server.crt")["withheld"], "no-text");
    assert_eq!(
        of("/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf"),
        serde_json::json!({
            "path": "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf",
            "action": "mode", "found": "0666", "expected": "0644",
        })
    );
    let text = of("/etc/kubernetes/kubelet/config.yaml")["text"].as_str().unwrap().to_owned();
    assert!(text.contains("-cgroupDriver: systemd\n+cgroupDriver: cgroupfs\n"), "{text}");
}

/// The installed bundle goes, the one before it comes back; once.
#[test]
fn back_to_the_bundle_before() {
    let keep = "keepPrevious: true\n";
    let built = installed(&spec(1, keep));
    let root = built.path("roots/infra0");
    let first = tree(&root);
    refused(&built, "rollback-unavailable", &BACK, 5);

    rebuild(&built, &changed(&spec(2, keep)));
    let _ = said(&built, &install(INFRA0, &[]), 0);
    assert_ne!(tree(&root), first);
    let _ = said(&built, &VERIFY, 0);
    // a repair forgets nothing
    fs::remove_file(root.join("etc/kubernetes/manifests/etcd.yaml")).unwrap();
    let _ = said(&built, &install(INFRA0, &[]), 0);

    let second = tree(&root);
    let dry = said(&built, &[&BACK[..], &["--dry-run"]].concat(), 0);
    assert_eq!(tree(&root), second, "a dry run wrote");
    compare("rollback-dry-run", &dry);
    compare("rollback", &said(&built, &BACK, 0));
    assert_eq!(tree(&root), first);
    let _ = said(&built, &VERIFY, 0);
    refused(&built, "rollback-unavailable", &BACK, 5);

    // and on again, to the same or a later one
    let _ = said(&built, &install(INFRA0, &[]), 0);
    assert_eq!(tree(&root), second);
}

#[test]
fn nothing_is_kept_where_the_spec_does_not_say_so() {
    let built = installed(&spec(1, "keepPrevious: true\n"));
    let root = built.path("roots/infra0");
    rebuild(&built, &spec(2, "keepPrevious: true\n"));
    let _ = said(&built, &install(INFRA0, &[]), 0);
    let kept = ["bundle", "previous"].map(|name| root.join(format!("var/lib/sealift/{name}.tar.gz")));
    assert!(kept.iter().all(|path| path.is_file()));
    for path in &kept {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    rebuild(&built, &spec(3, ""));
    let _ = said(&built, &install(INFRA0, &[]), 0);
    assert!(!kept.iter().any(|path| path.exists()));
    let _ = said(&built, &VERIFY, 0);
    refused(&built, "rollback-not-allowed", &BACK, 5);
}

/// What is kept is believed as little as any other bundle.
#[test]
fn a_kept_bundle_that_somebody_changed() {
    let built = installed(&spec(1, "keepPrevious: true\n"));
    let previous = built.path("roots/infra0/var/lib/sealift/previous.tar.gz");
    rebuild(&built, &spec(2, "keepPrevious: true\n"));
    let _ = said(&built, &install(INFRA0, &[]), 0);
    let bytes = fs::read(&previous).unwrap();
    fs::write(&previous, &bytes[..bytes.len() / 2]).unwrap();
    refused(&built, "rollback-damaged", &BACK, 1);
    // of another host, though validly signed
    fs::copy(built.bundle("infra1"), &previous).unwrap();
    refused(&built, "rollback-wrong-host", &BACK, 4);
    fs::remove_file(&previous).unwrap();
    refused(&built, "rollback-unavailable", &BACK, 5);
    let _ = said(&built, &[&VERIFY[..], &TRUST].concat(), 0);
    let kept = built.path("roots/infra0/var/lib/sealift/bundle.tar.gz");
    fs::copy(built.bundle("infra1"), &kept).unwrap();
    compare("kept-bundle-of-another", &said(&built, &VERIFY, 1));
    // what is not the installed bundle is no way back
    rebuild(&built, &spec(3, "keepPrevious: true\n"));
    let _ = said(&built, &install(INFRA0, &[]), 0);
    let _ = said(&built, &VERIFY, 0);
    refused(&built, "rollback-unavailable", &BACK, 5);
    fs::remove_file(&kept).unwrap();
    compare("kept-bundle-missing", &said(&built, &VERIFY, 1));
}

/// A host that never had anything.
#[test]
fn nothing_to_go_back_from() {
    let built = Built::of(&spec(1, "keepPrevious: true\n"));
    built.root("infra0");
    let words = [&BACK[..], &TRUST].concat();
    refused(&built, "rollback-nothing", &words, 1);
}

/// What is restarted with them would fail until they begin.
#[test]
fn certificates_that_have_not_begun() {
    let today = crate::support::example::today();
    let spec = spec_of_today();
    // in ten years
    let (year, rest) = today.split_at(4);
    let later = format!("{}{}", year.parse::<u32>().unwrap() + 10, rest.replace("-02-29", "-02-28"));
    let built = Built::of(&replaced(&spec, &today, &later));
    built.root("infra0");
    let words = install(INFRA0, &TRUST);
    let mut command = Command::new(SEALIFT);
    let ran = run(command.args(&words).args(["--format", "json"]).current_dir(built.path(""))).expect_code(6);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let ids: Vec<_> =
        json["findings"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == "certificate-not-yet-valid"), "{ids:?}");
    assert!(!built.path("roots/infra0/etc/kubernetes").exists());
    let told = said(&built, &[&words[..], &["--allow-expired"]].concat(), 0);
    assert!(told.contains("warning: this host still differs: certificate-not-yet-valid "), "{told}");
}

/// What install leaves to a person is told at once, not by the gate.
#[test]
fn an_install_says_what_still_differs() {
    let built = installed(&spec(1, ""));
    fs::create_dir(built.path("roots/infra0/etc/kubernetes/manifests/x")).unwrap();
    rebuild(&built, &spec(2, ""));
    let mut command = Command::new(SEALIFT);
    let words = install(INFRA0, &["--format", "json"]);
    let ran = run(command.args(words).current_dir(built.path(""))).expect_code(0);
    let stray = "this host still differs: stray-file /etc/kubernetes/manifests/x: directory";
    assert!(ran.stderr.starts_with(&format!("warning: {stray}\n")), "{}", ran.stderr);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["remaining"][0]["id"], "stray-file");
    assert_eq!(json["findings"].as_array().unwrap().len(), 0);
}
