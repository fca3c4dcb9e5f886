//! Virtual addresses, their interfaces, and keepalived.

use super::{KEEPALIVED, LB, LB2, told, told_with};

#[test]
fn interfaces() {
    let without = KEEPALIVED.replace(", interface: eth0", "");
    assert_eq!(
        told(&[&without]),
        "error loadBalancers[0] | loadBalancers[0]: keepalived needs `interface`\n"
    );
    let first = ("    apiAddress: 192.0.2.6", "    apiAddress: 192.0.2.6\n    interface: ens1");
    assert_eq!(
        told_with(&[&without], &[first]),
        "error loadBalancers[0] | loadBalancers[0]: cp2 has no `interface` for its virtual addresses\n"
    );
    let role = ("pki: {}", "pki: {}\nroles: {control-plane: {interface: ens1}}");
    assert_eq!(told_with(&[&without], &[first, role]), "");
    let worker = ("  w1:\n", "  w1:\n    interface: ens1\n");
    assert_eq!(
        told_with(&["kind: external"], &[role, worker]),
        "warning roles.control-plane.interface | roles.control-plane.interface means nothing: no virtual address \
         goes there
warning hosts.w1.interface | hosts.w1.interface means nothing: no virtual address goes there
"
    );
}

#[test]
fn addresses_of_balancers() {
    let with = |vips: &str| told(&[&KEEPALIVED.replace("192.0.2.100", vips)]);
    let at = "error loadBalancers[0].vips[0] | loadBalancers[0].vips[0]: ";
    for (vip, said) in [
        ("192.0.2.7", "192.0.2.7 is cp2's own"),
        ("192.0.2.9", "192.0.2.9 is w1's own"),
        ("10.96.0.1", "10.96.0.1 lies in 10.96.0.0/12 of services"),
        ("127.0.0.1", "127.0.0.1 is a loopback address"),
        ("\"fe80::1\"", "fe80::1 is a link-local address"),
        ("\"fd00::100\"", "none of the hosts that fd00::100 goes to has an IPv6 address"),
    ] {
        let said = format!("{at}{said}\n");
        let all = with(vip);
        assert!(all.starts_with(&said), "{all}");
    }
    assert_eq!(
        with("192.0.2.100, 192.0.2.100"),
        "error loadBalancers[0].vips[1] | loadBalancers[0].vips[1]: 192.0.2.100 is listed twice, first as \
         loadBalancers[0].vips[0]\n"
    );
    assert_eq!(told(&["kind: external, addresses: [127.0.0.1]"]), "");
    assert_eq!(
        told(&[KEEPALIVED, "kind: external, addresses: [192.0.2.100, 0.0.0.0]"]),
        "error loadBalancers[1].addresses[0] | loadBalancers[1].addresses[0]: 192.0.2.100 is listed twice, first as \
         loadBalancers[0].vips[0]
error loadBalancers[1].addresses[1] | loadBalancers[1].addresses[1]: 0.0.0.0 is the unspecified address
"
    );
}

#[test]
fn priorities_of_keepalived() {
    let with = |more: &str| told(&[&format!("{KEEPALIVED}, {more}")]);
    assert_eq!(with("priorities: {cp1: 100, cp2: 90, cp3: 80}"), "");
    assert_eq!(
        with("priorities: {cp1: 100, cp2: 100, w1: 80}"),
        "error loadBalancers[0].priorities | loadBalancers[0].priorities: cp3 has none
warning loadBalancers[0].priorities.cp2 | loadBalancers[0].priorities.cp2: cp1 has 100, too: the higher address \
decides
error loadBalancers[0].priorities.w1 | loadBalancers[0].priorities.w1: w1 has no keepalived of this entry
"
    );
    assert_eq!(with("check: {weight: 2}"), "");
    assert_eq!(
        with("check: {weight: 1}"),
        "error loadBalancers[0].check.weight | loadBalancers[0].check.weight: a host whose check fails keeps the \
         addresses: the next one's priority is 1 lower\n"
    );
    assert_eq!(
        with("check: {weight: 20}, priorities: {cp1: 150, cp2: 120, cp3: 110}"),
        "error loadBalancers[0].check.weight | loadBalancers[0].check.weight: a host whose check fails keeps the \
         addresses: the next one's priority is 30 lower\n"
    );
    assert_eq!(
        with("check: {weight: 20}, preempt: false"),
        "error loadBalancers[0].check.weight | loadBalancers[0].check.weight: with `preempt: false` no host takes \
         over from one whose priority fell\n"
    );
}

#[test]
fn two_of_keepalived() {
    let lbs = format!("{LB}{LB2}");
    let second = KEEPALIVED.replace("control-plane", "load-balancer").replace("192.0.2.100", "192.0.2.101");
    let both = [KEEPALIVED, second.as_str(), "kind: haproxy, on: load-balancer"];
    assert_eq!(
        told_with(&both, &[("hosts:\n", &lbs)]),
        "error loadBalancers[1].virtualRouterId | loadBalancers[1].virtualRouterId: 51 is that of \
         loadBalancers[0].virtualRouterId, and the two would take each other for one\n"
    );
    let ipv6 = KEEPALIVED.replace("192.0.2.100", "192.0.2.100, \"fd00::100\"") + ", password: {}";
    let first = ("[192.0.2.1, 192.0.2.6]", "[192.0.2.1, 192.0.2.6, \"fd00::6\"]");
    assert_eq!(
        told_with(&[&ipv6], &[first]),
        "error loadBalancers[0].password | loadBalancers[0].password: fd00::100 needs VRRP of version 3, which has \
         no passwords\n"
    );
}
