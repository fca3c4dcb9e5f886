//! What cannot be built from a spec: every verdict on a secret, odd paths, odd texts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::facts::{Fact, Value};
use super::file::FileDiff;
use super::{Contents, DiffError, Effect, EffectKind, State, bundles, effects, text};
use crate::bundle::forgery::{CLUSTER, EPOCH, file, key, manifest};
use crate::bundle::manifest::{Directory, File, Manifest, Origin, Policy};
use crate::bundle::open::{Verified, open_signed};
use crate::bundle::pack::pack;
use crate::bundle::trust::Signers;
use crate::verify_key::VERIFY_KEY_PATH;
use std::collections::BTreeMap;

const SECRET: &str = "/etc/a.key";

/// Packs a manifest; the bytes of a file are its path and, of sealed ones, its keyed digest.
fn bundle(manifest: Manifest, salt: &str) -> Verified {
    let held = manifest.files.iter().filter(|file| file.policy != Policy::Foreign);
    let bytes = |file: &File| match &file.hmac {
        Some(hmac) => format!("age-encryption.org/v1\n{salt}{hmac}").into_bytes(),
        None => file.path.clone().into_bytes(),
    };
    let contents: BTreeMap<_, _> = held.map(|file| (file.path.clone(), bytes(file))).collect();
    let packed = pack(manifest, &contents, EPOCH, &key(7)).unwrap();
    open_signed(&packed.bytes, "a.tar.gz", Signers::Anyone).unwrap()
}

/// A host with a verify key and a secret, whose digests begin with these letters.
fn host(verify_key: char, secret: char, change: impl Fn(&mut File)) -> Manifest {
    let mut files = vec![file(SECRET, true), file(VERIFY_KEY_PATH, true)];
    files[0].hmac = Some(secret.to_string().repeat(64));
    files[1].hmac = Some(verify_key.to_string().repeat(64));
    files[1].restart.clear();
    change(&mut files[0]);
    manifest("infra0", files)
}

/// What a diff says of the secret, and of the restart that it takes.
fn verdict(old: &Verified, new: &Verified) -> Option<(Contents, Option<bool>)> {
    let diff = bundles(old, new, true).unwrap()?;
    let file = diff.files.iter().find(|file| file.path == SECRET)?;
    assert_eq!(file.text, None);
    Some((file.contents.unwrap(), diff.effects.first().map(|effect| effect.certain)))
}

#[test]
fn secrets_are_judged_by_what_the_manifests_say() {
    let same = |_: &mut File| {};
    let derived = |generation: &str| {
        let generation = generation.to_owned();
        move |file: &mut File| file.origin = Some(Origin { seed: 1, generation: generation.clone() })
    };
    let old = bundle(host('a', 'b', same), "");
    let anew = Contents::SealedAnew;
    // one verify key: keyed digests tell
    assert_eq!(verdict(&old, &bundle(host('a', 'b', same), "")), None);
    assert_eq!(verdict(&old, &bundle(host('a', 'b', same), "x")), Some((anew, None)));
    assert_eq!(verdict(&old, &bundle(host('a', 'c', same), "")), Some((Contents::Changed, Some(true))));
    // another one: they do not
    assert_eq!(verdict(&old, &bundle(host('c', 'd', same), "")), Some((Contents::Unknown, Some(false))));
    let inputs = |file: &mut File| file.inputs = Some("0".repeat(64));
    assert_eq!(verdict(&old, &bundle(host('c', 'd', inputs), "")), Some((Contents::Changed, Some(true))));
    let old = bundle(host('a', 'b', derived("1")), "");
    let moved = bundle(host('c', 'd', derived("2")), "");
    assert_eq!(verdict(&old, &moved), Some((Contents::Changed, Some(true))));
    // from a secret to a public file
    let public = |file: &mut File| (file.sealed, file.hmac) = (false, None);
    assert_eq!(verdict(&old, &bundle(host('a', 'b', public), "")), Some((Contents::Unknown, Some(false))));
}

