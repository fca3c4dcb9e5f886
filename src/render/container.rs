//! The unit of a program in a container on the host's network: what podman's Quadlet, docker or nerdctl is
//! told.
//!
//! Sources: podman-systemd.unit(5) of podman 4.4, podman-run(1), `docker run --help`, nerdctl's command
//! reference.

use crate::plan::{ContainerEngine, ContainerPlan};
use serde::Serialize;

/// What templates see.
#[derive(Serialize)]
pub(super) struct Container {
    program: String,
    name: &'static str,
    image: String,
    /// The unit of the engine's daemon.
    daemon: Option<&'static str>,
    user: Option<u32>,
    group: Option<u32>,
    /// What of root's rights it keeps.
    capabilities: &'static [&'static str],
    /// Mounts, `SOURCE:TARGET` with `:ro` where it only reads.
    volumes: Vec<String>,
    /// Directories that must be there first, whatever disk they are on.
    directories: Vec<String>,
    /// Of podman: what Quadlet of 4.4 has no key for. Of others: everything between `run` and the image.
    flags: Vec<String>,
    /// The program's own arguments.
    arguments: Vec<String>,
    /// The signal that has it read its configuration anew.
    reload: Option<&'static str>,
    stop_timeout: u32,
    /// Longer than that: the engine kills first.
    unit_stop_timeout: u32,
}

/// What runs in a container.
pub(super) struct Contained<'a> {
    /// The engine, and who it is.
    pub(super) plan: &'a ContainerPlan,
    /// The container's name, the unit's, and the program's in the image.
    pub(super) name: &'static str,
    pub(super) image: &'a str,
    /// As in [`Container`].
    pub(super) capabilities: &'static [&'static str],
    /// As in [`Container`].
    pub(super) volumes: Vec<String>,
    /// As in [`Container`].
    pub(super) directories: Vec<String>,
    /// Directories in memory that it may write to.
    pub(super) scratch: &'static [&'static str],
    /// A file of variables.
    pub(super) variables: Option<&'static str>,
    /// How many files it may have open. Engines have limits of their own, docker's as low as 1024 by default.
    pub(super) open_files: u32,
    /// The signal that ends it, where the image's own is not meant.
    pub(super) stop: Option<&'static str>,
    /// As in [`Container`].
    pub(super) reload: Option<&'static str>,
    /// Seconds that it has to stop.
    pub(super) stop_timeout: u32,
    /// As in [`Container`].
    pub(super) arguments: Vec<String>,
}

/// The context of a container's unit.
pub(super) fn context(of: Contained<'_>) -> Container {
    let plan = of.plan;
    Container {
        program: plan.program.clone(),
        name: of.name,
        image: of.image.to_owned(),
        daemon: match plan.engine {
            ContainerEngine::Podman => None,
            ContainerEngine::Docker => Some("docker.service"),
            ContainerEngine::Nerdctl => Some("containerd.service"),
        },
        user: plan.user.map(|user| user.uid),
        group: plan.user.map(|user| user.gid),
        capabilities: of.capabilities,
        flags: flags(&of),
        volumes: of.volumes,
        directories: of.directories,
        arguments: of.arguments,
        reload: of.reload,
        stop_timeout: of.stop_timeout,
        unit_stop_timeout: of.stop_timeout + 15,
    }
}

/// Flags of `run`. Of podman those that Quadlet has no key for in 4.4, or not for sure.
fn flags(of: &Contained<'_>) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    let mut add = |flag: &str, value: &str| flags.push(format!("--{flag}={value}"));
    if of.plan.engine != ContainerEngine::Podman {
        flags_of_keys(of, &mut add);
    }
    // images say or do not say what they start: kubeadm's of etcd has nothing
    add("entrypoint", of.name);
    if let Some(file) = of.variables {
        add("env-file", file);
    }
    for directory in of.scratch {
        add("tmpfs", directory);
    }
    // as the kubelet gives to pods that a node cannot do without
    add("oom-score-adj", "-997");
    // the network is asked for an image that is missing and for nothing else
    add("pull", "missing");
    if let Some(signal) = of.stop {
        add("stop-signal", signal);
    }
    add("stop-timeout", &of.stop_timeout.to_string());
    add("ulimit", &format!("nofile={0}:{0}", of.open_files));
    match of.plan.engine {
        ContainerEngine::Podman => {
            // nothing of this talks to its peers through a proxy of the host
            add("http-proxy", "false");
            // straight to the unit's journal
            add("log-driver", "passthrough");
            add("security-opt", "label=disable");
        }
        ContainerEngine::Docker => {
            // what it prints comes to the unit's journal; no second copy, which nothing bounds
            add("log-driver", "none");
            add("security-opt", "label=disable");
            // docker refuses the host's network in a user namespace of its own (`userns-remap`)
            add("userns", "host");
        }
        ContainerEngine::Nerdctl => {
            // it cannot go without a copy
            add("log-driver", "json-file");
            add("log-opt", "max-size=10m");
            add("log-opt", "max-file=2");
        }
    }
    flags
}

/// What a key says where podman's Quadlet reads it.
fn flags_of_keys(of: &Contained<'_>, add: &mut impl FnMut(&str, &str)) {
    add("name", of.name);
    add("network", "host");
    add("read-only", "true");
    add("cap-drop", "ALL");
    for capability in of.capabilities {
        add("cap-add", capability);
    }
    add("security-opt", "no-new-privileges");
    if let Some(user) = of.plan.user {
        add("user", &format!("{}:{}", user.uid, user.gid));
    }
    for volume in &of.volumes {
        add("volume", volume);
    }
    // one of that name that is left over must not stop the next
    add("rm", "true");
}
