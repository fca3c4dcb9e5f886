//! Every directory that sealift makes, and those in which it allows nothing else, as one table.

use super::certs::Place;
use super::certs::place::{CONTROL_PLANE, ETCD, EVERYWHERE, HOSTS, NODES, OPERATOR};
use super::settings::Layered;
use super::{FilePlan, Owner, Policy, Source};
use crate::spec::Problem;
use crate::spec::scalars::AbsolutePath;
use crate::spec::types::Role;
use serde::Serialize;

/// One directory.
#[derive(Debug)]
pub struct DirectoryRow {
    /// Absolute path.
    pub path: &'static str,
    /// Where it is made.
    pub on: &'static [Place],
    /// Octal mode.
    pub mode: u32,
    /// Whether anything that no manifest lists is a finding.
    pub owned: bool,
    /// Whether it is made though no file of the bundle lies in it.
    pub always: bool,
    /// Why it is made, and owned or not.
    pub why: &'static str,
}

/// Where the kubelet finds static pods. Without a kubelet it is no more than a directory.
const MANIFESTS: &str = "/etc/kubernetes/manifests";

/// What most rows have: made where a file of the bundle lies in it, and others' files may lie there too.
const ROW: DirectoryRow =
    DirectoryRow { path: "", on: HOSTS, mode: 0o755, owned: false, always: false, why: "" };

/// Every directory there is, besides etcd's data directory, whose path the spec says.
pub const DIRECTORIES: &[DirectoryRow] = &[
    DirectoryRow { path: "/etc", why: "the system's", ..ROW },
    DirectoryRow { path: "/etc/chrony", why: "chrony's", ..ROW },
    DirectoryRow { path: "/etc/chrony/sources.d", why: "chrony's; others have servers here, too", ..ROW },
    DirectoryRow { path: "/etc/containerd", why: "containerd's", ..ROW },
    DirectoryRow {
        path: "/etc/containerd/certs.d",
        why: "containerd's `config_path`; registries may have more here, such as their CAs",
        ..ROW
    },
    DirectoryRow {
        path: "/etc/containerd/certs.d/REGISTRY",
        why: "one for each registry with mirrors",
        ..ROW
    },
    DirectoryRow { path: "/etc/containers", why: "CRI-O's, Podman's", ..ROW },
    DirectoryRow {
        path: "/etc/containers/registries.conf.d",
        why: "other tools have their registries here too",
        ..ROW
    },
    DirectoryRow {
        path: "/etc/containers/systemd",
        why: "podman's Quadlet makes units of what lies here; others have theirs here too",
        ..ROW
    },
    DirectoryRow { path: "/etc/crio", why: "CRI-O's", ..ROW },
    DirectoryRow {
        path: "/etc/crio/crio.conf.d",
        why: "CRI-O's configuration; packages have theirs here too",
        ..ROW
    },
    DirectoryRow { path: "/etc/default", why: "the system's; variables of units", ..ROW },
    DirectoryRow { path: "/etc/docker", why: "Docker's; it has its key here too", ..ROW },
    DirectoryRow {
        path: "/etc/etcd",
        on: ETCD,
        why: "etcd's settings, etcdctl's environment, and the check of health",
        ..ROW
    },
    DirectoryRow { path: "/etc/haproxy", why: "haproxy's; its package has more here", ..ROW },
    DirectoryRow {
        path: "/etc/keepalived",
        why: "keepalived's configuration; its package has a sample here",
        ..ROW
    },
    DirectoryRow { path: "/etc/kubernetes", on: EVERYWHERE, why: "kubeadm's", ..ROW },
    DirectoryRow {
        path: "/etc/kubernetes/apiserver",
        on: CONTROL_PLANE,
        mode: 0o700,
        why: "the API server's own configuration; files that a flag of yours names may lie here too",
        ..ROW
    },
    DirectoryRow {
        path: "/etc/kubernetes/cluster",
        on: OPERATOR,
        mode: 0o700,
        why: "what is applied to the cluster once",
        ..ROW
    },
    DirectoryRow {
        path: "/etc/kubernetes/etcd",
        on: OPERATOR,
        mode: 0o700,
        why: "etcd's StatefulSet and what belongs to it",
        ..ROW
    },
    DirectoryRow { path: "/etc/kubernetes/kubeadm", why: "kubeadm's configuration", ..ROW },
    DirectoryRow { path: "/etc/kubernetes/kubelet", why: "the kubelet's configuration", ..ROW },
    DirectoryRow {
        path: MANIFESTS,
        mode: 0o700,
        owned: true,
        always: true,
        why: "the kubelet runs whatever lies here",
        ..ROW
    },
    DirectoryRow {
        path: "/etc/kubernetes/patches",
        on: NODES,
        owned: true,
        why: "kubeadm lays whatever lies here over what it writes",
        ..ROW
    },
    DirectoryRow { path: "/etc/kubernetes/pki", on: EVERYWHERE, why: "kubeadm's", ..ROW },
    DirectoryRow {
        path: "/etc/kubernetes/pki/etcd",
        on: &[Place::Role(Role::Etcd), Place::Role(Role::ControlPlane), Place::Operator],
        owned: true,
        always: true,
        why: "a certificate or key here that nobody planned is worth a question",
        ..ROW
    },
    DirectoryRow { path: "/etc/logrotate.d", why: "logrotate's; packages have theirs here", ..ROW },
    DirectoryRow { path: "/etc/modules-load.d", why: "systemd's; others have modules here, too", ..ROW },
    DirectoryRow { path: "/etc/nginx", why: "nginx's; its package has more here", ..ROW },
    DirectoryRow { path: "/etc/sealift", on: EVERYWHERE, why: "sealift's own", ..ROW },
    DirectoryRow {
        path: "/etc/sealift/passwords",
        on: EVERYWHERE,
        mode: 0o700,
        why: "passwords that hosts share",
        ..ROW
    },
    DirectoryRow { path: "/etc/sysconfig", why: "the system's; variables of units", ..ROW },
    DirectoryRow { path: "/etc/sysctl.d", why: "systemd's; others have settings here, too", ..ROW },
    DirectoryRow { path: "/etc/systemd/journald.conf.d", why: "the journal's drop-ins", ..ROW },
    DirectoryRow { path: "/etc/systemd/system", why: "systemd's", ..ROW },
    DirectoryRow { path: "/etc/systemd/system/containerd.service.d", why: "containerd's drop-ins", ..ROW },
    DirectoryRow { path: "/etc/systemd/system/crio.service.d", why: "CRI-O's drop-ins", ..ROW },
    DirectoryRow { path: "/etc/systemd/system/etcd.service.d", on: ETCD, why: "etcd's drop-ins", ..ROW },
    DirectoryRow {
        path: "/etc/systemd/system/kubelet.service.d",
        why: "the kubelet's drop-ins; packages and other tools have theirs here too",
        ..ROW
    },
    DirectoryRow { path: "/etc/systemd/timesyncd.conf.d", why: "systemd-timesyncd's drop-ins", ..ROW },
    DirectoryRow { path: "/etc/sysusers.d", why: "the system's; users that it makes", ..ROW },
    DirectoryRow { path: "/etc/tmpfiles.d", why: "the system's; directories and links that it makes", ..ROW },
    DirectoryRow {
        path: "/var/lib/kubelet",
        on: NODES,
        // the kubelet's setupDataDirs
        mode: 0o750,
        why: "the kubelet's",
        ..ROW
    },
    DirectoryRow {
        path: "/var/lib/kubelet/pki",
        on: NODES,
        why: "the kubelet's certificates; it adds its own",
        ..ROW
    },
];

