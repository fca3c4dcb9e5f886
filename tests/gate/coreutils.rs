//! The gate without sealift: what `sha256sum` finds and what it cannot, as the documents say; and how its list comes
//! to a host that never has sealift.

use crate::DROP_IN;
use crate::outcomes::KUBELET;
use crate::support::example::{Built, IDENTITIES, replaced, spec_of_today, test_only};
use crate::support::{Ran, need, run, temporary};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// The installed command lines on a root that stands for `/`: the list's paths are absolute.
fn gate(root: &Path) -> Ran {
    let text = fs::read_to_string(root.join(DROP_IN)).unwrap();
    let commands: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("ExecStartPre=")).collect();
    assert_eq!(
        commands,
        [
            "/usr/bin/test ! -e /var/lib/sealift/journal.json",
            "/usr/bin/sha256sum -c --strict --quiet /etc/sealift/SHA256SUMS",
        ]
    );
    let journal = run(Command::new("test").args(["!", "-e"]).arg(root.join("var/lib/sealift/journal.json")));
    if journal.code != 0 {
        return journal;
    }
    let list = fs::read_to_string(root.join("etc/sealift/SHA256SUMS")).unwrap();
    let here = list.replace("  /", &format!("  {}/", root.display()));
    let file = root.join("list");
    fs::write(&file, here).unwrap();
    let ran = run(Command::new("sha256sum").args(["-c", "--strict", "--quiet"]).arg(&file));
    fs::remove_file(file).unwrap();
    ran
}

#[test]
fn what_it_finds_and_what_it_does_not() {
    let gate_of = "kubelet: {gate: {run: sha256sum}}\n";
    let built = Built::of(&replaced(&spec_of_today(), KUBELET, gate_of));
    let root = built.root("infra0");
    let trust = built.out().join("trust");
    let _ = built.install("infra0", &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
    let whole = || {
        let ran = gate(&root);
        (ran.code, ran.stdout.replace(root.to_str().unwrap(), ""))
    };
    assert_eq!(whole(), (0, String::new()));
    let journal = root.join("var/lib/sealift/journal.json");
    fs::write(&journal, "").unwrap();
    assert_eq!(whole(), (1, String::new()));
    fs::remove_file(journal).unwrap();
    let key = root.join("etc/kubernetes/pki/etcd/server.key");
    let good = fs::read(&key).unwrap();
    fs::write(&key, "x").unwrap();
    assert_eq!(whole(), (1, "/etc/kubernetes/pki/etcd/server.key: FAILED\n".into()));
    fs::remove_file(&key).unwrap();
    assert_eq!(whole(), (1, "/etc/kubernetes/pki/etcd/server.key: FAILED open or read\n".into()));
    // its limits, one by one: a link to the same, modes, strays
    fs::write(root.join("elsewhere"), good).unwrap();
    symlink(root.join("elsewhere"), &key).unwrap();
    fs::set_permissions(root.join("elsewhere"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::write(root.join("etc/kubernetes/manifests/stray.yaml"), "").unwrap();
    assert_eq!(whole(), (0, String::new()));
}

/// docs/plain-tools.md: the list by tools that are there, the same bytes that install writes.
#[test]
fn the_list_without_sealift() {
    if need("age").is_none() || need("openssl").is_none() {
        return;
    }
    let built = Built::of(&spec_of_today());
    let root = built.root("infra0");
    let trust = built.out().join("trust");
    let _ = built.install("infra0", &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
    let page = fs::read_to_string(crate::support::repository("docs/plain-tools.md")).unwrap();
    let block = |name: &str| {
        let (_, rest) = page.split_once(&format!("```sh plain-tools {name}\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let directory = temporary();
    let script = ["bundle", "secrets", "list"].map(block).join("\n");
    let id = fs::read_to_string(&trust).unwrap().split(' ').next().unwrap().to_owned();
    let ran = run(Command::new("sh")
        .args(["-euc", &script])
        .env("OUT", built.out())
        .env("TRUST", &trust)
        .env("CLUSTER", id)
        .env("HOST", "infra0")
        .env("IDENTITY", test_only(IDENTITIES[0]))
        .env("WORK", directory.path().join("work")))
    .expect_code(0);
    let list = fs::read_to_string(directory.path().join("work.host")).unwrap();
    assert_eq!(list, fs::read_to_string(root.join("etc/sealift/SHA256SUMS")).unwrap(), "{}", ran.stderr);
}
