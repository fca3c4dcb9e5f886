//! What of a spec does not fit the table.

use super::{CERTS, CertPlan, CertRow, Eku, Kind, Sans};
use crate::plan::AuthorityPlan;
use crate::spec::types::{Algorithm, CaName, CertificateId, Provisioner, Spec, Subject};
use crate::spec::{Path, Problem};

fn pki() -> Path {
    Path::root().key("pki")
}

fn certificates(id: CertificateId) -> Path {
    pki().key("certificates").key(id.name())
}

/// Everything that does not fit; `leaves` are those of all hosts.
pub(in crate::plan) fn problems(
    spec: &Spec,
    authorities: &[AuthorityPlan],
    leaves: &[&CertPlan],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    settings(spec, &mut problems);
    problems.extend(rewritten(spec));
    own_sans(spec, &mut problems);
    for plan in leaves {
        problems.extend(outlives(spec, authorities, plan));
    }
    ed25519(spec, authorities, leaves, &mut problems);
    problems
}

/// Names for clients, and groups for those whose groups Kubernetes reads.
fn settings(spec: &Spec, problems: &mut Vec<Problem>) {
    for (id, settings) in &spec.pki.certificates {
        let Some(row) = CertRow::find(id.name()) else { continue };
        let at = certificates(*id);
        if !settings.sans.is_empty() {
            problems.extend(no_server(row, &at.key("sans")));
        }
        let group = settings.subject.o.as_ref();
        let reads = row.kind == Kind::IssuedBy(CaName::Kubernetes) && row.eku.contains(&Eku::ClientAuth);
        if let Some(organization) = group.filter(|_| reads) {
            let at = at.key("subject").key("O");
            let message =
                format!("{at}: the API server would take {organization} for a group of this client");
            let hint = "remove it: what it may be is fixed; C, ST, L and OU mean nothing to Kubernetes";
            problems.push(Problem::error(at.as_str(), message).hint(hint));
        }
    }
}

/// Where the cluster signs, a kubelet asks for a new certificate with the name that the node
/// authorizer wants and nothing else (`pkg/kubelet/certificate/bootstrap`).
fn rewritten(spec: &Spec) -> Option<Problem> {
    let signs = spec.kubernetes.provisioner == Provisioner::Kubeadm
        && spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes);
    let settings = spec.pki.certificates.get(&CertificateId::Kubelet)?;
    (signs && settings.subject != Subject::default()).then(|| {
        let at = certificates(CertificateId::Kubelet).key("subject");
        let message = format!("{at}: kubelets replace this certificate by one without these fields");
        Problem::error(at.as_str(), message)
            .hint("remove it, or take `kubernetes` out of `pki.caKeysOnHosts`: then kubelets keep theirs")
    })
}

fn own_sans(spec: &Spec, problems: &mut Vec<Problem>) {
    for (name, host) in &spec.hosts {
        for (id, own) in &host.certificates {
            let at = Path::root().key("hosts").key(name.as_str()).key("certificates").key(id.name());
            let row = CertRow::find(id.name()).filter(|_| !own.sans.is_empty());
            problems.extend(row.and_then(|row| no_server(row, &at.key("sans"))));
            let here = super::Place::of_host(spec, name, host);
            let has =
                |row: &CertRow| super::Place::any(&here, row.on) && super::exists_for_members(spec, row);
            let placed = CertRow::find(id.name()).is_some_and(has);
            if !placed {
                let message = format!("{at}: {name} has no such certificate");
                problems.push(
                    Problem::warning(at.as_str(), message)
                        .hint("remove it, or give the host the role for it"),
                );
            }
        }
    }
}

fn no_server(row: &CertRow, at: &Path) -> Option<Problem> {
    (row.sans == Sans::None).then(|| {
        let message = format!("{at}: {} is a client's certificate, and nobody looks for names in it", row.id);
        Problem::error(at.as_str(), message)
            .hint("name a server's: apiserver, etcd-server, etcd-peer, etcd-shared or kubelet-serving")
    })
}

