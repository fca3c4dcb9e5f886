//! What happens to an interrupted install before the next one.

use crate::bundles::PODS;
use crate::machine::{copy, ids, tree};
use crate::strace::{Call, wrong};
use crate::support::run;
use crate::{LABORATORY, can_inject, each, ends, first, judge, judge_all_but_manifests, killed, upgrade};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const JOURNAL: &str = "var/lib/sealift/journal.json";

/// A host on which the newer bundle's install was killed when its record was being placed.
fn interrupted(bench: &Path) -> PathBuf {
    let start = upgrade();
    let calls = start.calls(bench);
    let is_record = |call: &&Call| call.name == "renameat" && call.text.contains("\"installed.json\"");
    let call = calls.iter().find(is_record).unwrap();
    let root = start.host(bench);
    killed(&wrong(&LABORATORY.command(&root, "b"), call, "signal=KILL", ""), call);
    copy(&root, &bench.join("interrupted"));
    bench.join("interrupted")
}

#[test]
fn a_dry_run_says_so_and_changes_nothing() {
    if !can_inject() {
        return;
    }
    let root = interrupted(&LABORATORY.bench("dry"));
    let before = tree(&root);
    let mut words = LABORATORY.command(&root, "b");
    words.push("--dry-run".into());
    let ran = run(Command::new(&words[0]).args(&words[1..])).expect_code(0);
    assert_eq!(tree(&root), before);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let revision = serde_json::json!({"cluster": 2, "host": 0});
    assert_eq!(json["recovered"], serde_json::json!({"outcome": "taken-back", "revision": revision}));
    assert_eq!(
        ran.stderr,
        "an install of revision 2.0 was interrupted: it would be taken back first; what follows is told of the host as it is\n"
    );
    ends(upgrade(), &root, true, "after a dry run");
}

/// Lines that somebody added to a file after the kill are not lost with it.
#[test]
fn what_somebody_wrote_since_stays() {
    if !can_inject() {
        return;
    }
    let root = interrupted(&LABORATORY.bench("since"));
    let hosts = root.join("etc/hosts");
    let text = fs::read_to_string(&hosts).unwrap() + "10.9.9.9 late\n";
    fs::write(&hosts, &text).unwrap();
    fs::remove_file(root.join("etc/pki/peer.key")).unwrap();
    let _ = LABORATORY.install(&root, "b").expect_code(0);
    assert_eq!(fs::read_to_string(&hosts).unwrap(), text);
    fs::write(&hosts, text.replace("10.9.9.9 late\n", "")).unwrap();
    assert_eq!(&tree(&root), upgrade().after);
}

/// Somebody tidied up: what cannot be put back is said, and given up only when asked.
#[test]
fn what_was_kept_is_gone() {
    if !can_inject() {
        return;
    }
    let root = interrupted(&LABORATORY.bench("gone"));
    for entry in fs::read_dir(root.join("etc/pki")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            fs::remove_dir_all(entry).unwrap();
        }
    }
    let before = tree(&root);
    let ran = LABORATORY.install(&root, "b").expect_code(1);
    assert_eq!(tree(&root), before);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let of: Vec<_> = json["findings"].as_array().unwrap().iter().map(|it| (&it["id"], &it["path"])).collect();
    let named = ["/etc/pki/server.crt", "/etc/pki/server.key"];
    assert_eq!(
        format!("{of:?}"),
        format!("{:?}", named.map(|path| (serde_json::json!("interrupted"), serde_json::json!(path))))
    );
    let mut words = LABORATORY.command(&root, "b");
    words.push("--force".into());
    let _ = run(Command::new(&words[0]).args(&words[1..])).expect_code(0);
    // keys in the place of which nothing was before are not taken back without their staging directory
    assert_eq!(&tree(&root), upgrade().after);
}

/// A journal that no install wrote is reported, and not followed.
#[test]
fn a_journal_that_is_none() {
    if !can_inject() {
        return;
    }
    let bench = LABORATORY.bench("hostile");
    let root = interrupted(&bench);
    let outside = bench.join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("app.conf"), "theirs").unwrap();
    let text = fs::read_to_string(root.join(JOURNAL)).unwrap();
    let host = bench.join("host");
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    let cases = [
        text[..text.len() / 2].to_owned(),
        String::new(),
        replaced("\"path\":\"/etc/app/app.conf\"", "\"path\":\"/etc/shadow/app.conf\""),
        replaced("\"path\":\"/etc/app/app.conf\"", "\"path\":\"/etc/app/../hostname\""),
        replaced("\"/etc/new\"", "\"/etc/../new\""),
        replaced("\"format\":1", "\"format\":2"),
    ];
    for case in &cases {
        copy(&root, &host);
        fs::write(host.join(JOURNAL), case).unwrap();
        let before = tree(&host);
        let ran = LABORATORY.install(&host, "b").expect_code(1);
        assert_eq!(ids(&ran), ["interrupted"], "{case}");
        assert!(ids(&LABORATORY.verify(&host)).contains(&"interrupted".to_owned()), "{case}");
        assert_eq!(tree(&host), before, "{case}");
    }
    // a link on the way leads nowhere
    copy(&root, &host);
    fs::rename(host.join("etc/app"), host.join("etc/real")).unwrap();
    symlink(&outside, host.join("etc/app")).unwrap();
    let ran = LABORATORY.install(&host, "b");
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_eq!(fs::read_to_string(outside.join("app.conf")).unwrap(), "theirs");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert!(host.join(JOURNAL).exists());
    fs::remove_file(host.join("etc/app")).unwrap();
    fs::rename(host.join("etc/real"), host.join("etc/app")).unwrap();
    ends(upgrade(), &host, true, "after a link");
}

