//! etcd in a cluster that exists: what the operators' bundle has for it, without any host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]

mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use support::archive::members;
use support::example::Built;
use support::golden::golden_tree;
use support::opened::Files;
use support::stateful_set::{DIRECTORY, files, hosts, names, objects, pods, spec, stateful_set, text};
use support::{need, run, sealift, temporary};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

const VERSION: &str = "1.36.2";

fn built(of: &str) -> Built {
    Built::of(&spec(VERSION, of, "", ""))
}

/// Names and namespaces, short ones and the longest.
fn places() -> [(String, String, String); 3] {
    let long = "n".repeat(52);
    [
        ("etcd".to_owned(), "default".to_owned(), "cluster.local".to_owned()),
        ("a".to_owned(), "on".to_owned(), "k8s.prod.example".to_owned()),
        (long, "s".repeat(63), "corp".to_owned()),
    ]
}

/// The names that a certificate is good for, of each file of its Secret's pair.
type Names = BTreeMap<String, BTreeSet<String>>;

/// From the Secrets: each must be whole, and its key that of its certificate.
fn from_secrets(files: &Files) -> Names {
    let secrets = objects(files, "10-secrets.yaml");
    let of_secret = |secret: &Value| {
        assert_eq!(secret["type"], "kubernetes.io/tls");
        let data = |key: &str| BASE64_STANDARD.decode(text(secret, &format!("/data/{key}"))).unwrap();
        let (_, block) = x509_parser::pem::parse_x509_pem(&data("tls.crt")).unwrap();
        let certificate = block.parse_x509().unwrap();
        let sans = certificate.subject_alternative_name().unwrap();
        let sans = sans.map(|sans| sans.value.general_names.clone()).unwrap_or_default();
        let name = |san: &GeneralName<'_>| match san {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress([a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
            GeneralName::IPAddress(_) => "::1".to_owned(),
            other => panic!("{other}"),
        };
        (text(secret, "/metadata/name").to_owned(), sans.iter().map(name).collect())
    };
    secrets.iter().map(of_secret).collect()
}

fn from_cert_manager(files: &Files) -> Names {
    let all = objects(files, "10-certificates.yaml");
    let leaves =
        all.iter().filter(|object| object["kind"] == "Certificate" && object["spec"]["isCA"] != true);
    let of_leaf = |leaf: &Value| {
        let list = |key: &str| leaf["spec"][key].as_array().cloned().unwrap_or_default();
        let names = list("dnsNames").into_iter().chain(list("ipAddresses"));
        let names = names.map(|name| name.as_str().unwrap().to_owned()).collect();
        (text(leaf, "/spec/secretName").to_owned(), names)
    };
    leaves.map(of_leaf).collect()
}

/// What is asked of every cluster: each URL that a pod is told or tells others is one that the
/// certificates are good for.
#[track_caller]
fn every_url_is_covered(files: &Files, names: &Names) {
    let set = stateful_set(files);
    let name = text(&set, "/metadata/name");
    let pods = pods(files);
    let (server, peer) = (&names[&format!("{name}-server-tls")], &names[&format!("{name}-peer-tls")]);
    assert_eq!(names[&format!("{name}-client-tls")], BTreeSet::new(), "a client needs no name");
    let mut initial = Vec::new();
    for pod in &pods {
        let own = format!("{}={}", pod.name, pod.flag("initial-advertise-peer-urls"));
        initial.push(own);
        assert_eq!(pod.flag("name"), pod.name);
        for (flag, covered) in [
            ("advertise-client-urls", server),
            ("initial-advertise-peer-urls", peer),
            ("initial-cluster", peer),
        ] {
            let hosts = hosts(pod.flag(flag));
            assert!(!hosts.is_empty(), "{flag}");
            for host in hosts {
                assert!(covered.contains(&host), "{flag} of {}: {host} is not in {covered:?}", pod.name);
            }
        }
        for host in hosts(&pod.environment["ETCDCTL_ENDPOINTS"]) {
            assert!(server.contains(&host), "{host}");
        }
        // whatever else has a URL listens on all addresses, or speaks no TLS
        let others = pod.arguments.iter().filter(|argument| argument.contains("://"));
        let others: BTreeSet<_> = others.map(|argument| argument.split_once('=').unwrap().0).collect();
        let known = [
            "--advertise-client-urls",
            "--initial-advertise-peer-urls",
            "--initial-cluster",
            "--listen-client-urls",
            "--listen-metrics-urls",
            "--listen-peer-urls",
        ];
        assert_eq!(others, BTreeSet::from(known));
        let unsolved = pod.arguments.iter().filter(|argument| argument.contains("$("));
        assert_eq!(unsolved.count(), 0, "{:?}", pod.arguments);
    }
    for pod in &pods {
        assert_eq!(pod.flag("initial-cluster"), initial.join(","));
    }
    services_are_covered(files, server);
}

