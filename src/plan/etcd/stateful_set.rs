//! etcd in a cluster that exists: its `StatefulSet` and what belongs to it, after etcd's own text "Run etcd
//! clusters as a Kubernetes `StatefulSet`".

use super::settings::{EtcdFlags, Pair, SettingsBasis};
use super::{image, uses_feature_gates, written_flags};
use crate::plan::certs::{Requested, requested};
use crate::plan::releases::Release;
use crate::plan::settings;
use crate::spec::Problem;
use crate::spec::scalars::{EtcdVersion, Quantity};
use crate::spec::types::{Amounts, EtcdRun, EtcdStatefulSet, Spec, StatefulSetCertificates, Storage};
use serde::Serialize;
use std::collections::BTreeMap;

/// Where the operators have its objects.
pub const DIRECTORY: &str = "/etc/kubernetes/etcd";
/// Where a member says over plain http how it is, and serves its metrics.
const METRICS_PORT: u16 = 8080;
/// The data directory, one level below its volume: etcd makes it, for itself alone.
const DATA: &str = "/var/lib/etcd/data";
/// The directory of the write-ahead log, on the same volume and on one of its own.
const WAL: &str = "/var/lib/etcd/wal";
const OWN_WAL: &str = "/var/lib/etcd-wal/wal";
/// A claim that the spec says nothing of.
const CLAIM: &str = "8Gi";

/// The `StatefulSet` and what belongs to it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatefulSetPlan {
    /// Its name and that of the headless service.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The cluster's DNS domain.
    pub domain: String,
    /// Whether the namespace is among the objects.
    pub create_namespace: bool,
    /// How many members there are.
    pub replicas: u32,
    /// The members, `NAME=URL` joined by commas: what a pod with an empty volume begins with.
    pub initial_cluster: String,
    /// `new` or `existing`.
    pub state: &'static str,
    /// etcd's release.
    pub version: String,
    /// The image.
    pub image: String,
    /// How it is probed.
    pub probes: SetProbes,
    /// etcd's flags by name; `$(NAME)` is a variable of the pod.
    pub flags: EtcdFlags,
    /// The claim of each member's data.
    pub data: Claim,
    /// The claim of its write-ahead log, when it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wal: Option<Claim>,
    /// What a pod asks for, by resource.
    pub requests: BTreeMap<&'static str, String>,
    /// What it may take.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<&'static str, String>,
    /// Labels of its nodes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// What its pods tolerate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Whether clients have a service with an address of its own.
    pub client_service: bool,
    /// What cert-manager does; none where the build issues the certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_manager: Option<CertManagerPlan>,
}

/// The paths of its probes on the port of its metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SetProbes {
    /// Whether it must be restarted; where there is none, a connection is proof enough: the releases without
    /// a path answer for the whole cluster, and a restart heals no lost quorum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<&'static str>,
    /// Whether it serves.
    pub readiness: &'static str,
}

/// A volume that is claimed for each member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Its size.
    pub size: String,
    /// Its storage class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
}

/// A taint that pods tolerate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Toleration {
    /// Its key.
    pub key: String,
    /// Its value; none for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Its effect.
    pub effect: &'static str,
}

/// What cert-manager does.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertManagerPlan {
    /// Name and kind of the issuer.
    pub issuer: (String, &'static str),
    /// How long the CA is valid, in seconds, where the objects make one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_seconds: Option<u64>,
    /// The algorithm of the CA's key.
    pub ca_algorithm: crate::spec::types::Algorithm,
    /// The certificates.
    pub certificates: Vec<Requested>,
}

/// A file of [`DIRECTORY`] that not every `StatefulSet` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What every one has.
    Any,
    /// The namespace.
    Namespace,
    /// Secrets of the build's certificates.
    Secrets,
    /// Issuers and Certificates of cert-manager.
    CertManager,
}

impl StatefulSetPlan {
    /// etcd's command line in a pod, flags in byte order of their names.
    pub fn arguments(&self) -> Vec<String> {
        let flags = self.flags.iter();
        flags.map(|(name, values)| format!("--{name}={}", values.join(","))).collect()
    }

