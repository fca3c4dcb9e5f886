//! The certificates are openssl's (tests/data/certificates, test-only).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
// Tests seal with stock age, whose keys are random.
#![allow(clippy::disallowed_methods)]

use super::{Collector, Inventory, Issuer, Place, of_bundle};
use crate::check::kubeconfig;
use crate::check::tests::{Host, host_bundle};
use crate::finding::Id;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::{ProptestConfig, any, proptest};

const CA: &str = include_str!("../../../tests/data/certificates/ca.crt");
const ADMIN: &str = include_str!("../../../tests/data/certificates/admin.crt");
const EXPIRED: &str = include_str!("../../../tests/data/certificates/expired.crt");
const ORPHAN: &str = include_str!("../../../tests/data/certificates/orphan.crt");
const ROOT: &str = include_str!("../../../tests/data/certificates/root.crt");
const MIDDLE: &str = include_str!("../../../tests/data/certificates/middle.crt");
const LAST: &str = include_str!("../../../tests/data/certificates/last.crt");
const ONE: &str = include_str!("../../../tests/data/certificates/one-by-two.crt");
const TWO: &str = include_str!("../../../tests/data/certificates/two.crt");
/// 2026-12-01.
const AT: i64 = 1_796_083_200;

/// Files by name, in the order of their names.
fn collected(files: &[(&str, &str)]) -> Inventory {
    let mut collector = Collector::new("");
    for (path, text) in files {
        collector.certificate_file(text.as_bytes(), &Place::file(*path));
    }
    collector.finish(AT, None)
}

fn issuers(files: &[(&str, &str)]) -> Vec<Issuer> {
    collected(files).certificates.into_iter().map(|held| held.issuer).collect()
}

#[test]
fn chains_in_any_order() {
    let (held, lost) = (Issuer::Held, Issuer::NotFound);
    assert_eq!(issuers(&[("a", LAST), ("b", MIDDLE), ("c", ROOT)]), [held(1), held(2), Issuer::Itself]);
    assert_eq!(issuers(&[("a", ROOT), ("b", LAST), ("c", MIDDLE)]), [Issuer::Itself, held(2), held(0)]);
    assert_eq!(issuers(&[("a", LAST), ("b", ROOT)]), [lost, Issuer::Itself]);
    // the name fits, the signature does not
    assert_eq!(issuers(&[("a", CA), ("b", ORPHAN), ("c", ADMIN)]), [Issuer::Itself, lost, held(0)]);
}

/// Two CAs that each signed the other: one of them is the top.
#[test]
fn no_circles() {
    assert_eq!(issuers(&[("a", ONE), ("b", TWO)]), [Issuer::Held(1), Issuer::NotFound]);
    assert_eq!(issuers(&[("a", TWO), ("b", ONE)]), [Issuer::Held(1), Issuer::NotFound]);
}

#[test]
fn one_certificate_in_many_places_is_one() {
    let inventory = collected(&[("b", CA), ("a", &format!("{ADMIN}{CA}{CA}"))]);
    let places: Vec<Vec<_>> = inventory
        .certificates
        .iter()
        .map(|held| held.places.iter().map(|place| place.path.as_str()).collect())
        .collect();
    assert_eq!(places, [vec!["a"], vec!["a", "b"]]);
    assert_eq!(inventory.findings, []);
}

#[test]
fn damaged_blocks_do_not_hide_others() {
    let open = ADMIN.lines().next().unwrap();
    let text = format!("words\n{open}\nAAAA\n{CA}{}\n{open}\nAA", ADMIN.replacen("MII", "MIJ", 1));
    let inventory = collected(&[("a", &text)]);
    assert_eq!(inventory.certificates.len(), 1);
    let found: Vec<_> = inventory.findings.iter().map(|it| (it.id, it.found.as_deref().unwrap())).collect();
    let block = |number| format!("PEM block {number} is not one X.509 certificate");
    let expected = [1, 3, 4].map(block);
    assert_eq!(found, expected.each_ref().map(|text| (Id::CertificateMalformed, text.as_str())));
}

fn kubeconfig(pem: &str) -> String {
    let data = STANDARD.encode(pem);
    format!("kind: Config\nusers: [{{name: me, user: {{client-certificate-data: {data}, token: SECRET}}}}]\n")
}

/// Kubeconfigs in a bundle: sealed ones for those who open them, plain ones for all.
#[test]
fn kubeconfigs_of_a_bundle() {
    let (sealed, plain) = ("/etc/kubernetes/admin.conf", "/etc/kubernetes/plain.conf");
    let host = Host::new("infra0").with_file(sealed, kubeconfig(ADMIN), true).with_file(
        plain,
        kubeconfig(EXPIRED),
        false,
    );
    let verified = host_bundle(&host);
    let places = |inventory: &Inventory| {
        let places = inventory.certificates.iter().flat_map(|held| &held.places);
        places.map(ToString::to_string).collect::<Vec<_>>()
    };
    let (inventory, opened, unmatched) = of_bundle(&verified, None, AT, None);
    assert_eq!(places(&inventory), [&format!("{plain} (users/me)"), "/etc/pki/server.crt"]);
    let ids: Vec<_> = inventory.findings.iter().map(|it| (it.id, it.path.clone())).collect();
    assert_eq!(ids, [(Id::CertificateExpired, format!("{}:{plain} (users/me)", verified.name()))]);
    assert_eq!((opened, unmatched), (0, None));

    let (inventory, opened, unmatched) = of_bundle(&verified, Some(&host.identities()), AT, None);
    let all = [&format!("{sealed} (users/me)"), &format!("{plain} (users/me)"), "/etc/pki/server.crt"];
    assert_eq!(places(&inventory), all);
    // the verify key too; the private key of a certificate is not worth opening
    assert_eq!((opened, unmatched), (2, None));
    assert!(!format!("{inventory:?}").contains("SECRET"));

    let other = Host::new("infra1").identities();
    let (inventory, opened, unmatched) = of_bundle(&verified, Some(&other), AT, None);
    assert_eq!((places(&inventory).len(), opened), (2, 0));
    assert_eq!(unmatched.map(|it| it.id), Some(Id::NotSealedToIdentity));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_change_makes_it_panic(at in 0..CA.len(), byte in any::<u8>(), bytes: Vec<u8>) {
        let mut changed = CA.as_bytes().to_vec();
        changed[at] = byte;
        let mut collector = Collector::new("");
        for text in [&changed[..], &bytes, ADMIN.as_bytes()] {
            collector.certificate_file(text, &Place::file("/a"));
            collector.read_kubeconfig(kubeconfig(&String::from_utf8_lossy(text)).as_bytes(), "/b");
        }
        collector.finish(AT, Some(1));
    }

    #[test]
    fn no_der_makes_it_panic(bytes: Vec<u8>) {
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(bytes));
        let found = kubeconfig::read(kubeconfig(&pem).as_bytes()).unwrap().unwrap();
        let mut collector = Collector::new("");
        collector.kubeconfig(found, "/b");
        assert_eq!(collector.finish(AT, None).certificates, []);
    }
}
