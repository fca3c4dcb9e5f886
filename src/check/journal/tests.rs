#![allow(clippy::disallowed_methods, reason = "tests prepare the roots that they look at")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::{FORMAT, Found, JOURNAL, Journal, LARGEST, Mark, NEXT, Owned, Phase, Step, parse, read};
use crate::bundle::canonical;
use crate::bundle::manifest::Revision;
use crate::rootfs::Root;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;

const HEX: &str = "0123456789abcdef0123456789abcdef";

fn journal() -> Journal {
    let new = Mark { size: 7, seconds: 1_795_132_800, nanoseconds: 5 };
    let path = |path: &str| path.to_owned();
    Journal {
        format: FORMAT,
        host: "infra0".into(),
        revision: Revision { cluster: 3, host: 1 },
        phase: Phase::Placing,
        made: vec![path("/etc/new"), path("/etc/new/deep")],
        staging: vec![format!("/.sealift-{HEX}"), format!("/etc/app/.sealift-{HEX}")],
        steps: vec![
            Step::Set { path: path("/etc/app"), before: Owned { mode: 0o755, uid: 0, gid: 7 } },
            Step::Create { path: path("/root.conf"), new },
            Step::Replace { path: path("/etc/app/a"), new },
            Step::Remove { path: path("/etc/app/b") },
        ],
    }
}

#[test]
fn what_an_install_writes_is_read() {
    let text = format!(
        r#"{{"format":1,"host":"infra0","made":["/etc/new","/etc/new/deep"],"phase":"placing","revision":{{"cluster":3,"host":1}},"staging":["/.sealift-{HEX}","/etc/app/.sealift-{HEX}"],"steps":[{{"before":{{"gid":7,"mode":493,"uid":0}},"do":"set","path":"/etc/app"}},{{"do":"create","new":{{"nanoseconds":5,"seconds":1795132800,"size":7}},"path":"/root.conf"}},{{"do":"replace","new":{{"nanoseconds":5,"seconds":1795132800,"size":7}},"path":"/etc/app/a"}},{{"do":"remove","path":"/etc/app/b"}}]}}"#
    );
    assert_eq!(String::from_utf8(canonical::to_bytes(&journal()).unwrap()).unwrap(), text);
    assert_eq!(parse(text.as_bytes()), Ok(journal()));
    assert_eq!(journal().beside().get("/etc/app").copied(), Some(&*format!(".sealift-{HEX}")));
    for (phase, steps) in [(Phase::Staging, Vec::new()), (Phase::Committed, journal().steps)] {
        let other = Journal { phase, steps, ..journal() };
        assert_eq!(parse(&canonical::to_bytes(&other).unwrap()), Ok(other));
    }
}

