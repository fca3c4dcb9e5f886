//! Under what balancers can run.

use super::{Holes, Problem, Spec, entries, hosts_left_out, wrong};
use crate::spec::types::{BalancerKind, BalancerPlace, BalancerRun, EtcdRun, Host, Provisioner, Role};

/// kube-vip is a static pod, and keepalived has no container outside of one.
pub(in crate::spec::rules) fn runs(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in entries(spec, holes) {
        let Some(run) = entry.of.run else { continue };
        let problem = match entry.of.kind {
            BalancerKind::KubeVip if run != BalancerRun::StaticPod => Some((
                format!("kube-vip is a static pod, and `{}` is none", run.name()),
                "remove it, or write `run: static-pod`",
            )),
            BalancerKind::Keepalived if run == BalancerRun::Container => Some((
                "keepalived has no container of its own".to_owned(),
                "write `run: service` or `run: static-pod`",
            )),
            _ => None,
        };
        if let Some((what, hint)) = problem {
            problems.push(wrong(entry.path.key("run"), what).hint(hint));
        }
    }
}

/// A static pod needs a kubelet, and one that starts before the API server is needed.
pub(in crate::spec::rules) fn static_pods(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in entries(spec, holes) {
        if entry.of.run != Some(BalancerRun::StaticPod) {
            continue;
        }
        let at = entry.path.key("run");
        let kubeadm = spec.kubernetes.provisioner == Provisioner::Kubeadm;
        if kubeadm && entry.of.kind.is_proxy() && entry.of.on == Some(BalancerPlace::Node) {
            // kubeadm's `discovery`: the join reads cluster-info before it starts the kubelet
            let what = "`kubeadm join` speaks to the endpoint before the kubelet runs, so a proxy in a static \
                        pod cannot serve it";
            problems.push(wrong(at.clone(), what).hint("write `run: service` or `run: container`"));
        }
        if hosts_left_out(holes) {
            continue;
        }
        let without: Vec<_> = entry.hosts(spec).filter(|(_, host)| !has_kubelet(spec, host)).collect();
        if let Some((name, _)) = without.first() {
            let others = match without.len() {
                1 => String::new(),
                number => format!(", nor on {} more hosts", number - 1),
            };
            let what = format!("no kubelet runs on {name}{others}");
            problems.push(wrong(at, what).hint("write `run: service` or, of a proxy, `run: container`"));
        }
    }
}

/// Whether a kubelet runs on a host.
fn has_kubelet(spec: &Spec, host: &Host) -> bool {
    host.is_node() || (host.has(Role::Etcd) && spec.etcd.run == EtcdRun::StaticPod)
}
