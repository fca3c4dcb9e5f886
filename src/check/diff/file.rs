//! Files of two bundles: what differs of each, as far as that can be known without a key.

use super::{Fact, State, facts, pairs, text};
use crate::bundle::manifest::{File, Policy};
use crate::bundle::open::Verified;
use crate::verify_key::VERIFY_KEY_PATH;
use serde::Serialize;

/// What differs of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileDiff {
    /// Absolute host path.
    pub path: String,
    /// What became of it.
    pub state: State,
    /// Whether the bundle holds it sealed; of a removed one, whether the old bundle did.
    pub sealed: bool,
    /// Of a changed one: what became of its contents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
    /// Of a changed one: what the manifests say otherwise.
    pub facts: Vec<Fact>,
    /// The unified diff of a public text, when asked for; left out of PEM and of what is too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What became of the contents of a file that both bundles list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Contents {
    /// The bundles hold the same bytes, or none of a foreign file.
    Same,
    /// They are others.
    Changed,
    /// The same secret, sealed to others or under another key.
    SealedAnew,
    /// Sealed anew, and nothing in the manifests tells whether the secret is another one.
    Unknown,
}

/// Files that differ; without an old bundle, all of them are added.
pub(super) fn compare<'b>(old: Option<&'b Verified>, new: &'b Verified, with_text: bool) -> Vec<FileDiff> {
    let before = old.map(|old| old.manifest().files.as_slice()).unwrap_or_default();
    let same_key = old.is_some_and(|old| has_same_verify_key(old, new));
    let mut found = Vec::new();
    for (one, other) in pairs(before, &new.manifest().files, |file| file.path.as_str()) {
        let mut diff = match (one, other) {
            (Some(one), Some(other)) => changed(one, other, same_key),
            (Some(one), None) => Some(FileDiff::new(one, State::Removed)),
            (None, Some(other)) => Some(FileDiff::new(other, State::Added)),
            (None, None) => None,
        };
        let hidden = |file: &&File| file.sealed || file.policy == Policy::Foreign;
        let shown = with_text && !one.iter().chain(&other).any(hidden);
        if let Some(diff) = diff.as_mut().filter(|_| shown) {
            let held = |bundle: &'b Verified, file: Option<&File>| bundle.contents(&file?.path);
            let (old, new) = (old.and_then(|old| held(old, one)), held(new, other));
            if old != new {
                diff.text = text::unified(&diff.path, old, new);
            }
        }
        found.extend(diff);
    }
    found
}

impl FileDiff {
    fn new(file: &File, state: State) -> Self {
        let path = file.path.clone();
        Self { path, state, sealed: file.sealed, contents: None, facts: Vec::new(), text: None }
    }
}

fn changed(old: &File, new: &File, same_key: bool) -> Option<FileDiff> {
    let contents = contents(old, new, same_key);
    let facts = facts::between(facts::of_file(old), facts::of_file(new));
    (contents != Contents::Same || !facts.is_empty()).then(|| FileDiff {
        contents: Some(contents),
        facts,
        ..FileDiff::new(new, State::Changed)
    })
}

fn contents(old: &File, new: &File, same_key: bool) -> Contents {
    let foreign = |file: &File| file.policy == Policy::Foreign;
    match (old.sealed, new.sealed) {
        // a foreign file has no contents here: what lies on the host is not known
        _ if foreign(old) != foreign(new) => Contents::Unknown,
        (false, false) if old.sha256 == new.sha256 => Contents::Same,
        (false, false) => Contents::Changed,
        (true, true) => secret(old, new, same_key),
        _ => Contents::Unknown,
    }
}

fn secret(old: &File, new: &File, same_key: bool) -> Contents {
    let same = old.hmac == new.hmac;
    // the verify key's own digest is made with itself: it tells one key from another
    if same_key || new.path == VERIFY_KEY_PATH {
        return match (same, old.sha256 == new.sha256) {
            (true, true) => Contents::Same,
            (true, false) => Contents::SealedAnew,
            (false, _) => Contents::Changed,
        };
    }
    let derived_anew = old.origin != new.origin || old.inputs != new.inputs;
    if derived_anew { Contents::Changed } else { Contents::Unknown }
}

/// Whether the keyed digests of two bundles can be compared.
fn has_same_verify_key(old: &Verified, new: &Verified) -> bool {
    let hmac = |bundle: &Verified| bundle.file(VERIFY_KEY_PATH).and_then(|file| file.hmac.clone());
    hmac(old).is_some_and(|old| hmac(new) == Some(old))
}
