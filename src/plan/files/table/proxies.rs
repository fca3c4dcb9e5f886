//! nginx and haproxy, proxies of the API servers.

use super::{DAEMON_RELOAD, POD, ROW};
use crate::plan::certs::place::HOSTS;
use crate::plan::files::{FileRow, RowSource, When};
use crate::spec::types::BalancerKind::{Haproxy, Nginx};
use crate::spec::types::BalancerRun::{Container, Service, StaticPod};

/// A reload keeps connections; what does not run yet is started.
const RELOAD_NGINX: &[&str] =
    &["systemctl enable nginx.service", "systemctl reload-or-restart nginx.service"];
const RELOAD_HAPROXY: &[&str] =
    &["systemctl enable haproxy.service", "systemctl reload-or-restart haproxy.service"];
/// The unit of a container is one of the bundle: systemd must know it first. The engine or Quadlet has it
/// start at boot.
const RELOAD_NGINX_CONTAINER: &[&str] =
    &["systemctl daemon-reload", "systemctl reload-or-restart nginx.service"];
const RELOAD_HAPROXY_CONTAINER: &[&str] =
    &["systemctl daemon-reload", "systemctl reload-or-restart haproxy.service"];

const NGINX: FileRow = FileRow {
    path: "/etc/nginx/nginx.conf",
    on: HOSTS,
    why: "nginx, as a proxy of the API servers and as nothing else",
    ..ROW
};

const HAPROXY: FileRow = FileRow {
    path: "/etc/haproxy/haproxy.cfg",
    on: HOSTS,
    why: "haproxy, as a proxy of the API servers and as nothing else",
    ..ROW
};

const HAPROXY_CA: FileRow = FileRow {
    path: "/etc/haproxy/sealift-ca.crt",
    on: HOSTS,
    source: RowSource::Authority("ca"),
    why: "whose certificates haproxy takes for an API server's when it asks whether one is ready",
    ..ROW
};

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/containers/systemd/haproxy.container",
        on: HOSTS,
        when: When::BalancerQuadlet(Haproxy),
        restart: &["unit/haproxy"],
        run: DAEMON_RELOAD,
        why: "haproxy in a container: podman's Quadlet makes haproxy.service of it",
        ..ROW
    },
    FileRow {
        path: "/etc/containers/systemd/nginx.container",
        on: HOSTS,
        when: When::BalancerQuadlet(Nginx),
        restart: &["unit/nginx"],
        run: DAEMON_RELOAD,
        why: "nginx in a container: podman's Quadlet makes nginx.service of it",
        ..ROW
    },
    FileRow { when: When::Balanced(Haproxy, Service), run: RELOAD_HAPROXY, ..HAPROXY },
    FileRow { when: When::Balanced(Haproxy, Container), run: RELOAD_HAPROXY_CONTAINER, ..HAPROXY },
    FileRow { when: When::Balanced(Haproxy, StaticPod), restart: &["static-pod/haproxy"], ..HAPROXY },
    FileRow { when: When::Balanced(Haproxy, Service), run: RELOAD_HAPROXY, ..HAPROXY_CA },
    FileRow { when: When::Balanced(Haproxy, Container), run: RELOAD_HAPROXY_CONTAINER, ..HAPROXY_CA },
    FileRow { when: When::Balanced(Haproxy, StaticPod), restart: &["static-pod/haproxy"], ..HAPROXY_CA },
    FileRow {
        path: "/etc/kubernetes/manifests/haproxy.yaml",
        on: HOSTS,
        when: When::Balanced(Haproxy, StaticPod),
        why: "haproxy under the kubelet",
        ..POD
    },
    FileRow {
        path: "/etc/kubernetes/manifests/nginx.yaml",
        on: HOSTS,
        when: When::Balanced(Nginx, StaticPod),
        why: "nginx under the kubelet",
        ..POD
    },
    FileRow { when: When::Balanced(Nginx, Service), run: RELOAD_NGINX, ..NGINX },
    FileRow { when: When::Balanced(Nginx, Container), run: RELOAD_NGINX_CONTAINER, ..NGINX },
    FileRow { when: When::Balanced(Nginx, StaticPod), restart: &["static-pod/nginx"], ..NGINX },
    FileRow {
        path: "/etc/systemd/system/haproxy.service",
        on: HOSTS,
        when: When::BalancerContainer(Haproxy),
        restart: &["unit/haproxy"],
        run: &["systemctl daemon-reload", "systemctl enable haproxy.service"],
        why: "haproxy in a container of docker's or nerdctl's",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/nginx.service",
        on: HOSTS,
        when: When::BalancerContainer(Nginx),
        restart: &["unit/nginx"],
        run: &["systemctl daemon-reload", "systemctl enable nginx.service"],
        why: "nginx in a container of docker's or nerdctl's",
        ..ROW
    },
];
