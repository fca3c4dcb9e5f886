//! The table laid over a spec.

use super::place::has_control_plane;
use super::{
    Attribute, CERTS, CertPlan, CertRow, Cn, Form, Kind, Organization, Place, Sans, Server, When, requested,
    sans,
};
use crate::plan::balancers::has_kube_vip;
use crate::plan::brought::{Facts, Version};
use crate::plan::etcd::{Member, Members};
use crate::plan::releases::Release;
use crate::plan::{AuthorityPlan, Rotated, seed_of};
use crate::spec::scalars::{Generation, San, SeedNumber, Span};
use crate::spec::types::{
    Algorithm, Authority, CaName, CertificateId, CertificateSettings, EtcdCertificates, EtcdRun,
    HostCertificate, Join, PreviousAuthority, Provisioner, Role, Spec, Subject as SubjectFields,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Whom leaf certificates are planned for.
pub(in crate::plan) struct Subject<'a> {
    pub(in crate::plan) name: &'a str,
    pub(in crate::plan) generation: u32,
    pub(in crate::plan) seed: Option<SeedNumber>,
    pub(in crate::plan) addresses: &'a [IpAddr],
    /// All etcd members, for one whose certificates may name them.
    pub(in crate::plan) members: Option<&'a Members>,
    pub(in crate::plan) api_address: Option<IpAddr>,
    pub(in crate::plan) own: Option<&'a BTreeMap<CertificateId, HostCertificate>>,
}

impl<'a> Subject<'a> {
    /// Its own etcd member.
    pub(super) fn member(&self) -> Option<&'a Member> {
        self.members?.find(self.name)
    }
}

/// kubeadm backdates `NotBefore` by five minutes, against clocks that are slow.
const BACKDATE: i64 = 5 * 60;

/// The certificate authorities of a cluster, in the order of the table.
pub(in crate::plan) fn authorities(spec: &Spec, facts: &Facts) -> Vec<AuthorityPlan> {
    let kubernetes = has_control_plane(spec);
    let made_there = requested::made_in_the_cluster(spec);
    let rows = CERTS.iter().filter_map(|row| match row.kind {
        Kind::Authority(ca) if kubernetes || (ca == CaName::Etcd && !made_there) => Some((ca, row)),
        _ => None,
    });
    rows.map(|(ca, row)| AuthorityPlan { ca, certificates: rotated(spec, facts, ca, row) }).collect()
}

fn rotated(spec: &Spec, facts: &Facts, ca: CaName, row: &'static CertRow) -> Rotated<CertPlan> {
    let settings = spec.pki.cas.of(ca);
    let current = version(spec, facts.authority(ca, Version::Current), row, &as_written(settings));
    Rotated::new(settings.rotation, current, || {
        let previous = before(settings);
        version(spec, facts.authority(ca, Version::Previous), row, &previous)
    })
}

/// One version of an authority, as far as the spec says.
struct AsWritten<'a> {
    generation: Generation,
    seed: Option<SeedNumber>,
    algorithm: Option<Algorithm>,
    validity: Option<Span>,
    subject: &'a SubjectFields,
}

fn as_written(settings: &Authority) -> AsWritten<'_> {
    AsWritten {
        generation: settings.generation,
        seed: settings.seed,
        algorithm: settings.algorithm,
        validity: settings.validity,
        subject: &settings.subject,
    }
}

/// What a rotation replaces: what is written of it, else what is written of its successor. The seed
/// is an exception: a new item has a seed of its own, the old one had the spec's.
fn before(settings: &Authority) -> AsWritten<'_> {
    let written: Option<&PreviousAuthority> = settings.previous.as_ref();
    let generation = written.and_then(|previous| previous.generation);
    AsWritten {
        generation: generation.unwrap_or_else(|| one_less(settings.generation)),
        seed: written.and_then(|previous| previous.seed),
        algorithm: written.and_then(|previous| previous.algorithm).or(settings.algorithm),
        validity: written.and_then(|previous| previous.validity).or(settings.validity),
        subject: written.and_then(|previous| previous.subject.as_ref()).unwrap_or(&settings.subject),
    }
}

/// The generation before, or the first.
pub(in crate::plan) fn one_less(generation: Generation) -> Generation {
    Generation::new(generation.get().saturating_sub(1)).unwrap_or(Generation::LEAST)
}

