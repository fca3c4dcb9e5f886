//! How keepalived's host asks whether it may hold the addresses.

use super::Site;
use crate::spec::scalars::Length;
use crate::spec::types::{Listen, LoadBalancer, Role};
use crate::spec::{Path, Problem};
use serde::Serialize;
use std::net::IpAddr;

/// How health is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckPlan {
    /// Seconds between two checks.
    pub interval: u64,
    /// Seconds that one may take.
    pub timeout: u64,
    /// After how many good ones the host is well again.
    pub rise: u32,
    /// After how many bad ones it is not.
    pub fall: u32,
    /// By how much the priority falls; without it the host gives the addresses up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// Where the API server is asked, or the proxy before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The TCP port, there and at the virtual addresses.
    pub port: u32,
    /// All virtual addresses.
    pub vips: Vec<IpAddr>,
}

/// The check of a host; none where there is nothing to ask.
pub(super) fn plan(site: &Site<'_>, problems: &mut Vec<Problem>) -> Option<CheckPlan> {
    let (spec, of) = (site.shared.spec, &site.entry.check);
    let path = site.path.key("check");
    // one that listens elsewhere serves no virtual address
    let serves = |other: &&LoadBalancer| other.kind.is_proxy() && other.listens() == Listen::All;
    let here = || spec.load_balancers.iter().filter(serves).filter(|other| other.is_on(site.host));
    // of two, the one that clients come by
    let at_the_endpoint = here().find(|other| other.port_of(spec) == spec.front().port);
    let proxy = at_the_endpoint.or_else(|| here().next());
    let port = match proxy {
        Some(proxy) => proxy.port_of(spec),
        None if site.host.has(Role::ControlPlane) => spec.kubernetes.api_port.get(),
        // a rule of specs tells it
        None => return None,
    };
    let mut whole =
        |field: &str, length: Option<Length>, default| seconds(&path.key(field), length, default, problems);
    Some(CheckPlan {
        interval: whole("interval", of.interval, 3),
        timeout: whole("timeout", of.timeout, 2),
        rise: of.rise.unwrap_or(2),
        fall: of.fall.unwrap_or(3),
        weight: of.weight,
        address: site.host.advertise_address(),
        port,
        vips: site.entry.vips.clone(),
    })
}

/// keepalived has checks in whole seconds.
fn seconds(at: &Path, length: Option<Length>, default: u64, problems: &mut Vec<Problem>) -> u64 {
    let Some(length) = length else { return default };
    let milliseconds = length.milliseconds();
    if milliseconds % 1000 != 0 || milliseconds > 3_600_000 {
        let message = format!("{at}: keepalived counts in whole seconds, and {length} is none or too long");
        problems.push(Problem::error(at.clone(), message).hint("write 1s to 1h"));
    }
    milliseconds / 1000
}
