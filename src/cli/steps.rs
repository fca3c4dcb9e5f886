//! What a change does to the items that are replaced in steps: which step it is, what it needs, what
//! comes next.

mod names;
mod words;

pub(super) use names::renamed;

use super::args::Check;
use super::failure::Failure;
use super::receipts::Receipts;
use super::world::SpecFile;
use crate::build;
use crate::bundle::index::Index;
use crate::bundle::items::ItemState;
use crate::bundle::manifest::Revision;
use crate::check::receipt::{Wanted, lack};
use crate::check::steps::{Move, Proof, between};
use crate::plan::{HostPlan, OPERATOR, RotatingItem};
use crate::spec::types::{CaName, Role};
use crate::spec::{Path as SpecPath, Problem};
use serde::Serialize;
use std::collections::BTreeMap;

/// One item that a change concerns, or that is on its way.
#[derive(Debug, Serialize)]
pub(super) struct ItemChange {
    item: &'static str,
    path: &'static str,
    #[serde(rename = "move")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<ItemState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<ItemState>,
    /// In which step it is then, for people.
    state: &'static str,
    /// What comes next, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Hosts of which nothing proves that they have the build before, where that matters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unproven: Vec<Unproven>,
}

/// A host without proof.
#[derive(Debug, Serialize)]
struct Unproven {
    host: String,
    reason: String,
}

impl ItemChange {
    /// For people.
    pub(super) fn line(&self) -> String {
        let next = self.next.as_ref().map(|next| format!("; next: {next}"));
        format!("{}: {}{}", self.path, self.state, next.unwrap_or_default())
    }
}

/// A host's bundle in the output of the build before.
pub(super) struct Held<'a> {
    pub(super) host: &'a HostPlan,
    pub(super) revision: Revision,
    /// SHA-256 of its manifest.
    pub(super) manifest: String,
    /// Whether it is older than the index.
    pub(super) stale: bool,
    /// Authorities whose certificate in it has another subject than the one planned.
    pub(super) renamed: Vec<CaName>,
}

/// What is known of the hosts, and what shall go without.
pub(super) struct Proofs<'a> {
    receipts: Option<Receipts>,
    unproven: &'a [RotatingItem],
}

impl<'a> Proofs<'a> {
    pub(super) fn read(arguments: &'a Check) -> Result<Self, Failure> {
        let receipts = arguments.receipts.as_deref().map(Receipts::read).transpose()?;
        Ok(Self { receipts, unproven: &arguments.unproven })
    }

    /// The same problem as a warning, when the user answers for it.
    fn weigh(&self, item: RotatingItem, problem: Problem) -> Problem {
        if !self.unproven.contains(&item) {
            return problem;
        }
        let warning = Problem::warning(problem.path, problem.message);
        match problem.hint {
            Some(hint) => warning.hint(hint),
            None => warning,
        }
    }
}

/// Compares a spec with the index of the build before, item by item.
pub(super) fn against(
    spec: &SpecFile,
    index: &Index,
    held: &[Held<'_>],
    proofs: &Proofs<'_>,
) -> (Vec<ItemChange>, Vec<Problem>) {
    let now = build::items(&spec.plan.cluster);
    if index.items.is_empty() {
        // written by an earlier sealift, which knew no steps
        return (Vec::new(), words::unknown_steps(&now, &index.sealift).into_iter().collect());
    }
    let mut problems = Vec::new();
    let mut changes = Vec::new();
    for item in RotatingItem::ALL {
        let pair = Pair { item: *item, before: index.items.get(item.name()), now: now.get(item.name()) };
        let (change, found) = pair.judge(spec, index, held, proofs);
        changes.extend(change);
        problems.extend(found);
    }
    (changes, problems)
}

/// One item, before and now.
struct Pair<'a> {
    item: RotatingItem,
    before: Option<&'a ItemState>,
    now: Option<&'a ItemState>,
}

