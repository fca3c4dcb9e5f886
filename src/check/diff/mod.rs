//! Two builds of one cluster, compared: what differs in manifests and files, and what each host's
//! change takes.
//!
//! Needs no key. What is sealed is judged by what the manifests say of it, and where they cannot
//! tell, the difference says so.

mod effects;
mod facts;
mod file;
mod output;
pub(crate) mod text;

#[cfg(test)]
mod tests;

pub use effects::{Effect, EffectKind};
pub use facts::{Fact, Value};
pub use file::{Contents, FileDiff};
pub use output::{Compared, Side, outputs};

use crate::bundle::manifest::Directory;
use crate::bundle::open::Verified;
use serde::Serialize;
use thiserror::Error;

/// Why two builds are not compared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DiffError {
    /// They are of two clusters.
    #[error("two clusters: {old} and {new}")]
    Clusters {
        /// The older one's cluster id.
        old: String,
        /// The newer one's.
        new: String,
    },
    /// Two bundles are of two hosts.
    #[error("two hosts: {old} and {new}")]
    Hosts {
        /// The older one's host.
        old: String,
        /// The newer one's.
        new: String,
    },
}

/// What became of a host, directory or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Only the new build has it.
    Added,
    /// Only the old build has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
    /// Of hosts: one of the two bundles does not hold; the findings say why.
    NotCompared,
}

/// What differs between two bundles of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostDiff {
    /// The host's name.
    pub host: String,
    /// What became of it.
    pub state: State,
    /// What the manifests, and indexes, say otherwise of the whole bundle.
    pub facts: Vec<Fact>,
    /// Directories that differ, in byte order.
    pub directories: Vec<DirectoryDiff>,
    /// Files that differ, in byte order.
    pub files: Vec<FileDiff>,
    /// What the change takes on a host that holds the old bundle, in the order in which to do it.
    pub effects: Vec<Effect>,
}

/// What differs of one directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectoryDiff {
    /// Absolute host path.
    pub path: String,
    /// What became of it.
    pub state: State,
    /// Of a changed one: what the manifests say otherwise.
    pub facts: Vec<Fact>,
}

impl HostDiff {
    fn new(host: &str, state: State) -> Self {
        let (facts, directories, files, effects) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { host: host.to_owned(), state, facts, directories, files, effects }
    }

    fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.directories.is_empty() && self.files.is_empty()
    }
}

/// Compares two bundles of one host; `None` when nothing differs. With `text`, public files that
/// are text come with a unified diff.
pub fn bundles(old: &Verified, new: &Verified, text: bool) -> Result<Option<HostDiff>, DiffError> {
    let (of_old, of_new) = (old.manifest(), new.manifest());
    if of_old.cluster.id != of_new.cluster.id {
        let (old, new) = (of_old.cluster.id.clone(), of_new.cluster.id.clone());
        return Err(DiffError::Clusters { old, new });
    }
    if of_old.host.name != of_new.host.name {
        let (old, new) = (of_old.host.name.clone(), of_new.host.name.clone());
        return Err(DiffError::Hosts { old, new });
    }
    let diff = compare(old, new, text);
    Ok((!diff.is_empty()).then_some(diff))
}

fn compare(old: &Verified, new: &Verified, text: bool) -> HostDiff {
    let (of_old, of_new) = (old.manifest(), new.manifest());
    let files = file::compare(Some(old), new, text);
    HostDiff {
        host: of_new.host.name.clone(),
        state: State::Changed,
        facts: facts::between(facts::of_bundle(old), facts::of_bundle(new)),
        directories: directories(&of_old.directories, &of_new.directories),
        effects: effects::of(&files, Some(of_old), of_new),
        files,
    }
}

/// A host that the old build did not have.
fn added(new: &Verified) -> HostDiff {
    let files = file::compare(None, new, false);
    HostDiff {
        directories: directories(&[], &new.manifest().directories),
        effects: effects::of(&files, None, new.manifest()),
        files,
        ..HostDiff::new(&new.manifest().host.name, State::Added)
    }
}

fn directories(old: &[Directory], new: &[Directory]) -> Vec<DirectoryDiff> {
    let mut found = Vec::new();
    for (old, new) in pairs(old, new, |directory| directory.path.as_str()) {
        let Some(path) = new.or(old).map(|directory| directory.path.clone()) else { continue };
        let (state, facts) = match (old, new) {
            (Some(old), Some(new)) => {
                (State::Changed, facts::between(facts::of_directory(old), facts::of_directory(new)))
            }
            (Some(_), None) => (State::Removed, Vec::new()),
            _ => (State::Added, Vec::new()),
        };
        if state != State::Changed || !facts.is_empty() {
            found.push(DirectoryDiff { path, state, facts });
        }
    }
    found
}

/// Two lists in byte order of their names, side by side: at least one of each pair is there.
fn pairs<'a, T>(
    old: &'a [T],
    new: &'a [T],
    name: impl Fn(&T) -> &str,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut out = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return out,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(old), Some(new)) => name(old).cmp(name(new)),
        };
        out.push(match order {
            std::cmp::Ordering::Less => (old.next(), None),
            std::cmp::Ordering::Equal => (old.next(), new.next()),
            std::cmp::Ordering::Greater => (None, new.next()),
        });
    }
}
