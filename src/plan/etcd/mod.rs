//! The etcd member of one host.

mod container;
mod extra;
mod flags;
mod image;
mod members;
mod metrics;
mod settings;
pub mod stateful_set;
mod tuning;
mod unit;

use super::directories;
use super::releases::{self, EtcdProbes, KubeadmApi, Release};
use super::settings::{Layered, Settings};
use crate::spec::Problem;
use crate::spec::scalars::{AbsolutePath, EtcdVersion, HostName};
use crate::spec::types::{EtcdCertificates, EtcdConfig, EtcdRun, EtcdState, Host, Role, Spec};
use serde::{Serialize, Serializer};
use std::net::IpAddr;

pub use container::ContainerPlan;
pub(super) use flags::field_of;
pub use image::EtcdImage;
pub use members::Listed;
pub(super) use members::{Member, Members};
pub use metrics::{MetricsListener, MetricsPlan};
pub use settings::{EtcdFlags, Setting, settings_document};
pub use stateful_set::StatefulSetPlan;
pub(super) use tuning::unlike;
pub(super) use unit::owner;
pub use unit::{Owner, ServicePlan, UnitPlan, is_bare};

/// The etcd member of one host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdPlan {
    /// The member's name: the node name.
    pub name: String,
    /// Under what it runs.
    #[serde(serialize_with = "run_name")]
    pub run: EtcdRun,
    /// Where it listens.
    pub address: IpAddr,
    /// The URL that clients use.
    pub client_url: String,
    /// The URL that other members use.
    pub peer_url: String,
    /// The members that its host lists.
    #[serde(flatten)]
    pub listed: Listed,
    /// Whether it begins the cluster or joins one.
    #[serde(serialize_with = "state_name")]
    pub state: EtcdState,
    /// etcd's release, such as `3.6.8`.
    pub version: String,
    /// The image; none where it runs without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<EtcdImage>,
    /// What runs its container, where it runs in one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerPlan>,
    /// The repository of all images that are not named one by one.
    pub cluster_image_repository: String,
    /// Its unit, when it runs as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitPlan>,
    /// Whether all members have one certificate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared_certificate: bool,
    /// The data directory.
    pub data_dir: String,
    /// The directory of the write-ahead log, when it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wal_dir: Option<String>,
    /// What keeps it apart from other clusters' members, when the spec says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Where it says how it is.
    #[serde(skip_serializing_if = "MetricsPlan::is_default")]
    pub metrics: MetricsPlan,
    /// What the spec says beyond kubeadm's defaults: `tuning`, and `extraArgs` over it.
    #[serde(skip_serializing_if = "EtcdFlags::is_empty")]
    pub flags: EtcdFlags,
    /// The Kubernetes release, such as `1.36.2`.
    pub kubernetes: String,
    /// kubeadm's configuration API.
    pub kubeadm_api: KubeadmApi,
    /// kubeadm's word for the algorithm of keys that it would make, where it has one.
    pub encryption_algorithm: Option<&'static str>,
    /// Whether to use `--feature-gates` and `--watch-progress-notify-interval`.
    pub feature_gates: bool,
    /// The endpoints it is probed at.
    pub probes: EtcdProbes,
    /// Those that kubeadm of this release asks.
    #[serde(skip)]
    pub kubeadm_probes: EtcdProbes,
    /// Whether probes name a port.
    pub named_probe_port: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn run_name<S: Serializer>(run: &EtcdRun, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(run.name())
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn state_name<S: Serializer>(state: &EtcdState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.name())
}

