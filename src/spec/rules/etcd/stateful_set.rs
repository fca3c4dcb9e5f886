//! etcd in a cluster that exists: what its `StatefulSet` needs, and what means nothing to it.

use super::{Holes, Path, Problem, Spec, etcd};
use crate::spec::scalars::Quantity;
use crate::spec::types::{EtcdRun, EtcdStatefulSet, Provisioner, Role, StatefulSetCertificates};

/// The section and the way to run it belong together; no machine and no control plane beside it.
pub(in crate::spec::rules) fn alone(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let run = etcd().key("run");
    if holes.touch(&run) {
        return;
    }
    let section = etcd().key("statefulSet");
    if spec.etcd.run != EtcdRun::StatefulSet {
        if spec.etcd.stateful_set.is_some() {
            let message = format!("{section}: etcd runs as `{}`", spec.etcd.run.name());
            problems.push(
                Problem::error(section, message).hint("write `run: statefulset`, or remove the section"),
            );
        }
        return;
    }
    let provisioner = Path::root().key("kubernetes").key("provisioner");
    if spec.kubernetes.provisioner != Provisioner::None && !holes.touch(&provisioner) {
        let message = format!("{provisioner}: a StatefulSet runs in a cluster that exists");
        problems.push(Problem::error(provisioner, message).hint(
            "write `provisioner: none`; the etcd of a cluster that sealift makes cannot run in that cluster",
        ));
    }
    for (path, name, _) in super::hosts(spec).filter(|(_, _, host)| host.has(Role::Etcd)) {
        let message = format!("{name} is an etcd member, and etcd runs in a StatefulSet");
        problems.push(
            Problem::error(path.key("roles"), message)
                .hint("write `hosts: {}`: the cluster's own nodes run the members"),
        );
    }
}

/// Its Secrets are the operators': no host has a key.
pub(in crate::spec::rules) fn ca_keys(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if spec.etcd.run != EtcdRun::StatefulSet || holes.touch(&etcd().key("run")) {
        return;
    }
    if !spec.pki.ca_keys_on_hosts.is_empty() {
        let at = Path::root().key("pki").key("caKeysOnHosts");
        let message = format!("{at} means nothing to etcd in a StatefulSet");
        problems.push(Problem::warning(at, message).hint("remove it"));
    }
}

/// What its fields say of each other.
pub(in crate::spec::rules) fn settings(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let Some(of) = &spec.etcd.stateful_set else { return };
    let at = etcd().key("statefulSet");
    let manager = of.certificates == StatefulSetCertificates::CertManager;
    if of.issuer.is_some() && !manager && !holes.touch(&at.key("certificates")) {
        let at = at.key("issuer");
        let message = format!("{at} means nothing to certificates of the build");
        problems.push(
            Problem::error(at, message).hint("write `certificates: cert-manager`, or remove the issuer"),
        );
    }
    if manager && spec.pki.cas.etcd.is_written() {
        let at = Path::root().key("pki").key("cas").key("etcd");
        let message = format!("{at} means nothing where cert-manager makes the certificates");
        problems.push(
            Problem::warning(at, message)
                .hint("remove it, or write `certificates: sealift` under `etcd.statefulSet`"),
        );
    }
    let (asked, limit) = (&of.resources.requests, &of.resources.limits);
    for (name, asked, limit) in [("cpu", &asked.cpu, &limit.cpu), ("memory", &asked.memory, &limit.memory)] {
        let (Some(asked), Some(limit)) = (asked, limit) else { continue };
        if asked.thousandths() > limit.thousandths() {
            let at = at.key("resources").key("requests").key(name);
            let message = format!("{at}: a pod that asks for {asked} cannot be held to {limit}");
            problems.push(Problem::error(at, message).hint("write a limit that is not below the request"));
        }
    }
    let wal = of.wal_storage.as_ref().and_then(|wal| wal.size.as_ref());
    for (field, size) in [("storage", of.storage.size.as_ref()), ("walStorage", wal)] {
        if let Some(size) = size.filter(|size| too_small(size)) {
            let at = at.key(field).key("size");
            let message = format!("{at}: {size} is too small for etcd");
            problems.push(Problem::warning(at, message).hint(
                "a write-ahead log alone takes 64 MB a segment, five of them are kept; write 1Gi or more",
            ));
        }
    }
    longest_name(spec, of, problems);
}

/// Below a GB (etcd's `wal.SegmentSizeBytes` is 64 MB, and `--max-wals` is 5).
fn too_small(size: &Quantity) -> bool {
    size.thousandths() < 1_000_000_000_000
}

/// A pod's whole name is one of DNS.
fn longest_name(spec: &Spec, of: &EtcdStatefulSet, problems: &mut Vec<Problem>) {
    const LONGEST: usize = 253;
    let (name, namespace, domain) = (&of.name, &of.namespace, &spec.kubernetes.cluster_domain);
    let longest = format!("{name}-0.{name}.{namespace}.svc.{domain}");
    if longest.len() > LONGEST {
        let at = etcd().key("statefulSet").key("name");
        let message = format!("{at}: the names of its pods in DNS are longer than {LONGEST} characters");
        problems.push(Problem::error(at, message).hint("take a shorter name or namespace"));
    }
}
