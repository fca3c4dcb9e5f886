//! What goes wrong is said clearly, with the right exit code, and nothing half-written stays.
//!
//! Outputs are compared whole, with tests/golden/bad-input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use support::example::{Built, replaced, spec, spec_of_today};
use support::transcript::{golden_transcript, no_secrets, told, transcript};
use support::{Ran, SEALIFT, is_root, need, need_working, run, run_with_input, tree};

const KEYS: [&str; 4] = ["--seed", "test-only/seed.age", "-i", "test-only/operator.key"];

/// The words of a build of the staged spec.
fn build<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["build", "sealift.yaml"], &KEYS[..], &["-o", "out"], more].concat()
}

/// Runs words in a staged directory that they must not change, and compares what they say.
#[track_caller]
fn refused(name: &str, staged: &Built, words: &[&str]) {
    refused_with(name, staged, words, &[]);
}

#[track_caller]
fn refused_with(name: &str, staged: &Built, words: &[&str], masks: &[(&str, &str)]) {
    let before = tree(&staged.path(""));
    let text = transcript(&staged.path(""), words);
    assert_eq!(tree(&staged.path("")), before, "something was written");
    golden_transcript(&format!("bad-input/{name}"), &text, masks);
    as_json(staged, words);
    assert_eq!(tree(&staged.path("")), before, "something was written");
}

/// The same in JSON: one object with the same exit code.
#[track_caller]
fn as_json(staged: &Built, words: &[&str]) {
    let plain = run(Command::new(SEALIFT).args(words).current_dir(staged.path("")));
    let mut command = Command::new(SEALIFT);
    let ran = run(command.args(["--format", "json"]).args(words).current_dir(staged.path("")));
    no_secrets(&(ran.stdout.clone() + &ran.stderr));
    assert_eq!(ran.code, plain.code, "{ran:#?}");
    let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    assert_eq!((&value["command"], &value["exit"]), (&words[0].into(), &plain.code.into()), "{ran:#?}");
}

/// Twelve mistakes of different kinds, all told in one run.
#[test]
fn many_mistakes_at_once() {
    let mut text = spec();
    for (right, wrong) in [
        ("  name: etcd-static-pods\n", "  name: etcd static pods\n"),
        ("epoch: 2026-11-20T00:00:00Z", "epoch: 2026-11-20"),
        ("  revision: 1\n", "  revision: 0\n  revison: 2\n"),
        ("version: 1.36.2", "version: 1.28.3"),
        ("provisioner: none", "provisioner: kubespray"),
        ("run: static-pod", "run: static-pods"),
        ("ca: 10y", "ca: 10 years"),
        ("addresses: [10.0.0.7]", "addresses: [10.0.0.6]"),
        (
            "    roles: [etcd]\n    recipients:\n      - ssh-ed25519",
            "    roles: etcd\n    recipients:\n      - ssh-ed25519",
        ),
        ("  infra2:\n    addresses: [10.0.0.8]\n", "  infra2:\n    addresses: [10.0.0.256]\n"),
        (
            "      - age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs4",
            "      - age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs5",
        ),
        ("kubelet:\n", "kubelet:\n  cgroupDriver: cgroup\n"),
    ] {
        text = replaced(&text, right, wrong);
    }
    let staged = Built::staged(&text);
    refused("many-mistakes-check", &staged, &["check", "sealift.yaml"]);
    refused("many-mistakes-build", &staged, &build(&[]));
    let ran = run(Command::new(SEALIFT)
        .args(["check", "sealift.yaml", "--format", "json"])
        .current_dir(staged.path("")));
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    let problems = value["problems"].as_array().unwrap();
    assert!(problems.len() >= 12, "{problems:#?}");
    for problem in problems {
        for field in ["message", "path", "hint", "source"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "no {field}: {problem:#}");
        }
        assert!(problem["position"]["line"].as_u64() >= Some(1), "{problem:#}");
    }
}

