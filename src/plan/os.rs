//! Where families of distributions have what differs among them, one row each.

use crate::spec::types::Os;

/// The paths of one family.
#[derive(Debug, PartialEq, Eq)]
pub struct Paths {
    /// The family.
    pub os: Os,
    /// The kubelet.
    pub kubelet: &'static str,
    /// Where the gate's program is put: /usr is read-only on Flatcar.
    pub sealift: &'static str,
    /// The file of variables that the kubelet's unit reads (kubepkg's `10-kubeadm.conf` for deb and rpm).
    pub kubelet_environment: &'static str,
    /// Where the kubelet and the controller manager look for `FlexVolume` plugins, where their own
    /// default lies on a read-only file system (kubeadm's documentation, "troubleshooting").
    pub volume_plugins: Option<&'static str>,
    /// Where chrony is told of servers: a file of a directory that its own configuration reads, or that
    /// configuration, which reads none (Red Hat); none where it is not known.
    pub chrony: Option<&'static str>,
    /// Whether no package brings the kubelet's unit.
    pub without_unit: bool,
    /// What packages of nginx and haproxy have, where there are such packages.
    pub proxies: Option<Proxies>,
}

/// What a family's packages of nginx and haproxy have, as their own configurations say.
#[derive(Debug, PartialEq, Eq)]
pub struct Proxies {
    /// nginx's module for TCP (`libnginx-mod-stream`, `nginx-mod-stream`), as `load_module` takes it.
    pub nginx_module: &'static str,
    /// The user of nginx's workers.
    pub nginx_user: &'static str,
    /// haproxy's socket for statistics and commands.
    pub haproxy_socket: &'static str,
}

/// All families.
const PATHS: [Paths; 3] = [
    Paths {
        os: Os::Debian,
        kubelet: "/usr/bin/kubelet",
        sealift: "/usr/local/bin/sealift",
        kubelet_environment: "/etc/default/kubelet",
        volume_plugins: None,
        chrony: Some("/etc/chrony/sources.d/sealift.sources"),
        without_unit: false,
        proxies: Some(Proxies {
            nginx_module: "modules/ngx_stream_module.so",
            nginx_user: "www-data",
            haproxy_socket: "/run/haproxy/admin.sock",
        }),
    },
    Paths {
        os: Os::Rhel,
        kubelet: "/usr/bin/kubelet",
        sealift: "/usr/local/bin/sealift",
        kubelet_environment: "/etc/sysconfig/kubelet",
        volume_plugins: None,
        chrony: Some("/etc/chrony.conf"),
        without_unit: false,
        proxies: Some(Proxies {
            nginx_module: "/usr/lib64/nginx/modules/ngx_stream_module.so",
            nginx_user: "nginx",
            haproxy_socket: "/var/lib/haproxy/stats",
        }),
    },
    Paths {
        os: Os::Flatcar,
        kubelet: "/opt/bin/kubelet",
        sealift: "/opt/bin/sealift",
        kubelet_environment: "/etc/default/kubelet",
        volume_plugins: Some("/opt/libexec/kubernetes/kubelet-plugins/volume/exec/"),
        chrony: None,
        without_unit: true,
        proxies: None,
    },
];

/// The paths of a family.
pub const fn paths(os: Os) -> &'static Paths {
    let [debian, rhel, flatcar] = &PATHS;
    match os {
        Os::Debian => debian,
        Os::Rhel => rhel,
        Os::Flatcar => flatcar,
    }
}

#[cfg(test)]
mod tests {
    use super::{Os, PATHS, paths};

    #[test]
    fn each_family_has_its_row() {
        assert!(PATHS.iter().all(|row| paths(row.os) == row));
        assert_eq!(PATHS.map(|row| row.os), [Os::Debian, Os::Rhel, Os::Flatcar]);
    }
}
