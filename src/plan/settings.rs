//! Settings in layers: for all, for a role, for a host. The most specific one wins.

use super::preparation;
use crate::spec::Path;
use crate::spec::scalars::{
    AbsolutePath, EtcdVersion, HostName, ImageRef, InterfaceName, SocketUrl, ToleratedExit,
};
use crate::spec::types::{
    CgroupDriver, EtcdSettings, Flags, FreeForm, Gate, GateRun, Host, HostPrep, Kubelet, Metrics, Os,
    Patches, RoleSettings, Spec, Taint, Tuning, Verify, VerifyTimer,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What holds for one host after all layers.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// What must hold before the kubelet starts.
    pub(super) gate: Gated,
    pub(super) cgroup_driver: Option<CgroupDriver>,
    pub(super) container_runtime_endpoint: Option<SocketUrl>,
    pub(super) kubelet_program: Option<AbsolutePath>,
    pub(super) etcd: EtcdOf,
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
    /// The interface of virtual addresses.
    pub(super) interface: Option<InterfaceName>,
    /// What it needs before the kubelet, all layers merged.
    pub(super) prep: HostPrep,
    /// Whether the bundle before the installed one stays on the host.
    pub(super) keep_previous: Option<bool>,
    /// The timer that verifies it, all layers merged; none where no layer writes it.
    pub(super) timer: Option<VerifyTimer>,
    /// Merge patches by the path of the file, all layers merged.
    pub(super) patches: BTreeMap<String, FreeForm>,
}

/// What must hold before a unit starts.
#[derive(Clone, Debug, Default)]
pub(super) struct Gated {
    pub(super) run: Option<GateRun>,
    pub(super) tolerate: Option<Vec<ToleratedExit>>,
    pub(super) program: Option<AbsolutePath>,
}

/// Settings of the etcd member of a host.
#[derive(Clone, Debug, Default)]
pub(super) struct EtcdOf {
    pub(super) version: Option<EtcdVersion>,
    pub(super) image: Option<Layered<ImageRef>>,
    pub(super) data_dir: Option<Layered<AbsolutePath>>,
    pub(super) wal_dir: Option<Layered<AbsolutePath>>,
    pub(super) gate: Gated,
    pub(super) tuning: Tuned,
    /// Flags, without dashes.
    pub(super) extra_args: BTreeMap<String, Layered<Vec<String>>>,
}

/// Tuning of a member.
#[derive(Clone, Debug, Default)]
pub(super) struct Tuned {
    /// What holds.
    pub(super) values: Tuning,
    /// Where in the spec each field of it stands, by its name.
    pub(super) paths: BTreeMap<&'static str, String>,
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
    settings.lay(&spec.kubelet, &etcd_of_all(spec), &[], &Path::root());
    settings.lay_node(spec.os, None, &spec.patches);
    settings.lay_host(None, &spec.host_prep, &spec.verify);
    over(&mut settings.keep_previous, spec.keep_previous.as_ref());
    for (role, layer) in spec.roles.iter().filter(|(role, _)| host.roles.contains(role)) {
        let RoleSettings {
            kubelet,
            etcd,
            allow_files,
            os,
            labels: _,
            taints,
            patches,
            interface,
            host_prep,
            verify,
            keep_previous,
        } = layer;
        settings.lay(kubelet, etcd, allow_files, &Path::root().key("roles").key(role.name()));
        settings.lay_node(*os, taints.as_ref(), patches);
        settings.lay_host(interface.as_ref(), host_prep, verify);
        over(&mut settings.keep_previous, keep_previous.as_ref());
    }
    settings.lay(&host.kubelet, &host.etcd, &host.allow_files, &Path::root().key("hosts").key(name.as_str()));
    settings.lay_node(host.os, host.taints.as_ref(), &host.patches);
    settings.lay_host(host.interface.as_ref(), &host.host_prep, &host.verify);
    over(&mut settings.keep_previous, host.keep_previous.as_ref());
    settings
}

