use super::{FileRow, RowSource, When, rows};
use crate::plan::Policy;
use crate::plan::certs::{CERTS, Place};
use crate::spec::types::{BalancerKind, Join, Role};
use std::collections::BTreeSet;

#[test]
fn paths_are_absolute_and_sorted_and_no_host_has_one_twice() {
    let paths: Vec<_> = rows().map(|row| row.path).collect();
    assert!(paths.iter().all(|path| path.starts_with("/etc/") || path.starts_with("/var/lib/kubelet/")));
    let places =
        |path: &str| -> Vec<_> { rows().filter(|row| row.path == path).flat_map(|row| row.on).collect() };
    for path in paths.iter().collect::<BTreeSet<_>>() {
        // a member lies on a control plane or alone, never both, and a host that it is alone on is no node
        let node_or_alone = [&Place::EtcdAlone, &Place::Role(Role::ControlPlane), &Place::Role(Role::Worker)];
        let one = places(path).len() == rows().find(|row| row.path == *path).map_or(0, |row| row.on.len());
        let member = [&Place::EtcdAlone, &Place::Stacked];
        // of kubeadm's configurations, one is a secret and the other one is not
        let steps = rows().filter(|row| row.path == *path);
        let mut steps =
            steps.filter_map(|row| if let When::Step(_, join) = row.when { Some(join) } else { None });
        let by_join = (steps.next(), steps.next(), steps.next());
        let apart = by_join == (Some(Join::Certificates), Some(Join::Token), None);
        let places = places(path);
        // kubeadm's manifest or ours
        let whens: Vec<_> = rows().filter(|row| row.path == *path).map(|row| row.when).collect();
        let either = whens.ends_with(&[When::Kubeadm, When::StaticPods])
            || whens == [When::EtcdPod, When::KubeadmEtcd, When::StaticPodsEtcd]
            // of etcd's unit, by itself or around a container
            || whens.ends_with(&[When::EtcdContainer])
            || whens == [When::Initializes, When::Joins, When::StaticPods];
        // of a balancer, by what it runs under
        let either = either || by_run(&whens);
        assert!(one || apart || either || places == member || places == node_or_alone, "{path}");
    }
}

/// Whether conditions are those of one balancer that runs in different ways.
fn by_run(whens: &[When]) -> bool {
    let of = |when: &When| match *when {
        When::Balanced(kind, run) => Some((kind, run)),
        When::VrrpPassword(run) => Some((BalancerKind::Keepalived, run)),
        _ => None,
    };
    let all: Option<Vec<_>> = whens.iter().map(of).collect();
    let kinds: BTreeSet<_> = all.iter().flatten().map(|(kind, _)| kind).collect();
    let runs: BTreeSet<_> = all.iter().flatten().map(|(_, run)| run).collect();
    all.is_some() && kinds.len() == 1 && runs.len() == whens.len()
}

#[test]
fn no_file_of_this_table_collides_with_a_certificate() {
    for row in CERTS {
        for path in [Some(row.public_path()), row.key_path()].into_iter().flatten() {
            // a node has a kubelet.conf of ours or its kubelet's own
            let other = |file: &FileRow| file.path != path || file.policy == Policy::Foreign;
            assert!(rows().all(other), "{path} stands in both tables");
        }
    }
}

#[test]
fn what_others_write_is_foreign_and_the_verify_key_is_managed() {
    for row in rows() {
        assert_eq!(row.policy == Policy::Foreign, row.source == RowSource::Foreign, "{}", row.path);
        assert!(row.source != RowSource::VerifyKey || row.policy == Policy::Managed, "{}", row.path);
    }
}

#[test]
fn secrets_are_for_their_owner_alone() {
    let secret = |source| {
        matches!(
            source,
            RowSource::VerifyKey
                | RowSource::EncryptionConfig
                | RowSource::BootstrapTokens
                | RowSource::BootstrapKubeconfig
                | RowSource::KubeadmConfiguration
        )
    };
    for row in rows().filter(|row| secret(row.source)) {
        assert_eq!(row.mode, 0o600, "{}", row.path);
    }
}
