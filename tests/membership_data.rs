//! What `check --previous` says of a change that endangers etcd's data or its majority.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::fmt::Write as _;
use std::fs;
use support::example::{Built, replaced};
use support::opened::machine;
use support::sealift;

const SERVICE: &str = "run: systemd, version: 3.6.8";

/// A spec of a revision, with this of etcd, and members by number with what else their host says.
fn spec(revision: u8, etcd: &str, members: &[(u8, &str)], more: &str) -> String {
    let mut text = format!(
        "apiVersion: sealift/v1\ncluster: {{name: prod, id: \"7e570000000000000000000000000001\", epoch: \
         2026-11-20T00:00:00Z, revision: {revision}, operators: [{}]}}\nkubernetes: {{version: 1.36.2, \
         provisioner: none}}\netcd: {{{etcd}}}\n{more}hosts:\n",
        support::opened::operator().to_public()
    );
    for (number, own) in members {
        let recipient = machine(*number).to_public();
        let _ = writeln!(
            text,
            "  m{number}: {{addresses: [10.0.0.{number}], roles: [etcd], recipients: [{recipient}]{own}}}"
        );
    }
    if members.is_empty() { text.replace("hosts:\n", "hosts: {}\n") } else { text }
}

/// What `check` says of a spec against a build: code, and messages with their hints.
fn checked(before: &Built, after: &str) -> (i32, Vec<String>) {
    let path = before.path("after.yaml");
    fs::write(&path, after).unwrap();
    let ran = sealift(["check".into(), path, "--previous".into(), before.out()]);
    let starts = ["error: ", "warning: ", "hint: "];
    let said = ran.stderr.lines().filter(|line| starts.iter().any(|start| line.starts_with(start)));
    (ran.code, said.map(str::to_owned).collect())
}

const THREE: [(u8, &str); 3] = [(1, ""), (2, ""), (3, "")];
const ONE_HOST: &str = "one host at a time, while all members are healthy: stop etcd there";

#[test]
fn data_that_is_left_behind_is_told() {
    for form in [SERVICE, "run: container", "run: static-pod"] {
        let before = Built::of(&spec(1, form, &THREE, ""));
        let says = |etcd: &str, expected: &[&str]| {
            let after = spec(2, etcd, &THREE, "");
            assert_eq!(
                checked(&before, &after),
                (0, expected.iter().map(ToString::to_string).collect()),
                "{etcd}"
            );
        };
        says(form, &[]);
        says(&format!("{form}, token: other, tuning: {{maxWals: 3}}"), &[]);
        // the same in other words
        says(&format!("{form}, dataDir: /var/lib/etcd"), &[]);
        let whose = "etcd on m1, m2, m3 looks for its data in";
        says(
            &format!("{form}, dataDir: /srv/etcd"),
            &[
                &format!(
                    "warning: {whose} /srv/etcd, and has it in /var/lib/etcd: it would begin anew, without any"
                ),
                &format!("hint: {ONE_HOST}, `mv /var/lib/etcd /srv/etcd`, install, and start it"),
            ],
        );
        says(
            &format!("{form}, walDir: /srv/wal"),
            &[
                &format!(
                    "warning: {whose} /srv/wal/wal, and has it in /var/lib/etcd/member/wal: it would begin anew, without any"
                ),
                &format!(
                    "hint: {ONE_HOST}, `mv /var/lib/etcd/member/wal /srv/wal/wal`, install, and start it"
                ),
            ],
        );
        if form == SERVICE {
            says(
                &format!("{form}, user: {{uid: 400, gid: 401}}"),
                &[
                    "warning: etcd's data on m1, m2, m3 is 400:401's from now on",
                    "hint: install changes the directory alone: before etcd starts there, `chown -R 400:401 /var/lib/etcd`",
                ],
            );
            // a member that is replaced has no data to lose
            let members =
                [(1, ", generation: 2, etcd: {state: existing, dataDir: /srv/etcd}"), (2, ""), (3, "")];
            assert_eq!(checked(&before, &spec(2, form, &members, "")), (0, vec![]));
        }
    }
}

