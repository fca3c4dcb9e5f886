//! What the rules say.

mod addresses;
mod limits;
mod random;

use super::super::super::tests::{cluster, cluster_rendered};
use crate::spec;

/// The line of the cluster that these replace.
const LIST: &str = "loadBalancers: [{kind: external}]\n";
/// The roles of a control plane.
const STACKED: &str = "    roles: [control-plane, etcd]";
const KEEPALIVED: &str =
    "kind: keepalived, on: control-plane, vips: [192.0.2.100], interface: eth0, virtualRouterId: 51";
const KUBE_VIP: &str =
    "kind: kube-vip, vips: [192.0.2.100], interface: eth0, image: \"a.example/kube-vip:1\"";
const LB: &str = "hosts:
  lb1:
    addresses: [192.0.2.20]
    roles: [load-balancer]
    recipients: [age1303a6ml9r3y08xzsf8npet9u9gxn76jkamlr9qlv4mpgrkgvcuxqx8a7vm]
";
const LB2: &str = "  lb2:
    addresses: [192.0.2.21]
    roles: [load-balancer]
    recipients: [age10ah3jc0c2ncz7f3uhunhjp80qx7u834yalwf5d8xeay0wew9fd9qvxl9lf]
";

fn list(entries: &[&str]) -> String {
    let lines = entries.iter().map(|entry| format!("  - {{{entry}}}\n"));
    format!("loadBalancers:\n{}", lines.collect::<String>())
}

/// What is said of the cluster with these balancers and other edits.
fn told_with(entries: &[&str], edits: &[(&str, &str)]) -> String {
    let list = list(entries);
    cluster(&[&[(LIST, list.as_str())], edits].concat())
}

fn told(entries: &[&str]) -> String {
    told_with(entries, &[])
}

/// The hints of the same.
fn hints(entries: &[&str], edits: &[(&str, &str)]) -> Vec<String> {
    let list = list(entries);
    let said = cluster_rendered(&[&[(LIST, list.as_str())], edits].concat());
    said.lines().filter_map(|line| line.strip_prefix("hint: ")).map(str::to_owned).collect()
}

#[test]
fn what_is_good() {
    let lbs = format!("{LB}{LB2}");
    let lbs = ("hosts:\n", lbs.as_str());
    let local = ("api.prod.example:6443", "api.prod.example:8443");
    let service = ("{run: static-pod}", "{run: static-pod, version: 3.6.8}");
    for (entries, edits) in [
        (vec!["kind: external"], vec![]),
        (
            vec![
                "kind: external, names: [lb.example], addresses: [203.0.113.1, \"2001:db8::1\"], port: 6443",
            ],
            vec![],
        ),
        (vec![KEEPALIVED], vec![]),
        (vec![KUBE_VIP], vec![]),
        (vec!["kind: nginx, on: node, weights: {cp1: 2}, maxFails: 2, reusePort: true"], vec![local]),
        (vec!["kind: nginx, on: node"], vec![("api.prod.example:6443", "127.0.0.1:8443")]),
        (
            vec!["kind: nginx, on: node, run: container, image: \"a.example/nginx:1\", engine: docker"],
            vec![local],
        ),
        (vec!["kind: haproxy, on: load-balancer"], vec![lbs]),
        (vec!["kind: haproxy, on: load-balancer"], vec![lbs, ("api.prod.example:6443", "192.0.2.21:6443")]),
        (
            vec![
                "kind: keepalived, on: load-balancer, vips: [192.0.2.100], interface: eth0, virtualRouterId: 1",
                "kind: haproxy, on: load-balancer",
            ],
            vec![lbs, ("api.prod.example:6443", "192.0.2.100:6443")],
        ),
        (vec![KEEPALIVED, "kind: haproxy, on: control-plane"], vec![local, service]),
        (
            vec![
                "kind: haproxy, on: control-plane, run: static-pod, image: \"a.example/haproxy:1\"",
                KEEPALIVED,
            ],
            vec![("api.prod.example:6443", "192.0.2.100:8443")],
        ),
        (
            vec![
                "kind: kube-vip, vips: [192.0.2.100], image: \"a.example/kube-vip:1\", announce: bgp, bgp: {as: 65000, peers: [{address: 192.0.2.254, as: 65001}]}",
            ],
            vec![],
        ),
    ] {
        assert_eq!(told_with(&entries, &edits), "", "{entries:?}");
    }
}