impl EtcdPlan {
    /// The directories that it writes, and whose they are.
    pub(super) fn data(&self) -> directories::Data<'_> {
        directories::Data { paths: self.directories(), owner: self.owner() }
    }

    /// Whose its directories are.
    pub fn owner(&self) -> Owner {
        let service = self.unit.as_ref().and_then(|unit| unit.service.as_ref());
        let in_container = self.container.as_ref().and_then(|container| container.user);
        service.map(|service| service.owner).or(in_container).unwrap_or_default()
    }

    /// The directories that it writes.
    pub fn directories(&self) -> Vec<&str> {
        std::iter::once(self.data_dir.as_str()).chain(self.wal_apart()).collect()
    }

    /// The directory of the write-ahead log, when it is not below the data directory: etcd makes that one.
    pub fn wal_apart(&self) -> Option<&str> {
        let wal = self.wal_dir.as_deref();
        wal.filter(|wal| *wal != self.data_dir && !directories::inside(wal, &self.data_dir))
    }

    /// The write-ahead log in its directory (`--wal-dir`), when it has one of its own. etcd makes `wal.tmp`
    /// beside it, removes it and renames the one to the other (`server/wal`, `Create`, `renameWAL`), which
    /// works in a directory that it owns, and with no mount.
    pub fn log(&self) -> Option<String> {
        self.wal_dir.as_ref().map(|wal| format!("{wal}/wal"))
    }

    /// Where it listens for clients.
    pub fn client_listener(&self) -> String {
        members::client_url(self.address)
    }

    /// Where it listens for other members.
    fn peer_listener(&self) -> String {
        members::peer_url(self.address)
    }

    /// The bytes that its database may have (`--quota-backend-bytes`; etcd's `DefaultQuotaBytes`).
    pub fn quota(&self) -> u64 {
        let told = self.flags.get("quota-backend-bytes").and_then(|values| values.first());
        told.and_then(|bytes| bytes.parse().ok()).filter(|bytes| *bytes > 0).unwrap_or(2 * 1024 * 1024 * 1024)
    }

    /// The program that runs its container; none where it runs in no container.
    pub fn engine(&self) -> Option<&str> {
        match self.run {
            EtcdRun::StaticPod => Some("crictl"),
            EtcdRun::Container => self.container.as_ref().map(|container| container.program.as_str()),
            EtcdRun::Systemd | EtcdRun::StatefulSet => None,
        }
    }

    /// Where its own host reaches it: on loopback, where that is served with TLS.
    pub fn local_url(&self) -> String {
        if self.is_plain_on_loopback() { self.client_url.clone() } else { self.loopback_listener() }
    }
}

/// The loopback address of the same family, as kubeadm chooses it.
pub(super) const fn loopback(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    }
}

/// The member of one host; none when it is no member or when a problem was found.
pub(super) fn plan(
    spec: &Spec,
    name: &HostName,
    host: &Host,
    settings: &Settings,
    members: &Members,
    release: Option<&'static Release>,
    problems: &mut Vec<Problem>,
) -> Option<EtcdPlan> {
    if !host.has(Role::Etcd) {
        return None;
    }
    let member = members.find(name.as_str())?;
    let release = release?;
    let image = match spec.etcd.run {
        EtcdRun::Systemd => None,
        EtcdRun::StaticPod | EtcdRun::Container | EtcdRun::StatefulSet => {
            Some(image::image(spec, settings, release, problems)?)
        }
    };
    let version = image::version(settings, image.as_ref(), problems)?;
    let feature_gates = uses_feature_gates(spec, release, version);
    let flags = written_flags(spec, settings, version, feature_gates, problems);
    let mut plan = EtcdPlan {
        name: member.name.clone(),
        run: spec.etcd.run,
        address: member.address,
        client_url: member.client_url(),
        peer_url: member.peer_url(),
        listed: members.listed_by(member),
        state: host.etcd.state.unwrap_or_default(),
        version: version.to_string(),
        feature_gates,
        image,
        container: container::plan(spec),
        unit: unit::plan(spec, settings),
        shared_certificate: spec.etcd.certificates == EtcdCertificates::Shared,
        cluster_image_repository: spec.kubernetes.image_repository.to_string(),
        data_dir: data_dir(settings, problems),
        wal_dir: settings
            .etcd
            .wal_dir
            .as_ref()
            .map(|chosen| own_directory(chosen, "write-ahead log", problems)),
        token: spec.etcd.token.as_ref().map(ToString::to_string),
        metrics: tuning::metrics(&settings.etcd.tuning.values),
        flags,
        kubernetes: spec.kubernetes.version.to_string(),
        kubeadm_api: release.kubeadm_api,
        encryption_algorithm: release.encryption_algorithm(spec.pki.algorithm),
        probes: probes(release, version),
        kubeadm_probes: release.etcd_probes,
        named_probe_port: release.named_probe_port,
    };
    plan.write_settings(spec.etcd.config, problems);
    problems.extend(plan.within_reach(settings));
    Some(plan)
}

