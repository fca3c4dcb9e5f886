//! What is said of steps.

use super::{Items, place};
use crate::bundle::items::{ItemId, ItemState, Step};
use crate::check::steps::{Move, Proof, Refusal};
use crate::plan::RotatingItem;
use crate::spec::Problem;

/// How many hosts a message names.
const MOST: usize = 12;

/// A move's name in JSON.
pub(super) const fn kind(done: Move) -> &'static str {
    match done {
        Move::Stay => "stay",
        Move::Add => "add",
        Move::Remove => "remove",
        Move::Stage => "stage",
        Move::Promote => "promote",
        Move::Retire => "retire",
        Move::Abort => "abort",
        Move::BackToStage => "back-to-stage",
        Move::BackToPromote => "back-to-promote",
        Move::Refused(_) => "refused",
    }
}

/// In which step an item is after a move.
pub(super) fn state(done: Move, now: Option<&ItemState>) -> &'static str {
    match done {
        Move::Refused(_) => "refused",
        Move::Remove => "gone",
        Move::Add => "new",
        Move::Abort => "back to the old one",
        Move::BackToStage => "back to `stage`",
        Move::BackToPromote => "back to `promote`",
        Move::Stay | Move::Stage | Move::Promote | Move::Retire => match now.and_then(|now| now.step) {
            Some(Step::Stage) => "staged",
            Some(Step::Promote) => "promoted",
            Some(Step::Retire) | None => "retired",
        },
    }
}

/// What comes next.
/// `elsewhere`: others than this spec's hosts need the item too.
pub(super) fn next(
    item: RotatingItem,
    done: Move,
    now: Option<&ItemState>,
    rewrite: &str,
    elsewhere: bool,
) -> Option<String> {
    if matches!(done, Move::Refused(_)) {
        return None;
    }
    let too = if elsewhere { ", and API servers elsewhere the operators' files" } else { "" };
    match now?.step? {
        Step::Stage => Some(format!("promote, once every host has this build{too}")),
        Step::Promote => Some(format!("retire, once every host has this build{too}{}", until(item, rewrite))),
        Step::Retire if item == RotatingItem::Signing => {
            Some("leave `rotation: retire` there: with it, hosts that trust other keys are found".to_owned())
        }
        Step::Retire => Some("remove `rotation` and `previous`, whenever you like".to_owned()),
    }
}

/// Until when an old one is needed, beside every host's build.
fn until(item: RotatingItem, rewrite: &str) -> String {
    match item {
        RotatingItem::Kubernetes => " and no kubelet, person or pod needs the old CA".to_owned(),
        RotatingItem::Etcd | RotatingItem::FrontProxy | RotatingItem::Signing => String::new(),
        RotatingItem::ServiceAccount => " and no token of the old key is in use".to_owned(),
        RotatingItem::EncryptionAtRest => format!(" and everything was written anew: {rewrite}"),
    }
}

/// The problem of a refused change.
pub(super) fn refused(
    item: RotatingItem,
    refusal: Refusal,
    before: Option<&ItemState>,
    now: &ItemState,
) -> Problem {
    let path = item.path();
    let at = place(item, now);
    let old = before.map(|before| id(&before.active)).unwrap_or_default();
    let other = before.and_then(|before| before.beside.as_ref()).map(id).unwrap_or_default();
    let new = id(&now.active);
    let staged = before.is_some_and(|before| before.step == Some(Step::Stage));
    let (message, hint) = match refusal {
        Refusal::NothingToReplace => {
            ("a step of what the cluster does not have yet".to_owned(), "remove `rotation` and `previous`".to_owned())
        }
        Refusal::NotStaged => (
            format!("{new} at once after {old}: no host trusts it yet"),
            "go in three builds, each installed on every host before the next: `rotation: stage`, then `promote`, then `retire`".to_owned(),
        ),
        Refusal::PromoteBeforeStage => (
            format!("`promote` before `stage` was built: no host trusts {new} yet"),
            "write `rotation: stage`, build, and install it on every host first".to_owned(),
        ),
        Refusal::RetireBeforePromote => (
            format!("`promote` is left out: {old} is still in use"),
            "write `rotation: promote`, build, and install it on every host first".to_owned(),
        ),
        Refusal::OtherPrevious => {
            let replaced = now.beside.as_ref().filter(|_| now.step == Some(Step::Promote)).map_or(new, id);
            (format!("{replaced} is replaced, but the cluster has {old}"), format!("describe {old} as `previous`"))
        }
        Refusal::Changed if staged => (
            format!("another change in the middle of the rotation from {old} to {other}"),
            format!("describe the two as they were and go on with `promote`, or go back to {old} first, without `rotation`"),
        ),
        Refusal::Changed => (
            format!("another change in the middle of the rotation from {other} to {old}"),
            "describe the two as they were and go on with `retire`, or go back to `stage` first".to_owned(),
        ),
        Refusal::TwoAtOnce => (
            format!("a second rotation before {other} is retired"),
            format!("build and install `rotation: retire` of {old} first"),
        ),
        Refusal::BackWithoutStage => (
            format!("back to {other} alone while {old} is in use"),
            "build and install `rotation: stage` first: then the old one is in use and both are trusted".to_owned(),
        ),
    };
    let by_hand = match item {
        RotatingItem::Signing => {
            "; hosts that you give the new key by another way, with `install --trust`, need no steps: --unproven signing"
        }
        _ => "",
    };
    Problem::error(at, format!("{path}: {message}")).hint(hint + by_hand)
}

