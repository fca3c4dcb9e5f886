//! The etcd member of one host.

use super::directories;
use super::releases::{EtcdFlags, EtcdProbes, KubeadmApi, Release, known_patches};
use super::settings::Settings;
use crate::spec::Problem;
use crate::spec::scalars::{HostName, ImageRef};
use crate::spec::types::{Host, Provisioner, Role, Spec};
use serde::{Serialize, Serializer};
use std::net::IpAddr;
use std::sync::Arc;

/// The etcd member of one host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdPlan {
    /// The member's name: the node name.
    pub name: String,
    /// Where it listens and is reached.
    pub address: IpAddr,
    /// All members, shared by all hosts.
    #[serde(serialize_with = "members_text")]
    pub members: Arc<Members>,
    /// The repository of all images that are not named one by one.
    pub cluster_image_repository: String,
    /// The image's repository without the name `etcd` at its end.
    pub image_repository: String,
    /// The image's tag, with a digest where the spec pins one.
    pub image_tag: String,
    /// Whether the spec names the image, so that kubeadm must be told.
    pub image_pinned: bool,
    /// The data directory.
    pub data_dir: String,
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
    /// Whether probes name a port.
    pub named_probe_port: bool,
}

/// The members of a cluster, as the texts that every host needs.
#[derive(Debug)]
pub struct Members {
    /// `--initial-cluster`: `name=https://address:2380`, joined by commas.
    pub initial_cluster: String,
    /// All client URLs, joined by commas.
    pub client_urls: String,
}

fn members_text<S: Serializer>(members: &Arc<Members>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&members.initial_cluster)
}

/// etcd's port for clients.
const CLIENT_PORT: u16 = 2379;
/// etcd's port for members.
const PEER_PORT: u16 = 2380;

impl EtcdPlan {
    /// Where it says over plain http how it is, on loopback (kubeadm's `EtcdMetricsPort`).
    pub const METRICS_PORT: u16 = 2381;

    /// The image, as a container runtime takes it.
    pub fn image(&self) -> String {
        format!("{}/etcd:{}", self.image_repository, self.image_tag)
    }

    /// kubeadm's flags that say nothing of addresses and members, in byte order of their names.
    pub fn defaults(&self) -> Vec<(&'static str, String)> {
        let mut flags = vec![
            ("cert-file", "/etc/kubernetes/pki/etcd/server.crt"),
            ("client-cert-auth", "true"),
            ("data-dir", &*self.data_dir),
            ("key-file", "/etc/kubernetes/pki/etcd/server.key"),
            ("peer-cert-file", "/etc/kubernetes/pki/etcd/peer.crt"),
            ("peer-client-cert-auth", "true"),
            ("peer-key-file", "/etc/kubernetes/pki/etcd/peer.key"),
            ("peer-trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt"),
            ("snapshot-count", "10000"),
            ("trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt"),
        ];
        flags.extend_from_slice(if self.feature_gates {
            &[("feature-gates", "InitialCorruptCheck=true"), ("watch-progress-notify-interval", "5s")]
        } else {
            &[
                ("experimental-initial-corrupt-check", "true"),
                ("experimental-watch-progress-notify-interval", "5s"),
            ]
        });
        flags.sort_unstable();
        flags.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
    }

    /// The URL that clients use.
    pub fn client_url(&self) -> String {
        client_url(self.address)
    }

    /// The URL that other members use.
    pub fn peer_url(&self) -> String {
        url(self.address, PEER_PORT)
    }
}

/// Where clients reach a member at an address.
pub(super) fn client_url(address: IpAddr) -> String {
    url(address, CLIENT_PORT)
}

/// An https URL; IPv6 stands in brackets.
fn url(address: IpAddr, port: u16) -> String {
    format!("https://{}", std::net::SocketAddr::new(address, port))
}

/// kubeadm has its members listen where the API server does.
fn address_of(spec: &Spec, host: &Host) -> Option<IpAddr> {
    let kubeadms =
        spec.kubernetes.provisioner == Provisioner::Kubeadm && host.roles.contains(&Role::ControlPlane);
    let api = host.api_address.filter(|_| kubeadms);
    host.etcd_address.or(api).or_else(|| host.addresses.first().copied())
}

