//! On which condition a file exists.

use super::site::Site;
use crate::plan::certs::Place;
use crate::plan::certs::place::ETCD;
use crate::plan::etcd::stateful_set::Part;
use crate::plan::objects::Object;
use crate::plan::preparation::Part as PrepPart;
use crate::plan::{BalancersPlan, KeepalivedPlan, Step, UnitPlan};
use crate::spec::types::{
    ApiServer, BalancerKind, BalancerRun, CaName, ContainerEngine, EtcdRun, GateRun, Join, Provisioner,
    RuntimeKind,
};

/// On which condition a file exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// When something checks the host before the kubelet starts.
    Gated,
    /// When the cluster has a Kubernetes control plane.
    Kubernetes,
    /// When the API servers encrypt what they write.
    Encrypted,
    /// When there are bootstrap tokens.
    Tokens,
    /// When the key of the Kubernetes CA is placed on control planes.
    SigningOnHosts,
    /// While something of this host is replaced in steps, and of etcd's members that join.
    Told,
    /// When a timer verifies the host.
    Timed,
    /// When etcd is a static pod.
    EtcdPod,
    /// The same, and kubeadm makes the control plane.
    KubeadmEtcd,
    /// The same, and nobody but the kubelets makes the control plane.
    StaticPodsEtcd,
    /// When etcd is a unit of systemd, by itself or around a container.
    EtcdUnit,
    /// When etcd runs in a container of podman's.
    EtcdQuadlet,
    /// When it runs in a container of docker's or nerdctl's.
    EtcdContainer,
    /// The same, and its settings stand in variables.
    EtcdVariables,
    /// The same, and they stand in etcd's configuration file.
    EtcdFile,
    /// When etcd is a unit, and something checks the host before it starts.
    EtcdGated,
    /// When etcd is a service of systemd, without a container.
    EtcdService,
    /// When kubeadm makes the control plane.
    Kubeadm,
    /// When nobody but the kubelets makes it.
    StaticPods,
    /// Without kubeadm, on nodes that join with a token.
    Bootstraps,
    /// When the kubelet's unit has variables, and the distribution reads them from this file.
    VariablesIn(&'static str),
    /// When there is a proxy.
    Proxied,
    /// When there is a proxy, and this is the container runtime.
    ProxiedRuntime(RuntimeKind),
    /// When no package brings the kubelet's unit.
    WithoutUnit,
    /// The same, and kubeadm makes the node.
    KubeadmWithoutUnit,
    /// Where kubeadm takes this step, and nodes join in this way.
    Step(Step, Join),
    /// Where kubeadm makes the first control plane.
    Initializes,
    /// Where kubeadm makes any other node.
    Joins,
    /// When the cluster runs already.
    Initialized,
    /// When API servers write an audit log.
    Audit,
    /// When API servers have an `AuthenticationConfiguration`.
    Authentication,
    /// When API servers have an `AdmissionConfiguration`.
    Admission,
    /// When an identity provider has an authority of its own.
    OidcCa,
    /// When the operators have such a thing to apply.
    Applied(Object),
    /// When the operators have such a part of etcd's `StatefulSet`.
    StatefulSet(Part),
    /// When that container runtime fetches images from mirrors.
    Mirrors(RuntimeKind),
    /// Where a balancer of that kind runs so.
    Balanced(BalancerKind, BalancerRun),
    /// Where keepalived runs in any way.
    Keepalived,
    /// Where keepalived runs so, and has a password.
    VrrpPassword(BalancerRun),
    /// Where a balancer of that kind runs in a container of podman's.
    BalancerQuadlet(BalancerKind),
    /// Where it runs in a container of docker's or nerdctl's.
    BalancerContainer(BalancerKind),
    /// Where a preparation has that part.
    Prepared(PrepPart),
    /// Where a preparation limits units, and this is the container runtime.
    Limited(RuntimeKind),
    /// When this is the container runtime of the host's kubelet.
    Runtime(RuntimeKind),
}

