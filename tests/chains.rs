//! The certificates, judged by rustls-webpki, and the manifests, compared with kubeadm's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::time::Duration;
use support::archive::{member, members};
use support::example::{ADDRESSES, Built, HOSTS, VALID_AT, replaced, spec};
use support::golden::golden;
use support::repository;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

const PKI: &str = "files/etc/kubernetes/pki";

/// The DER of the one certificate in a bundle's PEM file.
fn der(host: &str, name: &str) -> Vec<u8> {
    let file = member(&Built::example().bundle(host), &format!("{PKI}/{name}.crt"));
    let (rest, pem) = x509_parser::pem::parse_x509_pem(&file.contents).unwrap();
    assert_eq!((rest, pem.label.as_str()), (&b""[..], "CERTIFICATE"));
    pem.contents
}

/// rustls' verdict on a certificate for one purpose.
fn judge(host: &str, name: &str, purpose: KeyUsage, at: u64) -> Result<(), webpki::Error> {
    let ca = CertificateDer::from(der(host, "etcd/ca"));
    let anchor = anchor_from_trusted_cert(&ca).unwrap();
    let leaf = CertificateDer::from(der(host, name));
    let leaf = EndEntityCert::try_from(&leaf)?;
    let algorithms = &[webpki::ring::ECDSA_P256_SHA256];
    let time = UnixTime::since_unix_epoch(Duration::from_secs(at));
    let anchors = [anchor];
    leaf.verify_for_usage(algorithms, &anchors, &[], time, purpose, None, None).map(|_| ())
}

fn server() -> KeyUsage {
    KeyUsage::server_auth()
}

fn client() -> KeyUsage {
    KeyUsage::client_auth()
}

/// Whether a certificate is for that name or address.
fn is_for(host: &str, name: &str, subject: &str) -> bool {
    let leaf = CertificateDer::from(der(host, name));
    let leaf = EndEntityCert::try_from(&leaf).unwrap();
    leaf.verify_is_valid_for_subject_name(&ServerName::try_from(subject.to_owned()).unwrap()).is_ok()
}

#[test]
fn every_chain_for_its_purposes() {
    for host in HOSTS {
        for name in ["etcd/server", "etcd/peer"] {
            assert_eq!(judge(host, name, server(), VALID_AT.1), Ok(()), "{host} {name}");
            assert_eq!(judge(host, name, client(), VALID_AT.1), Ok(()), "{host} {name}");
        }
    }
    let clients = HOSTS.map(|host| (host, "etcd/healthcheck-client"));
    for (host, name) in clients.into_iter().chain([("operator", "apiserver-etcd-client")]) {
        assert_eq!(judge(host, name, client(), VALID_AT.1), Ok(()), "{host} {name}");
        let refused = judge(host, name, server(), VALID_AT.1).unwrap_err();
        assert!(
            matches!(refused, webpki::Error::RequiredEkuNotFoundContext(_)),
            "{host} {name}: {refused:?}"
        );
    }
}

#[test]
fn names() {
    for (number, host) in HOSTS.into_iter().enumerate() {
        for name in ["etcd/server", "etcd/peer"] {
            for subject in [host, "localhost", ADDRESSES[number], "127.0.0.1", "::1"] {
                assert!(is_for(host, name, subject), "{host} {name} is not for {subject}");
            }
            let (other, address) = (HOSTS[(number + 1) % 3], ADDRESSES[(number + 1) % 3]);
            for subject in [other, address, "etcd", "10.0.0.60", "infra0.localhost", "::2"] {
                assert!(!is_for(host, name, subject), "{host} {name} is for {subject}");
            }
        }
        assert!(!is_for(host, "etcd/healthcheck-client", host));
    }
}

/// Five minutes before the epoch to a year after it, and not a second more.
#[test]
fn time() {
    let epoch = 1_795_132_800; // 2026-11-20T00:00:00Z
    let (first, last) = (epoch - 300, epoch + 365 * 24 * 3600);
    for (at, expected) in
        [(first - 1, "CertNotValidYet"), (first, "Ok"), (last, "Ok"), (last + 1, "CertExpired")]
    {
        let verdict = match judge("infra0", "etcd/server", server(), at) {
            Ok(()) => "Ok",
            Err(webpki::Error::CertNotValidYet { .. }) => "CertNotValidYet",
            Err(webpki::Error::CertExpired { .. }) => "CertExpired",
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(verdict, expected, "at {at}");
    }
}

#[test]
fn another_clusters_ca() {
    let other = Built::of(&replaced(&spec(), "pki:\n", "pki:\n  cas: {etcd: {generation: 2}}\n"));
    let file = member(&other.bundle("infra0"), &format!("{PKI}/etcd/ca.crt"));
    let ca = CertificateDer::from(x509_parser::pem::parse_x509_pem(&file.contents).unwrap().1.contents);
    let anchor = anchor_from_trusted_cert(&ca).unwrap();
    let leaf = CertificateDer::from(der("infra0", "etcd/server"));
    let leaf = EndEntityCert::try_from(&leaf).unwrap();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(VALID_AT.1));
    let algorithms = &[webpki::ring::ECDSA_P256_SHA256];
    let anchors = [anchor];
    // both CAs have one name: what differs is the key
    let refused = leaf.verify_for_usage(algorithms, &anchors, &[], time, server(), None, None);
    let refused = refused.map(|_| ()).unwrap_err();
    assert!(matches!(refused, webpki::Error::InvalidSignatureForPublicKey), "{refused:?}");
}

