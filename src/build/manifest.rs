//! From a plan and its material to a manifest.

use super::BuildError;
use crate::bundle::canonical;
use crate::bundle::consistency::text_time;
use crate::bundle::manifest::{
    ClusterRef, Directory, FORMAT, Fields, File, HostRef, Manifest, Origin, Policy, Revision,
};
use crate::bundle::trust::public_key;
use crate::derive::Material;
use crate::plan::certs::{CaName, CertRow, Kind};
use crate::plan::{self, Brought, CertPlan, ClusterPlan, DirectoryPlan, FilePlan, HostPlan, Source};
use sha2::{Digest, Sha256};

/// The manifest of one host; sizes and digests are filled in when it is packed.
pub(super) fn of(
    plan: &ClusterPlan,
    host: &HostPlan,
    material: &Material,
    signers: &[[u8; 32]],
    inputs: &str,
) -> Result<Manifest, BuildError> {
    // what no step changes is not said: the bundle's bytes stay as they were
    let signers = if plan.signing.step.is_some() { signers } else { &[] };
    Ok(Manifest {
        format: FORMAT,
        cluster: ClusterRef { id: plan.id.clone(), name: plan.name.clone() },
        host: HostRef {
            name: host.name.clone(),
            addresses: host.addresses.iter().map(ToString::to_string).collect(),
            machine_id: host.machine_id.as_ref().map(ToString::to_string),
            generation: host.item.generation,
            recipients: host.recipients.iter().map(ToString::to_string).collect(),
        },
        keep_previous: host.keep_previous,
        revision: Revision { cluster: plan.revision, host: host.revision },
        sealift: env!("CARGO_PKG_VERSION").to_owned(),
        inputs: inputs.to_owned(),
        epoch: String::new(),
        valid_until: rfc3339(valid_until(plan, host), &host.name)?,
        trust: signers.iter().map(public_key).collect(),
        directories: host.directories.iter().map(directory).collect(),
        files: host.files.iter().map(|planned| file(plan, host, planned, material)).collect(),
    })
}

/// How long a bundle is valid that has no certificate, such as that of a worker that joins with a
/// token: ten years, as long as kubeadm's authorities. Seconds.
const WITHOUT_CERTIFICATE: u64 = 3650 * 86_400;

/// The earlier of the first certificate's expiry and the spec's bundle validity.
fn valid_until(plan: &ClusterPlan, host: &HostPlan) -> i64 {
    let plan = &plan.of_host(host);
    let authorities = plan.authorities.iter().flat_map(|authority| authority.certificates.all());
    let certificates = authorities.chain(&host.certificates).map(|certificate| certificate.not_after);
    let limit = plan.bundle_validity.map(|seconds| plan.epoch.saturating_add_unsigned(seconds));
    let without = plan.epoch.saturating_add_unsigned(WITHOUT_CERTIFICATE);
    certificates.chain(limit).min().unwrap_or(without)
}

/// A time in the manifest's form.
fn rfc3339(seconds: i64, host: &str) -> Result<String, BuildError> {
    let text = u64::try_from(seconds).ok().and_then(text_time);
    text.ok_or_else(|| BuildError::Date { host: host.to_owned() })
}

fn directory(planned: &DirectoryPlan) -> Directory {
    Directory {
        path: planned.path.clone(),
        mode: mode(planned.mode),
        uid: planned.owner.uid,
        gid: planned.owner.gid,
        owned: planned.owned,
        allow: planned.allow.clone(),
    }
}

fn file(plan: &ClusterPlan, host: &HostPlan, planned: &FilePlan, material: &Material) -> File {
    let sealed = material.sealed.get(&planned.path);
    File {
        path: planned.path.clone(),
        mode: mode(planned.mode),
        uid: planned.owner.uid,
        gid: planned.owner.gid,
        policy: policy(planned.policy),
        fields: fields(plan, host, planned, material),
        size: 0,
        sha256: String::new(),
        sealed: sealed.is_some(),
        hmac: sealed.map(|sealed| sealed.hmac.clone()),
        certificate: planned.certificate.clone(),
        origin: origin(plan, host, &planned.source),
        inputs: inputs(plan, host, &planned.source),
        restart: planned.restart.iter().map(ToString::to_string).collect(),
        run: planned.run.iter().map(ToString::to_string).collect(),
    }
}

