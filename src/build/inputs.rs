//! The digest of everything that one host's bundle is built from.

use super::BuildError;
use crate::bundle::canonical;
use crate::derive::keyring::KeyringError;
use crate::plan::{ClusterPlan, HostPlan, Rotated};
use crate::render::templates::Templates;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What enters a build besides the host's own plan.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inputs<'a> {
    sealift: &'static str,
    cluster: Cow<'a, ClusterPlan>,
    /// Public names of the seeds in use, by number.
    seeds: BTreeMap<String, String>,
    /// The digest of the templates.
    templates: String,
}

#[derive(Serialize)]
struct OfHost<'a> {
    #[serde(flatten)]
    shared: &'a Inputs<'a>,
    host: &'a HostPlan,
}

impl<'a> Inputs<'a> {
    /// The inputs that all hosts share. Seeds are those that `hosts` and the cluster use.
    ///
    /// # Errors
    /// Those of `seed_id`, which says the public name of a seed.
    pub fn new<'h>(
        cluster: &'a ClusterPlan,
        hosts: impl IntoIterator<Item = &'h HostPlan>,
        seed_id: impl Fn(u32) -> Result<String, KeyringError>,
        templates: &Templates,
    ) -> Result<Self, KeyringError> {
        let numbers: BTreeSet<u32> =
            hosts.into_iter().flat_map(|host| seeds_of(&cluster.of_host(host), host)).collect();
        let seeds = numbers.into_iter().map(|number| Ok((number.to_string(), seed_id(number)?)));
        Ok(Self {
            sealift: env!("CARGO_PKG_VERSION"),
            cluster: Cow::Borrowed(cluster),
            seeds: seeds.collect::<Result<_, KeyringError>>()?,
            templates: template_digest(templates),
        })
    }

    /// SHA-256 of one host's inputs in canonical JSON, lower-case hex.
    ///
    /// # Errors
    /// [`BuildError::Inputs`].
    pub fn of(&self, host: &HostPlan) -> Result<String, BuildError> {
        digest(&OfHost { shared: &self.only(host), host }, &host.name)
    }

    /// Public names of the seeds in use, by number.
    pub fn seeds(&self) -> &BTreeMap<String, String> {
        &self.seeds
    }

    /// SHA-256 of the inputs that all hosts share.
    ///
    /// # Errors
    /// [`BuildError::Inputs`].
    pub fn of_cluster(&self) -> Result<String, BuildError> {
        digest(self, &self.cluster.name)
    }

    /// Without what this host does not use: another host's seed, or a CA, is no input of it.
    fn only(&self, host: &HostPlan) -> Self {
        let cluster = self.cluster.of_host(host);
        let used: BTreeSet<String> = seeds_of(&cluster, host).iter().map(ToString::to_string).collect();
        let mut seeds = self.seeds.clone();
        seeds.retain(|number, _| used.contains(number));
        Self { sealift: self.sealift, cluster: Cow::Owned(cluster), seeds, templates: self.templates.clone() }
    }
}

/// The seeds that one host's bundle comes from: of its part of the cluster, and its own.
fn seeds_of(cluster: &ClusterPlan, host: &HostPlan) -> BTreeSet<u32> {
    let authorities = cluster.authorities.iter().flat_map(|authority| authority.certificates.all());
    let mut seeds: BTreeSet<u32> =
        authorities.chain(&host.certificates).map(|planned| planned.seed).collect();
    seeds.extend(cluster.service_account.iter().flat_map(Rotated::all).map(|key| key.seed));
    seeds.extend(cluster.encryption.iter().flat_map(|plan| plan.keys.all()).map(|key| key.seed));
    seeds.extend(cluster.tokens.iter().map(|token| token.seed));
    seeds.extend(cluster.passwords.iter().map(|password| password.seed));
    seeds.extend(host.vrrp_password().map(|password| password.seed));
    seeds.extend([cluster.signing.active.seed, host.item.seed]);
    seeds.extend(cluster.signing.beside.map(|beside| beside.seed));
    seeds
}

/// SHA-256 over each template's path and source, with its length as big-endian u64 first.
fn template_digest(templates: &Templates) -> String {
    let mut hash = Sha256::new();
    for text in templates.iter().flat_map(|(path, source)| [path, source]) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hex::encode(hash.finalize())
}

fn digest<T: Serialize>(value: &T, host: &str) -> Result<String, BuildError> {
    let bytes = canonical::to_bytes(value)
        .map_err(|error| BuildError::Inputs { host: host.to_owned(), message: error.to_string() })?;
    Ok(hex::encode(Sha256::digest(bytes)))
}