impl Pair<'_> {
    fn judge(
        &self,
        spec: &SpecFile,
        index: &Index,
        held: &[Held<'_>],
        proofs: &Proofs<'_>,
    ) -> (Option<ItemChange>, Vec<Problem>) {
        let done = between(self.before, self.now);
        let mut problems = Vec::new();
        if let (Move::Refused(refusal), Some(now)) = (done, self.now) {
            let problem = words::refused(self.item, refusal, self.before, now);
            // whom hosts trust can be changed by another way, host by host
            let signing = self.item == RotatingItem::Signing;
            problems.push(if signing { proofs.weigh(self.item, problem) } else { problem });
        }
        let missing = match done.proof() {
            Proof::None => Vec::new(),
            Proof::Advised | Proof::Required => missing(self.item, index, held, proofs.receipts.as_ref()),
        };
        problems.extend(self.proof_problem(done, &missing, spec, proofs));
        let renamed = |held: &Held<'_>| held.renamed.iter().any(|ca| Some(*ca) == self.item.authority());
        if done == Move::Stay && held.iter().any(renamed) {
            problems.push(words::renamed(self.item));
        }
        if self.item == RotatingItem::EncryptionAtRest {
            let own = self.encryption(done, spec, index.items.contains_key(RotatingItem::Kubernetes.name()));
            problems.extend(own.into_iter().map(|problem| proofs.weigh(self.item, problem)));
        }
        (self.change(done, missing, spec), problems)
    }

    fn change(&self, done: Move, unproven: Vec<Unproven>, spec: &SpecFile) -> Option<ItemChange> {
        let under_way = self.now.is_some_and(|now| now.step.is_some());
        let quiet = matches!(done, Move::Stay | Move::Add) && !under_way;
        (!quiet).then(|| ItemChange {
            item: self.item.name(),
            path: self.item.path(),
            kind: words::kind(done),
            before: self.before.cloned(),
            now: self.now.cloned(),
            state: words::state(done, self.now),
            next: words::next(self.item, done, self.now, &rewrite(spec), self.is_elsewhere(spec)),
            unproven,
        })
    }

    /// Whether API servers that are no hosts of this spec use it: those of an etcd cluster alone.
    fn is_elsewhere(&self, spec: &SpecFile) -> bool {
        self.item == RotatingItem::Etcd && !has_control_plane(spec)
    }

    fn proof_problem(
        &self,
        done: Move,
        missing: &[Unproven],
        spec: &SpecFile,
        proofs: &Proofs<'_>,
    ) -> Option<Problem> {
        if missing.is_empty() {
            return None;
        }
        let mut reasons: Vec<_> =
            missing.iter().map(|lacking| format!("{}: {}", lacking.host, lacking.reason)).collect();
        let others = proofs.receipts.iter().flat_map(|receipts| &receipts.others);
        reasons.extend(others.map(|(file, error)| format!("{file}: {error}")));
        let problem = words::unproven(self.item, done, &reasons, &rewrite(spec));
        Some(proofs.weigh(self.item, problem))
    }

    /// What no receipt can show: what is in etcd.
    fn encryption(&self, done: Move, spec: &SpecFile, control_plane: bool) -> Vec<Problem> {
        let rewrite = rewrite(spec);
        let refuses = |state: Option<&ItemState>| state.is_some_and(|state| state.refuse_plaintext);
        let several = spec.plan.hosts.values().filter(|host| self.item.concerns(host)).count() > 1;
        let mut problems = Vec::new();
        match done {
            Move::Remove if has_control_plane(spec) => problems.push(words::encryption_gone()),
            Move::Retire => problems.push(words::written_anew(&rewrite)),
            Move::Add if control_plane && refuses(self.now) => {
                problems.push(words::plaintext_at_once(&rewrite));
            }
            Move::Add if control_plane && several => problems.push(words::encryption_begins()),
            _ => {}
        }
        if self.before.is_some() && !refuses(self.before) && refuses(self.now) {
            problems.push(words::plaintext(&rewrite));
        }
        problems
    }
}

fn has_control_plane(spec: &SpecFile) -> bool {
    spec.loaded.spec.hosts.values().any(|host| host.has(Role::ControlPlane))
}

/// The command that has the API servers write anew what they encrypt.
fn rewrite(spec: &SpecFile) -> String {
    let encryption = spec.plan.cluster.encryption.as_ref();
    let resources = encryption.map_or_else(|| "secrets".to_owned(), |plan| plan.resources.join(","));
    format!("kubectl get {resources} -A -o json | kubectl replace -f -")
}

/// The hosts of an item that the spec and the output of the build before have, and of which nothing
/// proves that they hold their bundle.
fn missing(
    item: RotatingItem,
    index: &Index,
    held: &[Held<'_>],
    receipts: Option<&Receipts>,
) -> Vec<Unproven> {
    let receipts = receipts.map(|receipts| receipts.all.as_slice()).unwrap_or_default();
    let concerned = held.iter().filter(|held| held.host.name != OPERATOR && item.concerns(held.host));
    let unproven = concerned.filter_map(|held| {
        let host = held.host.name.as_str();
        let wanted =
            Wanted { cluster: &index.cluster.id, host, revision: held.revision, manifest: &held.manifest };
        let reason = if held.stale {
            "its bundle was not built anew, see `build --host`".to_owned()
        } else {
            lack(receipts, &wanted)?.to_string()
        };
        Some(Unproven { host: host.to_owned(), reason })
    });
    unproven.collect()
}

/// Where a problem of an item's step stands.
fn place(item: RotatingItem, now: &ItemState) -> SpecPath {
    let field = if now.step.is_some() { "rotation" } else { "generation" };
    let path = item.path().split('.').fold(SpecPath::root(), |path, key| path.key(key));
    path.key(field)
}

/// The states of all items of a build.
type Items = BTreeMap<String, ItemState>;