#[test]
fn nobody_serves_the_endpoint() {
    let none = (LIST, "");
    assert_eq!(
        cluster(&[none]),
        "error kubernetes.endpoint | kubernetes.endpoint: nobody serves api.prod.example: there is no load \
         balancer for the 3 control planes\n"
    );
    let workers = [
        (STACKED, "    roles: [control-plane]"),
        (STACKED, "    roles: [worker]"),
        (STACKED, "    roles: [worker]"),
        ("{run: static-pod}", "{run: systemd, version: 3.6.8}"),
        (
            "  w1:\n    addresses: [192.0.2.9, \"fd00::9\"]\n    roles: [worker]",
            "  w1:\n    addresses: [192.0.2.9, \"fd00::9\"]\n    roles: [worker, etcd]",
        ),
        none,
    ];
    let only = |endpoint: &str| {
        let said = cluster(&[&workers[..], &[("endpoint: api.prod.example:6443", endpoint)]].concat());
        said.replace("warning hosts | one etcd member tolerates no failure\n", "")
    };
    assert_eq!(
        only("endpoint: api.prod.example:6443"),
        "error kubernetes.endpoint | kubernetes.endpoint: nobody serves api.prod.example: it is no name or address \
         of cp1, the only control plane\n"
    );
    for good in ["cp1:6443", "192.0.2.1:6443", "192.0.2.6:6443"] {
        assert_eq!(only(&format!("endpoint: {good}")), "", "{good}");
    }
    assert_eq!(
        only("endpoint: cp1:443"),
        "error kubernetes.endpoint | kubernetes.endpoint: nobody serves port 443: cp1 serves 6443\n"
    );
}

#[test]
fn the_endpoint_is_elsewhere() {
    let at = "error kubernetes.endpoint | kubernetes.endpoint: ";
    let endpoint = |text: &'static str| [("api.prod.example:6443", text)];
    let nginx = "kind: nginx, on: node, port: 8443";
    for (entries, edits, said) in [
        (vec![KEEPALIVED], endpoint("192.0.2.99:6443"), "no balancer serves 192.0.2.99, but 192.0.2.100"),
        (
            vec![KEEPALIVED],
            endpoint("192.0.2.100:443"),
            "nobody serves port 443: loadBalancers[0] serves 6443",
        ),
        (
            vec![KEEPALIVED, "kind: haproxy, on: control-plane, port: 8443"],
            endpoint("192.0.2.100:6443"),
            "nobody serves port 6443: loadBalancers[0] serves 8443",
        ),
        (vec![nginx], endpoint("127.0.0.1:6444"), "nobody serves port 6444: loadBalancers[0] serves 8443"),
        (vec![nginx], endpoint("192.0.2.9:8443"), "no balancer serves 192.0.2.9, but 127.0.0.1"),
        (
            vec!["kind: nginx, on: control-plane, listen: loopback, port: 8443"],
            endpoint("a.example:8443"),
            "no balancer serves a.example",
        ),
        (
            vec!["kind: external, addresses: [203.0.113.1]"],
            endpoint("203.0.113.2:6443"),
            "no balancer serves 203.0.113.2, but 203.0.113.1",
        ),
        (
            vec!["kind: external, port: 443"],
            endpoint("a.example:6443"),
            "nobody serves port 6443: loadBalancers[0] serves 443",
        ),
    ] {
        assert_eq!(told_with(&entries, &edits), format!("{at}{said}\n"), "{entries:?}");
    }
    let hint = hints(&[nginx], &endpoint("127.0.0.1:6444"));
    assert_eq!(hint, ["write `endpoint: 127.0.0.1:8443`"]);
}

