//! Which known names stand nearest to an unknown one.

use crate::spec::suggest::{one_of, similar};

/// Up to so many names are all told.
const ALL: usize = 12;

/// Of more, at most so many that are like it.
const SOME: usize = 5;

/// A name that is farther away is not like it.
const FARTHEST: usize = 1500;

/// Longer names are not compared: the cost grows with the square.
const LONGEST: usize = 64;

/// What to do about an unknown name: `absent` are the known ones that are not written yet.
pub(super) fn hint(name: &str, known: &[&str], absent: &[&str]) -> String {
    if let Some(meant) = similar(name, absent.iter().copied()) {
        return format!("did you mean `{meant}`?");
    }
    if known.len() <= ALL {
        return format!("known here: {}", one_of(known, "and"));
    }
    let like = if name.len() > LONGEST { Vec::new() } else { like(name, known) };
    if like.is_empty() {
        return "remove it: no field here has a name like it".to_owned();
    }
    format!("known here and like it: {}", one_of(&like, "and"))
}

/// The known names that are somewhat like another, the likest first.
fn like<'k>(name: &str, known: &[&'k str]) -> Vec<&'k str> {
    let lower = name.to_lowercase();
    let ranked = known.iter().map(|other| (distance(&lower, &other.to_lowercase()), *other));
    let mut ranked: Vec<(usize, &str)> = ranked.filter(|(distance, _)| *distance <= FARTHEST).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, other)| other).take(SOME).collect()
}

/// How far apart two names are: up to 1000 when one is within the other, else 1000 and the thousandths of
/// the longer one that are to be edited.
fn distance(a: &str, b: &str) -> usize {
    if a.len().min(b.len()) > 2 && (a.contains(b) || b.contains(a)) {
        return a.len().abs_diff(b.len()).min(1000);
    }
    let longer = a.chars().count().max(b.chars().count()).max(1);
    1000 + strsim::damerau_levenshtein(a, b) * 1000 / longer
}
