//! Subject alternative names (kubeadm's `util/pkiutil/pki_helpers.go`: `GetAPIServerAltNames`,
//! `getAltNames`).

use super::{Sans, Subject};
use crate::plan::etcd::Member;
use crate::spec::scalars::San;
use crate::spec::types::Spec;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const LOCAL: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// DNS names, sorted and distinct, and addresses, distinct in their order.
pub(super) fn of(
    spec: &Spec,
    rule: Sans,
    cn: &str,
    subject: &Subject<'_>,
    extra: impl Iterator<Item = San>,
) -> (Vec<String>, Vec<IpAddr>) {
    let (mut dns, mut ips) = match rule {
        Sans::None => (Vec::new(), Vec::new()),
        Sans::CommonName => (vec![cn.to_owned()], Vec::new()),
        Sans::Etcd => members(subject.member().map(std::slice::from_ref).unwrap_or_default()),
        Sans::Members => members(subject.members.map(|members| members.all.as_slice()).unwrap_or_default()),
        Sans::ApiServer => api_server(spec, subject),
        Sans::StatefulSet => stateful_set(spec),
        Sans::Node => (vec![subject.name.to_owned()], subject.addresses.to_vec()),
    };
    for san in extra {
        match san {
            San::Dns(name) => dns.push(name),
            San::Ip(address) => ips.push(address),
        }
    }
    dns.sort();
    dns.dedup();
    let mut distinct: Vec<IpAddr> = Vec::with_capacity(ips.len());
    for ip in ips {
        if !distinct.contains(&ip) {
            distinct.push(ip);
        }
    }
    (dns, distinct)
}

/// What etcd members are reached by, and what they call themselves. A member that is reached by name has
/// no address in it: etcd looks up the names of a peer's certificate then, and finds the address that it
/// comes from (`client/pkg/transport/listener_tls.go`, `checkCertSAN`).
fn members(members: &[Member]) -> (Vec<String>, Vec<IpAddr>) {
    let names = members.iter().flat_map(|member| [Some(&member.name), member.dns_name.as_ref()]);
    let dns = names.flatten().cloned().chain(["localhost".to_owned()]).collect();
    let by_address = members.iter().filter(|member| member.dns_name.is_none());
    (dns, by_address.map(|member| member.address).chain(LOCAL).collect())
}

/// Whatever a member of a `StatefulSet` is called: each pod by its own name and below the headless service
/// (`kubernetes.io` "Stable Network ID"), both services, and the pod to itself.
fn stateful_set(spec: &Spec) -> (Vec<String>, Vec<IpAddr>) {
    let set = spec.etcd.stateful_set.clone().unwrap_or_default();
    let (name, namespace, domain) = (&set.name, &set.namespace, &spec.kubernetes.cluster_domain);
    let pods = (0..set.replicas.get()).map(|number| format!("{name}-{number}"));
    let mut dns: Vec<String> = pods.clone().collect();
    let below = pods.map(|pod| format!("{pod}.{name}"));
    let client = set.client_service.then(|| format!("{name}-client"));
    for service in below.chain([name.to_string()]).chain(client) {
        dns.push(format!("{service}.{namespace}.svc.{domain}"));
        dns.push(format!("{service}.{namespace}.svc"));
        dns.push(format!("{service}.{namespace}"));
        dns.push(service);
    }
    dns.push("localhost".to_owned());
    (dns, LOCAL.to_vec())
}

fn api_server(spec: &Spec, subject: &Subject<'_>) -> (Vec<String>, Vec<IpAddr>) {
    let kubernetes = &spec.kubernetes;
    let mut dns: Vec<String> =
        ["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(str::to_owned).into();
    dns.push(subject.name.to_owned());
    dns.push(format!("kubernetes.default.svc.{}", kubernetes.cluster_domain));
    let services = kubernetes.service_subnets().into_iter().filter_map(|subnet| subnet.nth(1));
    let mut ips: Vec<IpAddr> = services.chain(subject.api_address).collect();
    let front = spec.front();
    dns.extend(front.names);
    ips.extend(front.certified);
    (dns, ips)
}