#[test]
fn what_is_missing() {
    assert_eq!(
        told(&["kind: keepalived", "kind: nginx, run: container", "kind: kube-vip, announce: bgp"]),
        "error loadBalancers[0] | loadBalancers[0]: keepalived needs `on`
error loadBalancers[0] | loadBalancers[0]: keepalived needs `vips`
error loadBalancers[0] | loadBalancers[0]: keepalived needs `virtualRouterId`
error loadBalancers[1] | loadBalancers[1]: nginx needs `on`
error loadBalancers[1] | loadBalancers[1]: nginx runs in a container, and needs `image`
error loadBalancers[2] | loadBalancers[2]: kube-vip needs `vips`
error loadBalancers[2] | loadBalancers[2]: kube-vip runs in a container, and needs `image`
error loadBalancers[2] | loadBalancers[2]: kube-vip with `announce: bgp` needs `bgp`
"
    );
    let bgp = format!("{KUBE_VIP}, bgp: {{as: 1, peers: [{{address: 192.0.2.3, as: 2}}]}}");
    assert_eq!(
        told(&[&bgp]),
        "error loadBalancers[0].bgp | loadBalancers[0].bgp: it means nothing with `announce: arp`\n"
    );
}

#[test]
fn what_a_kind_does_not_have() {
    let everything = "on: node, run: service, image: \"a:1\", engine: podman, program: /a, vips: [192.0.2.100], \
                      interface: eth0, virtualRouterId: 1, preempt: true, priorities: {cp1: 1}, multicast: true, \
                      password: {}, advertisementInterval: 1s, check: {interval: 1s, timeout: 1s, rise: 1, fall: \
                      1, weight: 1}, listen: all, port: 6443, backends: name, balance: round-robin, weights: {cp1: \
                      1}, maxFails: 1, failTimeout: 1s, connectTimeout: 1s, idleTimeout: 1s, maxConnections: 100, \
                      reusePort: true, announce: arp, bgp: {as: 1, peers: [{address: 192.0.2.3, as: 2}]}, names: \
                      [a], addresses: [192.0.2.200]";
    let count = |kind: &str| {
        let said = told(&[&format!("kind: {kind}, {everything}")]);
        let pointless = format!(" means nothing to {kind}");
        said.lines().filter(|line| line.ends_with(&pointless)).count()
    };
    let counts = ["external", "keepalived", "nginx", "haproxy", "kube-vip"].map(count);
    assert_eq!(counts, [30, 17, 17, 16, 26]);
    assert_eq!(
        told(&[
            "kind: external, maxFails: 3",
            "kind: haproxy, on: node, port: 8443, image: \"a:1\", engine: podman",
        ]),
        "error loadBalancers[0].maxFails | loadBalancers[0].maxFails means nothing to external
error loadBalancers[1].image | loadBalancers[1].image means nothing to haproxy with `run: service`
error loadBalancers[1].engine | loadBalancers[1].engine means nothing to haproxy with `run: service`
"
    );
    assert_eq!(
        hints(
            &[
                "kind: external, maxFails: 3, check: {rise: 1}",
                "kind: haproxy, on: node, port: 8443, image: \"a:1\""
            ],
            &[]
        ),
        [
            "remove it; nginx has it",
            "remove it; keepalived and haproxy have it",
            "remove it, or write `run: container` or `run: static-pod`",
        ]
    );
}

