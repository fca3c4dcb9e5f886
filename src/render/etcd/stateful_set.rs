//! What the templates below `/etc/kubernetes/etcd` may say.

use crate::plan::StatefulSetPlan;
use crate::plan::certs::{Algorithm, Attribute, Requested};
use crate::plan::etcd::stateful_set::{CertManagerPlan, Claim};
use serde::Serialize;
use std::collections::BTreeMap;

pub(in crate::render) use crate::plan::etcd::stateful_set::DIRECTORY;

/// The context of each of them.
#[derive(Serialize)]
pub(in crate::render) struct StatefulSet {
    name: String,
    namespace: String,
    create_namespace: bool,
    domain: String,
    /// What clients speak to.
    service: String,
    client_service: Option<String>,
    replicas: u32,
    /// The number of the last pod.
    last: u32,
    initial_cluster: String,
    state: &'static str,
    version: String,
    image: String,
    restart_digest: Option<String>,
    arguments: Vec<String>,
    liveness: Option<&'static str>,
    readiness: &'static str,
    resources: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    node_selector: BTreeMap<String, String>,
    tolerations: Vec<Toleration>,
    claims: Vec<NamedClaim>,
    wal: bool,
    cert_manager: bool,
    ca: Option<Ca>,
    issuer: String,
    issuer_kind: &'static str,
    certificates: Vec<Certificate>,
}

#[derive(Serialize)]
struct Toleration {
    key: String,
    value: Option<String>,
    effect: &'static str,
}

#[derive(Serialize)]
struct NamedClaim {
    name: &'static str,
    size: String,
    class_name: Option<String>,
}

/// The authority that the objects make.
#[derive(Serialize)]
struct Ca {
    name: String,
    self_signed: String,
    duration: String,
    algorithm: &'static str,
    size: Option<u32>,
}

#[derive(Serialize)]
struct Certificate {
    secret: String,
    cn: String,
    dns: Vec<String>,
    ips: Vec<String>,
    duration: String,
    algorithm: &'static str,
    size: Option<u32>,
    subject: Vec<Field>,
    usages: Vec<&'static str>,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    value: String,
}

/// The context; `digest` is that of what pods read at their start only.
pub(in crate::render) fn context(plan: &StatefulSetPlan, digest: Option<&str>) -> StatefulSet {
    let client_service = plan.client_service.then(|| format!("{}-client", plan.name));
    let manager = plan.cert_manager.as_ref();
    let (issuer, issuer_kind) = manager.map(|manager| manager.issuer.clone()).unwrap_or_default();
    let resources = [("limits", &plan.limits), ("requests", &plan.requests)];
    let resources = resources.into_iter().filter(|(_, of)| !of.is_empty());
    let wal = plan.wal.as_ref().map(|wal| claim("wal", wal));
    StatefulSet {
        name: plan.name.clone(),
        namespace: plan.namespace.clone(),
        create_namespace: plan.create_namespace,
        domain: plan.domain.clone(),
        service: client_service.clone().unwrap_or_else(|| plan.name.clone()),
        client_service,
        replicas: plan.replicas,
        last: plan.replicas.saturating_sub(1),
        initial_cluster: plan.initial_cluster.clone(),
        state: plan.state,
        version: plan.version.clone(),
        image: plan.image.clone(),
        // cert-manager's authorities are not known here
        restart_digest: digest.filter(|_| manager.is_none()).map(str::to_owned),
        arguments: plan.arguments(),
        liveness: plan.probes.liveness,
        readiness: plan.probes.readiness,
        resources: resources.map(|(name, of)| (name, of.clone())).collect(),
        node_selector: plan.node_selector.clone(),
        tolerations: plan
            .tolerations
            .iter()
            .map(|one| Toleration { key: one.key.clone(), value: one.value.clone(), effect: one.effect })
            .collect(),
        wal: wal.is_some(),
        claims: std::iter::once(claim("data", &plan.data)).chain(wal).collect(),
        cert_manager: manager.is_some(),
        ca: manager.and_then(|manager| ca(plan, manager)),
        issuer,
        issuer_kind,
        certificates: manager
            .iter()
            .flat_map(|manager| &manager.certificates)
            .map(|requested| certificate(plan, requested))
            .collect(),
    }
}

fn claim(name: &'static str, of: &Claim) -> NamedClaim {
    NamedClaim { name, size: of.size.clone(), class_name: of.class_name.clone() }
}

fn ca(plan: &StatefulSetPlan, manager: &CertManagerPlan) -> Option<Ca> {
    let (algorithm, size) = key(manager.ca_algorithm);
    Some(Ca {
        name: format!("{}-ca", plan.name),
        self_signed: format!("{}-selfsigned", plan.name),
        duration: duration(manager.ca_seconds?),
        algorithm,
        size,
    })
}

fn certificate(plan: &StatefulSetPlan, of: &Requested) -> Certificate {
    let (algorithm, size) = key(of.algorithm);
    // RFC 8410 section 5 forbids it for Ed25519
    let encipherment = (of.algorithm != Algorithm::Ed25519).then_some("key encipherment");
    let server = of.server.then_some("server auth");
    Certificate {
        secret: plan.secret(of.id),
        cn: of.cn.clone(),
        dns: of.dns.clone(),
        ips: of.ips.iter().map(ToString::to_string).collect(),
        duration: duration(of.seconds),
        algorithm,
        size,
        subject: of
            .subject
            .iter()
            .map(|(attribute, value)| Field { name: field(*attribute), value: value.clone() })
            .collect(),
        usages: ["digital signature"]
            .into_iter()
            .chain(encipherment)
            .chain(server)
            .chain(["client auth"])
            .collect(),
    }
}

/// As Go's `time.ParseDuration` reads it.
fn duration(seconds: u64) -> String {
    if seconds.is_multiple_of(3600) { format!("{}h", seconds / 3600) } else { format!("{seconds}s") }
}

/// cert-manager's words for a key.
const fn key(algorithm: Algorithm) -> (&'static str, Option<u32>) {
    match algorithm {
        Algorithm::EcdsaP256 => ("ECDSA", Some(256)),
        Algorithm::EcdsaP384 => ("ECDSA", Some(384)),
        Algorithm::Ed25519 => ("Ed25519", None),
    }
}

/// cert-manager's words for a field of a subject.
const fn field(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::C => "countries",
        Attribute::St => "provinces",
        Attribute::L => "localities",
        Attribute::O => "organizations",
        Attribute::Ou => "organizationalUnits",
    }
}
