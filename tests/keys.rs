//! Keys of every algorithm, judged by openssl and rustls-webpki: files, signatures, certificates, clusters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and write files")]

mod support;

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use sealift::derive::certificate::Authority;
use sealift::derive::label::{Deriver, Label};
use sealift::plan::Plan;
use sealift::private_key::{Kind, PrivateKey};
use sealift::spec::types::Algorithm;
use std::fs;
use std::path::Path;
use std::process::Command;
use support::archive::member;
use support::example::{Built, VALID_AT, replaced, spec, spec_of_today, test_only};
use support::{Ran, need, repository, run, sealift, temporary};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::prelude::{FromDer, X509Certificate};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::EcdsaP256, Algorithm::EcdsaP384, Algorithm::Ed25519];

fn derived(algorithm: Algorithm, row: &str) -> PrivateKey {
    let label = Label { row, algorithm: algorithm.label(), ..Label::default() };
    PrivateKey::derived(algorithm, &Deriver::new(&[7; 32]), &label).unwrap()
}

fn rsa(bits: &str) -> PrivateKey {
    let file = repository(&format!("src/private_key/testdata/test-only-rsa{bits}.key"));
    PrivateKey::from_pem(&fs::read(file).unwrap()).unwrap()
}

/// One key of each algorithm, and RSA of each length.
fn keys() -> Vec<PrivateKey> {
    let derived = ALGORITHMS.map(|algorithm| derived(algorithm, "key"));
    derived.into_iter().chain(["2048", "3072", "4096"].map(rsa)).collect()
}

fn openssl(directory: &Path, arguments: &[&str]) -> Ran {
    run(Command::new("openssl").args(arguments).current_dir(directory))
}

#[test]
fn openssl_writes_the_same_files() {
    if need("openssl").is_none() {
        return;
    }
    let directory = temporary();
    let openssl = |arguments: &[&str]| openssl(directory.path(), arguments).expect_code(0).stdout;
    for key in keys() {
        let text = key.to_pem().unwrap();
        fs::write(directory.path().join("key"), text.as_bytes()).unwrap();
        let traditional = match key.public().kind() {
            Kind::EcdsaP256 | Kind::EcdsaP384 => openssl(&["ec", "-in", "key"]),
            Kind::Ed25519 => openssl(&["pkey", "-in", "key"]),
            Kind::Rsa => openssl(&["rsa", "-traditional", "-in", "key"]),
        };
        assert_eq!(traditional, *text);
        assert_eq!(openssl(&["pkey", "-in", "key", "-pubout"]), key.public_pem().unwrap());
        let pkcs8 = openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "key"]);
        assert_eq!(PrivateKey::from_pem(pkcs8.as_bytes()).unwrap().to_pem().unwrap(), text);
    }
}

#[test]
fn openssl_verifies_signatures_which_are_always_the_same() {
    if need("openssl").is_none() {
        return;
    }
    let directory = temporary();
    for key in keys() {
        fs::write(directory.path().join("public"), key.public_pem().unwrap()).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(key.sign(b"message").unwrap(), signature);
        fs::write(directory.path().join("signature"), signature).unwrap();
        let mut words = vec!["pkeyutl", "-verify", "-pubin", "-inkey", "public", "-sigfile", "signature"];
        words.extend(["-in", "message", "-rawin"]);
        match key.public().kind() {
            Kind::EcdsaP384 => words.extend(["-digest", "sha384"]),
            Kind::EcdsaP256 | Kind::Rsa => words.extend(["-digest", "sha256"]),
            Kind::Ed25519 => {}
        }
        for (message, code, words_of_openssl) in [
            ("message", 0, "Signature Verified Successfully\n"),
            ("massage", 1, "Signature Verification Failure\n"),
        ] {
            fs::write(directory.path().join("message"), message).unwrap();
            assert_eq!(openssl(directory.path(), &words).expect_code(code).stdout, words_of_openssl);
        }
    }
}

fn plan() -> Plan {
    let (plan, problems) =
        sealift::plan::plan(&sealift::spec::load(&spec()).spec, &sealift::plan::Facts::default());
    assert_eq!(problems, []);
    plan
}