/// Without the journal, what it told of is a finding, and goes with the next install.
#[test]
fn a_staging_directory_without_a_journal() {
    if !can_inject() {
        return;
    }
    let root = interrupted(&LABORATORY.bench("orphan"));
    fs::remove_file(root.join(JOURNAL)).unwrap();
    let verified = LABORATORY.verify(&root);
    assert!(ids(&verified).contains(&"interrupted".to_owned()), "{verified:?}");
    let leftovers = |root: &Path| tree(root).keys().filter(|path| path.contains(".sealift-")).count();
    assert!(leftovers(&root) > 0);
    let _ = LABORATORY.install(&root, "b").expect_code(0);
    assert_eq!(leftovers(&root), 0);
    let _ = LABORATORY.verify(&root).expect_code(0);
}

/// SIGTERM and SIGINT end it as a kill does.
#[test]
fn other_signals() {
    if !can_inject() {
        return;
    }
    let start = first();
    let calls = start.calls(&LABORATORY.bench("signals"));
    let some: Vec<_> = calls.into_iter().step_by(23).collect();
    each("signals", &some, |bench, number, call| {
        let (name, code) = [("TERM", 15), ("INT", 2), ("HUP", 1)][number % 3];
        let root = start.host(bench);
        let ran = wrong(&LABORATORY.command(&root, "b"), call, &format!("signal={name}"), "");
        assert_eq!(ran.code, 128 + code, "{call:?}: {ran:?}");
        let interrupted = judge(start, &root, call);
        ends(start, &root, interrupted, &format!("{name} {call:?}"));
    });
}

/// Where the file system has no second names, and where it cannot exchange files either.
#[test]
fn poorer_file_systems() {
    if !can_inject() {
        return;
    }
    let start = upgrade();
    let bench = LABORATORY.bench("poor");
    for regime in [&["linkat:error=EOPNOTSUPP"][..], &["linkat:error=EPERM", "renameat2:error=EINVAL"]] {
        let all = poor(&LABORATORY.command(&start.host(&bench), "b"), regime, None);
        assert_eq!(all.code, 0, "{all:?}");
        assert_eq!(&tree(&bench.join("root")), start.after);
        // a pair's second rename, and every other one
        let mut number = 0;
        loop {
            number += 1;
            let root = start.host(&bench);
            let call = Call { name: "renameat".into(), number, text: format!("{regime:?}") };
            let ran = poor(&LABORATORY.command(&root, "b"), regime, Some(&call));
            if ran.code == 0 {
                break;
            }
            killed(&ran, &call);
            let interrupted = judge_all_but_manifests(start, &root, &call);
            ends(start, &root, interrupted, &format!("{call:?}"));
        }
        assert!(number > 12, "{number}");
    }
}

fn poor(command: &[String], regime: &[&str], kill: Option<&Call>) -> crate::support::Ran {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=linkat,renameat,renameat2"]);
    for rule in regime {
        strace.args(["-e", &format!("inject={rule}")]);
    }
    if let Some(call) = kill {
        strace.args(["-e", &format!("inject={}:signal=KILL:when={}", call.name, call.number)]);
    }
    run(strace.args(command))
}

/// What differs besides is half of one revision and half of another: it is told when the install has ended.
#[test]
fn an_interrupted_install_is_told_alone() {
    if !can_inject() {
        return;
    }
    let root = interrupted(&LABORATORY.bench("alone"));
    fs::write(root.join(&PODS[1..]).join("stray.yaml"), "x").unwrap();
    fs::write(root.join("var/lib/sealift/SHA256SUMS.sig"), "x").unwrap();
    let verified = LABORATORY.verify(&root);
    assert_eq!((verified.code, ids(&verified)), (1, vec!["interrupted".to_owned()]));
    let _ = LABORATORY.install(&root, "b").expect_code(0);
    let verified = LABORATORY.verify(&root);
    assert_eq!((verified.code, ids(&verified)), (1, vec!["stray-file".to_owned()]));
}
