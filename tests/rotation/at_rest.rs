//! What etcd holds is beyond receipts: at-rest keys have warnings of their own.

use super::{Ran, Walk};
use crate::support::example::{Built, replaced, spec_of_today};
use serde_json::{Value, json};

/// Two control planes with etcd, with this `encryptionAtRest`.
fn spec(encryption: &str) -> String {
    let text = replaced(
        &spec_of_today(),
        "  provisioner: none\n",
        "  provisioner: kubeadm\n  endpoint: api.prod.example:6443\n  podSubnets: [10.244.0.0/16]\nloadBalancers: [{kind: external}]\n",
    );
    let text = replaced(&text, "roles: [etcd]", "roles: [control-plane, etcd]");
    format!("{text}{encryption}")
}

fn at(settings: &str) -> String {
    spec(&format!("encryptionAtRest: {{provider: secretbox{settings}}}\n"))
}

#[track_caller]
fn change(before: &str, now: &str, arguments: &[&str], code: i32) -> Ran {
    let walk = Walk(Built::of(before));
    let now = replaced(now, "  revision: 1\n", "  revision: 2\n");
    walk.check_spec(&now, arguments).expect_code(code)
}

/// Messages and hints without their places.
fn said(ran: &Ran) -> Vec<&str> {
    let kept = |line: &&str| ["error:", "warning:", "hint:"].iter().any(|start| line.starts_with(start));
    ran.stderr.lines().filter(kept).collect()
}

const UNPROVEN: [&str; 2] = ["--unproven", "encryption-at-rest"];
const REWRITE: &str = "kubectl get secrets -A -o json | kubectl replace -f -";

#[test]
fn retired_when_all_is_written_anew() {
    let promote = at(", generation: 2, rotation: promote");
    let ran = change(&promote, &promote, &[], 0);
    assert_eq!(said(&ran), [""; 0]);
    let next = format!(
        "encryptionAtRest: promoted; next: retire, once every host has this build and everything was written anew: {REWRITE}"
    );
    assert_eq!(Walk::next(&ran), next);
    let ran = change(&promote, &at(", generation: 2, rotation: retire"), &UNPROVEN, 0);
    let none = "infra0: no receipt; infra1: no receipt; infra2: no receipt";
    assert_eq!(
        said(&ran),
        [
            format!("warning: encryptionAtRest: nothing proves that every host has the build before: {none}"),
            "hint: collect what `sealift verify --root / --format json` says on each host, a file each, in --receipts DIR; if you know better: --unproven encryption-at-rest".to_owned(),
            "warning: encryptionAtRest: what was not written anew since `promote` cannot be read any more".to_owned(),
            format!("hint: no receipt shows that: run `{REWRITE}` before"),
        ]
    );
}

#[test]
fn turned_on_and_off() {
    let begins = [
        "warning: encryptionAtRest: until every control plane has this build, the others cannot read what it writes",
        "hint: install the control planes one right after the other",
    ];
    assert_eq!(said(&change(&spec(""), &at(""), &[], 0)), begins);
    let ran = change(&at(""), &spec(""), &[], 2);
    let gone = [
        "error: encryptionAtRest is gone: no API server can read what is encrypted",
        "hint: keep it; if nothing in etcd is encrypted any more: --unproven encryption-at-rest",
    ];
    assert_eq!(said(&ran), gone);
    let ran = change(&at(""), &spec(""), &UNPROVEN, 0);
    assert_eq!(said(&ran), [&gone[0].replace("error", "warning"), gone[1]]);
    assert_eq!(Walk::next(&ran), "encryptionAtRest: gone");
}

#[test]
fn plaintext_is_refused_when_there_is_none() {
    let ran = change(&spec(""), &at(", refusePlaintext: true"), &[], 2);
    let all = "encryptionAtRest.refusePlaintext: what the cluster has written so far is not encrypted and cannot be read any more";
    assert_eq!(
        said(&ran),
        [
            format!("error: {all}"),
            format!(
                "hint: leave it out, install that everywhere, run `{REWRITE}`, and write it then; if there is nothing yet: --unproven encryption-at-rest"
            ),
        ]
    );
    let ran = change(&at(""), &at(", resources: [secrets, configmaps], refusePlaintext: true"), &[], 0);
    assert_eq!(
        said(&ran),
        [
            "warning: encryptionAtRest.refusePlaintext: what is not encrypted cannot be read any more",
            "hint: no receipt shows that all is: run `kubectl get secrets,configmaps -A -o json | kubectl replace -f -` before",
        ]
    );
    let strict = at(", refusePlaintext: true");
    assert_eq!(said(&change(&strict, &strict, &[], 0)), [""; 0]);
    assert_eq!(said(&change(&strict, &at(""), &[], 0)), [""; 0]);
}

#[test]
fn an_index_names_every_item() {
    let walk = Walk(Built::of(&at(
        ", generation: 3, rotation: stage, previous: {provider: aescbc, generation: 1}, refusePlaintext: true",
    )));
    let index = std::fs::read(walk.0.path("out/index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let version = |algorithm: &str, generation: u32| json!({"algorithm": algorithm, "generation": generation, "seed": 1});
    let key = json!({"active": version("ecdsa-p256", 1)});
    let expected = json!({
        "encryption-at-rest": {
            "active": version("aescbc", 1),
            "beside": version("secretbox", 3),
            "refusePlaintext": true,
            "step": "stage",
        },
        "etcd": key,
        "front-proxy": key,
        "kubernetes": key,
        "service-account": key,
        "signing": {"active": version("ed25519", 1)},
    });
    assert_eq!(index["items"], expected);
}

/// One item goes on while another begins; each has a line.
#[test]
fn several_items() {
    let pki = |cas: &str| replaced(&at(""), "pki:\n", &format!("pki:\n{cas}"));
    let begun = pki("  serviceAccount: {generation: 2, rotation: stage}\n");
    let more = pki(
        "  serviceAccount: {generation: 2, rotation: promote}\n  cas: {kubernetes: {generation: 2, rotation: stage}, front-proxy: {generation: 2}}\n",
    );
    let ran = change(&begun, &more, &["--unproven", "service-account"], 2);
    let texts: Vec<_> = said(&ran).into_iter().filter(|line| !line.starts_with("hint:")).collect();
    assert_eq!(
        texts,
        [
            "warning: pki.serviceAccount: nothing proves that every host has the build before: infra0: no receipt; infra1: no receipt; infra2: no receipt",
            "error: pki.cas.front-proxy: generation 2 (seed 1, ecdsa-p256) at once after generation 1 (seed 1, ecdsa-p256): no host trusts it yet",
        ]
    );
    let ran = change(
        &begun,
        &more.replace(", front-proxy: {generation: 2}", ""),
        &["--unproven", "service-account"],
        0,
    );
    let lines: Vec<_> = ran.stdout.lines().rev().take(2).collect();
    assert_eq!(
        lines,
        [
            "pki.serviceAccount: promoted; next: retire, once every host has this build and no token of the old key is in use",
            "pki.cas.kubernetes: staged; next: promote, once every host has this build",
        ]
    );
}
