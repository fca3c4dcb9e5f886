//! Random clusters, each built by the program: what is true of every certificate and every key.
//!
//! openssl and rustls-webpki judge the chains, each by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sealift::plan::certs::{Eku, Kind};
use sealift::plan::{CertPlan, Facts, HostPlan, Plan, Source};
use sealift::spec::types::{Algorithm, CaName, Role};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::archive::member;
use support::example::Built;
use support::opened::{
    Files, Kubeconfig, certificates, machine, open, operator, pem_blocks, private_keys, spki,
};
use support::random_spec::{Case, cases};
use support::{contents, need, run, temporary};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// How many clusters; each is built twice.
const CASES: u32 = 30;
/// 2026-11-20T00:00:00Z.
const EPOCH: i64 = 1_795_132_800;
/// Within the shortest validity.
const HOUR_ONE: i64 = EPOCH + 3600;

/// Everything that [`cases`] can say, so that none of it is left out by chance.
const FEATURES: &str = "algorithm ecdsa-p256, algorithm ecdsa-p384, algorithm ed25519, endpoint by address, \
    endpoint by name, etcd as a service, etcd in a container, etcd key on hosts, external etcd, family IPv4, family IPv6, family dual stack, \
    family dual stack, IPv6 first, front-proxy key on hosts, further names, generations, join by certificates, \
    join by token, kubernetes key on hosts, leaf validity 1y, leaf validity 30d, leaf validity 36h, \
    leaf validity 99y, many hosts, mixed algorithms, no CA key on hosts, one certificate of etcd, promote, provisioner kubeadm, \
    provisioner none, provisioner static-pods, retire, stacked, stage, subjects, workers";

#[test]
fn what_is_true_of_every_cluster() {
    let Some(openssl) = need("openssl") else { return };
    let config =
        Config { cases: CASES, max_shrink_iters: 20, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let seen = RefCell::new(BTreeSet::new());
    runner
        .run(&cases(), |case| {
            seen.borrow_mut().extend(case.features.clone());
            Cluster::new(&case).judge(&openssl);
            Ok(())
        })
        .unwrap();
    let seen: Vec<_> = seen.take().into_iter().collect();
    assert_eq!(seen.join(", "), FEATURES);
}

/// A cluster as planned, and as its bundles have it.
struct Cluster {
    built: Built,
    plan: Plan,
    opened: BTreeMap<String, Files>,
}

/// One certificate with its key where it stands.
struct Leaf<'a> {
    plan: &'a CertPlan,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate of an authority.
struct Authority<'a> {
    ca: CaName,
    /// Whether it is the one that issues.
    issues: bool,
    plan: &'a CertPlan,
    certificate: Vec<u8>,
}

impl Cluster {
    fn new(case: &Case) -> Self {
        let built = Built::staged(&case.yaml);
        let _ = built.build(&["-j1"]).expect_code(0);
        let (plan, problems) = sealift::plan::plan(&sealift::spec::load(&case.yaml).spec, &Facts::default());
        assert!(problems.is_empty(), "{problems:?}");
        let mut opened =
            BTreeMap::from([("operator".to_owned(), open(&built.bundle("operator"), &operator()))]);
        for (number, host) in case.hosts.iter().enumerate() {
            let identity = machine(u8::try_from(number).unwrap());
            opened.insert(host.clone(), open(&built.bundle(host), &identity));
        }
        Self { built, plan, opened }
    }

    fn judge(&self, openssl: &Path) {
        let authorities = self.authorities();
        let leaves = self.leaves();
        self.files_as_planned();
        for authority in &authorities {
            as_planned(authority.plan, &authority.certificate, &authority.certificate);
        }
        for leaf in &leaves {
            let issuer = issuer(&authorities, leaf.plan);
            as_planned(leaf.plan, &leaf.certificate, &issuer.certificate);
            assert_eq!(spki(&leaf.certificate), leaf.key, "key of {}", whose(leaf.plan));
            good_for_its_names(leaf);
            for authority in &authorities {
                webpki_judges(leaf, authority);
            }
        }
        self.servers_have_the_names_that_clients_call(&leaves);
        openssl_judges(openssl, &authorities, &leaves);
        no_serial_twice(&authorities, &leaves);
        self.bundles_end_with_their_first_certificate();
        self.keys_of_authorities_stay_away(&authorities);
        self.threads_change_nothing();
    }

    fn hosts(&self) -> impl Iterator<Item = &HostPlan> {
        self.plan.hosts.values().chain([&self.plan.operator])
    }

