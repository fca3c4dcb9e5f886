//! keepalived and kube-vip: what the real programs say of their files, and two keepalived instances from
//! installed bundles.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests run programs and read files")]
#![allow(clippy::disallowed_types, reason = "waits for processes")]

mod files;
mod machine;
mod script;
mod settings;
#[path = "../support/mod.rs"]
mod support;
mod vrrp;

use support::opened::machine as recipient;

/// Two stacked control planes with both families.
pub(crate) fn spec(balancers: &str, more: &str) -> String {
    let [cp1, cp2] = [0, 1].map(|number| recipient(number).to_public());
    let today = support::example::today();
    format!(
        "apiVersion: sealift/v1
cluster:
  name: prod
  id: \"7e570000000000000000000000000001\"
  epoch: {today}
  revision: 1
  operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]
kubernetes:
  version: 1.36.2
  provisioner: kubeadm
  endpoint: api.prod.example:6443
etcd: {{run: static-pod}}
loadBalancers:
{balancers}
{more}hosts:
  cp1: {{addresses: [10.0.0.6, \"fd00::6\"], roles: [control-plane, etcd], recipients: [{cp1}]}}
  cp2: {{addresses: [10.0.0.7, \"fd00::7\"], roles: [control-plane, etcd], recipients: [{cp2}]}}
"
    )
}

/// An entry of keepalived with these fields more.
pub(crate) fn entry(vips: &str, more: &str) -> String {
    format!(
        "  - {{kind: keepalived, on: control-plane, vips: [{vips}], interface: eth0, virtualRouterId: 51{more}}}"
    )
}

pub(crate) const V4: &str = "10.0.0.100";
pub(crate) const V6: &str = "fd00::100";
pub(crate) const BOTH: &str = "10.0.0.100, \"fd00::100\"";
