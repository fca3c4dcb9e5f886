//! How long things are valid, compared to each other.

use super::{Holes, Path, Problem, Spec};

fn validity() -> Path {
    Path::root().key("pki").key("validity")
}

/// A certificate that outlives its CA stops being valid with it.
pub(super) fn leaf_outlives_ca(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let (ca, leaf) = (spec.pki.validity.ca(), spec.pki.validity.leaf());
    if leaf <= ca || holes.touch(&validity()) {
        return;
    }
    let written = if spec.pki.validity.leaf.is_some() { "leaf" } else { "ca" };
    let at = validity().key(written);
    let message = format!("{at}: certificates are valid for {leaf}, longer than their CA ({ca})");
    problems.push(Problem::warning(at, message).hint("make the CA's validity longer or the leaves' shorter"));
}

/// A bundle that may be installed after its certificates have expired helps nobody.
pub(super) fn bundle_outlives_leaf(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let leaf = spec.pki.validity.leaf();
    let at = Path::root().key("cluster").key("bundleValidity");
    let Some(bundle) = spec.cluster.bundle_validity.filter(|bundle| *bundle > leaf) else { return };
    if holes.touch(&validity()) {
        return;
    }
    let message = format!("{at}: bundles are valid for {bundle}, longer than their certificates ({leaf})");
    problems.push(Problem::warning(at, message).hint(format!("write {leaf} or less")));
}