    /// In the order of the files: the one that issues, then the one beside it.
    fn authorities(&self) -> Vec<Authority<'_>> {
        let mut all = Vec::new();
        for planned in &self.plan.cluster.authorities {
            let path = planned.certificates.active.row.public_path();
            let found = certificates(&self.opened["operator"][&path].contents);
            let versions: Vec<_> = planned.certificates.all().collect();
            assert_eq!(found.len(), versions.len(), "{path}");
            for (index, (certificate, plan)) in found.into_iter().zip(versions).enumerate() {
                all.push(Authority { ca: planned.ca, issues: index == 0, plan, certificate });
            }
            for (host, files) in self.opened.iter().filter(|(_, files)| files.contains_key(&path)) {
                assert_eq!(
                    files[&path].contents, self.opened["operator"][&path].contents,
                    "{path} of {host}"
                );
            }
        }
        all
    }

    fn leaves(&self) -> Vec<Leaf<'_>> {
        let plans = self.hosts().flat_map(|host| host.certificates.iter().map(move |plan| (host, plan)));
        plans.map(|(host, plan)| self.leaf(plan, &self.opened[&host.name])).collect()
    }

    fn leaf<'a>(&'a self, plan: &'a CertPlan, files: &Files) -> Leaf<'a> {
        let file = &files[&plan.row.public_path()];
        let (certificate, key) = if let Some(key) = plan.row.key_path() {
            (file.contents.clone(), files[&key].contents.clone())
        } else {
            let kubeconfig = Kubeconfig::parse(file);
            let ca = &self.opened["operator"]["/etc/kubernetes/pki/ca.crt"].contents;
            assert_eq!(kubeconfig.authorities(), *ca, "{}", whose(plan));
            (kubeconfig.certificate(), kubeconfig.key())
        };
        let [certificates, keys] = [certificates(&certificate), private_keys(&key)];
        assert_eq!((certificates.len(), keys.len()), (1, 1), "{}", whose(plan));
        Leaf { plan, certificate: certificates[0].clone(), key: keys[0].clone() }
    }

    /// Every URL in a kubeconfig, and every pod's `kubernetes` service, leads to a certificate with that
    /// name; so does every node's name and address.
    fn servers_have_the_names_that_clients_call(&self, leaves: &[Leaf<'_>]) {
        let is_for = |leaf: &Leaf<'_>, name: &str| {
            let der = CertificateDer::from(leaf.certificate.as_slice());
            let name = ServerName::try_from(name.to_owned()).unwrap();
            EndEntityCert::try_from(&der).unwrap().verify_is_valid_for_subject_name(&name).is_ok()
        };
        let servers = |id: &'static str| leaves.iter().filter(move |leaf| leaf.plan.row.id == id);
        let of = |host: &str, leaf: &Leaf<'_>| leaf.plan.host.as_deref() == Some(host);
        let services = ["kubernetes.default.svc.cluster.local", "10.96.0.1", "fd96::1"];
        let spec = fs::read_to_string(self.built.path("sealift.yaml")).unwrap();
        let services = services.into_iter().filter(|name| match name.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => spec.contains("10.96.0.0/12"),
            Ok(IpAddr::V6(_)) => spec.contains("fd96::/112"),
            Err(_) => true,
        });
        for name in services {
            assert!(servers("apiserver").all(|leaf| is_for(leaf, name)), "{name}");
        }
        for (host, files) in &self.opened {
            let kubeconfigs = files
                .iter()
                .filter(|(path, _)| path.starts_with("/etc/kubernetes/") && has_extension(path, "conf"));
            for (path, file) in kubeconfigs {
                let url = Kubeconfig::parse(file).server().to_owned();
                let name = url.strip_prefix("https://").unwrap().strip_suffix(":6443").unwrap();
                let name = name.trim_matches(['[', ']']);
                let endpoint = ["api.prod.example", "10.0.0.250", "fd00::250"].contains(&name);
                let mut called = servers("apiserver").filter(|leaf| endpoint || of(host, leaf)).peekable();
                assert!(called.peek().is_some(), "{path} of {host}: {url}");
                assert!(called.all(|leaf| is_for(leaf, name)), "{path} of {host}: {url}");
            }
        }
        for id in ["etcd-server", "etcd-peer", "kubelet-serving"] {
            for leaf in servers(id) {
                let host = self.hosts().find(|host| of(&host.name, leaf)).unwrap();
                assert!(is_for(leaf, &host.name), "{}", whose(leaf.plan));
                let main = host.addresses[0].to_string();
                assert!(is_for(leaf, &main), "{} for {main}", whose(leaf.plan));
            }
        }
    }

    /// Every file that is planned, with its mode, sealed when it is secret; and no other.
    fn files_as_planned(&self) {
        for host in self.hosts() {
            let placed = host.files.iter().filter(|file| file.source != Source::Foreign);
            let planned: Vec<_> =
                placed.map(|file| (file.path.as_str(), file.mode, file.source.is_secret())).collect();
            let found: Vec<_> = self.opened[&host.name]
                .iter()
                .map(|(path, file)| (path.as_str(), file.mode, file.sealed))
                .collect();
            assert_eq!(found, planned, "{}", host.name);
            for (path, file) in &self.opened[&host.name] {
                let private = pem_blocks(&file.contents).iter().any(|(label, _)| label.contains("PRIVATE"));
                // of etcd's own user, and for nobody else to read
                let own =
                    [0o600, 0o640].contains(&file.mode) && path.starts_with("/etc/kubernetes/pki/etcd/");
                let own = own && host.etcd.as_ref().is_some_and(|etcd| etcd.run.is_unit());
                assert!(!private || (file.sealed && (file.mode == 0o600 || own)), "{path} of {}", host.name);
            }
        }
    }

    /// `validUntil` is the end of the first certificate in any file, or of the authority by whose hash a
    /// node finds its cluster; ten years where there is none.
    fn bundles_end_with_their_first_certificate(&self) {
        for (host, files) in &self.opened {
            let finds = files.values().any(|file| has(&file.contents, "caCertHashes"));
            let authority = &self.opened["operator"].get("/etc/kubernetes/pki/ca.crt");
            let authority = authority.iter().filter(|_| finds).flat_map(|file| certificates(&file.contents));
            let all = files.values().flat_map(|file| certificates(&file.contents)).chain(authority);
            let ends =
                all.map(|der| X509Certificate::from_der(&der).unwrap().1.validity().not_after.timestamp());
            let first = ends.min().unwrap_or(EPOCH + 3650 * 86_400);
            let time = time::OffsetDateTime::from_unix_timestamp(first).unwrap();
            let expected = time.format(&time::format_description::well_known::Rfc3339).unwrap();
            let manifest = member(&self.built.bundle(host), "manifest.json");
            let manifest: serde_json::Value = serde_json::from_slice(&manifest.contents).unwrap();
            assert_eq!(manifest["validUntil"], expected, "{host}");
        }
    }

    /// Keys of authorities lie where `pki.caKeysOnHosts` wants them, and nowhere else in any form.
    fn keys_of_authorities_stay_away(&self, authorities: &[Authority<'_>]) {
        let spec = sealift::spec::load(&fs::read_to_string(self.built.path("sealift.yaml")).unwrap()).spec;
        let mut expected = BTreeSet::new();
        for authority in authorities.iter().filter(|authority| authority.issues) {
            let path = authority.plan.row.key_path().unwrap();
            expected.insert(("operator".to_owned(), path.clone(), authority.ca));
            let role = match authority.ca {
                CaName::Etcd => Role::Etcd,
                CaName::Kubernetes | CaName::FrontProxy => Role::ControlPlane,
            };
            let asked = spec.pki.ca_keys_on_hosts.contains(&authority.ca);
            let hosts = spec.hosts.iter().filter(|(_, host)| asked && host.roles.contains(&role));
            expected.extend(hosts.map(|(name, _)| (name.to_string(), path.clone(), authority.ca)));
        }
        let mut found = BTreeSet::new();
        for (host, files) in &self.opened {
            for (path, file) in files {
                for key in private_keys(&file.contents) {
                    let of = authorities.iter().filter(|authority| spki(&authority.certificate) == key);
                    found.extend(of.map(|authority| (host.clone(), path.clone(), authority.ca)));
                }
                for (ca, secret) in self.scalars(authorities) {
                    let key = (host.clone(), path.clone(), ca);
                    let has = has_bytes(&file.contents, &secret);
                    assert_eq!(has, expected.contains(&key), "the key of {ca:?} in {path} of {host}");
                }
            }
        }
        assert_eq!(found, expected);
    }

    /// The secret part of the issuing authorities' keys, without any form around it.
    fn scalars(&self, authorities: &[Authority<'_>]) -> Vec<(CaName, Vec<u8>)> {
        let issuing = authorities.iter().filter(|authority| authority.issues);
        let scalar = |authority: &Authority<'_>| {
            let file = &self.opened["operator"][&authority.plan.row.key_path().unwrap()];
            let (_, pem) = x509_parser::pem::parse_x509_pem(&file.contents).unwrap();
            // RFC 5915: version 1, then the scalar; RFC 8410: behind the algorithm, 32 bytes
            let der = pem.contents;
            let at = match pem.label.as_str() {
                "EC PRIVATE KEY" => {
                    if der.len() < 0x80 {
                        7..39
                    } else {
                        8..56
                    }
                }
                _ => 16..48,
            };
            (authority.ca, der[at].to_vec())
        };
        issuing.map(scalar).collect()
    }

    /// The same bytes from two threads as from one.
    fn threads_change_nothing(&self) {
        let one = contents(&self.built.out());
        fs::remove_dir_all(self.built.out()).unwrap();
        let _ = self.built.build(&["-j2"]).expect_code(0);
        assert_eq!(contents(&self.built.out()), one);
    }
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn whose(plan: &CertPlan) -> String {
    format!("{} of {}", plan.row.id, plan.host.as_deref().unwrap_or("all"))
}

fn issuer<'l, 'a>(authorities: &'l [Authority<'a>], leaf: &CertPlan) -> &'l Authority<'a> {
    let issues =
        |authority: &&Authority<'_>| authority.issues && leaf.row.kind == Kind::IssuedBy(authority.ca);
    authorities.iter().find(issues).unwrap()
}