/// All members, in byte order of their names.
pub(super) fn members(spec: &Spec) -> Arc<Members> {
    let hosts = spec.hosts.iter().filter(|(_, host)| host.roles.contains(&Role::Etcd));
    let addresses: Vec<_> =
        hosts.filter_map(|(name, host)| address_of(spec, host).map(|address| (name, address))).collect();
    let peers: Vec<_> =
        addresses.iter().map(|(name, address)| format!("{name}={}", url(*address, PEER_PORT))).collect();
    let clients: Vec<_> = addresses.iter().map(|(_, address)| url(*address, CLIENT_PORT)).collect();
    Arc::new(Members { initial_cluster: peers.join(","), client_urls: clients.join(",") })
}

/// The member of one host; none when it is no member or when a problem was found.
pub(super) fn plan(
    spec: &Spec,
    name: &HostName,
    host: &Host,
    settings: &Settings,
    members: &Arc<Members>,
    release: Option<&'static Release>,
    problems: &mut Vec<Problem>,
) -> Option<EtcdPlan> {
    if !host.roles.contains(&Role::Etcd) {
        return None;
    }
    let address = address_of(spec, host)?;
    let release = release?;
    let image = image(spec, settings, release, problems)?;
    Some(EtcdPlan {
        name: name.to_string(),
        address,
        members: Arc::clone(members),
        feature_gates: uses_feature_gates(release, &image.tag),
        cluster_image_repository: spec.kubernetes.image_repository.to_string(),
        image_repository: image.repository,
        image_tag: image.tag,
        image_pinned: image.pinned,
        data_dir: data_dir(settings, problems),
        kubernetes: spec.kubernetes.version.to_string(),
        kubeadm_api: release.kubeadm_api,
        encryption_algorithm: release.encryption_algorithm(spec.pki.algorithm),
        probes: release.etcd_probes,
        named_probe_port: release.named_probe_port,
    })
}

/// etcd's own directory: nobody else's lies in it or around it.
fn data_dir(settings: &Settings, problems: &mut Vec<Problem>) -> String {
    let Some(chosen) = &settings.etcd_data_dir else { return "/var/lib/etcd".to_owned() };
    let path = chosen.value.as_str();
    if let Some(other) = directories::conflict(path) {
        let message = format!("{path} cannot be etcd's data directory beside {other}");
        problems.push(
            Problem::error(chosen.path.clone(), message)
                .hint("give etcd a directory of its own, such as /var/lib/etcd"),
        );
    }
    path.to_owned()
}

struct Image {
    repository: String,
    tag: String,
    pinned: bool,
}

fn image(spec: &Spec, settings: &Settings, release: &Release, problems: &mut Vec<Problem>) -> Option<Image> {
    if let Some(pinned) = &settings.etcd_image {
        let parts = kubeadm_parts(&pinned.value);
        if parts.is_none() {
            problems.push(
                Problem::error(pinned.path.clone(), "this image cannot be told to kubeadm")
                    .hint("kubeadm wants REPOSITORY/etcd:TAG, or REPOSITORY/etcd:TAG@sha256:DIGEST"),
            );
        }
        return parts;
    }
    let version = &spec.kubernetes.version;
    let Some(tag) = release.etcd_tag(version.patch()) else {
        problems.push(
            Problem::error("kubernetes.version", format!("the etcd image of Kubernetes {version} is not known here"))
                .hint(format!(
                    "name it: `etcd: {{image: \"registry.k8s.io/etcd:TAG\"}}`; `kubeadm config images list` of that release says which; \
                     sealift knows those of {}",
                    known_patches(release.minor, release.etcd_images)
                )),
        );
        return None;
    };
    Some(Image {
        repository: spec.kubernetes.image_repository.to_string(),
        tag: tag.to_owned(),
        pinned: false,
    })
}

/// kubeadm builds the image's name as `imageRepository/etcd:imageTag`.
fn kubeadm_parts(image: &ImageRef) -> Option<Image> {
    let (repository, rest) = image.as_str().rsplit_once("/etcd:")?;
    (!rest.contains('/') && !rest.is_empty()).then(|| Image {
        repository: repository.to_owned(),
        tag: rest.to_owned(),
        pinned: true,
    })
}

/// kubeadm compares etcd's version with 3.6.0 in the releases between.
fn uses_feature_gates(release: &Release, tag: &str) -> bool {
    match release.etcd_flags {
        EtcdFlags::Experimental => false,
        EtcdFlags::FeatureGates => true,
        EtcdFlags::ByEtcdVersion => {
            let mut numbers = tag.trim_start_matches('v').split(['.', '-']).map(str::parse::<u32>);
            let mut next = || numbers.next().and_then(Result::ok);
            (next(), next()) >= (Some(3), Some(6))
        }
    }
}
