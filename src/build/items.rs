//! What an index says of the items of a plan.

use crate::bundle::items::{Brought, Derived, ItemId, ItemState, Step};
use crate::plan::{
    CertPlan, ClusterPlan, EncryptionKeyPlan, ItemPlan, KeyPlan, Rotated, RotatingItem, Rotation,
};
use std::collections::BTreeMap;

/// The algorithm of the key that signs bundles; there is one.
const SIGNING_ALGORITHM: &str = "ed25519";

/// The state of every item that a cluster has, by name.
pub fn items(cluster: &ClusterPlan) -> BTreeMap<String, ItemState> {
    let named = |item: &RotatingItem| Some((item.name().to_owned(), state(*item, cluster)?));
    RotatingItem::ALL.iter().filter_map(named).collect()
}

fn state(item: RotatingItem, cluster: &ClusterPlan) -> Option<ItemState> {
    if let Some(ca) = item.authority() {
        return cluster.authority(ca).map(|plan| of(&plan.certificates, certificate));
    }
    match item {
        RotatingItem::EncryptionAtRest => cluster.encryption.as_ref().map(|plan| {
            let state = of(&plan.keys, encryption_key);
            ItemState { refuse_plaintext: !plan.identity, ..state }
        }),
        RotatingItem::Signing => {
            let key = |plan: &ItemPlan| derived(plan.seed, plan.generation, SIGNING_ALGORITHM);
            let plan = &cluster.signing;
            Some(ItemState {
                active: key(&plan.active),
                beside: plan.beside.as_ref().map(key),
                step: plan.step.map(step),
                refuse_plaintext: false,
            })
        }
        _ => cluster.service_account.as_ref().map(|keys| of(keys, key)),
    }
}

fn of<T>(item: &Rotated<T>, id: impl Fn(&T) -> ItemId) -> ItemState {
    ItemState {
        active: id(&item.active),
        beside: item.beside.as_ref().map(id),
        step: item.step.map(step),
        refuse_plaintext: false,
    }
}

const fn step(step: Rotation) -> Step {
    match step {
        Rotation::Stage => Step::Stage,
        Rotation::Promote => Step::Promote,
        Rotation::Retire => Step::Retire,
    }
}

fn certificate(plan: &CertPlan) -> ItemId {
    match &plan.brought {
        Some(brought) => ItemId::Brought(Brought { sha256: brought.identity_sha256.clone() }),
        // an authority's generation is one number
        None => derived(plan.seed, plan.generation.parse().unwrap_or_default(), plan.algorithm.label()),
    }
}

fn key(plan: &KeyPlan) -> ItemId {
    derived(plan.seed, plan.generation, plan.algorithm.label())
}

fn encryption_key(plan: &EncryptionKeyPlan) -> ItemId {
    derived(plan.seed, plan.generation, plan.provider)
}

fn derived(seed: u32, generation: u32, algorithm: &str) -> ItemId {
    ItemId::Derived(Derived { seed, generation, algorithm: algorithm.to_owned() })
}