#[test]
fn another_way_to_run_is_told() {
    let pods = Built::of(&spec(1, "run: static-pod", &THREE, ""));
    let hint = format!(
        "hint: {ONE_HOST}, install, and start it; two that run on the same data destroy it; docs/etcd.md has the commands (Another `etcd.run`)"
    );
    let (code, said) = checked(&pods, &spec(2, SERVICE, &THREE, ""));
    let expected = [
        "warning: etcd's data on m1, m2, m3 is 379:379's from now on",
        "hint: install changes the directory alone: before etcd starts there, `chown -R 379:379 /var/lib/etcd`",
        "warning: etcd on m1, m2, m3 goes from `static-pod` to `systemd`",
        &hint,
    ];
    assert_eq!((code, said), (0, expected.map(str::to_owned).to_vec()));
    let (code, said) = checked(&pods, &spec(2, "run: container", &THREE, ""));
    let expected = ["warning: etcd on m1, m2, m3 goes from `static-pod` to `container`", &hint];
    assert_eq!((code, said), (0, expected.map(str::to_owned).to_vec()));
    // into a cluster: nothing of the data goes there
    let retired = "retired: {m1: 1, m2: 1, m3: 1}\n";
    let (code, said) = checked(&pods, &spec(2, "run: statefulset", &[], retired));
    let lost =
        "error: m1 and m2 and m3 cannot leave or be replaced at once: 0 of 3 etcd members are no majority";
    assert_eq!((code, said[0].as_str()), (2, lost), "{said:?}");
}

#[test]
fn pods_of_a_set_come_and_go_one_by_one() {
    let set = |own: &str| spec(2, &format!("run: statefulset, statefulSet: {{{own}}}"), &[], "");
    let three = Built::of(&replaced(&set("replicas: 3"), "revision: 2", "revision: 1"));
    let says = |own: &str, code: i32, expected: &[&str]| {
        let (found, said) = checked(&three, &set(own));
        let said: Vec<_> = said.iter().filter(|line| !line.starts_with("hint: ")).collect();
        let said: Vec<_> = said.into_iter().filter(|line| !line.contains("tolerate")).collect();
        assert_eq!(
            (found, said),
            (code, expected.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>().iter().collect()),
            "{own}"
        );
    };
    says("replicas: 3", 0, &[]);
    says("replicas: 4, state: existing", 0, &[]);
    says("replicas: 2", 0, &[]);
    says("replicas: 4", 0, &["warning: the new pod would begin a cluster of its own"]);
    says(
        "replicas: 5, state: existing",
        2,
        &["error: 2 etcd members join at once: each waits for the others for ever"],
    );
    says("replicas: 1", 2, &["error: 1 of 3 etcd members are no majority"]);
    says("name: other", 2, &["error: 0 of 3 etcd members are no majority"]);
    says("namespace: other", 2, &["error: 0 of 3 etcd members are no majority"]);
}

/// One to seven members, of which any number is replaced or leaves, while none or one joins.
#[test]
fn majorities() {
    for count in 1..=7_u8 {
        let all: Vec<(u8, &str)> = (1..=count).map(|number| (number, "")).collect();
        let before = Built::of(&spec(1, SERVICE, &all, ""));
        for removed in 0..=count {
            for replaced in 0..=(count - removed) {
                for joins in [false, true] {
                    if removed + replaced == count && !joins {
                        continue;
                    }
                    let mut members: Vec<(u8, &str)> = (removed + 1..=count)
                        .map(|number| {
                            let again = number <= removed + replaced;
                            (number, if again { ", generation: 2, etcd: {state: existing}" } else { "" })
                        })
                        .collect();
                    if joins {
                        members.push((9, ", etcd: {state: existing}"));
                    }
                    let names = (1..=removed).map(|number| format!("m{number}"));
                    let retired: Vec<_> = names.map(|name| format!("{name}: 1")).collect();
                    let more = format!("retired: {{{}}}\n", retired.join(", "));
                    let (code, said) = checked(&before, &spec(2, SERVICE, &members, &more));
                    let refused = said.iter().any(|line| line.contains("are no majority"));
                    // nobody began it: that alone is refused, before any comparison
                    let began = removed + replaced < count;
                    let lost = removed + replaced;
                    let safe = lost == 0 || 2 * (count - lost) > count || (removed, replaced) == (1, 0);
                    let told = format!("{count}: {removed} leave, {replaced} replaced, {joins}: {said:?}");
                    assert_eq!(refused, began && !safe, "{told}");
                    assert_eq!(code == 0, began && safe, "{told}");
                }
            }
        }
    }
}
