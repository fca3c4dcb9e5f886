//! What other files take back, key by key.

use crate::check::units::effective::{How, World, overrides};
use crate::check::units::load::{Part, Unit};
use crate::check::units::name::is_of_package;
use crate::check::units::syntax::read;
use std::collections::BTreeSet;

/// `WHAT: HOW by FILE:LINE`, each; files that begin with `our` are listed.
pub(super) fn found(fragment: &str, drop_ins: &[(&str, &str)]) -> Vec<String> {
    let part = |name: &str, text: &str| Part {
        path: if name.starts_with("package") {
            format!("/usr/lib/systemd/system/{name}")
        } else {
            format!("/etc/{name}")
        },
        file: Some(read(format!("[Service]\n{text}").as_bytes())),
    };
    let (name, text) = fragment.split_once('|').unwrap_or(("our", fragment));
    let unit = Unit {
        fragment: Some(part(name, text)),
        drop_ins: drop_ins.iter().map(|(name, text)| part(name, text)).collect(),
        ..Unit::default()
    };
    let world = World {
        listed: &|path| path.starts_with("/etc/our"),
        of_package: &is_of_package,
        names: &|path| (path != "/e/unreadable").then(|| BTreeSet::from(["FROM_FILE".to_owned()])),
    };
    let how = |how| match how {
        How::SetAgain => "set",
        How::Emptied => "emptied",
        How::Unset => "unset",
        How::Added(_) => "added",
    };
    overrides(&unit, &world)
        .into_iter()
        .map(|it| {
            let through = it.through.map_or(String::new(), |file| format!(" through {file}"));
            format!(
                "{}: {} by {}:{}{through}",
                it.what,
                how(it.how),
                it.by.rsplit('/').next().unwrap(),
                it.line
            )
        })
        .collect()
}

#[test]
fn one_value() {
    assert_eq!(found("ExecStart=/a", &[("x", "ExecStart=/b")]), ["ExecStart: set by x:2"]);
    assert_eq!(found("ExecStart=/a", &[("x", "ExecStart=/a")]), ["ExecStart: set by x:2"]);
    assert_eq!(found("ExecStart=/a", &[("x", "ExecStart=\nExecStart=/b")]), ["ExecStart: emptied by x:2"]);
    assert_eq!(found("Restart=always", &[("x", "Restart=no")]), ["Restart: set by x:2"]);
    assert_eq!(found("Restart=always", &[("x", "Restart=")]), ["Restart: emptied by x:2"]);
    assert_eq!(found("Restart=always", &[("x", "Restart=always")]), [""; 0]);
    assert_eq!(found("Restart=always", &[("x", "[Unit]\nRestart=no")]), [""; 0]);
    assert_eq!(found("Restart=always", &[("x", "RestartSec=1\n# Restart=no")]), [""; 0]);
    assert_eq!(
        found("CapabilityBoundingSet=", &[("x", "CapabilityBoundingSet=CAP_SYS_ADMIN")]),
        ["CapabilityBoundingSet: set by x:2"]
    );
    // theirs first, or taken back by ours
    assert_eq!(found("package|ExecStart=/a", &[("our", "ExecStart=\nExecStart=/b")]), [""; 0]);
    assert_eq!(found("package|Restart=no", &[("our", "Restart=always")]), [""; 0]);
    assert_eq!(
        found("ExecStart=/a", &[("m", "ExecStart=\nExecStart=/c"), ("our2", "ExecStart=\nExecStart=/b")]),
        [""; 0]
    );
    // ours may do what they like
    assert_eq!(found("Restart=always", &[("our2", "Restart=no")]), [""; 0]);
    // older names of one setting
    assert_eq!(
        found("[Unit]\nStartLimitIntervalSec=0", &[("x", "StartLimitInterval=1s")]),
        ["StartLimitIntervalSec: set by x:2"]
    );
}