/// Whether some bytes occur: as they are, in hex, or in the DER of any PEM.
fn has_bytes(contents: &[u8], secret: &[u8]) -> bool {
    let within = |text: &[u8]| text.windows(secret.len()).any(|window| window == secret);
    let hex = hex::encode(secret);
    let blocks = pem_blocks(contents);
    let ders =
        blocks.iter().map(|(_, text)| x509_parser::pem::parse_x509_pem(text.as_bytes()).unwrap().1.contents);
    within(contents)
        || String::from_utf8_lossy(contents).contains(&hex)
        || ders.into_iter().any(|der| within(&der))
}

/// Compares a certificate with its plan.
fn as_planned(plan: &CertPlan, der: &[u8], issuer: &[u8]) {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let (_, issuer) = X509Certificate::from_der(issuer).unwrap();
    let whose = whose(plan);
    let mut subject: Vec<String> =
        plan.subject.iter().map(|(name, value)| format!("{name:?}={value}").to_uppercase()).collect();
    subject.push(format!("CN={}", plan.cn).to_uppercase());
    assert_eq!(certificate.subject().to_string().to_uppercase(), subject.join(", "), "{whose}");
    assert_eq!(certificate.issuer(), issuer.subject(), "{whose}");
    let validity = certificate.validity();
    let times = (validity.not_before.timestamp(), validity.not_after.timestamp());
    assert_eq!(times, (plan.not_before, plan.not_after), "{whose}");
    let length = match plan.algorithm {
        Algorithm::EcdsaP256 => 91,
        Algorithm::EcdsaP384 => 120,
        Algorithm::Ed25519 => 44,
    };
    assert_eq!(spki(der).len(), length, "{whose}");
    let authority = matches!(plan.row.kind, Kind::Authority(_));
    assert_eq!(certificate.is_ca(), authority, "{whose}");
    assert_eq!(names(&certificate), (plan.dns.clone(), plan.ips.clone()), "{whose}");
    let usage = certificate.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.digital_signature(), "{whose}");
    assert_eq!(usage.value.key_cert_sign(), authority, "{whose}");
    // RFC 8410 section 5
    assert_eq!(usage.value.key_encipherment(), plan.algorithm != Algorithm::Ed25519, "{whose}");
}

