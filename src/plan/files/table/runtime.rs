//! What the container runtime reads.

use super::{DAEMON_RELOAD, ROW};
use crate::plan::certs::place::HOSTS;
use crate::plan::files::{FileRow, RowSource, When};
use crate::spec::types::RuntimeKind;

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/containerd/certs.d/REGISTRY/hosts.toml",
        on: HOSTS,
        when: When::Mirrors(RuntimeKind::Containerd),
        source: RowSource::EachRegistry,
        // read at each pull
        why: "where containerd and nerdctl fetch images of a registry instead",
        ..ROW
    },
    FileRow {
        path: "/etc/containers/registries.conf.d/10-sealift.conf",
        on: HOSTS,
        when: When::Mirrors(RuntimeKind::Crio),
        // SIGHUP makes CRI-O read it anew, containers run on
        run: &["systemctl reload crio"],
        run_when: When::Runtime(RuntimeKind::Crio),
        why: "where CRI-O and podman fetch images of registries instead",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/containerd.service.d/10-sealift-proxy.conf",
        on: HOSTS,
        when: When::ProxiedRuntime(RuntimeKind::Containerd),
        restart: &["unit/containerd"],
        run: DAEMON_RELOAD,
        why: "containerd fetches images through the proxy",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/crio.service.d/10-sealift-proxy.conf",
        on: HOSTS,
        when: When::ProxiedRuntime(RuntimeKind::Crio),
        restart: &["unit/crio"],
        run: DAEMON_RELOAD,
        why: "CRI-O fetches images through the proxy",
        ..ROW
    },
];
