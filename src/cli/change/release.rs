//! A change of the Kubernetes release that a cluster does not survive.

use crate::bundle::open::Verified;
use crate::cli::world::SpecFile;
use crate::spec::scalars::KubernetesVersion;
use crate::spec::{Problem, Severity};

/// Where every node has its release.
const VERSION: &str = "/etc/sealift/kubernetes-version";

/// What is wrong with the step from the release of an earlier bundle to the spec's: an error in a
/// cluster that runs (kubernetes.io, "Version Skew Policy").
pub(super) fn problem(spec: &SpecFile, before: &Verified) -> Option<Problem> {
    let text = std::str::from_utf8(before.contents(VERSION)?).ok()?;
    let old: KubernetesVersion = text.trim_end().strip_prefix('v')?.parse().ok()?;
    let kubernetes = &spec.loaded.spec.kubernetes;
    let new = kubernetes.version;
    let (message, hint) = if new.minor() > old.minor() + 1 {
        (
            format!("Kubernetes goes from {old} to {new}, over the releases between"),
            format!("take each minor release: 1.{} first, on every node", old.minor() + 1),
        )
    } else if new.minor() < old.minor() {
        (
            format!("Kubernetes goes back from {old} to {new}"),
            "an older API server may not read what a newer one wrote: keep the release, or restore a snapshot \
             of etcd from before the upgrade into a cluster of the old one"
                .to_owned(),
        )
    } else {
        return None;
    };
    let problem = Problem::error("kubernetes.version", message).hint(hint);
    let severity = if kubernetes.initialized { Severity::Error } else { Severity::Warning };
    Some(Problem { severity, ..problem })
}
