//! What kubeadm is told of kubelets: one `KubeletConfiguration` for the cluster, and for each host what is
//! different there. A configuration beside a `JoinConfiguration` would be ignored.

use super::{Subject, form};
use crate::plan::kubelet::of_nodes;
use crate::plan::os;
use crate::plan::releases::Release;
use crate::plan::settings::merged;
use crate::spec::types::{CaName, FreeForm, Spec};
use serde_json::{Map, Value, json};

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

/// What one host's is besides, as a merge patch. `rotateCertificates` always: kubeadm turns it on
/// whatever the configuration says, and without the CA's key in the cluster the kubelet would keep a copy
/// of its certificate and never look at the next kubelet.conf.
pub(super) fn patch(subject: &Subject<'_>) -> FreeForm {
    let spec = subject.shared.spec;
    let cluster = configuration(spec, subject.release);
    let own = form(json!({ "cgroupDriver": subject.kubelet.cgroup_driver }));
    let wanted = merged(&own, &subject.settings.kubelet_config);
    let mut patch = difference(cluster.map(), wanted.map());
    let signs = spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes);
    let rotate = wanted.map().get("rotateCertificates").cloned();
    patch.insert("rotateCertificates".to_owned(), rotate.unwrap_or_else(|| signs.into()));
    let plugins = os::paths(subject.settings.os).volume_plugins;
    if let Some(plugins) = plugins.filter(|_| !wanted.map().contains_key("volumePluginDir")) {
        patch.insert("volumePluginDir".to_owned(), plugins.into());
    }
    patch.into()
}

/// What of `wanted` is not in `there`: mappings by their keys, anything else whole.
fn difference(there: &Map<String, Value>, wanted: &Map<String, Value>) -> Map<String, Value> {
    let mut differs = Map::new();
    for (key, value) in wanted {
        match (there.get(key), value) {
            (Some(there), value) if there == value => {}
            (Some(Value::Object(there)), Value::Object(value)) => {
                differs.insert(key.clone(), difference(there, value).into());
            }
            _ => {
                differs.insert(key.clone(), value.clone());
            }
        }
    }
    differs
}
