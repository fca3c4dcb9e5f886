//! Kubernetes releases as data: what changes from one to the next, one row each.
//!
//! Sources: `cmd/kubeadm/app/constants/constants.go` (images), `app/phases/etcd/local.go` and
//! `app/util/staticpod` (flags and probes) of each release.

use crate::spec::Problem;
use crate::spec::scalars::KubernetesVersion;
use crate::spec::types::Algorithm;
use serde::Serialize;
use std::ops::RangeInclusive;

/// What one minor release does differently from others.
#[allow(clippy::struct_excessive_bools, reason = "one per difference")]
#[derive(Debug)]
pub struct Release {
    /// The minor number of 1.x.
    pub minor: u32,
    /// kubeadm's newest API.
    pub kubeadm_api: KubeadmApi,
    /// kubeadm's default etcd image tags, by patch release. Later ones of 1.31 to 1.33 have 3.5.24
    /// (k/k#134861); which is the first was not to be learnt, so they are not known here.
    pub etcd_images: &'static [(RangeInclusive<u32>, &'static str)],
    /// kubeadm's default CoreDNS image tags, by patch release.
    pub coredns_images: &'static [(RangeInclusive<u32>, &'static str)],
    /// kubeadm's default tag of the pause image.
    pub pause_tag: &'static str,
    /// How etcd's corruption check and watch progress flags are spelt.
    pub etcd_flags: EtcdFlags,
    /// Which health endpoints etcd is probed at.
    pub etcd_probes: EtcdProbes,
    /// Whether probes name a port of the container (k/k#132776) instead of a number.
    pub named_probe_port: bool,
    /// Whether the kubelet of a control plane speaks to its own API server (the feature gate
    /// `ControlPlaneKubeletLocalMode` is on by default).
    pub local_kubelet: bool,
    /// Whether the scheduler is probed at `/livez` and `/readyz` (k/k#126945) instead of `/healthz`.
    pub scheduler_livez: bool,
    /// Whether kubeadm mounts the directory of volume plugins into the controller manager; not from
    /// 1.36 on (k/k#136423).
    pub flex_volumes: bool,
    /// Whether the API server reads its `AuthenticationConfiguration` again when it changes (KEP-3331,
    /// from 1.30 on).
    pub authentication_reloads: bool,
    /// Whether the kubelet knows `--pod-infra-container-image`, which kubeadm then writes.
    pub pod_infra_flag: bool,
    /// Whether the kubelet refuses cgroup v1 unless `failCgroupV1` is false.
    pub refuses_cgroup_v1: bool,
}

/// kubeadm's configuration API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KubeadmApi {
    /// `kubeadm.k8s.io/v1beta3`: extraArgs is a map.
    V1beta3,
    /// `kubeadm.k8s.io/v1beta4`: extraArgs is a list (k/k#125029).
    V1beta4,
}

/// The spelling of two etcd flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EtcdFlags {
    /// `--experimental-…`, up to Kubernetes 1.33.
    Experimental,
    /// By etcd's own version: `--feature-gates` from 3.6.0 on. Kubernetes 1.34 and 1.35.
    ByEtcdVersion,
    /// `--feature-gates=InitialCorruptCheck=true`, from Kubernetes 1.36.
    FeatureGates,
}

/// The endpoints etcd is probed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EtcdProbes {
    /// `/health`, no readiness probe; up to 1.30.
    Health,
    /// `/livez` and `/readyz`; from 1.31 (k/k#124465).
    Livez,
}

impl EtcdProbes {
    /// The paths of liveness, readiness and startup.
    pub const fn paths(self) -> (&'static str, Option<&'static str>, &'static str) {
        match self {
            Self::Health => ("/health?exclude=NOSPACE&serializable=true", None, "/health?serializable=false"),
            Self::Livez => ("/livez", Some("/readyz"), "/readyz"),
        }
    }
}

const ANY: RangeInclusive<u32> = 0..=u32::MAX;

