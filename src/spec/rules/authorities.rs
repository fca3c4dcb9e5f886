//! Authorities that were made elsewhere: what can be said of one, and what cannot.

use super::{Holes, Path, Problem, Spec};
use crate::spec::types::{CaName, Rotation, Subject};

/// Where an authority is written.
fn path(ca: CaName) -> Path {
    Path::root().key("pki").key("cas").key(ca.name())
}

/// What is written of one version.
struct Version {
    at: Path,
    import: bool,
    external: bool,
    /// Whether a field is written that describes what would be derived.
    described: [(&'static str, bool); 3],
}

fn versions(spec: &Spec) -> Vec<Version> {
    let mut all = Vec::new();
    for &ca in CaName::ALL {
        let current = spec.pki.cas.of(ca);
        all.push(Version {
            at: path(ca),
            import: current.import.is_some(),
            external: current.external.is_some(),
            described: [
                ("algorithm", current.algorithm.is_some()),
                ("validity", current.validity.is_some()),
                ("subject", current.subject != Subject::default()),
            ],
        });
        let Some(previous) = &current.previous else { continue };
        all.push(Version {
            at: path(ca).key("previous"),
            import: previous.import.is_some(),
            external: previous.external.is_some(),
            described: [
                ("algorithm", previous.algorithm.is_some()),
                ("validity", previous.validity.is_some()),
                ("subject", previous.subject.is_some()),
            ],
        });
    }
    all
}

/// An authority is derived, imported or external: one of the three.
pub(super) fn one_origin(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for version in versions(spec) {
        let at = version.at.key("external");
        if version.import && version.external && !holes.touch(&at) {
            let message = format!("{at}: the authority is imported already");
            problems.push(
                Problem::error(at, message).hint("write `import` if its key may come here, else `external`"),
            );
        }
    }
}

/// A certificate that exists says itself what it is.
pub(super) fn described_by_itself(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for version in versions(spec) {
        let origin = match (version.import, version.external) {
            (true, _) => "import",
            (_, true) => "external",
            _ => continue,
        };
        for (field, _) in version.described.iter().filter(|(_, written)| *written) {
            let at = version.at.key(field);
            if !holes.touch(&at) {
                let message = format!("{at}: has no meaning beside `{origin}`: the certificate says it");
                problems.push(Problem::error(at, message).hint("remove it"));
            }
        }
    }
}

/// A key that stays elsewhere cannot be placed on hosts.
pub(super) fn key_elsewhere(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let list = Path::root().key("pki").key("caKeysOnHosts");
    for (index, ca) in spec.pki.ca_keys_on_hosts.iter().enumerate() {
        let settings = spec.pki.cas.of(*ca);
        let external = match (settings.rotation, &settings.previous) {
            (Some(Rotation::Stage), Some(previous)) => previous.external.is_some(),
            (Some(Rotation::Stage), None) => false,
            _ => settings.external.is_some(),
        };
        if external && !holes.touch(&path(*ca)) {
            let at = holes.item(&list, index);
            let message = format!("{at}: the key of `{}` is not here: the authority is external", ca.name());
            problems.push(Problem::error(at, message).hint("remove it from the list"));
        }
    }
}
