//! From one build of an item to the next: which steps follow which.
//!
//! An item is replaced in three builds, each rolled out to every host before the next: `stage` (the
//! new one is trusted), `promote` (it is used), `retire` (the old one is gone). At every moment hosts
//! have two neighbouring builds, and whatever one of them uses, the other must trust.

use crate::bundle::items::{ItemId, ItemState, Step};

/// What a change does to one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Nothing.
    Stay,
    /// The cluster did not have it.
    Add,
    /// The cluster has it no more.
    Remove,
    /// A rotation begins.
    Stage,
    /// The staged one is used from now on.
    Promote,
    /// The old one goes.
    Retire,
    /// The staged one is given up.
    Abort,
    /// The old one is used again, the new one still trusted.
    BackToStage,
    /// One that was retired is trusted again.
    BackToPromote,
    /// A step that would leave hosts that do not trust each other.
    Refused(Refusal),
}

/// Why a change is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The cluster does not have what would be replaced.
    NothingToReplace,
    /// Another one at once, that nobody trusts yet.
    NotStaged,
    /// `promote` of one that was never staged.
    PromoteBeforeStage,
    /// Only the new one is left, and it was never promoted.
    RetireBeforePromote,
    /// What it replaces is not what the cluster has.
    OtherPrevious,
    /// Neither the step that comes next nor a way back: another one in the middle of a rotation.
    Changed,
    /// A new rotation before the last one's old item is retired.
    TwoAtOnce,
    /// The old one alone again, although the new one is in use.
    BackWithoutStage,
}

/// What must be known of the hosts before a move's build may be rolled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Nothing.
    None,
    /// That the build before arrived everywhere, unless somebody knows better.
    Advised,
    /// That the build before arrived everywhere.
    Required,
}

impl Move {
    /// The proof that it needs.
    pub const fn proof(self) -> Proof {
        match self {
            Self::Promote | Self::Retire => Proof::Required,
            // harmless after `stage` alone; a state does not say whether `promote` was ever rolled out
            Self::Abort | Self::BackToStage => Proof::Advised,
            Self::Stay | Self::Add | Self::Remove | Self::Stage | Self::BackToPromote | Self::Refused(_) => {
                Proof::None
            }
        }
    }
}

/// One version of an item, in words of the build before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It was the active one.
    Active,
    /// It was the other.
    Beside,
    /// It was neither.
    New,
}

/// The shape of a state, with the versions in it.
#[derive(Clone, Copy)]
enum Shape<T> {
    /// One only: never rotated, or retired.
    One(T),
    /// The active one, and its successor.
    Staged(T, T),
    /// The active one, and its predecessor.
    Promoted(T, T),
}

/// What leads from one build to the next.
pub fn between(before: Option<&ItemState>, now: Option<&ItemState>) -> Move {
    let (before, now) = match (before, now) {
        (None, None) => return Move::Stay,
        (Some(_), None) => return Move::Remove,
        (None, Some(now)) if now.beside.is_some() => return Move::Refused(Refusal::NothingToReplace),
        (None, Some(_)) => return Move::Add,
        (Some(before), Some(now)) => (before, now),
    };
    let role = |id: &ItemId| match id {
        id if *id == before.active => Role::Active,
        id if Some(id) == before.beside.as_ref() => Role::Beside,
        _ => Role::New,
    };
    table(shape(before, |_| ()), shape(now, role))
}

fn shape<T>(state: &ItemState, of: impl Fn(&ItemId) -> T) -> Shape<T> {
    let active = of(&state.active);
    match (&state.beside, state.step) {
        (Some(beside), Some(Step::Stage)) => Shape::Staged(active, of(beside)),
        (Some(beside), _) => Shape::Promoted(active, of(beside)),
        (None, _) => Shape::One(active),
    }
}

/// The table of steps. In a pair, the active one stands first.
const fn table(before: Shape<()>, now: Shape<Role>) -> Move {
    use Role::{Active, Beside, New};
    use Shape::{One, Promoted, Staged};
    match (before, now) {
        (One(()), One(Active))
        | (Staged(..), Staged(Active, Beside))
        | (Promoted(..), Promoted(Active, Beside)) => Move::Stay,

        (One(()), Staged(Active, _)) => Move::Stage,
        (One(()), Promoted(Active, _)) => Move::BackToPromote,
        (One(()), One(_)) => Move::Refused(Refusal::NotStaged),
        (One(()), Promoted(_, Active)) => Move::Refused(Refusal::PromoteBeforeStage),
        (One(()), Staged(..) | Promoted(..)) => Move::Refused(Refusal::OtherPrevious),

        (Staged(..), Promoted(Beside, Active)) => Move::Promote,
        (Staged(..), One(Active)) => Move::Abort,
        (Staged(..), One(Beside)) => Move::Refused(Refusal::RetireBeforePromote),

        (Promoted(..), One(Active)) => Move::Retire,
        (Promoted(..), Staged(Beside, Active)) => Move::BackToStage,
        (Promoted(..), One(Beside)) => Move::Refused(Refusal::BackWithoutStage),
        (Promoted(..), Staged(Active, New) | Promoted(New, Active)) => Move::Refused(Refusal::TwoAtOnce),

        (Staged(..) | Promoted(..), One(New) | Staged(..) | Promoted(..)) => Move::Refused(Refusal::Changed),
    }
}

#[cfg(test)]
mod tests;
