//! One typed context per template: all that it may say.

use super::container::Container;
use super::etcd::container;
use super::etcd::health::{self, EtcdHealth};
use super::etcd::stateful_set::{self, StatefulSet};
use super::etcd::unit::{self, Etcd};
use super::hosts::{self, Hosts};
use super::keepalived;
use super::kube_vip;
use super::kubeadm;
use super::kubelet::{self, Kubelet};
use super::objects::{self, Objects};
use super::pod::{self, EtcdPod, Pod};
use super::proxy;
use super::registries::{self, Registries, RegistryHosts};
use super::runbook::{self, Runbook};
use super::runtimes::{self, Containerd, Crictl};
use super::system::{self, System};
use super::timer::{self, Timer};
use super::{Digests, apiserver};
use crate::plan::releases::KubeadmApi;
use crate::plan::{EtcdPlan, HostPlan};
use serde::Serialize;

/// The context of a template, for one of several where there are some; none when the host has no such
/// thing or nothing renders the path.
pub(super) fn of(path: &str, each: Option<&str>, host: &HostPlan, digests: &Digests) -> Option<Context> {
    let etcd = host.etcd.as_deref();
    if let Some(own) = host.preparation.as_deref().and_then(|plan| system::of(path, plan)) {
        return Some(Context::System(own));
    }
    let name = path.rsplit('/').next().and_then(|file| file.strip_suffix(".yaml")).unwrap_or_default();
    let digest = digests.get(name).map(String::as_str);
    match path {
        "/etc/containerd/certs.d/REGISTRY/hosts.toml" => {
            registries::hosts(each?, host).map(Context::RegistryHosts)
        }
        "/etc/containers/registries.conf.d/10-sealift.conf" => {
            Some(Context::Registries(registries::all(host)))
        }
        _ if path.starts_with(objects::DIRECTORY) => {
            host.objects.as_ref().map(|plan| Context::Objects(objects::context(plan)))
        }
        _ if path.starts_with(stateful_set::DIRECTORY) => {
            let plan = host.stateful_set.as_ref()?;
            Some(Context::StatefulSet(Box::new(stateful_set::context(plan, digest))))
        }
        _ if path.starts_with("/etc/kubernetes/apiserver/") => {
            host.apiserver.as_ref().and_then(|own| apiserver::context(path, own)).map(Context::ApiServer)
        }
        "/etc/containers/systemd/etcd.container" | "/etc/systemd/system/etcd-container.service" => {
            container::context(etcd?).map(Context::Container)
        }
        "/etc/systemd/system/containerd.service.d/20-sealift-config.conf" => {
            Some(Context::Containerd(runtimes::containerd()))
        }
        "/etc/crictl.yaml" => runtimes::crictl(host).map(Context::Crictl),
        "/etc/etcd/etcdctl.env" => etcd.map(etcdctl),
        "/etc/etcd/sealift-etcd-health" => etcd.map(|etcd| Context::EtcdHealth(health::context(etcd))),
        "/etc/etcd/etcd.env"
        | "/etc/etcd/etcd.yaml"
        | "/etc/systemd/system/etcd.service"
        | "/etc/systemd/system/etcd.service.d/30-sealift-gate.conf"
        | "/etc/sysusers.d/etcd.conf"
        | "/etc/tmpfiles.d/etcd.conf" => unit::of(path, etcd?).map(Context::Etcd),
        "/etc/hosts" => host.preparation.as_ref()?.hosts.as_ref().map(hosts::context).map(Context::Hosts),
        "/etc/kubernetes/kubeadm/config.yaml" => etcd.map(|etcd| Context::Kubeadm(member(etcd))),
        "/etc/kubernetes/kubeadm/init.yaml" | "/etc/kubernetes/kubeadm/join.yaml" => {
            host.kubeadm.as_ref().map(|plan| Context::KubeadmNode(kubeadm::node(plan)))
        }
        "/etc/kubernetes/kubeadm/cluster.yaml" => {
            host.kubeadm.as_ref().and_then(kubeadm::cluster).map(Context::KubeadmNode)
        }
        "/etc/kubernetes/manifests/etcd.yaml" => {
            etcd.map(|etcd| Context::EtcdPod(pod::etcd(host, etcd, digest)))
        }
        "/etc/keepalived/check_apiserver.sh"
        | "/etc/keepalived/keepalived.conf"
        | "/etc/kubernetes/manifests/keepalived.yaml"
        | "/etc/sysusers.d/keepalived-script.conf" => {
            let plan = host.balancers.as_ref()?.keepalived.as_ref()?;
            keepalived::of(path, plan, digest).map(Context::Keepalived)
        }
        "/etc/kubernetes/manifests/kube-vip.yaml" => {
            let plan = host.balancers.as_ref()?.kube_vip.as_ref()?;
            Some(Context::KubeVip(kube_vip::context(plan, digest)))
        }
        "/etc/nginx/nginx.conf"
        | "/etc/haproxy/haproxy.cfg"
        | "/etc/containers/systemd/nginx.container"
        | "/etc/containers/systemd/haproxy.container"
        | "/etc/systemd/system/nginx.service"
        | "/etc/systemd/system/haproxy.service"
        | "/etc/kubernetes/manifests/nginx.yaml"
        | "/etc/kubernetes/manifests/haproxy.yaml" => {
            proxy::of(path, host.balancers.as_deref()?, digest).map(Context::Proxy)
        }
        _ if path.starts_with("/etc/kubernetes/manifests/") => {
            pod::context(host, name, digest).map(Context::Pod)
        }
        "/etc/sealift/kubernetes-version" => {
            host.kubelet.as_ref()?.release.clone().map(|version| Context::Version { version })
        }
        "/etc/systemd/system/sealift-verify.service" | "/etc/systemd/system/sealift-verify.timer" => {
            host.timer.as_ref().map(timer::context).map(Context::Timer)
        }
        "/etc/sealift/RUNBOOK.md" => runbook::context(host).map(Context::Runbook),
        _ => kubelet::of(path, host.kubelet.as_ref()?).map(Context::Kubelet),
    }
}