#[test]
fn the_verify_keys_own_digest_tells_one_from_another() {
    let diff = |verify_key| {
        let new = bundle(host(verify_key, 'b', |_| {}), "x");
        let diff = bundles(&bundle(host('a', 'b', |_| {}), ""), &new, false).unwrap().unwrap();
        diff.files.into_iter().find(|file| file.path == VERIFY_KEY_PATH).unwrap().contents
    };
    assert_eq!(diff('a'), Some(Contents::SealedAnew));
    assert_eq!(diff('c'), Some(Contents::Changed));
}

#[test]
fn only_bundles_of_one_host_and_cluster_compare() {
    let one = bundle(manifest("infra0", Vec::new()), "");
    let other = bundle(manifest("infra1", Vec::new()), "");
    let error = DiffError::Hosts { old: "infra0".into(), new: "infra1".into() };
    assert_eq!(bundles(&one, &other, false), Err(error));
    let mut far = manifest("infra0", Vec::new());
    far.cluster.id = "f".repeat(32);
    let error = DiffError::Clusters { old: CLUSTER.into(), new: "f".repeat(32) };
    assert_eq!(bundles(&one, &bundle(far, ""), false), Err(error));
}

#[test]
fn another_programs_file_is_never_touched() {
    let foreign = |mode: &str| {
        let mut foreign = file("/etc/kubernetes/manifests/a.yaml", false);
        (foreign.policy, foreign.mode) = (Policy::Foreign, mode.into());
        foreign.restart.clear();
        bundle(manifest("infra0", vec![foreign]), "")
    };
    let diff = bundles(&foreign("0600"), &foreign("0644"), true).unwrap().unwrap();
    let old = Some(Value::Text("0600".into()));
    let fact = Fact { name: "mode".into(), old, new: Some(Value::Text("0644".into())) };
    let (path, contents) = ("/etc/kubernetes/manifests/a.yaml".into(), Some(Contents::Same));
    let expected =
        FileDiff { path, state: State::Changed, sealed: false, contents, facts: vec![fact], text: None };
    assert_eq!((diff.files, diff.effects), (vec![expected], Vec::new()));
    let none = bundle(manifest("infra0", Vec::new()), "");
    assert_eq!(bundles(&foreign("0600"), &none, true).unwrap().unwrap().effects, []);
}

#[test]
fn effects_come_once_and_in_order() {
    let row = |path: &str, restart: &[&str], run: &[&str]| {
        let mut row = file(path, false);
        row.restart = restart.iter().map(ToString::to_string).collect();
        row.run = run.iter().map(ToString::to_string).collect();
        row
    };
    let new = manifest(
        "cp1",
        vec![
            row("/a", &["kubelet", "static-pod/kube-scheduler", "unit/nginx"], &["z", "a"]),
            row("/b", &["static-pod/kube-apiserver", "static-pod/etcd", "kubelet"], &["a"]),
            row("/etc/kubernetes/manifests/.hidden.yaml", &[], &[]),
            row("/etc/kubernetes/manifests/below/x.yaml", &[], &[]),
            row("/etc/kubernetes/manifests/x.yaml", &[], &[]),
            row("/etc/sealift/RUNBOOK.md", &[], &[]),
            row("/unchanged", &["unit/never"], &["never"]),
        ],
    );
    let diff = |path: &str, contents| FileDiff {
        path: path.into(),
        state: State::Changed,
        sealed: false,
        contents: Some(contents),
        facts: Vec::new(),
        text: None,
    };
    let mut files: Vec<_> =
        new.files.iter().take(6).map(|file| diff(&file.path, Contents::Changed)).collect();
    files[0].contents = Some(Contents::Unknown);
    files.push(diff("/unchanged", Contents::Same));
    let effect = |kind, target: &str, files: &[&str], certain| Effect {
        kind,
        target: target.into(),
        files: files.iter().map(ToString::to_string).collect(),
        certain,
    };
    let expected = [
        effect(EffectKind::Read, "/etc/sealift/RUNBOOK.md", &["/etc/sealift/RUNBOOK.md"], true),
        effect(EffectKind::Recreate, "static-pod/x", &["/etc/kubernetes/manifests/x.yaml"], true),
        effect(EffectKind::Run, "z", &["/a"], false),
        effect(EffectKind::Run, "a", &["/a", "/b"], true),
        effect(EffectKind::Restart, "unit/nginx", &["/a"], false),
        effect(EffectKind::Restart, "static-pod/etcd", &["/b"], true),
        effect(EffectKind::Restart, "static-pod/kube-apiserver", &["/b"], true),
        effect(EffectKind::Restart, "static-pod/kube-scheduler", &["/a"], false),
        effect(EffectKind::Restart, "kubelet", &["/a", "/b"], true),
    ];
    assert_eq!(effects::of(&files, None, &new), expected);
}

