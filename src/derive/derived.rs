//! The keys of a plan, each by its label.

use super::key::PrivateKey;
use super::keyring::Keyring;
use super::label::{Label, Purpose};
use super::{DeriveError, Signer};
use crate::plan::{CertPlan, ClusterPlan, ItemPlan, KeyPlan};

/// The key of a certificate: any host's, or an authority's.
pub(super) fn certificate_key(
    keyring: &Keyring,
    cluster: &ClusterPlan,
    plan: &CertPlan,
) -> Result<PrivateKey, DeriveError> {
    let label = Label {
        cluster: &cluster.id,
        row: plan.row.id,
        host: plan.host.as_deref().unwrap_or_default(),
        algorithm: plan.algorithm.label(),
        generation: &plan.generation,
        ..Label::default()
    };
    Ok(PrivateKey::derived(plan.algorithm, keyring.seed(plan.seed)?, &label)?)
}

/// The key that signs service-account tokens, one for all hosts.
pub(super) fn service_account_key(
    keyring: &Keyring,
    cluster: &ClusterPlan,
    plan: &KeyPlan,
) -> Result<PrivateKey, DeriveError> {
    let generation = plan.generation.to_string();
    let label = Label {
        cluster: &cluster.id,
        row: "sa",
        algorithm: plan.algorithm.label(),
        generation: &generation,
        ..Label::default()
    };
    Ok(PrivateKey::derived(plan.algorithm, keyring.seed(plan.seed)?, &label)?)
}

/// A key that signs bundles.
pub(super) fn signer(
    keyring: &Keyring,
    cluster: &ClusterPlan,
    plan: ItemPlan,
) -> Result<Signer, DeriveError> {
    let generation = plan.generation.to_string();
    let label = Label {
        cluster: &cluster.id,
        row: "signing",
        algorithm: "ed25519",
        generation: &generation,
        ..Label::default()
    };
    let secret = keyring.seed(plan.seed)?.secret::<32>(Purpose::Sign, &label);
    Ok(Signer(ed25519_dalek::SigningKey::from_bytes(&secret)))
}
