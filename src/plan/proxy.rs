//! The variables by which programs find a proxy, with a NO_PROXY that leaves the cluster alone.

use crate::spec::scalars::EndpointHost;
use crate::spec::types::{Role, Spec};
use std::collections::{BTreeMap, BTreeSet};

/// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, each in lower case too, for programs that know one form;
/// empty without a proxy.
///
/// `NO_PROXY` names what the cluster itself speaks to: loopback, ranges of services and pods, the
/// cluster's domain, the endpoint, and control planes and etcd members. No worker is named, or the
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
    if let Some(endpoint) = &of.endpoint {
        names.insert(match endpoint.host() {
            EndpointHost::Name(name) => name.clone(),
            EndpointHost::Address(address) => address.to_string(),
        });
    }
    let named = spec
        .hosts
        .iter()
        .filter(|(_, host)| host.roles.contains(&Role::ControlPlane) || host.roles.contains(&Role::Etcd));
    for (name, host) in named {
        names.insert(name.to_string());
        names.extend(
            host.addresses.iter().chain(&host.api_address).chain(&host.etcd_address).map(ToString::to_string),
        );
    }
    names.extend(of.proxy.iter().flat_map(|proxy| &proxy.no_proxy).map(ToString::to_string));
    names
}
