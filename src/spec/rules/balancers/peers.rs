//! The routers that kube-vip speaks BGP with.

use super::addresses::own;
use super::{Holes, Problem, Spec, entries, wrong};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A router is another machine at an address of its own, and stands once.
pub(in crate::spec::rules) fn peers(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let hosts = super::super::hosts(spec).flat_map(|(_, name, host)| own(host).map(move |it| (it, name)));
    let owners: BTreeMap<IpAddr, &str> = hosts.collect();
    let entries = entries(spec, holes);
    let is_virtual = |address: &IpAddr| entries.iter().any(|entry| entry.of.vips.contains(address));
    for entry in &entries {
        let list = entry.path.key("bgp").key("peers");
        let peers = entry.of.bgp.as_ref().map(|bgp| bgp.peers.as_slice()).unwrap_or_default();
        for (index, peer) in peers.iter().enumerate() {
            let at = holes.item(&list, index).key("address");
            if holes.touch(&at) {
                continue;
            }
            let address = peer.address;
            // a router of the same link may have an address of the link alone
            let flaw = super::super::addresses::flaw(address).filter(|flaw| !flaw.contains("link-local"));
            let (what, hint) = if let Some(flaw) = flaw {
                (format!("{address} is {flaw}"), "write the router's address")
            } else if is_virtual(&address) {
                (format!("{address} is a virtual address"), "write the router's address")
            } else if let Some(owner) = owners.get(&address) {
                (format!("{address} is {owner}'s own"), "write the router's address")
            } else if peers.iter().take(index).any(|other| other.address == address) {
                (format!("{address} is listed twice"), "remove one of the two")
            } else {
                continue;
            };
            problems.push(wrong(at, what).hint(hint));
        }
    }
}
