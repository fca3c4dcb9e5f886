//! nginx and haproxy: proxies of TCP.

use super::Site;
use crate::plan::os::{Proxies, paths};
use crate::plan::{ContainerPlan, Owner};
use crate::spec::scalars::{HostName, Length, Weight};
use crate::spec::types::{BackendNames, Balance, BalancerKind, BalancerRun, Host, Listen, Os, Role};
use crate::spec::{Path, Problem};
use serde::{Serialize, Serializer};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A proxy of the API servers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyPlan {
    /// Which program it is, and what it alone has.
    pub program: Program,
    /// Under what it runs.
    #[serde(serialize_with = "super::run_name")]
    pub run: BalancerRun,
    /// Where it runs from an image: that image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Where it runs in a container of its own: what runs that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerPlan>,
    /// Who it is in a container or pod.
    pub user: Owner,
    /// Where it listens.
    pub listeners: Vec<SocketAddr>,
    /// The API servers, in byte order of their hosts' names.
    pub backends: Vec<BackendPlan>,
    /// How connections are spread.
    #[serde(serialize_with = "balance_name")]
    pub balance: Balance,
    /// Milliseconds that a connection to an API server may take to be made.
    pub connect_timeout: u64,
    /// Milliseconds of silence after which a connection is closed.
    pub idle_timeout: u64,
    /// Connections at most: of nginx for each worker process, of haproxy in all.
    pub max_connections: u32,
}

/// What one program has and the other one has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Program {
    /// nginx.
    Nginx(NginxPlan),
    /// haproxy.
    Haproxy(HaproxyPlan),
}

/// What nginx alone has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NginxPlan {
    /// The module for TCP, where it is none of the program's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<&'static str>,
    /// The user of its workers, where it begins as root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<&'static str>,
    /// After how many failures an API server is left alone.
    pub max_fails: u32,
    /// Seconds in which these count, and for which it is left alone.
    pub fail_timeout: u64,
    /// Whether each worker process has a listening socket of its own.
    pub reuse_port: bool,
}

/// What haproxy alone has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HaproxyPlan {
    /// The socket for statistics and commands.
    pub socket: &'static str,
    /// Milliseconds from one check to the next.
    pub interval: u64,
    /// Milliseconds that an answer may take.
    pub timeout: u64,
    /// After how many good answers an API server is well again.
    pub rise: u32,
    /// After how many bad ones it is not.
    pub fall: u32,
}

/// An API server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendPlan {
    /// Its host's name.
    pub name: String,
    /// What it is reached by: an address, IPv6 without brackets, or a name.
    pub host: String,
    /// Its TCP port.
    pub port: u32,
    /// Its share, 1 to 256.
    pub weight: u32,
}

