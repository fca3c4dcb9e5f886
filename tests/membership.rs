//! Members of etcd that join, are replaced and leave: runbooks, rules, and what `check --previous` says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use sealift::plan::{Facts, plan};
use sealift::render::Renderer;
use sealift::render::templates::Templates;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use support::example::{Built, HOSTS, replaced, spec};
use support::golden::golden_tree;
use support::{need, run_with_input, sealift};

const RUNBOOK: &str = "/etc/sealift/RUNBOOK.md";

/// How etcd may run, and what the spec says of it.
const FORMS: [(&str, &str); 4] = [
    ("static-pod", "run: static-pod"),
    ("systemd", "run: systemd\n  version: 3.5.16\n  walDir: /srv/wal"),
    ("podman", "run: container"),
    ("docker", "run: container\n  container: {engine: docker}"),
];

/// A recipient of the example: its owner does not matter here, as long as hosts have distinct ones.
const RECIPIENTS: [&str; 2] = [
    "age1yt0q0jhmu4md0lfqhpkype4nlucwzn79csf0gk5tj8ulxxd96c0qc8v74k",
    "age14r825hcu9tgt8v4fzphmxr4jnrt59e9q0shksnakrte4t4kg5ysqhsktva",
];

/// The example in one form.
fn three(form: &str) -> String {
    let text = replaced(&spec(), "run: static-pod", form);
    // where etcd is no pod, these hosts have no kubelet
    if form.contains("static-pod") {
        text
    } else {
        replaced(&text, "kubelet:\n  gate:\n    run: sealift\n", "")
    }
}

/// A host of its own with these lines.
fn host(name: &str, address: &str, recipient: &str, more: &str) -> String {
    format!("  {name}:\n    addresses: [{address}]\n    roles: [etcd]\n    recipients: [{recipient}]\n{more}")
}

fn joining() -> [String; 2] {
    let more = "    etcd: {state: existing}\n";
    [host("infra3", "10.0.0.9", RECIPIENTS[0], more), host("infra4", "10.0.0.10", RECIPIENTS[1], more)]
}

/// Two more than the example.
fn five(form: &str) -> String {
    three(form) + &joining().concat()
}

/// The example with another machine in the place of its second.
fn replacing(form: &str) -> String {
    let text = three(form);
    let text = replaced(
        &text,
        "  infra1:\n",
        "  infra1:\n    generation: 2\n    revision: 1\n    etcd: {state: existing}\n",
    );
    let old = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIATlpF1DmwQyDwfp5iOCkmeCEUfxKh1z0QlZv3co+3I9";
    replaced(&text, old, RECIPIENTS[0])
}

/// Three that were five.
fn leaving(form: &str) -> String {
    let more = format!("{form}\n  leaving: [infra3, infra4]");
    three(&more)
}

/// The runbooks of a spec, by host.
#[track_caller]
fn runbooks(spec: &str) -> BTreeMap<String, String> {
    let loaded = sealift::spec::load(spec);
    assert!(!loaded.has_errors(), "{:?}\n{spec}", loaded.problems);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    assert!(problems.iter().all(|problem| !problem.is_error()), "{problems:?}");
    let templates = Templates::embedded();
    let renderer = Renderer::new(&templates).unwrap();
    let hosts = plan.hosts.values().chain([&plan.operator]).filter(|host| host.membership.is_some());
    let text = |host: &sealift::plan::HostPlan| renderer.templates(host).unwrap().remove(RUNBOOK).unwrap();
    hosts.map(|host| (host.name.clone(), String::from_utf8(text(host)).unwrap())).collect()
}

#[test]
fn runbooks_of_every_form() {
    let shell = need("sh");
    for (name, form) in FORMS {
        let mut texts = BTreeMap::new();
        for (change, spec) in [("grow", five(form)), ("replace", replacing(form)), ("shrink", leaving(form))]
        {
            let found = runbooks(&spec);
            texts.extend(found.into_iter().map(|(host, text)| (format!("{change}/{host}.md"), text)));
        }
        let hosts: Vec<_> = texts.keys().map(String::as_str).collect();
        let told = ["grow/infra3.md", "grow/infra4.md", "grow/operator.md", "replace/infra1.md"];
        assert_eq!(hosts, [&told[..], &["replace/operator.md", "shrink/operator.md"]].concat());
        for text in texts.values() {
            assert!(text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains("\n\n\n"), "{text}");
            assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
            for block in support::blocks(text) {
                let Some(shell) = &shell else { continue };
                let ran = run_with_input(Command::new(shell).arg("-n"), block.as_bytes());
                assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{block}");
            }
        }
        golden_tree(&format!("runbooks/members-{name}"), &texts);
    }
}

