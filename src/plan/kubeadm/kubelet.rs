//! What kubeadm is told of kubelets: one `KubeletConfiguration` for the cluster, and for each host what is
//! different there. A configuration beside a `JoinConfiguration` would be ignored.

use super::cluster::FLATCAR_PLUGINS;
use super::{Subject, form, set};
use crate::plan::releases::Release;
use crate::plan::settings::merged;
use crate::spec::types::{CaName, CgroupDriver, FreeForm, Os, Spec};
use serde_json::{Map, Value, json};

/// The cluster's. kubeadm adds DNS, certificates and authorization.
pub(super) fn configuration(spec: &Spec, release: &Release) -> FreeForm {
    let of = &spec.kubernetes;
    let mut document = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": driver(spec.kubelet.cgroup_driver),
    });
    if !of.feature_gates.is_empty() {
        let gates = of.feature_gates.iter().map(|(gate, on)| (gate.to_string(), Value::from(*on)));
        set(&mut document, "featureGates", gates.collect::<Map<_, _>>());
    }
    if of.cgroup_v1 && release.refuses_cgroup_v1 {
        set(&mut document, "failCgroupV1", false);
    }
    merged(&form(document), &spec.kubelet.config)
}

/// What one host's is, as a merge patch: all that the spec says of it, also what the cluster's
/// configuration has, since a node that has joined reads that one only when it is told to. So a setting of
/// all hosts changes a file of each, which says what to run there. `rotateCertificates` always: kubeadm
/// turns it on whatever the configuration says, and without the CA's key in the cluster the kubelet would
/// keep a copy of its certificate and never look at the next kubelet.conf.
pub(super) fn patch(subject: &Subject<'_>) -> FreeForm {
    let spec = subject.shared.spec;
    let cluster = configuration(spec, subject.release);
    let own = form(json!({ "cgroupDriver": subject.kubelet.cgroup_driver }));
    let wanted = merged(&merged(&cluster, &own), &subject.settings.kubelet_config);
    let mut patch = wanted.map().clone();
    // whose patch it is, not of what
    patch.remove("apiVersion");
    patch.remove("kind");
    let signs = spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes);
    let rotate = wanted.map().get("rotateCertificates").cloned();
    patch.insert("rotateCertificates".to_owned(), rotate.unwrap_or_else(|| signs.into()));
    if subject.settings.os == Os::Flatcar && !wanted.map().contains_key("volumePluginDir") {
        patch.insert("volumePluginDir".to_owned(), FLATCAR_PLUGINS.into());
    }
    patch.into()
}

const fn driver(driver: Option<CgroupDriver>) -> &'static str {
    match driver {
        Some(CgroupDriver::Cgroupfs) => "cgroupfs",
        Some(CgroupDriver::Systemd) | None => "systemd",
    }
}
