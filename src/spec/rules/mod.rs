//! What a schema cannot say: rules over the whole spec, each a function from spec to problems.
//!
//! A rule says nothing about values that were left out for another reason: see [`Holes`].

mod addresses;
mod authorities;
mod balancers;
mod components;
mod etcd;
mod flags;
mod hosts;
mod kubelets;
mod kubernetes;
mod names;
mod nodes;
mod pki;
mod pods;
mod preparation;
mod recipients;
mod rotation;
mod runtimes;
mod subnets;
mod verification;

use super::holes::Holes;
use super::path::Path;
use super::problem::Problem;
use super::types::{Host, Spec};

/// A rule: the spec, what was left out of it, and where problems go.
type Rule = fn(&Spec, &Holes, &mut Vec<Problem>);

const RULES: &[Rule] = &[
    addresses::usable,
    addresses::distinct,
    recipients::distinct,
    hosts::roles_once,
    hosts::machines_apart,
    hosts::retired,
    hosts::role_settings,
    verification::metrics,
    etcd::count::members,
    kubelets::none,
    etcd::membership::of_one_host,
    etcd::membership::a_beginning,
    etcd::membership::leaving,
    etcd::names::possible,
    etcd::names::distinct,
    etcd::containers::quadlet,
    etcd::containers::mounts,
    etcd::pointless::fields,
    etcd::pointless::gates,
    etcd::pointless::certificates,
    etcd::run::plain_loopback,
    etcd::stateful_set::alone,
    etcd::stateful_set::ca_keys,
    etcd::stateful_set::settings,
    kubernetes::provisioner,
    kubernetes::roles,
    kubernetes::endpoint,
    kubernetes::first_control_plane,
    kubernetes::tokens,
    kubernetes::pointless,
    balancers::idle,
    balancers::nodes,
    balancers::required,
    balancers::pointless,
    balancers::runs,
    balancers::static_pods,
    balancers::place,
    balancers::once,
    balancers::behind,
    balancers::alone,
    balancers::written,
    balancers::unused,
    balancers::distinct,
    balancers::apart,
    balancers::families,
    balancers::priorities,
    balancers::preempt,
    balancers::routers,
    balancers::password,
    balancers::weights,
    balancers::loopback,
    balancers::ports,
    balancers::bind_address,
    balancers::many,
    balancers::loopback_interface,
    balancers::idle_timeout,
    balancers::checks,
    balancers::peers,
    balancers::node_ports,
    balancers::anonymous,
    balancers::endpoint,
    balancers::endpoint_name,
    subnets::one_of_each_family,
    subnets::apart,
    subnets::size,
    subnets::first_family,
    pods::ranges,
    pods::masks,
    components::authentication,
    components::audit,
    components::kube_proxy,
    components::feature_gates,
    components::proxy,
    flags::of_components,
    flags::of_kubelets,
    nodes::taints_once,
    nodes::untainted,
    nodes::node_ips,
    nodes::beyond_proxy,
    nodes::mirrors,
    names::entries,
    preparation::without_kubelet,
    authorities::one_origin,
    authorities::described_by_itself,
    authorities::key_elsewhere,
    pki::leaf_outlives_ca,
    pki::bundle_outlives_leaf,
    rotation::steps,
    runtimes::pointless,
    runtimes::toml,
    runtimes::format,
];

/// All rules' problems, by path alone.
pub(crate) fn check(spec: &Spec, holes: &Holes) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rule in RULES {
        rule(spec, holes, &mut problems);
    }
    problems
}

/// The hosts with their paths.
fn hosts(spec: &Spec) -> impl Iterator<Item = (Path, &str, &Host)> {
    let all = Path::root().key("hosts");
    spec.hosts.iter().map(move |(name, host)| (all.key(name), name.as_str(), host))
}
