//! Subject alternative names (kubeadm's `util/pkiutil/pki_helpers.go`: `GetAPIServerAltNames`,
//! `getAltNames`).

use super::{Sans, Subject};
use crate::spec::scalars::{EndpointHost, San};
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
        Sans::Etcd => {
            let ips = subject.etcd_address.into_iter().chain(LOCAL).collect();
            let names = [Some(subject.name), subject.etcd_name, Some("localhost")];
            (names.into_iter().flatten().map(str::to_owned).collect(), ips)
        }
        Sans::Members => {
            let names =
                subject.members.iter().flat_map(|member| [Some(&member.name), member.dns_name.as_ref()]);
            let dns = names.flatten().cloned().chain(["localhost".to_owned()]).collect();
            (dns, subject.members.iter().map(|member| member.address).chain(LOCAL).collect())
        }
        Sans::ApiServer => api_server(spec, subject),
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

fn api_server(spec: &Spec, subject: &Subject<'_>) -> (Vec<String>, Vec<IpAddr>) {
    let kubernetes = &spec.kubernetes;
    let mut dns: Vec<String> =
        ["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(str::to_owned).into();
    dns.push(subject.name.to_owned());
    dns.push(format!("kubernetes.default.svc.{}", kubernetes.cluster_domain));
    let services = kubernetes.service_subnets().into_iter().filter_map(|subnet| subnet.nth(1));
    let mut ips: Vec<IpAddr> = services.chain(subject.api_address).collect();
    match kubernetes.endpoint.as_ref().map(crate::spec::scalars::Endpoint::host) {
        Some(EndpointHost::Name(name)) => dns.push(name.clone()),
        Some(EndpointHost::Address(address)) => ips.push(*address),
        None => {}
    }
    (dns, ips)
}
