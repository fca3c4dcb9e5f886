//! What the control plane's components see of their host (`volumes.go`).

use super::Node;
use crate::plan::components::{Component, Extras, VolumePlan};
use crate::plan::os;
use crate::spec::types::Os;

/// Where programs look for the system's certificate authorities.
const CERTIFICATES: (&str, &str) = ("ca-certs", "/etc/ssl/certs");
/// Where volume plugins lie, unless a flag or the distribution says another place.
const PLUGINS: &str = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec";

/// Directories to which links in /etc/ssl/certs lead. kubeadm looks which of five a host has; here the
/// distribution decides.
const fn certificates(os: Os) -> &'static [(&'static str, &'static str)] {
    match os {
        Os::Debian => &[
            ("etc-ca-certificates", "/etc/ca-certificates"),
            ("usr-local-share-ca-certificates", "/usr/local/share/ca-certificates"),
            ("usr-share-ca-certificates", "/usr/share/ca-certificates"),
        ],
        // never /etc/pki as a whole, as kubeadm up to 1.30: private keys lie there (k/k#124361)
        Os::Rhel => &[("etc-pki-ca-trust", "/etc/pki/ca-trust"), ("etc-pki-tls-certs", "/etc/pki/tls/certs")],
        Os::Flatcar => &[("usr-share-ca-certificates", "/usr/share/ca-certificates")],
    }
}

impl Node<'_> {
    /// The volumes of a component, in byte order of their names; one of the spec replaces that of the
    /// same name.
    pub(super) fn volumes(&self, component: Component, extras: &Extras) -> Vec<VolumePlan> {
        let system = std::iter::once(&CERTIFICATES).chain(certificates(self.settings.os));
        let mut volumes: Vec<VolumePlan> = match component {
            Component::KubeScheduler => vec![kubeconfig("/etc/kubernetes/scheduler.conf")],
            Component::KubeApiserver | Component::KubeControllerManager => {
                let pki = ("k8s-certs", "/etc/kubernetes/pki");
                system.chain([&pki]).map(|(name, path)| directory(name, path, true)).collect()
            }
        };
        if component == Component::KubeControllerManager {
            volumes.push(kubeconfig("/etc/kubernetes/controller-manager.conf"));
            volumes.extend(self.plugins(extras));
        }
        volumes.retain(|volume| extras.volumes.iter().all(|own| own.name != volume.name));
        volumes.extend(extras.volumes.iter().cloned());
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        volumes
    }

    /// Volume plugins write sockets there; from 1.36 on nobody mounts it unasked (k/k#136423).
    fn plugins(&self, extras: &Extras) -> Option<VolumePlan> {
        let default = os::paths(self.settings.os).volume_plugins.unwrap_or(PLUGINS);
        let asked = extras.args.get("flex-volume-plugin-dir").and_then(|values| values.last());
        let path = asked.map_or(default, String::as_str);
        self.release.flex_volumes.then(|| directory("flexvolume-dir", path, false))
    }
}

fn kubeconfig(path: &str) -> VolumePlan {
    VolumePlan { path_type: Some("FileOrCreate"), ..directory("kubeconfig", path, true) }
}

/// A directory that a pod sees where the host has it.
pub(super) fn directory(name: &str, path: &str, read_only: bool) -> VolumePlan {
    VolumePlan {
        name: name.to_owned(),
        host_path: path.to_owned(),
        mount_path: path.to_owned(),
        read_only,
        path_type: Some("DirectoryOrCreate"),
    }
}
