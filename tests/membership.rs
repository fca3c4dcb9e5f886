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
    replaced(&spec(), "run: static-pod", form)
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
