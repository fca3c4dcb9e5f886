//! What a change takes on a host: what the kubelet does by itself, what must run, what must restart.

use super::{Contents, FileDiff, State};
use crate::bundle::manifest::{File, Manifest, Policy};
use crate::check::aftermath::{Aftermath, Asks, reloaded};
use crate::check::record::RUNBOOK;
use serde::Serialize;

/// Where the kubelet looks for static pods (`staticPodPath`, as kubeadm sets it).
const MANIFESTS: &str = "/etc/kubernetes/manifests/";

/// One thing that follows from a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// What happens, or is to be done.
    pub kind: EffectKind,
    /// A command, a static pod (`static-pod/NAME`), `kubelet`, or a unit (`unit/NAME`).
    pub target: String,
    /// The files that cause it, in byte order.
    pub files: Vec<String>,
    /// False when no file that causes it is known to change on the host: it is `unknown`, or a
    /// component may have rewritten it.
    pub certain: bool,
}

/// What follows, in the order in which it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EffectKind {
    /// A person reads the runbook first.
    Read,
    /// The kubelet starts this pod by itself, as soon as its manifest is there.
    Start,
    /// The kubelet recreates this pod by itself, and with it reads what else would need a restart.
    Recreate,
    /// The kubelet stops this pod by itself.
    Stop,
    /// This command must run.
    Run,
    /// This must be restarted.
    Restart,
}

/// What the differences take, each once. Only contents count: what `install` does for a mode or an
/// owner restarts nothing.
pub(super) fn of(files: &[FileDiff], old: Option<&Manifest>, new: &Manifest) -> Vec<Effect> {
    let mut effects = Vec::new();
    let asks: Vec<Asks> = new.files.iter().map(Asks::from).collect();
    let aftermath = Aftermath::new(old, &asks);
    for stop in aftermath.stops() {
        add(&mut effects, EffectKind::Run, &stop.command, &stop.path, true);
    }
    for diff in files {
        let entry = match diff.state {
            State::Removed => old.and_then(|old| find(old, &diff.path)),
            _ => find(new, &diff.path),
        };
        // install never touches what another program writes
        let Some(entry) = entry.filter(|entry| entry.policy != Policy::Foreign) else { continue };
        let certain = match diff.contents {
            Some(Contents::Same | Contents::SealedAnew) => continue,
            Some(Contents::Unknown) => false,
            Some(Contents::Changed) | None => entry.policy != Policy::Initial,
        };
        let mut note = |kind, target: &str| add(&mut effects, kind, target, &diff.path, certain);
        if diff.path == RUNBOOK && diff.state != State::Removed {
            note(EffectKind::Read, RUNBOOK);
        }
        if let Some(pod) = static_pod(&diff.path) {
            let kind = match diff.state {
                State::Added => EffectKind::Start,
                State::Removed => EffectKind::Stop,
                State::Changed | State::NotCompared => EffectKind::Recreate,
            };
            note(kind, &format!("static-pod/{pod}"));
        }
        let (run, restart) = match diff.state {
            State::Removed => (aftermath.run_when_gone(entry), aftermath.restart_when_gone(entry)),
            _ => (entry.run.clone(), entry.restart.clone()),
        };
        for command in &run {
            note(EffectKind::Run, command);
        }
        for target in &restart {
            note(EffectKind::Restart, target);
        }
    }
    reload_once(&mut effects);
    if manifests_come_last(new) {
        absorb(&mut effects);
    }
    // stable: commands keep the manifest's order
    effects.sort_by(|one, other| (one.kind, rank(one)).cmp(&(other.kind, rank(other))));
    effects
}

/// Who restarts reads all anew.
fn reload_once(effects: &mut Vec<Effect>) {
    let restarts: Vec<Effect> =
        effects.iter().filter(|effect| effect.kind == EffectKind::Restart).cloned().collect();
    effects.retain(|effect| {
        let unit = reloaded(&effect.target).filter(|_| effect.kind == EffectKind::Run);
        let target = unit.map(|unit| format!("unit/{unit}"));
        let same = |restart: &Effect| {
            Some(&restart.target) == target.as_ref() && (restart.certain || !effect.certain)
        };
        !restarts.iter().any(same)
    });
}

fn add(effects: &mut Vec<Effect>, kind: EffectKind, target: &str, path: &str, certain: bool) {
    let known = effects.iter_mut().find(|effect| effect.kind == kind && effect.target == target);
    if let Some(effect) = known {
        effect.files.push(path.to_owned());
        effect.certain |= certain;
        return;
    }
    effects.push(Effect { kind, target: target.to_owned(), files: vec![path.to_owned()], certain });
}

/// Whether install places static pods' manifests after everything that they name: when their
/// directory is owned and without secrets.
fn manifests_come_last(manifest: &Manifest) -> bool {
    let mut directories = manifest.directories.iter();
    let owned = directories.any(|directory| directory.owned && format!("{}/", directory.path) == MANIFESTS);
    owned && !manifest.files.iter().any(|file| file.sealed && file.path.starts_with(MANIFESTS))
}

/// A pod that the kubelet starts or recreates by itself has read its other files anew.
fn absorb(effects: &mut Vec<Effect>) {
    let restarts: Vec<_> = effects.extract_if(.., |effect| effect.kind == EffectKind::Restart).collect();
    for restart in restarts {
        let by_itself = |effect: &&mut Effect| {
            let kind = matches!(effect.kind, EffectKind::Start | EffectKind::Recreate);
            kind && effect.certain && effect.target == restart.target
        };
        match effects.iter_mut().find(by_itself) {
            Some(effect) => {
                effect.files.extend(restart.files);
                effect.files.sort();
                effect.files.dedup();
            }
            None => effects.push(restart),
        }
    }
}

fn find<'m>(manifest: &'m Manifest, path: &str) -> Option<&'m File> {
    manifest.files.iter().find(|file| file.path == path)
}

/// The pod of a file that the kubelet watches. It passes over hidden files.
fn static_pod(path: &str) -> Option<&str> {
    let name = path.strip_prefix(MANIFESTS)?;
    let shown = !name.contains('/') && !name.starts_with('.');
    let pod = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".json")).unwrap_or(name);
    shown.then_some(pod)
}

/// What others need comes first: units, then etcd, the API server, what talks to it, the kubelet last.
fn rank(effect: &Effect) -> (u8, &str) {
    let rank = match effect.target.as_str() {
        _ if effect.kind == EffectKind::Run => return (0, ""),
        "static-pod/etcd" => 1,
        "static-pod/kube-apiserver" => 2,
        "kubelet" => 4,
        target if target.starts_with("static-pod/") => 3,
        _ => 0,
    };
    (rank, effect.target.as_str())
}