#[test]
fn under_what_they_run() {
    let pod = "kind: nginx, on: node, run: static-pod, image: \"a:1\"";
    let port = ("api.prod.example:6443", "api.prod.example:8443");
    let kubeadm = "error loadBalancers[0].run | loadBalancers[0].run: `kubeadm join` speaks to the endpoint before \
                   the kubelet runs, so a proxy in a static pod cannot serve it\n";
    assert_eq!(told_with(&[pod], &[port]), kubeadm);
    assert_eq!(told_with(&[pod], &[port, ("provisioner: kubeadm", "provisioner: static-pods")]), "");
    let lbs = format!("{LB}{LB2}");
    assert_eq!(
        told_with(
            &["kind: haproxy, on: load-balancer, run: static-pod, image: \"a:1\""],
            &[("hosts:\n", &lbs)]
        ),
        "error loadBalancers[0].run | loadBalancers[0].run: no kubelet runs on lb1, nor on 1 more hosts\n"
    );
    let [kube_vip, keepalived] = [KUBE_VIP, KEEPALIVED].map(|text| format!("{text}, run: container"));
    assert_eq!(
        told(&[&kube_vip]),
        "error loadBalancers[0].run | loadBalancers[0].run: kube-vip is a static pod, and `container` is none\n"
    );
    assert_eq!(
        told(&[&keepalived]),
        "error loadBalancers[0].run | loadBalancers[0].run: keepalived has no container of its own\n"
    );
}

#[test]
fn where_they_are() {
    let kube_vip = format!("{KUBE_VIP}, on: load-balancer");
    let keepalived = KEEPALIVED.replace("control-plane", "node");
    assert_eq!(
        told(&["kind: haproxy, on: load-balancer", &kube_vip, &keepalived.replace("100", "101"), "kind: external"]),
        "error loadBalancers[0].on | loadBalancers[0].on: no host has the role `load-balancer`
error loadBalancers[1].on | loadBalancers[1].on: kube-vip is on control planes, and `load-balancer` is none
error loadBalancers[2].on | loadBalancers[2].on: a virtual address goes where an API server or a proxy listens, \
not to every node
"
    );
    let lbs = format!("{LB}{LB2}");
    let lbs = ("hosts:\n", lbs.as_str());
    assert_eq!(
        told_with(&["kind: haproxy, on: load-balancer, listen: loopback", "kind: external"], &[lbs]),
        "error loadBalancers[0].listen | loadBalancers[0].listen: nothing on hosts of load balancers alone speaks to \
         a proxy on loopback\n"
    );
    assert_eq!(
        told_with(&[&KEEPALIVED.replace("control-plane", "load-balancer")], &[lbs]),
        "error loadBalancers[0].on | loadBalancers[0].on: nothing listens on the virtual addresses at lb1 and lb2\n"
    );
    let twice = [
        "kind: nginx, on: load-balancer",
        "kind: nginx, on: node, port: 8443",
        "kind: nginx, on: control-plane, port: 8444",
    ];
    assert_eq!(
        told_with(&twice, &[lbs]),
        "error loadBalancers[2] | loadBalancers[2]: cp1 has nginx of loadBalancers[1] already\n"
    );
}

#[test]
fn one_host_alone() {
    let one = ("hosts:\n", LB);
    assert_eq!(
        told_with(&["kind: haproxy, on: load-balancer"], &[one]),
        "warning loadBalancers[0].on | loadBalancers[0].on: lb1 is the only load balancer: when it is gone, the API \
         servers are\n"
    );
    assert_eq!(
        told_with(
            &["kind: haproxy, on: load-balancer", &KEEPALIVED.replace("control-plane", "load-balancer")],
            &[one]
        ),
        "warning loadBalancers[1].on | loadBalancers[1].on: keepalived is on lb1 alone, and nobody takes the \
         addresses over\n"
    );
    assert_eq!(
        told_with(&["kind: external"], &[one]),
        "warning hosts.lb1.roles[0] | lb1 is a load balancer, and no balancer is on it\n"
    );
}

