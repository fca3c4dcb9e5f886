//! Secrets that are no certificates, and what the steps of a rotation do to files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod canary;
#[path = "../support/mod.rs"]
mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sealift::spec::yaml::document;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use support::example::Built;
use support::opened::{Files, Kubeconfig, certificates, pem_blocks, private_keys, spki};
use support::stacked::{HOSTS, files, spec};
use support::{need, run, run_with_input};

const ENCRYPTION: &str = "/etc/kubernetes/pki/encryption-config.yaml";
const TOKENS: &str = "/etc/kubernetes/cluster/bootstrap-tokens.yaml";
/// No rotation, then its steps.
const STEPS: [&str; 4] = ["none", "stage", "promote", "retire"];

fn built(kubernetes: &str, rest: &str) -> Built {
    Built::of(&spec("1.36.2", "kubeadm", kubernetes, rest))
}

/// `generation: 1` before a rotation, 2 with its step.
fn at_step(step: &str) -> String {
    if step == "none" { "generation: 1".to_owned() } else { format!("generation: 2, rotation: {step}") }
}

/// The parsed configuration with a name in place of each key, and the keys by those names.
fn encryption(settings: &str) -> (Value, BTreeMap<String, Vec<u8>>) {
    let built = built("", &format!("encryptionAtRest: {{{settings}}}\n"));
    let opened = files(&built, "cp1");
    assert!(
        !files(&built, "w1").contains_key(ENCRYPTION) && !files(&built, "operator").contains_key(ENCRYPTION)
    );
    let mut config = document(opened[ENCRYPTION].text()).unwrap();
    let mut keys = BTreeMap::new();
    for provider in config["resources"][0]["providers"].as_array_mut().unwrap() {
        let (cipher, settings) = provider.as_object_mut().unwrap().iter_mut().next().unwrap();
        for key in settings.get_mut("keys").and_then(Value::as_array_mut).into_iter().flatten() {
            let secret = BASE64_STANDARD.decode(key["secret"].as_str().unwrap()).unwrap();
            assert_eq!(secret.len(), 32);
            let name = format!("{cipher} {}", key["name"].as_str().unwrap());
            key["secret"] = json!(name);
            assert_eq!(keys.insert(name, secret), None);
        }
    }
    (config, keys)
}

fn configuration(resources: &[&str], providers: &[(&str, &[&str])], identity: bool) -> Value {
    let provider = |(cipher, names): &(&str, &[&str])| {
        let keys: Vec<_> =
            names.iter().map(|name| json!({"name": name, "secret": format!("{cipher} {name}")})).collect();
        json!({ *cipher: {"keys": keys} })
    };
    let mut providers: Vec<_> = providers.iter().map(provider).collect();
    providers.extend(identity.then(|| json!({"identity": {}})));
    json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": resources, "providers": providers}],
    })
}

#[test]
fn at_rest_keys_by_cipher_and_generation() {
    let mut all = BTreeMap::new();
    for (settings, cipher, name) in [
        ("provider: secretbox", "secretbox", "key1"),
        ("provider: secretbox, generation: 2", "secretbox", "key2"),
        ("provider: aescbc", "aescbc", "key1"),
        ("provider: aescbc, generation: 2", "aescbc", "key2"),
    ] {
        let (config, keys) = encryption(settings);
        assert_eq!(config, configuration(&["secrets"], &[(cipher, &[name])], true), "{settings}");
        all.extend(keys);
    }
    assert_eq!(all.len(), 4);
    assert_eq!(all.values().collect::<BTreeSet<_>>().len(), 4, "no key twice");
    let (config, keys) =
        encryption("provider: aescbc, resources: [secrets, \"*.example.com\"], refusePlaintext: true");
    assert_eq!(config, configuration(&["secrets", "*.example.com"], &[("aescbc", &["key1"])], false));
    assert_eq!(keys["aescbc key1"], all["aescbc key1"], "resources change no key");
}

/// The first key writes; a step never lets an API server meet a key that another does not know.
#[test]
fn at_rest_keys_in_each_step() {
    let mut known = BTreeMap::new();
    let orders: [&[&str]; 4] = [&["key1"], &["key1", "key2"], &["key2", "key1"], &["key2"]];
    for (step, order) in STEPS.into_iter().zip(orders) {
        let (config, keys) = encryption(&format!("provider: secretbox, {}", at_step(step)));
        assert_eq!(config, configuration(&["secrets"], &[("secretbox", order)], true), "{step}");
        for (name, key) in keys {
            assert_eq!(known.entry(name).or_insert_with(|| key.clone()), &key, "{step}");
        }
    }
    let ciphers: [&[(&str, &[&str])]; 3] = [
        &[("aescbc", &["key1"]), ("secretbox", &["key2"])],
        &[("secretbox", &["key2"]), ("aescbc", &["key1"])],
        &[("secretbox", &["key2"])],
    ];
    for (step, order) in STEPS.into_iter().skip(1).zip(ciphers) {
        let settings = format!("provider: secretbox, {}, previous: {{provider: aescbc}}", at_step(step));
        let (config, keys) = encryption(&settings);
        assert_eq!(config, configuration(&["secrets"], order, true), "{step}");
        assert_eq!(keys["secretbox key2"], known["secretbox key2"], "{step}");
    }
}

