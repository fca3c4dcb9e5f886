//! What runs containers on a host.

use super::types::{BalancerRun, ContainerEngine, EtcdRun, Host, Role, RuntimeKind, Spec};

impl Spec {
    /// Whether a host runs a kubelet: as a node, or as the service manager of etcd's pod.
    pub fn has_kubelet(&self, host: &Host) -> bool {
        host.is_node() || (self.etcd.run == EtcdRun::StaticPod && host.has(Role::Etcd))
    }

    /// Whether a host's kubelet runs its pods by this runtime.
    pub fn pods_run_by(&self, kind: RuntimeKind, host: &Host) -> bool {
        self.has_kubelet(host) && self.container_runtime.kind == kind
    }

    /// Whether nerdctl runs a container on a host: etcd's, or a balancer's.
    pub fn has_nerdctl(&self, host: &Host) -> bool {
        let etcd = self.etcd.run == EtcdRun::Container
            && self.etcd.container.engine == ContainerEngine::Nerdctl
            && host.has(Role::Etcd);
        let mut balancers = self.load_balancers.iter().filter(|balancer| balancer.is_on(host));
        etcd || balancers.any(|balancer| {
            balancer.run == Some(BalancerRun::Container) && balancer.engine == Some(ContainerEngine::Nerdctl)
        })
    }

    /// Whether something runs containers by containerd on a host.
    pub fn has_containerd(&self, host: &Host) -> bool {
        self.pods_run_by(RuntimeKind::Containerd, host) || self.has_nerdctl(host)
    }
}