/// One certificate as lines of text: what kubeadm decides about one.
fn attributes(der: &[u8]) -> String {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let mut out = format!("subject: {}\nissuer: {}\n", certificate.subject(), certificate.issuer());
    let validity = certificate.validity();
    let times = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let _ = writeln!(out, "validity: {} to {}", time_text(times.0), time_text(times.1));
    let _ = writeln!(out, "version: {}", certificate.version());
    let serial = certificate.raw_serial();
    let _ = writeln!(out, "serial: {} bytes, positive {}", serial.len(), serial[0] & 0x80 == 0);
    for extension in certificate.extensions() {
        let critical = if extension.critical { " critical" } else { "" };
        let value = match extension.parsed_extension() {
            ParsedExtension::KeyUsage(usage) => format!("key usage: {usage}"),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let known = [(usage.server_auth, "server"), (usage.client_auth, "client")];
                let names: Vec<_> = known.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
                let others = usage.any
                    || usage.code_signing
                    || usage.email_protection
                    || usage.time_stamping
                    || usage.ocsp_signing
                    || !usage.other.is_empty();
                assert!(!others);
                format!("extended key usage: {}", names.join(", "))
            }
            ParsedExtension::BasicConstraints(basic) => {
                format!("basic constraints: ca {}, path length {:?}", basic.ca, basic.path_len_constraint)
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                let names: Vec<_> = names.general_names.iter().map(name_text).collect();
                format!("names: {}", names.join(", "))
            }
            ParsedExtension::SubjectKeyIdentifier(id) => format!("subject key id: {} bytes", id.0.len()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                format!("authority key id: {} bytes", id.key_identifier.as_ref().map_or(0, |id| id.0.len()))
            }
            other => panic!("{other:?}"),
        };
        let _ = writeln!(out, "{value}{critical}");
    }
    out
}

fn name_text(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::IPAddress(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = address.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            format!("IP:{}", address.unwrap())
        }
        other => panic!("{other:?}"),
    }
}

fn time_text(seconds: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    time.format(&time::format_description::well_known::Rfc3339).unwrap()
}

/// Compared by eye with `openssl x509 -text` of what kubeadm 1.36.2 made.
#[test]
fn attributes_as_kubeadm_gives_them() {
    let mut out = String::new();
    for (host, name) in [
        ("infra0", "etcd/ca"),
        ("infra0", "etcd/server"),
        ("infra0", "etcd/peer"),
        ("infra1", "etcd/server"),
        ("infra0", "etcd/healthcheck-client"),
        ("operator", "apiserver-etcd-client"),
    ] {
        let _ = writeln!(out, "## {name} of {host}\n{}", attributes(&der(host, name)));
    }
    golden(&repository("tests/golden/certificates.txt"), &out);
    for host in HOSTS.into_iter().chain(["operator"]) {
        assert_eq!(der(host, "etcd/ca"), der("infra0", "etcd/ca"), "{host}");
    }
}

#[test]
fn the_manifest_is_kubeadms() {
    let manifest = member(&Built::example().bundle("infra0"), "files/etc/kubernetes/manifests/etcd.yaml");
    let expected = fs::read_to_string(repository("tests/data/kubeadm-1.36.2/external-etcd.yaml")).unwrap();
    assert_eq!(manifest.text(), expected);
}

/// Releases in which something changes, with the patch whose etcd image is known.
#[test]
fn manifests_and_kubeadm_configs_of_every_release() {
    for version in ["1.29.0", "1.29.10", "1.30.6", "1.31.4", "1.32.3", "1.33.2", "1.34.2", "1.35.1", "1.36.2"]
    {
        let built = Built::of(&replaced(&spec(), "1.36.2", version));
        let (minor, patch) = version.rsplit_once('.').unwrap();
        let name = if version == "1.29.0" { format!("{minor}.{patch}") } else { minor.to_owned() };
        for (directory, file) in [
            ("etcd-manifests", "files/etc/kubernetes/manifests/etcd.yaml"),
            ("kubeadm-configs", "files/etc/kubernetes/kubeadm/config.yaml"),
        ] {
            let text = member(&built.bundle("infra0"), file);
            golden(&repository(&format!("tests/golden/{directory}/{name}.yaml")), text.text());
        }
    }
}

/// A release changes etcd's manifest, kubeadm's config and what records them, and nothing else.
#[test]
fn a_release_changes_no_certificate() {
    let built = Built::of(&replaced(&spec(), "1.36.2", "1.33.2"));
    let [one, other] = [Built::example(), &built].map(|built| members(&built.bundle("infra0")));
    let pairs = one.iter().zip(&other);
    let changed: Vec<_> =
        pairs.filter(|(one, other)| one != other).map(|(one, _)| one.name.as_str()).collect();
    assert_eq!(
        changed,
        [
            "SHA256SUMS",
            "SHA256SUMS.sig",
            "manifest.json",
            "files/etc/kubernetes/kubeadm/config.yaml",
            "files/etc/kubernetes/manifests/etcd.yaml",
        ]
    );
}