/// A build of one spec, and what `check` says of the next against it.
fn checked(before: &str, after: &str) -> (i32, String, String) {
    let built = Built::of(before);
    fs::write(built.path("sealift.yaml"), after).unwrap();
    let words = ["check".into(), built.path("sealift.yaml"), "--previous".into(), built.out()];
    let ran = sealift(words);
    let hide = |text: &str| text.replace(built.path("sealift.yaml").to_str().unwrap(), "SPEC");
    (ran.code, hide(&ran.stdout), hide(&ran.stderr))
}

/// Messages and hints of what was said, without the places.
fn said(stderr: &str) -> Vec<&str> {
    let lines = stderr
        .lines()
        .filter(|line| ["error: ", "warning: ", "hint: "].iter().any(|start| line.starts_with(start)));
    lines.collect()
}

#[track_caller]
fn says(before: &str, after: &str, code: i32, expected: &[&str]) {
    let (found, _, stderr) = checked(before, after);
    assert_eq!((found, said(&stderr)), (code, expected.to_vec()), "{stderr}");
}

const POD: &str = "run: static-pod";
const IN_ORDER: &str =
    "hint: one after the other, each healthy before the next: the operators' runbook has the order";

/// Growing and replacing change no byte of other members' bundles, in any form.
#[test]
fn other_members_bundles_stay_as_they_are() {
    for (name, form) in FORMS {
        let built = Built::of(&three(form));
        let bytes = |hosts: &[&str]| {
            hosts.iter().map(|host| fs::read(built.bundle(host)).unwrap()).collect::<Vec<_>>()
        };
        let before = bytes(&HOSTS);
        for (spec, hosts) in [(five(form), &[0, 1, 2][..]), (replacing(form), &[0, 2])] {
            fs::write(built.path("sealift.yaml"), spec).unwrap();
            let _ = built.build(&[]).expect_code(0);
            let after = bytes(&HOSTS);
            for number in 0..HOSTS.len() {
                assert_eq!(before[number] == after[number], hosts.contains(&number), "{name} {number}");
            }
        }
    }
}

#[test]
fn growing_and_replacing_are_told_host_by_host() {
    for (_, form) in FORMS {
        let (code, stdout, stderr) = checked(&three(form), &five(form));
        assert_eq!(said(&stderr), ["warning: 2 etcd members join: infra3, infra4", IN_ORDER]);
        let hosts = "infra0: unchanged\ninfra1: unchanged\ninfra2: unchanged\ninfra3: new\ninfra4: new\n";
        let expected = format!("ok SPEC: 5 hosts, 1 warning\n{hosts}operator: changed\n  + {RUNBOOK}\n");
        assert_eq!((code, stdout), (0, expected));
        let (code, stdout, stderr) = checked(&three(form), &replacing(form));
        assert_eq!((code, stderr.as_str()), (0, ""));
        assert!(
            stdout.starts_with("ok SPEC: 3 hosts\ninfra0: unchanged\ninfra1: changed, revision 1.0 to 1.1\n"),
            "{stdout}"
        );
        assert!(
            stdout.ends_with(&format!("infra2: unchanged\noperator: changed\n  + {RUNBOOK}\n")),
            "{stdout}"
        );
    }
}

#[test]
fn what_loses_the_quorum_is_refused() {
    let two = replaced(
        &replacing(POD),
        "  infra2:\n",
        "  infra2:\n    generation: 2\n    revision: 1\n    etcd: {state: existing}\n",
    );
    let (code, stdout, stderr) = checked(&three(POD), &two);
    let expected = "error: infra1 and infra2 cannot leave or be replaced at once: 1 of 3 etcd members are no majority
  --> SPEC:23:1
   |
23 | hosts:
   | ^^^^^
hint: change fewer, roll that out until all members are healthy, and the others then; if they are lost already, restore a snapshot into a new cluster

warning: 2 etcd members join: infra1, infra2
  --> SPEC:23:1
   |
23 | hosts:
   | ^^^^^
hint: one after the other, each healthy before the next: the operators' runbook has the order

SPEC: 1 error
";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (2, "", expected));
}

#[test]
fn two_other_machines_that_do_not_say_so_are_refused() {
    let again = |text: &str, host: &str, old: &str, new: &str| {
        let line = format!("  {host}:\n");
        let text = replaced(text, &line, &format!("{line}    generation: 2\n    revision: 1\n"));
        replaced(&text, old, new)
    };
    let second = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIATlpF1DmwQyDwfp5iOCkmeCEUfxKh1z0QlZv3co+3I9";
    let third = "age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs4\n      \
                 - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDqk7SYtCfw8fKmINr4T4QOihxXsHJ7T8qDOMdyDfxl";
    for (_, form) in FORMS {
        let one = again(&three(form), "infra1", second, RECIPIENTS[0]);
        let told = [
            "warning: infra1 has new keys and another recipient, and does not join",
            "hint: if its data is gone, write `etcd: {state: existing}` there: the others refuse a member that begins again; with its data it goes on",
        ];
        says(&three(form), &one, 0, &told);
        let two = again(&one, "infra2", third, RECIPIENTS[1]);
        let (code, _, stderr) = checked(&three(form), &two);
        let error = "error: infra1 and infra2 cannot leave or be replaced at once: 1 of 3 etcd members are no majority";
        assert!(code == 2 && said(&stderr).contains(&error), "{stderr}");
    }
    // new keys for the same machines
    let keys = |host: &str, text: &str| again(text, host, "epoch: ", "epoch: ");
    says(&three(POD), &keys("infra2", &keys("infra1", &three(POD))), 0, &[]);
}

