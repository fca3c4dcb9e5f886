//! What a spec passes on to components in their own words, against the fields of the release.

use super::fields::{Configuration, check};
use super::kubelet::overrides;
use super::releases::Release;
use crate::spec::types::{FreeForm, Provisioner, Role, Spec};
use crate::spec::{Path, Problem};
use serde_json::Value;

/// All problems of all layers.
pub(super) fn problems(spec: &Spec, release: &Release) -> Vec<Problem> {
    let root = Path::root();
    let mut all = vec![(Configuration::Kubelet, root.clone(), &spec.kubelet.config)];
    all.extend(spec.roles.iter().map(|(role, layer)| {
        (Configuration::Kubelet, root.key("roles").key(role.name()), &layer.kubelet.config)
    }));
    all.extend(spec.hosts.iter().map(|(name, host)| {
        (Configuration::Kubelet, root.key("hosts").key(name.as_str()), &host.kubelet.config)
    }));
    let made = spec.kubernetes.provisioner != Provisioner::None;
    let etcd = root.key("roles").key(Role::Etcd.name());
    let mut problems = Vec::new();
    for (kind, layer, config) in all {
        let path = layer.key("kubelet").key("config");
        problems.extend(of(kind, release, config, &path));
        problems.extend(overrides::problems(&path, config, made && layer != etcd));
    }
    let kube_proxy = root.key("kubernetes").key("kubeProxy").key("config");
    problems.extend(of(Configuration::KubeProxy, release, &spec.kubernetes.kube_proxy.config, &kube_proxy));
    problems
}

fn of(kind: Configuration, release: &Release, config: &FreeForm, path: &Path) -> Vec<Problem> {
    check(kind, release.minor, &Value::Object(config.map().clone()), path)
}
