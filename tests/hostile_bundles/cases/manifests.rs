//! Manifests that a holder of the key signed.

use super::super::base::{HOST, filed, manifested, small, texted};
use super::super::forge::{self, BUNDLE, CLUSTER, File, SIGNER, STRANGER, canonical};
use super::{Case, Made, made, row};
use serde_json::{Value, json};

fn manifest(change: impl FnOnce(&mut Value)) -> Made {
    made(manifested(change))
}

fn text(from: &'static str, to: &'static str) -> Made {
    made(texted(|text| {
        assert!(text.contains(from), "{text}");
        text.replace(from, to)
    }))
}

/// Members of the first file's line.
fn file(members: &Value) -> Made {
    manifest(|it| {
        members.as_object().unwrap().iter().for_each(|(name, value)| it["files"][0][name] = value.clone());
    })
}

/// A key as `trust` has it.
fn public(seed: u8) -> String {
    let line = forge::trust("x", seed, "namespaces=\"y\"");
    line.trim_end().split(' ').skip(2).collect::<Vec<_>>().join(" ")
}

fn directory(members: &Value) -> Made {
    manifest(|it| {
        members
            .as_object()
            .unwrap()
            .iter()
            .for_each(|(name, value)| it["directories"][0][name] = value.clone());
    })
}

/// One more file, before others.
fn path(path: &'static str) -> Made {
    let mut files = small();
    files.insert(0, File { more: json!({"policy": "foreign"}), ..File::public(path, "") });
    let mut manifest = forge::manifest(HOST, &files);
    for member in ["size", "sha256", "sealed"] {
        manifest["files"][0].as_object_mut().unwrap().remove(member);
    }
    made(manifested(|it| *it = manifest))
}