#[test]
fn those_that_join_by_one_change_join_in_one_turn() {
    let apart = replaced(
        &five(POD),
        &format!("[{}]\n    etcd: {{state: existing}}", RECIPIENTS[1]),
        &format!("[{}]\n    etcd: {{state: existing, join: 2}}", RECIPIENTS[1]),
    );
    let told = [
        "warning: 2 etcd members join: infra3, infra4",
        "hint: one after the other, each healthy before the next: the operators' runbook has the order",
        "error: infra3 and infra4 join in different turns: the operators' runbook tells of infra4 alone",
        "hint: give all that join by this change the same turn, such as `join: 2`: they join one after the other",
    ];
    let (code, _, stderr) = checked(&three(POD), &apart);
    let said = said(&stderr);
    assert!(code == 2 && told.iter().all(|line| said.contains(line)) && said.len() == told.len(), "{stderr}");
}

#[test]
fn a_member_that_is_gone_is_to_leave() {
    let without =
        |more: &str| replaced(&(three(POD) + more), "static-pod\n", "static-pod\n  leaving: [infra4]\n");
    let before = five(POD);
    let both = without("retired: {infra3: 1, infra4: 1}\n");
    let gone = [
        "warning: infra3 was an etcd member, and the cluster still counts it",
        "hint: write `leaving: [infra4, infra3]` under `etcd`: the operators' runbook then says how it leaves",
    ];
    says(&before, &both, 0, &gone);
    says(&before, &(leaving(POD) + "retired: {infra3: 1, infra4: 1}\n"), 0, &[]);
}

#[test]
fn a_new_member_must_join_and_in_its_turn() {
    let one = |state: &str| three(POD) + &host("infra3", "10.0.0.9", RECIPIENTS[0], state) + &joining()[1];
    let (_, _, stderr) = checked(&three(POD), &one(""));
    assert!(
        stderr.starts_with("warning: infra3 is a new etcd member and would begin a cluster of its own\n")
            || stderr
                .contains("\nwarning: infra3 is a new etcd member and would begin a cluster of its own\n"),
        "{stderr}"
    );
    // five, and then the second is replaced: two joined before it
    let again = "  infra1:\n    generation: 2\n    revision: 1\n    etcd: {state: existing}\n";
    let late = replaced(&five(POD), "  infra1:\n", again);
    says(
        &five(POD),
        &late,
        2,
        &[
            "error: infra1 joins before infra3, infra4, which joined already: etcd would refuse it",
            "hint: write `join: 2` beside `state: existing`",
        ],
    );
    let in_turn = late.replacen("etcd: {state: existing}", "etcd: {state: existing, join: 2}", 1);
    says(&five(POD), &in_turn, 0, &[]);
}

#[test]
fn what_changes_other_members_files_for_nothing_is_told() {
    // one that joined is said to have begun the cluster
    let dropped = three(POD) + &host("infra3", "10.0.0.9", RECIPIENTS[0], "") + &joining()[1];
    let (_, _, stderr) = checked(&five(POD), &dropped);
    let told = said(&stderr);
    assert!(told.contains(&"warning: infra3 joined the cluster, and is said to have begun it"), "{stderr}");
    // a joiner that is replaced is no founder
    let second = replaced(&five(POD), "  infra4:\n", "  infra4:\n    generation: 2\n    revision: 1\n");
    let second = second.replace("[age14r825hcu9tgt8v4fzphmxr4jnrt59e9q0shksnakrte4t4kg5ysqhsktva]\n    etcd: {state: existing}", "[age14r825hcu9tgt8v4fzphmxr4jnrt59e9q0shksnakrte4t4kg5ysqhsktva]\n    etcd: {state: existing, join: 2}");
    let (code, _, stderr) = checked(&five(POD), &second);
    let told = said(&stderr);
    assert_eq!(code, 0);
    assert_eq!(
        told[2..],
        [
            "warning: infra4, which the files of infra0, infra1, infra2, infra3 list from now on",
            "hint: etcd does not read that again, but these members restart: write `founder: false` beside `state: existing`",
        ],
        "{stderr}"
    );
    let quiet = second.replace("join: 2}", "join: 2, founder: false}");
    says(&five(POD), &quiet, 0, &[]);
    // infra4 joined after it, and listed it: nothing can be written against that
    let more = "    generation: 2\n    revision: 1\n    etcd: {state: existing, join: 2, founder: false}\n";
    let first = three(POD) + &host("infra3", "10.0.0.9", RECIPIENTS[0], more) + &joining()[1];
    says(
        &five(POD),
        &first.replace("  revision: 1\n", "  revision: 2\n"),
        0,
        &[
            "warning: infra3, which the files of infra4 list no more",
            "hint: etcd does not read that again, but these members restart: install one after the other, each healthy before the next",
        ],
    );
}