/// What the spec says of flags: fields of `tuning`, and `extraArgs` over them.
fn written_flags(
    spec: &Spec,
    settings: &Settings,
    version: EtcdVersion,
    feature_gates: bool,
    problems: &mut Vec<Problem>,
) -> EtcdFlags {
    let mut flags = tuning::Tuner { tuned: &settings.etcd.tuning, version, problems }.flags();
    let in_file = spec.etcd.run.is_unit() && spec.etcd.config == EtcdConfig::Yaml;
    flags.extend(extra::Extra { version, feature_gates, in_file, problems }.flags(&settings.etcd.extra_args));
    flags
}

/// etcd 3.6 has feature gates. In pods kubeadm's old releases write the old flags all the same, which 3.6
/// still knows.
fn uses_feature_gates(spec: &Spec, release: &Release, version: EtcdVersion) -> bool {
    let kubeadms_old =
        spec.etcd.run == EtcdRun::StaticPod && release.etcd_flags == releases::EtcdFlags::Experimental;
    version.minor() >= 6 && !kubeadms_old
}

/// The first release of 3.5 that answers at `/livez` and `/readyz`. Some of 3.4 do too; `/health` is
/// answered by all.
const FIRST_LIVEZ: EtcdVersion = EtcdVersion::new(5, 11);

fn probes(release: &Release, version: EtcdVersion) -> EtcdProbes {
    if version < FIRST_LIVEZ { EtcdProbes::Health } else { release.etcd_probes }
}

fn data_dir(settings: &Settings, problems: &mut Vec<Problem>) -> String {
    let chosen = settings.etcd.data_dir.as_ref();
    chosen.map_or_else(|| "/var/lib/etcd".to_owned(), |chosen| own_directory(chosen, "data", problems))
}

impl EtcdPlan {
    /// What etcd must not be able to write, or would remove: programs that root or systemd starts, and a
    /// write-ahead log among the data's own files.
    fn within_reach(&self, settings: &Settings) -> Vec<Problem> {
        let unit = self.unit.iter();
        let gates = unit.clone().map(|unit| ("the gate's program", unit.gate.program.as_str()));
        let services = unit.filter_map(|unit| unit.service.as_ref());
        let services = services.map(|service| ("its program", service.program.as_str()));
        let engines = self.container.iter().map(|of| ("the engine's program", of.program.as_str()));
        let programs: Vec<_> = gates.chain(services).chain(engines).collect();
        let written = |chosen: &Option<Layered<_>>, field: &str| {
            chosen.as_ref().map_or_else(|| format!("etcd.{field}"), |chosen| chosen.path.clone())
        };
        let data = (written(&settings.etcd.data_dir, "dataDir"), Some(self.data_dir.as_str()), false);
        let wal = (written(&settings.etcd.wal_dir, "walDir"), self.wal_dir.as_deref(), true);
        let mut problems = Vec::new();
        for (at, path, is_wal) in [data, wal] {
            let Some(path) = path else { continue };
            for (what, program) in &programs {
                if *program == path || directories::inside(program, path) {
                    let message = format!("{what}, {program}, lies in {path}, which etcd writes");
                    let hint = "give etcd a directory of its own, such as /var/lib/etcd";
                    problems.push(Problem::error(at.clone(), message).hint(hint));
                }
            }
            let member = format!("{}/member", self.data_dir);
            if is_wal && (path == member || directories::inside(path, &member)) {
                let message = format!("{path} lies in {member}, which is etcd's own");
                let hint = format!("write another, such as {}/log, or remove it", self.data_dir);
                problems.push(Problem::error(at, message).hint(hint));
            }
        }
        problems
    }
}

/// etcd's own directory: nobody else's lies in it or around it.
fn own_directory(chosen: &Layered<AbsolutePath>, of: &str, problems: &mut Vec<Problem>) -> String {
    let path = chosen.value.as_str();
    if let Some(other) = directories::conflict(path) {
        let message = format!("{path} cannot be etcd's {of} directory beside {other}");
        problems.push(
            Problem::error(chosen.path.clone(), message)
                .hint("give etcd a directory of its own, such as /var/lib/etcd"),
        );
    }
    path.to_owned()
}
