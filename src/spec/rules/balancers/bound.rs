//! API servers that listen on one address: one flag is for all of them.

use super::listeners::bound;
use super::{Entry, Holes, Path, Problem, Spec, entries, hosts_left_out, list, wrong};
use crate::spec::types::{Listen, Provisioner, Role};
use std::net::IpAddr;

const HINT: &str =
    "remove it: an API server listens on all addresses then, and a proxy beside it takes another port";

/// What leads to API servers finds them at the address that they listen on.
pub(in crate::spec::rules) fn bind_address(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let kubernetes = Path::root().key("kubernetes");
    let at = kubernetes.key("apiServer").key("extraArgs").key("bind-address");
    let unknown = [at.clone(), kubernetes.key("provisioner"), list()].iter().any(|path| holes.touch(path));
    if unknown || hosts_left_out(holes) || spec.kubernetes.provisioner == Provisioner::None {
        return;
    }
    let Some(address) = bound(spec) else { return };
    let entries = entries(spec, holes);
    let what = if address.is_loopback() {
        entries.first().map(|entry| format!("{} cannot reach API servers on {address}", entry.path))
    } else if let Some(name) = elsewhere(spec, address) {
        Some(format!("{name} has no address {address}, and this is for all control planes"))
    } else {
        let unserved = entries.iter().find(|entry| is_unserved(spec, &entries, entry));
        unserved.map(|entry| format!("API servers on {address} do not serve the addresses of {}", entry.path))
    };
    problems.extend(what.map(|what| wrong(at, what).hint(HINT)));
}

/// A control plane that does not have an address.
fn elsewhere(spec: &Spec, address: IpAddr) -> Option<&str> {
    let mut control_planes = spec.hosts.iter().filter(|(_, host)| host.has(Role::ControlPlane));
    let without = control_planes
        .find(|(_, host)| !host.addresses.contains(&address) && host.api_address != Some(address))?;
    Some(without.0.as_str())
}

/// Whether virtual addresses come to a control plane where no proxy listens on them.
fn is_unserved(spec: &Spec, entries: &[Entry<'_>], entry: &Entry<'_>) -> bool {
    let proxies =
        entries.iter().filter(|other| other.of.kind.is_proxy() && other.of.listens() == Listen::All);
    let mut control_planes = entry.hosts(spec).filter(|(_, host)| host.has(Role::ControlPlane));
    entry.of.kind.has_vips()
        && control_planes.any(|(_, host)| !proxies.clone().any(|other| other.of.is_on(host)))
}
