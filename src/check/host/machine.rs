//! The machine's identity, against the manifest's: name, machine id, addresses.

use super::Options;
use crate::bundle::manifest::Manifest;
use crate::check::{obstacles, record};
use crate::finding::{Finding, Id};
use crate::rootfs::Root;
use std::net::IpAddr;

/// What says that this is another machine, or that it is not what it should be yet.
pub(super) fn check(root: &Root, manifest: &Manifest, options: &Options<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = name(root, manifest, options).into_iter().collect();
    findings.extend(id(root, manifest));
    findings.extend(addresses(manifest, options));
    findings
}

fn name(root: &Root, manifest: &Manifest, options: &Options<'_>) -> Option<Finding> {
    let name = match record::machine_name(root, options.hostname) {
        Ok(name) => name?,
        Err(error) => return Some(obstacles::finding(&error)),
    };
    if manifest.host.name == record::OPERATOR || record::is_host(&manifest.host.name, &name) {
        return None;
    }
    let mend = "install the bundle of this host, or correct the machine's name";
    Some(
        Finding::new(Id::WrongHost, "/etc/hostname", mend)
            .expected(manifest.host.name.as_str())
            .found(name.escape_debug().to_string()),
    )
}

/// The id, when the manifest pins one.
fn id(root: &Root, manifest: &Manifest) -> Option<Finding> {
    let wanted = manifest.host.machine_id.as_deref()?;
    let mend = "install the bundle of this machine, or correct `machineId` in the spec, build and install";
    let other = Finding::new(Id::WrongHost, record::MACHINE_ID, mend).expected(wanted);
    match record::machine_id(root) {
        Ok(Some(id)) if id == wanted => None,
        Ok(Some(id)) => Some(other.found(id.escape_debug().to_string())),
        Ok(None) => Some(other.found("none")),
        Err(error) => Some(obstacles::finding(&error)),
    }
}

/// At least one address of the manifest is one of the machine's; which others it has does not matter.
///
/// One that is there says whose machine this is. An interface that is down is not this check's, and must not
/// keep a kubelet from starting; while a machine has no address that others reach it by, nothing is known.
fn addresses(manifest: &Manifest, options: &Options<'_>) -> Option<Finding> {
    let here = options.addresses?;
    // the manifest's own rules say that each is an address
    let wanted: Vec<IpAddr> = manifest.host.addresses.iter().filter_map(|it| it.parse().ok()).collect();
    let others: Vec<&IpAddr> = here.iter().filter(|address| is_reachable(address)).collect();
    if wanted.is_empty() || others.is_empty() || wanted.iter().any(|address| here.contains(address)) {
        return None;
    }
    let mend =
        "bring up the interface that has it, or correct the host's addresses in the spec, build and install";
    Some(
        Finding::new(Id::AddressMissing, record::MANIFEST, mend)
            .expected(format!("an interface with {}", told(wanted.iter(), " or ")))
            .found(format!("interfaces with {}", told(others.into_iter(), ", "))),
    )
}

/// Whether others may know a machine by this address: it is no loopback's, and not of one link only.
fn is_reachable(address: &IpAddr) -> bool {
    let of_link = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !address.is_loopback() && !of_link
}

/// The most addresses that are told: nodes have one for each service.
const MOST_TOLD: usize = 8;

fn told<'a>(addresses: impl ExactSizeIterator<Item = &'a IpAddr>, between: &str) -> String {
    let more = addresses.len().saturating_sub(MOST_TOLD);
    let told: Vec<String> = addresses.take(MOST_TOLD).map(ToString::to_string).collect();
    let told = told.join(between);
    if more == 0 { told } else { format!("{told} and {more} more") }
}
