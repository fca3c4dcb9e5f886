#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Cluster, Kubeconfig, KubeconfigError, Reference, User, looks_like, read};
use crate::check::yaml::YamlError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::{ProptestConfig, any, proptest};
use zeroize::Zeroizing;

/// As kubeadm writes it.
const ADMIN: &str = "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: UEVN
    server: https://10.0.0.6:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
preferences: {}
users:
- name: kubernetes-admin
  user:
    client-certificate-data: |
      Q0VS
      VA==
    client-key-data: S0VZ
";

fn shape(at: &str, expected: &'static str) -> KubeconfigError {
    KubeconfigError::Shape { at: at.to_owned(), expected }
}

fn refused(what: &'static str, line: usize) -> KubeconfigError {
    YamlError::Refused { what, line }.into()
}

fn data(pem: &[u8]) -> Reference {
    Reference::Data(Zeroizing::new(pem.to_vec()))
}

#[test]
fn data_and_files() {
    let authority = Some(data(b"PEM"));
    let server = Some("https://10.0.0.6:6443".to_owned());
    let cluster = Cluster { name: "kubernetes".into(), server, authority };
    let certificate = Some(data(b"CERT"));
    let user = User { name: "kubernetes-admin".into(), certificate };
    let expected = Kubeconfig { clusters: vec![cluster], users: vec![user] };
    assert_eq!(read(ADMIN.as_bytes()), Ok(Some(expected)));
    assert!(looks_like(ADMIN.as_bytes()));

    let json = r#"{"kind": "Config", "users": [
        {"name": "a", "user": {"client-certificate": "/a.pem", "client-certificate-data": ""}},
        {"name": "b", "user": {"client-certificate": "/b.pem", "client-certificate-data": "QQ=="}},
        {"name": "c", "user": {"token": "t"}}, {"name": "d", "user": null}, {"name": "e"}], "clusters": null}"#;
    let users = read(json.as_bytes()).unwrap().unwrap().users;
    let found: Vec<_> = users.into_iter().map(|user| user.certificate).collect();
    let file = Some(Reference::File("/a.pem".into()));
    assert_eq!(found, [file, Some(data(b"A")), None, None, None]);
}

#[test]
fn other_yaml_is_no_kubeconfig() {
    for text in
        ["", "a", "- a", "kind: Pod\nclusters: []", "a: b", "kind: KubeletConfiguration", "kind: [Config]"]
    {
        assert_eq!(read(text.as_bytes()), Ok(None), "{text}");
    }
    let empty = Ok(Some(Kubeconfig::default()));
    for text in
        ["kind: Config", "users: []", "\u{feff}clusters:\n", "kind: Config\nusers: ~\n", "contexts: 1"]
    {
        assert_eq!(read(text.as_bytes()), empty, "{text}");
    }
}

#[test]
fn says_where_it_is_wrong_and_never_what_stands_there() {
    let cases = [
        ("kind: Config\nusers: 1", shape("users", "a list")),
        ("kind: Config\nclusters: {}", shape("clusters", "a list")),
        ("users: [1]", shape("users[0]", "an entry with a name")),
        ("users: [{name: a}, {name: [b]}]", shape("users[1]", "an entry with a name")),
        ("users: [{name: a, user: b}]", shape("users[0].user", "a mapping")),
        (
            "users: [{name: a, user: {client-certificate-data: SECRET}}]",
            shape("users[0].user.client-certificate-data", "base64"),
        ),
        ("clusters: [{name: a, cluster: {server: {}}}]", shape("clusters[0].cluster.server", "a text")),
        // a folded text has a space for the line's end, and clients refuse that
        (
            "users: [{name: a, user: {client-certificate-data: Q0VS\n VA==}}]",
            shape("users[0].user.client-certificate-data", "base64"),
        ),
        ("users: [{name: ~}]", shape("users[0]", "an entry with a name")),
        ("kind: Config\nusers: [", refused("text that is not YAML", 3)),
        ("kind: Config\n---\nkind: Config\n", refused("a second document", 2)),
        ("kind: Config\na: !!str b\n", refused("a YAML anchor or tag", 2)),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text.as_bytes()), Err(expected), "{text}");
    }
    assert_eq!(read(b"kind: \xff"), Err(YamlError::NotUtf8.into()));
    let words = shape("users[0].user", "a mapping").to_string();
    assert_eq!(words, "users[0].user is not a mapping");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "[-a-z:{}\\[\\],&*!|>#\"' \n]{0,200}") {
        let _ = read(&bytes);
        let _ = read(text.as_bytes());
        let _ = read(format!("kind: Config\nusers:\n{text}").as_bytes());
    }

    #[test]
    fn no_change_makes_it_panic(at in 0..ADMIN.len(), byte in any::<u8>(), cut in 0..ADMIN.len()) {
        let mut bytes = ADMIN.as_bytes().to_vec();
        *bytes.get_mut(at).unwrap() = byte;
        let _ = read(&bytes);
        let _ = read(bytes.get(..cut).unwrap());
    }

    #[test]
    fn any_certificate_comes_back(pem: Vec<u8>, name in "[a-z]{1,10}") {
        let encoded = STANDARD.encode(&pem);
        let text = format!("kind: Config\nusers: [{{name: \"{name}\", user: {{client-certificate-data: \"{encoded}\"}}}}]");
        let certificate = (!pem.is_empty()).then_some(data(&pem));
        let users = vec![User { name, certificate }];
        assert_eq!(read(text.as_bytes()), Ok(Some(Kubeconfig { users, clusters: Vec::new() })));
    }
}
