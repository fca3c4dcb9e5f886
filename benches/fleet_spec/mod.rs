//! A spec of any number of etcd hosts, each with a recipient of its own.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use x25519_dalek::{PublicKey, StaticSecret};

/// The cluster id of the example in `bundles/etcd-static-pods`, so that its published test seed fits.
pub(crate) const CLUSTER_ID: &str = "7e570000000000000000000000000001";

/// The spec of `hosts` etcd members, 10.0.0.0 on, in the form of the example.
pub(crate) fn spec(hosts: u32) -> String {
    let mut text = head("  provisioner: none\n");
    (0..hosts).for_each(|number| host(&mut text, "infra", number, "etcd"));
    text
}

/// A Kubernetes cluster of `hosts` nodes: three control planes with etcd members, and workers.
pub(crate) fn kubernetes(hosts: u32) -> String {
    let mut text = head(
        "  provisioner: kubeadm\n  endpoint: api.fleet.example:6443\nloadBalancers: [{kind: external}]\n",
    );
    for number in 0..hosts {
        let (name, roles) = if number < 3 { ("cp", "control-plane, etcd") } else { ("worker", "worker") };
        host(&mut text, name, number, roles);
    }
    text
}

fn head(kubernetes: &str) -> String {
    format!(
        "apiVersion: sealift/v1\n\
         cluster:\n  name: fleet\n  id: \"{CLUSTER_ID}\"\n  epoch: 2026-11-20T00:00:00Z\n  revision: 1\n  \
         operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]\n\
         kubernetes:\n  version: 1.36.2\n{kubernetes}\
         etcd:\n  run: static-pod\n\
         kubelet:\n  gate:\n    run: sealift\n\
         pki:\n  validity: {{ca: 10y, leaf: 1y}}\n\
         hosts:\n"
    )
}

fn host(text: &mut String, name: &str, number: u32, roles: &str) {
    let address = std::net::Ipv4Addr::from(0x0a00_0100 + number);
    let recipient = recipient(number);
    // writing to a string cannot fail
    let _ = write!(
        text,
        "  {name}{number}:\n    addresses: [{address}]\n    roles: [{roles}]\n    recipients:\n      - {recipient}\n"
    );
}

/// `age1…` of a key that is nobody's secret: SHA-256 of the number.
fn recipient(number: u32) -> String {
    let scalar: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
    let point = PublicKey::from(&StaticSecret::from(scalar));
    let prefix = bech32::Hrp::parse("age").unwrap();
    bech32::encode::<bech32::Bech32>(prefix, point.as_bytes()).unwrap()
}
