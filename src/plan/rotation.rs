//! Items that are replaced in steps while a cluster runs: the one that is used, and the one beside
//! it that is trusted too.

use super::CertPlan;
use super::brought::Version;
use crate::spec::types::{CaName, Rotation};
use serde::Serialize;

/// An item, and its successor or predecessor while a rotation goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotated<T> {
    /// The one that signs, encrypts, issues. It stands first wherever both are listed.
    pub active: T,
    /// The other one, trusted and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<T>,
    /// The step, as the spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Rotation>,
}

impl<T> Rotated<T> {
    /// `current` is what the spec describes, `previous` what it replaces.
    pub(super) fn new(step: Option<Rotation>, current: T, previous: impl FnOnce() -> T) -> Self {
        let (active, beside) = match step {
            None | Some(Rotation::Retire) => (current, None),
            Some(Rotation::Promote) => (current, Some(previous())),
            Some(Rotation::Stage) => (previous(), Some(current)),
        };
        Self { active, beside, step }
    }

    /// Which version the active one is.
    pub fn active_version(&self) -> Version {
        if self.step == Some(Rotation::Stage) { Version::Previous } else { Version::Current }
    }

    /// Which version the other one is.
    pub fn beside_version(&self) -> Version {
        if self.step == Some(Rotation::Stage) { Version::Current } else { Version::Previous }
    }

    /// The active one, then the other.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.active).chain(&self.beside)
    }
}

/// One certificate authority.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorityPlan {
    /// Which one.
    pub ca: CaName,
    /// Its certificate; while it is rotated, two.
    pub certificates: Rotated<CertPlan>,
}

impl AuthorityPlan {
    /// The generation of the one that issues.
    pub(super) fn generation(&self) -> String {
        self.certificates.active.generation.clone()
    }
}

impl CertPlan {
    /// Whether this authority's key stays elsewhere.
    pub fn is_external(&self) -> bool {
        self.brought.as_ref().is_some_and(|brought| brought.external)
    }
}