/// A host that is a load balancer alone is no node and has no kubelet.
#[test]
fn settings_of_hosts_of_load_balancers() {
    let role =
        "pki: {}\nroles: {load-balancer: {labels: {a: b}, taints: [], kubelet: {config: {maxPods: 9}}}}";
    let host =
        LB.replace("    roles:", "    labels: {a: b}\n    kubelet: {gate: {run: none}}\n    roles:") + LB2;
    let edits = [("hosts:\n", host.as_str()), ("pki: {}", role)];
    assert_eq!(
        told_with(&["kind: haproxy, on: load-balancer"], &edits),
        "warning roles.load-balancer.labels | roles.load-balancer.labels means nothing: no node is there
warning roles.load-balancer.taints | roles.load-balancer.taints means nothing: no node is there
warning roles.load-balancer.kubelet | roles.load-balancer.kubelet means nothing: no kubelet runs there
warning hosts.lb1.labels | hosts.lb1.labels means nothing: no node is there
warning hosts.lb1.kubelet | hosts.lb1.kubelet means nothing: no kubelet runs there
"
    );
    let node = host.replace("roles: [load-balancer]", "roles: [load-balancer, worker]");
    let edits = [("hosts:\n", node.as_str()), ("pki: {}", role)];
    assert_eq!(told_with(&["kind: haproxy, on: load-balancer"], &edits), "");
}

#[test]
fn ports_that_are_taken() {
    let told_of = |entry: &str| told(&[entry, "kind: external"]);
    let at = "error loadBalancers[0].port | loadBalancers[0].port: ";
    for (entry, said) in [
        (
            "kind: haproxy, on: control-plane",
            "the API server, which listens on all addresses, has port 6443 on cp1",
        ),
        (
            "kind: nginx, on: node, listen: host, port: 6443",
            "the API server, which listens on all addresses, has port 6443 on cp1",
        ),
        ("kind: nginx, on: node, port: 10250", "the kubelet has port 10250 on cp1"),
        ("kind: nginx, on: node, port: 2379", "etcd has port 2379 on cp1"),
        ("kind: nginx, on: node, port: 10259", "the scheduler has port 10259 on cp1"),
    ] {
        assert_eq!(told_of(entry), format!("{at}{said}\n"));
    }
    for (port, who) in [
        (10_248, "the kubelet's health check"),
        (10_249, "kube-proxy, for metrics,"),
        (2381, "etcd, for metrics,"),
    ] {
        let entry = format!("kind: nginx, on: node, port: {port}");
        assert_eq!(told_of(&entry), format!("{at}{who} has port {port} on cp1\n"));
        assert_eq!(told_of(&format!("{entry}, listen: host")), "", "{port}");
    }
    let health = "kind: nginx, on: node, port: 10256, listen: host";
    assert_eq!(told_of(health), format!("{at}kube-proxy's health check has port 10256 on cp1\n"));
    let none = ("  endpoint:", "  kubeProxy: {disabled: true}\n  endpoint:");
    assert_eq!(told_with(&[health, "kind: external"], &[none]), "");
    let service = "warning loadBalancers[0].port | loadBalancers[0].port: a service of type NodePort may get 30443 \
                   on the hosts of loadBalancers[0]\n";
    assert_eq!(told_of("kind: nginx, on: node, port: 30443"), service);
    let range = "  apiServer: {extraArgs: {service-node-port-range: 20000-20100}}\n  endpoint:";
    let other = [("  endpoint:", range)];
    assert_eq!(told_with(&["kind: nginx, on: node, port: 30443", "kind: external"], &other), "");
    assert_eq!(told_of("kind: nginx, on: node, port: 8443"), "");
    let bound = ("  endpoint:", "  apiServer: {extraArgs: {bind-address: 192.0.2.6}}\n  endpoint:");
    // what is said of the flag itself is another test's
    let told_of = |entry: &str| {
        let all = told_with(&[entry, "kind: external"], &[bound]);
        let ours = all.split_inclusive('\n').filter(|line| !line.contains("extraArgs.bind-address"));
        ours.collect::<String>()
    };
    assert_eq!(told_of("kind: nginx, on: node"), "");
    let said = format!("{at}the API server, which listens on 192.0.2.6, has port 6443 on cp1\n");
    assert_eq!(told_of("kind: nginx, on: control-plane, listen: all"), said);
    assert_eq!(told_of("kind: nginx, on: control-plane, listen: host"), said);
    let both = [
        "kind: nginx, on: node, port: 8443",
        "kind: haproxy, on: control-plane, port: 8443",
        "kind: external",
    ];
    assert_eq!(
        told(&both),
        "error loadBalancers[1].port | loadBalancers[1].port: nginx of loadBalancers[0] has port 8443 on cp1\n"
    );
    let apart = [
        "kind: nginx, on: node, port: 8443",
        "kind: haproxy, on: control-plane, port: 8443, listen: host",
        "kind: external",
    ];
    assert_eq!(told(&apart), "");
}