/// One version of an item, for people.
fn id(id: &ItemId) -> String {
    match id {
        ItemId::Derived(id) => format!("generation {} (seed {}, {})", id.generation, id.seed, id.algorithm),
        ItemId::Brought(id) => {
            let start: String = id.sha256.chars().take(16).collect();
            format!("certificate {start}…")
        }
    }
}

/// The problem of hosts that nobody has heard of.
pub(super) fn unproven(item: RotatingItem, done: Move, reasons: &[String], rewrite: &str) -> Problem {
    let path = item.path();
    let name = item.name();
    let at = format!("{path}.rotation");
    let shown: Vec<_> = reasons.iter().take(MOST).map(String::as_str).collect();
    let more = reasons.len().saturating_sub(shown.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let message =
        format!("{path}: nothing proves that every host has the build before: {}{more}", shown.join("; "));
    if done.proof() == Proof::Required {
        let hint = format!(
            "collect what `sealift verify --root / --format json` says on each host, a file each, in --receipts DIR; \
             if you know better: --unproven {name}"
        );
        return Problem::error(at, message).hint(hint);
    }
    let first = match (done, item) {
        (Move::Abort, RotatingItem::EncryptionAtRest) => {
            format!(", and everything was written anew: {rewrite}")
        }
        (Move::Abort, RotatingItem::ServiceAccount) => ", and no token of the new key is in use".to_owned(),
        _ => String::new(),
    };
    let hint = match done {
        Move::Abort => {
            format!("right if `promote` reached no host; else every host needs the build before first{first}")
        }
        _ => {
            "right if every host trusts both: if each has the build of `stage` or the build before".to_owned()
        }
    };
    Problem::warning(at, message).hint(hint)
}

/// The same key under another name.
pub(super) fn renamed(item: RotatingItem) -> Problem {
    let path = item.path();
    let message = format!(
        "{path}: another subject under the same generation: hosts that have the old one trust nothing that it signs from now on"
    );
    Problem::warning(format!("{path}.subject"), message)
        .hint("raise `generation` and rotate: `previous` keeps the old subject")
}

/// An earlier sealift's output cannot be compared.
pub(super) fn unknown_steps(now: &Items, sealift: &str) -> Option<Problem> {
    let (item, state) = RotatingItem::ALL.iter().find_map(|item| {
        let state = now.get(item.name()).filter(|state| state.step.is_some())?;
        Some((*item, state))
    })?;
    let message =
        format!("{}: sealift {sealift} built the output before and did not note what it made", item.path());
    Some(
        Problem::error(place(item, state), message)
            .hint("build the spec as it was with this sealift, install that, and begin then"),
    )
}

const AT_REST: &str = "encryptionAtRest";

/// The old key is gone, and with it what only it can read.
pub(super) fn written_anew(rewrite: &str) -> Problem {
    let message = format!("{AT_REST}: what was not written anew since `promote` cannot be read any more");
    Problem::warning(format!("{AT_REST}.rotation"), message)
        .hint(format!("no receipt shows that: run `{rewrite}` before"))
}

/// Nobody can decrypt what is encrypted.
pub(super) fn encryption_gone() -> Problem {
    let message = format!("{AT_REST} is gone: no API server can read what is encrypted");
    Problem::error(AT_REST, message)
        .hint("keep it; if nothing in etcd is encrypted any more: --unproven encryption-at-rest")
}

/// Encryption is turned on, with several API servers.
pub(super) fn encryption_begins() -> Problem {
    let message =
        format!("{AT_REST}: until every control plane has this build, the others cannot read what it writes");
    Problem::warning(AT_REST, message).hint("install the control planes one right after the other")
}

/// Encryption is turned on, and nothing else may be read.
pub(super) fn plaintext_at_once(rewrite: &str) -> Problem {
    let at = format!("{AT_REST}.refusePlaintext");
    let message =
        format!("{at}: what the cluster has written so far is not encrypted and cannot be read any more");
    Problem::error(at, message).hint(format!(
        "leave it out, install that everywhere, run `{rewrite}`, and write it then; if there is nothing yet: --unproven encryption-at-rest"
    ))
}

/// What is not encrypted cannot be read from now on.
pub(super) fn plaintext(rewrite: &str) -> Problem {
    let at = format!("{AT_REST}.refusePlaintext");
    let message = format!("{at}: what is not encrypted cannot be read any more");
    Problem::warning(at, message).hint(format!("no receipt shows that all is: run `{rewrite}` before"))
}