impl BackendPlan {
    /// Host and port in one, IPv6 in brackets.
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Connections of all nodes of a cluster of a thousand, three times over.
const MAX_CONNECTIONS: u32 = 8192;
/// haproxy counts milliseconds in 31 bits.
const HAPROXY_LONGEST: u64 = 2_147_483_647;
/// The user of the image `docker.io/library/nginx`; others do not mind.
const NGINX_USER: u32 = 101;
/// The user of the image `docker.io/library/haproxy`; others do not mind.
const HAPROXY_USER: u32 = 99;
/// Where haproxy's socket is in a container: a file system in memory, of the container alone.
const CONTAINER_SOCKET: &str = "/run/haproxy/admin.sock";

/// A proxy of a host.
pub(super) fn plan(site: &Site<'_>, problems: &mut Vec<Problem>) -> Option<ProxyPlan> {
    let Site { shared, entry, path, .. } = site;
    let spec = shared.spec;
    let run = entry.run.unwrap_or_default();
    let port = entry.port_of(spec);
    let packaged = paths(site.settings.os).proxies.as_ref();
    if run == BalancerRun::Service && packaged.is_none() {
        problems.push(unpackaged(site));
        return None;
    }
    let privileged = port < 1024;
    let program = match entry.kind {
        BalancerKind::Nginx => Program::Nginx(nginx(
            site,
            packaged.filter(|_| run == BalancerRun::Service),
            privileged,
            problems,
        )),
        BalancerKind::Haproxy => {
            Program::Haproxy(haproxy(site, packaged.filter(|_| run == BalancerRun::Service), problems))
        }
        _ => return None,
    };
    let uid = match program {
        _ if privileged => 0,
        Program::Nginx(_) => NGINX_USER,
        Program::Haproxy(_) => HAPROXY_USER,
    };
    let user = Owner { uid, gid: uid };
    let container = (run == BalancerRun::Container)
        .then(|| ContainerPlan::new(entry.engine.unwrap_or_default(), entry.program.as_ref(), Some(user)));
    if run == BalancerRun::Container && entry.engine.is_none() && site.settings.os == Os::Flatcar {
        let message = format!(
            "{}: Flatcar has no podman of its own, which runs containers by default",
            path.key("engine")
        );
        let hint = "write `engine: docker`, or `engine: podman` where you brought it";
        problems.push(Problem::warning(path.key("engine"), message).hint(hint));
    }
    let port = u16::try_from(port).unwrap_or_default();
    let (connect, idle) = (path.key("connectTimeout"), path.key("idleTimeout"));
    let wait = |path: &Path, own: Option<Length>, default: u64, problems: &mut Vec<Problem>| {
        time(entry.kind, path, own.map_or(default, Length::milliseconds), problems)
    };
    Some(ProxyPlan {
        program,
        run,
        image: (run != BalancerRun::Service).then(|| text(entry.image.as_ref())),
        container,
        user,
        listeners: listeners(site).into_iter().map(|address| SocketAddr::new(address, port)).collect(),
        backends: backends(site),
        balance: entry.balance.unwrap_or_default(),
        connect_timeout: wait(&connect, entry.connect_timeout, 3000, problems),
        idle_timeout: wait(&idle, entry.idle_timeout, 600_000, problems),
        max_connections: entry.max_connections.unwrap_or(MAX_CONNECTIONS),
    })
}

/// A missing image is told of by the rules.
fn text(image: Option<&impl ToString>) -> String {
    image.map(ToString::to_string).unwrap_or_default()
}

fn unpackaged(site: &Site<'_>) -> Problem {
    let (kind, os) = (site.entry.kind.name(), site.settings.os);
    wrong(site.path.key("run"), &format!("{os:?} has no package of {kind}, so no service of it"))
        .hint("write `run: container` or `run: static-pod`, and an `image`")
}

fn wrong(at: Path, what: &str) -> Problem {
    let message = format!("{at}: {what}");
    Problem::error(at, message)
}

/// Times that haproxy cannot count are errors.
fn time(kind: BalancerKind, path: &Path, milliseconds: u64, problems: &mut Vec<Problem>) -> u64 {
    if kind == BalancerKind::Haproxy && milliseconds > HAPROXY_LONGEST {
        let problem = wrong(path.clone(), "haproxy counts no longer time than 24 days");
        problems.push(problem.hint("write `576h` or less"));
    }
    milliseconds
}

fn nginx(
    site: &Site<'_>,
    packaged: Option<&'static Proxies>,
    privileged: bool,
    problems: &mut Vec<Problem>,
) -> NginxPlan {
    let Site { entry, path, .. } = site;
    let fail_timeout = entry.fail_timeout.map_or(10_000, Length::milliseconds);
    if fail_timeout % 1000 != 0 {
        let problem = wrong(path.key("failTimeout"), "nginx counts this time in whole seconds");
        problems.push(problem.hint("write whole seconds, such as `10s`"));
    }
    NginxPlan {
        module: packaged.map(|packaged| packaged.nginx_module),
        // in a container that must be root for its port, so are the workers: it has no other rights
        worker: packaged.map(|packaged| packaged.nginx_user).or_else(|| privileged.then_some("root")),
        max_fails: entry.max_fails.unwrap_or(3),
        fail_timeout: fail_timeout / 1000,
        reuse_port: entry.reuse_port.unwrap_or(true),
    }
}

fn haproxy(site: &Site<'_>, packaged: Option<&'static Proxies>, problems: &mut Vec<Problem>) -> HaproxyPlan {
    let check = &site.entry.check;
    let path = site.path.key("check");
    let milliseconds = |own: Option<Length>, default| own.map_or(default, Length::milliseconds);
    let kind = site.entry.kind;
    HaproxyPlan {
        socket: packaged.map_or(CONTAINER_SOCKET, |packaged| packaged.haproxy_socket),
        interval: time(kind, &path.key("interval"), milliseconds(check.interval, 3000), problems),
        timeout: time(kind, &path.key("timeout"), milliseconds(check.timeout, 2000), problems),
        rise: check.rise.unwrap_or(2),
        fall: check.fall.unwrap_or(3),
    }
}

/// The addresses that it listens on.
fn listeners(site: &Site<'_>) -> Vec<IpAddr> {
    let spec = site.shared.spec;
    match site.entry.listens() {
        Listen::Loopback => spec.loopback(),
        Listen::Host => site.host.addresses.clone(),
        // a kernel without IPv6 has no `::`, so it is left out where nothing says that there is IPv6
        Listen::All => {
            let mut known = site.host.addresses.iter().copied().chain(spec.vips()).chain(spec.loopback());
            let v6 = known.any(|address| address.is_ipv6());
            let v6 = v6.then_some(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
            [IpAddr::V4(Ipv4Addr::UNSPECIFIED)].into_iter().chain(v6).collect()
        }
    }
}

/// Every control plane.
fn backends(site: &Site<'_>) -> Vec<BackendPlan> {
    let (spec, entry) = (site.shared.spec, site.entry);
    let control_planes = spec.hosts.iter().filter(|(_, host)| host.has(Role::ControlPlane));
    let backend = |(name, host): (&HostName, &Host)| {
        let reached = match entry.backends.unwrap_or_default() {
            BackendNames::Address => host.advertise_address()?.to_string(),
            BackendNames::Name => name.to_string(),
        };
        let weight = entry.weights.get(name).map_or(1, |weight: &Weight| weight.get());
        let port = spec.kubernetes.api_port.get();
        Some(BackendPlan { name: name.to_string(), host: reached, port, weight })
    };
    control_planes.filter_map(backend).collect()
}

impl ProxyPlan {
    /// Which program it is.
    pub const fn kind(&self) -> BalancerKind {
        match self.program {
            Program::Nginx(_) => BalancerKind::Nginx,
            Program::Haproxy(_) => BalancerKind::Haproxy,
        }
    }

    /// Its TCP port.
    pub fn port(&self) -> u16 {
        self.listeners.first().map_or(0, SocketAddr::port)
    }

    /// Files that a process may have open: two connections for each client's, and some for itself.
    pub const fn open_files(&self) -> u32 {
        self.max_connections.saturating_mul(2).saturating_add(128)
    }

    /// What of root's rights it needs in a container: to listen on a port below 1024, and of nginx to
    /// become its own user there.
    pub fn capabilities(&self) -> &'static [&'static str] {
        match self.program {
            _ if self.port() >= 1024 => &[],
            Program::Nginx(_) => &["NET_BIND_SERVICE", "SETGID"],
            Program::Haproxy(_) => &["NET_BIND_SERVICE"],
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn balance_name<S: Serializer>(balance: &Balance, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(balance.name())
}