#[test]
fn what_no_install_writes_is_refused() {
    let staged = |path: &str| format!("{path}/.sealift-{HEX}");
    let at = |path: &str| Step::Remove { path: path.to_owned() };
    let set =
        |path: &str, mode, uid| Step::Set { path: path.to_owned(), before: Owned { mode, uid, gid: 0 } };
    let cases: Vec<(&str, Box<dyn Fn(&mut Journal)>)> = vec![
        ("a journal of another format", Box::new(|it| it.format = 2)),
        ("a staging directory of another name", Box::new(|it| it.staging[1] = "/etc/app".into())),
        ("a staging directory of another name", Box::new(move |it| it.staging[1] = staged("/etc/../root"))),
        ("a staging directory of another name", Box::new(move |it| it.staging[1] = staged("etc/app"))),
        ("a staging directory of another name", Box::new(move |it| it.staging[1] = staged("/etc\n"))),
        (
            "two staging directories in one place",
            Box::new(move |it| it.staging.push(format!("/etc/app/.sealift-{}", "0".repeat(32)))),
        ),
        ("a directory that install does not make", Box::new(|it| it.made.push("/etc/../root".into()))),
        ("a directory that install does not make", Box::new(|it| it.made.push("relative".into()))),
        ("a directory that install does not make", Box::new(move |it| it.made.push(staged("/etc/app")))),
        ("a directory that is made twice", Box::new(|it| it.made.push("/etc/new".into()))),
        ("a directory that is made twice", Box::new(|it| it.made.push("/var/lib".into()))),
        ("steps before all is staged", Box::new(|it| it.phase = Phase::Staging)),
        ("a step that install does not take", Box::new(move |it| it.steps.push(at("/etc/elsewhere/a")))),
        ("a step that install does not take", Box::new(move |it| it.steps.push(at("/etc/app/deep/a")))),
        ("a step that install does not take", Box::new(move |it| it.steps.push(set("/etc", 0o10000, 0)))),
        (
            "a step that install does not take",
            Box::new(move |it| it.steps.push(set("/etc", 0o755, u32::MAX))),
        ),
        (
            "a step at a path that install does not change",
            Box::new(move |it| it.steps.push(at("/etc/app/../../root/x"))),
        ),
        ("a step at a path that install does not change", Box::new(move |it| it.steps.push(at("/etc/app/")))),
        (
            "a step at a path that install does not change",
            Box::new(move |it| it.steps.push(at(&staged("/etc/app")))),
        ),
        (
            "a step at a path that install does not change",
            Box::new(move |it| {
                it.staging.push(staged("/var/lib/sealift"));
                it.steps.push(at(JOURNAL));
            }),
        ),
        ("two steps at one path", Box::new(move |it| it.steps.push(at("/etc/app/a")))),
    ];
    for (number, (why, change)) in cases.iter().enumerate() {
        let mut changed = journal();
        change(&mut changed);
        assert_eq!(parse(&canonical::to_bytes(&changed).unwrap()), Err(*why), "{number}");
    }
    let form = Err("no canonical JSON of a journal's form");
    let text = String::from_utf8(canonical::to_bytes(&journal()).unwrap()).unwrap();
    for (from, to) in [
        ("{\"format\"", " {\"format\""),
        ("\"do\":\"set\"", "\"do\":\"run\""),
        ("\"host\":\"infra0\"", "\"host\":\"infra0\",\"more\":1"),
        ("\"do\":\"remove\"", "\"do\":\"remove\",\"new\":1"),
        ("\"size\":7", "\"size\":-7"),
        ("\"size\":7", "\"size\":9007199254740992"),
    ] {
        assert!(text.contains(from), "{from}");
        assert_eq!(parse(text.replace(from, to).as_bytes()), form, "{to}");
    }
    assert_eq!(parse(&text.as_bytes()[..text.len() - 1]), form);
    assert_eq!(parse(b""), form);
}

#[test]
fn where_it_lies() {
    let said = |root: &TempDir| match read(&Root::open(root.path()).unwrap()).unwrap() {
        Found::Nothing => "nothing".to_owned(),
        Found::Begun => "begun".to_owned(),
        Found::Interrupted(journal) => journal.phase.doing().to_owned(),
        Found::Damaged(why) => why.to_owned(),
    };
    let root = TempDir::new().unwrap();
    let place = |path: &str| root.path().join(path.trim_start_matches('/'));
    let allow = |mode| fs::set_permissions(place(JOURNAL), fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(said(&root), "nothing");
    fs::create_dir_all(place("/var/lib/sealift")).unwrap();
    assert_eq!(said(&root), "nothing");
    fs::write(place(NEXT), b"half").unwrap();
    assert_eq!(said(&root), "begun");
    fs::write(place(JOURNAL), canonical::to_bytes(&journal()).unwrap()).unwrap();
    allow(0o644);
    assert_eq!(said(&root), "a file that others may read or write");
    allow(0o600);
    assert_eq!(said(&root), "putting files into their places");
    fs::write(place(JOURNAL), vec![b' '; usize::try_from(LARGEST).unwrap() + 1]).unwrap();
    assert_eq!(said(&root), "more than 4 MiB");
    fs::remove_file(place(JOURNAL)).unwrap();
    symlink("journal.next", place(JOURNAL)).unwrap();
    assert_eq!(said(&root), "no regular file");
    fs::remove_file(place(JOURNAL)).unwrap();
    fs::remove_file(place(NEXT)).unwrap();
    fs::create_dir(place(NEXT)).unwrap();
    assert_eq!(said(&root), "something else than a file where its next state would be");
}

/// Whatever is read names only directories with a staging directory, and is written as it was read.
mod properties {
    use super::{canonical, journal, parse};
    use crate::check::journal::Step;
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn nothing_else_passes(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let mut bytes = canonical::to_bytes(&journal()).unwrap();
            let at = at.index(bytes.len());
            if cut { bytes.remove(at); } else { bytes[at] = byte; }
            if let Ok(read) = parse(&bytes) {
                proptest::prop_assert_eq!(canonical::to_bytes(&read).unwrap(), bytes);
                let beside = read.beside();
                for step in read.steps.iter().filter(|step| !matches!(step, Step::Set { .. })) {
                    let above = step.path().rsplit_once('/').unwrap().0;
                    let listed = beside.contains_key(if above.is_empty() { "/" } else { above });
                    proptest::prop_assert!(listed);
                    proptest::prop_assert!(!step.path().contains("/../"));
                }
            }
        }
    }
}