fn services_are_covered(files: &Files, server: &BTreeSet<String>) {
    let set = stateful_set(files);
    let domain = hosts(pods(files)[0].flag("advertise-client-urls"))[0].clone();
    let domain = domain.split_once(".svc.").unwrap().1.to_owned();
    for service in objects(files, "20-services.yaml") {
        let (name, namespace) = (text(&service, "/metadata/name"), text(&service, "/metadata/namespace"));
        for form in [
            name.to_owned(),
            format!("{name}.{namespace}"),
            format!("{name}.{namespace}.svc"),
            format!("{name}.{namespace}.svc.{domain}"),
        ] {
            assert!(server.contains(&form), "{form} is not in {server:?}");
        }
        assert_eq!(service["spec"]["selector"], set["spec"]["selector"]["matchLabels"]);
        assert_eq!(
            service["spec"]["selector"], set["spec"]["template"]["metadata"]["labels"],
            "selects the pods"
        );
    }
}

#[test]
fn every_url_of_every_pod_is_in_the_certificates() {
    for replicas in 1..=9 {
        let (name, namespace, domain) = places()[replicas % 3].clone();
        for manager in [false, true] {
            let more = if manager { ", certificates: cert-manager" } else { "" };
            let client = replicas % 2 == 0;
            let of = format!(
                "name: {name}, namespace: \"{namespace}\", replicas: {replicas}, clientService: {client}{more}"
            );
            let built = Built::of(&spec(VERSION, &of, &format!("  clusterDomain: {domain}\n"), ""));
            let files = files(&built);
            assert_eq!(pods(&files).len(), replicas);
            let names = if manager { from_cert_manager(&files) } else { from_secrets(&files) };
            assert_eq!(names.len(), 3);
            every_url_is_covered(&files, &names);
            assert_eq!(objects(&files, "20-services.yaml").len(), 1 + usize::from(client));
        }
    }
}

/// cert-manager is asked for what the build would issue.
#[test]
fn cert_manager_is_asked_for_the_same() {
    let pki = "pki: {algorithm: ecdsa-p384, validity: {ca: 2y, leaf: 90d}, certificates: {etcd-statefulset-server: \
               {sans: [etcd.example, 10.9.8.7], subject: {O: Corp, OU: DB}, validity: 36h, algorithm: ed25519}}}\n";
    let of = "name: db, replicas: 5, clientService: true";
    let ours = files(&Built::of(&spec(VERSION, of, "", pki)));
    let theirs = Built::of(&spec(VERSION, &format!("{of}, certificates: cert-manager"), "", pki));
    let theirs = files(&theirs);
    assert_eq!(from_secrets(&ours), from_cert_manager(&theirs));
    let all = objects(&theirs, "10-certificates.yaml");
    let kinds: Vec<_> = all
        .iter()
        .map(|object| {
            (text(object, "/kind"), text(object, "/metadata/name"), object["spec"]["duration"].as_str())
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("Issuer", "db-selfsigned", None),
            ("Certificate", "db-ca", Some("17520h")),
            ("Issuer", "db-ca", None),
            ("Certificate", "db-server-tls", Some("36h")),
            ("Certificate", "db-peer-tls", Some("2160h")),
            ("Certificate", "db-client-tls", Some("2160h")),
        ]
    );
    let spec = |index: usize, key: &str| all[index]["spec"][key].clone();
    assert_eq!(spec(3, "subject"), json!({"organizations": ["Corp"], "organizationalUnits": ["DB"]}));
    assert_eq!(
        spec(3, "privateKey"),
        json!({"algorithm": "Ed25519", "encoding": "PKCS8", "rotationPolicy": "Always"})
    );
    assert_eq!(spec(4, "privateKey")["size"], json!(384));
    assert_eq!(spec(3, "usages"), json!(["digital signature", "server auth", "client auth"]));
    assert_eq!(spec(5, "usages"), json!(["digital signature", "key encipherment", "client auth"]));
    assert_eq!(spec(4, "issuerRef"), json!({"group": "cert-manager.io", "kind": "Issuer", "name": "db-ca"}));
}

