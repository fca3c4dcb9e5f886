//! Settings of etcd that mean nothing to the way in which it runs.

use super::{Holes, Path, Problem, Spec, etcd};
use crate::spec::types::{
    CertificateId, ContainerEngine, Etcd, EtcdCertificates, EtcdConfig, EtcdRun, EtcdUrls,
};
use EtcdRun::{Container, StaticPod, Systemd};

/// A field, and what it means something to.
struct Field {
    path: &'static str,
    runs: &'static [EtcdRun],
    is_written: fn(&Etcd) -> bool,
}

const fn field(path: &'static str, runs: &'static [EtcdRun], is_written: fn(&Etcd) -> bool) -> Field {
    Field { path, runs, is_written }
}

const SERVICE: &[EtcdRun] = &[Systemd];
const CONTAINER: &[EtcdRun] = &[Container];
const UNIT: &[EtcdRun] = &[Systemd, Container];
const ON_HOSTS: &[EtcdRun] = &[StaticPod, Systemd, Container];

/// What is an error elsewhere, such as `plainLoopback`, is not here.
const FIELDS: &[Field] = &[
    field("dataDir", ON_HOSTS, |of| of.data_dir.is_some()),
    field("walDir", ON_HOSTS, |of| of.wal_dir.is_some()),
    field("urls", ON_HOSTS, |of| of.urls != EtcdUrls::Address),
    field("certificates", ON_HOSTS, |of| of.certificates != EtcdCertificates::Member),
    field("tuning.metrics.listen", ON_HOSTS, |of| of.tuning.metrics.listen.is_some()),
    field("tuning.metrics.port", ON_HOSTS, |of| of.tuning.metrics.port.is_some()),
    field("program", SERVICE, |of| of.program.is_some()),
    field("user.name", SERVICE, |of| of.user.name.is_some()),
    field("user.uid", UNIT, |of| of.user.uid.is_some()),
    field("user.gid", UNIT, |of| of.user.gid.is_some()),
    field("config", UNIT, |of| of.config != EtcdConfig::Environment),
    field("container.engine", CONTAINER, |of| of.container.engine != ContainerEngine::default()),
    field("container.program", CONTAINER, |of| of.container.program.is_some()),
];

/// What means nothing to the way in which etcd runs.
pub(in crate::spec::rules) fn fields(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if holes.touch(&etcd().key("run")) {
        return;
    }
    let run = spec.etcd.run;
    for field in FIELDS.iter().filter(|field| !field.runs.contains(&run) && (field.is_written)(&spec.etcd)) {
        let at = field.path.split('.').fold(etcd(), |path, key| path.key(key));
        problems.push(nothing(at, run).hint(instead(field.runs)));
    }
}

fn nothing(at: Path, run: EtcdRun) -> Problem {
    let message = format!("{at} means nothing to etcd with `run: {}`", run.name());
    Problem::warning(at, message)
}

fn instead(runs: &[EtcdRun]) -> String {
    if runs == ON_HOSTS {
        return "remove it; the settings of members there stand under `etcd.statefulSet`".to_owned();
    }
    let runs: Vec<_> = runs.iter().map(|run| format!("`run: {}`", run.name())).collect();
    format!("remove it, or write {}", runs.join(" or "))
}

/// The gate of etcd's unit, in every layer: under a kubelet, it is the kubelet that has a gate.
pub(in crate::spec::rules) fn gates(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let run = spec.etcd.run;
    if run.is_unit() || holes.touch(&etcd().key("run")) {
        return;
    }
    let roles = spec
        .roles
        .iter()
        .map(|(role, layer)| (Path::root().key("roles").key(role.name()).key("etcd"), &layer.etcd.gate));
    let hosts = super::hosts(spec).map(|(path, _, host)| (path.key("etcd"), &host.etcd.gate));
    for (path, gate) in [(etcd(), &spec.etcd.gate)].into_iter().chain(roles).chain(hosts) {
        if gate.is_written() {
            let kubelets = if run == StaticPod { "; under a kubelet, `kubelet.gate` holds" } else { "" };
            problems.push(nothing(path.key("gate"), run).hint(instead(UNIT) + kubelets));
        }
    }
}

/// Settings of certificates that no member has.
pub(in crate::spec::rules) fn certificates(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if holes.touch(&etcd().key("run")) || holes.touch(&etcd().key("certificates")) {
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
