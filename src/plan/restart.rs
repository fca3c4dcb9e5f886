//! What can restart where: a row of the tables names all that reads its file, and no host runs all of it.

use super::certs::Place;
use super::certs::place::{CONTROL_PLANE, ETCD, HOSTS, NODES};
use crate::spec::types::EtcdRun;

/// The places that run a target. What is not listed runs wherever its file lies.
const RUN_ON: &[(&str, &[Place])] = &[
    ("static-pod/etcd", ETCD),
    ("static-pod/keepalived", NODES),
    ("static-pod/haproxy", HOSTS),
    ("static-pod/kube-apiserver", CONTROL_PLANE),
    ("static-pod/kube-controller-manager", CONTROL_PLANE),
    ("static-pod/kube-scheduler", CONTROL_PLANE),
    ("static-pod/nginx", HOSTS),
];

/// Those of a row's targets that can exist on a host. Rows name etcd as the pod that it mostly is.
pub(super) fn targets(row: &'static [&'static str], here: &[Place], etcd: EtcdRun) -> Vec<&'static str> {
    let runs = |target: &&&str| {
        RUN_ON.iter().find(|(name, _)| name == *target).is_none_or(|(_, places)| Place::any(here, places))
    };
    let named = |target: &&'static str| match *target {
        "static-pod/etcd" if etcd.is_unit() => "unit/etcd",
        other => other,
    };
    row.iter().filter(runs).map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::{Place, RUN_ON, targets};
    use crate::plan::certs::CERTS;
    use crate::plan::files;
    use crate::spec::types::{EtcdRun, Role};

    #[test]
    fn every_static_pod_of_the_tables_has_its_places() {
        let rows = files::rows().map(|row| row.restart).chain(CERTS.iter().map(|row| row.restart));
        let unknown: Vec<_> = rows
            .flatten()
            .filter(|target| {
                target.starts_with("static-pod/") && RUN_ON.iter().all(|(name, _)| name != *target)
            })
            .collect();
        assert_eq!(unknown, [&""; 0]);
    }

    #[test]
    fn a_host_restarts_what_it_runs() {
        let all = &["static-pod/etcd", "static-pod/kube-apiserver", "kubelet", "unit/nginx"];
        let on = |roles: &[Role]| {
            let here: Vec<_> = roles.iter().copied().map(Place::Role).collect();
            targets(all, &here, EtcdRun::StaticPod)
        };
        assert_eq!(on(&[Role::Etcd]), ["static-pod/etcd", "kubelet", "unit/nginx"]);
        assert_eq!(on(&[Role::ControlPlane]), ["static-pod/kube-apiserver", "kubelet", "unit/nginx"]);
        assert_eq!(on(&[Role::Etcd, Role::ControlPlane]), *all);
        assert_eq!(on(&[Role::Worker]), ["kubelet", "unit/nginx"]);
        let unit = targets(all, &[Place::Role(Role::Etcd)], EtcdRun::Container);
        assert_eq!(unit, ["unit/etcd", "kubelet", "unit/nginx"]);
    }
}
