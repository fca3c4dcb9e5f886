//! Contexts of what the kubelet reads.

use crate::plan::KubeletPlan;
use serde::Serialize;
use serde_json::{Map, Value};

/// The context of one of the kubelet's files; none when it has no such file.
pub(super) fn of(path: &str, kubelet: &KubeletPlan) -> Option<Kubelet> {
    match path {
        "/etc/default/kubelet" | "/etc/sysconfig/kubelet" => variables(kubelet),
        "/etc/kubernetes/kubelet/config.yaml" => Some(configuration(kubelet)),
        "/etc/systemd/system/containerd.service.d/10-sealift-proxy.conf"
        | "/etc/systemd/system/crio.service.d/10-sealift-proxy.conf"
        | "/etc/systemd/system/kubelet.service.d/10-sealift-proxy.conf" => Some(proxy(kubelet)),
        "/etc/systemd/system/kubelet.service" | "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf" => {
            Some(Kubelet::Unit { program: kubelet.program.clone() })
        }
        "/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf"
        | "/etc/systemd/system/kubelet.service.d/20-sealift-kubelet.conf" => Some(command(kubelet)),
        "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf" => Some(gate(kubelet)),
        _ => None,
    }
}

/// What the kubelet's templates see.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Kubelet {
    Configuration {
        configuration: Option<Map<String, Value>>,
        cgroup_driver: &'static str,
        container_runtime_endpoint: String,
    },
    Variables {
        variables: Vec<Variable>,
    },
    Proxy {
        assignments: Vec<String>,
    },
    Unit {
        program: String,
    },
    Command {
        program: String,
        arguments: Vec<String>,
        environment_file: Option<&'static str>,
        /// Whether `KUBELET_EXTRA_ARGS` is one of the variables.
        extra_args: bool,
    },
    Gate {
        run: &'static str,
        program: String,
        tolerate: Vec<u8>,
    },
}

#[derive(Serialize)]
pub(super) struct Variable {
    name: String,
    value: String,
}

fn configuration(kubelet: &KubeletPlan) -> Kubelet {
    Kubelet::Configuration {
        configuration: kubelet.node.as_ref().map(|node| node.configuration.map().clone()),
        cgroup_driver: kubelet.cgroup_driver,
        container_runtime_endpoint: kubelet.container_runtime_endpoint.clone(),
    }
}

fn variables(kubelet: &KubeletPlan) -> Option<Kubelet> {
    let variables = kubelet.environment.as_ref()?.variables.iter();
    let variables = variables.map(|(name, value)| Variable { name: name.clone(), value: value.clone() });
    Some(Kubelet::Variables { variables: variables.collect() })
}

fn proxy(kubelet: &KubeletPlan) -> Kubelet {
    Kubelet::Proxy {
        assignments: kubelet.proxy.iter().map(|(name, value)| format!("{name}={value}")).collect(),
    }
}

fn command(kubelet: &KubeletPlan) -> Kubelet {
    let mut arguments = vec!["--config=/etc/kubernetes/kubelet/config.yaml".to_owned()];
    if let Some(node) = &kubelet.node {
        arguments.push("--kubeconfig=/etc/kubernetes/kubelet.conf".to_owned());
        if node.bootstrap.is_some() {
            arguments.push("--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf".to_owned());
        }
    }
    arguments.extend_from_slice(&kubelet.arguments);
    let environment = kubelet.environment.as_ref();
    Kubelet::Command {
        program: kubelet.program.clone(),
        arguments,
        environment_file: environment.map(|environment| environment.file),
        extra_args: environment
            .is_some_and(|environment| environment.variables.contains_key("KUBELET_EXTRA_ARGS")),
    }
}

fn gate(kubelet: &KubeletPlan) -> Kubelet {
    Kubelet::Gate {
        run: kubelet.gate.run.name(),
        program: kubelet.gate.program.clone(),
        tolerate: kubelet.gate.tolerate.clone(),
    }
}
