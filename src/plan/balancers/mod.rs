//! What leads to the API servers: which balancers a host has.

mod keepalived;
mod kube_vip;
mod proxy;

use super::ContainerPlan;
use super::host::Shared;
use super::settings::Settings;
use crate::spec::scalars::HostName;
use crate::spec::types::{BalancerKind, BalancerRun, Host, LoadBalancer, Provisioner, Spec};
use crate::spec::{Path, Problem};
use serde::{Serialize, Serializer};

pub use keepalived::{CheckPlan, KeepalivedPlan, VrrpPassword, VrrpPlan};
pub(super) use kube_vip::is_in as has_kube_vip;
pub use kube_vip::{BgpPlan, KubeVipPlan};
pub use proxy::{BackendPlan, HaproxyPlan, NginxPlan, Program, ProxyPlan};

/// The balancers of one host, at most one of each kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BalancersPlan {
    /// Virtual addresses by VRRP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalived: Option<KeepalivedPlan>,
    /// Virtual addresses by ARP, NDP or BGP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_vip: Option<KubeVipPlan>,
    /// A proxy of TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nginx: Option<ProxyPlan>,
    /// A proxy of TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub haproxy: Option<ProxyPlan>,
}

/// For what a balancer is planned: an entry of the spec, on one of its hosts.
pub(super) struct Site<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) name: &'a HostName,
    pub(super) host: &'a Host,
    pub(super) settings: &'a Settings,
    pub(super) entry: &'a LoadBalancer,
    /// Where the entry stands.
    pub(super) path: Path,
}

/// The balancers of a host; none where it has none. Problems are what only the tables can know, such as a
/// distribution that has no such package.
pub(super) fn plan(
    shared: &Shared<'_>,
    name: &HostName,
    host: &Host,
    settings: &Settings,
    problems: &mut Vec<Problem>,
) -> Option<BalancersPlan> {
    if shared.spec.kubernetes.provisioner == Provisioner::None {
        return None;
    }
    let mut plan = BalancersPlan::default();
    for (path, entry) in entries(shared.spec).filter(|(_, entry)| entry.is_on(host)) {
        let site = Site { shared, name, host, settings, entry, path };
        match entry.kind {
            BalancerKind::External => {}
            BalancerKind::Keepalived => plan.keepalived = keepalived::plan(&site, problems),
            BalancerKind::KubeVip => plan.kube_vip = kube_vip::plan(&site, problems),
            BalancerKind::Nginx => plan.nginx = proxy::plan(&site, problems),
            BalancerKind::Haproxy => plan.haproxy = proxy::plan(&site, problems),
        }
    }
    (plan != BalancersPlan::default()).then_some(plan)
}

/// The balancers of a spec with their paths.
fn entries(spec: &Spec) -> impl Iterator<Item = (Path, &LoadBalancer)> {
    let list = Path::root().key("loadBalancers");
    spec.load_balancers.iter().enumerate().map(move |(index, entry)| (list.index(index), entry))
}

impl BalancersPlan {
    /// Under what a balancer of a kind runs here; none where there is none.
    pub fn run(&self, kind: BalancerKind) -> Option<BalancerRun> {
        match kind {
            BalancerKind::External => None,
            BalancerKind::Keepalived => self.keepalived.as_ref().map(|plan| plan.run),
            BalancerKind::KubeVip => self.kube_vip.as_ref().map(|_| BalancerRun::StaticPod),
            BalancerKind::Nginx => self.nginx.as_ref().map(|plan| plan.run),
            BalancerKind::Haproxy => self.haproxy.as_ref().map(|plan| plan.run),
        }
    }

    /// The proxies.
    pub fn proxies(&self) -> impl Iterator<Item = &ProxyPlan> {
        self.haproxy.iter().chain(&self.nginx)
    }

    /// The proxy of a kind.
    pub fn proxy(&self, kind: BalancerKind) -> Option<&ProxyPlan> {
        self.proxies().find(|plan| plan.kind() == kind)
    }

    /// What runs the container of a balancer; none where it runs in no container of its own.
    pub fn container(&self, kind: BalancerKind) -> Option<&ContainerPlan> {
        self.proxy(kind)?.container.as_ref()
    }

    /// What runs containers of balancers.
    pub fn containers(&self) -> impl Iterator<Item = &ContainerPlan> {
        self.proxies().filter_map(|plan| plan.container.as_ref())
    }

    /// The images that run here, each by its balancer's name, in byte order of those.
    pub fn images(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let proxies = self.proxies().filter_map(|plan| Some((plan.kind().name(), plan.image.as_deref()?)));
        let keepalived = self.keepalived.iter().filter(|plan| plan.run != BalancerRun::Service);
        let keepalived = keepalived.filter_map(|plan| Some(("keepalived", plan.image.as_deref()?)));
        let kube_vip = self.kube_vip.iter().map(|plan| ("kube-vip", plan.image.as_str()));
        let mut all: Vec<_> = proxies.chain(keepalived).chain(kube_vip).collect();
        all.sort_unstable();
        all.into_iter()
    }
}

/// The interface of virtual addresses on a host: what its role or the host says goes before the entry.
fn interface(site: &Site<'_>) -> Option<String> {
    let found = site.settings.interface.as_ref().or(site.entry.interface.as_ref());
    found.map(ToString::to_string)
}

const fn family(v6: bool) -> &'static str {
    if v6 { "IPv6" } else { "IPv4" }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn run_name<S: Serializer>(run: &BalancerRun, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(run.name())
}
