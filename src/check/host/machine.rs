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

/// Every address of the manifest is one of the machine's. Which others it has does not matter.
fn addresses(manifest: &Manifest, options: &Options<'_>) -> Vec<Finding> {
    let Some(here) = options.addresses else { return Vec::new() };
    let missing = manifest.host.addresses.iter().filter(|address| {
        // the manifest's own rules say that it is an address
        address.parse::<IpAddr>().is_ok_and(|address| !here.contains(&address))
    });
    let mend =
        "bring up the interface that has it, or correct the host's addresses in the spec, build and install";
    missing
        .map(|address| {
            Finding::new(Id::AddressMissing, record::MANIFEST, mend)
                .expected(format!("{address} on an interface of this machine"))
                .found("no interface has it")
        })
        .collect()
}
