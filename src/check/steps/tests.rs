//! The whole table of steps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::{Move, Proof, Refusal, between};
use crate::bundle::items::{Brought, Derived, ItemId, ItemState, Step};

/// A version by its letter; the third was made elsewhere.
fn id(letter: char) -> ItemId {
    let derived = |generation| ItemId::Derived(Derived { seed: 1, generation, algorithm: "x".into() });
    match letter {
        'a' => derived(1),
        'b' => derived(2),
        'c' => ItemId::Brought(Brought { sha256: "0".repeat(64) }),
        _ => panic!("{letter}"),
    }
}

fn state(active: char, beside: Option<char>, step: Option<Step>) -> ItemState {
    ItemState { active: id(active), beside: beside.map(id), step, refuse_plaintext: false }
}

/// Every state over three versions: `none`, `a`, `a retire`, `a stage b` (b comes), `b promote a` (a goes).
fn states() -> Vec<(String, Option<ItemState>)> {
    let mut all = vec![("none".to_owned(), None)];
    for active in ['a', 'b', 'c'] {
        all.push((active.to_string(), Some(state(active, None, None))));
        all.push((format!("{active} retire"), Some(state(active, None, Some(Step::Retire)))));
        for beside in ['a', 'b', 'c'].into_iter().filter(|other| *other != active) {
            all.push((
                format!("{active} stage {beside}"),
                Some(state(active, Some(beside), Some(Step::Stage))),
            ));
            all.push((
                format!("{active} promote {beside}"),
                Some(state(active, Some(beside), Some(Step::Promote))),
            ));
        }
    }
    all
}

/// From each state, what leads to every other. From `b` it is as from `a` with the letters changed,
/// which the next test shows, so `a` stands for all.
const TABLE: &str = "\
none -> none: Stay
none -> a, a retire, b, b retire, c, c retire: Add
none -> a stage b, a promote b, a stage c, a promote c, b stage a, b promote a, b stage c, b promote c, c stage a, c promote a, c stage b, c promote b: NothingToReplace
a -> none: Remove
a -> a, a retire: Stay
a -> a stage b, a stage c: Stage
a -> a promote b, a promote c: BackToPromote
a -> b, b retire, c, c retire: NotStaged
a -> b promote a, c promote a: PromoteBeforeStage
a -> b stage a, b stage c, b promote c, c stage a, c stage b, c promote b: OtherPrevious
a retire -> none: Remove
a retire -> a, a retire: Stay
a retire -> a stage b, a stage c: Stage
a retire -> a promote b, a promote c: BackToPromote
a retire -> b, b retire, c, c retire: NotStaged
a retire -> b promote a, c promote a: PromoteBeforeStage
a retire -> b stage a, b stage c, b promote c, c stage a, c stage b, c promote b: OtherPrevious
a stage b -> none: Remove
a stage b -> a, a retire: Abort
a stage b -> a stage b: Stay
a stage b -> b promote a: Promote
a stage b -> b, b retire: RetireBeforePromote
a stage b -> a promote b, a stage c, a promote c, b stage a, b stage c, b promote c, c, c retire, c stage a, c promote a, c stage b, c promote b: Changed
a promote b -> none: Remove
a promote b -> a, a retire: Retire
a promote b -> a promote b: Stay
a promote b -> b stage a: BackToStage
a promote b -> b, b retire: BackWithoutStage
a promote b -> a stage c, c promote a: TwoAtOnce
a promote b -> a stage b, a promote c, b promote a, b stage c, b promote c, c, c retire, c stage a, c stage b, c promote b: Changed
";

fn name(done: Move) -> String {
    match done {
        Move::Refused(refusal) => format!("{refusal:?}"),
        allowed => format!("{allowed:?}"),
    }
}

#[test]
fn from_every_state_to_every_state() {
    let all = states();
    assert_eq!(all.len(), 19);
    let find = |wanted: &str| all.iter().find(|(name, _)| name == wanted).expect(wanted).1.as_ref();
    let mut seen = 0;
    for line in TABLE.lines() {
        let (from, rest) = line.split_once(" -> ").unwrap();
        let (targets, expected) = rest.split_once(": ").unwrap();
        for to in targets.split(", ") {
            assert_eq!(name(between(find(from), find(to))), expected, "{from} -> {to}");
            seen += 1;
        }
    }
    // none, a, a retire, a stage b, a promote b: each to every state once
    assert_eq!(seen, 5 * 19);
    let mut pairs: Vec<_> = TABLE
        .lines()
        .flat_map(|line| {
            let (from, rest) = line.split_once(" -> ").unwrap();
            rest.split_once(": ").unwrap().0.split(", ").map(move |to| (from, to))
        })
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    assert_eq!(pairs.len(), seen, "a pair stands twice");
}

/// Which versions they are makes no difference: the letters can be exchanged.
#[test]
fn letters_do_not_matter() {
    let all = states();
    let find = |wanted: &str| all.iter().find(|(name, _)| name == wanted).expect(wanted).1.as_ref();
    let exchange = |text: &str, with: [char; 3]| -> String {
        // the words of steps have these letters too
        let words = text.split(' ').map(|word| match word {
            "a" => with[0].to_string(),
            "b" => with[1].to_string(),
            "c" => with[2].to_string(),
            word => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    };
    for with in [['a', 'c', 'b'], ['b', 'a', 'c'], ['b', 'c', 'a'], ['c', 'a', 'b'], ['c', 'b', 'a']] {
        for (from, before) in &all {
            for (to, now) in &all {
                let other = between(find(&exchange(from, with)), find(&exchange(to, with)));
                assert_eq!(between(before.as_ref(), now.as_ref()), other, "{from} -> {to}, {with:?}");
            }
        }
    }
}

/// What a host of one build uses, a host of the other trusts: that is what every allowed move keeps.
#[test]
fn allowed_moves_keep_hosts_together() {
    let trusts = |state: &ItemState, id: &ItemId| state.active == *id || state.beside.as_ref() == Some(id);
    for (from, before) in &states() {
        for (to, now) in &states() {
            let (Some(before), Some(now)) = (before, now) else { continue };
            let together = trusts(before, &now.active) && trusts(now, &before.active);
            let done = between(Some(before), Some(now));
            if !matches!(done, Move::Refused(_)) {
                assert!(together, "{from} -> {to}: {done:?}");
            } else if together {
                // refused although hosts would get along: it is another rotation than the one that was begun
                assert!(
                    matches!(done, Move::Refused(Refusal::Changed | Refusal::TwoAtOnce)),
                    "{from} -> {to}: {done:?}"
                );
            }
        }
    }
}

#[test]
fn proofs() {
    let of = |done: Move| done.proof();
    assert_eq!([Move::Promote, Move::Retire].map(of), [Proof::Required; 2]);
    assert_eq!([Move::Abort, Move::BackToStage].map(of), [Proof::Advised; 2]);
    let others = [Move::Stay, Move::Add, Move::Remove, Move::Stage, Move::BackToPromote];
    assert_eq!(others.map(of), [Proof::None; 5]);
    assert_eq!(Move::Refused(Refusal::Changed).proof(), Proof::None);
}