/// Where the secret in a file, or behind it, comes from: of an authority, the one that signs.
pub fn origin(plan: &ClusterPlan, host: &HostPlan, source: &Source) -> Option<Origin> {
    let of = |seed: u32, generation: u32| Some(Origin { seed, generation: generation.to_string() });
    match source {
        Source::PublicKeys(_) | Source::Key(SERVICE_ACCOUNT) => {
            let keys = plan.service_account.as_ref()?;
            of(keys.active.seed, keys.active.generation)
        }
        Source::Certificate(id)
        | Source::Key(id)
        | Source::Kubeconfig(id)
        | Source::SigningCertificate(id) => {
            let planned = find(plan, host, id)?;
            if matches!(planned.row.kind, Kind::Authority(_)) && planned.brought.is_some() {
                // an authority's key that no seed gave
                return None;
            }
            Some(Origin { seed: planned.seed, generation: planned.generation.clone() })
        }
        Source::EncryptionConfig => {
            let keys = &plan.encryption.as_ref()?.keys;
            of(keys.active.seed, keys.active.generation)
        }
        Source::Password(name) => {
            let password = plan.passwords.iter().find(|password| password.name == *name)?;
            of(password.seed, password.generation)
        }
        Source::VrrpPassword => {
            let password = host.vrrp_password()?;
            of(password.seed, password.generation)
        }
        Source::Template(_)
        | Source::Pod(_)
        | Source::Manifest
        | Source::Each(..)
        | Source::VerifyKey
        | Source::BootstrapTokens
        | Source::EtcdSecrets
        | Source::BootstrapKubeconfig
        | Source::KubeadmConfiguration
        | Source::Patch
        | Source::Configuration
        | Source::DiscoveryHash
        | Source::Foreign => None,
    }
}

/// The table's id of the service-account keys.
const SERVICE_ACCOUNT: &str = "sa";

/// The certificate of that row on a host, or the authority's that signs.
pub fn find<'a>(plan: &'a ClusterPlan, host: &'a HostPlan, id: &str) -> Option<&'a CertPlan> {
    let authorities = plan.authorities.iter().map(|authority| &authority.certificates.active);
    host.certificates.iter().chain(authorities).find(|planned| planned.row.id == id)
}