#[test]
fn lists() {
    let gate = [("our", "ExecStartPre=/gate"), ("x", "ExecStartPre=/more")];
    assert_eq!(found("package|ExecStart=/a", &gate), [""; 0]);
    let gate = [("our", "ExecStartPre=/gate"), ("x", "ExecStartPre=\nExecStartPre=/more")];
    assert_eq!(found("package|ExecStart=/a", &gate), ["ExecStartPre: emptied by x:2"]);
    // what ours add afterwards does not bring back what was lost
    let gate = [("our", "ExecStartPre=/gate"), ("x", "ExecStartPre="), ("our2", "ExecStartPre=/other")];
    assert_eq!(found("package|ExecStart=/a", &gate), ["ExecStartPre: emptied by x:2"]);
    let early = [("a", "ExecStartPre="), ("our", "ExecStartPre=/gate")];
    // nothing of ours is lost, but something of the package's
    assert_eq!(found("package|ExecStartPre=/x", &early), ["ExecStartPre: emptied by a:2"]);
    // conditions are one list
    let unit = "[Unit]\nConditionPathExists=/a\nAfter=b.service";
    assert_eq!(found(unit, &[("x", "[Unit]\nConditionHost=c\nAfter=\nAssertHost=")]), [""; 0]);
    assert_eq!(found(unit, &[("x", "[Unit]\nConditionHost=")]), ["Condition…: emptied by x:3"]);
    // several commands are what oneshot is for, if ours say that it is one
    assert_eq!(found("Type=oneshot\nExecStart=/a", &[("x", "ExecStart=/b")]), [""; 0]);
    assert_eq!(found("ExecStart=/a", &[("x", "Type=oneshot\nExecStart=/b")]), ["ExecStart: set by x:3"]);
}

#[test]
fn variables_of_ours() {
    let ours = "Environment=A=1 \"B=2 3\"";
    assert_eq!(found(ours, &[("x", "Environment=C=1 A=1")]), [""; 0]);
    assert_eq!(found(ours, &[("x", "Environment=\"\\x42=other\"")]), ["Environment=B: set by x:2"]);
    assert_eq!(
        found(ours, &[("x", "Environment=%n=other")]),
        ["Environment=A: set by x:2", "Environment=B: set by x:2"]
    );
    assert_eq!(found(ours, &[("x", "Environment=")]), ["Environment: emptied by x:2"]);
    assert_eq!(
        found(ours, &[("x", "UnsetEnvironment=Z A B=2")]),
        ["Environment=A: unset by x:2", "Environment=B: unset by x:2"]
    );
    // a file wins over Environment=, wherever it is named
    let file = "Environment=FROM_FILE=1";
    assert_eq!(
        found(file, &[("x", "EnvironmentFile=-/e/x")]),
        ["Environment=FROM_FILE: set by x:2 through /e/x"]
    );
    assert_eq!(
        found("package|EnvironmentFile=/e/x", &[("our", file)]),
        ["Environment=FROM_FILE: set by package:2 through /e/x"]
    );
    assert_eq!(
        found("package|EnvironmentFile=/e/x", &[("our", "EnvironmentFile=\nEnvironment=FROM_FILE=1")]),
        [""; 0]
    );
    assert_eq!(found("package|EnvironmentFile=/etc/our.env", &[("our", file)]), [""; 0]);
    assert_eq!(
        found(file, &[("x", "EnvironmentFile=/e/unreadable")]),
        ["Environment=FROM_FILE: set by x:2 through /e/unreadable"]
    );
    assert_eq!(
        found(file, &[("x", "EnvironmentFile=/e/*.env")]),
        ["Environment=FROM_FILE: set by x:2 through /e/*.env"]
    );
}

#[test]
fn variables_that_ours_use() {
    let ours = "ExecStart=/kubelet $ARGS ${MORE}";
    assert_eq!(found(ours, &[("x", "Environment=ARGS=1 OTHER=2")]), ["Environment=ARGS: set by x:2"]);
    assert_eq!(found("a|Environment=MORE=1", &[("our", ours)]), ["Environment=MORE: set by a:2"]);
    assert_eq!(found("package|Environment=MORE=1", &[("our", ours)]), [""; 0]);
    assert_eq!(
        found(ours, &[("our2", "EnvironmentFile=-/e/x\nExecStart=\nExecStart=/a $FROM_FILE")]),
        [""; 0]
    );
}
