//! What VRRP, ARP, BGP, clients and checks do not live with.

use super::{KEEPALIVED, KUBE_VIP, cluster, told};

fn error(at: &str, what: &str) -> String {
    format!("error loadBalancers[0].{at} | loadBalancers[0].{at}: {what}\n")
}

#[test]
fn more_addresses_than_vrrp_counts() {
    let with = |number: u32| {
        let all: Vec<_> = (0..number).map(|it| format!("192.0.{}.{}", 3 + it / 200, 1 + it % 200)).collect();
        told(&[&KEEPALIVED.replace("192.0.2.100", &all.join(", "))])
    };
    assert_eq!(with(255), "");
    assert_eq!(with(256), error("vips", "256 IPv4 addresses are more than VRRP has room for, 255"));
}

#[test]
fn addresses_on_loopback() {
    let unseen = "no other host sees an address on lo";
    for kind in [KEEPALIVED, KUBE_VIP] {
        assert_eq!(told(&[&kind.replace("eth0", "lo")]), error("interface", unseen));
    }
    let list = format!("loadBalancers: [{{{KEEPALIVED}}}]\n");
    let edits = [
        (super::LIST, list.as_str()),
        ("    addresses: [192.0.2.7]\n", "    addresses: [192.0.2.7]\n    interface: lo\n"),
    ];
    let of_host = "hosts.cp2.interface";
    assert_eq!(cluster(&edits), format!("error {of_host} | {of_host}: {unseen}\n"));
}

#[test]
fn times_that_are_too_short() {
    let entry = |of: &str| told(&[&format!("kind: haproxy, on: node, port: 8443, {of}"), "kind: external"]);
    assert_eq!(entry("idleTimeout: 45s, check: {interval: 100ms, timeout: 100ms}"), "");
    let idle = "loadBalancers[0].idleTimeout";
    assert_eq!(
        entry("idleTimeout: 44s"),
        format!("warning {idle} | {idle}: clients ping every 30s, and are cut off after 44s\n")
    );
    for field in ["interval", "timeout"] {
        let at = format!("check.{field}");
        let said = error(&at, "99ms is too short for a check over TLS");
        assert_eq!(entry(&format!("check: {{{field}: 99ms}}")), said);
    }
}

#[test]
fn routers_that_are_none() {
    let with = |peers: &[&str]| {
        let peers: Vec<_> = peers.iter().map(|peer| format!("{{address: {peer}, as: 65001}}")).collect();
        let bgp = format!("announce: bgp, bgp: {{as: 65000, peers: [{}]}}", peers.join(", "));
        told(&[&format!("{KUBE_VIP}, {bgp}").replace("interface: eth0", "interface: lo")])
    };
    assert_eq!(with(&["192.0.2.254", "169.254.1.1", "\"fe80::1\""]), "");
    for (peer, what) in [
        ("0.0.0.0", "0.0.0.0 is the unspecified address"),
        ("127.0.0.1", "127.0.0.1 is a loopback address"),
        ("224.0.0.1", "224.0.0.1 is a multicast address"),
        ("192.0.2.100", "192.0.2.100 is a virtual address"),
        ("192.0.2.9", "192.0.2.9 is w1's own"),
    ] {
        assert_eq!(with(&[peer]), error("bgp.peers[0].address", what));
    }
    let twice = error("bgp.peers[1].address", "192.0.2.254 is listed twice");
    assert_eq!(with(&["192.0.2.254", "192.0.2.254"]), twice);
}