#[test]
fn an_issuer_that_exists_makes_no_authority() {
    let built = built("certificates: cert-manager, issuer: {name: corp.ca, kind: ClusterIssuer}");
    let files = files(&built);
    let all = objects(&files, "10-certificates.yaml");
    let expected = json!({"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "corp.ca"});
    assert_eq!(all.iter().map(|object| &object["spec"]["issuerRef"]).collect::<Vec<_>>(), [&expected; 3]);
    let keys: Vec<_> = names(&built).into_iter().filter(|name| name.contains("/pki/")).collect();
    assert_eq!(keys, Vec::<String>::new(), "nothing of sealift's authority");
}

/// The fields that cert-manager's definitions have, as `path` or `path[]`, one a line.
fn fields(kind: &str) -> BTreeSet<String> {
    let path = support::repository(&format!("tests/data/cert-manager/{kind}.txt"));
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn paths(value: &Value, at: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            paths(value, &if at.is_empty() { key.clone() } else { format!("{at}.{key}") }, out);
        }),
        Value::Array(all) => all.iter().for_each(|value| paths(value, &format!("{at}[]"), out)),
        _ => {
            out.insert(at.to_owned());
        }
    }
}

#[test]
fn cert_manager_knows_every_field() {
    let pki = "pki: {certificates: {etcd-statefulset-peer: {subject: {C: DE, ST: a, L: b, O: c, OU: d}}}}\n";
    let built = Built::of(&spec(VERSION, "certificates: cert-manager", "", pki));
    let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
    for object in objects(&files(&built), "10-certificates.yaml") {
        assert_eq!(object["apiVersion"], "cert-manager.io/v1");
        paths(&object["spec"], "", seen.entry(text(&object, "/kind").to_owned()).or_default());
        if let Value::Object(empty) = &object["spec"]["selfSigned"] {
            assert!(empty.is_empty());
        }
    }
    for (kind, seen) in &seen {
        let unknown: Vec<_> = seen.difference(&fields(kind)).cloned().collect();
        assert_eq!(unknown, Vec::<String>::new(), "{kind}");
    }
    assert!(seen["Certificate"].contains("subject.organizationalUnits[]") && seen.len() == 2);
}

/// Pod Security `restricted` (KEP-2579, `policy/` of pod-security-admission), field by field.
#[test]
fn pods_are_restricted() {
    let set = stateful_set(&files(&built("createNamespace: true, walStorage: {}")));
    let pod = &set["spec"]["template"]["spec"];
    for field in ["hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"] {
        assert_eq!(pod.get(field), None, "{field}");
    }
    let security = &pod["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert!(security["runAsUser"].as_u64().unwrap() > 0);
    assert_eq!(security["fsGroup"], security["runAsUser"], "volumes are writable, Secrets readable");
    assert_eq!(security["seccompProfile"], json!({"type": "RuntimeDefault"}));
    let volumes = pod["volumes"].as_array().unwrap().iter();
    assert!(volumes.clone().all(|volume| volume.get("secret").is_some()));
    // 0440
    assert!(volumes.clone().all(|volume| volume["secret"]["defaultMode"] == 288));
    let containers = pod["containers"].as_array().unwrap();
    let [container] = containers.as_slice() else { panic!("{containers:?}") };
    assert_eq!(
        container["securityContext"],
        json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true})
    );
    assert!(container["ports"].as_array().unwrap().iter().all(|port| port.get("hostPort").is_none()));
}

/// Nothing secret is in the bundle but sealed, and every secret is for its owner alone.
#[test]
fn secrets_are_sealed() {
    let built = built("");
    let opened = files(&built);
    let mut secrets: Vec<String> = Vec::new();
    for secret in objects(&opened, "10-secrets.yaml") {
        let key = text(&secret, "/data/tls.key").to_owned();
        let pem = String::from_utf8(BASE64_STANDARD.decode(&key).unwrap()).unwrap();
        assert!(pem.starts_with("-----BEGIN EC PRIVATE KEY-----\n"), "{}", pem.lines().next().unwrap());
        secrets.extend([key, pem.lines().nth(1).unwrap().to_owned()]);
    }
    assert_eq!(secrets.len(), 6);
    for member in members(&built.bundle("operator")) {
        let text = String::from_utf8_lossy(&member.contents);
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{}", member.name);
        assert!(!text.contains("PRIVATE KEY"), "{}", member.name);
    }
    let sealed: Vec<_> = opened.iter().filter(|(_, file)| file.sealed).collect();
    assert!(sealed.iter().all(|(_, file)| file.mode == 0o600));
    let sealed: Vec<_> = sealed.into_iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(
        sealed,
        [
            "10-secrets.yaml",
            "ca.key",
            "statefulset-client.key",
            "statefulset-peer.key",
            "statefulset-server.key",
            "verify.key"
        ]
    );
}

