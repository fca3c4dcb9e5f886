//! The tables, and what is said of configurations.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod messages;
mod random;

use super::{Configuration, FIRST, Field, Kind, LAST, check};
use crate::spec::{Path, Problem, yaml};
use serde_json::Value;

const ALL: [Configuration; 5] = [
    Configuration::Kubelet,
    Configuration::KubeProxy,
    Configuration::Init,
    Configuration::Join,
    Configuration::Cluster,
];

/// What kubeadm v1.36.2 itself writes.
const REAL: [(Configuration, &str); 5] = [
    (Configuration::Kubelet, include_str!("tests/kubelet-1.36.2.yaml")),
    (Configuration::KubeProxy, include_str!("tests/kube-proxy-1.36.2.yaml")),
    (Configuration::Init, include_str!("tests/init-1.36.2.yaml")),
    (Configuration::Join, include_str!("tests/join-1.36.2.yaml")),
    (Configuration::Cluster, include_str!("tests/cluster-1.36.2.yaml")),
];

/// A document without what sealift writes.
fn document(text: &str) -> Value {
    let mut value = yaml::document(text).unwrap();
    let object = value.as_object_mut().unwrap();
    object.remove("apiVersion");
    object.remove("kind");
    value
}

/// Problems as a person reads them, without place: `PATH: MESSAGE (HINT)`.
fn told(problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| {
            format!("{} | {} | {}", problem.path, problem.message, problem.hint.as_deref().unwrap())
        })
        .collect()
}

fn at(configuration: Configuration, minor: u32, text: &str) -> Vec<String> {
    told(&check(configuration, minor, &yaml::document(text).unwrap(), &Path::root().key("config")))
}

