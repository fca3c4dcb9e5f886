//! Kubelets that there are not: etcd that is a unit needs none, nor does a load balancer.

use super::{Holes, Path, Problem, Spec};
use crate::spec::layers::{Layer, layers};
use crate::spec::types::{EtcdRun, Host, Kubelet, Role};

/// Settings of kubelets where none runs.
pub(super) fn none(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let hosts = Path::root().key("hosts");
    let run = Path::root().key("etcd").key("run");
    if holes.touch(&hosts) || holes.touch(&run) {
        return;
    }
    let pods = spec.etcd.run == EtcdRun::StaticPod;
    let has_kubelet = |host: &Host| host.is_node() || (pods && host.has(Role::Etcd));
    for Layer { path, role, host, .. } in layers(spec).filter(|layer| is_written(layer.kubelet)) {
        let of_layer = |host: &&Host| role.is_none_or(|role| host.has(role));
        let mut of_all = spec.hosts.values().filter(of_layer);
        let nobody = spec.hosts.values().filter(of_layer).count() == 0;
        let runs = host.map_or_else(|| of_all.any(has_kubelet), has_kubelet);
        // a skeleton has settings before it has hosts
        let skeleton = pods && host.is_none() && nobody;
        if !runs && !skeleton {
            let at = path.key("kubelet");
            let message = format!("{at} means nothing: no kubelet runs there");
            let etcd =
                !pods && host.is_none_or(|host| host.has(Role::Etcd)) && role != Some(Role::LoadBalancer);
            let gate = "remove it; what must hold before etcd starts stands under `etcd.gate`";
            let hint = if etcd { gate } else { "remove it" };
            problems.push(Problem::warning(at, message).hint(hint));
        }
    }
}

fn is_written(kubelet: &Kubelet) -> bool {
    let Kubelet { gate, cgroup_driver, container_runtime_endpoint, program, config, extra_args, environment } =
        kubelet;
    let own = cgroup_driver.is_some() || container_runtime_endpoint.is_some() || program.is_some();
    gate.is_written() || own || !config.is_empty() || !extra_args.is_empty() || !environment.is_empty()
}

#[cfg(test)]
mod tests {
    use crate::spec;

    const CLUSTER: &str = include_str!("../../plan/tests/cluster.yaml");

    /// The paths that are told of, for a cluster with one host of etcd alone.
    fn told(run: &str, more: &str, of_host: &str) -> Vec<String> {
        let text = CLUSTER.replacen("{run: static-pod}", &format!("{{run: {run}, version: 3.6.8}}"), 1);
        let host = format!(
            "hosts:\n  e1: {{addresses: [192.0.2.99], roles: [etcd], recipients: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]{of_host}}}\n"
        );
        let text = text.replacen("hosts:\n", &host, 1) + more;
        let problems = spec::load(&text).problems;
        let of_kubelets =
            problems.into_iter().filter(|problem| problem.message.ends_with("no kubelet runs there"));
        of_kubelets.map(|problem| problem.path).collect()
    }

    #[test]
    fn where_none_runs() {
        let kubelet = ", kubelet: {config: {maxPods: 9}}";
        assert_eq!(told("systemd", "kubelet: {config: {maxPods: 9}}\n", ""), [""; 0]);
        assert_eq!(told("container", "", kubelet), ["hosts.e1.kubelet"]);
        assert_eq!(told("systemd", "roles: {worker: {kubelet: {gate: {run: none}}}}\n", ""), [""; 0]);
        assert_eq!(
            told("systemd", "roles: {etcd: {kubelet: {gate: {run: none}}}}\n", kubelet),
            ["hosts.e1.kubelet"]
        );
        assert_eq!(told("static-pod", "", kubelet), [""; 0]);
    }
}
