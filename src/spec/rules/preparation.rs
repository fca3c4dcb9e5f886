//! Parts of `hostPrep` that mean nothing where they stand.

use super::{Holes, Path, Problem, Spec};
use crate::spec::layers::{Layer, layers};
use crate::spec::types::{Host, HostPrep};

/// A part by its name, and whether a layer writes it.
type Part = (&'static str, fn(&HostPrep) -> bool);

/// Parts that are for kubelets, and for what runs beside one.
const FOR_KUBELETS: &[Part] = &[
    // what the spec asks for itself is there without a kubelet
    ("sysctl", |prep| prep.sysctl.as_ref().is_some_and(|part| part.settings.is_empty())),
    ("modules", |prep| prep.modules.as_ref().is_some_and(|part| part.extra.is_empty())),
    ("swap", |prep| prep.swap.is_some()),
    ("limits", |prep| prep.limits.is_some()),
];

/// Parts for kubelets where none runs.
pub(super) fn without_kubelet(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let root = Path::root();
    if holes.touch(&root.key("hosts")) || holes.touch(&root.key("etcd").key("run")) {
        return;
    }
    for Layer { path, role, host, prep, .. } in layers(spec) {
        let written = FOR_KUBELETS.iter().filter(|(_, is_written)| is_written(prep));
        let written: Vec<_> = written.map(|(part, _)| part).collect();
        let of_layer = |host: &&Host| role.is_none_or(|role| host.has(role));
        let mut of_all = spec.hosts.values().filter(of_layer);
        let runs = |host: &Host| spec.has_kubelet(host);
        if written.is_empty() || host.map_or_else(|| of_all.any(runs), runs) {
            continue;
        }
        for part in written {
            let at = path.key("hostPrep").key(part);
            let message = format!("{at} means nothing: no kubelet runs there");
            problems.push(Problem::warning(at, message).hint("remove it"));
        }
    }
}
