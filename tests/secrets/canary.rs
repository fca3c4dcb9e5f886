//! Secrets that are marked, looked for in all that a build writes and says.

use super::support::example::{Built, VALID_AT};
use super::support::opened::{machine, open, operator, pem_blocks};
use super::support::sealift;
use super::support::stacked::{files, spec};
use flate2::read::GzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;

/// Words that may stand nowhere but in sealed files.
fn canaries(path: &str, text: &str) -> Vec<String> {
    let fields = |field: &str| {
        let lines =
            text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix(field));
        lines.map(|value| value.trim().trim_matches('"').to_owned()).collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    for (label, block) in pem_blocks(text.as_bytes()) {
        if label.ends_with("PRIVATE KEY") {
            // the secret is in the first line; what follows may be the public point
            found.extend(block.lines().nth(1).map(str::to_owned));
        }
    }
    for field in ["client-key-data:", "secret:", "token:", "tlsBootstrapToken:", "token-secret:", "tls.key:"]
    {
        found.extend(fields(field));
    }
    if path.starts_with("/etc/sealift/") {
        found.push(text.trim().to_owned());
    }
    assert!(found.iter().all(|word| word.len() >= 16), "{path}");
    found
}

#[test]
fn no_secret_outside_of_sealed_files() {
    no_secret_outside("kubeadm", 23);
}

#[test]
fn no_secret_outside_of_sealed_files_of_static_pods() {
    no_secret_outside("static-pods", 22);
}

/// One key of all members, and keys in Secrets.
#[test]
fn no_secret_of_etcd_outside_of_sealed_files() {
    let head = |more: &str| {
        format!(
            "apiVersion: sealift/v1\ncluster: {{name: prod, id: \"7e570000000000000000000000000001\", epoch: \
             2026-11-20T00:00:00Z, operators: [{}]}}\nkubernetes: {{version: 1.36.2, provisioner: none}}\n{more}",
            operator().to_public()
        )
    };
    let member = machine(0).to_public();
    let shared = format!(
        "etcd: {{run: systemd, version: 3.6.8, certificates: shared}}\npki: {{caKeysOnHosts: [etcd]}}\nhosts: \
         {{m1: {{addresses: [10.0.0.1], roles: [etcd], recipients: [{member}]}}}}\n"
    );
    let set = "etcd: {run: statefulset, statefulSet: {clientService: true}}\npki: {}\nhosts: {}\n";
    for (rest, hosts, many) in [(shared.as_str(), &["m1", "operator"][..], 7), (set, &["operator"], 6)] {
        let built = Built::staged(&head(rest));
        let other = Built::of(&head(&rest.replace("pki: {", "pki: {generation: 2, ")));
        let mut said = Vec::new();
        for arguments in [&[][..], &["--rebuild"], &["--rebuild", "--format", "json"]] {
            let ran = built.build(arguments).expect_code(0);
            said.extend((ran.stdout + &ran.stderr).into_bytes());
        }
        let (trust, key) = (built.out().join("trust"), built.path("test-only/operator.key"));
        for format in ["text", "json"] {
            let format = || ["--format".into(), format.into()].into_iter();
            let verify =
                ["verify".into(), built.out(), "--trust".into(), trust.clone(), "-i".into(), key.clone()];
            let ran =
                sealift(format().chain(verify).chain(["--at".into(), VALID_AT.0.into()])).expect_code(0);
            said.extend((ran.stdout + &ran.stderr).into_bytes());
            let check = ["check".into(), other.path("sealift.yaml"), "--previous".into(), built.out()];
            let ran = sealift(format().chain(check)).expect_code(0);
            said.extend((ran.stdout + &ran.stderr).into_bytes());
            let diff = ["diff".into(), "--text".into(), built.out(), other.out()];
            let ran = sealift(format().chain(diff)).expect_code(1);
            said.extend((ran.stdout + &ran.stderr).into_bytes());
        }
        let (mut secrets, mut sealed) = (BTreeSet::new(), BTreeSet::new());
        for (built, host) in hosts.iter().flat_map(|host| [(&built, *host), (&other, *host)]) {
            let identity = if host == "operator" { operator() } else { machine(0) };
            for (path, file) in open(&built.bundle(host), &identity) {
                if file.sealed {
                    let found = canaries(&path, file.text());
                    assert!(!found.is_empty(), "{path} of {host} has no secret in it");
                    secrets.extend(found);
                    sealed.insert(format!("{host}:{path}"));
                } else {
                    said.extend(file.contents);
                }
            }
        }
        assert_eq!(sealed.len(), many, "{sealed:?}");
        for entry in fs::read_dir(built.out()).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            if bytes.starts_with(&[0x1f, 0x8b]) {
                let _: usize = GzDecoder::new(&*bytes).read_to_end(&mut said).unwrap();
            }
            said.extend(bytes);
        }
        let public = String::from_utf8_lossy(&said);
        let found = secrets.iter().filter(|secret| public.contains(secret.as_str()));
        assert_eq!(found.map(String::len).collect::<Vec<_>>(), Vec::<usize>::new(), "lengths of secrets");
    }
}

