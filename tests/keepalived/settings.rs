//! No setting is without effect: each changes a file of the first host.

use super::support::archive::members;
use super::support::example::Built;
use super::{V4, entry, spec};
use std::collections::BTreeMap;

fn files(entry: &str) -> BTreeMap<String, Vec<u8>> {
    let built = Built::of(&spec(entry, ""));
    let files = members(&built.bundle("cp1")).into_iter().filter(|member| member.name.starts_with("files/"));
    files.map(|member| (member.name, member.contents)).collect()
}

const KEEPALIVED: &[(&str, &str)] = &[
    ("", "run: static-pod, image: \"a.example/a:1\""),
    ("run: static-pod, image: \"a.example/a:1\"", "run: static-pod, image: \"a.example/a:2\""),
    ("", "preempt: false"),
    ("", "priorities: {cp1: 9, cp2: 8}"),
    ("", "multicast: true"),
    ("", "password: {}"),
    ("password: {}", "password: {generation: 2}"),
    ("", "advertisementInterval: 2s"),
    ("", "check: {interval: 4s}"),
    ("", "check: {timeout: 1s}"),
    ("", "check: {rise: 3}"),
    ("", "check: {fall: 4}"),
    ("", "check: {weight: 9}"),
];

const KUBE_VIP: &[(&str, &str)] = &[
    ("image: a:1, interface: eth0", "image: a:2, interface: eth0"),
    ("image: a:1, interface: eth0", "image: a:1, interface: eth1"),
    (
        "image: a:1, interface: eth0",
        "image: a:1, interface: eth0, announce: bgp, bgp: {as: 1, peers: [{address: 10.0.0.1, as: 2}]}",
    ),
    (
        "image: a:1, announce: bgp, bgp: {as: 1, peers: [{address: 10.0.0.1, as: 2}]}",
        "image: a:1, announce: bgp, bgp: {as: 3, peers: [{address: 10.0.0.1, as: 2}]}",
    ),
    (
        "image: a:1, announce: bgp, bgp: {as: 1, peers: [{address: 10.0.0.1, as: 2}]}",
        "image: a:1, announce: bgp, bgp: {as: 1, peers: [{address: 10.0.0.2, as: 2}]}",
    ),
    (
        "image: a:1, announce: bgp, bgp: {as: 1, peers: [{address: 10.0.0.1, as: 2}]}",
        "image: a:1, announce: bgp, bgp: {as: 1, peers: [{address: 10.0.0.1, as: 4}]}",
    ),
    (
        "image: a:1, announce: bgp, bgp: {as: 1, peers: [{address: 10.0.0.1, as: 2}]}",
        "image: a:1, announce: bgp, bgp: {as: 1, peers: [{address: 10.0.0.1, as: 2, multihop: true}]}",
    ),
];

#[test]
fn each_changes_a_file() {
    for (without, with) in KEEPALIVED {
        let comma = |more: &str| if more.is_empty() { String::new() } else { format!(", {more}") };
        let [before, after] = [without, with].map(|more| files(&entry(V4, &comma(more))));
        assert_ne!(before, after, "{with}");
    }
    for (without, with) in KUBE_VIP {
        let entry = |more: &str| files(&format!("  - {{kind: kube-vip, vips: [{V4}], {more}}}"));
        assert_ne!(entry(without), entry(with), "{with}");
    }
}
