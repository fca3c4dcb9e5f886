//! keepalived: virtual addresses by VRRP (RFC 3768, version 2; RFC 5798, version 3).
//!
//! Sources: keepalived.conf(5) of 2.2.7.

mod check;
mod problems;

use super::{Site, interface};
use crate::plan::seed_of;
use crate::spec::Problem;
use crate::spec::scalars::{HostName, Length};
use crate::spec::types::{BalancerRun, Host};
use serde::Serialize;
use std::net::IpAddr;

pub use check::CheckPlan;

/// keepalived: virtual addresses by VRRP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeepalivedPlan {
    /// Under what it runs.
    #[serde(serialize_with = "super::run_name")]
    pub run: BalancerRun,
    /// The image, where it runs in a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The host's name.
    pub router: String,
    /// How health is checked.
    pub check: CheckPlan,
    /// One for each family of addresses, IPv4 first: they cannot share one.
    pub instances: Vec<VrrpPlan>,
    /// Whether a host that comes back takes the addresses back.
    pub preempt: bool,
    /// Where the password comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<VrrpPassword>,
}

/// A virtual router on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VrrpPlan {
    /// What tells it from others of the network, 1 to 255.
    pub router_id: u32,
    /// The version of the protocol, 2 or 3.
    pub version: u8,
    /// The interface.
    pub interface: String,
    /// From 1 to 254; the highest holds the addresses.
    pub priority: u32,
    /// Whether it is the highest.
    pub first: bool,
    /// How often the one that holds the addresses says so, in milliseconds.
    pub advertisement: u64,
    /// The host's own address and those of the others, unless all are told by multicast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unicast: Option<Unicast>,
    /// The virtual addresses, of one family.
    pub vips: Vec<IpAddr>,
    /// Whether it has the password: version 3 has none.
    pub authenticated: bool,
}

/// Whom a virtual router speaks to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unicast {
    /// The host's own address.
    pub from: IpAddr,
    /// Those of the others, in the order of their names.
    pub to: Vec<IpAddr>,
}

/// Where the password of a virtual router comes from; all its hosts have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VrrpPassword {
    /// The number of the virtual router.
    pub router_id: u32,
    /// The seed.
    pub seed: u32,
    /// The generation.
    pub generation: u32,
    /// Where the entry of the spec stands.
    #[serde(skip)]
    pub path: String,
}

/// The priority of the first host by name where the spec gives none: one more than keepalived's default.
const HIGHEST: u32 = 101;
const ADVERTISEMENT: u64 = 1000;

/// keepalived on a host of an entry; none where what it needs is missing, which a rule tells.
pub(super) fn plan(site: &Site<'_>, problems: &mut Vec<Problem>) -> Option<KeepalivedPlan> {
    problems::of_entry(site, problems);
    let check = check::plan(site, problems);
    let interface = interface(site)?;
    let router_id = site.entry.virtual_router_id?;
    let hosts = Hosts::of(site);
    let families = [false, true].map(|v6| hosts.instance(site, router_id, v6, problems));
    let mut instances: Vec<VrrpPlan> = families.into_iter().flatten().collect();
    instances.iter_mut().for_each(|instance| instance.interface.clone_from(&interface));
    let password = site.entry.password.as_ref().map(|written| VrrpPassword {
        router_id,
        seed: seed_of(site.shared.spec, written.seed),
        generation: written.generation.get(),
        path: site.path.key("password").as_str().to_owned(),
    });
    Some(KeepalivedPlan {
        run: site.entry.run.unwrap_or_default(),
        image: site.entry.image.as_ref().map(ToString::to_string),
        router: site.name.to_string(),
        check: check?,
        instances,
        preempt: site.entry.preempt.unwrap_or(true),
        password,
    })
}

impl KeepalivedPlan {
    /// Whether it runs in a container, where its user is root.
    pub fn in_pod(&self) -> bool {
        self.run == BalancerRun::StaticPod
    }
}

/// The hosts of an entry with their priorities, in the order of their names.
struct Hosts<'a>(Vec<(&'a HostName, &'a Host, u32)>);

impl<'a> Hosts<'a> {
    fn of(site: &Site<'a>) -> Self {
        let hosts = site.shared.spec.hosts.iter().filter(|(_, host)| site.entry.is_on(host));
        let given = &site.entry.priorities;
        let priority = |name: &HostName, rank: u32| {
            given.get(name).map_or(HIGHEST.saturating_sub(rank).max(1), |priority| priority.get())
        };
        Self((0..).zip(hosts).map(|(rank, (name, host))| (name, host, priority(name, rank))).collect())
    }

    /// The virtual router of one family; none where the entry has no address of it.
    fn instance(
        &self,
        site: &Site<'_>,
        router_id: u32,
        v6: bool,
        problems: &mut Vec<Problem>,
    ) -> Option<VrrpPlan> {
        let vips: Vec<IpAddr> =
            site.entry.vips.iter().copied().filter(|address| address.is_ipv6() == v6).collect();
        if vips.is_empty() {
            return None;
        }
        let (_, _, priority) = *self.0.iter().find(|(name, ..)| *name == site.name)?;
        let highest = self.0.iter().map(|(.., other)| *other).max();
        let advertisement = site.entry.advertisement_interval.map_or(ADVERTISEMENT, Length::milliseconds);
        // version 2 counts in whole seconds, and version 3 knows no password
        let password = site.entry.password.is_some();
        let version = if v6 || (advertisement % 1000 != 0 && !password) { 3 } else { 2 };
        Some(VrrpPlan {
            router_id,
            version,
            interface: String::new(),
            priority,
            first: highest == Some(priority),
            advertisement,
            unicast: if site.entry.multicast { None } else { self.unicast(site, v6, problems) },
            vips,
            authenticated: password && version == 2,
        })
    }

    /// Who speaks to whom; none where there is nobody else.
    fn unicast(&self, site: &Site<'_>, v6: bool, problems: &mut Vec<Problem>) -> Option<Unicast> {
        let main = |host: &Host| host.addresses.iter().copied().find(|address| address.is_ipv6() == v6);
        let Some(from) = main(site.host) else {
            problems.push(problems::without_address(site, v6));
            return None;
        };
        // another host without one has its own problem
        let others = self.0.iter().filter(|(name, ..)| *name != site.name);
        let to: Vec<IpAddr> = others.filter_map(|(_, host, _)| main(host)).collect();
        (!to.is_empty()).then_some(Unicast { from, to })
    }
}
