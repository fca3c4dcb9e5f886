//! Images: what the spec names, else the release's defaults; and which host needs which.

use super::releases::{Release, known_patches};
use super::{HostPlan, OPERATOR, StatefulSetPlan, certs::has_control_plane};
use crate::spec::Problem;
use crate::spec::scalars::{HostName, ImageRef};
use crate::spec::types::{Role, Spec};
use serde::Serialize;
use std::collections::BTreeMap;

/// The images of a cluster besides etcd's, each as a container runtime takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// The API server's.
    pub kube_apiserver: String,
    /// The controller manager's.
    pub kube_controller_manager: String,
    /// The scheduler's.
    pub kube_scheduler: String,
    /// kube-proxy's.
    pub kube_proxy: String,
    /// The DNS server's.
    pub coredns: String,
    /// The one that holds a pod's namespaces.
    pub pause: String,
}

/// The images of a spec; a problem where a default is not known.
pub(super) fn plan(spec: &Spec, release: &Release, problems: &mut Vec<Problem>) -> Images {
    let named = &spec.kubernetes.images;
    let repository = spec.kubernetes.image_repository.as_str();
    let version = &spec.kubernetes.version;
    let of_release = |name: &str, own: Option<&ImageRef>| {
        own.map_or_else(|| format!("{repository}/{name}:v{version}"), ToString::to_string)
    };
    let mut tagged = |name: &str, field: &str, own: Option<&ImageRef>, tag: Option<&str>| match (own, tag) {
        (Some(own), _) => own.to_string(),
        (None, Some(tag)) => format!("{repository}/{name}:{tag}"),
        (None, None) => {
            let path = format!("kubernetes.images.{field}");
            let message = format!("which {field} image belongs to Kubernetes {version} is not known");
            let hint = format!(
                "write `{field}: {repository}/{name}:TAG` under `kubernetes.images`; sealift knows those of {}",
                known_patches(release.minor, release.coredns_images)
            );
            problems.push(Problem::error(path, message).hint(hint));
            String::new()
        }
    };
    let patch = version.patch();
    // kubeadm puts it one level deeper, but not below a repository of one's own (images.GetDNSImage)
    let coredns = if repository == "registry.k8s.io" { "coredns/coredns" } else { "coredns" };
    Images {
        kube_apiserver: of_release("kube-apiserver", named.kube_apiserver.as_ref()),
        kube_controller_manager: of_release(
            "kube-controller-manager",
            named.kube_controller_manager.as_ref(),
        ),
        kube_scheduler: of_release("kube-scheduler", named.kube_scheduler.as_ref()),
        kube_proxy: of_release("kube-proxy", named.kube_proxy.as_ref()),
        coredns: tagged(coredns, "coredns", named.coredns.as_ref(), release.coredns_tag(patch)),
        pause: pause(spec, release),
    }
}

/// The image that holds a pod's namespaces.
pub(super) fn pause(spec: &Spec, release: &Release) -> String {
    let own = spec.kubernetes.images.pause.as_ref().map(ToString::to_string);
    own.unwrap_or_else(|| format!("{}/pause:{}", spec.kubernetes.image_repository, release.pause_tag))
}

/// An image that a cluster needs, and the hosts that need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageUse {
    /// What runs from it, by kubeadm's name: `kube-apiserver`, `coredns`, `pause`, `etcd` and so on.
    pub component: &'static str,
    /// The image as a container runtime takes it.
    pub image: String,
    /// The hosts whose container runtime fetches it, in byte order. What any node may run, all nodes need.
    pub hosts: Vec<String>,
}

/// Every image that the hosts need, in the order of `kubeadm config images list`; of etcd and of
/// balancers one for each that differs. Of what was told as a problem there is none.
pub(super) fn uses(
    spec: &Spec,
    release: Option<&Release>,
    images: Option<&Images>,
    plans: &BTreeMap<HostName, HostPlan>,
    stateful_set: Option<&StatefulSetPlan>,
) -> Vec<ImageUse> {
    let with = |roles: &[Role]| -> Vec<String> {
        let hosts = spec.hosts.iter().filter(|(_, host)| roles.iter().any(|role| host.roles.contains(role)));
        hosts.map(|(name, _)| name.to_string()).collect()
    };
    let mut all = Vec::new();
    if let Some(images) = images.filter(|_| has_control_plane(spec)) {
        let (control_planes, nodes) =
            (with(&[Role::ControlPlane]), with(&[Role::ControlPlane, Role::Worker]));
        let of = &spec.kubernetes;
        let rows = [
            ("kube-apiserver", &images.kube_apiserver, &control_planes, true),
            ("kube-controller-manager", &images.kube_controller_manager, &control_planes, true),
            ("kube-scheduler", &images.kube_scheduler, &control_planes, true),
            ("kube-proxy", &images.kube_proxy, &nodes, !of.kube_proxy.disabled),
            ("coredns", &images.coredns, &nodes, !of.core_dns.disabled),
        ];
        all.extend(rows.into_iter().filter(|(.., wanted)| *wanted).map(|(component, image, hosts, _)| {
            ImageUse { component, image: image.clone(), hosts: hosts.clone() }
        }));
    }
    if let Some(release) = release {
        // where a kubelet runs, if only for etcd's pod
        let hosts = plans.iter().filter(|(_, plan)| plan.kubelet.is_some());
        let hosts = hosts.map(|(name, _)| name.to_string()).collect();
        all.push(ImageUse { component: "pause", image: pause(spec, release), hosts });
    }
    let start = all.len();
    for (name, etcd) in plans.iter().filter_map(|(name, plan)| Some((name, plan.etcd.as_deref()?))) {
        let Some(image) = etcd.image.as_ref().map(|image| image.whole.clone()) else { continue };
        match all.iter_mut().skip(start).find(|other| other.image == image) {
            Some(other) => other.hosts.push(name.to_string()),
            None => all.push(ImageUse { component: "etcd", image, hosts: vec![name.to_string()] }),
        }
    }
    balancers(plans, &mut all);
    // whoever applies it sees to it that the cluster's nodes can fetch it
    all.extend(stateful_set.map(|set| ImageUse {
        component: "etcd",
        image: set.image.clone(),
        hosts: vec![OPERATOR.to_owned()],
    }));
    all.retain(|used| !used.image.is_empty() && !used.hosts.is_empty());
    all
}

/// The images of balancers, one for each that differs.
fn balancers(plans: &BTreeMap<HostName, HostPlan>, all: &mut Vec<ImageUse>) {
    for (name, balancers) in plans.iter().filter_map(|(name, plan)| Some((name, plan.balancers.as_ref()?))) {
        for (component, image) in balancers.images() {
            let same = |other: &&mut ImageUse| other.component == component && other.image == image;
            match all.iter_mut().find(same) {
                Some(other) => other.hosts.push(name.to_string()),
                None => {
                    all.push(ImageUse { component, image: image.to_owned(), hosts: vec![name.to_string()] })
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