#[test]
fn how_connections_are_spread() {
    let port = ("api.prod.example:6443", "api.prod.example:8443");
    let by_address = "warning loadBalancers[0].balance | loadBalancers[0].balance: each host has one address on \
                      loopback, so its proxy sends all its connections to one API server\n";
    let entry = "kind: nginx, on: node, balance: source-address";
    assert_eq!(told_with(&[entry], &[port]), by_address);
    assert_eq!(told_with(&[&format!("{entry}, listen: all")], &[port]), by_address);
    assert_eq!(told_with(&["kind: nginx, on: control-plane, balance: source-address"], &[port]), "");
    assert_eq!(
        told_with(&["kind: nginx, on: node, weights: {cp1: 2, w1: 1}"], &[port]),
        "error loadBalancers[0].weights.w1 | loadBalancers[0].weights.w1: w1 is no control plane\n"
    );
}

#[test]
fn health_checks_without_a_name() {
    let at = |settings: &'static str| {
        let settings = format!("  apiServer: {settings}\n  endpoint:");
        told_with(&[KEEPALIVED], &[("  endpoint:", &settings)])
    };
    let end = "the health check of loadBalancers[0] asks /readyz without a certificate, and would find every API \
               server ill\n";
    let flag = "kubernetes.apiServer.extraArgs.anonymous-auth";
    assert_eq!(at("{extraArgs: {anonymous-auth: false}}"), format!("warning {flag} | {flag}: {end}"));
    assert_eq!(at("{extraArgs: {anonymous-auth: true}}"), "");
    let with = |anonymous: &str| {
        let kind = "{authentication: {apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration, \
                    anonymous: ";
        let settings = format!("  apiServer: {kind}{anonymous}}}}}\n  endpoint:");
        told_with(&[KEEPALIVED], &[("  endpoint:", &settings)])
    };
    let field = "kubernetes.apiServer.authentication.anonymous";
    let refused = format!("warning {field} | {field}: {end}");
    assert_eq!(with("{enabled: false}"), refused);
    assert_eq!(with("{enabled: true, conditions: [{path: /livez}]}"), refused);
    assert_eq!(with("{enabled: true, conditions: [{path: /livez}, {path: /readyz}]}"), "");
    assert_eq!(with("{enabled: true}"), "");
}

#[test]
fn without_a_control_plane() {
    let text = format!("{}loadBalancers: [{{kind: nginx, maxFails: 3}}]\n", super::super::super::tests::GOOD);
    assert_eq!(
        super::super::super::tests::brief(&text),
        "warning loadBalancers | loadBalancers means nothing to a cluster without a control plane\n"
    );
}

/// What is wrong with a field is not told a second time by what is missing.
#[test]
fn nothing_follows_from_what_was_left_out() {
    assert_eq!(
        told(&["kind: keepalve, maxFails: 1", "kind: external, port: 6443, maxFails: 1"]).lines().count(),
        2
    );
    let vips = KEEPALIVED.replace("192.0.2.100", "192.0.2.300");
    assert_eq!(told(&[&vips]).lines().count(), 1);
}