#[test]
fn a_member_that_moves_is_told_to_the_cluster() {
    let moved = replaced(&three(POD), "addresses: [10.0.0.7]", "addresses: [10.0.0.17]");
    let moved = replaced(&moved, "  revision: 1\n", "  revision: 2\n");
    says(
        &three(POD),
        &moved,
        0,
        &[
            "warning: infra1 is reached at https://10.0.0.17:2380, and the cluster knows https://10.0.0.7:2380",
            "hint: before its etcd starts there: `etcdctl member update ID --peer-urls=https://10.0.0.17:2380`, ID from \
         `etcdctl member list`; or replace it: raise `generation` and write `etcd: {state: existing}`",
        ],
    );
}

#[test]
fn an_even_number_is_told() {
    let four = three(POD) + &joining()[0];
    says(
        &three(POD),
        &four,
        0,
        &[
            "warning: an even number of etcd members (4) tolerates no more failures than one less",
            "hint: add or remove one",
        ],
    );
}

/// What a spec alone cannot mean.
#[test]
fn rules() {
    let problems = |spec: &str| {
        let loaded = sealift::spec::load(spec);
        let told = loaded.problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message));
        told.collect::<Vec<_>>()
    };
    let here =
        |more: &str| replaced(&three(POD), "  infra1:\n", &format!("  infra1:\n    etcd: {{{more}}}\n"));
    assert_eq!(
        problems(&here("join: 2, founder: true")),
        [
            "hosts.infra1.etcd.join: hosts.infra1.etcd.join: infra1 begins the cluster and joins none",
            "hosts.infra1.etcd.founder: hosts.infra1.etcd.founder: infra1 begins the cluster and joins none",
        ]
    );
    let role = three(POD) + "roles: {etcd: {etcd: {state: existing}}}\n";
    assert_eq!(problems(&role), ["roles.etcd.etcd.state: roles.etcd.etcd.state: hosts join one by one"]);
    let all = three(POD).replace("    roles: [etcd]\n", "    roles: [etcd]\n    etcd: {state: existing}\n");
    assert_eq!(problems(&all), ["hosts: every etcd member joins a cluster, and none began it"]);
    let list =
        |names: &str| replaced(&three(POD), "static-pod\n", &format!("static-pod\n  leaving: [{names}]\n"));
    assert_eq!(
        problems(&list("infra9, infra9")),
        ["etcd.leaving[1]: etcd.leaving[1]: infra9 is listed twice"]
    );
    assert_eq!(
        problems(&list("infra1")),
        ["etcd.leaving[0]: etcd.leaving[0]: infra1 still is an etcd member"]
    );
    let kubeadm = replaced(
        &here("state: existing"),
        "provisioner: none",
        "provisioner: kubeadm\n  endpoint: a.example:6443\nloadBalancers: [{kind: external}]",
    );
    let kubeadm = kubeadm.replace("roles: [etcd]", "roles: [control-plane, etcd]");
    assert_eq!(problems(&kubeadm), ["hosts.infra1.etcd.state: infra1's member is kubeadm's"]);
}

/// None of the settings is without effect.
#[test]
fn every_setting_changes_a_file() {
    let files = |text: &str, host: &str| {
        let all = support::archive::members(&Built::of(text).bundle(host));
        let files = all.into_iter().filter(|member| member.name.starts_with("files/"));
        files.map(|member| (member.name, member.contents)).collect::<BTreeMap<_, _>>()
    };
    let with = |settings: &str| {
        replaced(&five(POD), "    etcd: {state: existing}\n  infra4", &format!("{settings}  infra4"))
    };
    let plain = with("    etcd: {state: existing}\n");
    for (settings, host) in [
        ("", "infra3"),
        ("    etcd: {state: existing, join: 2}\n", "infra3"),
        ("    etcd: {state: existing, founder: true}\n", "infra0"),
    ] {
        assert_ne!(files(&plain, host), files(&with(settings), host), "{settings}");
    }
    assert_ne!(files(&three(POD), "operator"), files(&leaving(POD), "operator"));
}
