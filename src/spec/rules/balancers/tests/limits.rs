//! What VRRP, ARP, BGP, clients, checks and other names do not live with.

use super::{KEEPALIVED, KUBE_VIP, LB, LB2, LIST, STACKED, cluster, told, told_with};

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
        (LIST, list.as_str()),
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

#[test]
fn names_that_are_somebody_elses() {
    let at = "error kubernetes.endpoint | kubernetes.endpoint: ";
    let named = |entry: &str, name: &str| {
        let endpoint = format!("{name}:6443");
        told_with(&[entry], &[("api.prod.example:6443", &endpoint)])
    };
    let own = "is each machine's own (RFC 6761)";
    for name in ["localhost", "api.localhost"] {
        assert_eq!(named("kind: external", name), format!("{at}{name} {own}\n"));
    }
    let in_pod = "kubernetes is 127.0.0.1 in the pod of loadBalancers[0], kube-vip";
    assert_eq!(named(KUBE_VIP, "kubernetes"), format!("{at}{in_pod}\n"));
    assert_eq!(named(KEEPALIVED, "kubernetes"), "");
    let elsewhere = |name: &str, host: &str| {
        format!("{at}{name} is a name of the host {host}, and the endpoint leads elsewhere\n")
    };
    assert_eq!(named("kind: external", "cp2"), elsewhere("cp2", "cp2"));
    assert_eq!(named(KEEPALIVED, "w1"), elsewhere("w1", "w1"));
    let member = ("    apiAddress: 192.0.2.6\n", "    etcdName: etcd1.example\n    apiAddress: 192.0.2.6\n");
    let edits = [("api.prod.example:6443", "etcd1.example:6443"), member];
    let unused = "error hosts.cp1.etcdName | nothing uses this name: members are reached by address\n";
    assert_eq!(
        told_with(&["kind: external"], &edits),
        format!("{}{unused}", elsewhere("etcd1.example", "cp1"))
    );
    assert_eq!(named("kind: external, addresses: [192.0.2.7]", "cp2"), "");
}

#[test]
fn api_servers_on_one_address() {
    let flag = "kubernetes.apiServer.extraArgs.bind-address";
    let of_three = |entry: &str, address: &str| {
        let bound = format!("  apiServer: {{extraArgs: {{bind-address: {address}}}}}\n  endpoint:");
        told_with(&[entry], &[("  endpoint:", &bound)])
    };
    let said = |what: &str| format!("error {flag} | {flag}: {what}\n");
    assert_eq!(
        of_three("kind: external", "127.0.0.1"),
        said("loadBalancers[0] cannot reach API servers on 127.0.0.1")
    );
    assert_eq!(
        of_three("kind: external", "192.0.2.6"),
        said("cp2 has no address 192.0.2.6, and this is for all control planes")
    );
    assert_eq!(of_three(KEEPALIVED, "0.0.0.0"), "");
    let of_one = |entries: &[&str], address: &str| {
        let bound = format!("  apiServer: {{extraArgs: {{bind-address: {address}}}}}\n  endpoint:");
        let edits = [
            (STACKED, "    roles: [CONTROL]"),
            (STACKED, "    roles: [etcd]"),
            (STACKED, "    roles: [etcd]"),
            ("    roles: [CONTROL]", STACKED),
            ("  endpoint:", bound.as_str()),
        ];
        let all = told_with(entries, &edits);
        all.split_inclusive('\n').filter(|line| line.contains(flag)).collect::<String>()
    };
    assert_eq!(of_one(&["kind: external"], "192.0.2.6"), "");
    assert_eq!(
        of_one(&[KUBE_VIP], "192.0.2.6"),
        said("API servers on 192.0.2.6 do not serve the addresses of loadBalancers[0]")
    );
    assert_eq!(of_one(&[KUBE_VIP, "kind: haproxy, on: control-plane, port: 8443"], "192.0.2.6"), "");
}

#[test]
fn as_many_connections_as_a_process_has_files() {
    let with = |number: u32| {
        let entry = format!("kind: haproxy, on: load-balancer, maxConnections: {number}");
        told_with(&[&entry], &[("hosts:\n", &format!("{LB}{LB2}"))])
    };
    assert_eq!(with(500_000), "");
    let said = with(500_001);
    assert!(said.starts_with("error loadBalancers[0].maxConnections | "), "{said}");
}
