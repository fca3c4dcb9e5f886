//! What the container runtime reads.

use super::{DAEMON_RELOAD, ROW};
use crate::plan::certs::place::HOSTS;
use crate::plan::files::{FileRow, RowSource, When};
use crate::plan::preparation::Part;
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
        path: "/etc/containerd/config.toml",
        on: HOSTS,
        when: When::Prepared(Part::Containerd),
        source: RowSource::Configuration,
        restart: &["unit/containerd"],
        why: "containerd's cgroup driver, pause image and registries",
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
        path: "/etc/crictl.yaml",
        on: HOSTS,
        when: When::Prepared(Part::Crictl),
        // read at each start
        why: "where crictl finds the kubelet's container runtime",
        ..ROW
    },
    FileRow {
        path: "/etc/crio/crio.conf.d/10-sealift.conf",
        on: HOSTS,
        when: When::Prepared(Part::Crio),
        source: RowSource::Configuration,
        restart: &["unit/crio"],
        why: "CRI-O's cgroup driver and pause image, over the packages' own",
        ..ROW
    },
    FileRow {
        path: "/etc/docker/daemon.json",
        on: HOSTS,
        when: When::Prepared(Part::Docker),
        source: RowSource::Configuration,
        restart: &["unit/docker"],
        why: "Docker's cgroup driver, logs, storage and mirrors",
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
