//! One host, from plan to bundle: where the stages meet.

mod inputs;
mod items;
mod manifest;
mod restarts;

pub use inputs::Inputs;
pub use items::items;
pub use manifest::{find, inputs as file_inputs, origin, policy};
pub use restarts::{of as restart_digests, pod};

use crate::bundle::pack::{PackError, Packed, pack};
use crate::derive::{Cluster, DeriveError};
use crate::plan::{ClusterPlan, HostPlan};
use crate::render::{RenderError, Renderer};

/// Why a bundle cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Keys, certificates or seals.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// Templates.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The archive.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The plan cannot be written in canonical form.
    #[error("the inputs of {host} cannot be digested: {message}")]
    Inputs {
        /// The host.
        host: String,
        /// Why.
        message: String,
    },
    /// A date outside what RFC 3339 can say.
    #[error("{host}: a date is out of range")]
    Date {
        /// The host.
        host: String,
    },
}

/// Builds one host's bundle: derive, render, pack. `inputs` is the digest of [`Inputs::of`].
///
/// # Errors
/// [`BuildError`].
pub fn host(
    plan: &ClusterPlan,
    host: &HostPlan,
    cluster: &Cluster<'_>,
    renderer: &Renderer<'_>,
    inputs: &str,
) -> Result<Packed, BuildError> {
    let material = cluster.host(host)?;
    let mut contents = renderer.host(host, &material.public)?;
    let digests = restarts::digests(host, &contents, &material.sealed);
    contents.extend(renderer.pods(host, &digests)?);
    let manifest = manifest::of(plan, host, &material, &cluster.signers(), inputs)?;
    contents.extend(material.sealed.into_iter().map(|(path, sealed)| (path, sealed.bytes)));
    let epoch = u64::try_from(plan.epoch).map_err(|_| BuildError::Date { host: host.name.clone() })?;
    Ok(pack(manifest, &contents, epoch, cluster.signer().key())?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Inputs, host, manifest};
    use crate::bundle::manifest::{File, Policy};
    use crate::bundle::open::open;
    use crate::bundle::trust::{Trust, trust_line};
    use crate::derive::Cluster;
    use crate::derive::keyring::Keyring;
    use crate::plan::files::{RowSource, rows};
    use crate::plan::{Fields, FilePlan, Owner, Policy as Planned, Source};
    use crate::render::Renderer;
    use crate::render::templates::Templates;
    use crate::verify_key::VERIFY_KEY_PATH;

    #[test]
    fn hosts_look_for_the_verify_key_where_the_table_puts_it() {
        let row = rows().find(|row| row.source == RowSource::VerifyKey);
        assert_eq!(row.map(|row| row.path), Some(VERIFY_KEY_PATH));
    }

    /// What a plan says of a file's policy arrives in the bundle, and a foreign file has no contents.
    #[test]
    fn policies_of_a_plan_become_the_manifests() {
        let spec = include_str!("../../bundles/etcd-static-pods/sealift.yaml");
        let (plan, _) = crate::plan::plan(&crate::spec::load(spec).spec, &crate::plan::Facts::default());
        let mut infra0 = plan.hosts.values().find(|host| host.name == "infra0").unwrap().clone();
        let managed = infra0.files.to_vec();
        let digest = |host: &crate::plan::HostPlan| serde_json::to_string(&host.files).unwrap();
        assert!(!digest(&infra0).contains("policy"), "managed files are digested as ever");
        let mut files = managed.clone();
        for file in &mut files {
            match file.path.as_str() {
                "/etc/kubernetes/kubelet/config.yaml" => {
                    let value = ("staticPodPath".to_owned(), "/etc/kubernetes/manifests".to_owned());
                    file.policy = Planned::Initial;
                    file.fields = Some(Fields { format: "kubelet-configuration", values: [value].into() });
                }
                "/etc/kubernetes/kubeadm/config.yaml" => file.policy = Planned::Bootstrap,
                _ => {}
            }
        }
        let foreign = FilePlan {
            path: "/etc/kubernetes/x.env".to_owned(),
            mode: 0o640,
            owner: Owner::default(),
            source: Source::Foreign,
            policy: Planned::Foreign,
            fields: None,
            certificate: None,
            restart: Vec::new(),
            run: Vec::new(),
        };
        files.push(foreign);
        infra0.files = files.into();
        let infra0 = &infra0;
        let keyring = Keyring::read(Keyring::write(&plan.cluster.id, &[7; 32]).as_bytes()).unwrap();
        let templates = Templates::embedded();
        let imported = crate::imports::Material::default();
        let cluster = Cluster::new(&plan.cluster, &keyring, &imported).unwrap();
        let renderer = Renderer::new(&templates).unwrap();
        let inputs = Inputs::new(&plan.cluster, [infra0], |seed| keyring.seed_id(seed), &templates).unwrap();
        let packed = host(&plan.cluster, infra0, &cluster, &renderer, &inputs.of(infra0).unwrap()).unwrap();
        let trust = trust_line(&plan.cluster.id, &cluster.signer().key().verifying_key().to_bytes());
        let opened = open(&packed.bytes, "x", &Trust::parse(&trust).unwrap(), 0).unwrap();
        let listed: Vec<(&str, Policy)> = opened
            .manifest()
            .files
            .iter()
            .filter(|file| file.policy != Policy::Managed)
            .map(|file| (file.path.as_str(), file.policy))
            .collect();
        assert_eq!(
            listed,
            [
                ("/etc/kubernetes/kubeadm/config.yaml", Policy::Bootstrap),
                ("/etc/kubernetes/kubelet/config.yaml", Policy::Initial),
                ("/etc/kubernetes/x.env", Policy::Foreign),
            ]
        );
        assert_eq!(opened.manifest().files.len(), managed.len() + 1);
        let File { mode, size, sha256, .. } = opened.file("/etc/kubernetes/x.env").unwrap();
        assert_eq!((mode.as_str(), *size, sha256.as_str()), ("0640", 0, ""));
        assert_eq!(crate::check::fields::of_bundle(&opened), []);
        assert_eq!(manifest::policy(Planned::Managed), Policy::Managed);
        assert_eq!(manifest::policy(Planned::Block), Policy::Block);
    }

    #[test]
    fn hosts_and_plans_mean_the_same_places_and_names() {
        assert_eq!(crate::plan::OPERATOR, crate::check::record::OPERATOR);
        assert_eq!(crate::plan::directories::RECORD, crate::check::record::DIRECTORY);
    }
}