/// One directory that will exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectoryPlan {
    /// Absolute path.
    pub path: String,
    /// Octal mode.
    pub mode: u32,
    /// Whom it belongs to.
    #[serde(skip_serializing_if = "Owner::is_root")]
    pub owner: Owner,
    /// Whether anything unlisted in it is a finding.
    pub owned: bool,
    /// Paths in it that are allowed all the same.
    pub allow: Vec<String>,
}

/// A member's directories of data.
#[derive(Default)]
pub(super) struct Data<'a> {
    pub(super) paths: Vec<&'a str>,
    pub(super) owner: Owner,
}

/// The directories of one host, in byte order of their paths: those that it has files in, and those
/// that are made always.
pub(super) fn plan(
    here: &[Place],
    files: &[FilePlan],
    data: &Data<'_>,
    allow: &[Layered<AbsolutePath>],
    kubelet: bool,
) -> Vec<DirectoryPlan> {
    let filled = |row: &DirectoryRow| {
        // these are there wherever something in them can be
        let own = matches!(row.path, "/etc" | "/etc/systemd/system");
        let within = if own { directly_inside } else { inside };
        let always = row.always && (kubelet || row.path != MANIFESTS);
        // a file that is not ours is in a directory that is not ours
        let ours = |file: &&FilePlan| file.policy != Policy::Block;
        always || files.iter().filter(ours).any(|file| within(&file.path, row.path))
    };
    let rows = DIRECTORIES.iter().filter(|row| Place::any(here, row.on) && filled(row));
    let rows = rows.map(|row| DirectoryPlan {
        path: row.path.to_owned(),
        mode: row.mode,
        owner: Owner::default(),
        owned: row.owned,
        allow: if row.owned { allowed_in(row.path, allow) } else { Vec::new() },
    });
    let each = files.iter().filter_map(of_each);
    // kubeadm makes it 0700, and so does CIS's benchmark want it
    let own = data.paths.iter().map(|path| DirectoryPlan {
        path: (*path).to_owned(),
        mode: 0o700,
        owner: data.owner,
        owned: false,
        allow: Vec::new(),
    });
    let mut directories: Vec<_> = rows.chain(each).chain(own).collect();
    directories.sort_by(|a, b| a.path.cmp(&b.path));
    directories
}