/// SHA-256 of what a sealed file is composed of, when that is more than one key: a change can be told
/// without opening it. Of a certificate, when it or what issued it was made elsewhere.
pub fn inputs(plan: &ClusterPlan, host: &HostPlan, source: &Source) -> Option<String> {
    let bytes = match source {
        Source::Kubeconfig(id) => {
            // without the step, which these files do not say
            let authority = plan.authority(CaName::Kubernetes);
            let trusted: Vec<_> = authority.iter().flat_map(|plan| plan.certificates.all()).collect();
            canonical::to_bytes(&(&plan.name, trusted, find(plan, host, id)))
        }
        Source::EncryptionConfig => {
            let encryption = plan.encryption.as_ref();
            let keys: Vec<_> = encryption.iter().flat_map(|plan| plan.keys.all()).collect();
            canonical::to_bytes(&(keys, encryption.map(|plan| (&plan.resources, plan.identity))))
        }
        Source::BootstrapKubeconfig => {
            let authority = plan.authority(CaName::Kubernetes);
            let trusted: Vec<_> = authority.iter().flat_map(|plan| plan.certificates.all()).collect();
            let bootstrap = host.bootstrap();
            let token = plan
                .tokens
                .iter()
                .find(|token| bootstrap.is_some_and(|bootstrap| bootstrap.token == token.name));
            // a token's expiry is not in the file
            let token = token.map(|token| (&token.name, token.seed, token.generation));
            canonical::to_bytes(&(&plan.name, trusted, bootstrap, token))
        }
        Source::BootstrapTokens => canonical::to_bytes(&plan.tokens),
        Source::EtcdSecrets => {
            let authority = plan.authority(CaName::Etcd);
            let trusted: Vec<_> = authority.iter().flat_map(|plan| plan.certificates.all()).collect();
            let set = host.stateful_set.as_ref().map(|set| (&set.name, &set.namespace));
            canonical::to_bytes(&(trusted, &host.certificates, set))
        }
        Source::KubeadmConfiguration => {
            let kubeadm = host.kubeadm.as_ref()?;
            let shown: Vec<_> =
                plan.tokens.iter().filter(|token| kubeadm.tokens.contains(&token.name)).collect();
            let authority = plan.authority(CaName::Kubernetes);
            let trusted: Vec<_> = authority.iter().flat_map(|plan| plan.certificates.all()).collect();
            canonical::to_bytes(&(&kubeadm.documents, shown, trusted))
        }
        Source::Password(name) => {
            canonical::to_bytes(&plan.passwords.iter().find(|password| password.name == *name))
        }
        Source::VrrpPassword => canonical::to_bytes(&host.vrrp_password()),
        Source::Certificate(id) | Source::SigningCertificate(id) => {
            canonical::to_bytes(&brought(plan, host, id)?)
        }
        Source::DiscoveryHash => {
            let row = CertRow::authority(CaName::Kubernetes)?;
            canonical::to_bytes(&brought(plan, host, row.id)?)
        }
        _ => return None,
    };
    bytes.ok().map(|bytes| hex::encode(Sha256::digest(bytes)))
}

/// What stays checked of a file that a component rewrites: of a kubeconfig, whom it trusts and who it is.
fn fields(plan: &ClusterPlan, host: &HostPlan, file: &FilePlan, material: &Material) -> Option<Fields> {
    if let Some(fields) = &file.fields {
        return Some(Fields { format: fields.format.to_owned(), values: fields.values.clone() });
    }
    let Source::Kubeconfig(id) = &file.source else { return None };
    let planned = find(plan, host, id).filter(|_| file.policy == plan::Policy::Initial)?;
    let trusted = CertRow::authority(CaName::Kubernetes).map(CertRow::public_path);
    let authority = material.public.file(&trusted?).map(|pem| hex::encode(Sha256::digest(pem)));
    let values = [
        ("server", planned.server.clone()?),
        ("certificateAuthority", format!("sha256:{}", authority?)),
        ("subject", planned.subject_text()),
    ];
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Some(Fields { format: "kubeconfig".to_owned(), values })
}

/// A plan's policy in the manifest's words.
pub const fn policy(planned: plan::Policy) -> Policy {
    match planned {
        plan::Policy::Managed => Policy::Managed,
        plan::Policy::Initial => Policy::Initial,
        plan::Policy::Bootstrap => Policy::Bootstrap,
        plan::Policy::Foreign => Policy::Foreign,
        plan::Policy::Block => Policy::Block,
    }
}

/// Digests of what was made elsewhere of a certificate: of an authority's versions alone, as they are
/// trusted; of a leaf and of what issued it with all that stands above. None when nothing was.
fn brought<'a>(plan: &'a ClusterPlan, host: &'a HostPlan, id: &str) -> Option<Vec<Option<&'a str>>> {
    let own = host.certificates.iter().find(|planned| planned.row.id == id);
    let (Kind::Authority(ca) | Kind::IssuedBy(ca)) = CertRow::find(id)?.kind else { return None };
    let authority = &plan.authority(ca)?.certificates;
    let whole = |brought: &'a Brought| brought.sha256.as_str();
    let alone = |brought: &'a Brought| brought.alone_sha256.as_str();
    let all: Vec<_> = match own {
        Some(leaf) => [leaf, &authority.active].map(|one| one.brought.as_ref().map(whole)).to_vec(),
        None => authority.all().map(|version| version.brought.as_ref().map(alone)).collect(),
    };
    all.iter().any(Option::is_some).then_some(all)
}

fn mode(bits: u32) -> String {
    format!("{bits:04o}")
}
