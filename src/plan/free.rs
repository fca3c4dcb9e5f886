//! What a spec passes on to components in their own words, against the fields of the release.

use super::fields::{Configuration, check};
use super::releases::Release;
use crate::spec::types::{FreeForm, Spec};
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
    let mut problems: Vec<Problem> = all
        .into_iter()
        .flat_map(|(kind, path, config)| of(kind, release, config, &path.key("kubelet").key("config")))
        .collect();
    let kube_proxy = root.key("kubernetes").key("kubeProxy").key("config");
    problems.extend(of(Configuration::KubeProxy, release, &spec.kubernetes.kube_proxy.config, &kube_proxy));
    problems
}

fn of(kind: Configuration, release: &Release, config: &FreeForm, path: &Path) -> Vec<Problem> {
    check(kind, release.minor, &Value::Object(config.map().clone()), path)
}
