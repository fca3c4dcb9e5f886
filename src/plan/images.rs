//! Images: what the spec names, else the release's defaults.

use super::releases::Release;
use crate::spec::Problem;
use crate::spec::scalars::ImageRef;
use crate::spec::types::Spec;
use serde::Serialize;

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
            let hint = format!("write `{field}: REPOSITORY/{name}:TAG` under `kubernetes.images`");
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
        pause: tagged("pause", "pause", named.pause.as_ref(), Some(release.pause_tag)),
    }
}
