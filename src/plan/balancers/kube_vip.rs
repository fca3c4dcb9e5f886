//! kube-vip: virtual addresses by ARP, NDP or BGP.
//!
//! Sources: kube-vip's `pkg/kubevip/config_environment.go`, `config_bgp.go` and `pkg/cluster/cluster.go`
//! of 0.9 to 1.1.

use super::{Site, family, interface};
use crate::plan::certs::first_control_plane;
use crate::spec::Problem;
use crate::spec::types::{Announce, BgpPeer, Provisioner, Spec};
use serde::Serialize;
use std::net::IpAddr;

/// kube-vip: virtual addresses by ARP, NDP or BGP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeVipPlan {
    /// The image.
    pub image: String,
    /// The interface that gets the addresses.
    pub interface: String,
    /// The virtual addresses, one of each family at most.
    pub vips: Vec<IpAddr>,
    /// The API server's port, at which kube-vip finds its own.
    pub port: u32,
    /// The kubeconfig that it uses, a path on the host.
    pub kubeconfig: &'static str,
    /// How it speaks BGP, in place of ARP and NDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp: Option<BgpPlan>,
}

/// How kube-vip speaks BGP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BgpPlan {
    /// Its own identifier: an IPv4 address of the host (RFC 4271, section 4.2).
    pub router_id: String,
    /// Its own autonomous system.
    pub autonomous_system: u32,
    /// The routers, as `bgp_peers` has them.
    pub peers: String,
}

/// Where addresses lie that routers send here: on the host itself (kube-vip's documentation, BGP).
const LOOPBACK: &str = "lo";
/// Has no rights before `kubeadm init` is done, from 1.29 on (kubernetes/kubeadm#3274).
const ADMIN: &str = "/etc/kubernetes/admin.conf";
const SUPER_ADMIN: &str = "/etc/kubernetes/super-admin.conf";

/// kube-vip on a control plane; none where what it needs is missing, which a rule tells.
pub(super) fn plan(site: &Site<'_>, problems: &mut Vec<Problem>) -> Option<KubeVipPlan> {
    let spec = site.shared.spec;
    let entry = site.entry;
    if spec.kubernetes.provisioner == Provisioner::None {
        return None;
    }
    one_of_each_family(site, problems);
    let announced_by_bgp = entry.announce.unwrap_or_default() == Announce::Bgp;
    let by_default = announced_by_bgp.then(|| LOOPBACK.to_owned());
    let interface = interface(site).or(by_default);
    let bgp = if announced_by_bgp { Some(bgp(site, problems)?) } else { None };
    let first = first_control_plane(spec) == Some(site.name);
    Some(KubeVipPlan {
        image: entry.image.as_ref().map(ToString::to_string).unwrap_or_default(),
        interface: interface?,
        vips: entry.vips.clone(),
        port: spec.kubernetes.api_port.get(),
        kubeconfig: if first && !spec.kubernetes.initialized { SUPER_ADMIN } else { ADMIN },
        bgp,
    })
}

/// Whether control planes have kube-vip, which speaks to the API server as an administrator.
pub(in crate::plan) fn is_in(spec: &Spec) -> bool {
    use crate::spec::types::BalancerKind::KubeVip;
    spec.load_balancers.iter().any(|entry| entry.kind == KubeVip)
}

fn one_of_each_family(site: &Site<'_>, problems: &mut Vec<Problem>) {
    let list = site.path.key("vips");
    for v6 in [false, true] {
        let same = site.entry.vips.iter().enumerate().filter(|(_, address)| address.is_ipv6() == v6);
        for (index, address) in same.skip(1) {
            let message = format!("{address} is another address of {}: kube-vip takes one", family(v6));
            let hint = "keep one of each family; keepalived takes several";
            problems.push(Problem::error(list.index(index), message).hint(hint));
        }
    }
}

fn bgp(site: &Site<'_>, problems: &mut Vec<Problem>) -> Option<BgpPlan> {
    let written = site.entry.bgp.as_ref()?;
    let list = site.path.key("bgp").key("peers");
    for (index, peer) in written.peers.iter().enumerate() {
        let v6 = peer.address.is_ipv6();
        if let Some(other) = site.entry.vips.iter().find(|vip| vip.is_ipv6() != v6) {
            let message = format!("{} is told of {other}, an address of {}", peer.address, family(!v6));
            let hint =
                "kube-vip tells a router of addresses of the family in which they speak: keep one family";
            problems.push(Problem::error(list.index(index).key("address"), message).hint(hint));
        }
    }
    let Some(router_id) = site.host.addresses.iter().find(|address| address.is_ipv4()) else {
        let at = crate::spec::Path::root().key("hosts").key(site.name.as_str()).key("addresses");
        let message = format!("{} has no address of IPv4, which BGP knows routers by", site.name);
        problems.push(Problem::error(at, message).hint("add one, or write `announce: arp`"));
        return None;
    };
    Some(BgpPlan {
        router_id: router_id.to_string(),
        autonomous_system: written.autonomous_system.get(),
        peers: written.peers.iter().map(peer).collect::<Vec<_>>().join(","),
    })
}

/// `ADDRESS:AS:PASSWORD:MULTIHOP`, without a password.
fn peer(peer: &BgpPeer) -> String {
    let address = match peer.address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    format!("{address}:{}::{}", peer.autonomous_system, peer.multihop)
}