fn names(certificate: &X509Certificate<'_>) -> (Vec<String>, Vec<IpAddr>) {
    let (mut dns, mut ips) = (Vec::new(), Vec::new());
    for name in
        certificate.subject_alternative_name().unwrap().into_iter().flat_map(|all| &all.value.general_names)
    {
        match name {
            GeneralName::DNSName(name) => dns.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => {
                let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                ips.push(v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).unwrap());
            }
            other => panic!("{other:?}"),
        }
    }
    (dns, ips)
}

/// rustls takes every name and address, any name for a wildcard, and no other.
fn good_for_its_names(leaf: &Leaf<'_>) {
    let der = CertificateDer::from(leaf.certificate.as_slice());
    let certificate = EndEntityCert::try_from(&der).unwrap();
    let is_for = |name: String| {
        certificate.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap()).is_ok()
    };
    let ips = leaf.plan.ips.iter().map(ToString::to_string);
    for name in leaf.plan.dns.iter().map(|name| name.replace('*', "any")).chain(ips) {
        assert!(is_for(name.clone()), "{} is not for {name}", whose(leaf.plan));
    }
    for stranger in ["stranger.example", "10.9.9.9", "fd99::9"] {
        assert!(!is_for(stranger.to_owned()), "{} is for {stranger}", whose(leaf.plan));
    }
}

