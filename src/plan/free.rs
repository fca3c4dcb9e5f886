//! What a spec passes on to components in their own words, against the fields of the release.

use super::fields::{Configuration, check};
use super::kubelet::overrides;
use super::releases::Release;
use crate::spec::layers::layers;
use crate::spec::types::{FreeForm, Provisioner, Role, Spec};
use crate::spec::{Path, Problem};
use serde_json::Value;

/// All problems of all layers.
pub(super) fn problems(spec: &Spec, release: &Release) -> Vec<Problem> {
    let made = spec.kubernetes.provisioner != Provisioner::None;
    let mut problems = Vec::new();
    for layer in layers(spec) {
        let (path, config) = (layer.path.key("kubelet").key("config"), &layer.kubelet.config);
        problems.extend(of(Configuration::Kubelet, release, config, &path));
        problems.extend(overrides::problems(&path, config, made && layer.role != Some(Role::Etcd)));
    }
    let kube_proxy = Path::root().key("kubernetes").key("kubeProxy").key("config");
    problems.extend(of(Configuration::KubeProxy, release, &spec.kubernetes.kube_proxy.config, &kube_proxy));
    problems
}

fn of(kind: Configuration, release: &Release, config: &FreeForm, path: &Path) -> Vec<Problem> {
    check(kind, release.minor, &Value::Object(config.map().clone()), path)
}