/// Every kind of CA with every kind of leaf: openssl accepts the chain, and no other CA's.
#[test]
fn every_ca_issues_to_every_key() {
    if need("openssl").is_none() {
        return;
    }
    let (plan, directory) = (plan(), temporary());
    let (ca, leaf) = (
        &plan.cluster.authorities[0].certificates.active,
        &plan.hosts.values().next().unwrap().certificates[0],
    );
    let authorities = keys().into_iter().map(|key| Authority::new(ca, key, &Deriver::new(&[7; 32])).unwrap());
    let authorities: Vec<_> = authorities.collect();
    for (number, authority) in authorities.iter().enumerate() {
        let other = &authorities[(number + 1) % authorities.len()];
        fs::write(directory.path().join("ca"), authority.pem()).unwrap();
        fs::write(directory.path().join("other"), other.pem()).unwrap();
        let at = VALID_AT.1.to_string();
        let verify = |ca: &str, certificate: &str| {
            let words = ["verify", "-x509_strict", "-attime", &at, "-CAfile", ca, certificate];
            openssl(directory.path(), &words)
        };
        assert_eq!(verify("ca", "ca").expect_code(0).stdout, "ca: OK\n");
        for algorithm in ALGORITHMS {
            let key = derived(algorithm, "leaf");
            let text = authority.issue(leaf, &key).unwrap();
            assert_eq!(authority.issue(leaf, &key).unwrap(), text);
            fs::write(directory.path().join("leaf"), text).unwrap();
            assert_eq!(verify("ca", "leaf").expect_code(0).stdout, "leaf: OK\n");
            let _ = verify("other", "leaf").expect_code(2);
        }
    }
}

fn certificate(built: &Built, name: &str) -> Vec<u8> {
    let path = format!("files/etc/kubernetes/pki/etcd/{name}.crt");
    let text = member(&built.bundle("infra0"), &path);
    x509_parser::pem::parse_x509_pem(&text.contents).unwrap().1.contents
}

fn usage(der: &[u8]) -> String {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    certificate.key_usage().unwrap().unwrap().value.to_string()
}

/// A cluster of each algorithm builds, verifies, installs, and is what rustls accepts.
#[test]
fn clusters_of_every_algorithm() {
    let rows: [(&str, &dyn SignatureVerificationAlgorithm, &str); 3] = [
        ("ecdsa-p256", webpki::ring::ECDSA_P256_SHA256, "Digital Signature, Key Encipherment"),
        ("ecdsa-p384", webpki::ring::ECDSA_P384_SHA384, "Digital Signature, Key Encipherment"),
        ("ed25519", webpki::ring::ED25519, "Digital Signature"),
    ];
    for (word, algorithm, usages) in rows {
        let built = Built::of(&replaced(&spec_of_today(), "pki:\n", &format!("pki:\n  algorithm: {word}\n")));
        let (ca, server) = (certificate(&built, "ca"), certificate(&built, "server"));
        assert_eq!(usage(&server), usages, "{word}");
        assert_eq!(usage(&ca), format!("{usages}, Key Cert Sign"), "{word}");
        let (ca, server) = (CertificateDer::from(ca), CertificateDer::from(server));
        let time = UnixTime::now();
        let anchors = [anchor_from_trusted_cert(&ca).unwrap()];
        let leaf = EndEntityCert::try_from(&server).unwrap();
        for purpose in [KeyUsage::server_auth(), KeyUsage::client_auth()] {
            let verdict = leaf.verify_for_usage(&[algorithm], &anchors, &[], time, purpose, None, None);
            assert!(verdict.is_ok(), "{word}");
        }
        let text = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
        let (bundle, trust) = (text(built.bundle("infra0")), text(built.out().join("trust")));
        let identity = text(test_only("infra0.age.key"));
        let words = ["verify", &bundle, "--trust", &trust, "-i", &identity];
        assert_eq!(sealift(words).expect_code(0).stderr, "", "{word}");
        // keys are matched with their certificates once more, out of what was sealed
        let root = built.root("infra0");
        let _ = built.install("infra0", &root, &["--trust", &trust]).expect_code(0);
        let root = text(root);
        let words = ["verify", "--root", &root, "--trust", &trust];
        assert_eq!(sealift(words).expect_code(0).stderr, "", "{word}");
    }
}
