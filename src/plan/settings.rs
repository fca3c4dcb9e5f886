//! Settings in layers: for all, for a role, for a host. The most specific one wins.

use crate::spec::Path;
use crate::spec::scalars::{AbsolutePath, HostName, ImageRef, SocketUrl, ToleratedExit};
use crate::spec::types::{CgroupDriver, EtcdOverride, GateRun, Host, Kubelet, RoleSettings, Spec};

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
}

/// A value with the path in the spec that it comes from.
#[derive(Clone, Debug)]
pub(super) struct Layered<T> {
    pub(super) value: T,
    pub(super) path: String,
}

/// The settings of one host.
pub(super) fn of(spec: &Spec, name: &HostName, host: &Host) -> Settings {
    let mut settings = Settings::default();
    let all = EtcdOverride { image: spec.etcd.image.clone(), data_dir: spec.etcd.data_dir.clone() };
    settings.lay(&spec.kubelet, &all, &[], &Path::root());
    for (role, layer) in spec.roles.iter().filter(|(role, _)| host.roles.contains(role)) {
        let RoleSettings { kubelet, etcd, allow_files } = layer;
        settings.lay(kubelet, etcd, allow_files, &Path::root().key("roles").key(role.name()));
    }
    settings.lay(&host.kubelet, &host.etcd, &host.allow_files, &Path::root().key("hosts").key(name.as_str()));
    settings
}

impl Settings {
    fn lay(&mut self, kubelet: &Kubelet, etcd: &EtcdOverride, allow: &[AbsolutePath], path: &Path) {
        over(&mut self.gate, kubelet.gate.run.as_ref());
        over(&mut self.gate_tolerate, kubelet.gate.tolerate.as_ref());
        over(&mut self.gate_program, kubelet.gate.program.as_ref());
        over(&mut self.cgroup_driver, kubelet.cgroup_driver.as_ref());
        over(&mut self.container_runtime_endpoint, kubelet.container_runtime_endpoint.as_ref());
        over(&mut self.kubelet_program, kubelet.program.as_ref());
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
}

fn format_path(path: &Path, keys: &[&str]) -> String {
    keys.iter().fold(path.clone(), |path, key| path.key(key)).as_str().to_owned()
}

fn over<T: Clone>(slot: &mut Option<T>, layer: Option<&T>) {
    if let Some(value) = layer {
        *slot = Some(value.clone());
    }
}