/// Balancers of every kind, each wrong in several ways, and an endpoint that none of them serves.
#[test]
fn balancers() {
    let list = "loadBalancers:
  - kind: keepalived
    on: node
    vips: [10.0.0.6, 10.96.0.9, \"fd00::100\"]
    virtualRouterId: 51
    preempt: false
    password: {}
    priorities: {cp1: 100, w9: 90}
    check: {weight: 20}
    maxFails: 3
  - kind: nginx
    on: node
    run: static-pod
    port: 6443
    balance: source-address
    weights: {w1: 2}
  - kind: haproxy
    on: load-balancer
    image: haproxy:3.2
  - kind: kube-vip
    on: load-balancer
    run: service
    vips: [10.0.0.100, 10.0.0.100]
    bgp: {as: 65000, peers: [{address: 10.0.0.254, as: 65001}]}
  - {kind: external, addresses: [10.0.0.200], interface: eth0}
";
    let text = support::stacked::spec("1.36.2", "kubeadm", "", list);
    let text = replaced(&text, "api.prod.example:6443", "10.0.0.201:6443");
    let settings = "  apiServer: {extraArgs: {anonymous-auth: false}}\n  podSubnets";
    let text = replaced(&text, "  podSubnets", settings);
    let text = replaced(&text, "w1: {addresses", "w1: {interface: eth1, addresses");
    refused("load-balancers", &Built::staged(&text), &["check", "sealift.yaml"]);
    let none = support::stacked::spec("1.36.2", "kubeadm", "", "");
    let none = replaced(&none, "loadBalancers: [{kind: external}]\n", "");
    refused("no-load-balancer", &Built::staged(&none), &["check", "sealift.yaml"]);
}

#[test]
fn specs_that_are_none() {
    for (name, text) in [
        ("empty-spec", ""),
        ("not-yaml", "hosts: [\n"),
        ("two-documents", "a: 1\n---\nb: 2\n"),
        ("a-list", "- a\n"),
    ] {
        refused(name, &Built::staged(text), &["check", "sealift.yaml"]);
    }
    refused("no-spec", &Built::staged(""), &["check", "nowhere.yaml"]);
}

#[test]
fn a_spec_that_is_not_utf8() {
    let staged = Built::staged("");
    fs::write(staged.path("sealift.yaml"), b"apiVersion: sealift/v1\ncluster: {name: \xff}\n").unwrap();
    refused("not-utf8", &staged, &["check", "sealift.yaml"]);
}

/// A private key in the place of a recipient: the line is not shown.
#[test]
fn a_private_key_in_the_spec() {
    let key = fs::read_to_string(support::example::test_only("infra0.age.key")).unwrap();
    let key = key.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let public = "age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05";
    let staged = Built::staged(&replaced(&spec(), public, key));
    refused("private-key-in-spec", &staged, &["check", "sealift.yaml"]);
}

#[test]
fn usage() {
    let staged = Built::staged(&spec());
    let words = [&["build", "sealift.yaml"], &KEYS[..], &["-o", "out", "--host", "infra3"]].concat();
    refused("unknown-host", &staged, &words);
    let ran = run(Command::new(SEALIFT).args(["biuld", "sealift.yaml"]).current_dir(staged.path("")));
    golden_transcript("bad-input/unknown-command", &told(&["biuld", "sealift.yaml"], &ran), &[]);
    let ran = run(Command::new(SEALIFT).args(["build", "sealift.yaml", "-j0"]).current_dir(staged.path("")));
    golden_transcript("bad-input/no-threads", &told(&["build", "sealift.yaml", "-j0"], &ran), &[]);
}

#[test]
fn keyrings() {
    let staged = Built::staged(&spec());
    refused("no-seed", &staged, &["build", "sealift.yaml", "-i", "test-only/operator.key"]);
    refused("no-identity", &staged, &["build", "sealift.yaml", "--seed", "test-only/seed.age"]);
    let with = |identity| ["build", "sealift.yaml", "--seed", "test-only/seed.age", "-i", identity];
    refused("wrong-identity", &staged, &with("test-only/infra0.age.key"));
    refused("no-such-identity", &staged, &with("test-only/nobody.key"));
    refused("identity-is-none", &staged, &with("sealift.yaml"));
    let with = |seed| ["build", "sealift.yaml", "--seed", seed, "-i", "test-only/operator.key"];
    refused("seed-is-none", &staged, &with("sealift.yaml"));
    let sealed = fs::read(staged.path("test-only/seed.age")).unwrap();
    fs::write(staged.path("short.age"), &sealed[..sealed.len() - 1]).unwrap();
    refused("truncated-seed", &staged, &with("short.age"));
    let other = replaced(&spec(), "7e570000000000000000000000000001", "7e570000000000000000000000000002");
    refused("keyring-of-another-cluster", &Built::staged(&other), &build(&[]));
}

/// A keyring with damaged contents: nothing of them is told.
#[test]
fn a_broken_keyring_stays_secret() {
    let Some(age) = need("age") else { return };
    let staged = Built::staged(&spec());
    let recipient = "age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl";
    for (name, text) in [
        ("keyring-of-words", "CANARY-OF-SEEDS\n".to_owned()),
        ("keyring-with-short-seed", keyring().replace("544553542d4f4e4c59", "")),
    ] {
        let path = staged.path("broken.age");
        let out = path.to_str().unwrap();
        let _ = fs::remove_file(&path);
        let ran = run_with_input(Command::new(&age).args(["-r", recipient, "-o", out]), text.as_bytes());
        assert_eq!(ran.code, 0, "{ran:?}");
        let words = ["build", "sealift.yaml", "--seed", "broken.age", "-i", "test-only/operator.key"];
        refused(name, &staged, &words);
        let said = transcript(&staged.path(""), &words);
        assert!(!said.contains("CANARY"), "{said}");
    }
}

/// The plaintext of the example's keyring.
fn keyring() -> String {
    let files = ["test-only/operator.key", "test-only/seed.age"];
    let [key, sealed] = files.map(|file| support::repository(support::example::EXAMPLE).join(file));
    run(Command::new("age").args(["-d", "-i"]).args([key, sealed])).expect_code(0).stdout
}

#[test]
fn an_output_directory_with_other_things() {
    let staged = Built::staged(&spec());
    fs::create_dir(staged.out()).unwrap();
    fs::write(staged.path("out/notes.txt"), "mine\n").unwrap();
    refused("foreign-files", &staged, &build(&[]));
    fs::remove_dir_all(staged.out()).unwrap();
    fs::write(staged.out(), "a file\n").unwrap();
    refused("output-is-a-file", &staged, &build(&[]));
}

#[test]
fn a_second_init() {
    let staged = Built::staged(&spec());
    refused("init-over-a-spec", &staged, &["init", "prod", "--dir", "."]);
    refused("init-with-a-bad-name", &staged, &["init", "Prod Cluster"]);
    refused("init-with-a-bad-recipient", &staged, &["init", "prod", "--operator", "age1nobody"]);
}

#[test]
fn bundles_that_are_none() {
    let staged = Built::of(&spec());
    let verify = |path| ["verify", path, "--trust", "out/trust", "--at", "2026-12-01T00:00:00Z"];
    refused("verify-nothing", &staged, &verify("nowhere.tar.gz"));
    refused("verify-a-text", &staged, &verify("sealift.yaml"));
    fs::create_dir(staged.path("empty")).unwrap();
    refused("verify-an-empty-directory", &staged, &verify("empty"));
    fs::create_dir(staged.path("root")).unwrap();
    refused("verify-an-empty-root", &staged, &["verify", "--root", "root", "--trust", "out/trust"]);
    let install = |bundle| {
        ["install", bundle, "-i", "test-only/infra0.age.key", "--root", "root", "--trust", "out/trust"]
    };
    refused("install-nothing", &staged, &install("nowhere.tar.gz"));
    refused("install-a-text", &staged, &install("sealift.yaml"));
    refused("bad-time", &staged, &["verify", "out", "--trust", "out/trust", "--at", "tomorrow"]);
    refused("bad-duration", &staged, &["verify", "out", "--trust", "out/trust", "--within", "a month"]);
    refused("bad-trust", &staged, &["verify", "out", "--trust", "sealift.yaml"]);
    refused("no-such-root", &staged, &["verify", "--root", "nowhere", "--trust", "out/trust"]);
}

#[test]
fn templates() {
    let staged = Built::staged(&spec());
    let file = "templates/etc/kubernetes/manifests/etcd.yaml.j2";
    fs::create_dir_all(staged.path(file).parent().unwrap()).unwrap();
    let with = build(&["--templates", "templates"]);
    for (name, text) in [
        ("template-syntax", "a: {{ name\n"),
        ("template-unknown-variable", "a: {{ nmae }}\n"),
        ("template-not-yaml", "a: [{{ image }}\n"),
    ] {
        fs::write(staged.path(file), text).unwrap();
        refused(name, &staged, &with);
    }
    fs::rename(staged.path(file), staged.path("templates/etc/kubernetes/manifests/etdc.yaml.j2")).unwrap();
    refused("template-of-no-file", &staged, &with);
}

/// Runs sealift as a user who is not root, in a staged directory that belongs to that user.
fn as_nobody(staged: &Built, words: &[&str]) -> Option<Ran> {
    if !is_root() {
        return Some(run(Command::new(SEALIFT).args(words).current_dir(staged.path(""))));
    }
    let setpriv = need("setpriv")?;
    let copy = staged.path("sealift");
    if !copy.exists() {
        fs::copy(SEALIFT, &copy).unwrap();
    }
    let nobody = 65_534;
    chown(staged.path(""), Some(nobody), Some(nobody)).unwrap();
    for name in tree(&staged.path("")).keys() {
        std::os::unix::fs::lchown(staged.path(name), Some(nobody), Some(nobody)).unwrap();
    }
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let mut command = Command::new(setpriv);
    Some(run(command.args(user).arg(copy).args(words).current_dir(staged.path(""))))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn permissions() {
    let staged = Built::staged(&spec());
    let plain = ["build", "sealift.yaml", "--seed", "test-only/seed.age", "-i", "test-only/operator.key"];
    let cases: [(&str, &str, u32, Vec<&str>); 4] = [
        ("unreadable-spec", "sealift.yaml", 0o644, build(&[])),
        ("unreadable-seed", "test-only/seed.age", 0o644, build(&[])),
        ("unreadable-identity", "test-only/operator.key", 0o600, build(&[])),
        ("unwritable-output", "locked", 0o755, [&plain[..], &["-o", "locked/out"]].concat()),
    ];
    fs::create_dir(staged.path("locked")).unwrap();
    // the copy of the program, if there has to be one, is made before the trees are compared
    if as_nobody(&staged, &["--version"]).is_none() {
        return;
    }
    for (name, path, mode, words) in cases {
        set_mode(&staged.path(path), if path == "locked" { 0o555 } else { 0 });
        let names = |staged: &Built| tree(&staged.path("")).into_keys().collect::<Vec<_>>();
        let before = if is_root() { names(&staged) } else { Vec::new() };
        let ran = as_nobody(&staged, &words).unwrap();
        let after = if is_root() { names(&staged) } else { Vec::new() };
        set_mode(&staged.path(path), mode);
        assert_eq!(after, before, "something was written");
        golden_transcript(&format!("bad-input/{name}"), &told(&words, &ran), &[]);
    }
}

/// Runs sealift in a staged directory with a file system of 16 KiB at `small`; what is left there
/// is listed after what sealift said.
fn on_a_small_disk(staged: &Built, before: &str, words: &[&str]) -> Option<(Ran, String)> {
    let unshare = need_working("unshare", &["--map-root-user", "--mount", "true"])?;
    fs::create_dir_all(staged.path("small")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=16k none small && {before} && {{ find small | sort > before; }} && \
         code=0; \"$@\" || code=$?; find small | sort | diff before - > left; exit $code"
    );
    let mut command = Command::new(unshare);
    command.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh", SEALIFT]).args(words);
    let ran = run(command.current_dir(staged.path("")));
    Some((ran, fs::read_to_string(staged.path("left")).unwrap()))
}

#[test]
fn a_full_disk_under_a_build() {
    let staged = Built::staged(&spec());
    let words = [&["build", "sealift.yaml"], &KEYS[..], &["-o", "small/out", "-j1"]].concat();
    let Some((ran, left)) = on_a_small_disk(&staged, "true", &words) else { return };
    assert_eq!(left, "");
    golden_transcript("bad-input/disk-full-build", &told(&words, &ran), &[]);
}

#[test]
fn a_full_disk_under_an_install() {
    let staged = Built::of(&spec_of_today());
    let words = [
        "install",
        "out/infra0.tar.gz",
        "-i",
        "test-only/infra0.age.key",
        "--root",
        "small",
        "--trust",
        "out/trust",
    ];
    let Some((ran, left)) = on_a_small_disk(&staged, "true", &words) else { return };
    assert_eq!(left, "");
    golden_transcript("bad-input/disk-full-install", &told(&words, &ran), &[]);
}

/// Whatever is printed, in any format and with the most talkative environment: no secret.
#[test]
fn no_secret_in_any_output_of_a_journey() {
    let staged = Built::of(&spec_of_today());
    fs::create_dir(staged.path("root")).unwrap();
    let install = [
        "install",
        "out/infra0.tar.gz",
        "-i",
        "test-only/infra0.age.key",
        "--root",
        "root",
        "--trust",
        "out/trust",
    ];
    let verify = [
        "verify",
        "out",
        "--trust",
        "out/trust",
        "-i",
        "test-only/operator.key",
        "-i",
        "test-only/infra0.age.key",
    ];
    let commands: [&[&str]; 6] = [
        &["check", "sealift.yaml", "--previous", "out"],
        &build(&["--rebuild"]),
        &verify,
        &install,
        &install,
        &["verify", "--root", "root"],
    ];
    for words in commands {
        for format in ["text", "json"] {
            let mut command = Command::new(SEALIFT);
            command.args(words).args(["--format", format]).current_dir(staged.path(""));
            let ran = run(command.env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace"));
            no_secrets(&(ran.stdout + &ran.stderr));
        }
    }
}
