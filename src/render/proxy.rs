//! Contexts of nginx's and haproxy's files.

use super::container::{self, Contained, Container};
use super::pod::RESTART_DIGEST;
use crate::plan::{BalancersPlan, Program, ProxyPlan};
use serde::Serialize;

/// What templates of configurations see. Times are words of both programs: `3s` or `1500ms`.
#[derive(Serialize)]
pub(super) struct Proxy {
    listeners: Vec<Listener>,
    backends: Vec<Backend>,
    balance: &'static str,
    connect_timeout: String,
    idle_timeout: String,
    max_connections: u32,
    open_files: u32,
    /// Whether it runs as a package's service, and so begins as root and is no process of a container's.
    service: bool,
    nginx: Option<Nginx>,
    haproxy: Option<Haproxy>,
}

#[derive(Serialize)]
struct Listener {
    /// Address and port, IPv6 in brackets.
    address: String,
    /// Whether it is IPv6's `::`, which can take IPv4's connections too.
    any_v6: bool,
}

#[derive(Serialize)]
struct Backend {
    name: String,
    /// Host and port, IPv6 in brackets.
    address: String,
    weight: u32,
}

#[derive(Serialize)]
struct Nginx {
    module: Option<&'static str>,
    worker: Option<&'static str>,
    max_fails: u32,
    fail_timeout: u64,
    reuse_port: bool,
}

#[derive(Serialize)]
struct Haproxy {
    socket: &'static str,
    interval: String,
    timeout: String,
    rise: u32,
    fall: u32,
}

/// What templates of pods see.
#[derive(Serialize)]
pub(super) struct ProxyPod {
    name: &'static str,
    annotations: Vec<Annotation>,
    image: String,
    arguments: Vec<String>,
    /// User and group.
    user: u32,
    capabilities: &'static [&'static str],
    /// The directory of its configuration.
    configuration: &'static str,
    /// A directory in memory that it may write to.
    scratch: &'static str,
    probe_host: String,
    probe_port: u16,
}

#[derive(Serialize)]
struct Annotation {
    name: &'static str,
    value: String,
}

/// What a context of these files is.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Files {
    Configuration(Proxy),
    Container(Container),
    Pod(ProxyPod),
}

/// What differs between the programs in a container or pod.
struct Image {
    name: &'static str,
    configuration: &'static str,
    scratch: &'static [&'static str; 1],
    arguments: &'static [&'static str],
    reload: &'static str,
}

const NGINX: Image = Image {
    name: "nginx",
    configuration: "/etc/nginx",
    // for its pid file; what the image has already would keep the image's owner and mode
    scratch: &["/run/nginx"],
    // a log that it would write to before it has read its configuration
    arguments: &["-e", "stderr", "-c", "/etc/nginx/nginx.conf"],
    reload: "HUP",
};
const HAPROXY: Image = Image {
    name: "haproxy",
    configuration: "/etc/haproxy",
    scratch: &["/run/haproxy"],
    // a master, which reloads, in the foreground
    arguments: &["-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"],
    reload: "USR2",
};
/// Seconds that a proxy has to stop: its connections could last for hours, and no other one listens meanwhile.
const STOP_TIMEOUT: u32 = 5;

/// The context of a file of a proxy's; none where the host has no such proxy, or it is another file.
pub(super) fn of(path: &str, balancers: &BalancersPlan, digest: Option<&str>) -> Option<Files> {
    let (nginx, haproxy) = (balancers.nginx.as_ref(), balancers.haproxy.as_ref());
    match path {
        "/etc/nginx/nginx.conf" => Some(Files::Configuration(configuration(nginx?))),
        "/etc/haproxy/haproxy.cfg" => Some(Files::Configuration(configuration(haproxy?))),
        "/etc/containers/systemd/nginx.container" | "/etc/systemd/system/nginx.service" => {
            contained(nginx?).map(Files::Container)
        }
        "/etc/containers/systemd/haproxy.container" | "/etc/systemd/system/haproxy.service" => {
            contained(haproxy?).map(Files::Container)
        }
        "/etc/kubernetes/manifests/nginx.yaml" => Some(Files::Pod(pod(nginx?, digest))),
        "/etc/kubernetes/manifests/haproxy.yaml" => Some(Files::Pod(pod(haproxy?, digest))),
        _ => None,
    }
}

fn configuration(plan: &ProxyPlan) -> Proxy {
    let (nginx, haproxy) = match &plan.program {
        Program::Nginx(own) => (
            Some(Nginx {
                module: own.module,
                worker: own.worker,
                max_fails: own.max_fails,
                fail_timeout: own.fail_timeout,
                reuse_port: own.reuse_port,
            }),
            None,
        ),
        Program::Haproxy(own) => (
            None,
            Some(Haproxy {
                socket: own.socket,
                interval: time(own.interval),
                timeout: time(own.timeout),
                rise: own.rise,
                fall: own.fall,
            }),
        ),
    };
    let listener = |address: &std::net::SocketAddr| Listener {
        any_v6: address.is_ipv6() && address.ip().is_unspecified(),
        address: address.to_string(),
    };
    let backends = plan.backends.iter().map(|backend| Backend {
        name: backend.name.clone(),
        address: backend.authority(),
        weight: backend.weight,
    });
    Proxy {
        listeners: plan.listeners.iter().map(listener).collect(),
        backends: backends.collect(),
        balance: plan.balance.name(),
        connect_timeout: time(plan.connect_timeout),
        idle_timeout: time(plan.idle_timeout),
        max_connections: plan.max_connections,
        open_files: plan.open_files(),
        service: plan.image.is_none(),
        nginx,
        haproxy,
    }
}

/// Milliseconds as both programs read them.
fn time(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1000) {
        format!("{}s", milliseconds / 1000)
    } else {
        format!("{milliseconds}ms")
    }
}

const fn image(plan: &ProxyPlan) -> &'static Image {
    match plan.program {
        Program::Nginx(_) => &NGINX,
        Program::Haproxy(_) => &HAPROXY,
    }
}

fn contained(plan: &ProxyPlan) -> Option<Container> {
    let own = image(plan);
    Some(container::context(Contained {
        plan: plan.container.as_ref()?,
        name: own.name,
        image: plan.image.as_deref()?,
        capabilities: plan.capabilities(),
        // a directory: of a file alone it would not see the next one
        volumes: vec![format!("{0}:{0}:ro", own.configuration)],
        directories: vec![own.configuration.to_owned()],
        scratch: own.scratch,
        variables: None,
        open_files: plan.open_files(),
        // images say a graceful one, which waits for connections
        stop: Some("SIGTERM"),
        reload: Some(own.reload),
        stop_timeout: STOP_TIMEOUT,
        arguments: own.arguments.iter().map(ToString::to_string).collect(),
    }))
}

fn pod(plan: &ProxyPlan, digest: Option<&str>) -> ProxyPod {
    let own = image(plan);
    let [scratch] = own.scratch;
    let listener = plan.listeners.first().map(std::net::SocketAddr::ip).filter(|ip| !ip.is_unspecified());
    ProxyPod {
        name: own.name,
        annotations: digest
            .map(|digest| Annotation { name: RESTART_DIGEST, value: digest.to_owned() })
            .into_iter()
            .collect(),
        image: plan.image.clone().unwrap_or_default(),
        arguments: own.arguments.iter().map(ToString::to_string).collect(),
        user: plan.user.uid,
        capabilities: plan.capabilities(),
        configuration: own.configuration,
        scratch,
        probe_host: listener.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string()),
        probe_port: plan.port(),
    }
}
