//! nginx and haproxy before the API servers: what the programs say of their files in every variant, what
//! their files say, read by a parser, and both running before API servers that die and come back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod accepted;
mod read_back;
mod running;
#[path = "../support/mod.rs"]
mod support;
mod units;

use support::example::Built;
use support::opened::machine;

/// The hosts: three control planes and the one with the proxies.
pub(crate) const HOSTS: [&str; 4] = ["cp1", "cp2", "cp3", "lb1"];
/// Where they are.
pub(crate) const ADDRESSES: [&str; 4] = ["10.0.0.6", "10.0.0.7", "10.0.0.8", "10.0.0.9"];

/// A cluster of three control planes, and a worker with these balancers; each a mapping.
pub(crate) fn spec(epoch: &str, balancers: &[&str], dual: bool) -> String {
    let balancers: Vec<_> = balancers.iter().map(|balancer| format!("  - {{{balancer}}}\n")).collect();
    let balancers = balancers.concat();
    let (pods, services) = if dual {
        ("10.244.0.0/16, \"fd00:244::/56\"", "10.96.0.0/12, \"fd00:96::/112\"")
    } else {
        ("10.244.0.0/16", "10.96.0.0/12")
    };
    let hosts = HOSTS.into_iter().zip(ADDRESSES).enumerate().map(|(number, (name, address))| {
        let roles = if name == "lb1" { "worker, load-balancer" } else { "control-plane, etcd" };
        let v6 = if dual { format!(", \"fd00::{}\"", number + 6) } else { String::new() };
        let recipient = machine(u8::try_from(number).unwrap()).to_public();
        format!("  {name}: {{addresses: [{address}{v6}], roles: [{roles}], recipients: [{recipient}]}}\n")
    });
    format!(
        "apiVersion: sealift/v1
cluster:
  name: prod
  id: \"7e570000000000000000000000000001\"
  epoch: {epoch}
  revision: 1
  operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]
kubernetes:
  version: 1.36.2
  provisioner: static-pods
  endpoint: api.prod.example:8443
  podSubnets: [{pods}]
  serviceSubnets: [{services}]
etcd: {{run: static-pod}}
loadBalancers:
{balancers}  - {{kind: external}}
hosts:
{}",
        hosts.collect::<String>()
    )
}

/// The bundle of the host with the balancers, and no other.
pub(crate) fn built(balancers: &[&str], dual: bool) -> Built {
    let built = Built::staged(&spec("2026-11-20T00:00:00Z", balancers, dual));
    let _ = built.build(&["--host", "lb1"]).expect_code(0);
    built
}

/// Its public files.
pub(crate) fn files(built: &Built) -> support::opened::Files {
    support::opened::open(&built.bundle("lb1"), &machine(3))
}

/// An image of each program.
pub(crate) const NGINX_IMAGE: &str = "docker.io/library/nginx:1.29.3";
pub(crate) const HAPROXY_IMAGE: &str = "docker.io/library/haproxy:3.2.9";