/// Every release that sealift knows, ascending.
pub const RELEASES: &[Release] = &[
    Release {
        minor: 29,
        kubeadm_api: KubeadmApi::V1beta3,
        etcd_images: &[(0..=2, "3.5.10-0"), (3..=8, "3.5.12-0"), (9..=10, "3.5.15-0")],
        coredns_images: &[(ANY, "v1.11.1")],
        pause_tag: "3.9",
        etcd_flags: EtcdFlags::Experimental,
        etcd_probes: EtcdProbes::Health,
        named_probe_port: false,
        local_kubelet: false,
        scheduler_livez: false,
        flex_volumes: true,
        authentication_reloads: false,
        pod_infra_flag: true,
        refuses_cgroup_v1: false,
    },
    Release {
        minor: 30,
        kubeadm_api: KubeadmApi::V1beta3,
        etcd_images: &[(0..=4, "3.5.12-0"), (5..=6, "3.5.15-0")],
        coredns_images: &[(0..=4, "v1.11.1"), (5..=u32::MAX, "v1.11.3")],
        pause_tag: "3.9",
        etcd_flags: EtcdFlags::Experimental,
        etcd_probes: EtcdProbes::Health,
        named_probe_port: false,
        local_kubelet: false,
        scheduler_livez: false,
        flex_volumes: true,
        authentication_reloads: true,
        pod_infra_flag: true,
        refuses_cgroup_v1: false,
    },
    Release {
        minor: 31,
        kubeadm_api: KubeadmApi::V1beta4,
        etcd_images: &[(0..=13, "3.5.15-0")],
        coredns_images: &[(0..=0, "v1.11.1"), (1..=u32::MAX, "v1.11.3")],
        pause_tag: "3.10",
        etcd_flags: EtcdFlags::Experimental,
        etcd_probes: EtcdProbes::Livez,
        named_probe_port: false,
        local_kubelet: false,
        scheduler_livez: false,
        flex_volumes: true,
        authentication_reloads: true,
        pod_infra_flag: true,
        refuses_cgroup_v1: false,
    },
    Release {
        minor: 32,
        kubeadm_api: KubeadmApi::V1beta4,
        etcd_images: &[(0..=9, "3.5.16-0")],
        coredns_images: &[(ANY, "v1.11.3")],
        pause_tag: "3.10",
        etcd_flags: EtcdFlags::Experimental,
        etcd_probes: EtcdProbes::Livez,
        named_probe_port: false,
        local_kubelet: false,
        scheduler_livez: true,
        flex_volumes: true,
        authentication_reloads: true,
        pod_infra_flag: true,
        refuses_cgroup_v1: false,
    },
    Release {
        minor: 33,
        kubeadm_api: KubeadmApi::V1beta4,
        etcd_images: &[(0..=5, "3.5.21-0")],
        coredns_images: &[(ANY, "v1.12.0")],
        pause_tag: "3.10",
        etcd_flags: EtcdFlags::Experimental,
        etcd_probes: EtcdProbes::Livez,
        named_probe_port: false,
        local_kubelet: true,
        scheduler_livez: true,
        flex_volumes: true,
        authentication_reloads: true,
        pod_infra_flag: true,
        refuses_cgroup_v1: false,
    },
    Release {
        minor: 34,
        kubeadm_api: KubeadmApi::V1beta4,
        etcd_images: &[(1..=1, "3.6.4-0"), (2..=2, "3.6.5-0")],
        coredns_images: &[(ANY, "v1.12.1")],
        pause_tag: "3.10.1",
        etcd_flags: EtcdFlags::ByEtcdVersion,
        etcd_probes: EtcdProbes::Livez,
        named_probe_port: true,
        local_kubelet: true,
        scheduler_livez: true,
        flex_volumes: true,
        authentication_reloads: true,
        pod_infra_flag: true,
        refuses_cgroup_v1: false,
    },
    Release {
        minor: 35,
        kubeadm_api: KubeadmApi::V1beta4,
        etcd_images: &[(ANY, "3.6.6-0")],
        coredns_images: &[(ANY, "v1.13.1")],
        pause_tag: "3.10.1",
        etcd_flags: EtcdFlags::ByEtcdVersion,
        etcd_probes: EtcdProbes::Livez,
        named_probe_port: true,
        local_kubelet: true,
        scheduler_livez: true,
        flex_volumes: true,
        authentication_reloads: true,
        pod_infra_flag: false,
        refuses_cgroup_v1: true,
    },
    Release {
        minor: 36,
        kubeadm_api: KubeadmApi::V1beta4,
        etcd_images: &[(ANY, "3.6.8-0")],
        coredns_images: &[(ANY, "v1.14.2")],
        pause_tag: "3.10.2",
        etcd_flags: EtcdFlags::FeatureGates,
        etcd_probes: EtcdProbes::Livez,
        named_probe_port: true,
        local_kubelet: true,
        scheduler_livez: true,
        flex_volumes: false,
        authentication_reloads: true,
        pod_infra_flag: false,
        refuses_cgroup_v1: true,
    },
];

impl Release {
    /// kubeadm's `encryptionAlgorithm` (a field of v1beta4; `ECDSA-P384` from 1.34 on); none where
    /// kubeadm knows no such keys.
    pub fn encryption_algorithm(&self, algorithm: Algorithm) -> Option<&'static str> {
        match algorithm {
            _ if self.kubeadm_api == KubeadmApi::V1beta3 => None,
            Algorithm::EcdsaP256 => Some("ECDSA-P256"),
            Algorithm::EcdsaP384 => (self.minor >= 34).then_some("ECDSA-P384"),
            Algorithm::Ed25519 => None,
        }
    }

    /// kubeadm's default etcd image tag of a patch release, when it is known.
    pub fn etcd_tag(&self, patch: u32) -> Option<&'static str> {
        self.etcd_images.iter().find(|(patches, _)| patches.contains(&patch)).map(|(_, tag)| *tag)
    }

    /// kubeadm's default CoreDNS image tag of a patch release, when it is known.
    pub fn coredns_tag(&self, patch: u32) -> Option<&'static str> {
        self.coredns_images.iter().find(|(patches, _)| patches.contains(&patch)).map(|(_, tag)| *tag)
    }
}

/// The patch releases of a minor one that a table of images knows: `1.29.0 to 1.29.10`.
pub(super) fn known_patches<T>(minor: u32, images: &[(RangeInclusive<u32>, T)]) -> String {
    let first = images.iter().map(|(patches, _)| *patches.start()).min().unwrap_or_default();
    let last = images.iter().map(|(patches, _)| *patches.end()).max().unwrap_or_default();
    match last {
        u32::MAX => format!("1.{minor}.{first} and later"),
        last if last == first => format!("1.{minor}.{first}"),
        last => format!("1.{minor}.{first} to 1.{minor}.{last}"),
    }
}

/// The row of a version; a problem at `kubernetes.version` when there is none.
pub(super) fn find(version: &KubernetesVersion, problems: &mut Vec<Problem>) -> Option<&'static Release> {
    let known = RELEASES.iter().find(|row| version.major() == 1 && row.minor == version.minor());
    if known.is_none() {
        let first = RELEASES.first().map_or(0, |row| row.minor);
        let last = RELEASES.last().map_or(0, |row| row.minor);
        problems.push(
            Problem::error("kubernetes.version", format!("sealift does not know Kubernetes {version}"))
                .hint(format!("this version of sealift knows 1.{first} to 1.{last}")),
        );
    }
    known
}

#[cfg(test)]
mod tests;
