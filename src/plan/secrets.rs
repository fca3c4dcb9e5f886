//! Secrets that are no certificates.

use super::certs::Place;
use super::certs::has_control_plane;
use super::{ItemPlan, Rotated, SigningPlan, seed_of};
use crate::spec::scalars::{Generation, Span};
use crate::spec::types::{Algorithm, EncryptionProvider, Role, Spec};
use serde::Serialize;

/// The key pair that signs service-account tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyPlan {
    /// The seed.
    pub seed: u32,
    /// The generation.
    pub generation: u32,
    /// The algorithm.
    pub algorithm: Algorithm,
}

/// How the API servers encrypt what they write into etcd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptionPlan {
    /// The keys.
    pub keys: Rotated<EncryptionKeyPlan>,
    /// The resources, in the spec's order.
    pub resources: Vec<String>,
    /// Whether plaintext can still be read.
    pub identity: bool,
}

/// One key of the encryption at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EncryptionKeyPlan {
    /// The cipher's name in the configuration.
    pub provider: &'static str,
    /// The seed.
    pub seed: u32,
    /// The generation: `key3` is the name of the third.
    pub generation: u32,
}

/// A bootstrap token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenPlan {
    /// Its name in the spec.
    pub name: String,
    /// Seconds since 1970.
    pub expires: i64,
    /// The seed.
    pub seed: u32,
    /// The generation.
    pub generation: u32,
}

/// A password that hosts share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PasswordPlan {
    /// Its name in the spec.
    pub name: String,
    /// How many letters and digits.
    pub length: u32,
    /// The seed.
    pub seed: u32,
    /// The generation.
    pub generation: u32,
    /// Whose hosts get it, beside the operators.
    #[serde(skip)]
    pub on: Vec<Role>,
}

pub(super) fn signing(spec: &Spec) -> SigningPlan {
    let settings = &spec.signing;
    let current = ItemPlan { seed: seed_of(spec, settings.seed), generation: settings.generation.get() };
    let written = settings.previous.clone().unwrap_or_default();
    let previous = || ItemPlan {
        seed: seed_of(spec, written.seed),
        generation: before(written.generation, settings.generation),
    };
    let Rotated { active, beside, step } = Rotated::new(settings.rotation, current, previous);
    SigningPlan { active, beside, step }
}

/// kubeadm's lifetime of a token.
const ONE_DAY: u64 = 24 * 60 * 60;

pub(super) fn service_account(spec: &Spec) -> Option<Rotated<KeyPlan>> {
    if !has_control_plane(spec) {
        return None;
    }
    let settings = &spec.pki.service_account;
    let current = KeyPlan {
        seed: seed_of(spec, settings.seed),
        generation: settings.generation.get(),
        algorithm: settings.algorithm.unwrap_or(spec.pki.algorithm),
    };
    let written = settings.previous.clone().unwrap_or_default();
    Some(Rotated::new(settings.rotation, current.clone(), || KeyPlan {
        seed: seed_of(spec, written.seed),
        generation: before(written.generation, settings.generation),
        algorithm: written.algorithm.unwrap_or(current.algorithm),
    }))
}

pub(super) fn encryption(spec: &Spec) -> Option<EncryptionPlan> {
    let settings = spec.encryption_at_rest.as_ref().filter(|_| has_control_plane(spec))?;
    let key = |provider: EncryptionProvider, seed, generation| EncryptionKeyPlan {
        provider: provider.name(),
        seed: seed_of(spec, seed),
        generation,
    };
    let current = key(settings.provider, settings.seed, settings.generation.get());
    let written = settings.previous.clone().unwrap_or_default();
    let keys = Rotated::new(settings.rotation, current, || {
        let generation = before(written.generation, settings.generation);
        key(written.provider.unwrap_or(settings.provider), written.seed, generation)
    });
    let mut resources: Vec<String> = settings.resources.iter().map(ToString::to_string).collect();
    if resources.is_empty() {
        resources.push("secrets".to_owned());
    }
    Some(EncryptionPlan { keys, resources, identity: !settings.refuse_plaintext })
}

fn before(written: Option<Generation>, successor: Generation) -> u32 {
    written.unwrap_or_else(|| super::certs::one_less(successor)).get()
}

/// In byte order of their names.
pub(super) fn tokens(spec: &Spec) -> Vec<TokenPlan> {
    let all = spec.kubernetes.bootstrap_tokens.iter().filter(|_| has_control_plane(spec));
    let planned = all.map(|(name, token)| TokenPlan {
        name: name.to_string(),
        expires: spec
            .cluster
            .epoch
            .unix()
            .saturating_add_unsigned(token.expires.map_or(ONE_DAY, Span::seconds)),
        seed: seed_of(spec, token.seed),
        generation: token.generation.get(),
    });
    planned.collect()
}

/// In byte order of their names.
pub(super) fn passwords(spec: &Spec) -> Vec<PasswordPlan> {
    let planned = spec.passwords.iter().map(|(name, password)| PasswordPlan {
        name: name.to_string(),
        length: password.length.get(),
        seed: seed_of(spec, password.seed),
        generation: password.generation.get(),
        on: password.roles.clone(),
    });
    planned.collect()
}

impl PasswordPlan {
    /// Where it lies.
    pub fn path(&self) -> String {
        format!("/etc/sealift/passwords/{}", self.name)
    }

    pub(super) fn is_on(&self, here: &[Place]) -> bool {
        let on = |place: &Place| match place {
            Place::Operator => true,
            Place::Role(role) => self.on.contains(role),
            Place::FirstControlPlane | Place::EtcdAlone | Place::Stacked => false,
        };
        here.iter().any(on)
    }
}
