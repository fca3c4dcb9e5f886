//! From a plan and its material to a manifest.

use super::BuildError;
use crate::bundle::consistency::text_time;
use crate::bundle::manifest::{
    ClusterRef, Directory, FORMAT, Fields, File, HostRef, Manifest, Origin, Policy, Revision,
};
use crate::derive::Material;
use crate::plan::{self, ClusterPlan, DirectoryPlan, FilePlan, HostPlan, Source};

/// The manifest of one host; sizes and digests are filled in when it is packed.
pub(super) fn of(
    plan: &ClusterPlan,
    host: &HostPlan,
    material: &Material,
    inputs: &str,
) -> Result<Manifest, BuildError> {
    Ok(Manifest {
        format: FORMAT,
        cluster: ClusterRef { id: plan.id.clone(), name: plan.name.clone() },
        host: HostRef {
            name: host.name.clone(),
            addresses: host.addresses.iter().map(ToString::to_string).collect(),
            generation: host.item.generation,
            recipients: host.recipients.iter().map(ToString::to_string).collect(),
        },
        revision: Revision { cluster: plan.revision, host: host.revision },
        sealift: env!("CARGO_PKG_VERSION").to_owned(),
        inputs: inputs.to_owned(),
        epoch: String::new(),
        valid_until: rfc3339(valid_until(plan, host), &host.name)?,
        directories: host.directories.iter().map(directory).collect(),
        files: host.files.iter().map(|planned| file(plan, host, planned, material)).collect(),
    })
}

/// The earlier of the first certificate's expiry and the spec's bundle validity.
fn valid_until(plan: &ClusterPlan, host: &HostPlan) -> i64 {
    let placed = |id| host.files.iter().any(|file| file.source == Source::Certificate(id));
    let authorities = plan.authorities.iter().filter(|authority| placed(authority.row.id));
    let certificates = authorities.chain(&host.certificates).map(|certificate| certificate.not_after);
    let limit = plan.bundle_validity.map(|seconds| plan.epoch.saturating_add_unsigned(seconds));
    certificates.chain(limit).min().unwrap_or(plan.epoch)
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
        uid: 0,
        gid: 0,
        owned: planned.owned,
        allow: planned.allow.clone(),
    }
}

fn file(plan: &ClusterPlan, host: &HostPlan, planned: &FilePlan, material: &Material) -> File {
    let sealed = material.sealed.get(&planned.path);
    File {
        path: planned.path.clone(),
        mode: mode(planned.mode),
        uid: 0,
        gid: 0,
        policy: policy(planned.policy),
        fields: planned
            .fields
            .as_ref()
            .map(|fields| Fields { format: fields.format.to_owned(), values: fields.values.clone() }),
        size: 0,
        sha256: String::new(),
        sealed: sealed.is_some(),
        hmac: sealed.map(|sealed| sealed.hmac.clone()),
        certificate: planned.certificate.clone(),
        origin: origin(plan, host, planned.source),
        restart: planned.restart.iter().map(ToString::to_string).collect(),
        run: planned.run.iter().map(ToString::to_string).collect(),
    }
}

/// A plan's policy in the manifest's words.
pub const fn policy(planned: plan::Policy) -> Policy {
    match planned {
        plan::Policy::Managed => Policy::Managed,
        plan::Policy::Initial => Policy::Initial,
        plan::Policy::Bootstrap => Policy::Bootstrap,
        plan::Policy::Foreign => Policy::Foreign,
    }
}

/// Where the key of a certificate or of a private key file comes from.
pub fn origin(plan: &ClusterPlan, host: &HostPlan, source: Source) -> Option<Origin> {
    let (Source::Certificate(id) | Source::Key(id)) = source else { return None };
    let mut all = host.certificates.iter().chain(&plan.authorities);
    let planned = all.find(|planned| planned.row.id == id)?;
    Some(Origin { seed: planned.seed, generation: planned.generation.clone() })
}

fn mode(bits: u32) -> String {
    format!("{bits:04o}")
}