#[test]
fn bootstrap_tokens() {
    let tokens = "  bootstrapTokens: {again: {generation: 2}, first: {}, late: {expires: 48h}}\n";
    let built = built(tokens, "pki: {caKeysOnHosts: [kubernetes]}\n");
    assert!(HOSTS.iter().all(|host| !files(&built, host).contains_key(TOKENS)));
    let text = files(&built, "operator")[TOKENS].text().to_owned();
    let expected = [("again", "2026-11-21"), ("first", "2026-11-21"), ("late", "2026-11-22")];
    let found: Vec<_> = text.split("---\n").collect();
    assert_eq!(found.len(), expected.len());
    let mut distinct = BTreeSet::new();
    for (secret, (name, day)) in found.into_iter().zip(expected) {
        let value = document(secret).unwrap();
        let part = |key: &str, length: usize| {
            let text = value["stringData"][key].as_str().unwrap();
            assert_eq!(text.len(), length, "{name} {key}");
            assert!(
                text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
                "{name} {key}"
            );
            text.to_owned()
        };
        let (id, token) = (part("token-id", 6), part("token-secret", 16));
        let as_kubeadm = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": format!("bootstrap-token-{id}"), "namespace": "kube-system"},
            "type": "bootstrap.kubernetes.io/token",
            "stringData": {
                "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
                "expiration": format!("{day}T00:00:00Z"),
                "token-id": id,
                "token-secret": token,
                "usage-bootstrap-authentication": "true",
                "usage-bootstrap-signing": "true",
            },
        });
        assert_eq!(value, as_kubeadm, "{name}");
        assert_eq!(secret.lines().next().unwrap(), format!("# {name}: kubeadm join --token {id}.{token}"));
        distinct.extend([id, token]);
    }
    assert_eq!(distinct.len(), 6, "no part twice");
}

/// The hash of each certificate in a file, as kubeadm's documentation has people compute it.
fn openssl_hashes(openssl: &std::path::Path, pem: &[u8]) -> String {
    let hash = |(_, certificate): (String, String)| {
        let mut given = certificate.into_bytes();
        for words in [&["x509", "-pubkey", "-noout"][..], &["pkey", "-pubin", "-outform", "pem"]] {
            given =
                run_with_input(Command::new(openssl).args(words), &given).expect_code(0).stdout.into_bytes();
        }
        let directory = support::temporary();
        let (public, der) = (directory.path().join("public"), directory.path().join("der"));
        fs::write(&public, given).unwrap();
        let words = ["pkey", "-pubin", "-outform", "der", "-in"];
        let _ = run(Command::new(openssl).args(words).arg(&public).arg("-out").arg(&der)).expect_code(0);
        let digest =
            run(Command::new(openssl).args(["dgst", "-sha256", "-r"]).arg(&der)).expect_code(0).stdout;
        format!("sha256:{}\n", digest.split(' ').next().unwrap())
    };
    pem_blocks(pem).into_iter().map(hash).collect()
}

#[test]
fn the_discovery_hash_is_openssls() {
    let Some(openssl) = need("openssl") else { return };
    for algorithm in ["ecdsa-p256", "ecdsa-p384"] {
        let built = built("", &format!("pki: {{algorithm: {algorithm}}}\n"));
        let opened = files(&built, "operator");
        let ca = &opened["/etc/kubernetes/pki/ca.crt"].contents;
        let hash = opened["/etc/kubernetes/discovery-hash"].text();
        assert_eq!(hash, openssl_hashes(&openssl, ca), "{algorithm}");
        assert_eq!(hash.lines().count(), 1);
    }
}

/// The keys that must be there in each step: the one that signs first.
fn order<T: Clone>(step: &str, old: &T, new: &T) -> Vec<T> {
    let keys = match step {
        "none" => vec![old],
        "stage" => vec![old, new],
        "promote" => vec![new, old],
        _ => vec![new],
    };
    keys.into_iter().cloned().collect()
}

#[test]
fn service_account_keys_in_each_step() {
    let Some(openssl) = need("openssl") else { return };
    let keys = |settings: &str| {
        let opened = files(&built("", &format!("pki: {{serviceAccount: {{{settings}}}}}\n")), "cp1");
        let key = &opened["/etc/kubernetes/pki/sa.key"].contents;
        let public =
            run_with_input(Command::new(&openssl).args(["pkey", "-pubout"]), key).expect_code(0).stdout;
        let trusted: Vec<_> = pem_blocks(&opened["/etc/kubernetes/pki/sa.pub"].contents)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(trusted[0], public, "{settings}");
        trusted
    };
    let [old, new] = [1, 2].map(|generation| keys(&format!("generation: {generation}")).remove(0));
    assert_ne!(old, new);
    for step in STEPS {
        assert_eq!(keys(&at_step(step)), order(step, &old, &new), "{step}");
    }
}

