//! What kubeadm is told of kubelets: one `KubeletConfiguration` for the cluster, and for each host what is
//! different there. A configuration beside a `JoinConfiguration` would be ignored.

use super::{Subject, form};
use crate::plan::kubelet::of_nodes;
use crate::plan::releases::Release;
use crate::plan::settings::merged;
use crate::plan::{os, preparation};
use crate::spec::types::{CaName, FreeForm, Spec};
use serde_json::{Map, json};

/// The cluster's. kubeadm adds DNS, certificates and authorization.
pub(super) fn configuration(spec: &Spec, release: &Release) -> FreeForm {
    let mut document = Map::from_iter([
        ("apiVersion".to_owned(), "kubelet.config.k8s.io/v1beta1".into()),
        ("kind".to_owned(), "KubeletConfiguration".into()),
        ("cgroupDriver".to_owned(), spec.kubelet.cgroup_driver.unwrap_or_default().name().into()),
    ]);
    document.extend(of_nodes(spec, Some(release)));
    merged(&document.into(), &spec.kubelet.config)
}

/// What one host's is, as a merge patch: all that the spec says of it, also what the cluster's
/// configuration has, since a node that has joined reads that one only when it is told to. So a setting of
/// all hosts changes a file of each, which says what to run there. `rotateCertificates` always: kubeadm
/// turns it on whatever the configuration says, and without the CA's key in the cluster the kubelet would
/// keep a copy of its certificate and never look at the next kubelet.conf.
pub(super) fn patch(subject: &Subject<'_>) -> FreeForm {
    let spec = subject.shared.spec;
    let cluster = configuration(spec, subject.release);
    let mut own = form(json!({ "cgroupDriver": subject.kubelet.cgroup_driver })).map().clone();
    own.extend(preparation::swap_of_kubelet(&subject.settings.prep));
    let own = own.into();
    let wanted = merged(&merged(&cluster, &own), &subject.settings.kubelet_config);
    let mut patch = wanted.map().clone();
    // whose patch it is, not of what
    patch.remove("apiVersion");
    patch.remove("kind");
    let signs = spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes);
    let rotate = wanted.map().get("rotateCertificates").cloned();
    patch.insert("rotateCertificates".to_owned(), rotate.unwrap_or_else(|| signs.into()));
    let plugins = os::paths(subject.settings.os).volume_plugins;
    if let Some(plugins) = plugins.filter(|_| !wanted.map().contains_key("volumePluginDir")) {
        patch.insert("volumePluginDir".to_owned(), plugins.into());
    }
    patch.into()
}
