//! Settings of etcd that only some ways to run it give a meaning.

use super::{Holes, Path, Problem, Spec};
use crate::spec::types::{CertificateId, EtcdCertificates, EtcdConfig, EtcdRun, Role};

fn etcd() -> Path {
    Path::root().key("etcd")
}

/// What means nothing to the way in which etcd runs, or to the certificates that it has.
pub(super) fn pointless(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if holes.touch(&etcd().key("run")) {
        return;
    }
    let of = &spec.etcd;
    let service = of.run == EtcdRun::Systemd;
    let written = [
        (!service && of.program.is_some(), "program", "systemd"),
        (!service && of.user.name.is_some(), "user.name", "systemd"),
        (!of.run.is_unit() && of.user.uid.is_some(), "user.uid", "systemd` or `container"),
        (!of.run.is_unit() && of.user.gid.is_some(), "user.gid", "systemd` or `container"),
        (!of.run.is_unit() && of.config != EtcdConfig::Environment, "config", "systemd` or `container"),
    ];
    for (_, field, run) in written.into_iter().filter(|(written, ..)| *written) {
        let at = field.split('.').fold(etcd(), |path, key| path.key(key));
        let message = format!("{at} means nothing to etcd with `run: {}`", of.run.name());
        problems.push(Problem::warning(at, message).hint(format!("remove it, or write `run: {run}`")));
    }
    gates(spec, problems);
    certificates(spec, holes, problems);
}

/// Under a kubelet, it is the kubelet that has a gate.
fn gates(spec: &Spec, problems: &mut Vec<Problem>) {
    if spec.etcd.run.is_unit() {
        return;
    }
    let roles = spec
        .roles
        .iter()
        .map(|(role, layer)| (Path::root().key("roles").key(role.name()).key("etcd"), &layer.etcd.gate));
    let hosts = super::hosts(spec).map(|(path, _, host)| (path.key("etcd"), &host.etcd.gate));
    for (path, gate) in [(etcd(), &spec.etcd.gate)].into_iter().chain(roles).chain(hosts) {
        if gate.run.is_some() || gate.tolerate.is_some() || gate.program.is_some() {
            let at = path.key("gate");
            let message = format!("{at} means nothing to etcd with `run: {}`", spec.etcd.run.name());
            let hint = "remove it, or write `run: systemd` or `run: container`; under a kubelet, `kubelet.gate` holds";
            problems.push(Problem::warning(at, message).hint(hint));
        }
    }
}

/// Settings of certificates that no member has.
fn certificates(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if holes.touch(&etcd().key("certificates")) {
        return;
    }
    let shared = spec.etcd.certificates == EtcdCertificates::Shared;
    let (unused, instead): (&[_], _) = if shared {
        (&[CertificateId::EtcdServer, CertificateId::EtcdPeer], "etcd-shared")
    } else {
        (&[CertificateId::EtcdShared], "etcd-server` and `etcd-peer")
    };
    for id in unused.iter().filter(|id| spec.pki.certificates.contains_key(id)) {
        let at = Path::root().key("pki").key("certificates").key(id.name());
        let kind = if shared { "shared" } else { "member" };
        let message = format!("{at} means nothing with `etcd.certificates: {kind}`");
        problems.push(Problem::warning(at, message).hint(format!("write it of `{instead}`")));
    }
}

/// Plain http is served to whoever can reach it: in a pod on the host's network, too, and kubeadm's probes
/// and API servers expect TLS there.
pub(super) fn plain_loopback(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let at = etcd().key("plainLoopback");
    if !spec.etcd.plain_loopback || holes.touch(&etcd().key("run")) {
        return;
    }
    if !spec.etcd.run.is_unit() {
        let message = format!("{at}: with `run: {}` etcd serves TLS on loopback", spec.etcd.run.name());
        problems
            .push(Problem::error(at, message).hint("remove it, or write `run: systemd` or `run: container`"));
    } else if spec
        .hosts
        .values()
        .any(|host| host.roles.contains(&Role::Etcd) && host.roles.iter().any(|role| *role != Role::Etcd))
    {
        let message =
            format!("{at}: pods on the network of a member's host reach all of etcd without a password");
        problems.push(Problem::warning(at, message).hint("remove it, or put etcd on hosts of its own"));
    }
}