/// Everything that trusts or signs follows the step.
#[test]
fn authorities_in_each_step() {
    let Some(openssl) = need("openssl") else { return };
    let cluster = |settings: &str| {
        built("", &format!("pki: {{caKeysOnHosts: [kubernetes], cas: {{kubernetes: {{{settings}}}}}}}\n"))
    };
    let ca = |opened: &Files, name: &str| {
        certificates(&opened[&format!("/etc/kubernetes/pki/{name}.crt")].contents)
    };
    let [old, new] = [1, 2]
        .map(|generation| ca(&files(&cluster(&format!("generation: {generation}")), "cp1"), "ca").remove(0));
    assert_ne!(spki(&old), spki(&new));
    for step in STEPS {
        let built = cluster(&at_step(step));
        let expected = order(step, &old, &new);
        let signs = spki(&expected[0]);
        for host in ["cp1", "w1", "operator"] {
            let opened = files(&built, host);
            assert_eq!(ca(&opened, "ca"), expected, "{step} {host}");
            let mut kubeconfigs = 0;
            for (path, file) in opened
                .iter()
                .filter(|(path, _)| path.starts_with("/etc/kubernetes/") && has(path.as_bytes(), ".conf"))
            {
                kubeconfigs += 1;
                let kubeconfig = Kubeconfig::parse(file);
                assert_eq!(
                    kubeconfig.authorities(),
                    opened["/etc/kubernetes/pki/ca.crt"].contents,
                    "{step} {path}"
                );
                assert_signed(&kubeconfig.certificate(), &expected[0]);
            }
            assert_eq!(
                kubeconfigs,
                [("cp1", 5), ("w1", 1), ("operator", 2)]
                    .into_iter()
                    .find(|(name, _)| *name == host)
                    .unwrap()
                    .1
            );
        }
        let opened = files(&built, "cp1");
        assert_eq!(ca(&opened, "ca-signing"), [expected[0].clone()], "{step}");
        assert_eq!(private_keys(&opened["/etc/kubernetes/pki/ca.key"].contents), [signs], "{step}");
        assert_signed(&opened["/etc/kubernetes/pki/apiserver.crt"].contents, &expected[0]);
        let opened = files(&built, "operator");
        let hashes = openssl_hashes(&openssl, &opened["/etc/kubernetes/pki/ca.crt"].contents);
        assert_eq!(opened["/etc/kubernetes/discovery-hash"].text(), hashes, "{step}");
    }
}

#[track_caller]
fn assert_signed(leaf: &[u8], ca: &[u8]) {
    let leaf = certificates(leaf).remove(0);
    let key = |der: &[u8], issuer: bool| {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).unwrap();
        let ids = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            x509_parser::extensions::ParsedExtension::AuthorityKeyIdentifier(id) if issuer => {
                Some(id.key_identifier.as_ref().unwrap().0.to_vec())
            }
            x509_parser::extensions::ParsedExtension::SubjectKeyIdentifier(id) if !issuer => {
                Some(id.0.to_vec())
            }
            _ => None,
        });
        ids.unwrap()
    };
    assert_eq!(key(&leaf, true), key(ca, false));
}

#[test]
fn passwords() {
    let passwords = "passwords:\n  all: {length: 40, roles: [control-plane, worker]}\n  ours: {}\n  \
                     vrrp: {roles: [control-plane], generation: 3}\n";
    let built = built("", passwords);
    let path = |name: &str| format!("/etc/sealift/passwords/{name}");
    let mut values = BTreeSet::new();
    for (name, length, on) in [
        ("all", 40, &["cp1", "w1", "operator"][..]),
        ("ours", 24, &["operator"]),
        ("vrrp", 24, &["cp1", "operator"]),
    ] {
        let value = files(&built, "operator")[&path(name)].text().to_owned();
        assert_eq!(value.len(), length, "{name}");
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
        assert!(value.bytes().collect::<BTreeSet<_>>().len() > 8, "{name} is not random");
        for host in ["cp1", "w1", "operator"] {
            let opened = files(&built, host);
            let has: Vec<_> = opened
                .iter()
                .filter(|(_, file)| has(&file.contents, &value))
                .map(|(path, _)| path.clone())
                .collect();
            let expected: Vec<_> = on.contains(&host).then(|| path(name)).into_iter().collect();
            assert_eq!(has, expected, "{name} on {host}");
            assert!(expected.iter().all(|path| opened[path].sealed && opened[path].mode == 0o600));
        }
        values.insert(value);
    }
    assert_eq!(values.len(), 3);
}

fn has(contents: &[u8], secret: &str) -> bool {
    contents.windows(secret.len()).any(|window| window == secret.as_bytes())
}