/// openssl believes them, by every name, and a Secret's pair is one.
#[test]
fn openssl_believes_the_certificates() {
    let Some(openssl) = need("openssl") else { return };
    let built = built("replicas: 3, clientService: true");
    let opened = files(&built);
    let names = from_secrets(&opened);
    let directory = temporary();
    let at = |file: &str| directory.path().join(file).to_str().unwrap().to_owned();
    for secret in objects(&opened, "10-secrets.yaml") {
        for key in ["ca.crt", "tls.crt", "tls.key"] {
            let decoded = BASE64_STANDARD.decode(text(&secret, &format!("/data/{key}"))).unwrap();
            fs::write(at(key), decoded).unwrap();
        }
        let name = text(&secret, "/metadata/name");
        let verify = |more: &[&str]| {
            let words = ["verify", "-x509_strict", "-attime", "1796083200", "-CAfile"];
            run(Command::new(&openssl).args(words).arg(at("ca.crt")).args(more).arg(at("tls.crt")))
        };
        let server = name != "etcd-client-tls";
        let _ = verify(&["-purpose", "sslclient"]).expect_code(0);
        assert_eq!(verify(&["-purpose", "sslserver"]).code == 0, server, "{name}");
        for san in &names[name] {
            let address = san.parse::<std::net::IpAddr>().is_ok();
            let _ = verify(&[if address { "-verify_ip" } else { "-verify_hostname" }, san]).expect_code(0);
        }
        assert_eq!(names[name].len(), if server { 3 * 5 + 4 + 4 + 3 } else { 0 });
        let public = |words: &[&str], file: &str| {
            run(Command::new(&openssl).args(words).arg(at(file))).expect_code(0).stdout
        };
        assert_eq!(
            public(&["x509", "-noout", "-pubkey", "-in"], "tls.crt"),
            public(&["pkey", "-pubout", "-in"], "tls.key")
        );
    }
    assert!(Path::new(&at("ca.crt")).exists());
}

fn annotation(built: &Built) -> String {
    let set = stateful_set(&files(built));
    text(&set["spec"]["template"]["metadata"]["annotations"], "/sealift.dev~1restart-digest").to_owned()
}

/// Pods restart for another authority, which they read at their start only; not for other pairs.
#[test]
fn pods_restart_when_what_they_trust_changes() {
    let with = |pki: &str| annotation(&Built::of(&spec(VERSION, "", "", pki)));
    let before = with("");
    assert_eq!(with("pki: {generation: 2}\n"), before);
    let staged = with("pki: {cas: {etcd: {generation: 2, rotation: stage}}}\n");
    let promoted = with("pki: {cas: {etcd: {generation: 2, rotation: promote}}}\n");
    let retired = with("pki: {cas: {etcd: {generation: 2, rotation: retire}}}\n");
    assert_eq!(BTreeSet::from([&before, &staged, &promoted, &retired]).len(), 4);
    let manager = stateful_set(&files(&built("certificates: cert-manager")));
    let annotations = manager["spec"]["template"]["metadata"]["annotations"].as_object().unwrap();
    assert_eq!(annotations.keys().collect::<Vec<_>>(), ["sealift.dev/service-name"]);
}

/// One more member: no pod that runs is restarted, and the names are there before it.
#[test]
fn growing_restarts_no_pod() {
    let of = |text: &str| files(&built(text));
    let (three, four) = (of("replicas: 3"), of("replicas: 4, state: existing"));
    let template = |files: &Files| stateful_set(files)["spec"]["template"].clone();
    assert_eq!(template(&three), template(&four));
    let state = |files: &Files| objects(files, "15-members.yaml")[0]["data"]["initial-cluster-state"].clone();
    assert_eq!([state(&three), state(&four)], ["new", "existing"]);
    assert!(from_secrets(&four)["etcd-peer-tls"].contains("etcd-3.etcd.default.svc.cluster.local"));
}

/// The texts that people follow, and the objects, whole.
#[test]
fn the_operators_files_whole() {
    let everything = "name: db, namespace: data, createNamespace: true, replicas: 5, state: existing, clientService: \
                      true, ipv6: true, storage: {size: 20Gi, className: fast-ssd}, walStorage: {size: 4Gi}, \
                      resources: {requests: {cpu: 1500m, memory: 4Gi}, limits: {cpu: \"4\", memory: 8Gi}}, nodeSelector: \
                      {disk: ssd}, tolerations: [{key: etcd, effect: NoSchedule}, {key: db, value: a, effect: NoExecute}]";
    let rotation = "pki: {cas: {etcd: {generation: 2, rotation: promote}}}\n";
    let manager = "certificates: cert-manager, walStorage: {}";
    let all = [("sealift", everything, rotation), ("cert-manager", manager, ""), ("least", "", "")];
    let whole = all.into_iter().flat_map(|(title, of, pki)| {
        let opened = files(&Built::of(&spec(VERSION, of, "", pki)));
        let shown = opened.into_iter().filter(|(path, file)| {
            !file.sealed && (path.starts_with(DIRECTORY) || path.ends_with("RUNBOOK.md"))
        });
        shown.map(move |(path, file)| {
            (format!("{title}/{}", path.rsplit('/').next().unwrap()), file.text().to_owned())
        })
    });
    golden_tree("etcd-statefulset", &whole.collect());
}

