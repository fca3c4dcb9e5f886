//! Numbers that went down, so that secrets which were replaced come back.

use crate::build;
use crate::bundle::open::Verified;
use crate::plan::{ClusterPlan, HostPlan, OPERATOR, Source};
use crate::spec::{Path, Problem};

/// Generations that are lower than those of the build before. What is rotated in steps, the authority
/// of a leaf too, is judged by its steps.
pub(super) fn problems(cluster: &ClusterPlan, host: &HostPlan, before: &Verified) -> Vec<Problem> {
    let mut problems = Vec::new();
    let old = before.manifest().host.generation;
    if host.name != OPERATOR && host.item.generation < old {
        let at = Path::root().key("hosts").key(&host.name).key("generation");
        problems.push(lower(at.as_str(), host.item.generation, old));
    }
    for file in host.files.iter() {
        let was = before.file(&file.path).and_then(|file| file.origin.as_ref());
        let now = build::origin(cluster, host, &file.source);
        let (Some(was), Some(now)) = (was, now.as_ref()) else { continue };
        // of leaves the generations of pki, CA and host
        let first =
            |generation: &str| generation.split(',').next().and_then(|number| number.parse::<u32>().ok());
        let (Some(old), Some(new)) = (first(&was.generation), first(&now.generation)) else { continue };
        if was.seed != now.seed || new >= old {
            continue;
        }
        let at = match &file.source {
            Source::Password(name) => Path::root().key("passwords").key(name).key("generation"),
            Source::VrrpPassword => {
                let Some(password) = host.vrrp_password() else { continue };
                problems.push(lower(&format!("{}.generation", password.path), new, old));
                continue;
            }
            _ if now.generation.contains(',') => Path::root().key("pki").key("generation"),
            _ => continue,
        };
        problems.push(lower(at.as_str(), new, old));
    }
    problems
}

fn lower(at: &str, new: u32, old: u32) -> Problem {
    let message = format!("{at}: {new} after {old} brings secrets back that were replaced");
    Problem::warning(at, message).hint(format!("write {old}, or {} for new ones", old.saturating_add(1)))
}
