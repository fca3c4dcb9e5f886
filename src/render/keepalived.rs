//! What the files of keepalived may say.

use crate::plan::{CheckPlan, KeepalivedPlan, VrrpPlan};
use serde::Serialize;
use std::net::IpAddr;

/// The user of the check script on a host; in a container it is root, whose capabilities are those of the
/// container, since images do not have this user.
const SCRIPT_USER: &str = "keepalived_script";

/// What templates see.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Keepalived {
    Configuration(Configuration),
    Check(Check),
    Pod { image: String, restart_digest: String },
    User { user: &'static str },
}

#[derive(Serialize)]
pub(super) struct Configuration {
    router: String,
    user: &'static str,
    unicast: bool,
    preempt: bool,
    check: Health,
    instances: Vec<Instance>,
}

/// When the check runs, and what it takes to be well or ill.
#[derive(Serialize)]
struct Health {
    /// Seconds.
    interval: u64,
    /// Seconds.
    timeout: u64,
    rise: u32,
    fall: u32,
    weight: Option<u32>,
}

#[derive(Serialize)]
struct Instance {
    name: &'static str,
    version: u8,
    state: &'static str,
    interface: String,
    router_id: u32,
    priority: u32,
    /// Seconds.
    advertisement: String,
    authenticated: bool,
    unicast: Option<Unicast>,
    vips: Vec<String>,
    /// Of an address of its own.
    bits: u8,
}

#[derive(Serialize)]
struct Unicast {
    from: String,
    to: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Check {
    /// Seconds, a little less than keepalived gives.
    limit: String,
    port: u32,
    /// In brackets where it is one of IPv6.
    address: String,
    vips: Vec<String>,
}

/// The context of one of keepalived's files; none when nothing renders the path.
pub(super) fn of(path: &str, plan: &KeepalivedPlan, digest: Option<&str>) -> Option<Keepalived> {
    match path {
        "/etc/keepalived/keepalived.conf" => Some(Keepalived::Configuration(configuration(plan))),
        "/etc/keepalived/check_apiserver.sh" => Some(Keepalived::Check(check(&plan.check))),
        "/etc/kubernetes/manifests/keepalived.yaml" => Some(Keepalived::Pod {
            image: plan.image.clone().unwrap_or_default(),
            restart_digest: digest.unwrap_or_default().to_owned(),
        }),
        "/etc/sysusers.d/keepalived-script.conf" => Some(Keepalived::User { user: SCRIPT_USER }),
        _ => None,
    }
}

fn configuration(plan: &KeepalivedPlan) -> Configuration {
    Configuration {
        router: plan.router.clone(),
        user: if plan.in_pod() { "root" } else { SCRIPT_USER },
        unicast: plan.instances.iter().any(|instance| instance.unicast.is_some()),
        preempt: plan.preempt,
        check: health(&plan.check),
        instances: plan.instances.iter().map(|instance| self::instance(instance, plan.preempt)).collect(),
    }
}

fn instance(plan: &VrrpPlan, preempt: bool) -> Instance {
    let v6 = plan.vips.iter().any(IpAddr::is_ipv6);
    Instance {
        name: if v6 { "VI_1_6" } else { "VI_1" },
        version: plan.version,
        // keepalived takes no nopreempt from a MASTER
        state: if plan.first && preempt { "MASTER" } else { "BACKUP" },
        interface: plan.interface.clone(),
        router_id: plan.router_id,
        priority: plan.priority,
        advertisement: seconds(plan.advertisement),
        authenticated: plan.authenticated,
        unicast: plan.unicast.as_ref().map(|unicast| Unicast {
            from: unicast.from.to_string(),
            to: unicast.to.iter().map(ToString::to_string).collect(),
        }),
        vips: plan.vips.iter().map(ToString::to_string).collect(),
        bits: if v6 { 128 } else { 32 },
    }
}

fn health(plan: &CheckPlan) -> Health {
    let CheckPlan { interval, timeout, rise, fall, weight, .. } = *plan;
    Health { interval, timeout, rise, fall, weight }
}

fn check(plan: &CheckPlan) -> Check {
    let address = match plan.address {
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        Some(IpAddr::V4(address)) => address.to_string(),
        None => String::new(),
    };
    Check {
        limit: seconds(plan.timeout * 900),
        port: plan.port,
        address,
        vips: plan.vips.iter().map(ToString::to_string).collect(),
    }
}

/// Milliseconds as seconds.
fn seconds(milliseconds: u64) -> String {
    let (whole, rest) = (milliseconds / 1000, milliseconds % 1000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:03}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn seconds_with_a_fraction_where_there_is_one() {
        assert_eq!(
            [0, 10, 250, 900, 1000, 1800, 40_950].map(seconds),
            ["0", "0.01", "0.25", "0.9", "1", "1.8", "40.95"]
        );
    }
}