/// The labels of one host.
pub(super) fn labels(spec: &Spec, host: &Host) -> BTreeMap<String, String> {
    let roles = spec.roles.iter().filter(|(role, _)| host.roles.contains(role));
    let layers = roles.map(|(_, layer)| &layer.labels).chain([&host.labels]);
    layers.flatten().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

/// What a spec says of etcd for all, where no host has a member.
pub(super) fn of_all(spec: &Spec) -> Settings {
    let mut settings = Settings::default();
    settings.lay(&spec.kubelet, &etcd_of_all(spec), &[], &Path::root());
    settings
}

fn etcd_of_all(spec: &Spec) -> EtcdSettings {
    EtcdSettings {
        version: spec.etcd.version,
        image: spec.etcd.image.clone(),
        data_dir: spec.etcd.data_dir.clone(),
        wal_dir: spec.etcd.wal_dir.clone(),
        gate: spec.etcd.gate.clone(),
        tuning: spec.etcd.tuning.clone(),
        extra_args: spec.etcd.extra_args.clone(),
        ..EtcdSettings::default()
    }
}

impl Settings {
    fn lay(&mut self, kubelet: &Kubelet, etcd: &EtcdSettings, allow: &[AbsolutePath], path: &Path) {
        self.gate.lay(&kubelet.gate);
        over(&mut self.cgroup_driver, kubelet.cgroup_driver.as_ref());
        over(&mut self.container_runtime_endpoint, kubelet.container_runtime_endpoint.as_ref());
        over(&mut self.kubelet_program, kubelet.program.as_ref());
        self.kubelet_config = merged(&self.kubelet_config, &kubelet.config);
        lay_flags(&mut self.kubelet_args, &kubelet.extra_args);
        let environment = kubelet.environment.iter();
        self.kubelet_environment
            .extend(environment.map(|(name, value)| (name.to_string(), value.to_string())));
        self.etcd.lay(etcd, &path.key("etcd"));
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

    fn lay_host(&mut self, interface: Option<&InterfaceName>, prep: &HostPrep, verify: &Verify) {
        over(&mut self.interface, interface);
        preparation::lay(&mut self.prep, prep);
        let Some(layer) = &verify.timer else { return };
        let VerifyTimer { enabled, on_calendar, randomized_delay, within, metrics, program } = layer;
        let timer = self.timer.get_or_insert_default();
        over(&mut timer.enabled, enabled.as_ref());
        over(&mut timer.on_calendar, on_calendar.as_ref());
        over(&mut timer.randomized_delay, randomized_delay.as_ref());
        over(&mut timer.within, within.as_ref());
        over(&mut timer.metrics, metrics.as_ref());
        over(&mut timer.program, program.as_ref());
    }
}

impl Gated {
    fn lay(&mut self, layer: &Gate) {
        over(&mut self.run, layer.run.as_ref());
        over(&mut self.tolerate, layer.tolerate.as_ref());
        over(&mut self.program, layer.program.as_ref());
    }
}

impl EtcdOf {
    fn lay(&mut self, layer: &EtcdSettings, path: &Path) {
        over(&mut self.version, layer.version.as_ref());
        over(&mut self.image, Layered::at(layer.image.as_ref(), path, "image").as_ref());
        over(&mut self.data_dir, Layered::at(layer.data_dir.as_ref(), path, "dataDir").as_ref());
        over(&mut self.wal_dir, Layered::at(layer.wal_dir.as_ref(), path, "walDir").as_ref());
        self.gate.lay(&layer.gate);
        self.tuning.lay(&layer.tuning, &path.key("tuning"));
        let flags = path.key("extraArgs");
        self.extra_args.extend(layer.extra_args.iter().map(|(name, values)| {
            let path = flags.key(name.as_str()).as_str().to_owned();
            (name.to_string(), Layered { value: values.iter().map(str::to_owned).collect(), path })
        }));
    }
}

impl Tuned {
    fn lay(&mut self, layer: &Tuning, path: &Path) {
        let Self { values: own, paths } = self;
        let mut at = |field: &'static str, is_set: bool| {
            if is_set {
                let path = field.split('.').fold(path.clone(), |path, key| path.key(key));
                paths.insert(field, path.as_str().to_owned());
            }
        };
        // each field by name, so that none is forgotten
        let Tuning {
            auto_compaction_mode,
            auto_compaction_retention,
            quota_backend_bytes,
            max_request_bytes,
            heartbeat_interval,
            election_timeout,
            snapshot_count,
            max_snapshots,
            max_wals,
            metrics: Metrics { listen, port, level },
            cipher_suites,
            tls_min_version,
            tls_max_version,
            log_level,
        } = layer;
        macro_rules! lay {
            ($($name:literal $field:ident => $slot:expr,)+) => {
                $(at($name, $field.is_some()); over(&mut $slot, $field.as_ref());)+
            };
        }
        lay! {
            "autoCompactionMode" auto_compaction_mode => own.auto_compaction_mode,
            "autoCompactionRetention" auto_compaction_retention => own.auto_compaction_retention,
            "quotaBackendBytes" quota_backend_bytes => own.quota_backend_bytes,
            "maxRequestBytes" max_request_bytes => own.max_request_bytes,
            "heartbeatInterval" heartbeat_interval => own.heartbeat_interval,
            "electionTimeout" election_timeout => own.election_timeout,
            "snapshotCount" snapshot_count => own.snapshot_count,
            "maxSnapshots" max_snapshots => own.max_snapshots,
            "maxWals" max_wals => own.max_wals,
            "metrics.listen" listen => own.metrics.listen,
            "metrics.port" port => own.metrics.port,
            "metrics.level" level => own.metrics.level,
            "cipherSuites" cipher_suites => own.cipher_suites,
            "tlsMinVersion" tls_min_version => own.tls_min_version,
            "tlsMaxVersion" tls_max_version => own.tls_max_version,
            "logLevel" log_level => own.log_level,
        }
    }

    /// Where a field stands; under `etcd` when nobody set it.
    pub(super) fn path(&self, field: &str) -> String {
        self.paths.get(field).cloned().unwrap_or_else(|| format!("etcd.tuning.{field}"))
    }
}

impl<T: Clone> Layered<T> {
    fn at(value: Option<&T>, path: &Path, key: &str) -> Option<Self> {
        value.map(|value| Self { value: value.clone(), path: path.key(key).as_str().to_owned() })
    }
}

fn lay_flags(below: &mut BTreeMap<String, Vec<String>>, layer: &Flags) {
    below.extend(
        layer.iter().map(|(name, values)| (name.to_string(), values.iter().map(str::to_owned).collect())),
    );
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

/// `null` takes a field away, as in a merge patch.
pub(super) fn without_nulls(configuration: &FreeForm) -> FreeForm {
    let mut map = configuration.map().clone();
    prune(&mut map);
    map.into()
}

fn prune(map: &mut Map<String, Value>) {
    map.retain(|_, value| !value.is_null());
    for value in map.values_mut() {
        if let Value::Object(inner) = value {
            prune(inner);
        }
    }
}

pub(super) fn over<T: Clone>(slot: &mut Option<T>, layer: Option<&T>) {
    if let Some(value) = layer {
        *slot = Some(value.clone());
    }
}
