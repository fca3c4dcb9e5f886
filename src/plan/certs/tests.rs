//! Rules over the table.
#![allow(clippy::panic, reason = "tests")]

use super::{CERTS, Cn, Eku, Form, Kind, Organization, Place, Sans};
use crate::spec::types::{CaName, CertificateId};
use std::collections::BTreeSet;

#[test]
fn ids_are_unique_and_no_two_rows_make_one_file() {
    let ids: BTreeSet<_> = CERTS.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), CERTS.len());
    let paths: Vec<_> =
        CERTS.iter().flat_map(|row| [Some(row.public_path()), row.key_path()]).flatten().collect();
    assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), paths.len());
}

#[test]
fn every_authority_has_one_row_and_it_comes_before_what_it_issues() {
    for ca in CaName::ALL {
        let own: Vec<_> =
            CERTS.iter().enumerate().filter(|(_, row)| row.kind == Kind::Authority(*ca)).collect();
        let [(index, row)] = own.as_slice() else { panic!("{ca:?} has {} rows", own.len()) };
        let issued = CERTS.iter().position(|row| row.kind == Kind::IssuedBy(*ca));
        assert!(issued.is_some_and(|issued| issued > *index), "{} issues nothing after it", row.id);
    }
}

#[test]
fn whoever_has_a_leaf_has_its_authority() {
    for row in CERTS {
        let Kind::IssuedBy(ca) = row.kind else { continue };
        let authority = CERTS.iter().find(|row| row.kind == Kind::Authority(ca));
        for place in row.on {
            let has = |authority: &super::CertRow| authority.on.iter().any(|other| place.is_within(*other));
            assert!(authority.is_some_and(has), "{} on {place:?} without its CA", row.id);
        }
    }
}

#[test]
fn keys_of_authorities_are_with_the_operators_and_every_key_has_an_owner() {
    for row in CERTS {
        assert!(!row.key_on.is_empty(), "{} has a key that nobody holds", row.id);
        assert!(row.key_on.iter().all(|place| row.on.contains(place)), "{}: key without certificate", row.id);
        let authority = matches!(row.kind, Kind::Authority(_));
        // the operators' Secrets are made of these
        let theirs = authority || row.when == super::When::StatefulSet;
        assert_eq!(row.key_on == [Place::Operator], theirs, "{}", row.id);
        assert_eq!(!row.key_on_request.is_empty(), authority, "{}", row.id);
        assert!(row.key_on_request.iter().all(|place| row.on.contains(place)), "{}", row.id);
    }
}

#[test]
fn leaves_have_a_purpose_and_servers_have_names() {
    for row in CERTS {
        match row.kind {
            Kind::Authority(_) => {
                assert!(row.eku.is_empty() && row.sans == Sans::CommonName, "{}", row.id);
                assert!(matches!((row.cn, row.form), (Cn::Fixed(_), Form::Pair(_))), "{}", row.id);
            }
            Kind::IssuedBy(_) => {
                assert!(!row.eku.is_empty(), "{}", row.id);
                assert_eq!(row.eku.contains(&Eku::ServerAuth), row.sans != Sans::None, "{}", row.id);
                assert_ne!(row.cn, Cn::Fixed(""), "{}", row.id);
                let set = row.when == super::When::StatefulSet;
                assert!(!set || matches!(row.cn, Cn::Fixed(_)), "{}", row.id);
            }
            Kind::KeyPair => assert!(matches!(row.form, Form::PublicKey(_)), "{}", row.id),
        }
        assert!(!row.why.is_empty(), "{}", row.id);
        let kubeconfig = matches!(row.form, Form::Kubeconfig(..));
        assert!(!kubeconfig || row.eku == [Eku::ClientAuth], "{}", row.id);
    }
}

/// `system:masters` passes every authorization: its one holder is where the cluster begins.
#[test]
fn only_one_certificate_is_beyond_the_clusters_rules() {
    let masters = CERTS.iter().filter(|row| row.organization == Organization::Fixed("system:masters"));
    assert_eq!(masters.map(|row| row.id).collect::<Vec<_>>(), ["super-admin"]);
}

#[test]
fn a_spec_can_name_every_leaf_and_nothing_else() {
    let schema = serde_json::to_value(schemars::schema_for!(CertificateId)).unwrap_or_default();
    let mut named: Vec<String> = Vec::new();
    collect(&schema, &mut named);
    named.sort();
    let mut leaves: Vec<_> =
        CERTS.iter().filter(|row| matches!(row.kind, Kind::IssuedBy(_))).map(|row| row.id).collect();
    leaves.sort_unstable();
    assert_eq!(named, leaves);
}

fn collect(schema: &serde_json::Value, names: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            names.extend(map.get("const").and_then(|name| name.as_str()).map(str::to_owned));
            map.values().for_each(|value| collect(value, names));
        }
        serde_json::Value::Array(all) => all.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}