/// `many` files are sealed.
#[track_caller]
fn no_secret_outside(provisioner: &str, many: usize) {
    let rest = "encryptionAtRest: {provider: secretbox}\npasswords: {vrrp: {roles: [control-plane]}}\n\
                pki: {caKeysOnHosts: [kubernetes, etcd, front-proxy]}\n";
    let built =
        Built::staged(&spec("1.36.2", provisioner, "  join: token\n  bootstrapTokens: {join: {}}\n", rest));
    let mut said = String::new();
    for arguments in [&[][..], &["--rebuild"], &["--rebuild", "--format", "json"]] {
        let ran = built.build(arguments).expect_code(0);
        said += &(ran.stdout + &ran.stderr);
    }
    let (trust, operator) = (built.out().join("trust"), built.path("test-only/operator.key"));
    for format in ["text", "json"] {
        let words =
            ["--format".into(), format.into(), "verify".into(), built.out(), "--trust".into(), trust.clone()];
        let more = ["-i".into(), operator.clone(), "--at".into(), VALID_AT.0.into()];
        let ran = sealift(words.into_iter().chain(more)).expect_code(0);
        said += &(ran.stdout + &ran.stderr);
        for command in ["check", "images"] {
            let ran = sealift(["--format".into(), format.into(), command.into(), built.path("sealift.yaml")])
                .expect_code(0);
            said += &(ran.stdout + &ran.stderr);
        }
    }
    // another generation of each: a diff has something to show
    let text = fs::read_to_string(built.path("sealift.yaml")).unwrap();
    let text = text.replace("provider: secretbox", "provider: secretbox, generation: 2");
    let text =
        text.replace("pki: {", "pki: {generation: 2, ").replace("{join: {}}", "{join: {generation: 2}}");
    let other = Built::of(&text);
    for format in ["text", "json"] {
        let words =
            ["--format".into(), format.into(), "diff".into(), "--text".into(), built.out(), other.out()];
        let ran = sealift(words).expect_code(1);
        said += &(ran.stdout + &ran.stderr);
    }

    let (mut secrets, mut plain) = (BTreeSet::new(), Vec::new());
    let mut kinds = BTreeMap::new();
    for (built, host) in
        ["cp1", "w1", "operator"].into_iter().flat_map(|host| [(&built, host), (&other, host)])
    {
        for (path, file) in files(built, host) {
            if file.sealed {
                let found = canaries(&path, file.text());
                assert!(!found.is_empty(), "{path} of {host} has no secret in it");
                kinds.insert(path, found.len());
                secrets.extend(found);
            } else {
                plain.extend(file.contents);
            }
        }
    }
    assert_eq!(kinds.len(), many, "{kinds:?}");
    assert!(secrets.len() > 30, "{} secrets", secrets.len());
    let mut public = said.into_bytes();
    public.extend(plain);
    for entry in fs::read_dir(built.out()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let _: usize = GzDecoder::new(&*bytes).read_to_end(&mut public).unwrap();
        }
        public.extend(bytes);
    }
    let public = String::from_utf8_lossy(&public).into_owned();
    let found: Vec<_> =
        secrets.iter().filter(|secret| public.contains(secret.as_str())).map(String::len).collect();
    assert_eq!(found, Vec::<usize>::new(), "lengths of the secrets that are public");
}