impl Site<'_> {
    /// Whether a condition holds here.
    pub(super) fn holds(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Gated => self.kubelet.is_some_and(|kubelet| kubelet.gate.run != GateRun::None),
            When::Kubernetes => self.cluster.service_account.is_some(),
            When::Encrypted => self.cluster.encryption.is_some(),
            When::Tokens => !self.cluster.tokens.is_empty(),
            When::SigningOnHosts => self.spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes),
            When::Told => self.told,
            When::Timed => self.timed,
            When::Mirrors(kind) => {
                let mirrors = &self.spec.container_runtime.registry_mirrors;
                self.pulls_as(kind) && mirrors.values().any(|mirrors| !mirrors.is_empty())
            }
            When::Runtime(kind) => self.kubelet.is_some() && self.spec.container_runtime.kind == kind,
            When::EtcdPod => self.spec.etcd.run == EtcdRun::StaticPod,
            When::KubeadmEtcd => self.holds(When::EtcdPod) && self.holds(When::Kubeadm),
            When::StaticPodsEtcd => self.holds(When::EtcdPod) && self.holds(When::StaticPods),
            When::EtcdUnit => self.unit().is_some(),
            When::EtcdVariables => self.unit().is_some_and(|unit| unit.file.is_none()),
            When::EtcdFile => self.unit().is_some_and(|unit| unit.file.is_some()),
            When::EtcdGated => self.unit().is_some_and(|unit| unit.gate.run != GateRun::None),
            When::EtcdService => self.unit().is_some_and(|unit| unit.service.is_some()),
            When::EtcdQuadlet => self.engine() == Some(ContainerEngine::Podman),
            When::EtcdContainer => {
                matches!(self.engine(), Some(ContainerEngine::Docker | ContainerEngine::Nerdctl))
            }
            When::Kubeadm => self.spec.kubernetes.provisioner == Provisioner::Kubeadm,
            When::StaticPods => self.spec.kubernetes.provisioner == Provisioner::StaticPods,
            When::Bootstraps => {
                let node = self.kubelet.and_then(|kubelet| kubelet.node.as_ref());
                node.is_some_and(|node| node.bootstrap.is_some())
            }
            When::VariablesIn(file) => {
                let variables = self.kubelet.and_then(|kubelet| kubelet.environment.as_ref());
                variables.is_some_and(|variables| variables.file == file)
            }
            When::Proxied => self.kubelet.is_some_and(|kubelet| !kubelet.proxy.is_empty()),
            When::ProxiedRuntime(kind) => {
                self.holds(When::Proxied) && self.spec.container_runtime.kind == kind
            }
            When::WithoutUnit => self.kubelet.is_some_and(|kubelet| kubelet.without_unit),
            When::KubeadmWithoutUnit => self.holds(When::Kubeadm) && self.holds(When::WithoutUnit),
            When::Step(step, join) => self.kubeadm.is_some_and(|plan| (plan.step, plan.join) == (step, join)),
            When::Initializes => self.kubeadm.is_some_and(|plan| plan.step == Step::Init),
            When::Joins => self.kubeadm.is_some_and(|plan| plan.step == Step::Join),
            When::Initialized => self.spec.kubernetes.initialized,
            When::Audit => self.api_server().is_some_and(|own| own.audit.is_some()),
            When::Authentication => self.api_server().is_some_and(|own| own.authentication.is_some()),
            When::Admission => self.api_server().is_some_and(|own| own.admission.is_some()),
            When::OidcCa => {
                self.api_server().and_then(|own| own.oidc.as_ref()).is_some_and(|oidc| oidc.ca.is_some())
            }
            When::Balanced(kind, run) => self.balancers.is_some_and(|plan| plan.run(kind) == Some(run)),
            When::Keepalived => self.keepalived().is_some(),
            When::VrrpPassword(run) => {
                self.keepalived().is_some_and(|plan| plan.run == run && plan.password.is_some())
            }
            When::BalancerQuadlet(kind) => self.balancer_engine(kind) == Some(ContainerEngine::Podman),
            When::BalancerContainer(kind) => {
                matches!(self.balancer_engine(kind), Some(ContainerEngine::Docker | ContainerEngine::Nerdctl))
            }
            When::Prepared(part) => self.preparation.is_some_and(|plan| plan.has(part)),
            When::Limited(kind) => {
                self.holds(When::Prepared(PrepPart::Limits)) && self.spec.container_runtime.kind == kind
            }
            When::StatefulSet(part) => self.stateful_set.is_some_and(|set| set.has(part)),
            When::Applied(object) => self.objects.is_some_and(|objects| objects.has(object)),
        }
    }

    /// Whether something here fetches images as this runtime does: the kubelet's runtime, or what runs a
    /// container of etcd's or of a balancer's.
    fn pulls_as(&self, kind: RuntimeKind) -> bool {
        let as_runtime = |engine: ContainerEngine| match engine {
            // containers-registries.conf(5) is both podman's and CRI-O's
            ContainerEngine::Podman => Some(RuntimeKind::Crio),
            // nerdctl's `hosts_dir` is containerd's by default
            ContainerEngine::Nerdctl => Some(RuntimeKind::Containerd),
            ContainerEngine::Docker => None,
        };
        let balancers = self.balancers.into_iter().flat_map(BalancersPlan::containers);
        let engines = self.engine().into_iter().chain(balancers.map(|container| container.engine));
        self.holds(When::Runtime(kind)) || engines.filter_map(as_runtime).any(|like| like == kind)
    }

    /// What runs a balancer's container here.
    fn balancer_engine(&self, kind: BalancerKind) -> Option<ContainerEngine> {
        self.balancers?.container(kind).map(|container| container.engine)
    }

    /// What runs etcd's container here.
    fn engine(&self) -> Option<ContainerEngine> {
        let member = self.spec.etcd.run == EtcdRun::Container && Place::any(self.here, ETCD);
        member.then_some(self.spec.etcd.container.engine)
    }

    /// The unit of the host's etcd member.
    fn unit(&self) -> Option<&UnitPlan> {
        self.etcd.and_then(|etcd| etcd.unit.as_ref())
    }

    fn keepalived(&self) -> Option<&KeepalivedPlan> {
        self.balancers.and_then(|plan| plan.keepalived.as_ref())
    }

    /// The settings of the API servers, where there are any.
    fn api_server(&self) -> Option<&ApiServer> {
        Some(&self.spec.kubernetes.api_server).filter(|_| self.holds(When::Kubernetes))
    }
}
