//! What kubeadm cannot say of the members that it makes on control planes: they are all alike, in one
//! pod each with the data directory and certificates in it.

use crate::plan::EtcdPlan;
use crate::plan::etcd::{Setting, field_of};
use crate::plan::releases::EtcdProbes;
use crate::plan::settings::Settings;
use crate::spec::Problem;

/// What is wrong with one member.
pub(super) fn problems(member: &EtcdPlan, settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let wal = settings.etcd.wal_dir.as_ref();
    if let Some(wal) = wal.filter(|_| member.wal_apart().is_some()) {
        let message = format!(
            "kubeadm mounts nothing but {} into etcd's pod, and {} is not in it",
            member.data_dir, wal.value
        );
        let hint =
            format!("write a directory below it, such as {}/wal, and mount the disk there", member.data_dir);
        problems.push(Problem::error(wal.path.clone(), message).hint(hint));
    }
    if member.probes != member.kubeadm_probes && member.kubeadm_probes == EtcdProbes::Livez {
        let message = format!(
            "kubeadm of {} probes etcd at /livez, which etcd {} does not answer",
            member.kubernetes, member.version
        );
        problems.push(Problem::error(path(settings, "version"), message).hint("run etcd 3.5.11 or newer"));
    }
    problems
}

/// Settings that differ from those of another member.
pub(super) fn differences(member: &EtcdPlan, other: &EtcdPlan, settings: &Settings) -> Vec<Problem> {
    let (own, others) = (member.beyond_defaults(), other.beyond_defaults());
    let lacks = |in_them: &[Setting], setting: &Setting| !in_them.contains(setting);
    let differing = own
        .iter()
        .filter(|setting| lacks(&others, setting))
        .chain(others.iter().filter(|setting| lacks(&own, setting)));
    // image and data directory have a line of their own
    let mut names: Vec<&str> =
        differing.map(|setting| setting.name.as_str()).filter(|name| *name != "data-dir").collect();
    names.sort_unstable();
    names.dedup();
    let problem = |name: &str| {
        let message = format!(
            "kubeadm gives all members of etcd on control planes the same flags, and these have different --{name}"
        );
        let hint = if name == "listen-metrics-urls" {
            "write `listen: loopback` or `listen: all` under `etcd.tuning.metrics`: `host` is another address on each"
        } else {
            "write it under `etcd`, for all"
        };
        Problem::error(path(settings, name), message).hint(hint)
    };
    names.into_iter().map(problem).collect()
}

/// Where in the spec a flag of a member comes from.
fn path(settings: &Settings, flag: &str) -> String {
    let of = &settings.etcd;
    if let Some(extra) = of.extra_args.get(flag) {
        return extra.path.clone();
    }
    match field_of(flag) {
        Some("metrics") => ["metrics.listen", "metrics.port"]
            .iter()
            .find_map(|field| of.tuning.paths.get(field).cloned())
            .unwrap_or_else(|| "etcd".to_owned()),
        Some(field) => of.tuning.path(field),
        None if flag == "wal-dir" => {
            of.wal_dir.as_ref().map_or_else(|| "etcd".to_owned(), |wal| wal.path.clone())
        }
        None if flag == "version" => {
            if of.version.is_some() {
                "etcd.version".to_owned()
            } else {
                "etcd".to_owned()
            }
        }
        None => "etcd".to_owned(),
    }
}
