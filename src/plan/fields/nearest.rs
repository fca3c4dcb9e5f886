//! Which known names stand nearest to an unknown one.

use crate::spec::suggest::{one_of, similar};

/// Up to so many names are all told.
const ALL: usize = 12;

/// So many are told of more.
const SOME: usize = 5;

/// Longer names are not compared: the cost grows with the square.
const LONGEST: usize = 64;

/// What to do about an unknown name: `absent` are the known ones that are not written yet.
pub(super) fn hint(name: &str, known: &[&str], absent: &[&str]) -> String {
    if let Some(meant) = similar(name, absent.iter().copied()) {
        return format!("did you mean `{meant}`?");
    }
    if known.len() <= ALL || name.len() > LONGEST {
        let shown: Vec<&str> = known.iter().copied().take(ALL).collect();
        let words = if known.len() <= ALL { "known here" } else { "known here, among others" };
        return format!("{words}: {}", one_of(&shown, "and"));
    }
    let lower = name.to_lowercase();
    let mut ranked: Vec<(usize, &str)> =
        known.iter().map(|other| (distance(&lower, &other.to_lowercase()), *other)).collect();
    ranked.sort_unstable();
    let nearest: Vec<&str> = ranked.into_iter().map(|(_, other)| other).take(SOME).collect();
    format!("the nearest known here: {}", one_of(&nearest, "and"))
}

/// How far apart two names are, in thousandths of the longer one; a name within the other is near.
fn distance(a: &str, b: &str) -> usize {
    if a.len().min(b.len()) > 2 && (a.contains(b) || b.contains(a)) {
        return a.len().abs_diff(b.len());
    }
    let longer = a.chars().count().max(b.chars().count()).max(1);
    1000 + strsim::damerau_levenshtein(a, b) * 1000 / longer
}
