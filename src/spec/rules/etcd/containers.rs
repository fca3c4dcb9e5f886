//! etcd in a container of its own: what its engine cannot be told.

use super::{Holes, Path, Problem, Spec, etcd};
use crate::spec::scalars::AbsolutePath;
use crate::spec::types::{ContainerEngine, EtcdRun};

/// podman's generator has its own path of podman in it.
pub(in crate::spec::rules) fn quadlet(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let at = etcd().key("container").key("program");
    let of = &spec.etcd.container;
    let podman = spec.etcd.run == EtcdRun::Container && of.engine == ContainerEngine::Podman;
    if podman && of.program.is_some() && !holes.touch(&etcd().key("container").key("engine")) {
        let message = "Quadlet starts the podman that it belongs to, and no other program";
        problems.push(
            Problem::error(at, message).hint("remove it, or write `engine: docker` or `engine: nerdctl`"),
        );
    }
}

/// Engines take a mount apart at colons.
pub(in crate::spec::rules) fn mounts(spec: &Spec, _: &Holes, problems: &mut Vec<Problem>) {
    if spec.etcd.run != EtcdRun::Container {
        return;
    }
    let hosts = Path::root().key("hosts");
    let roles = Path::root().key("roles");
    let everywhere = (etcd(), &spec.etcd.data_dir, &spec.etcd.wal_dir);
    let of_roles = spec
        .roles
        .iter()
        .map(|(name, role)| (roles.key(name.name()).key("etcd"), &role.etcd.data_dir, &role.etcd.wal_dir));
    let of_hosts = spec
        .hosts
        .iter()
        .map(|(name, host)| (hosts.key(name.as_str()).key("etcd"), &host.etcd.data_dir, &host.etcd.wal_dir));
    for (path, data, wal) in std::iter::once(everywhere).chain(of_roles).chain(of_hosts) {
        problems.extend(colon(&path, "dataDir", data.as_ref()));
        problems.extend(colon(&path, "walDir", wal.as_ref()));
    }
}

fn colon(path: &Path, field: &str, directory: Option<&AbsolutePath>) -> Option<Problem> {
    let directory = directory.filter(|directory| directory.as_str().contains(':'))?;
    let message = format!("{directory} cannot be mounted: container engines take `:` for the end of a path");
    Some(Problem::error(path.key(field), message).hint("choose a path without `:`"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::spec;

    /// The problems of the smallest example with this instead of its `run`.
    fn problems(etcd: &str) -> Vec<String> {
        let text = include_str!("../../../../bundles/etcd-static-pods/sealift.yaml");
        let edited = text.replacen("  run: static-pod", etcd, 1);
        assert_ne!(edited, text);
        let loaded = spec::load(&edited);
        let line = |problem: &spec::Problem| {
            let hint = problem.hint.as_deref().unwrap_or_default();
            format!("{} {}: {} ({hint})", problem.severity.name(), problem.path, problem.message)
        };
        loaded.problems.iter().filter(|problem| problem.path.starts_with("etcd")).map(line).collect()
    }

    #[test]
    fn a_container_has_settings_of_its_own() {
        assert_eq!(problems("  run: container"), [""; 0]);
        assert_eq!(
            problems("  run: container\n  container: {engine: docker, program: /opt/docker}"),
            [""; 0]
        );
        assert_eq!(
            problems("  run: static-pod\n  container: {engine: nerdctl, program: /opt/a}"),
            [
                "warning etcd.container.engine: etcd.container.engine means nothing to etcd with `run: static-pod` (remove it, or write `run: container`)",
                "warning etcd.container.program: etcd.container.program means nothing to etcd with `run: static-pod` (remove it, or write `run: container`)",
            ]
        );
    }

    #[test]
    fn podman_is_quadlets_own() {
        assert_eq!(
            problems("  run: container\n  container: {program: /opt/podman}"),
            [
                "error etcd.container.program: Quadlet starts the podman that it belongs to, and no other program (remove it, or write `engine: docker` or `engine: nerdctl`)"
            ]
        );
    }

    #[test]
    fn no_mount_has_a_colon() {
        assert_eq!(
            problems("  run: container\n  dataDir: \"/srv/a:b\"\n  walDir: /srv/wal"),
            [
                "error etcd.dataDir: /srv/a:b cannot be mounted: container engines take `:` for the end of a path (choose a path without `:`)"
            ]
        );
    }
}
