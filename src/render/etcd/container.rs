//! The unit of a member that runs in a container: what podman's Quadlet, docker or nerdctl is told.
//!
//! Sources: podman-systemd.unit(5) of podman 4.4, podman-run(1), `docker run --help`, nerdctl's command
//! reference.

use crate::plan::{ContainerEngine, ContainerPlan, EtcdPlan};
use serde::Serialize;

/// The container's name, too.
const NAME: &str = "etcd";
/// Certificates and keys of the member; a directory, so that what is renewed is seen.
const PKI: &str = "/etc/kubernetes/pki/etcd";
const VARIABLES: &str = "/etc/etcd/etcd.env";
const CONFIGURATION: &str = "/etc/etcd/etcd.yaml";
/// Seconds that etcd has to stop: it hands its leadership on first, which takes up to seven seconds or so
/// (etcd's `reqTimeout`: 5 seconds and two elections).
const STOP_TIMEOUT: u32 = 30;
/// For each client a file. Engines have limits of their own, docker's as low as 1024 by default.
const OPEN_FILES: &str = "nofile=65536:65536";

/// What templates see.
#[derive(Serialize)]
pub(in crate::render) struct Container {
    program: String,
    name: &'static str,
    image: String,
    /// The unit of the engine's daemon.
    daemon: Option<&'static str>,
    user: Option<u32>,
    group: Option<u32>,
    /// Mounts, `SOURCE:TARGET` with `:ro` where etcd only reads.
    volumes: Vec<String>,
    /// Directories that etcd writes: a disk of its own must be there first.
    directories: Vec<String>,
    /// Of podman: what Quadlet of 4.4 has no key for. Of others: everything between `run` and the image.
    flags: Vec<String>,
    /// etcd's own arguments.
    arguments: Vec<String>,
    stop_timeout: u32,
    /// Longer than that: the engine kills first.
    unit_stop_timeout: u32,
}

/// The context of a member's unit; none where it runs in no container.
pub(in crate::render) fn context(etcd: &EtcdPlan) -> Option<Container> {
    let plan = etcd.container.as_ref()?;
    let image = etcd.image.as_ref()?;
    let in_file = etcd.unit.as_ref()?.file.is_some();
    let volumes = volumes(etcd, in_file);
    Some(Container {
        program: plan.program.clone(),
        name: NAME,
        image: image.whole.clone(),
        daemon: match plan.engine {
            ContainerEngine::Podman => None,
            ContainerEngine::Docker => Some("docker.service"),
            ContainerEngine::Nerdctl => Some("containerd.service"),
        },
        user: plan.user.map(|user| user.uid),
        group: plan.user.map(|user| user.gid),
        directories: etcd.directories().into_iter().map(str::to_owned).collect(),
        flags: flags(plan, &volumes, in_file),
        arguments: if in_file { vec![format!("--config-file={CONFIGURATION}")] } else { Vec::new() },
        volumes,
        stop_timeout: STOP_TIMEOUT,
        unit_stop_timeout: STOP_TIMEOUT + 15,
    })
}

fn volumes(etcd: &EtcdPlan, in_file: bool) -> Vec<String> {
    let written = etcd.directories().into_iter().map(|path| format!("{path}:{path}"));
    let configuration = in_file.then_some(CONFIGURATION);
    let read = std::iter::once(PKI).chain(configuration).map(|path| format!("{path}:{path}:ro"));
    written.chain(read).collect()
}

/// Flags of `run`. Of podman those that Quadlet has no key for in 4.4, or not for sure.
fn flags(plan: &ContainerPlan, volumes: &[String], in_file: bool) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    let mut add = |flag: &str, value: &str| flags.push(format!("--{flag}={value}"));
    if plan.engine != ContainerEngine::Podman {
        flags_of_keys(plan, volumes, &mut add);
    }
    // images say or do not say what they start: kubeadm's has nothing
    add("entrypoint", NAME);
    if !in_file {
        add("env-file", VARIABLES);
    }
    // as the kubelet gives to pods that a node cannot do without
    add("oom-score-adj", "-997");
    // the network is asked for an image that is missing and for nothing else
    add("pull", "missing");
    add("stop-timeout", &STOP_TIMEOUT.to_string());
    add("ulimit", OPEN_FILES);
    match plan.engine {
        ContainerEngine::Podman => {
            // members would talk to each other through it
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
fn flags_of_keys(plan: &ContainerPlan, volumes: &[String], add: &mut impl FnMut(&str, &str)) {
    add("name", NAME);
    add("network", "host");
    add("read-only", "true");
    add("cap-drop", "ALL");
    add("security-opt", "no-new-privileges");
    if let Some(user) = plan.user {
        add("user", &format!("{}:{}", user.uid, user.gid));
    }
    for volume in volumes {
        add("volume", volume);
    }
    // one of that name that is left over must not stop the next
    add("rm", "true");
}