/// A certificate that outlives its authority stops being valid with it. What `pki.validity` alone
/// says is a rule of the spec; of authorities made elsewhere, `imports` speaks.
fn outlives(spec: &Spec, authorities: &[AuthorityPlan], plan: &CertPlan) -> Option<Problem> {
    let Kind::IssuedBy(ca) = plan.row.kind else { return None };
    let authority = authorities.iter().find(|authority| authority.ca == ca)?;
    let end = authority.certificates.active.not_after;
    if authority.certificates.active.brought.is_some() {
        return None;
    }
    let settings = spec.pki.cas.of(ca);
    let own = spec.pki.certificates.iter().find(|(id, _)| id.name() == plan.row.id);
    let own = own.filter(|(_, settings)| settings.validity.is_some());
    let (at, whose) = if let Some((id, _)) = own {
        (certificates(*id).key("validity"), plan.row.id)
    } else if settings.validity.is_some() {
        (pki().key("cas").key(ca.name()).key("validity"), "what it issues")
    } else {
        return None;
    };
    (plan.not_after > end).then(|| {
        let message = format!("{at}: {whose} outlives the {} CA", ca.name());
        Problem::warning(at.as_str(), message).hint("make the CA's validity longer or the leaves' shorter")
    })
}

/// API servers sign tokens with RSA and ECDSA (`pkg/serviceaccount/jwt.go`), and kubeadm reads no
/// other private keys (`util/pkiutil/pki_helpers.go`, `TryLoadKeyFromDisk`).
fn ed25519(spec: &Spec, authorities: &[AuthorityPlan], leaves: &[&CertPlan], problems: &mut Vec<Problem>) {
    let kubernetes = authorities.iter().any(|authority| authority.ca == CaName::Kubernetes);
    if !kubernetes {
        return;
    }
    let own = spec.pki.service_account.algorithm;
    let account = pki().key("serviceAccount").key("algorithm");
    if own.unwrap_or(spec.pki.algorithm) == Algorithm::Ed25519 {
        let at = if own.is_some() { account } else { pki().key("algorithm") };
        let message = format!("{at}: service-account keys cannot be Ed25519");
        problems.push(
            Problem::error(at.as_str(), message)
                .hint("write `serviceAccount: {algorithm: ecdsa-p256}` under `pki`: API servers sign tokens with ECDSA or RSA"),
        );
    }
    if spec.kubernetes.provisioner != Provisioner::Kubeadm {
        return;
    }
    imported_ed25519(spec, authorities, problems);
    let authorities = authorities.iter().map(|authority| &authority.certificates.active);
    let derived = authorities.chain(leaves.iter().copied()).filter(|plan| plan.brought.is_none());
    if let Some(plan) = derived.into_iter().find(|plan| plan.algorithm == Algorithm::Ed25519) {
        let at = algorithm_at(spec, plan);
        let message = format!("{at}: kubeadm cannot read Ed25519 keys");
        problems.push(
            Problem::error(at.as_str(), message)
                .hint("write `ecdsa-p256` or `ecdsa-p384`, or `provisioner: static-pods`"),
        );
    }
}

/// kubeadm reads a CA's key where it finds one.
fn imported_ed25519(spec: &Spec, authorities: &[AuthorityPlan], problems: &mut Vec<Problem>) {
    for (index, ca) in spec.pki.ca_keys_on_hosts.iter().enumerate() {
        let authority = authorities.iter().find(|authority| authority.ca == *ca);
        let brought = authority.and_then(|authority| authority.certificates.active.brought.as_ref());
        if brought.is_some_and(|brought| !brought.external && brought.algorithm == "Ed25519") {
            let at = pki().key("caKeysOnHosts").index(index);
            let message =
                format!("{at}: kubeadm cannot read Ed25519 keys, and that of `{}` is one", ca.name());
            problems.push(
                Problem::error(at, message)
                    .hint("remove it from the list, or import a CA with an ECDSA or RSA key"),
            );
        }
    }
}

/// Where the algorithm of a key is written.
fn algorithm_at(spec: &Spec, plan: &CertPlan) -> Path {
    let own = spec
        .pki
        .certificates
        .iter()
        .find(|(id, settings)| id.name() == plan.row.id && settings.algorithm.is_some());
    if let Some((id, _)) = own {
        return certificates(*id).key("algorithm");
    }
    match CERTS.iter().find(|row| row.id == plan.row.id).map(|row| row.kind) {
        Some(Kind::Authority(ca)) if spec.pki.cas.of(ca).algorithm.is_some() => {
            pki().key("cas").key(ca.name()).key("algorithm")
        }
        _ => pki().key("algorithm"),
    }
}
