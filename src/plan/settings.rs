//! Settings in layers: for all, for a role, for a host. The most specific one wins.

use crate::spec::Path;
use crate::spec::scalars::{AbsolutePath, HostName, ImageRef, SocketUrl, ToleratedExit};
use crate::spec::types::{
    CgroupDriver, EtcdOverride, FreeForm, GateRun, Host, Kubelet, Os, Patches, RoleSettings, Spec, Taint,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What holds for one host after all layers.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) gate: Option<GateRun>,
    pub(super) gate_tolerate: Option<Vec<ToleratedExit>>,
    pub(super) gate_program: Option<AbsolutePath>,
    pub(super) cgroup_driver: Option<CgroupDriver>,
    pub(super) container_runtime_endpoint: Option<SocketUrl>,
    pub(super) kubelet_program: Option<AbsolutePath>,
    pub(super) etcd_image: Option<Layered<ImageRef>>,
    pub(super) etcd_data_dir: Option<Layered<AbsolutePath>>,
    pub(super) allow_files: Vec<Layered<AbsolutePath>>,
    pub(super) os: Os,
    /// More fields of the `KubeletConfiguration`, all layers merged.
    pub(super) kubelet_config: FreeForm,
    /// Flags of the kubelet, without dashes.
    pub(super) kubelet_args: BTreeMap<String, Vec<String>>,
    /// Variables of the kubelet's unit.
    pub(super) kubelet_environment: BTreeMap<String, String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) taints: Option<Vec<Taint>>,
    /// Merge patches by the path of the file, all layers merged.
    pub(super) patches: BTreeMap<String, FreeForm>,
}

/// A value with the path in the spec that it comes from.
#[derive(Clone, Debug)]
pub(super) struct Layered<T> {
    pub(super) value: T,
    pub(super) path: String,
}

/// The settings of one host.
pub(super) fn of(spec: &Spec, name: &HostName, host: &Host) -> Settings {
    let mut settings = Settings { labels: labels(spec, host), ..Settings::default() };
    let all = EtcdOverride { image: spec.etcd.image.clone(), data_dir: spec.etcd.data_dir.clone() };
    settings.lay(&spec.kubelet, &all, &[], &Path::root());
    settings.lay_node(spec.os, None, &spec.patches);
    for (role, layer) in spec.roles.iter().filter(|(role, _)| host.roles.contains(role)) {
        let RoleSettings { kubelet, etcd, allow_files, os, labels: _, taints, patches } = layer;
        settings.lay(kubelet, etcd, allow_files, &Path::root().key("roles").key(role.name()));
        settings.lay_node(*os, taints.as_ref(), patches);
    }
    settings.lay(&host.kubelet, &host.etcd, &host.allow_files, &Path::root().key("hosts").key(name.as_str()));
    settings.lay_node(host.os, host.taints.as_ref(), &host.patches);
    settings
}

/// The labels of one host.
pub(super) fn labels(spec: &Spec, host: &Host) -> BTreeMap<String, String> {
    let roles = spec.roles.iter().filter(|(role, _)| host.roles.contains(role));
    let layers = roles.map(|(_, layer)| &layer.labels).chain([&host.labels]);
    layers.flatten().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

impl Settings {
    fn lay(&mut self, kubelet: &Kubelet, etcd: &EtcdOverride, allow: &[AbsolutePath], path: &Path) {
        over(&mut self.gate, kubelet.gate.run.as_ref());
        over(&mut self.gate_tolerate, kubelet.gate.tolerate.as_ref());
        over(&mut self.gate_program, kubelet.gate.program.as_ref());
        over(&mut self.cgroup_driver, kubelet.cgroup_driver.as_ref());
        over(&mut self.container_runtime_endpoint, kubelet.container_runtime_endpoint.as_ref());
        over(&mut self.kubelet_program, kubelet.program.as_ref());
        self.kubelet_config = merged(&self.kubelet_config, &kubelet.config);
        for (name, values) in &kubelet.extra_args {
            self.kubelet_args.insert(name.to_string(), values.iter().map(str::to_owned).collect());
        }
        let environment = kubelet.environment.iter();
        self.kubelet_environment
            .extend(environment.map(|(name, value)| (name.to_string(), value.to_string())));
        let image = etcd.image.clone();
        let image = image.map(|value| Layered { value, path: format_path(path, &["etcd", "image"]) });
        over(&mut self.etcd_image, image.as_ref());
        let data_dir = etcd.data_dir.clone();
        let data_dir = data_dir.map(|value| Layered { value, path: format_path(path, &["etcd", "dataDir"]) });
        over(&mut self.etcd_data_dir, data_dir.as_ref());
        let list = path.key("allowFiles");
        self.allow_files.extend(allow.iter().enumerate().map(|(index, value)| Layered {
            value: value.clone(),
            path: list.index(index).as_str().to_owned(),
        }));
    }

    fn lay_node(&mut self, os: Option<Os>, taints: Option<&Vec<Taint>>, patches: &Patches) {
        self.os = os.unwrap_or(self.os);
        over(&mut self.taints, taints);
        for (path, patch) in patches {
            let merged =
                self.patches.get(path.as_str()).map_or_else(|| patch.clone(), |own| merged(own, patch));
            self.patches.insert(path.to_string(), merged);
        }
    }
}

/// Two mappings as one: mappings are merged, anything else is replaced. Unlike RFC 7386, null stays,
/// so that a merge of two patches is a patch.
pub(super) fn merged(below: &FreeForm, above: &FreeForm) -> FreeForm {
    if above.is_empty() {
        return below.clone();
    }
    let mut map = below.map().clone();
    merge(&mut map, above.map());
    map.into()
}

fn merge(below: &mut Map<String, Value>, above: &Map<String, Value>) {
    for (key, value) in above {
        match (below.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above),
            _ => {
                below.insert(key.clone(), value.clone());
            }
        }
    }
}

fn format_path(path: &Path, keys: &[&str]) -> String {
    keys.iter().fold(path.clone(), |path, key| path.key(key)).as_str().to_owned()
}

fn over<T: Clone>(slot: &mut Option<T>, layer: Option<&T>) {
    if let Some(value) = layer {
        *slot = Some(value.clone());
    }
}