    /// Whether it has such a file.
    pub fn has(&self, part: Part) -> bool {
        match part {
            Part::Any => true,
            Part::Namespace => self.create_namespace,
            Part::Secrets => self.cert_manager.is_none(),
            Part::CertManager => self.cert_manager.is_some(),
        }
    }

    /// The Secret of a certificate: of its id the last word, `NAME-server-tls`.
    pub fn secret(&self, id: &str) -> String {
        format!("{}-{}-tls", self.name, id.rsplit('-').next().unwrap_or_default())
    }
}

/// The plan; none when etcd runs otherwise, or when a problem was found.
pub(in crate::plan) fn plan(
    spec: &Spec,
    release: Option<&'static Release>,
    problems: &mut Vec<Problem>,
) -> Option<StatefulSetPlan> {
    if spec.etcd.run != EtcdRun::StatefulSet {
        return None;
    }
    let release = release?;
    let of = spec.etcd.stateful_set.clone().unwrap_or_default();
    let settings = settings::of_all(spec);
    let image = image::image(spec, &settings, release, problems)?;
    let version = image::version(&settings, Some(&image), problems)?;
    let any = if of.ipv6 { "[::]" } else { "0.0.0.0" };
    let feature_gates = uses_feature_gates(spec, release, version);
    let written = written_flags(spec, &settings, version, feature_gates, problems);
    let basis = SettingsBasis {
        version: Some(version),
        data_dir: DATA,
        wal_dir: None,
        server: SERVER,
        peer: PEER,
        feature_gates,
        metrics_urls: format!("http://{any}:{METRICS_PORT}"),
        flags: &literal(&written),
    };
    let mut flags: EtcdFlags =
        basis.settings().into_iter().map(|setting| (setting.name, setting.values)).collect();
    flags.extend(own_flags(spec, &of).into_iter().map(|(name, value)| (name.to_owned(), vec![value])));
    Some(StatefulSetPlan {
        name: of.name.to_string(),
        namespace: of.namespace.to_string(),
        domain: spec.kubernetes.cluster_domain.to_string(),
        create_namespace: of.create_namespace,
        replicas: of.replicas.get(),
        initial_cluster: initial_cluster(spec, &of),
        state: of.state.name(),
        version: version.to_string(),
        image: image.whole,
        probes: probes(version),
        flags,
        data: claim(&of.storage),
        wal: of.wal_storage.as_ref().map(claim),
        requests: amounts(&of.resources.requests, [Some("100m"), Some("100Mi")]),
        limits: amounts(&of.resources.limits, [None, None]),
        node_selector: of
            .node_selector
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
        tolerations: tolerations(&of),
        client_service: of.client_service,
        cert_manager: cert_manager(spec, &of),
    })
}

/// Values as they are: the kubelet expands `$(NAME)` in arguments, and writes `$` for `$$`.
fn literal(flags: &EtcdFlags) -> EtcdFlags {
    let escaped = |values: &Vec<String>| values.iter().map(|value| value.replace('$', "$$")).collect();
    flags.iter().map(|(name, values)| (name.clone(), escaped(values))).collect()
}

const SERVER: Pair =
    Pair { certificate: "/etc/etcd/tls/server/tls.crt", key: "/etc/etcd/tls/server/tls.key" };
const PEER: Pair = Pair { certificate: "/etc/etcd/tls/peer/tls.crt", key: "/etc/etcd/tls/peer/tls.key" };