/// The directory of one of several files that a row stands for.
fn of_each(file: &FilePlan) -> Option<DirectoryPlan> {
    let Source::Each(row, _) = file.source else { return None };
    let parent = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
    let wanted = parent(row)?;
    let row = DIRECTORIES.iter().find(|directory| directory.path == wanted)?;
    Some(DirectoryPlan {
        path: parent(&file.path)?,
        mode: row.mode,
        owner: Owner::default(),
        owned: false,
        allow: Vec::new(),
    })
}

/// Where a host remembers what is installed; no directory of the table, since no bundle fills it.
pub const RECORD: &str = "/var/lib/sealift";

/// A directory of the table that lies in `path`, or around it.
pub(super) fn conflict(path: &str) -> Option<&'static str> {
    // the nearest is told: what lies in /etc comes before it
    let rows = DIRECTORIES.iter().map(|row| row.path).filter(|path| *path != "/etc");
    let mut known = rows.chain([RECORD]).chain(SYSTEM.iter().chain(OTHERS).copied());
    let other = known.find(|known| *known == path || inside(path, known) || inside(known, path));
    other.or_else(|| SHARED.iter().copied().find(|shared| *shared == path))
}

/// Directories of the system and of container runtimes, in which neither data nor logs have a place.
pub(super) const SYSTEM: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/run",
];

/// More of them, in which a member's data has none.
const OTHERS: &[&str] = &["/tmp", "/var/cache", "/var/log", "/var/spool", "/var/tmp"];

/// Directories in which it has a place, but not as a whole (hier(7)).
const SHARED: &[&str] =
    &["/home", "/media", "/mnt", "/opt", "/srv", "/var", "/var/lib", "/var/local", "/var/opt"];

/// What is wrong with allowances: no owned directory holds the path, or it is not directly in one.
pub(super) fn pointless(here: &[Place], allow: &[Layered<AbsolutePath>], kubelet: bool) -> Vec<Problem> {
    let owned = DIRECTORIES.iter().filter(|row| row.owned && Place::any(here, row.on));
    let owned: Vec<_> = owned.map(|row| row.path).filter(|path| kubelet || *path != MANIFESTS).collect();
    let outside = |entry: &&Layered<AbsolutePath>| {
        !owned.iter().any(|directory| inside(entry.value.as_str(), directory))
    };
    let problem = |entry: &Layered<AbsolutePath>| {
        Problem::warning(entry.path.clone(), format!("{} needs no allowance", entry.value))
            .hint(format!("only files in {} are findings when nobody planned them", owned.join(" and ")))
    };
    let deeper = |entry: &&Layered<AbsolutePath>| {
        let parent = entry.value.as_str().rsplit_once('/').map_or("", |(parent, _)| parent);
        owned.iter().any(|directory| inside(parent, directory))
    };
    let too_deep = |entry: &Layered<AbsolutePath>| {
        Problem::error(entry.path.clone(), format!("{} cannot be allowed by itself", entry.value))
            .hint("allow the directory that it lies in: then everything below that is allowed")
    };
    let pointless = allow.iter().filter(outside).map(problem);
    pointless.chain(allow.iter().filter(deeper).map(too_deep)).collect()
}

/// Whether a path lies in a directory, however deep.
pub(super) fn inside(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn directly_inside(path: &str, directory: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(parent, _)| parent == directory)
}

fn allowed_in(directory: &str, allow: &[Layered<AbsolutePath>]) -> Vec<String> {
    let paths = allow.iter().map(|entry| entry.value.as_str());
    let direct = |path: &&str| directly_inside(path, directory);
    let mut paths: Vec<String> = paths.filter(direct).map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::{DIRECTORIES, Place};
    use crate::plan::certs::CERTS;
    use crate::plan::files;

    #[test]
    fn every_file_of_the_tables_lies_in_a_directory_of_this_table_on_the_same_hosts() {
        let certificates = CERTS.iter().map(|row| (row.public_path(), row.on));
        let files = files::rows().map(|row| (row.path.to_owned(), row.on));
        for (path, on) in files.chain(certificates) {
            let parent = path.rsplit_once('/').map(|(parent, _)| parent).unwrap_or_default();
            let row = DIRECTORIES.iter().find(|row| row.path == parent);
            let inside =
                |place: &Place| row.is_some_and(|row| row.on.iter().any(|other| place.is_within(*other)));
            assert!(on.iter().all(inside), "{path}");
        }
    }

    #[test]
    fn sorted_and_the_manifests_are_owned() {
        assert!(DIRECTORIES.is_sorted_by_key(|row| row.path));
        assert!(DIRECTORIES.iter().any(|row| row.owned && row.path == "/etc/kubernetes/manifests"));
    }
}
