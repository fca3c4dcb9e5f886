//! What kube-vip's pod may say.

use crate::plan::KubeVipPlan;
use serde::Serialize;
use std::net::IpAddr;

/// The context of `/etc/kubernetes/manifests/kube-vip.yaml`.
#[derive(Serialize)]
pub(super) struct KubeVip {
    image: String,
    restart_digest: String,
    /// In the order of kube-vip's own manifests.
    envs: Vec<Variable>,
    kubeconfig: &'static str,
}

#[derive(Serialize)]
struct Variable {
    name: &'static str,
    value: String,
}

pub(super) fn context(plan: &KubeVipPlan, digest: Option<&str>) -> KubeVip {
    let list = |texts: Vec<String>| texts.join(",");
    let bits = |address: &IpAddr| if address.is_ipv6() { "128" } else { "32" }.to_owned();
    let yes = || "true".to_owned();
    let mut envs = vec![
        ("vip_arp", if plan.bgp.is_none() { yes() } else { "false".to_owned() }),
        ("port", plan.port.to_string()),
        ("vip_interface", plan.interface.clone()),
        ("vip_subnet", list(plan.vips.iter().map(bits).collect())),
        ("cp_enable", yes()),
        ("cp_namespace", "kube-system".to_owned()),
        ("svc_enable", "false".to_owned()),
        // with BGP too: who loses his API server loses the lease, and announces no longer
        ("vip_leaderelection", yes()),
        ("vip_leasename", "plndr-cp-lock".to_owned()),
        // kube-vip's own
        ("vip_leaseduration", "5".to_owned()),
        ("vip_renewdeadline", "3".to_owned()),
        ("vip_retryperiod", "1".to_owned()),
        ("address", list(plan.vips.iter().map(ToString::to_string).collect())),
    ];
    if let Some(bgp) = &plan.bgp {
        envs.extend([
            ("bgp_enable", yes()),
            ("bgp_routerid", bgp.router_id.clone()),
            ("bgp_as", bgp.autonomous_system.to_string()),
            ("bgp_peers", bgp.peers.clone()),
        ]);
    }
    KubeVip {
        image: plan.image.clone(),
        restart_digest: digest.unwrap_or_default().to_owned(),
        envs: envs.into_iter().map(|(name, value)| Variable { name, value }).collect(),
        kubeconfig: plan.kubeconfig,
    }
}