/// Without any host, every command works.
#[test]
fn commands_without_hosts() {
    let built = built("");
    let out = built.out();
    let path = built.path("sealift.yaml");
    let (out, path, trust) = (out.to_str().unwrap(), path.to_str().unwrap(), out.join("trust"));
    let trust = trust.to_str().unwrap();
    let said = |words: &[&str]| sealift(words).expect_code(0).stdout;
    assert_eq!(said(&["check", path]), format!("ok {path}: 0 hosts\n"));
    assert_eq!(said(&["images", path]), "registry.k8s.io/etcd:3.6.8-0\n");
    let images: Value = serde_json::from_str(&said(&["images", path, "--format", "json"])).unwrap();
    assert_eq!(images.pointer("/images/0/hosts"), Some(&json!(["operator"])), "{images}");
    let at = ["--at", "2026-12-01T00:00:00Z"];
    assert_eq!(said(&["verify", out, "--trust", trust, at[0], at[1]]), format!("ok {out}: 1 bundles\n"));
    let inventory = said(&["certs", out, "--trust", trust, at[0], at[1]]);
    assert!(
        inventory.ends_with("ok 4 certificates; the first ends 2027-11-20T00:00:00Z, 354 days left\n"),
        "{inventory}"
    );
    assert_eq!(
        said(&["check", path, "--previous", out]),
        format!("ok {path}: 0 hosts\noperator: unchanged\n")
    );
    let bundles = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let bundles: Vec<_> = bundles.filter(|name| name.ends_with(".tar.gz")).collect();
    assert_eq!(bundles, ["operator.tar.gz"]);
}

fn pem_blocks(text: &str) -> usize {
    Pem::iter_from_buffer(text.as_bytes()).count()
}

/// An authority that was brought along signs, and is what the Secrets trust.
#[test]
fn an_imported_authority() {
    let (certificate, key) = ("tests/data/imports/ca.crt", "tests/data/imports/ca.key");
    let [certificate, key] = [certificate, key].map(|path| support::repository(path).display().to_string());
    let pki = format!("pki: {{cas: {{etcd: {{import: {{certificate: {certificate}, key: {key}}}}}}}}}\n");
    let opened = files(&Built::of(&spec(VERSION, "", "", &pki)));
    let brought = fs::read_to_string(certificate).unwrap();
    assert_eq!(pem_blocks(&brought), 1);
    let trusted = opened["/etc/kubernetes/pki/etcd/ca.crt"].text();
    let der = |text: &str| Pem::iter_from_buffer(text.as_bytes()).next().unwrap().unwrap().contents;
    assert_eq!(der(trusted), der(&brought));
    every_url_is_covered(&opened, &from_secrets(&opened));
    for secret in objects(&opened, "10-secrets.yaml") {
        let data = |key: &str| BASE64_STANDARD.decode(text(&secret, &format!("/data/{key}"))).unwrap();
        assert_eq!(String::from_utf8(data("ca.crt")).unwrap(), trusted);
        let (_, leaf) = x509_parser::pem::parse_x509_pem(&data("tls.crt")).unwrap();
        let authority = der(trusted);
        let (_, authority) = x509_parser::parse_x509_certificate(&authority).unwrap();
        assert_eq!(leaf.parse_x509().unwrap().issuer(), authority.subject());
    }
}

/// Trust is in the Secrets as it is in the file.
#[test]
fn a_rotation_reaches_the_secrets() {
    let staged = Built::of(&spec(VERSION, "", "", "pki: {cas: {etcd: {generation: 2, rotation: stage}}}\n"));
    let opened = files(&staged);
    let file = opened["/etc/kubernetes/pki/etcd/ca.crt"].text();
    assert_eq!(pem_blocks(file), 2);
    for secret in objects(&opened, "10-secrets.yaml") {
        let trusted = BASE64_STANDARD.decode(text(&secret, "/data/ca.crt")).unwrap();
        assert_eq!(String::from_utf8(trusted).unwrap(), file);
    }
}
