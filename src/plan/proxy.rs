//! The variables by which programs find a proxy, with a NO_PROXY that leaves the cluster alone.

use crate::spec::types::{Role, Spec};
use std::collections::{BTreeMap, BTreeSet};

/// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, each in lower case too, for programs that know one form;
/// empty without a proxy.
///
/// `NO_PROXY` names what the cluster itself speaks to: loopback, ranges of services and pods, the
/// cluster's domain, the endpoint and what leads to it, and control planes and etcd members. No worker is named, or the
/// list would grow with the fleet: a control plane reaches kubelets by their addresses, so write
/// the nodes' networks into `noProxy`.
pub(super) fn variables(spec: &Spec) -> BTreeMap<String, String> {
    let Some(proxy) = &spec.kubernetes.proxy else { return BTreeMap::new() };
    let none = no_proxy(spec).into_iter().collect::<Vec<_>>().join(",");
    let written = [
        ("HTTP_PROXY", proxy.http.as_ref().map(ToString::to_string)),
        ("HTTPS_PROXY", proxy.https.as_ref().map(ToString::to_string)),
        ("NO_PROXY", Some(none)),
    ];
    let set = written.into_iter().filter_map(|(name, value)| Some((name, value?)));
    set.flat_map(|(name, value)| [(name.to_owned(), value.clone()), (name.to_ascii_lowercase(), value)])
        .collect()
}

/// What is reached without a proxy, in byte order and once.
fn no_proxy(spec: &Spec) -> BTreeSet<String> {
    let of = &spec.kubernetes;
    let mut names: BTreeSet<String> =
        ["127.0.0.0/8", "::1", "localhost", ".svc"].map(str::to_owned).into_iter().collect();
    names.insert(format!(".{}", of.cluster_domain));
    names.extend(of.service_subnets().iter().chain(&of.pod_subnets).map(ToString::to_string));
    let front = spec.front();
    names.extend(front.names.into_iter().chain(front.certified.iter().map(ToString::to_string)));
    let reached = spec.hosts.iter().filter(|(_, host)| host.has(Role::ControlPlane) || host.has(Role::Etcd));
    for (name, host) in reached {
        names.insert(name.to_string());
        names.extend(host.etcd_name.iter().map(ToString::to_string));
        names.extend(
            host.addresses.iter().chain(&host.api_address).chain(&host.etcd_address).map(ToString::to_string),
        );
    }
    names.extend(of.proxy.iter().flat_map(|proxy| &proxy.no_proxy).map(ToString::to_string));
    names
}

#[cfg(test)]
mod tests {
    use super::variables;
    use crate::spec;

    /// Three stacked control planes and a worker.
    const STACKED: &str = include_str!("tests/cluster.yaml");

    fn of(edits: &[(&str, &str)]) -> Vec<String> {
        let mut text = STACKED.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let loaded = spec::load(&text);
        assert!(!loaded.has_errors(), "{:?}", loaded.problems);
        variables(&loaded.spec).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn without_a_proxy_there_is_none() {
        assert_eq!(of(&[]), [""; 0]);
    }

    #[test]
    fn a_stacked_cluster() {
        let proxy = "  podSubnets: [10.244.0.0/16]
  proxy: {http: http://proxy.example:3128, https: https://proxy.example:3129, noProxy: [.example, 192.0.2.0/24]}
  endpoint:";
        let none = "\
.cluster.local,.example,.svc,10.244.0.0/16,10.96.0.0/12,127.0.0.0/8,192.0.2.0/24,192.0.2.1,192.0.2.6,192.0.2.7,\
192.0.2.8,::1,api.prod.example,cp1,cp2,cp3,localhost";
        let expected = [
            "HTTPS_PROXY=https://proxy.example:3129".to_owned(),
            "HTTP_PROXY=http://proxy.example:3128".to_owned(),
            format!("NO_PROXY={none}"),
            "http_proxy=http://proxy.example:3128".to_owned(),
            "https_proxy=https://proxy.example:3129".to_owned(),
            format!("no_proxy={none}"),
        ];
        assert_eq!(of(&[("  endpoint:", proxy)]), expected);
    }

    #[test]
    fn what_leads_to_the_api_servers() {
        let proxy = "  proxy: {https: http://proxy.example:3128, noProxy: [192.0.2.0/24]}\n  endpoint:";
        let led = "loadBalancers:
  - {kind: keepalived, on: control-plane, vips: [192.0.2.100], interface: eth0, virtualRouterId: 1}
  - {kind: external, names: [lb.example], addresses: [203.0.113.1]}";
        let edits = [("  endpoint:", proxy), ("loadBalancers: [{kind: external}]", led)];
        let none = "\
.cluster.local,.svc,10.96.0.0/12,127.0.0.0/8,192.0.2.0/24,192.0.2.1,192.0.2.100,192.0.2.6,192.0.2.7,192.0.2.8,\
203.0.113.1,::1,api.prod.example,cp1,cp2,cp3,lb.example,localhost";
        assert_eq!(of(&edits)[1], format!("NO_PROXY={none}"));
    }

    /// With etcd on a host of its own, reached at an address of its own; no worker is named.
    #[test]
    fn an_external_cluster_of_both_families() {
        let member = "hosts:
  etcd0:
    addresses: [198.51.100.1, \"fd00::11\"]
    etcdAddress: \"fd00::11\"
    roles: [etcd]
    recipients: [age1303a6ml9r3y08xzsf8npet9u9gxn76jkamlr9qlv4mpgrkgvcuxqx8a7vm]
";
        let edits = [
            ("roles: [control-plane, etcd]", "roles: [control-plane]"),
            ("hosts:\n", member),
            (
                "[10.96.0.0/12]",
                "[10.96.0.0/12, \"fd00:96::/112\"]\n  podSubnets: [10.244.0.0/16, \"fd00:10::/56\"]",
            ),
            (
                "  endpoint: api.prod.example:6443",
                "  clusterDomain: k8s.example\n  proxy: {https: http://proxy.example:3128}\n  endpoint: \"[fd00::100]:6443\"",
            ),
        ];
        let none = "\
.k8s.example,.svc,10.244.0.0/16,10.96.0.0/12,127.0.0.0/8,192.0.2.1,192.0.2.6,192.0.2.7,192.0.2.8,198.51.100.1,::1,\
cp1,cp2,cp3,etcd0,fd00:10::/56,fd00:96::/112,fd00::100,fd00::11,localhost";
        let expected = [
            "HTTPS_PROXY=http://proxy.example:3128".to_owned(),
            format!("NO_PROXY={none}"),
            "https_proxy=http://proxy.example:3128".to_owned(),
            format!("no_proxy={none}"),
        ];
        assert_eq!(of(&edits), expected);
    }
}