fn version(
    spec: &Spec,
    brought: Option<&crate::plan::Brought>,
    row: &'static CertRow,
    written: &AsWritten<'_>,
) -> CertPlan {
    // the table's tests show that authorities have fixed names
    let cn = if let Cn::Fixed(name) = row.cn { name } else { row.id };
    let (not_before, not_after) = brought.map_or_else(
        || validity(spec, written.validity.unwrap_or_else(|| spec.pki.validity.ca())),
        |brought| (brought.not_before, brought.not_after),
    );
    CertPlan {
        row,
        host: None,
        cn: cn.to_owned(),
        subject: attributes(written.subject, None),
        dns: vec![cn.to_owned()],
        ips: Vec::new(),
        not_before,
        not_after,
        algorithm: written.algorithm.unwrap_or(spec.pki.algorithm),
        seed: seed_of(spec, written.seed),
        generation: written.generation.to_string(),
        with_key: true,
        server: None,
        brought: brought.cloned(),
    }
}

/// From the epoch, backdated.
fn validity(spec: &Spec, span: Span) -> (i64, i64) {
    let epoch = spec.cluster.epoch.unix();
    (epoch - BACKDATE, epoch.saturating_add_unsigned(span.seconds()))
}

/// The leaf certificates and key pairs of one host.
pub(in crate::plan) fn leaves(
    spec: &Spec,
    release: Option<&Release>,
    authorities: &[AuthorityPlan],
    facts: &Facts,
    subject: &Subject<'_>,
    here: &[Place],
) -> Vec<CertPlan> {
    let leaf = |row: &'static CertRow| {
        let Kind::IssuedBy(ca) = row.kind else { return None };
        // without its authority there is nothing to issue: no control plane, no Kubernetes
        let authority = authorities.iter().find(|authority| authority.ca == ca)?;
        (Place::any(here, row.on) && exists(spec, row, here))
            .then(|| issued(spec, release, authority, facts, row, subject, here))
    };
    CERTS.iter().filter_map(leaf).collect()
}

/// Whether a row is not one of those that the way of running etcd, or the choice of its certificates,
/// leaves out.
pub(super) fn exists_for_members(spec: &Spec, row: &CertRow) -> bool {
    match row.when {
        When::OfEachMember => spec.etcd.certificates == EtcdCertificates::Member,
        When::OfAllMembers => spec.etcd.certificates == EtcdCertificates::Shared,
        When::EtcdOnHosts => spec.etcd.run != EtcdRun::StatefulSet,
        When::StatefulSet => spec.etcd.run == EtcdRun::StatefulSet,
        When::Always | When::NotByToken | When::Administered | When::Initializing => true,
    }
}

/// Whether the condition of a row holds on a host.
pub(in crate::plan) fn exists(spec: &Spec, row: &CertRow, here: &[Place]) -> bool {
    let operator = here.contains(&Place::Operator);
    let kubeadm = spec.kubernetes.provisioner == Provisioner::Kubeadm;
    match row.when {
        When::Always => true,
        When::OfEachMember | When::OfAllMembers | When::EtcdOnHosts | When::StatefulSet => {
            exists_for_members(spec, row)
        }
        When::Administered => operator || kubeadm || has_kube_vip(spec),
        When::Initializing => operator || ((kubeadm || has_kube_vip(spec)) && !spec.kubernetes.initialized),
        When::NotByToken => operator || !joins_by_token(spec, row, here),
    }
}

/// Whether a host gets its certificate from the cluster that it joins. The CA's certificate is there
/// all the same on control planes, where kubeadm reads it, and on all nodes without kubeadm, where
/// nobody else puts it and the kubelet knows the API server by it.
fn joins_by_token(spec: &Spec, row: &CertRow, here: &[Place]) -> bool {
    let control_plane = here.contains(&Place::Role(Role::ControlPlane));
    let reads_it = control_plane || spec.kubernetes.provisioner == Provisioner::StaticPods;
    spec.kubernetes.join == Join::Token
        && !here.contains(&Place::FirstControlPlane)
        && !(reads_it && matches!(row.kind, Kind::Authority(_)))
}

