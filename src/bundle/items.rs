//! What a build's items are: of those that are replaced in steps, which one is used and which one is
//! trusted beside it.

use crate::bundle::paths::is_hex;
use serde::{Deserialize, Serialize};

/// One item of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ItemState {
    /// The one that signs, encrypts, issues.
    pub active: ItemId,
    /// The other one, trusted and nothing else; there while it is staged or promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<ItemId>,
    /// The step, as the spec says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// Of a key that encrypts: what was written before there was one cannot be read any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refuse_plaintext: bool,
}

/// What tells one version of an item from every other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ItemId {
    /// It is derived from a seed.
    Derived(Derived),
    /// It was made elsewhere.
    Brought(Brought),
}

/// Where a derived item comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// The number of the seed in the keyring, from 1.
    pub seed: u32,
    /// The generation, from 1.
    pub generation: u32,
    /// The key's algorithm.
    pub algorithm: String,
}

/// A certificate that was made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brought {
    /// SHA-256, in lower-case hex, of the DER certificate and of all that stand behind it.
    pub sha256: String,
}

/// A step in which an item is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The new one is trusted; the old one is used.
    Stage,
    /// The new one is used; the old one is trusted.
    Promote,
    /// Only the new one is left.
    Retire,
}

impl ItemState {
    /// Whether it keeps the format's rules: two versions that differ while it is staged or promoted,
    /// else one.
    pub(super) fn is_sound(&self) -> bool {
        let two = matches!(self.step, Some(Step::Stage | Step::Promote));
        let differ = self.beside.as_ref() != Some(&self.active);
        self.beside.is_some() == two
            && differ
            && [Some(&self.active), self.beside.as_ref()].into_iter().flatten().all(ItemId::is_sound)
    }
}

impl ItemId {
    fn is_sound(&self) -> bool {
        match self {
            Self::Derived(id) => id.seed > 0 && id.generation > 0 && is_word(&id.algorithm),
            Self::Brought(id) => is_hex(&id.sha256, 64),
        }
    }
}

/// Lower-case letters, digits and `-`, and not nothing: an item's name, an algorithm.
pub(super) fn is_word(text: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(good)
}
