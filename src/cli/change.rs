//! What a change of the spec does, host by host, against the output of the build before.
//!
//! Needs no keyring: public files are rendered and compared, certificates are compared by what they
//! say, and whatever else enters a bundle by the digest of its inputs.

mod before;
mod file;
mod kubeadm;
mod members;
mod release;
mod returning;
mod stateful_set;

use super::failure::{Failure, USAGE};
use super::output::Output;
use super::steps::{self, Held, ItemChange, Proofs};
use super::world::SpecFile;
use crate::build::{self, Inputs};
use crate::bundle::manifest::Revision;
use crate::bundle::open::Verified;
use crate::check::aftermath::{Aftermath, Asks, reloaded};
use crate::check::record::RUNBOOK;
use crate::plan::{HostPlan, OPERATOR};
use crate::render::Renderer;
use crate::render::templates::Templates;
use crate::spec::{Path as SpecPath, Problem};
use before::Before;
use file::{differs, published, recipients};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// What a change does to each bundle.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    hosts: Vec<HostChange>,
    /// What is replaced in steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemChange>,
}

#[derive(Debug, Serialize)]
struct HostChange {
    host: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Revision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Revision>,
    files: Vec<FileChange>,
    run: Vec<String>,
    restart: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    New,
    Removed,
    Changed,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct FileChange {
    path: String,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Added,
    Changed,
    Removed,
}

/// Compares a spec without errors with the output of an earlier build. Also returns what is wrong
/// with the change itself.
pub(super) fn against(
    spec: &SpecFile,
    previous: &Path,
    templates: &Templates,
    proofs: &Proofs<'_>,
) -> Result<(Change, Vec<Problem>), Failure> {
    let before = Before::read(previous)?;
    let plan = &spec.plan;
    if before.index.cluster.id != plan.cluster.id {
        let message = format!("{} was built for another cluster", previous.display());
        let problem =
            Problem::error("cluster.id", message).hint("name the output of this cluster's last build");
        return Ok((Change { hosts: Vec::new(), items: Vec::new() }, vec![problem]));
    }
    let renderer = Renderer::new(templates).map_err(|error| Failure::from_error(USAGE, &error))?;
    let all: Vec<_> = plan.hosts.values().chain([&plan.operator]).collect();
    let seed_id = |number: u32| Ok(before.index.seeds.get(&number.to_string()).cloned().unwrap_or_default());
    let inputs = Inputs::new(&plan.cluster, all.iter().copied(), seed_id, templates)
        .map_err(|error| Failure::from_error(USAGE, &error))?;
    let mut change = Change { hosts: Vec::new(), items: Vec::new() };
    let mut held = Vec::new();
    let mut problems = Vec::new();
    let mut stuck = Vec::new();
    let mut members = Vec::new();
    for host in &all {
        let digest = inputs.of(host).map_err(|error| Failure::from_error(USAGE, &error))?;
        let bundle = before.bundle(&host.name)?;
        members.extend(bundle.as_ref().and_then(members::Old::of));
        let one = compare(spec, host, bundle.as_ref(), &digest, &renderer)?;
        held.extend(bundle.as_ref().map(|bundle| Held {
            host,
            revision: bundle.manifest().revision,
            manifest: bundle.manifest_sha256().to_owned(),
            stale: before.entry(&host.name).is_some_and(|entry| entry.stale),
            renamed: steps::renamed(&plan.cluster, host, bundle).collect(),
        }));
        if let (State::Changed, Some(entry)) = (one.state, before.entry(&host.name)) {
            let lower = revision_of(spec, host) <= entry.revision;
            stuck.extend((lower && !only_told(host, &one)).then_some(host.name.as_str()));
        }
        problems.extend(bundle.as_ref().and_then(|bundle| recipients_problem(host, bundle)));
        problems.extend(bundle.iter().flat_map(|bundle| kubeadm::problems(spec, host, bundle)));
        problems.extend(bundle.as_ref().and_then(|bundle| stateful_set::problem(host, bundle)));
        let lower = bundle.iter().flat_map(|bundle| returning::problems(&plan.cluster, host, bundle));
        let release = bundle.as_ref().and_then(|bundle| release::problem(spec, bundle));
        problems.extend(release.filter(|new| problems.iter().all(|known| known.message != new.message)));
        for problem in lower {
            if !problems.iter().any(|known: &Problem| known.path == problem.path) {
                problems.push(problem);
            }
        }
        change.hosts.push(one);
    }
    problems.extend(revision_problem(&stuck));
    let (items, of_steps) = steps::against(spec, &before.index, &held, proofs);
    change.items = items;
    problems.extend(of_steps);
    let names: BTreeSet<&str> = all.iter().map(|host| host.name.as_str()).collect();
    let gone = before.index.bundles.iter().filter(|entry| !names.contains(entry.host.as_str()));
    for entry in gone {
        change.hosts.push(HostChange::new(&entry.host, State::Removed));
        problems.extend(retired_problem(spec, &entry.host));
        members.extend(before.bundle(&entry.host)?.as_ref().and_then(members::Old::of));
    }
    problems.extend(members::problems(spec, &members));
    Ok((change, problems))
}

/// Whether nothing changes but the operators' runbook of etcd's members, which they read once: then no
/// member's bundle need change either.
fn only_told(host: &HostPlan, change: &HostChange) -> bool {
    let told = host.name == OPERATOR && host.membership.is_some() && !change.files.is_empty();
    told && change.files.iter().all(|file| file.path == RUNBOOK)
}

fn revision_of(spec: &SpecFile, host: &HostPlan) -> Revision {
    Revision { cluster: spec.plan.cluster.revision, host: host.revision }
}

/// One problem for all hosts whose bundles change under a revision that they may have already.
fn revision_problem(stuck: &[&str]) -> Option<Problem> {
    let (first, rest) = stuck.split_first()?;
    let others = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    let message = format!("the bundle of {first}{others} changes, but not the revision");
    Some(Problem::warning("cluster.revision", message).hint(
        "a host that has the other build refuses this one: raise cluster.revision, or `revision` of the host",
    ))
}

fn retired_problem(spec: &SpecFile, name: &str) -> Option<Problem> {
    let retired = spec.loaded.spec.retired.keys().any(|retired| retired.as_str() == name);
    (name != OPERATOR && !retired).then(|| {
        Problem::warning("hosts", format!("{name} is gone from the spec"))
            .hint(format!("its keys would come back with its name: write `retired: {{{name}: GENERATION}}`"))
    })
}

impl HostChange {
    fn new(host: &str, state: State) -> Self {
        let (run, restart) = (Vec::new(), BTreeSet::new());
        Self { host: host.to_owned(), state, before: None, now: None, files: Vec::new(), run, restart }
    }
}

/// What becomes of one host's bundle.
fn compare(
    spec: &SpecFile,
    host: &HostPlan,
    before: Option<&Verified>,
    inputs: &str,
    renderer: &Renderer<'_>,
) -> Result<HostChange, Failure> {
    let Some(before) = before else {
        return Ok(HostChange::new(&host.name, State::New));
    };
    if before.manifest().inputs == inputs {
        return Ok(HostChange::new(&host.name, State::Unchanged));
    }
    let failed = |error| Failure::from_error(USAGE, &error);
    let mut now = renderer.templates(host).map_err(failed)?;
    // as if no file had changed that a static pod reads at its start: `differs` looks at these itself
    let digests = build::restart_digests(host, |path| before.file(path).and_then(published));
    now.extend(renderer.pods(host, &digests).map_err(failed)?);
    let mut change = HostChange::new(&host.name, State::Changed);
    change.before = Some(before.manifest().revision);
    change.now = Some(revision_of(spec, host));
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let asks = host.files.iter().map(|file| Asks {
        path: file.path.clone(),
        run: file.run.clone(),
        restart: texts(&file.restart),
    });
    let aftermath = Aftermath::new(Some(before.manifest()), &asks.collect::<Vec<_>>());
    for stop in aftermath.stops() {
        if !change.run.contains(&stop.command) {
            change.run.push(stop.command.clone());
        }
    }
    let mut note = |path: &str, what, restart: Vec<String>, run: Vec<String>| {
        change.files.push(FileChange { path: path.to_owned(), what });
        change.restart.extend(restart);
        for command in run {
            // in the order of the files, as `install` tells them
            if !change.run.contains(&command) {
                change.run.push(command);
            }
        }
    };
    for file in host.files.iter() {
        let what = match before.file(&file.path) {
            None => What::Added,
            Some(_) if differs(spec, host, file, before, &now) => What::Changed,
            Some(_) => continue,
        };
        note(&file.path, what, texts(&file.restart), file.run.clone());
    }
    let planned: BTreeSet<_> = host.files.iter().map(|file| file.path.as_str()).collect();
    for file in before.manifest().files.iter().filter(|file| !planned.contains(file.path.as_str())) {
        note(&file.path, What::Removed, aftermath.restart_when_gone(file), aftermath.run_when_gone(file));
    }
    // a restart reads all anew
    let restart = &change.restart;
    change
        .run
        .retain(|command| reloaded(command).is_none_or(|unit| !restart.contains(&format!("unit/{unit}"))));
    Ok(change)
}

/// A host that is sealed to others has keys that the old recipients know.
fn recipients_problem(host: &HostPlan, before: &Verified) -> Option<Problem> {
    let before = &before.manifest().host;
    let same = before.recipients == recipients(host) || host.item.generation != before.generation;
    if same || host.name == OPERATOR {
        return None;
    }
    let path = SpecPath::root().key("hosts").key(&host.name).key("recipients");
    let message = format!("{} has other recipients and still generation {}", host.name, before.generation);
    Some(Problem::warning(path.as_str(), message).hint(format!(
        "who had the old key knows this host's keys: if that matters, set `generation: {}`",
        before.generation.saturating_add(1)
    )))
}

impl Change {
    /// Says it to people.
    pub(super) fn tell(&self, output: &mut Output<'_>) {
        for host in &self.hosts {
            let revision = match (host.before, host.now) {
                (Some(before), Some(now)) if before != now => format!(", revision {before} to {now}"),
                _ => String::new(),
            };
            let state = match host.state {
                State::New => "new",
                State::Removed => "gone",
                State::Unchanged => "unchanged",
                State::Changed if host.files.is_empty() => "changed, but none of its files",
                State::Changed => "changed",
            };
            output.line(format_args!("{}: {state}{revision}", host.host));
            for file in &host.files {
                let what = match file.what {
                    What::Added => '+',
                    What::Changed => '~',
                    What::Removed => '-',
                };
                output.line(format_args!("  {what} {}", file.path));
            }
            host.run.iter().for_each(|command| output.line(format_args!("  run: {command}")));
            host.restart.iter().for_each(|target| output.line(format_args!("  restart: {target}")));
        }
        self.items.iter().for_each(|item| output.line(item.line()));
    }
}
