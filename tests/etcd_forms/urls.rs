//! Every URL in every file of every bundle can be read, in every form, by address of both families and by
//! name.

use super::forms::spec;
use crate::support::archive::members;
use crate::support::example::{Built, replaced};
use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The bundles of a build, opened as far as they are not sealed: texts by host and path.
fn texts(built: &Built) -> Vec<(String, String)> {
    let bundles = fs::read_dir(built.out()).unwrap().map(|entry| entry.unwrap().path());
    let bundles = bundles.filter(|path| path.to_str().unwrap().ends_with(".tar.gz"));
    bundles
        .flat_map(|bundle| {
            let files = members(&bundle).into_iter().filter(|member| member.name.starts_with("files/"));
            let text = |member: crate::support::archive::Member| {
                Some((member.name.clone(), String::from_utf8(member.contents).ok()?))
            };
            files.filter_map(text).collect::<Vec<_>>()
        })
        .collect()
}

/// What follows `http://` and `https://`, up to what cannot be part of an authority.
fn authorities(text: &str) -> Vec<&str> {
    let starts = text.match_indices("://").filter(|(at, _)| {
        let before = &text[..*at];
        before.ends_with("http") || before.ends_with("https")
    });
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "-.:[]_%@".contains(c));
    let rests = starts.map(|(at, _)| &text[at + 3..]);
    rests.map(|rest| rest.split(ends).next().unwrap().trim_end_matches(['.', ':'])).collect()
}

/// Host and port of an authority, by RFC 3986; an address of IPv6 in brackets alone.
fn parsed(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        (address.parse::<Ipv6Addr>().ok()?.to_string(), port)
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let label =
            |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let number = host.chars().all(|c| c.is_ascii_digit() || c == '.');
        let right = host.split('.').all(label) && (!number || host.parse::<Ipv4Addr>().is_ok());
        right.then(|| (host.to_owned(), port))?
    };
    match port.strip_prefix(':') {
        Some(port) => Some((host, Some(port.parse().ok()?))),
        None => port.is_empty().then_some((host, None)),
    }
}

#[test]
fn the_judge_is_awake() {
    for wrong in ["fd00::6:2379", "[fd00::6]2379", "[fd00::6", "10.0.0.6:99999", "10.0.0:1", "a..b", ""] {
        assert_eq!(parsed(wrong), None, "{wrong}");
    }
    let found =
        authorities("a=https://[fd00::6]:2380,b=http://h.example:1/x \"https://10.0.0.6:2379\" x://y");
    assert_eq!(found, ["[fd00::6]:2380", "h.example:1", "10.0.0.6:2379"]);
    assert_eq!(parsed("[fd00::6]:2380"), Some(("fd00::6".to_owned(), Some(2380))));
}

/// The forms of etcd, by what stands under `etcd`, on hosts alone and on control planes.
pub(crate) const FORMS: &[&str] = &[
    "run: static-pod",
    "run: systemd\n  version: 3.6.8",
    "run: systemd\n  version: 3.6.8\n  config: yaml",
    "run: container",
    "run: container\n  container: {engine: docker}",
];

#[test]
fn every_url_of_every_form_can_be_read() {
    for form in FORMS {
        for provisioner in ["none", "static-pods", "kubeadm"] {
            for by_name in [false, true] {
                let kubeadms = *form == "run: static-pod" && provisioner == "kubeadm";
                if !(by_name && kubeadms) {
                    check(form, provisioner, by_name);
                }
            }
        }
    }
}

fn check(form: &str, provisioner: &str, by_name: bool) {
    let urls = if by_name { "\n  urls: name" } else { "" };
    let mut text = spec(&format!("{form}{urls}"));
    for (number, address) in ["10.0.0.6", "10.0.0.7", "10.0.0.8"].iter().enumerate() {
        text = text.replace(&format!("[{address}]"), &format!("[\"fd00::{}\", {address}]", number + 6));
    }
    if provisioner != "none" {
        text = replaced(&text, "roles: [etcd]", "roles: [control-plane, etcd]");
        let kubernetes = format!(
            "provisioner: {provisioner}\n  endpoint: \"[fd00::99]:6443\"\n  serviceSubnets: [\"fd00:96::/112\"]\n  podSubnets: [\"fd00:244::/56\"]\nloadBalancers: [{{kind: external}}]"
        );
        text = replaced(&text, "provisioner: none", &kubernetes);
    }
    let built = Built::of(&text);
    let mut hosts = BTreeSet::new();
    for (path, text) in texts(&built) {
        // a pattern of a script
        for authority in authorities(&text.replace("#https://}", "")) {
            let Some((host, port)) = parsed(authority) else {
                panic!("{form} {provisioner} {by_name}: {path}: {authority:?}")
            };
            if port.is_some_and(|port| port == 2379 || port == 2380) {
                hosts.insert(host);
            }
        }
    }
    let reached: &[&str] =
        if by_name { &["infra0", "infra1", "infra2"] } else { &["fd00::6", "fd00::7", "fd00::8"] };
    assert!(reached.iter().all(|host| hosts.contains(*host)), "{form} {provisioner} {by_name}: {hosts:?}");
}
