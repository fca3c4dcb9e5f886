//! Which files the spec's merge patches may change: YAML that a template renders, and what kubeadm
//! writes and patches itself.

use super::{FilePlan, HostPlan, Source, kubeadm};
use crate::spec::scalars::HostName;
use crate::spec::types::{FreeForm, Host, Patches, Spec};
use crate::spec::{Path, Problem};
use std::collections::BTreeMap;

/// Whether a patch of the spec can change a file.
pub(super) fn can_change(file: &FilePlan) -> bool {
    let yaml = std::path::Path::new(&file.path).extension().is_some_and(|extension| extension == "yaml");
    match file.source {
        Source::Template(_) | Source::Pod(_) => yaml,
        Source::Foreign => kubeadm::patches_of(&file.path).is_some(),
        _ => false,
    }
}

/// The patches that change the operators' files: of those for all, the ones that name such a file.
pub(super) fn of_operator(spec: &Spec, files: &[FilePlan]) -> BTreeMap<String, FreeForm> {
    let theirs = |path: &str| files.iter().any(|file| file.path == path && can_change(file));
    let own = spec.patches.iter().filter(|(path, _)| theirs(path.as_str()));
    own.map(|(path, patch)| (path.to_string(), patch.clone())).collect()
}

/// Patches that change nothing on any host that they are for.
pub(super) fn pointless(
    spec: &Spec,
    plans: &BTreeMap<HostName, HostPlan>,
    operator: &HostPlan,
) -> Vec<Problem> {
    let root = Path::root();
    let mut problems = check(&spec.patches, &root, spec, plans, |_, _| true);
    problems.retain(|problem| {
        let at = |path: &String| root.key("patches").key(path).as_str() == problem.path;
        !operator.patches.keys().any(at)
    });
    for (role, layer) in &spec.roles {
        let path = root.key("roles").key(role.name());
        problems.extend(check(&layer.patches, &path, spec, plans, |_, host| host.roles.contains(role)));
    }
    for (name, host) in &spec.hosts {
        let path = root.key("hosts").key(name.as_str());
        problems.extend(check(&host.patches, &path, spec, plans, |other, _| other == name));
    }
    problems
}

fn check(
    patches: &Patches,
    path: &Path,
    spec: &Spec,
    plans: &BTreeMap<HostName, HostPlan>,
    of_layer: impl Fn(&HostName, &Host) -> bool,
) -> Vec<Problem> {
    // most hosts have none of their own, and each would look at all others
    if patches.is_empty() {
        return Vec::new();
    }
    let hosts = spec.hosts.iter().filter(|(name, host)| of_layer(name, host));
    let files: Vec<&FilePlan> =
        hosts.filter_map(|(name, _)| plans.get(name)).flat_map(|plan| plan.files.iter()).collect();
    let missed = patches
        .keys()
        .filter(|target| !files.iter().any(|file| file.path == target.as_str() && can_change(file)));
    missed
        .map(|target| {
            let known = files.iter().filter(|file| can_change(file)).map(|file| file.path.as_str());
            let nearest = known.min_by_key(|known| strsim::levenshtein(known, target.as_str()));
            let hint = match nearest {
                Some(nearest) => format!(
                    "a patch changes YAML that sealift renders or kubeadm writes here, such as {nearest}"
                ),
                None => "remove it: sealift renders no YAML here".to_owned(),
            };
            let message = format!("{target} is no file that a patch can change");
            Problem::error(path.key("patches").key(target.as_str()), message).hint(hint)
        })
        .collect()
}