fn issued(
    spec: &Spec,
    release: Option<&Release>,
    authority: &AuthorityPlan,
    facts: &Facts,
    row: &'static CertRow,
    subject: &Subject<'_>,
    here: &[Place],
) -> CertPlan {
    let settings = settings(spec, row);
    let cn = match row.cn {
        Cn::Fixed(name) => name.to_owned(),
        Cn::HostName => subject.name.to_owned(),
        Cn::Node => format!("system:node:{}", subject.name),
    };
    let everywhere = settings.map(|settings| settings.sans.as_slice()).unwrap_or_default();
    let of_host = |own: &&BTreeMap<CertificateId, HostCertificate>| {
        own.iter().find(|(id, _)| id.name() == row.id).map(|(_, own)| own.sans.clone()).unwrap_or_default()
    };
    let own: Vec<San> = if row.is_shared() {
        spec.hosts.values().map(|host| &host.certificates).flat_map(|own| of_host(&own)).collect()
    } else {
        subject.own.as_ref().map(of_host).unwrap_or_default()
    };
    let extra = everywhere.iter().cloned().chain(own);
    let (dns, ips) = sans::of(spec, row.sans, &cn, subject, extra.filter(|_: &San| row.sans != Sans::None));
    let span = settings.and_then(|settings| settings.validity).unwrap_or_else(|| spec.pki.validity.leaf());
    let brought = facts.issued(subject.name, row.id).filter(|_| authority.certificates.active.is_external());
    let (not_before, not_after) =
        brought.map_or_else(|| validity(spec, span), |brought| (brought.not_before, brought.not_after));
    let host = (!row.is_shared()).then_some(subject);
    let mut generation = vec![spec.pki.generation.to_string(), authority.generation()];
    generation.extend(host.map(|host| host.generation.to_string()));
    let none = SubjectFields::default();
    CertPlan {
        row,
        host: host.map(|host| host.name.to_owned()),
        cn,
        subject: attributes(settings.map_or(&none, |settings| &settings.subject), organization(row, spec)),
        dns,
        ips,
        not_before,
        not_after,
        algorithm: settings.and_then(|settings| settings.algorithm).unwrap_or(spec.pki.algorithm),
        seed: seed_of(spec, host.and_then(|host| host.seed).or(spec.pki.seed)),
        generation: generation.join(","),
        with_key: Place::any(here, row.key_on),
        server: server(spec, release, row, subject, here),
        brought: brought.cloned(),
    }
}

pub(super) fn settings<'s>(spec: &'s Spec, row: &CertRow) -> Option<&'s CertificateSettings> {
    spec.pki.certificates.iter().find(|(id, _)| id.name() == row.id).map(|(_, settings)| settings)
}

/// The organization that a release gives to a row.
fn organization(row: &CertRow, spec: &Spec) -> Option<&'static str> {
    match row.organization {
        Organization::None => None,
        Organization::Fixed(name) => Some(name),
        Organization::KubeletClient => {
            let version = spec.kubernetes.version;
            ((version.minor(), version.patch()) < (36, 1)).then_some("kubeadm:cluster-admins")
        }
    }
}

pub(super) fn attributes(fields: &SubjectFields, organization: Option<&str>) -> Vec<(Attribute, String)> {
    let organization = organization.or(fields.o.as_ref().map(AsRef::as_ref));
    let all = [
        (Attribute::C, fields.c.as_ref().map(AsRef::as_ref)),
        (Attribute::St, fields.st.as_ref().map(AsRef::as_ref)),
        (Attribute::L, fields.l.as_ref().map(AsRef::as_ref)),
        (Attribute::O, organization),
        (Attribute::Ou, fields.ou.as_ref().map(AsRef::as_ref)),
    ];
    all.into_iter().filter_map(|(name, text)| Some((name, text?.to_owned()))).collect()
}

/// The server of a row's kubeconfig.
fn server(
    spec: &Spec,
    release: Option<&Release>,
    row: &CertRow,
    subject: &Subject<'_>,
    here: &[Place],
) -> Option<String> {
    let Form::Kubeconfig(_, server) = row.form else { return None };
    match server {
        Server::Local => local(spec, subject.api_address),
        Server::Kubelet => kubelet_server(spec, release, subject.api_address, here),
        Server::Endpoint => endpoint(spec),
    }
}

/// The API server that a kubelet speaks to, a URL.
pub(in crate::plan) fn kubelet_server(
    spec: &Spec,
    release: Option<&Release>,
    api_address: Option<IpAddr>,
    here: &[Place],
) -> Option<String> {
    let control_plane = here.contains(&Place::Role(Role::ControlPlane));
    let own = control_plane && release.is_some_and(|release| release.local_kubelet);
    if own { local(spec, api_address) } else { endpoint(spec) }
}

fn endpoint(spec: &Spec) -> Option<String> {
    spec.kubernetes.endpoint.as_ref().map(|endpoint| format!("https://{endpoint}"))
}

fn local(spec: &Spec, api_address: Option<IpAddr>) -> Option<String> {
    let port = u16::try_from(spec.kubernetes.api_port.get()).ok()?;
    api_address.map(|address| format!("https://{}", SocketAddr::new(address, port)))
}
