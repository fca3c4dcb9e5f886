//! What keepalived cannot do on a host, or not without more.

use super::super::family;
use super::{ADVERTISEMENT, Site};
use crate::spec::scalars::Length;
use crate::spec::types::{BalancerRun, Os};
use crate::spec::{Path, Problem};
use std::net::IpAddr;

/// What is wrong with an entry as one of its hosts sees it.
pub(super) fn of_entry(site: &Site<'_>, problems: &mut Vec<Problem>) {
    if site.entry.run.unwrap_or_default() == BalancerRun::Service && site.settings.os == Os::Flatcar {
        let at = if site.entry.run.is_some() { site.path.key("run") } else { site.path.clone() };
        let message = format!("Flatcar has no package of keepalived, and {} runs it", site.name);
        let hint = "write `run: static-pod` and its `image`, or keep keepalived on other hosts";
        problems.push(Problem::error(at, message).hint(hint));
    }
    interval(site, problems);
}

/// Version 2 has whole seconds up to 255, version 3 hundredths up to 40.95 s.
fn interval(site: &Site<'_>, problems: &mut Vec<Problem>) {
    let Some(interval) = site.entry.advertisement_interval.map(Length::milliseconds) else { return };
    let at = site.path.key("advertisementInterval");
    let whole = interval % ADVERTISEMENT == 0;
    let v6 = site.entry.vips.iter().any(IpAddr::is_ipv6);
    let version3 = v6 || !whole;
    let hint = |text: &str| text.to_owned();
    let problem = if !whole && site.entry.password.is_some() {
        let message = "VRRP with a password counts in whole seconds";
        Some((message.to_owned(), hint("write a number of seconds, or leave `password` out")))
    } else if interval % 10 != 0 {
        Some(("VRRP counts in hundredths of a second".to_owned(), hint("write 10ms to 40s, such as 250ms")))
    } else if version3 && interval > 40_950 {
        Some(("VRRP's version 3 has intervals up to 40.95 s".to_owned(), hint("write 10ms to 40s")))
    } else if interval > 255_000 {
        Some(("VRRP has intervals up to 255 s".to_owned(), hint("write 1s to 255s; the default is 1s")))
    } else {
        None
    };
    problems.extend(problem.map(|(message, hint)| Problem::error(at, message).hint(hint)));
}

/// A host that has no address for the others to speak to.
pub(super) fn without_address(site: &Site<'_>, v6: bool) -> Problem {
    let at = Path::root().key("hosts").key(site.name.as_str()).key("addresses");
    let (name, family) = (site.name, family(v6));
    let message = format!("{name} has no address of {family}, to which keepalived's others would speak");
    Problem::error(at, message)
        .hint(format!("add one, leave out the virtual addresses of {family}, or write `multicast: true`"))
}