/// What only a `StatefulSet` has: names, addresses and files.
fn own_flags(spec: &Spec, of: &EtcdStatefulSet) -> Vec<(&'static str, String)> {
    let any = if of.ipv6 { "[::]" } else { "0.0.0.0" };
    let domain = &spec.kubernetes.cluster_domain;
    // whole: five dots with the usual domain, so no walk through the search list of resolv.conf (ndots:5)
    let below = format!("$(SERVICE_NAME).$(POD_NAMESPACE).svc.{domain}");
    let own = |port: u16| format!("https://$(POD_NAME).{below}:{port}");
    let token = spec.etcd.token.as_ref().map(ToString::to_string);
    vec![
        ("advertise-client-urls", own(2379)),
        ("client-cert-auth", "true".to_owned()),
        ("initial-advertise-peer-urls", own(2380)),
        ("initial-cluster", "$(INITIAL_CLUSTER)".to_owned()),
        ("initial-cluster-state", "$(INITIAL_CLUSTER_STATE)".to_owned()),
        ("initial-cluster-token", token.unwrap_or_else(|| "$(SERVICE_NAME)-$(POD_NAMESPACE)".to_owned())),
        ("listen-client-urls", format!("https://{any}:2379")),
        ("listen-peer-urls", format!("https://{any}:2380")),
        ("name", "$(POD_NAME)".to_owned()),
        ("peer-client-cert-auth", "true".to_owned()),
        ("peer-trusted-ca-file", "/etc/etcd/tls/peer/ca.crt".to_owned()),
        ("trusted-ca-file", "/etc/etcd/tls/server/ca.crt".to_owned()),
        ("wal-dir", if of.wal_storage.is_some() { OWN_WAL } else { WAL }.to_owned()),
    ]
}

/// All pods by their names in DNS.
fn initial_cluster(spec: &Spec, of: &EtcdStatefulSet) -> String {
    let (name, namespace, domain) = (&of.name, &of.namespace, &spec.kubernetes.cluster_domain);
    let members = (0..of.replicas.get()).map(|number| {
        format!("{name}-{number}=https://{name}-{number}.{name}.{namespace}.svc.{domain}:2380")
    });
    members.collect::<Vec<_>>().join(",")
}

/// etcd has `/livez` and `/readyz` from 3.5.11 on (etcd#17039), the parameters of `/health` from 3.5.0 on.
fn probes(version: EtcdVersion) -> SetProbes {
    if version >= EtcdVersion::new(5, 11) {
        SetProbes { liveness: Some("/livez"), readiness: "/readyz" }
    } else if version >= EtcdVersion::new(5, 0) {
        SetProbes {
            liveness: Some("/health?exclude=NOSPACE&serializable=true"),
            readiness: "/health?exclude=NOSPACE",
        }
    } else {
        SetProbes { liveness: None, readiness: "/health" }
    }
}

fn claim(of: &Storage) -> Claim {
    Claim {
        size: of.size.as_ref().map_or_else(|| CLAIM.to_owned(), ToString::to_string),
        class_name: of.class_name.as_ref().map(ToString::to_string),
    }
}

fn amounts(of: &Amounts, default: [Option<&str>; 2]) -> BTreeMap<&'static str, String> {
    let [cpu, memory] = default;
    let one = |name, own: Option<&Quantity>, default: Option<&str>| {
        Some((name, own.map(ToString::to_string).or_else(|| default.map(str::to_owned))?))
    };
    [one("cpu", of.cpu.as_ref(), cpu), one("memory", of.memory.as_ref(), memory)]
        .into_iter()
        .flatten()
        .collect()
}

fn tolerations(of: &EtcdStatefulSet) -> Vec<Toleration> {
    let one = |taint: &crate::spec::types::Taint| Toleration {
        key: taint.key.to_string(),
        value: Some(taint.value.to_string()).filter(|value| !value.is_empty()),
        effect: taint.effect.name(),
    };
    of.tolerations.iter().map(one).collect()
}

fn cert_manager(spec: &Spec, of: &EtcdStatefulSet) -> Option<CertManagerPlan> {
    if of.certificates != StatefulSetCertificates::CertManager {
        return None;
    }
    let own = of.issuer.as_ref().map(|issuer| (issuer.name.to_string(), issuer.kind.name()));
    let ca_seconds = own.is_none().then(|| spec.pki.validity.ca().seconds());
    Some(CertManagerPlan {
        issuer: own.unwrap_or_else(|| (format!("{}-ca", of.name), "Issuer")),
        ca_seconds,
        ca_algorithm: spec.pki.algorithm,
        certificates: requested(spec),
    })
}