#[test]
fn a_pod_that_the_kubelet_recreates_is_not_restarted_too() {
    let pod = "/etc/kubernetes/manifests/etcd.yaml";
    let row = |path: &str, sealed| File { restart: vec!["static-pod/etcd".into()], ..file(path, sealed) };
    let bare = |path: &str, sealed| File { restart: Vec::new(), ..file(path, sealed) };
    let effects = |owned, more: &[File]| {
        let crt = row("/etc/kubernetes/pki/ca.crt", false);
        let mut new = manifest("cp1", [&[bare(pod, false), crt], more].concat());
        let owned = Directory {
            path: "/etc/kubernetes/manifests".into(),
            mode: "0755".into(),
            uid: 0,
            gid: 0,
            owned,
            allow: Vec::new(),
        };
        new.directories.push(owned);
        let none = bundle(manifest("cp1", Vec::new()), "");
        let diff = bundles(&none, &bundle(new, ""), false).unwrap().unwrap();
        diff.effects.into_iter().map(|effect| (effect.kind, effect.files)).collect::<Vec<_>>()
    };
    let crt = "/etc/kubernetes/pki/ca.crt";
    let start = |files: &[&str]| (EffectKind::Start, files.iter().map(ToString::to_string).collect());
    let restart = (EffectKind::Restart, vec![crt.to_owned()]);
    assert_eq!(effects(true, &[]), [start(&[pod, crt])]);
    // where the manifest may come first, the pod may have read old files
    assert_eq!(effects(false, &[]), [start(&[pod]), restart.clone()]);
    let secret = "/etc/kubernetes/manifests/keepalived.yaml";
    let keepalived = (EffectKind::Start, vec![secret.to_owned()]);
    assert_eq!(effects(true, &[bare(secret, true)]), [start(&[pod]), keepalived, restart]);
}

#[test]
fn texts_that_people_can_read_are_shown() {
    let unified = |old: Option<&str>, new: Option<&str>| {
        text::unified("/etc/a", old.map(str::as_bytes), new.map(str::as_bytes))
    };
    let changed = "--- a/etc/a\n+++ b/etc/a\n@@ -1 +1 @@\n-x\n+y\n\\ No newline at end of file\n";
    assert_eq!(unified(Some("x\n"), Some("y")).unwrap(), changed);
    assert_eq!(unified(None, Some("y\n")).unwrap(), "--- /dev/null\n+++ b/etc/a\n@@ -0,0 +1 @@\n+y\n");
    assert_eq!(unified(Some("x\n"), None).unwrap(), "--- a/etc/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n");
    let long = "x\n".repeat(10_001);
    for odd in ["\u{1b}[2J", "a\rb", "\u{9b}2J", "-----BEGIN CERTIFICATE-----\n", &long] {
        assert_eq!(unified(Some("x\n"), Some(odd)), None);
        assert_eq!(unified(Some(odd), None), None);
    }
    assert_eq!(text::unified("/etc/a", Some(b"\xff"), None), None);
    assert_eq!(unified(None, Some(&"x".repeat(1024 * 1024 + 1))), None);
}