pub(super) fn cases() -> Vec<Case> {
    const MALFORMED: &[&str] = &["manifest-malformed"];
    const WRONG: &[&str] = &["manifest-inconsistent"];
    vec![
        row("manifest-white-space", MALFORMED, 1, "a space that canonical JSON has not", || {
            text("\"format\":1", "\"format\": 1")
        }),
        row("manifest-line-end", MALFORMED, 1, "a line feed at the end", || made(texted(|text| text + "\n"))),
        row("manifest-order", MALFORMED, 1, "members in another order", || {
            text(
                "\"id\":\"7e570000000000000000000000000009\",\"name\":\"hostile\"",
                "\"name\":\"hostile\",\"id\":\"7e570000000000000000000000000009\"",
            )
        }),
        row("manifest-escape", MALFORMED, 1, "a letter as an escape", || {
            text("\"hostile\"", "\"\\u0068ostile\"")
        }),
        row("manifest-duplicate", MALFORMED, 1, "a member twice", || {
            text("\"format\":1", "\"format\":1,\"format\":1")
        }),
        row("manifest-unknown", MALFORMED, 1, "an unknown member", || manifest(|it| it["zeal"] = json!(1))),
        row("manifest-version", MALFORMED, 1, "format 2", || manifest(|it| it["format"] = json!(2))),
        row("manifest-fraction", MALFORMED, 1, "a number with a fraction", || {
            text("\"generation\":1", "\"generation\":1.0")
        }),
        row("manifest-not-json", MALFORMED, 1, "no JSON", || made(texted(|_| "format: 1\n".into()))),
        row("manifest-deep", MALFORMED, 1, "100000 open brackets", || made(texted(|_| "[".repeat(100_000)))),
        row("manifest-uid-overflow", MALFORMED, 1, "user 2^32", || file(&json!({"uid": 4_294_967_296_u64}))),
        row("manifest-uid-negative", MALFORMED, 1, "user -1", || file(&json!({"uid": -1}))),
        row("manifest-revision", MALFORMED, 1, "revision -1", || {
            manifest(|it| it["revision"]["host"] = json!(-1))
        }),
        row("manifest-policy-unknown", MALFORMED, 1, "a policy that nobody knows", || {
            file(&json!({"policy": "sudo"}))
        }),
        row("manifest-foreign-contents", MALFORMED, 1, "a foreign file with contents", || {
            file(&json!({"policy": "foreign"}))
        }),
        row("manifest-cluster", &["not-trusted"], 3, "another cluster's id", || {
            manifest(|it| it["cluster"]["id"] = json!(CLUSTER.replace('9', "8")))
        }),
        row(
            "manifest-trust-without-signer",
            WRONG,
            1,
            "hosts shall trust another key than the one that signed",
            || manifest(|it| it["trust"] = json!([public(STRANGER)])),
        ),
        row("manifest-trust-twice", WRONG, 1, "hosts shall trust a key twice", || {
            manifest(|it| it["trust"] = json!([public(SIGNER), public(SIGNER)]))
        }),
        row("manifest-trust-options", WRONG, 1, "options before a key that hosts shall trust", || {
            manifest(|it| {
                it["trust"] = json!([public(SIGNER), format!("cert-authority {}", public(STRANGER))]);
            })
        }),
        row("manifest-trust-line-feed", WRONG, 1, "a line behind a key that hosts shall trust", || {
            manifest(|it| {
                it["trust"] = json!([public(SIGNER), public(STRANGER) + "\nother " + &public(SIGNER)]);
            })
        }),
        row("manifest-trust-kind", WRONG, 1, "hosts shall trust a key of another kind", || {
            manifest(|it| it["trust"] = json!([public(SIGNER), "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB"]))
        }),
        row("manifest-trust-empty", &["manifest-malformed"], 1, "an empty list of keys, written out", || {
            manifest(|it| it["trust"] = json!([]))
        }),
        row("manifest-host-name", WRONG, 1, "a host that is called ../cp1", || {
            manifest(|it| it["host"]["name"] = json!("../cp1"))
        }),
        row("manifest-host-control", WRONG, 1, "a host's name with an escape sequence", || {
            manifest(|it| it["host"]["name"] = json!("cp1\u{1b}[2J"))
        }),
        row("manifest-address", WRONG, 1, "an address with a leading zero", || {
            manifest(|it| it["host"]["addresses"][0] = json!("10.0.0.011"))
        }),
        row("manifest-valid-until", WRONG, 1, "a validity without seconds", || {
            manifest(|it| it["validUntil"] = json!("2027-11-20T00:00Z"))
        }),
        row("manifest-inputs", WRONG, 1, "inputs of 63 digits", || {
            manifest(|it| it["inputs"] = json!("0".repeat(63)))
        }),
        row("manifest-path-climbs", WRONG, 1, "a path with ..", || path("/../etc/shadow")),
        row("manifest-path-control", WRONG, 1, "a path with a line feed", || path("/\netc/shadow")),
        row("manifest-path-relative", WRONG, 1, "a relative path", || path("!etc")),
        row("manifest-path-duplicate", WRONG, 1, "a file twice", || {
            manifest(|it| {
                let line = it["files"][0].clone();
                it["files"].as_array_mut().unwrap().insert(0, line);
            })
        }),
        row("manifest-order-of-files", WRONG, 1, "files in another order", || {
            manifest(|it| it["files"].as_array_mut().unwrap().reverse())
        }),
        row("manifest-mode", WRONG, 1, "a mode of three digits", || file(&json!({"mode": "644"}))),
        row("manifest-setuid", WRONG, 1, "a setuid mode", || file(&json!({"mode": "4755"}))),
        row("manifest-mode-other", &["entry-mode"], 1, "a mode other than the archive's", || {
            file(&json!({"mode": "0755"}))
        }),
        row("manifest-size", WRONG, 1, "a size other than the archive's", || file(&json!({"size": 7}))),
        row("manifest-sha256", WRONG, 1, "a digest other than SHA256SUMS'", || {
            file(&json!({"sha256": "0".repeat(64)}))
        }),
        row("manifest-unlisted", WRONG, 1, "a file of the archive that it does not list", || {
            manifest(|it| drop(it["files"].as_array_mut().unwrap().pop()))
        }),
        row("manifest-no-fields", WRONG, 1, "an initial file without fields", || {
            file(&json!({"policy": "initial"}))
        }),
        row("manifest-fields", WRONG, 1, "a managed file with fields", || {
            file(&json!({"fields": {"format": "kubeconfig", "values": {"server": "x"}}}))
        }),
        row("manifest-hmac", WRONG, 1, "a public file with a keyed digest", || {
            file(&json!({"hmac": "0".repeat(64)}))
        }),
        row("manifest-sealed-without-hmac", WRONG, 1, "a sealed file without a keyed digest", || {
            let mut sealed = File::public("/etc/app/zeal", "age-encryption.org/v1\n");
            sealed.hmac = Some("0".repeat(64));
            let mut files = small();
            files.insert(1, sealed);
            let mut manifest = forge::manifest(HOST, &files);
            manifest["files"][1].as_object_mut().unwrap().remove("hmac");
            made(forge::bundle(&canonical(&manifest), &files, &BUNDLE))
        }),
        row("manifest-certificate", WRONG, 1, "a key's certificate that is not in the bundle", || {
            file(&json!({"certificate": "/etc/app/none"}))
        }),
        row("manifest-command", WRONG, 1, "a command with a line feed", || {
            file(&json!({"run": ["true\nfalse"]}))
        }),
        row("manifest-beneath-file", WRONG, 1, "a file beneath a file", || {
            let mut files = small();
            files.insert(1, File::public("/etc/app/motd/z", "x"));
            made(filed(&files))
        }),
        row("manifest-age", WRONG, 1, "a public file that ends in .age", || {
            let mut files = small();
            files.insert(1, File::public("/etc/app/open.age", "x"));
            made(filed(&files))
        }),
        row("manifest-directory-mode", WRONG, 1, "a directory with a sticky bit", || {
            directory(&json!({"mode": "1777"}))
        }),
        row("manifest-directory-allow", WRONG, 1, "a path allowed outside of its directory", || {
            directory(&json!({"allow": ["/etc/shadow"]}))
        }),
        row(
            "manifest-directory-not-owned",
            WRONG,
            1,
            "a path allowed in a directory that is not owned",
            || directory(&json!({"owned": false})),
        ),
        row("manifest-directory-duplicate", WRONG, 1, "a directory twice", || {
            manifest(|it| {
                let line = it["directories"][0].clone();
                it["directories"].as_array_mut().unwrap().push(line);
            })
        }),
    ]
}
