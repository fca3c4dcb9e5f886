//! Balancers and distributions: what one host's files say of the others of the spec.

use super::super::HostPlan;
use super::kubernetes;

fn with(balancers: &str, edits: &[(&str, &str)]) -> (HostPlan, Vec<String>) {
    let list = format!("loadBalancers:\n{balancers}\n");
    let first = [("loadBalancers: [{kind: external}]\n", list.as_str())];
    let all: Vec<_> = first.into_iter().chain(edits.iter().copied()).collect();
    let (plan, problems) = kubernetes::with(&all);
    (plan.hosts.into_values().next().unwrap(), problems)
}

/// Of two proxies on a host, the check asks the one that clients come by.
#[test]
fn keepalived_asks_the_proxy_of_the_endpoint() {
    let balancers = "  - {kind: haproxy, on: control-plane, port: 8443}
  - {kind: nginx, on: control-plane, port: 9443}
  - {kind: keepalived, on: control-plane, vips: [192.0.2.100], interface: eth0, virtualRouterId: 51}";
    let port = |endpoint: &str| {
        let (host, _) = with(balancers, &[("api.prod.example:6443", endpoint)]);
        host.balancers.unwrap().keepalived.unwrap().check.port
    };
    assert_eq!([port("192.0.2.100:8443"), port("192.0.2.100:9443")], [8443, 9443]);
}

/// Flatcar's unit of containerd names a file of its own, and it has no podman.
#[test]
fn flatcar() {
    let prep = "hostPrep: {containerd: {format: 3}}\nhosts:\n  cp1:";
    let drop_in = "/etc/systemd/system/containerd.service.d/20-sealift-config.conf";
    let nginx =
        |more: &str| format!("  - {{kind: nginx, on: node, run: container, image: \"a/nginx:1\"{more}}}");
    let of = |os: &str, more: &str| {
        let prep = format!("os: {os}\n{prep}");
        let (host, problems) =
            with(&nginx(more), &[("hosts:\n  cp1:", &prep), ("prod.example:6443", "prod.example:8443")]);
        (host.files.iter().any(|file| file.path == drop_in), problems)
    };
    assert_eq!(of("debian", ""), (false, vec![]));
    assert_eq!(of("flatcar", ", engine: docker"), (true, vec![]));
    let told = "warning loadBalancers[0].engine: loadBalancers[0].engine: Flatcar has no podman of its own, which runs containers by default";
    assert_eq!(of("flatcar", ""), (true, vec![told.to_owned()]));
}