/// Every object of all tables, with its place.
fn objects() -> Vec<(String, &'static [Field])> {
    fn below(kind: Kind, place: &str, out: &mut Vec<(String, &'static [Field])>) {
        match kind {
            Kind::Object(fields) => {
                out.push((place.to_owned(), fields));
                for field in fields {
                    below(field.kind, &format!("{place}.{}", field.name), out);
                }
            }
            Kind::List(of) | Kind::Map(of) => below(*of, place, out),
            _ => {}
        }
    }
    let mut out = Vec::new();
    for configuration in ALL {
        below(Kind::Object(configuration.fields()), configuration.kind(), &mut out);
    }
    out
}

#[test]
fn names_are_sorted_and_no_release_has_one_twice() {
    for (place, fields) in objects() {
        assert!(!fields.is_empty(), "{place}");
        for pair in fields.windows(2) {
            let after =
                pair[0].name < pair[1].name || (pair[0].name == pair[1].name && pair[0].until < pair[1].from);
            assert!(after, "{place}: {} before {}", pair[0].name, pair[1].name);
        }
    }
}

#[test]
fn releases_are_those_of_the_tables() {
    let mut words = 0;
    for (place, fields) in objects() {
        for field in fields {
            let Field { name, from, until, instead, .. } = *field;
            assert!(FIRST <= from && from <= until && until <= LAST, "{place}.{name}");
            assert!(instead.is_none() || until < LAST, "{place}.{name}");
            let list = match field.kind {
                Kind::Word(list) | Kind::List(&Kind::Word(list)) => list,
                Kind::Integer { least, most } => {
                    assert!(least < most, "{place}.{name}");
                    continue;
                }
                _ => continue,
            };
            for word in list {
                words += 1;
                let Field { from: field_from, .. } = *field;
                assert!(
                    FIRST <= word.from && word.from <= word.until && word.until <= LAST,
                    "{place}.{name}"
                );
                assert!(word.until >= field_from && !word.text.is_empty(), "{place}.{name}");
            }
            assert!(list.len() > 1, "{place}.{name}");
        }
    }
    assert!(words > 50);
}

#[test]
fn the_tables_are_whole() {
    let count = |fields: &[Field], minor| fields.iter().filter(|field| field.is_of(minor)).count();
    let counts = |configuration: Configuration| {
        let fields = configuration.fields();
        (FIRST..=LAST).map(|minor| count(fields, minor)).collect::<Vec<_>>()
    };
    // so that no row is lost; 125 and 24 are what types.go of 1.36 has
    assert_eq!(counts(Configuration::Kubelet), [113, 116, 117, 119, 123, 123, 123, 125]);
    assert_eq!(counts(Configuration::KubeProxy), [23, 23, 24, 24, 24, 24, 24, 24]);
    assert_eq!(counts(Configuration::Init), [6, 6, 8, 8, 8, 8, 8, 8]);
    assert_eq!(counts(Configuration::Join), [6, 6, 8, 8, 8, 8, 8, 8]);
    assert_eq!(counts(Configuration::Cluster), [12, 12, 16, 16, 16, 16, 16, 16]);
}

#[test]
fn what_kubeadm_writes_is_right() {
    for (configuration, text) in REAL {
        let problems = check(configuration, 36, &document(text), &Path::root());
        assert_eq!(told(&problems), [""; 0], "{configuration:?}");
    }
}

#[test]
fn kubeadm_writes_every_field_of_kube_proxy_that_go_never_leaves_out() {
    // only these have omitempty in types.go
    let omitted = ["featureGates", "windowsRunAsService"];
    let real = document(REAL[1].1);
    let written: Vec<&str> = real.as_object().unwrap().keys().map(String::as_str).collect();
    let fields = Configuration::KubeProxy.fields().iter().filter(|field| field.is_of(36));
    let known: Vec<&str> = fields.map(|field| field.name).filter(|name| !omitted.contains(name)).collect();
    assert_eq!(written, known);
}

#[test]
fn older_releases_lack_what_came_later() {
    let lacks = |index: usize, minor| {
        let (configuration, text) = REAL[index];
        let problems = check(configuration, minor, &document(text), &Path::root());
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
    };
    let text = |minor| {
        format!("KubeletConfiguration of 1.{minor} has no `text` in logging.options; it came with 1.30")
    };
    let back_off =
        |minor| format!("KubeletConfiguration of 1.{minor} has no `crashLoopBackOff`; it came with 1.32");
    assert_eq!(lacks(0, 29), [back_off(29), text(29)]);
    assert_eq!(lacks(0, 30), [back_off(30)]);
    assert_eq!(lacks(0, 31), [back_off(31)]);
    assert_eq!(lacks(0, 32), [""; 0]);
    assert_eq!(
        lacks(1, 29),
        ["KubeProxyConfiguration of 1.29 has no `text` in logging.options; it came with 1.30"]
    );
    assert_eq!(lacks(1, 30), [""; 0]);
    for index in 2..5 {
        assert_eq!(lacks(index, 31), [""; 0]);
    }
    assert_eq!(
        lacks(2, 30),
        [
            "InitConfiguration of 1.30 has no `imagePullSerial` in nodeRegistration; it came with 1.31",
            "InitConfiguration of 1.30 has no `timeouts`; it came with 1.31"
        ]
    );
    assert_eq!(
        lacks(4, 30),
        ["caCertificateValidityPeriod", "certificateValidityPeriod", "encryptionAlgorithm", "proxy"]
            .map(|name| format!("ClusterConfiguration of 1.30 has no `{name}`; it came with 1.31"))
    );
}

#[test]
fn every_field_with_its_documented_value_is_right() {
    let kubelet = include_str!("tests/kubelet-all.yaml");
    assert_eq!(at(Configuration::Kubelet, 36, kubelet), [""; 0]);
    let cluster = include_str!("tests/full-v1beta3.yaml");
    assert_eq!(at(Configuration::Cluster, 29, cluster), [""; 0]);
    assert_eq!(at(Configuration::Cluster, 30, cluster), [""; 0]);
    let fields = Configuration::Cluster.fields().iter().filter(|field| field.is_of(30));
    let names: Vec<&str> = fields.map(|field| field.name).collect();
    assert_eq!(document(cluster).as_object().unwrap().keys().collect::<Vec<_>>(), names);
}
