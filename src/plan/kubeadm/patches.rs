//! Patches that kubeadm lays over what it writes (`app/util/patches`): `TARGET+merge.json` and
//! `TARGET+strategic.json`, read in byte order of their names.

use super::{PATCHES, Subject, form, kubelet, named};
use crate::plan::components::{Component, extras};
use crate::plan::settings::merged;
use crate::spec::types::{EtcdRun, FreeForm, Images};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What kubeadm writes and patches: the file, and its name as a target.
const TARGETS: &[(&str, &str)] = &[
    ("/etc/kubernetes/manifests/etcd.yaml", "etcd"),
    ("/etc/kubernetes/manifests/kube-apiserver.yaml", "kube-apiserver"),
    ("/etc/kubernetes/manifests/kube-controller-manager.yaml", "kube-controller-manager"),
    ("/etc/kubernetes/manifests/kube-scheduler.yaml", "kube-scheduler"),
    ("/var/lib/kubelet/config.yaml", KUBELET),
];
const KUBELET: &str = "kubeletconfiguration";

/// The target of a file that kubeadm writes.
pub(in crate::plan) fn patches_of(path: &str) -> Option<&'static str> {
    TARGETS.iter().find(|(file, _)| *file == path).map(|(_, target)| *target)
}

/// The patches of one host by their paths.
pub(super) fn plan(subject: &Subject<'_>) -> BTreeMap<String, FreeForm> {
    let mut patches = BTreeMap::new();
    let merge = |target: &str| format!("{PATCHES}/{target}+merge.json");
    patches.insert(merge(KUBELET), kubelet::patch(subject));
    for (path, target) in TARGETS {
        let Some(written) = subject.settings.patches.get(*path) else { continue };
        let placed = *target == KUBELET || subject.is_control_plane();
        let pod = subject.etcd.is_some_and(|member| member.run == EtcdRun::StaticPod);
        if placed && (*target != "etcd" || pod) {
            let patch = patches.entry(merge(target)).or_default();
            *patch = merged(patch, written);
        }
    }
    for component in Component::ALL.into_iter().filter(|_| subject.is_control_plane()) {
        if let Some(patch) = strategic(subject, component) {
            patches.insert(format!("{PATCHES}/{}+strategic.json", component.name()), patch);
        }
    }
    patches
}

/// What kubeadm has no field for: an image of its own and, in v1beta3, environment variables. Both lists
/// are merged by name.
fn strategic(subject: &Subject<'_>, component: Component) -> Option<FreeForm> {
    let mut container = json!({ "name": component.name() });
    if let Some(image) = image(&subject.shared.spec.kubernetes.images, component) {
        super::set(&mut container, "image", image);
    }
    let envs = extras(subject.shared.spec, component).envs;
    if !subject.v1beta4() && !envs.is_empty() {
        let pairs = envs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        super::set(&mut container, "env", named(pairs));
    }
    let says_more = container.as_object().is_some_and(|map| map.len() > 1);
    says_more.then(|| form(json!({ "spec": { "containers": Value::from(vec![container]) } })))
}

fn image(images: &Images, component: Component) -> Option<String> {
    let named = match component {
        Component::KubeApiserver => &images.kube_apiserver,
        Component::KubeControllerManager => &images.kube_controller_manager,
        Component::KubeScheduler => &images.kube_scheduler,
    };
    named.as_ref().map(ToString::to_string)
}
