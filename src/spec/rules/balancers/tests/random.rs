//! Random balancers.

use super::spec;
use proptest::prelude::{Just, Strategy, prop, prop_oneof, proptest};

const FIELDS: &[(&str, &[&str])] = &[
    ("on", &["control-plane", "load-balancer", "node"]),
    ("run", &["service", "container", "static-pod"]),
    ("image", &["\"a:1\""]),
    ("vips", &["[]", "[192.0.2.100]", "[\"::1\", \"fd00::1\", 10.96.0.1]", "[192.0.2.1, 192.0.2.1]"]),
    ("interface", &["eth0"]),
    ("virtualRouterId", &["0", "1", "255", "256"]),
    ("preempt", &["true", "false"]),
    ("priorities", &["{}", "{cp1: 1}", "{cp1: 254, cp2: 254, cp3: 1}", "{nobody: 1, lb1: 1, w1: 3}"]),
    ("password", &["{}", "{generation: 2}"]),
    ("check", &["{weight: 1}", "{weight: 253}", "{}", "{rise: 1, interval: 1s}"]),
    ("listen", &["all", "host", "loopback"]),
    ("port", &["1", "6443", "8443", "65535", "0"]),
    ("balance", &["source-address", "round-robin"]),
    ("weights", &["{}", "{cp1: 1}", "{lb1: 256, nobody: 1}"]),
    ("announce", &["arp", "bgp"]),
    ("bgp", &["{as: 1, peers: []}", "{as: 65000, peers: [{address: \"::\", as: 1}]}"]),
    ("names", &["[]", "[a.example, cp1]"]),
    ("addresses", &["[]", "[192.0.2.100, \"::\"]", "[203.0.113.1]"]),
];
const KINDS: [&str; 6] = ["external", "keepalived", "nginx", "haproxy", "kube-vip", "other"];

fn entry() -> impl Strategy<Value = String> {
    let fields = FIELDS.iter().map(|(name, values)| {
        let value = prop::sample::select(values.to_vec()).prop_map(move |value| format!(", {name}: {value}"));
        prop_oneof![2 => Just(String::new()), 1 => value].boxed()
    });
    let fields = fields.collect::<Vec<_>>();
    (prop::sample::select(KINDS.to_vec()), fields)
        .prop_map(|(kind, fields)| format!("  - {{kind: {kind}{}}}\n", fields.concat()))
}

fn whole() -> impl Strategy<Value = String> {
    let endpoints = [
        "api.example:6443",
        "cp1:6443",
        "192.0.2.100:8443",
        "\"[fd00::1]:1\"",
        "127.0.0.1:8443",
        "203.0.113.1:443",
    ];
    let roles = ["control-plane", "worker", "load-balancer", "etcd", "control-plane, load-balancer"];
    let hosts = prop::collection::vec(prop::sample::select(roles.to_vec()), 0..5);
    let provisioners = prop::sample::select(vec!["kubeadm", "static-pods", "none"]);
    let endpoints = prop::sample::select(endpoints.to_vec());
    (prop::collection::vec(entry(), 0..4), endpoints, provisioners, hosts).prop_map(
        |(entries, endpoint, provisioner, hosts)| {
            let names = ["cp1", "cp2", "cp3", "lb1", "w1"];
            let hosts = names.iter().zip(hosts).enumerate().map(|(index, (name, roles))| {
                format!("  {name}: {{addresses: [192.0.2.{}], roles: [{roles}], recipients: []}}\n", index + 1)
            });
            format!(
                "apiVersion: sealift/v1\nkubernetes: {{version: 1.36.2, provisioner: {provisioner}, endpoint: \
                 {endpoint}}}\nloadBalancers:\n{}hosts:\n{}",
                entries.concat(),
                hosts.collect::<String>()
            )
        },
    )
}

proptest! {
    /// Whatever balancers a spec has: all problems stand at a place, in lower case, with a hint.
    #[test]
    fn balancers_never_break_a_rule(text in whole()) {
        let loaded = spec::load(&text);
        let _ = loaded.spec.front();
        for problem in loaded.problems.iter().filter(|it| it.path.starts_with("loadBalancers")) {
            assert!(problem.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{problem:?}");
            assert!(problem.position.is_some() && !problem.message.ends_with('.'), "{problem:?}");
        }
    }
}