/// Under its own authority for its own purposes while it is valid, and not otherwise.
fn webpki_judges(leaf: &Leaf<'_>, authority: &Authority<'_>) {
    let (ca, der) = (CertificateDer::from(&*authority.certificate), CertificateDer::from(&*leaf.certificate));
    let anchors = [anchor_from_trusted_cert(&ca).unwrap()];
    let certificate = EndEntityCert::try_from(&der).unwrap();
    let algorithms =
        &[webpki::ring::ECDSA_P256_SHA256, webpki::ring::ECDSA_P384_SHA384, webpki::ring::ED25519];
    let at = |seconds: i64, usage: KeyUsage| {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap()));
        certificate.verify_for_usage(algorithms, &anchors, &[], time, usage, None, None).is_ok()
    };
    let own = authority.issues && leaf.plan.row.kind == Kind::IssuedBy(authority.ca);
    for eku in [Eku::ServerAuth, Eku::ClientAuth] {
        let usage = || match eku {
            Eku::ServerAuth => KeyUsage::server_auth(),
            Eku::ClientAuth => KeyUsage::client_auth(),
        };
        let expected = own && leaf.plan.row.eku.contains(&eku);
        let what = format!(
            "{} as {eku:?} under {} (issues: {})",
            whose(leaf.plan),
            authority.ca.name(),
            authority.issues
        );
        assert_eq!(at(HOUR_ONE, usage()), expected, "{what}");
        assert_eq!(at(leaf.plan.not_before, usage()), expected, "{what}, first second");
        assert_eq!(at(leaf.plan.not_after, usage()), expected, "{what}, last second");
        assert!(!at(leaf.plan.not_after + 1, usage()), "{what}, after its end");
        assert!(!at(leaf.plan.not_before - 1, usage()), "{what}, before its start");
    }
}

/// The same by openssl: one process for each authority and purpose.
fn openssl_judges(openssl: &Path, authorities: &[Authority<'_>], leaves: &[Leaf<'_>]) {
    let directory = temporary();
    let file = |kind: &str, number: usize| directory.path().join(format!("{kind}-{number}.pem"));
    let write = |path: &Path, der: &[u8]| {
        let text = BASE64_STANDARD.encode(der);
        let lines: Vec<_> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
        fs::write(path, pem).unwrap();
    };
    for (number, leaf) in leaves.iter().enumerate() {
        write(&file("leaf", number), &leaf.certificate);
    }
    for (number, authority) in authorities.iter().enumerate() {
        let ca = file("ca", number);
        write(&ca, &authority.certificate);
        for (purpose, eku) in [("sslserver", Eku::ServerAuth), ("sslclient", Eku::ClientAuth)] {
            let mut command = Command::new(openssl);
            command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-purpose", purpose]);
            command.args(["-attime", &HOUR_ONE.to_string(), "-CAfile"]).arg(&ca);
            let ran = run(command.args((0..leaves.len()).map(|number| file("leaf", number))));
            let good: BTreeSet<&str> =
                ran.stdout.lines().filter_map(|line| line.strip_suffix(": OK")).collect();
            for (number, leaf) in leaves.iter().enumerate() {
                let expected = authority.issues
                    && leaf.plan.row.kind == Kind::IssuedBy(authority.ca)
                    && leaf.plan.row.eku.contains(&eku);
                let found = good.contains(file("leaf", number).to_str().unwrap());
                let what = format!("{} under {} as {purpose}", whose(leaf.plan), authority.ca.name());
                assert_eq!(found, expected, "{what}: {}", ran.stderr);
            }
        }
    }
}

fn no_serial_twice(authorities: &[Authority<'_>], leaves: &[Leaf<'_>]) {
    let all = authorities.iter().map(|authority| &authority.certificate);
    // the one of all members stands on each of their hosts
    let all: BTreeSet<_> = all.chain(leaves.iter().map(|leaf| &leaf.certificate)).collect();
    let serials: BTreeSet<Vec<u8>> =
        all.iter().map(|der| X509Certificate::from_der(der).unwrap().1.raw_serial().to_vec()).collect();
    assert_eq!(serials.len(), all.len());
    let keys: BTreeSet<_> = all.iter().map(|der| spki(der)).collect();
    assert_eq!(keys.len(), all.len(), "one key for two certificates");
}

fn has(contents: &[u8], word: &str) -> bool {
    contents.windows(word.len()).any(|window| window == word.as_bytes())
}
