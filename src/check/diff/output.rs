//! Two output directories: what their indexes pin with one digest is not opened.

use super::{DiffError, Fact, HostDiff, State, Value, added, bundles, facts, pairs};
use crate::bundle::index::{BundleRef, Index};
use crate::bundle::trust::Signers;
use crate::check::output::{Output, OutputDirectory};
use crate::finding::Finding;

/// One of two output directories.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its files.
    pub directory: &'a dyn OutputDirectory,
    /// What stands for it in findings.
    pub name: &'a str,
}

/// What became of two output directories beside their hosts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What the indexes say otherwise of the whole build.
    pub facts: Vec<Fact>,
    /// Hosts of which nothing differs, in byte order.
    pub unchanged: Vec<String>,
    /// What is wrong with the directories and their bundles.
    pub findings: Vec<Finding>,
}

/// Compares two output directories, a pair of bundles at a time. Hosts that differ are passed to
/// `visit` in byte order; with `text`, public texts come with a unified diff.
pub fn outputs(
    old: Side<'_>,
    new: Side<'_>,
    signers: Signers<'_>,
    text: bool,
    mut visit: impl FnMut(HostDiff),
) -> Result<Compared, DiffError> {
    let (old, new) = (old.output(signers), new.output(signers));
    let mut compared = Compared::default();
    let ((of_old, old_key), (of_new, new_key)) = match (old.index(), new.index()) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            compared.findings.extend(old.err().into_iter().chain(new.err()).flatten());
            return Ok(compared);
        }
    };
    if of_old.cluster.id != of_new.cluster.id {
        return Err(DiffError::Clusters { old: of_old.cluster.id, new: of_new.cluster.id });
    }
    compared.findings.extend(old.strays(&of_old));
    compared.findings.extend(new.strays(&of_new));
    compared.facts = facts::between(facts::of_index(&of_old, &old_key), facts::of_index(&of_new, &new_key));
    let pair = Pair { old: (&old, &of_old), new: (&new, &of_new), text };
    for (one, other) in pairs(&of_old.bundles, &of_new.bundles, |bundle| bundle.host.as_str()) {
        match pair.host(one, other, &mut compared.findings)? {
            Some(diff) => visit(diff),
            None => compared.unchanged.extend(other.map(|bundle| bundle.host.clone())),
        }
    }
    Ok(compared)
}

impl<'a> Side<'a> {
    fn output(self, signers: Signers<'a>) -> Output<'a> {
        Output { directory: self.directory, name: self.name, signers }
    }
}

struct Pair<'a> {
    old: (&'a Output<'a>, &'a Index),
    new: (&'a Output<'a>, &'a Index),
    text: bool,
}

impl Pair<'_> {
    /// What differs of one host; `None` when nothing does.
    fn host(
        &self,
        one: Option<&BundleRef>,
        other: Option<&BundleRef>,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<HostDiff>, DiffError> {
        let (one, other) = match (one, other) {
            (Some(one), Some(other)) => (one, other),
            // nothing of it has to be read: it is gone
            (Some(one), None) => return Ok(Some(HostDiff::new(&one.host, State::Removed))),
            (None, Some(other)) => {
                let bundle = self.new.0.bundle(self.new.1, other, findings);
                let not_compared = || HostDiff::new(&other.host, State::NotCompared);
                return Ok(Some(bundle.as_ref().map_or_else(not_compared, added)));
            }
            (None, None) => return Ok(None),
        };
        let mut diff = None;
        if one.sha256 != other.sha256 {
            let old = self.old.0.bundle(self.old.1, one, findings);
            let new = self.new.0.bundle(self.new.1, other, findings);
            diff = match (old, new) {
                (Some(old), Some(new)) => bundles(&old, &new, self.text)?,
                _ => return Ok(Some(HostDiff::new(&other.host, State::NotCompared))),
            };
        }
        if let Some(stale) = stale(one, other) {
            diff.get_or_insert_with(|| HostDiff::new(&other.host, State::Changed)).facts.push(stale);
        }
        Ok(diff)
    }
}

/// Whether `build --host` left one of the two bundles behind.
fn stale(one: &BundleRef, other: &BundleRef) -> Option<Fact> {
    let [old, new] = [one, other].map(|bundle| Value::Text(bundle.stale.to_string()));
    (old != new).then(|| Fact { name: "stale".to_owned(), old: Some(old), new: Some(new) })
}