/// What templates see.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Context {
    Container(Container),
    Containerd(Containerd),
    Crictl(Crictl),
    Etcd(Etcd),
    Etcdctl { endpoints: String },
    EtcdHealth(EtcdHealth),
    Hosts(Hosts),
    Version { version: String },
    Keepalived(keepalived::Keepalived),
    KubeVip(kube_vip::KubeVip),
    Kubeadm(Kubeadm),
    Kubelet(Kubelet),
    KubeadmNode(kubeadm::Node),
    EtcdPod(EtcdPod),
    Pod(Pod),
    Proxy(proxy::Files),
    ApiServer(apiserver::Files),
    Objects(Objects),
    Registries(Registries),
    RegistryHosts(RegistryHosts),
    Runbook(Runbook),
    StatefulSet(Box<StatefulSet>),
    System(System),
    Timer(Timer),
}

/// kubeadm's configuration of an etcd member's host.
#[derive(Serialize)]
pub(super) struct Kubeadm {
    api_version: &'static str,
    name: String,
    address: String,
    kubernetes_version: String,
    encryption_algorithm: Option<&'static str>,
    image_repository: String,
    data_dir: String,
    etcd_image: Option<EtcdImage>,
    extra_args: Vec<Argument>,
    extra_args_are_list: bool,
}

#[derive(Serialize)]
struct EtcdImage {
    repository: String,
    tag: String,
}

#[derive(Serialize)]
struct Argument {
    name: String,
    value: String,
}

fn etcdctl(etcd: &EtcdPlan) -> Context {
    Context::Etcdctl { endpoints: etcd.listed.client_urls.to_string() }
}

fn member(etcd: &EtcdPlan) -> Kubeadm {
    let v1beta4 = etcd.kubeadm_api == KubeadmApi::V1beta4;
    Kubeadm {
        api_version: if v1beta4 { "kubeadm.k8s.io/v1beta4" } else { "kubeadm.k8s.io/v1beta3" },
        name: etcd.name.clone(),
        address: etcd.address.to_string(),
        kubernetes_version: format!("v{}", etcd.kubernetes),
        encryption_algorithm: etcd.encryption_algorithm,
        image_repository: etcd.cluster_image_repository.clone(),
        data_dir: etcd.data_dir.clone(),
        etcd_image: etcd
            .image
            .as_ref()
            .filter(|image| image.pinned)
            .map(|image| EtcdImage { repository: image.repository.clone(), tag: image.tag.clone() }),
        extra_args: member_arguments(etcd),
        extra_args_are_list: v1beta4,
    }
}

/// What differs from kubeadm's defaults for a member of an external cluster: its membership, in the order
/// of kubeadm's documentation, and what the spec says more.
fn member_arguments(etcd: &EtcdPlan) -> Vec<Argument> {
    let all = etcd.membership(&[etcd.client_listener()]).into_iter().chain(etcd.beyond_defaults());
    all.map(|setting| Argument { value: setting.value(), name: setting.name }).collect()
}
